"""What waits for an officer, and what was decided. No name of a person stands here."""

from dataclasses import dataclass

from aiohttp import web

from gateway.moments import from_micros, to_micros
from gateway.ports import Request, RequestPlace, RequestsWanted
from gateway.web.console import lists
from gateway.web.console.language import N_
from gateway.web.console.lists import Listed
from gateway.web.console.page import Page
from gateway.web.console.pages.officier.officer import (
    OFFICIER,
    holder_of,
    names,
    officer_of,
    urgency,
)
from gateway.web.console.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A request in the list."""

    request: Request
    urgency: str
    with_: str
    """Name of the officer who has it."""
    mine: bool


def _cards(visit: Visit, found: tuple[Request, ...]) -> list[Card]:
    known = names(visit)
    me = visit.user.account.officer
    cards = []
    for one in found:
        with_ = holder_of(one, visit)
        cards.append(
            Card(
                request=one,
                urgency=urgency(one, visit),
                with_=known.get(with_, with_),
                mine=bool(with_) and with_ == me,
            )
        )
    return cards


async def inbox(visit: Visit) -> web.Response:
    """Show what waits, the most urgent first."""
    officer_of(visit)
    parket = visit.query("parket")
    marks, filters = visit.office.marks, {"parket": parket}
    place = lists.place(marks, "postvak", visit.query("na"))
    wanted = RequestsWanted(
        open=True,
        parket=parket or None,
        after=_read_place(place) if place else None,
        limit=lists.PAGE + 1,
    )
    found = await visit.office.gateway.deciding.requests(wanted)
    rows = found[: lists.PAGE]
    last = _place(rows[-1]) if len(found) > lists.PAGE else None
    listed = Listed(
        rows=_cards(visit, rows),
        first=lists.link("/postvak", filters) if place else "",
        next=lists.onward(marks, "postvak", "/postvak", filters, last),
    )
    parketten = [one.naam for one in visit.office.directory.deciding.parketten]
    return visit.show("officier/inbox.html", listed=listed, parket=parket, parketten=parketten)


def _place(last: Request) -> str:
    return f"{to_micros(last.deadline)}-{last.seq}"


def _read_place(place: str) -> RequestPlace:
    """Nobody else can make one up: see `lists.place`."""
    micros, _, seq = place.rpartition("-")
    return RequestPlace(deadline=from_micros(int(micros)), seq=int(seq))


async def decided(visit: Visit) -> web.Response:
    """Show every request, the newest first."""
    officer_of(visit)
    place = lists.place(visit.office.marks, "verzoeken", visit.query("na"))
    wanted = RequestsWanted(open=False, before=int(place) if place else None, limit=lists.PAGE + 1)
    found = await visit.office.gateway.deciding.requests(wanted)
    rows = found[: lists.PAGE]
    last = rows[-1].seq if len(found) > lists.PAGE else None
    after = lists.onward(visit.office.marks, "verzoeken", "/besloten", {}, last)
    listed = Listed(rows=_cards(visit, rows), first="/besloten" if place else "", next=after)
    return visit.show("officier/decided.html", listed=listed)


PAGES = (
    Page(path="/postvak", handler=inbox, roles=OFFICIER, nav=N_("Postvak OM")),
    Page(path="/besloten", handler=decided, roles=OFFICIER, nav=N_("Alle verzoeken")),
)
