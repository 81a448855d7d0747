"""What persons of partners see, on a listener of its own. No page of the console is among it."""

from gateway.web.console.page import Page
from gateway.web.console.pages import around, door, own
from gateway.web.console.pages.portal import letters, links

PAGES: tuple[Page, ...] = (
    *door.PAGES,
    *own.PAGES,
    *around.PAGES,
    *letters.PAGES,
    *links.PAGES,
)
