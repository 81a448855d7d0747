"""What is sent to one partner: held for a while by a person, or let go on."""

from aiohttp import web

from gateway.directory import Party
from gateway.errors import NoRoute
from gateway.message import Oin
from gateway.web.console.language import N_
from gateway.web.console.page import Page, post
from gateway.web.console.pages.operator.today import OPERATOR, capped
from gateway.web.console.visit import Visit
from gateway.web.control import Command, What

_DONE = {
    "stil": N_("De verzending staat stil. Vergeet niet haar te hervatten: termijnen lopen door."),
    "verder": N_("De verzending gaat verder."),
}


def _partner(visit: Visit) -> Party:
    """Return the party; raises NoRoute `partner.onbekend` for the own one as well."""
    directory = visit.office.directory
    found = directory.parties.get(Oin(visit.path("oin")))
    if found is None or found.oin == directory.me:
        raise NoRoute("partner.onbekend", "Er is geen andere partij met dit OIN.")
    return found


async def sending(visit: Visit) -> web.Response:
    """Show how it goes, and what would happen."""
    party, office = _partner(visit), visit.office
    held = {one.recipient: one for one in await office.desk.pauses.held()}
    lanes = [one for one in await office.overview.lanes() if one.recipient == party.oin]
    return visit.show(
        "operator/sending.html",
        party=party,
        pause=held.get(party.oin),
        lanes=lanes,
        capped=capped,
        done=visit.done(_DONE),
    )


async def hold(visit: Visit) -> web.Response:
    """Hold it."""
    return await _change(visit, What.PAUSE)


async def go_on(visit: Visit) -> web.Response:
    """Let it go on."""
    return await _change(visit, What.GO_ON)


async def _change(visit: Visit, what: What) -> web.Response:
    party = _partner(visit)
    why = visit.reason()
    if visit.form.faulty:
        return await sending(visit)
    await visit.office.desk.perform(Command(what=what, id=party.oin, who=visit.login, why=why))
    return visit.go(f"/verzending/{party.oin}?klaar={what}")


PAGES = (
    Page(path="/verzending/{oin}", handler=sending, roles=OPERATOR),
    post("/verzending/{oin}/stil", hold, roles=OPERATOR),
    post("/verzending/{oin}/verder", go_on, roles=OPERATOR),
)
