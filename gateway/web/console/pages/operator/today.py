"""Today at a glance: what needs somebody, how it goes with each partner, what came in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from gateway.credentials import UserRole
from gateway.ports import AlarmView, Pause
from gateway.ports.overview import MOST_COUNTED, Hour, Lane, Pile
from gateway.web.api import alarm_texts
from gateway.web.console.charts import Bars, bars
from gateway.web.console.language import N_
from gateway.web.console.page import Page
from gateway.web.console.times import clock
from gateway.web.console.visit import Visit
from gateway.wire.tijd import civil

OPERATOR = frozenset({UserRole.OPERATOR})
LOOKING = frozenset({UserRole.OPERATOR, UserRole.BEHEERDER})
ALARMS = 5
"""That stand on the first page."""
_PILES: Sequence[tuple[Pile, str, str]] = (
    (Pile.UNKNOWN, N_("onbekend resultaat: u beslist"), "/berichten?status=onzeker"),
    (Pile.DEAD, N_("niet bezorgd"), "/berichten?status=niet+bezorgd"),
    (Pile.REFUSED, N_("geweigerd met een Fo01, nog niet afgehandeld"), "/geweigerd"),
    (Pile.HELD, N_("vastgehouden tot het OM beslist"), "/berichten?status=vastgehouden"),
    (Pile.WAITING, N_("wacht op verzending"), "/berichten?status=onderweg"),
    (Pile.SENT, N_("wacht op bevestiging"), "/berichten?status=wacht+op+bevestiging"),
    (Pile.POSTVAK, N_("in een postvak, nog niet bevestigd"), "/berichten"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that leads to its list."""

    name: str
    text: str
    link: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerLine:
    """How it goes with one party over one channel."""

    name: str
    lane: Lane
    suspended: bool
    pause: Pause | None
    """A person holds what is sent to it."""

    @property
    def key(self) -> str:
        """Return what its numbers are called in the page that stands open."""
        return _key(self.lane)


async def today(visit: Visit) -> web.Response:
    """Show it all."""
    office = visit.office
    alarms = await office.gateway.reader.alarms(limit=ALARMS + 1)
    hours = await office.overview.hours(_midnight(visit.now()))
    return visit.show(
        "operator/today.html",
        alarms=alarms[:ALARMS],
        more=len(alarms) > ALARMS,
        newest=_newest(alarms),
        alarm_text=alarm_text,
        figures=_figures(await office.overview.piles()),
        partners=_partners(visit, await office.overview.lanes(), await office.desk.pauses.held()),
        chart=_chart(hours),
        taken_in=sum(hour.taken_in for hour in hours),
        capped=capped,
    )


async def live(visit: Visit) -> web.Response:
    """Return the numbers for the page that stands open."""
    office = visit.office
    facts = {one.name: one.number for one in _figures(await office.overview.piles())}
    for lane in await office.overview.lanes():
        facts[f"{_key(lane)}-wacht"] = capped(lane.waiting)
        facts[f"{_key(lane)}-onbevestigd"] = capped(lane.sent)
    newest = _newest(await office.gateway.reader.alarms(limit=1))
    return web.json_response({**facts, "alarm": newest, "stand": clock(visit.now())})


def _key(lane: Lane) -> str:
    return f"{lane.channel}-{lane.recipient}"


def _newest(alarms: Sequence[AlarmView]) -> int:
    """Return the number of the newest; 0 = none is open."""
    return max((one.id for one in alarms), default=0)


def _midnight(at: datetime) -> datetime:
    local = civil(at)
    since = timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    return at - since


def capped(n: int) -> str:
    """Return a count, or that it is more than is counted."""
    return f"> {MOST_COUNTED}" if n > MOST_COUNTED else str(n)


def _figures(piles: Mapping[Pile, int]) -> list[Figure]:
    return [
        Figure(name=pile.value, text=text, link=link, number=capped(piles[pile]))
        for pile, text, link in _PILES
    ]


def _partners(visit: Visit, lanes: Sequence[Lane], pauses: Sequence[Pause]) -> list[PartnerLine]:
    suspended = visit.office.directory.suspended
    held = {one.recipient: one for one in pauses}
    return [
        PartnerLine(
            name=visit.office.party(lane.recipient),
            lane=lane,
            suspended=lane.recipient in suspended,
            pause=held.get(lane.recipient),
        )
        for lane in lanes
    ]


def _chart(hours: Sequence[Hour]) -> Bars:
    return bars([(f"{civil(hour.at):%H:00}", hour.taken_in) for hour in hours])


def alarm_text(alarm: AlarmView) -> str:
    """Return what an alarm says, in Dutch."""
    return alarm_texts.text(alarm.code)


PAGES = (
    Page(path="/vandaag", handler=today, roles=OPERATOR, nav=N_("Vandaag")),
    Page(path="/vandaag/stand", handler=live, roles=OPERATOR, live=True),
)
