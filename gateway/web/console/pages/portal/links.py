"""Confirming that a letter came, by the link in it.

Who opens the link sees a button, whatever the link is worth: programs that look at links in mail
open them all, and must neither confirm nor learn anything.
"""

from aiohttp import web

from gateway.errors import Untrusted
from gateway.ports.mail import CONFIRM
from gateway.web.console.page import Access, Page, post
from gateway.web.console.visit import Visit

GONE = 410


async def ask(visit: Visit) -> web.Response:
    """Ask to press the button."""
    return visit.show("portal/link.html")


async def confirm(visit: Visit) -> web.Response:
    """Take the link, which counts once; raises Limited `console.vergrendeld`."""
    try:
        await visit.portal.confirming.confirm(visit.path("token"), visit.whence)
    except Untrusted:
        return visit.show("portal/link_over.html", status=GONE)
    return visit.show("portal/link_done.html")


_TOKEN = f"{CONFIRM}/{{token}}"
PAGES = (
    Page(path=_TOKEN, handler=ask, access=Access.ANYBODY),
    post(_TOKEN, confirm, access=Access.ANYBODY),
)
