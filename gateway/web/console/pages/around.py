"""The beginning, help, and what others look for at fixed addresses."""

from collections.abc import Sequence
from datetime import timedelta

from aiohttp import web

from gateway.credentials import UserRole
from gateway.web.console.page import Access, Page
from gateway.web.console.visit import Visit

HOMES: Sequence[tuple[UserRole, str]] = (
    (UserRole.OFFICIER, "/postvak"),
    (UserRole.OPERATOR, "/vandaag"),
    (UserRole.BEHEERDER, "/partners"),
    (UserRole.COMPLIANCE, "/verstrekkingen"),
    (UserRole.ONTVANGER, "/postbus"),
)
_VALID = timedelta(days=180)


async def begin(visit: Visit) -> web.Response:
    """Go to the first page of the role; where that is not there yet, to what is one's own."""
    known = {page.path for page in visit.office.pages}
    for role, home in HOMES:
        if role in visit.roles and home in known:
            return visit.go(home)
    return visit.go("/ik")


async def help_(visit: Visit) -> web.Response:
    """Whom to call, and how it works."""
    return visit.show("help.html")


async def security_txt(visit: Visit) -> web.Response:
    """Say where a weakness is reported (RFC 9116)."""
    contact = visit.office.contact()
    if contact is None:
        raise web.HTTPNotFound
    until = (visit.now() + _VALID).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: mailto:{contact.email}",
        f"Contact: {contact.url}",
        f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: nl, en",
        f"Canonical: {visit.office.origin}/.well-known/security.txt",
    )
    return web.Response(text="\n".join((*lines, "")), content_type="text/plain")


PAGES = (
    Page(path="/", handler=begin, access=Access.SIGNED_IN),
    Page(path="/hulp", handler=help_, access=Access.ANYBODY),
    Page(path="/.well-known/security.txt", handler=security_txt, access=Access.ANYBODY),
)
