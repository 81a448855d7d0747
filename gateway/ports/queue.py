"""Deliveries out, and the signals that settle them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from gateway.directory import InForce
from gateway.message import Oin, Reference
from gateway.ports.mail import ConfirmLink
from gateway.ports.receipts import KnownAs
from gateway.ports.stored import (
    AuditEvent,
    DeliveryChannel,
    DeliveryKind,
    Known,
    StoredPayload,
)
from gateway.rules.approval import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One delivery that this worker may send now. `fence` makes a late settlement harmless."""

    delivery: str
    fence: int
    attempt: int
    """1 for the first."""
    recipient: Oin
    channel: DeliveryChannel
    kind: DeliveryKind
    cpa_id: str
    service: str
    action: str
    ground: str
    approval_id: str
    table_version: str
    """Of the classification table that it was judged by."""
    payload_sha256: str
    retries: int
    retry_interval: timedelta
    expires_at: datetime | None
    sealed: str | None
    """Id of the stored signed envelope (SOAP octets), None before the first sealing."""
    duplicate_safe: bool
    twice: bool
    """It may be there already, over another channel."""
    spared: int
    """Attempts that failed by our own trouble: they do not count against `retries`."""
    message: Known
    decision: Decision | None = None
    """The decision of the OM that it stands on, as it was when it was claimed."""

    @property
    def tries(self) -> int:
        """How many attempts count against the agreement, this one included; 1 for the first."""
        return max(1, self.attempt - self.spared)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """2xx: waits for the acknowledgement until `until`; None = 2xx is all it gets (signals)."""

    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAgain:
    """Not delivered; next attempt at `at`. `down` opens the lane's breaker until then.

    `ours`: by our own trouble, so that it does not count against the retries.
    """

    at: datetime
    code: str
    down: bool = False
    ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LostTrack:
    """May have arrived and can not be noticed as a copy: a person decides."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAgain:
    """The gate no longer lets it pass."""

    ground: str


Outcome = HandedOver | TryAgain | GaveUp | LostTrack | HeldAgain


class Queue(Protocol):
    """Deliveries out. Lanes (one per recipient and channel) are claimed before deliveries."""

    async def claim(
        self,
        *,
        worker: str,
        limit: int,
        epoch: int,
        gate: InForce,
        suspended: frozenset[Oin] = frozenset(),
        sure: bool = False,
    ) -> tuple[Claim, ...]:
        """Claim up to `limit` READY deliveries that are due; the attempt is counted here.

        `sure`: there probably is something, so that it is not looked first.
        Claims only where the epoch is still `epoch`, the payload hash is that of the message,
        and what it stands on still holds: a standing approval in force that was not withdrawn, or
        a decision in force for that delivery, octets, recipient and table.
        """
        ...

    async def sealed(
        self, claim: Claim, envelope: StoredPayload, references: tuple[Reference, ...]
    ) -> None:
        """Keep the signed envelope of the delivery; raise StaleSnapshot if no longer claimed."""
        ...

    async def posting(
        self, claim: Claim, known_as: KnownAs, event: AuditEvent, link: ConfirmLink | None = None
    ) -> None:
        """Write down that the letter may leave from now on; raise StaleSnapshot `claim.lost`.

        `link` stands in it, and counts from this commit on.

        Should the worker die behind this, a person decides: a letter is never sent again by itself.
        """
        ...

    async def settle(self, claim: Claim, outcome: Outcome, events: tuple[AuditEvent, ...]) -> bool:
        """Write what came of the attempt; False when the claim was no longer ours.

        A stale claim's success still counts, its failure does not.
        """
        ...

    async def sweep(
        self, *, worker: str, under_way: frozenset[str] | None = None
    ) -> datetime | None:
        """Put back what dead workers left, retry or give up what is overdue or expired.

        With `under_way` (ids of deliveries) the claims of this worker that are not among
        them are put back too: their settlement failed.

        Return when the next delivery, acknowledgement or expiry falls due (None: nothing).
        """
        ...

    async def heartbeat(self, *, worker: str) -> None: ...
    async def retire(self, *, worker: str) -> None:
        """End the lease of a worker that stops in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReceived:
    """An authenticated Acknowledgment or MessageError."""

    party: Oin
    cpa_id: str
    message_id: str
    ref_to_message_id: str
    at: datetime
    references: tuple[Reference, ...] = ()
    references_required: bool = False
    """The agreement demands a signed acknowledgement with digests."""
    error: str = ""
    """ebMS error code, for a MessageError of severity Error."""
    error_location: str = ""
    evidence: bytes = b""
    """The signed SOAP octets: proof of delivery."""


class SignalOutcome(StrEnum):
    MATCHED = "matched"
    REPEATED = "repeated"
    UNKNOWN = "unknown"
    MISMATCH = "mismatch"


class Signals(Protocol):
    async def receive(self, signal: SignalReceived) -> SignalOutcome:
        """Settle the delivery of that party, agreement and MessageId; write audit always."""
        ...
