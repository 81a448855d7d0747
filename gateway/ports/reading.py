"""Read-only look-ups."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports.people import AlarmView
from gateway.ports.stored import AuditEvent, DeliveryChannel, DeliveryKind, Known


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A message in a list, with the states of its deliveries; signals left out."""

    message: Known
    states: tuple[State, ...]


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

    async def summaries(
        self,
        *,
        party: Oin | None = None,
        before: str | None = None,
        state: State | None = None,
        limit: int,
    ) -> tuple[Summary, ...]:
        """Return messages as `messages` does; with `state` only those with a delivery in it."""
        ...

    async def alarms(self, *, limit: int) -> tuple[AlarmView, ...]:
        """Return what is open, newest first."""
        ...
