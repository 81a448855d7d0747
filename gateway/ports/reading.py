"""Read-only look-ups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports.people import AlarmView
from gateway.ports.stored import AuditEvent, DeliveryChannel, DeliveryKind, Direction, Known


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """A delivery as shown to back-ends and operators."""

    id: str
    recipient: Oin
    channel: DeliveryChannel
    kind: DeliveryKind
    state: State
    attempt: int
    ground: str
    approval_id: str
    next_at: datetime | None
    last_code: str
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A stored audit row, in the chain of its writer."""

    position: int
    """Grows with the rows, with gaps; a page goes on after the last one seen."""
    writer: str
    n: int
    previous: str
    hash: str
    event: AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message with its deliveries and its trace."""

    message: Known
    deliveries: tuple[DeliveryView, ...]
    trace: tuple[AuditRow, ...]


class Answered(StrEnum):
    """What the answer that counted was; it tells more than where the message stands."""

    CONFIRMED = "Bv01Bericht"
    REFUSED = "Fo01Bericht"
    """It arrived, and its receiver refused it: its delivery is done all the same."""


class Standing(StrEnum):
    """Where a message stands, for whoever handed it in: one word, by the delivery worst off."""

    UNKNOWN = "onzeker"
    DEAD = "niet bezorgd"
    REFUSED = "geweigerd"
    WITHHELD = "niet vrijgegeven"
    HELD = "vastgehouden"
    UNDER_WAY = "onderweg"
    SENT = "wacht op bevestiging"
    DELIVERED = "bezorgd"
    REPLACED = "omgezet"
    """Of one delivery: another stands in its place."""
    PROCESSED = "verwerkt"
    """Taken in, and nothing had to be delivered."""


STATES = {
    Standing.UNKNOWN: (State.UNKNOWN,),
    Standing.DEAD: (State.DEAD,),
    Standing.REFUSED: (State.REFUSED,),
    Standing.WITHHELD: (State.WITHHELD,),
    Standing.HELD: (State.HELD,),
    Standing.UNDER_WAY: (State.READY, State.CLAIMED),
    Standing.SENT: (State.SENT,),
    Standing.DELIVERED: (State.DELIVERED,),
    Standing.REPLACED: (State.REPLACED,),
}
"""The states of a delivery that each stands for, worst first."""
WORST = tuple(state for states in STATES.values() for state in states)
STANDING = {state: standing for standing, states in STATES.items() for state in states}


def standing(states: Iterable[State], *, accepted: bool) -> Standing:
    """Return the word for a message with deliveries in these states."""
    there = set(states)
    worst = next((state for state in WORST if state in there), None)
    if worst is not None:
        return STANDING[worst]
    return Standing.PROCESSED if accepted else Standing.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A message in a list, with the states of its deliveries; signals left out."""

    message: Known
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages a list shows; None leaves a thing open."""

    party: Oin | None = None
    """Those that it sent or made, and those in its postvak."""
    since: datetime | None = None
    referentienummer: str | None = None
    zaak: str | None = None
    kind: str | None = None
    direction: Direction | None = None
    standing: Standing | None = None
    state: State | None = None
    """With a delivery in this state, whatever the others are."""
    answer: Answered | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Part of a list."""

    found: tuple[Summary, ...]
    last: int | None
    """Position of the last one: the next page begins there. None when this one is empty; of a
    page in order, how far was looked."""


class Reader(Protocol):
    """Read-only look-ups, on short read-only connections."""

    async def message(self, id_: str) -> MessageView | None: ...
    async def messages(
        self, *, party: Oin | None, before: str | None, limit: int
    ) -> tuple[Known, ...]:
        """Newest first; `before` is the id of the last one of the previous page."""
        ...

    async def audit(self, *, after: int, limit: int) -> tuple[AuditRow, ...]: ...
    async def figures(self) -> Mapping[str, int]:
        """Counts per delivery state (`delivery.held` …), due now, unconfirmed, `alarm.<code>`."""
        ...

    async def newest(self, wanted: Wanted, *, below: int | None = None, limit: int) -> Page:
        """Return messages newest first, from below a position."""
        ...

    async def look_back(
        self, wanted: Wanted, *, below: int | None = None, limit: int, most: int
    ) -> Page:
        """Return messages newest first, looking at `most` messages where no index finds them.

        A page may then have fewer than `limit` messages, or none, and still have a `last` below
        which to look on; None = it was the last one.
        """
        ...

    async def in_order(self, wanted: Wanted, *, after: int | None = None, limit: int) -> Page:
        """Return messages behind a position (None: from `since`, or the first one).

        Who goes on from `last` each time sees every message once, also those of a commit that
        was under way meanwhile. Raises StoreUnavailable when one stays so for seconds.
        """
        ...

    async def alarms(self, *, limit: int) -> tuple[AlarmView, ...]:
        """Return what is open, newest first."""
        ...
