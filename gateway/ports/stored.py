"""What is stored of messages, and how they come in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from gateway.lifecycle import State
from gateway.message import Aanlevering, Fault, Oin, Reference, Stuurgegevens
from gateway.ports.toets import Acceptance, NewHold, NewRequest, NewRuling, NewWithdrawal, Pass


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
    DESK = "toets"
    """To the officers who decide here."""
    MAIL = "e-mail"
    """Secure e-mail to a partner."""


TO_PARTNERS = (str(DeliveryChannel.EBMS2), str(DeliveryChannel.MAIL))
"""What leaves for another party: claimed, tried again and settled by the worker."""


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
    label: bytes | None = None
    """HMAC-SHA-256 of the label by the payload's key; None = it has none."""


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
    zaak: str = ""
    """What its case is known by, 256 characters at most; empty = unknown (domain 9.2.4)."""
    accepted: bool = True
    """False: refused with a Fo01; kept for duplicate detection and audit."""
    backend: str = ""
    fault: Fault | None = None
    """Of a Fo01: it stands in the trace of the message that it answers."""


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
    twice: bool = False
    """It may be there already, over another channel: the mail says so."""
    hold: NewHold | None = None
    """HELD only: what the OM is asked."""


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
    ruling: NewRuling | None = None
    """A decision of the OM, that is carried out."""
    passes: tuple[Pass, ...] = ()
    """At a knooppunt: what a decision that passes by allows later."""
    withdrawal: NewWithdrawal | None = None
    """A decision, request or standing approval that ends."""
    accepts: Acceptance | None = None
    """The receiver's word on the conditions of a decision."""
    request: NewRequest | None = None
    """What an officer is asked here; its delivery is the first one."""
    twice: str = ""
    """Id of the message that this is a copy of, from another channel: a person is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """`fresh` is False when the same message was admitted before: nothing was stored."""

    message: str
    fresh: bool
    by_id: bool = False
    """Not fresh, and it came under this very MessageId."""
    elsewhere: bool = False
    """Not fresh, and the first came over another channel: one by e-mail, one over ebMS."""


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
    zaak: str = ""
    """Empty also when the payload was destroyed."""
    aanlevering: Aanlevering = field(default_factory=Aanlevering)


class Inbox(Protocol):
    """Messages in. Each method that writes is one commit, with its audit rows."""

    async def find(self, party: Oin, cpa_id: str, message_id: str) -> Known | None:
        """Return the inbound message with this id, or None. Only call after `open`."""
        ...

    async def by_key(self, zender: str, applicatie: str, referentienummer: str) -> Known | None:
        """Return the message with this business key, whatever its channel."""
        ...

    async def replacement(self, of: Known) -> Known | None:
        """Return the newest message that its sender handed in in place of this one."""
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

    async def repeat_acknowledgment(
        self, message: str, *, id_: str, event: AuditEvent, bounded: bool = False
    ) -> None:
        """Queue the stored acknowledgement once more, unless one is waiting already.

        `bounded`: only for the first twenty copies; those behind them leave no trace.
        """
        ...

    async def note(self, *events: AuditEvent) -> None:
        """Write audit rows alone: what was refused changes nothing else."""
        ...


class Payloads(Protocol):
    """Encrypted octets, in chunks, under an id that only an admission makes permanent."""

    async def put(self, octets: bytes, *, label: bytes = b"") -> StoredPayload:
        """Encrypt; large octets are written ahead, small ones go with what refers to them.

        `label` is what was said of them: `opened` proves it, whatever a row says later.
        """
        ...

    async def get(self, id_: str) -> bytes:
        """Return the plain octets; raise GatewayError `payload.destroyed` when they are gone."""
        ...

    async def opened(self, id_: str, label: bytes) -> tuple[bytes, bool]:
        """Return the plain octets, and whether they were put with this label; raises as `get`."""
        ...
