"""What waits at the portal for persons of a partner; a mail told them that something does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.directory import InForce
from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports.stored import AuditEvent, Known
from gateway.rules.approval import Decision

NOTICE = "portal.notice"
"""Audit row of a mail that says that a message waits here, and holds nothing of it."""
AT_PORTAL = frozenset({State.SENT, State.UNKNOWN, State.DELIVERED})
"""States of a letter whose mail left; nothing that the OM holds or withheld, or that ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A message at the portal, by its row."""

    delivery: str
    message: Known
    state: State
    fence: int
    attempt: int
    recipient: Oin
    size: int
    twice: bool
    """It may have come over another channel as well."""
    ground: str
    approval_id: str
    table_version: str
    payload_sha256: str
    decision: Decision | None
    """Of the OM, that it stands on."""

    @property
    def fetched(self) -> bool:
        return self.state is State.DELIVERED


class Pickup(Protocol):
    """Only what its own party may see; what it stands on was not taken back, by its row."""

    async def ready(self, party: Oin, *, limit: int) -> Sequence[Ready]:
        """Return what is there with its content: what nobody confirmed, then the rest.

        Each the newest first.
        """
        ...

    async def find(self, delivery: str, *, party: Oin) -> Ready | None:
        """Return one; None for what is not there, and for what is of another."""
        ...

    async def show(self, seen: Ready, event: AuditEvent, gate: InForce) -> bool:
        """Write down that somebody gets to see it; False when it is not as it was seen any more.

        The gate is tested once more in the same commit. Raises StoreUnavailable.
        """
        ...

    async def confirm(self, seen: Ready, *, who: str) -> bool:
        """Close it as received; False when it is not as it was seen any more."""
        ...
