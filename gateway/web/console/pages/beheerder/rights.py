"""Who gave, changed or took whose rights: every change of an account, of all or of one."""

from aiohttp import web

from gateway.ports.accounts import Account
from gateway.web.console import lists
from gateway.web.console.lists import Listed
from gateway.web.console.page import Page
from gateway.web.console.pages.beheerder.users import LOOKING
from gateway.web.console.pages.compliance.log import lines
from gateway.web.console.visit import Visit


async def rights(visit: Visit) -> web.Response:
    """List the changes, newest first."""
    account = await _of(visit)
    place = lists.place(visit.office.marks, "rechten", visit.query("na"))
    trail = await visit.office.overview.rights(
        account.login if account else "", below=int(place) if place else None, limit=lists.PAGE
    )
    filters = {"gebruiker": account.id if account else ""}
    after = lists.onward(visit.office.marks, "rechten", "/rechten", filters, trail.last)
    first = lists.link("/rechten", filters) if place else ""
    return visit.show(
        "beheerder/rights.html",
        account=account,
        listed=Listed(rows=lines(visit, trail.rows), first=first, next=after),
    )


async def _of(visit: Visit) -> Account | None:
    """Return whose changes are asked; an id that nobody has leaves it open."""
    id_ = visit.query("gebruiker")
    return await visit.office.accounts.find(id_) if id_ else None


PAGES = (Page(path="/rechten", handler=rights, roles=LOOKING),)
