"""Numbers per day that are kept, so that no page has to count. No personal data in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Measure(StrEnum):
    """What is counted; in brackets what `kind` and `detail` of a count hold."""

    OFFERED = "aangeboden"
    """Messages that got a route: handed in, or come in to be passed on (kind of message)."""
    HELD = "vastgehouden"
    """Those of them that were held at once (kind of message)."""
    RELEASED = "vrijgave"
    """(kind of message, ground)."""
    RULED = "besluit"
    """Decisions of the OM that were carried out here (kind of message, outcome)."""
    WITHDRAWN = "ingetrokken"
    """Decisions of the OM that it took back (kind of message, `IN_TIME` or `LATE`)."""
    HOLDING = "vasthouden"
    """Holds that a decision ended, with how long they took (kind of message, part)."""
    DECIDED = "oordeel"
    """Decisions of the officers of this installation (kind of message, outcome)."""
    TAKEN_BACK = "teruggenomen"
    """Those of them that they took back (kind of message)."""
    DECIDING = "beslissen"
    """Requests that they decided on, with how long that took (kind of message, part)."""
    REFUSED = "weigering"
    """(who refused, code)."""
    DISCLOSED = "verstrekking"
    """Messages that their receiver confirmed (kind of message, receiver)."""
    CHANNEL = "kanaal"
    """The same (channel)."""


IN_TIME, LATE = "tijdig", "te laat"
PARTS = (25, 50, 75, 100)
"""Bounds of the parts of a term, in percent: a wait counts under the first that it fits."""
OVER = "later"
"""The part of what took longer than its term."""
NO_TERM = "geen"
BY_US, BY_RECEIVER, UNPROVEN = "hier", "ontvanger", "onbewezen"
"""Who refused: this installation, the receiver, or this installation without knowing whom."""
OTHER_CODE = "anders"
"""In the place of a code of others that may be no code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often, and how long together where that is counted."""

    measure: Measure
    kind: str = ""
    detail: str = ""
    n: int
    spent: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallied:
    """The counts of a period."""

    counts: Sequence[Count]
    per_day: Sequence[tuple[date, Measure, int]]
    """What was offered and what was held, of the days with any, oldest first."""
    upto: datetime | None
    """Until when everything is counted; None: nothing was counted yet."""


class Tallies(Protocol):
    """Daily totals: housekeeping adds to them what the audit log has more."""

    async def between(self, first: date, last: date) -> Tallied:
        """Return the totals of these Dutch days, both included. Costs rows per day, not traffic."""
        ...

    async def fold(self) -> int:
        """Add what was not counted yet; return how many audit rows were looked at.

        Bounded: the rest waits for the next call. Any number of processes may do it, and again
        after any crash: each row counts once. Raises StoreUnavailable.
        """
        ...
