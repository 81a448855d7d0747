"""What people who look after an installation see at a glance. Every look is bounded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.message import Fault, Oin
from gateway.ports.reading import AuditRow
from gateway.ports.stored import Known
from gateway.ports.worklist import Claim, Closing

MOST_COUNTED = 1_000
"""Above this a count says `more than`."""


class Pile(StrEnum):
    """Where messages lie."""

    WAITING = "wacht"
    """May be sent, or is being sent."""
    SENT = "verzonden"
    """Not acknowledged yet."""
    HELD = "vastgehouden"
    UNKNOWN = "onbekend"
    DEAD = "niet-bezorgd"
    POSTVAK = "postvak"
    """Not collected, or not confirmed, by a back-end."""
    REFUSED = "geweigerd"
    """With a Fo01, and nothing came of it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What came and what arrived in one hour."""

    at: datetime
    """Its beginning, UTC."""
    taken_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """How it goes with one recipient over one channel."""

    recipient: Oin
    channel: str
    down_since: datetime | None
    """None: it is up, or nothing was tried."""
    next_at: datetime
    waiting: int
    """At most `MOST_COUNTED` + 1."""
    sent: int
    """Without acknowledgement; the same bound."""
    delivered_at: datetime | None
    """The last confirmation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailWanted:
    """Which audit rows; an empty text leaves a thing open."""

    since: datetime | None = None
    until: datetime | None = None
    event: str = ""
    """The whole event, or its first part with a dot behind it (`toets.`)."""
    party: str = ""
    messages: frozenset[str] | None = None
    """Of these, by id; None = any."""
    reference: str = ""
    """The referentienummer of a message: all that happened to it here. Goes before `messages`."""
    ground: str = ""
    """Releases on this `Ground`."""
    outcome: str = ""
    """Decisions of the OM with this `Uitkomst`."""
    actor: str = ""
    """Who has this in his name; small and capital letters are the same."""
    code: str = ""
    events: frozenset[str] = frozenset()
    """One of these; empty = any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """Part of the audit trail, newest first."""

    rows: Sequence[AuditRow]
    last: int | None
    """How far was looked; None = to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A message whose first answer is a Fo01, and what people do about it."""

    message: Known
    at: datetime
    """Of the Fo01."""
    by: Oin
    """Who said so: the zender of the Fo01, or who brought it where that is empty."""
    fault: Fault | None
    """None = not kept: the Fo01 is of before database version 18."""
    replaced: bool = False
    """Its sender handed in another message in its place."""
    kept: bool = False
    """Its content was not destroyed yet, so that it can be sent again from here."""
    claim: Claim | None = None
    """Of the last person who took it; it may have ended."""
    closing: Closing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalPlace:
    """A place in the list: behind this one."""

    at: datetime
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """Part of them."""

    found: Sequence[Refusal]
    last: RefusalPlace | None
    """Behind which to look on; None = this was the end."""


class Overview(Protocol):
    """Look-ups for the console, on short read-only connections."""

    async def piles(self) -> Mapping[Pile, int]:
        """Return how many messages lie where; each at most `MOST_COUNTED` + 1."""
        ...

    async def hours(self, since: datetime) -> Sequence[Hour]:
        """Return what was taken in, per hour with anything, oldest first."""
        ...

    async def under(self, recipient: Oin, cpa_id: str) -> int:
        """Return how many deliveries to it are not done under an agreement; bounded as `piles`."""
        ...

    async def lanes(self) -> Sequence[Lane]: ...

    async def trail(self, wanted: TrailWanted, *, below: int | None, limit: int) -> Trail:
        """Return rows newest first, below a position.

        It looks at a bounded number of rows: a page may have fewer than `limit` rows, or none,
        and still have a `last` behind which to look on.
        """
        ...

    async def rights(self, account: str, *, below: int | None, limit: int) -> Trail:
        """Return every change of accounts and rights newest first, however far apart they are.

        `account`: those of one login, by others and by himself; empty = of everybody.
        """
        ...

    async def refusals(
        self, *, after: RefusalPlace | None, limit: int, open_only: bool
    ) -> Refusals:
        """Return the messages that were refused with a Fo01, by their own index.

        `open_only`: what nobody closed and no other message replaced, the longest ago first;
        otherwise all, the latest first.
        """
        ...

    async def refusal(self, message: str) -> Refusal | None:
        """Return one; None for a message that was not refused so."""
        ...
