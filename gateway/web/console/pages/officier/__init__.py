"""The pages of who decides for the OM."""

from gateway.web.console.pages.officier import deciding, framework, inbox, reading, second

PAGES = (*inbox.PAGES, *reading.PAGES, *deciding.PAGES, *second.PAGES, *framework.PAGES)
