"""Messages that wait for the partner of who is signed in: read, fetched and confirmed."""

import asyncio

from aiohttp import web

from gateway.credentials import UserRole
from gateway.message import Oin
from gateway.pipeline import pickup
from gateway.pipeline.pickup import How, Opened
from gateway.web.console.language import N_
from gateway.web.console.page import Page, post
from gateway.web.console.visit import Visit, download
from gateway.wire import shown

ONTVANGER = frozenset({UserRole.ONTVANGER})
HERE = "/postbus"
_DONE = {"ontvangen": N_("U hebt de ontvangst bevestigd. De afzender weet het nu.")}


async def letters(visit: Visit) -> web.Response:
    """List what is there for his partner."""
    found = await visit.office.gateway.pickup.waiting(_party(visit))
    waiting = [one for one in found if not one.ready.fetched]
    return visit.show(
        "portal/letters.html",
        waiting=waiting,
        full=len(waiting) >= pickup.MOST,
        fetched=[one for one in found if one.ready.fetched],
        done=visit.done(_DONE),
    )


def _party(visit: Visit) -> Oin:
    return Oin(visit.user.account.party)


async def _open(visit: Visit, how: How) -> Opened:
    return await visit.office.gateway.pickup.open(
        visit.path("id"), _party(visit), who=visit.login, how=how
    )


async def letter(visit: Visit) -> web.Response:
    """Show one; that it is read is written down first."""
    found = await _open(visit, How.READ)
    document = await asyncio.to_thread(shown.show, found.octets, ())
    return visit.show("portal/letter.html", found=found, document=document)


async def file(visit: Visit) -> web.Response:
    """Give the octets of one as they are; that they are fetched is written down first."""
    found = await _open(visit, How.DOWNLOADED)
    return download(found.octets, kind="application/xml", name="bericht.xml")


async def received(visit: Visit) -> web.Response:
    """Close it: he says that he has it."""
    id_ = visit.path("id")
    await visit.office.gateway.pickup.confirm(id_, _party(visit), who=visit.login)
    return visit.go(f"{HERE}?klaar=ontvangen")


_ONE = f"{HERE}/{{id}}"
PAGES = (
    Page(path=HERE, handler=letters, roles=ONTVANGER, nav=N_("Berichten")),
    Page(path=_ONE, handler=letter, roles=ONTVANGER),
    Page(path=f"{_ONE}/bestand", handler=file, roles=ONTVANGER),
    post(f"{_ONE}/ontvangen", received, roles=ONTVANGER),
)
