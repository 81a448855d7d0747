"""What persons of partners see, on a listener of its own. No page of the console is among it."""

from gateway.web.console.page import Page
from gateway.web.console.pages import around
from gateway.web.console.pages.own import LANGUAGES
from gateway.web.console.pages.portal import links

PAGES: tuple[Page, ...] = (*links.PAGES, *LANGUAGES, *around.OPEN)
