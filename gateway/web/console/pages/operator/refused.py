"""Messages that were refused with a Fo01: what can be done, until when, and who does it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from gateway.message import Fault
from gateway.moments import from_micros, to_micros
from gateway.ports import Direction
from gateway.ports.overview import Refusal, RefusalPlace
from gateway.web.console import lists
from gateway.web.console.language import N_
from gateway.web.console.lists import Listed
from gateway.web.console.page import Page
from gateway.web.console.pages.operator.today import LOOKING
from gateway.web.console.visit import Visit

_ACT: Mapping[str, str] = {
    "client": N_("wie het aanleverde: bericht herstellen en opnieuw aanleveren"),
    "server": N_("wie het weigerde: oorzaak wegnemen; daarna kan het opnieuw"),
    "": N_("wie het aanleverde: in het antwoord staat wat er mis is"),
}
ALL = "alles"
_UNKNOWN = Fault(code="", place="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """A refusal, as an operator sees it at this moment."""

    refusal: Refusal
    fault: Fault
    act: str
    """Who must do what now."""
    ours: bool
    """A system here handed it in: it can be sent again from here."""
    until: datetime
    """Its content is kept until then, and so it can be sent again."""
    late: bool
    """That is over."""
    with_: str
    """Login of who works on it; empty = nobody, or not any more."""
    mine: bool

    @property
    def open(self) -> bool:
        """Tell whether anything is left to do."""
        return not self.refusal.replaced and self.refusal.closing is None

    @classmethod
    def of(cls, refusal: Refusal, visit: Visit) -> "Handled":
        """Return it for who looks."""
        now, claim = visit.now(), refusal.claim
        fault = refusal.fault or _UNKNOWN
        until = refusal.at + visit.office.kept
        with_ = claim.who if claim is not None and claim.until > now else ""
        return cls(
            refusal=refusal,
            fault=fault,
            act=visit.say(_ACT[fault.place]),
            ours=refusal.message.direction is Direction.OUTBOUND,
            until=until,
            late=until <= now or not refusal.kept,
            with_=with_,
            mine=with_ == visit.login,
        )


async def refused(visit: Visit) -> web.Response:
    """List what stands open, the shortest term first; or everything, the latest first."""
    office = visit.office
    place = lists.place(office.marks, "geweigerd", visit.query("na"))
    everything = visit.query("wat") == ALL
    filters = {"wat": ALL} if everything else {}
    page = await office.overview.refusals(
        after=_read_place(place) if place else None, limit=lists.PAGE, open_only=not everything
    )
    last = _place(page.last) if page.last else None
    return visit.show(
        "operator/refused.html",
        listed=Listed(
            rows=[Handled.of(one, visit) for one in page.found],
            first=lists.link("/geweigerd", filters) if place else "",
            next=lists.onward(office.marks, "geweigerd", "/geweigerd", filters, last),
        ),
        everything=everything,
    )


def _place(last: RefusalPlace) -> str:
    return f"{to_micros(last.at)}-{last.seq}"


def _read_place(place: str) -> RefusalPlace:
    """Nobody else can make one up: see `lists.place`."""
    micros, _, seq = place.rpartition("-")
    return RefusalPlace(at=from_micros(int(micros)), seq=int(seq))


PAGES = (Page(path="/geweigerd", handler=refused, roles=LOOKING, nav=N_("Geweigerd")),)
