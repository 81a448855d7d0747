"""The pages of who looks at what was disclosed, to whom and why, and changes nothing."""

from gateway.web.console.pages.compliance import cases, log, numbers

PAGES = (*log.PAGES, *cases.PAGES, *numbers.PAGES)
