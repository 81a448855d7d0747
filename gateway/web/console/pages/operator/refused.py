"""Messages that were refused with a Fo01: what was wrong, and who must act."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from gateway.message import Fault
from gateway.ports.overview import Refusal
from gateway.web.console import lists
from gateway.web.console.language import N_
from gateway.web.console.lists import Listed
from gateway.web.console.page import Page
from gateway.web.console.pages.operator.today import LOOKING
from gateway.web.console.visit import Visit

_PLACE: Mapping[str, str] = {
    "client": N_("in het bericht of bij wie het stuurde"),
    "server": N_("bij wie het weigerde, of onderweg"),
    "": N_("niet bekend"),
}
_ACT: Mapping[str, str] = {
    "client": N_("wie het aanleverde: bericht herstellen en opnieuw aanleveren"),
    "server": N_("wie het weigerde: oorzaak wegnemen; daarna kan het opnieuw"),
    "": N_("wie het aanleverde: in het antwoord staat wat er mis is"),
}
ALL = "alles"
_UNKNOWN = Fault(code="", place="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A refusal in the list."""

    refusal: Refusal
    fault: Fault
    ago: timedelta
    """Since the Fo01."""
    where: str
    act: str


async def refused(visit: Visit) -> web.Response:
    """List them, newest message first."""
    office = visit.office
    place = lists.place(office.marks, "geweigerd", visit.query("na"))
    everything = visit.query("wat") == ALL
    filters = {"wat": ALL} if everything else {}
    page = await office.overview.refusals(
        below=int(place) if place else None, limit=lists.PAGE, replaced=everything
    )
    after = lists.onward(office.marks, "geweigerd", "/geweigerd", filters, page.last)
    rows = [_row(visit, one) for one in page.found]
    first = lists.link("/geweigerd", filters) if place else ""
    return visit.show(
        "operator/refused.html",
        listed=Listed(rows=rows, first=first, next=after),
        everything=everything,
    )


def _row(visit: Visit, refusal: Refusal) -> Row:
    fault = refusal.fault or _UNKNOWN
    return Row(
        refusal=refusal,
        fault=fault,
        ago=visit.now() - refusal.at,
        where=visit.say(_PLACE[fault.place]),
        act=visit.say(_ACT[fault.place]),
    )


PAGES = (Page(path="/geweigerd", handler=refused, roles=LOOKING, nav=N_("Geweigerd")),)
