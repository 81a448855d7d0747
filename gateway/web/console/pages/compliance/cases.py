"""One case: its messages as a timeline, and who has looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from gateway.ports import Standing, Summary, Wanted, standing
from gateway.ports.overview import TrailWanted
from gateway.web.console import searches, times
from gateway.web.console.language import N_
from gateway.web.console.page import Page, post
from gateway.web.console.pages.compliance.log import COMPLIANCE, Line, lines, looked
from gateway.web.console.pages.operator.messages import DIRECTIONS, found, trace
from gateway.web.console.visit import Visit

MOST = 200
"""Messages of a case that are shown."""
_SEARCH = "zaak"
_ROW = 28
_LANE = 180
"""Units of the picture."""
_ARRIVED = frozenset({Standing.DELIVERED, Standing.PROCESSED, Standing.REFUSED})
"""Refused, it arrived all the same."""


async def ask(visit: Visit) -> web.Response:
    """Ask which case."""
    return visit.show("compliance/search.html")


async def search(visit: Visit) -> web.Response:
    """Keep what names the case; the address has an opaque id only."""
    zaak = visit.form.text("zaak")
    if not zaak:
        visit.form.wrong("zaak", N_("Vul het nummer van de zaak in."))
        return visit.show("compliance/search.html")
    id_ = await searches.keep(visit, _SEARCH, zaak)
    return visit.go(f"/zaken/{quote(id_, safe='')}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A message in the picture: a line from one party's lane to another's."""

    number: int
    at: str
    arrived: bool
    y: int
    from_x: int
    to_x: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Lanes per party, messages from top to bottom in time."""

    parties: Sequence[tuple[str, int]]
    """Name and x of its lane."""
    dots: Sequence[Dot]
    width: int
    height: int


async def case(visit: Visit) -> web.Response:
    """Show the messages of a case, and who has looked at them."""
    zaak = await searches.find(visit, _SEARCH, visit.path("id"))
    if not zaak:
        return visit.go("/zaken")
    await visit.office.note(looked(visit, "case"))
    page = await visit.office.gateway.reader.newest(Wanted(zaak=zaak), limit=MOST)
    messages = list(reversed(page.found))
    return visit.show(
        "compliance/case.html",
        zaak=zaak,
        rows=[(one, standing(one.states, accepted=one.message.accepted)) for one in page.found],
        picture=_picture(visit, messages),
        watched=await _watched(visit, messages),
        directions=DIRECTIONS,
        full=len(page.found) == MOST,
    )


def _picture(visit: Visit, messages: Sequence[Summary]) -> Picture:
    names: dict[str, int] = {}
    for one in messages:
        for oin in (one.message.zender, one.message.ontvanger):
            names.setdefault(visit.office.party(oin), len(names))
    x_of = {name: 220 + n * _LANE for name, n in names.items()}
    dots = [
        Dot(
            number=n + 1,
            at=times.in_table(one.message.at, visit.language),
            arrived=standing(one.states, accepted=one.message.accepted) in _ARRIVED,
            y=50 + n * _ROW,
            from_x=x_of[visit.office.party(one.message.zender)],
            to_x=x_of[visit.office.party(one.message.ontvanger)],
        )
        for n, one in enumerate(messages)
    ]
    return Picture(
        parties=list(x_of.items()),
        dots=dots,
        width=300 + max(0, len(names) - 1) * _LANE,
        height=60 + len(messages) * _ROW,
    )


async def _watched(visit: Visit, messages: Sequence[Summary]) -> list[Line]:
    """Return the looks at these messages on file here."""
    ids = frozenset(one.message.id for one in messages[:20])
    wanted = TrailWanted(messages=ids, events=frozenset({"toets.read"}))
    trail = await visit.office.overview.trail(wanted, below=None, limit=200)
    return lines(visit, trail.rows)


async def message(visit: Visit) -> web.Response:
    """Show one message of the log: what was delivered to whom, when, on which ground."""
    view = await found(visit)
    await visit.office.note(looked(visit, "message", message=view.message.id))
    return visit.show(
        "compliance/message.html",
        view=view,
        known=view.message,
        steps=trace(visit, view.trace),
        directions=DIRECTIONS,
    )


PAGES = (
    Page(path="/zaken", handler=ask, roles=COMPLIANCE, nav=N_("Zaak")),
    post("/zaken", search, roles=COMPLIANCE),
    Page(path="/zaken/{id}", handler=case, roles=COMPLIANCE),
    Page(path="/log/berichten/{id}", handler=message, roles=COMPLIANCE),
)
