"""The pages of who keeps messages moving."""

from gateway.web.console.pages.operator import alarms, messages, today

PAGES = (*today.PAGES, *messages.PAGES, *alarms.PAGES)
