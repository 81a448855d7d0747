"""From the agreed route to secure e-mail, for one message, in one commit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports.stored import AuditEvent, Known, NewDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchable:
    """A message over its agreed route, as it stands there: secure e-mail may take its place."""

    delivery: str
    seq: int
    """Newer ones have a greater one."""
    message: Known
    recipient: Oin
    """The other party of the agreement, so possibly the hub."""
    cpa_id: str
    state: State
    fence: int
    attempts: int
    down: bool
    """Its recipient is marked as unreachable."""
    next_at: datetime | None
    ground: str
    approval_id: str
    table_version: str
    payload_sha256: str


class Switches(Protocol):
    async def standing(self, id_: str) -> Switchable | None:
        """Return how the message goes that has this id, or a delivery with it; None = none does."""
        ...

    async def stuck(
        self,
        receiver: Oin,
        messages: frozenset[str],
        *,
        since: datetime,
        after: Switchable | None = None,
        limit: int,
    ) -> tuple[Switchable, ...]:
        """Return messages of these kinds for a party that wait over an agreed route, oldest first.

        Taken in from `since` on, those behind `after`; they may go well, so that each is still to
        be judged.
        """
        ...

    async def switch(self, seen: Switchable, letter: NewDelivery, event: AuditEvent) -> bool:
        """End what was seen and add the letter; False when it no longer stands so.

        What it stands on goes with it: the approval, and a decision of the OM that is in force.
        Raises PolicyViolation `mail.verteld` when its sender was told that it did not arrive.
        """
        ...
