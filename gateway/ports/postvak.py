"""What waits for the back-ends of local parties."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.directory import InForce
from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports.stored import Admission, AuditEvent, Known

UNPROVEN = "gate.unproven"
"""Alarm: a row says that it was released, and its octets say otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostvakItem:
    """A delivery as its back-end sees it."""

    delivery: str
    message: Known
    applicatie: str
    payload_id: str
    payload_sha256: str
    size: int
    repeated: bool
    """`herhaald`: shown before and not confirmed."""
    lease_until: datetime | None
    state: State
    ground: str = ""
    """Why it may be shown, by its row."""
    approval_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What `waiting` found, and what was thought of it."""

    item: PostvakItem
    fault: str = ""
    """Why its row is not believed; empty = it is."""


class Postvak(Protocol):
    async def waiting(
        self,
        *,
        party: Oin,
        applicaties: tuple[str, ...],
        limit: int,
        kind: str | None = None,
        only: str | None = None,
    ) -> tuple[PostvakItem, ...]:
        """Return what `take` would lease now; nothing is leased or shown by it."""
        ...

    async def take(  # noqa: PLR0913 - the facts of one look, all by name
        self,
        *,
        party: Oin,
        applicaties: tuple[str, ...],
        consumer: str,
        limit: int,
        lease: timedelta,
        gate: InForce,
        kind: str | None = None,
        only: str | None = None,
        looked: Sequence[Looked] | None = None,
    ) -> tuple[PostvakItem, ...]:
        """Lease what waits for these applicaties, oldest first; of one kind where it is given.

        With `only`: that one delivery, if it waits.

        What was never shown and may not leave any more, by what is in force, is held again.
        With `looked`: nothing else, and nothing that has changed since. Of what has a fault
        nothing is shown: it is passed over for a lease, with an alarm.
        """
        ...

    async def get(self, delivery: str, *, party: Oin) -> PostvakItem | None:
        """Return a delivery that was shown to this party before, open or closed."""
        ...

    async def close(
        self,
        delivery: str,
        *,
        party: Oin,
        refused: bool,
        answer: Admission | None,
        events: tuple[AuditEvent, ...],
    ) -> bool:
        """Confirm or refuse, and admit the Bv01 or Fo01, in one commit.

        False when it was closed the same way before (idempotent). Raises DuplicateConflict
        `postvak.closed` when it was closed the other way.
        """
        ...

    async def wait(self, *, party: Oin, timeout: timedelta) -> bool:  # noqa: ASYNC109 - a bounded wait is the promise
        """Wait until something may be there for the party; False on timeout."""
        ...
