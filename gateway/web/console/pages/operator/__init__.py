"""The pages of who keeps messages moving."""

from gateway.web.console.pages.operator import alarms, messages, sending, today

PAGES = (*today.PAGES, *sending.PAGES, *messages.PAGES, *alarms.PAGES)
