"""What the story needs from the outside: clock, dice, store, keys, network.

Each port has an implementation that does the real thing and one that runs inline, without
threads, so that several installations can be simulated in one process from one seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from gateway.directory import Directory
from gateway.lifecycle import State
from gateway.message import Aanlevering, Oin, Reference, Stuurgegevens, WireMessage
from gateway.security.algorithms import Decrypter, Signer
from gateway.security.certificates import TrustStore


class Clock(Protocol):
    """Time. `now` is UTC and aware; durations are measured with `monotonic` (seconds)."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


class Dice(Protocol):
    """Chance: ids, jitter in [0, 1), and random octets for keys and nonces."""

    def uuid(self) -> str: ...
    def unit(self) -> float: ...
    def octets(self, n: int) -> bytes: ...


class Keyring(Protocol):
    """Private keys of the local parties, found by the certificate (DER) they belong to.

    Raises Misconfigured `keys.missing` when the installation does not hold the key.
    """

    def signer(self, certificate: bytes) -> Signer: ...
    def decrypter(self, certificate: bytes) -> Decrypter: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to post, as whom, and whom to expect there."""

    url: str
    party: Oin
    """Its server certificate must carry this OIN (or that of a recorded mandate)."""
    client_certificate: bytes | None
    """DER of ours; None = the installation's only TLS client certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """HTTP answer of a partner. `message` is the body when there is one."""

    status: int
    message: WireMessage | None = None
    retry_after: timedelta | None = None


class Network(Protocol):
    """One POST over mutual TLS.

    Raises PeerUnreachable when nothing can have arrived, OutcomeUnknown when it may have,
    Untrusted when the other end is not the party.
    """

    async def post(self, endpoint: Endpoint, message: WireMessage) -> Answer: ...


# --- what is stored -------------------------------------------------------------------


class Direction(StrEnum):
    """How a message came to be here."""

    INBOUND = "in"
    """From a partner, over a channel."""
    OUTBOUND = "uit"
    """Handed in by a back-end of a local party."""
    OWN = "eigen"
    """Made here: Bv01 and Fo01."""


class DeliveryChannel(StrEnum):
    EBMS2 = "ebms2"
    POSTVAK = "postvak"


class DeliveryKind(StrEnum):
    MESSAGE = "bericht"
    SIGNAL = "signaal"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that happened, without payload or personal data.

    `event` is dotted (`message.received`); `data` holds short facts: OINs, codes, digests,
    rule ids, element paths, sizes.
    """

    event: str
    at: datetime
    message: str = ""
    """Id of the message row; empty when there is none."""
    delivery: str = ""
    code: str = ""
    party: str = ""
    """OIN of the party on whose side it happened."""
    actor: str = ""
    """Back-end, worker or person that did it."""
    data: Mapping[str, str | int | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPayload:
    """What is stored of a payload."""

    id: str
    size: int
    sha256: str
    """Hex, over the plain octets."""
    epoch_key: str
    wrapped: bytes
    """Nonce and AES-256-GCM of the payload's key under the epoch key."""
    chunks: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPayload:
    """Encrypted octets, on file or on the way. Not permanent until a commit refers to them."""

    id: str
    sha256: str
    """Hex, over the plain octets."""
    size: int
    carried: SealedPayload | None = field(default=None, repr=False)
    """Small: the commit that refers to it stores it. None: it was written ahead."""
    at: datetime | None = None
    """When it was encrypted, where it is carried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message row to be."""

    id: str
    at: datetime
    direction: Direction
    party: Oin
    """The authenticated party: the partner of the connection, or the local party."""
    cpa_id: str
    """Empty for messages that did not come over ebMS."""
    message_id: str
    """ebMS MessageId; both legs carry the same (domain 9.2.2)."""
    conversation_id: str
    kind: str
    """Root element name."""
    version: str
    stuurgegevens: Stuurgegevens | None
    """None when the document was not readable."""
    payload: StoredPayload | None
    """None when nothing is kept (a refused document)."""
    content_sha256: str
    references: tuple[Reference, ...] = ()
    """Signed references of the inbound message: identical inbound = the same references."""
    aanlevering: Aanlevering = field(default_factory=Aanlevering)
    accepted: bool = True
    """False: refused with a Fo01; kept for duplicate detection and audit."""
    backend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A delivery row to be: HELD, READY, or DELIVERED where the HTTP answer itself carries it."""

    id: str
    recipient: Oin
    channel: DeliveryChannel
    kind: DeliveryKind
    state: State
    next_at: datetime
    cpa_id: str = ""
    service: str = ""
    action: str = ""
    applicatie: str = ""
    """Postvak only."""
    ground: str = ""
    """Why it may leave: `niet-gegate`, `doorlopend`; or, HELD, the kinds of reason."""
    approval_id: str = ""
    """Standing approval it passes under; the claim repeats the test."""
    table_version: str = ""
    payload_sha256: str = ""
    """What was judged; the claim repeats the test."""
    retries: int = 0
    retry_interval: timedelta = timedelta(0)
    expires_at: datetime | None = None
    sealed: StoredPayload | None = None
    """Signals are sealed when they are made."""
    duplicate_safe: bool = False
    """The recipient notices a copy, so that it may go a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Everything that one message changes, in one commit.

    `epoch` is that of the snapshot it was thought with. `acknowledgment` is the signed
    signal as a delivery of its own, kept for when the message comes again; DELIVERED when it
    goes with the HTTP answer, None where none was asked for.
    """

    epoch: int
    message: NewMessage
    deliveries: tuple[NewDelivery, ...]
    events: tuple[AuditEvent, ...]
    acknowledgment: NewDelivery | None = None
    answers: str | None = None
    """Id of the message row that this Bv01 or Fo01 answers."""
    followed_by: "Admission | None" = None
    """An own message that this one brings about (the Fo01 on a refused document)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """`fresh` is False when the same message was admitted before: nothing was stored."""

    message: str
    fresh: bool
    by_id: bool = False
    """Not fresh, and it came under this very MessageId."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is on file about a message."""

    id: str
    at: datetime
    direction: Direction
    party: Oin
    cpa_id: str
    message_id: str
    conversation_id: str
    kind: str
    version: str
    zender: Oin
    zender_applicatie: str
    ontvanger: Oin
    ontvanger_applicatie: str
    referentienummer: str
    cross_refnummer: str
    content_sha256: str
    references: tuple[Reference, ...]
    accepted: bool
    payload_id: str | None
    acknowledgment: bytes | None
    """The signed acknowledgement (SOAP octets) that was given for it."""
    answer: str
    """`Bv01Bericht`, `Fo01Bericht`, or empty."""
    aanlevering: Aanlevering = field(default_factory=Aanlevering)


class Inbox(Protocol):
    """Messages in. Each method that writes is one commit, with its audit rows."""

    async def find(self, party: Oin, cpa_id: str, message_id: str) -> Known | None:
        """Return the inbound message with this id, or None. Only call after `open`."""
        ...

    async def by_key(self, zender: str, applicatie: str, referentienummer: str) -> Known | None:
        """Return the message with this business key, whatever its channel."""
        ...

    async def origin(self, cross_refnummer: str, *, answered_by: str) -> Known | None:
        """Return the message with this referentienummer that was meant for `answered_by`."""
        ...

    async def admit(self, admission: Admission) -> Admitted:
        """Store message, deliveries, acknowledgement and audit rows in one commit.

        The same id or business key with the same content returns the first result and
        stores nothing. Raises DuplicateConflict (`duplicate.message_id`,
        `duplicate.referentienummer`), StaleSnapshot, StoreUnavailable, OutcomeUnknown.
        """
        ...

    async def repeat_acknowledgment(self, message: str, *, id_: str, event: AuditEvent) -> None:
        """Queue the stored acknowledgement once more, unless one is waiting already."""
        ...

    async def note(self, *events: AuditEvent) -> None:
        """Write audit rows alone: what was refused changes nothing else."""
        ...


class Payloads(Protocol):
    """Encrypted octets, in chunks, under an id that only an admission makes permanent."""

    async def put(self, octets: bytes) -> StoredPayload:
        """Encrypt; large octets are written ahead, small ones go with what refers to them."""
        ...

    async def get(self, id_: str) -> bytes:
        """Return the plain octets; raise GatewayError `payload.destroyed` when they are gone."""
        ...


# --- the queue ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One delivery that this worker may send now. `fence` makes a late settlement harmless."""

    delivery: str
    fence: int
    attempt: int
    """1 for the first."""
    recipient: Oin
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
    spared: int
    """Attempts that failed by our own trouble: they do not count against `retries`."""
    message: Known

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
        approvals: frozenset[str],
        suspended: frozenset[Oin] = frozenset(),
        sure: bool = False,
    ) -> tuple[Claim, ...]:
        """Claim up to `limit` READY deliveries that are due; the attempt is counted here.

        `sure`: there probably is something, so that it is not looked first.
        Claims only where the epoch is still `epoch`, and the approval is none or one of
        `approvals` and the payload hash is that of the message.
        """
        ...

    async def sealed(
        self, claim: Claim, envelope: StoredPayload, references: tuple[Reference, ...]
    ) -> None:
        """Keep the signed envelope of the delivery; raise StaleSnapshot if no longer claimed."""
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


# --- the postvak ----------------------------------------------------------------------


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


class Postvak(Protocol):
    async def take(
        self,
        *,
        party: Oin,
        applicaties: tuple[str, ...],
        consumer: str,
        limit: int,
        lease: timedelta,
    ) -> tuple[PostvakItem, ...]:
        """Lease what waits, oldest first."""
        ...

    async def get(self, delivery: str, *, party: Oin) -> PostvakItem | None: ...

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


# --- what a person must know or decide ------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that a person must know of; one is open per code and subject."""

    code: str
    subject: str
    """What it is about: id of a delivery, OIN of a party; empty = the installation."""
    message: str = ""
    party: str = ""
    reason: str = ""
    """Dotted code of what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmView:
    """An alarm on file. Open while `cleared_at` is None."""

    id: int
    code: str
    subject: str
    message: str
    party: str
    reason: str
    times: int
    """How often this code was raised for this subject, this time included."""
    raised_at: datetime
    cleared_at: datetime | None
    cleared_by: str
    cleared_why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmBounds:
    """From when on time alone raises an alarm."""

    unconfirmed_part: float = 0.5
    """Part of its lifetime after which a delivery without acknowledgement is one."""
    partner_down: timedelta = timedelta(minutes=15)
    answer: timedelta = timedelta(hours=48)
    """Wait for a Bv01 or Fo01."""
    postvak: timedelta = timedelta(hours=24)


class Alarms(Protocol):
    async def change(
        self, *, raised: Sequence[Alarm] = (), gone: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Open alarms, and close those with these codes and subjects, in one commit."""
        ...

    async def watch(self, bounds: AlarmBounds, *, also: Sequence[Alarm] = ()) -> None:
        """Open what time brought about, and close what is over.

        `also` is what was seen outside the store now, of codes that are watched.
        """
        ...

    async def dismiss(self, id_: int, *, who: str, why: str) -> AlarmView:
        """Close an alarm by a person; raise NoRoute `alarm.unknown` when it is not open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A delivery that ended without arriving, and whose sender was not told yet."""

    delivery: str
    at: datetime
    message: Known


class Undeliverable(Protocol):
    async def owed(self, *, after: Owed | None = None, limit: int) -> tuple[Owed, ...]:
        """Return open debts, oldest first; those behind `after`."""
        ...

    async def tell(self, delivery: str, answer: Admission) -> bool:
        """Admit the Fo01 and close the debt in one commit; False when it was closed before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Where a delivery stands after a decision."""

    delivery: str
    message: str
    state: State


class Decisions(Protocol):
    """`id_` is that of a delivery or of its message.

    Raises NoRoute `bericht.onvindbaar`, PolicyViolation `decision.state`,
    `decision.expired`.
    """

    async def resume(self, id_: str, *, who: str, why: str) -> Decided:
        """Send again what may have arrived; the tries of the agreement begin anew."""
        ...

    async def stop(self, id_: str, *, who: str, why: str) -> Decided:
        """Give it up; a partner that sent it will get a Fo01."""
        ...


# --- reading --------------------------------------------------------------------------


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


class Snapshots(Protocol):
    """The current Directory; a reload swaps it and moves the epoch."""

    def current(self) -> Directory: ...
    async def moved(self, epoch: int) -> bool:
        """Wait for a Directory of another epoch than this; False when none comes in time."""
        ...

    def trust(self, directory: Directory) -> TrustStore:
        """Return the parsed trust of that snapshot, with its cache of judged certificates."""
        ...
