"""The OM gate: what is held, what is asked, what was decided (domain 9.1).

A *hold* is a delivery that waits, at whoever holds it. A *request* is the same seen by the
officers who are asked. A *ruling* is their decision as it counts at the holder, a *verdict* as
it was taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from gateway.lifecycle import State
from gateway.message import Oin
from gateway.rules.classification import Reason
from gateway.wire.toets import Uitkomst, Voorwaarde

if TYPE_CHECKING:
    from gateway.ports.stored import Admission, Known


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHold:
    """Why a delivery is held, and until when an answer is of use."""

    reasons: tuple[Reason, ...] = ()
    deadline: datetime | None = None
    """The sender's own termijn; None = it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A delivery that waits, or waited, for the OM."""

    id: str
    delivery: str
    message: "Known"
    state: State
    """Of the delivery, now."""
    at: datetime
    recipient: Oin
    """The ontvanger, not the next hop."""
    payload_sha256: str
    ground: str
    table_version: str
    reasons: tuple[Reason, ...]
    deadline: datetime | None
    backend: str
    intact: bool
    """Hold, delivery and message still name the same octets."""
    request: str | None
    """Id of the message that asks; None = not asked yet."""
    closed_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRuling:
    """A decision of the OM that was proven and fits its hold."""

    id: str
    hold: str
    delivery: str
    outcome: Uitkomst
    recipient: Oin
    payload_sha256: str
    table_version: str
    officer: str
    """Name, function and mandate, for the audit row."""
    told: str
    """The ground that the sender may know."""
    known: bool = False
    """Whether the receiver may know that something is withheld (domain 9.1.6)."""
    conditions: tuple[Voorwaarde, ...]
    decided_at: datetime
    valid_until: datetime
    signer: str
    """Thumbprint of the certificate."""
    document: bytes
    """The signed decision, as it came."""
    terms: "Admission | None" = None
    """The message that tells the receiver the conditions."""
    accept_first: bool = False
    """Nothing leaves before the receiver has confirmed `terms`."""
    of_pass: str = ""
    """At a knooppunt: the decision that was seen passing by, which is spent with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """At a knooppunt: a decision that was seen on its way to the police, for one receiver."""

    id: str
    at: datetime
    """When it was seen."""
    police: Oin
    recipient: Oin
    payload_sha256: str
    valid_until: datetime
    signer: str
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What the receiver answered to the conditions of a decision."""

    terms: str
    """Id of the message with the conditions."""
    accepted: bool


class Ends(StrEnum):
    """What a withdrawal ends."""

    RULING = "besluit"
    REQUEST = "verzoek"
    APPROVAL = "toestemming"
    SEEN = "gezien besluit"
    BEARER = "token"
    """Of a back-end system: by a person here, never by a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWithdrawal:
    """What is over from now on."""

    ends: Ends
    id: str
    actor: str
    reason: str
    late: bool = False
    """As it was seen: something of what was decided on has left. Then it is only told."""
    document: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The signed document of a decision in force."""

    hold: str
    seen: str
    """At a second gate: the decision that passed by; else empty."""
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RulingView:
    """A decision on file, at the holder."""

    id: str
    hold: str
    delivery: str
    at: datetime
    outcome: Uitkomst
    officer: str
    told: str
    known: bool = False
    conditions: tuple[Voorwaarde, ...]
    decided_at: datetime
    valid_until: datetime
    used_at: datetime | None
    ended_at: datetime | None
    ended_why: str


class Holds(Protocol):
    """What is held here. Nothing but a commit with a ruling lets a delivery go."""

    async def unasked(self, *, after: str = "", limit: int) -> tuple[Hold, ...]:
        """Return holds for which nobody was asked yet, by id; those behind `after`."""
        ...

    async def find(self, id_: str) -> Hold | None: ...

    async def of_message(self, message: str) -> tuple[Hold, ...]:
        """Return the holds of a message, oldest first."""
        ...

    async def rulings(self, message: str) -> tuple[RulingView, ...]:
        """Return the decisions on a message, oldest first."""
        ...

    async def proof(self, ruling: str) -> Proof | None:
        """Return what was signed for a decision that has not ended."""
        ...

    async def is_withdrawn(self, besluit: str) -> bool:
        """Tell whether this decision, as it calls itself, was withdrawn or not accepted.

        Not by its row. Raises StoreUnavailable.
        """
        ...

    async def mark_withdrawn(self, besluit: str) -> None:
        """Let this decision be withdrawn although no row knows it (any more)."""
        ...

    async def is_accepted(self, besluit: str) -> bool:
        """Tell whether the receiver accepted the conditions of this decision.

        Not by its row. Raises StoreUnavailable.
        """
        ...

    async def use(self, use: str, envelope: str) -> bool:
        """Tell whether this envelope (hex SHA-256) may be sent by this use of a decision.

        The first may, and is kept outside the database; again later, and no other. Raises
        StoreUnavailable.
        """
        ...

    async def ask(self, hold: str, request: "Admission") -> bool:
        """Admit the request; False when it was asked, or is not held any more."""
        ...

    async def uncancelled(self, *, after: str = "", limit: int) -> tuple[Hold, ...]:
        """Return holds that ended by themselves while somebody was asked, and was not told yet.

        By id; those behind `after`.
        """
        ...

    async def cancel(self, hold: str, message: "Admission") -> bool:
        """Admit the message that tells it; False when it was told."""
        ...

    async def late(self, ruling: str) -> bool | None:
        """Tell whether something has left under a ruling; None when there is no such ruling."""
        ...

    async def watch(self, fractions: Sequence[float]) -> None:
        """Tell, once each, what has waited for these parts of its time."""
        ...

    async def passed(self, payload_sha256: str, recipient: Oin) -> Pass | None:
        """Return a decision that was seen for exactly this and is not spent."""
        ...

    async def waiting(self, payload_sha256: str, recipient: Oin) -> Hold | None:
        """Return the open hold of these octets for this recipient."""
        ...

    async def revoked(self, known: Iterable[str] = ()) -> frozenset[str]:
        """Return the standing approvals that were withdrawn; of `known` also without a row."""
        ...


# --- where officers decide ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """What officers are asked to decide here."""

    id: str
    holder: Oin
    soort: str
    version: str
    referentienummer: str
    recipient: Oin
    payload_sha256: str
    size: int
    table_version: str
    reasons: tuple[Reason, ...]
    asker: str
    acuut: bool | None
    deadline: datetime
    parket: str
    case: str = ""
    part_of: str = ""
    """Referentienummer of the message of which this is the other part."""
    replaces: str = ""
    """Referentienummer of the message in whose place this comes."""


class VerdictState(StrEnum):
    PROPOSED = "wacht op tweede officier"
    GIVEN = "genomen"
    REJECTED = "niet bevestigd"
    WITHDRAWN = "ingetrokken"
    TOO_LATE = "te laat ingetrokken"
    NOT_ACCEPTED = "geweigerd door de houder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A decision as an officer took it."""

    id: str
    request: str
    at: datetime
    outcome: Uitkomst
    ground: str
    told: str
    conditions: tuple[Voorwaarde, ...]
    officer: str
    """Id of the officer."""
    second: str
    known: bool
    """The receiver may be told that something was withheld."""
    valid_until: datetime
    state: VerdictState
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What waits for an officer, or was decided."""

    seq: int
    id: str
    delivery: str
    message: "Known"
    at: datetime
    holder: Oin
    soort: str
    version: str
    referentienummer: str
    recipient: Oin
    payload_sha256: str
    size: int
    table_version: str
    reasons: tuple[Reason, ...]
    asker: str
    acuut: bool | None
    deadline: datetime
    parket: str
    claimed_by: str
    claimed_until: datetime | None
    closed_at: datetime | None
    outcome: str
    part_of: str = ""
    """Referentienummer of the message of which this is the other part."""
    replaces: str = ""
    """Referentienummer of the message in whose place this comes."""
    proposed_by: str = ""
    """Officer whose decision waits for a second one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPlace:
    """A place in the list of what waits: behind this request."""

    deadline: datetime
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsWanted:
    """Which requests a list shows."""

    open: bool = True
    """Those that wait, the most urgent first; else all, newest first."""
    parket: str | None = None
    after: RequestPlace | None = None
    """Of what waits: the last one of the page before, which may be closed by now."""
    before: int | None = None
    """Of all: position (`seq`) of the last one of the page before."""
    limit: int = 50


class Desk(Protocol):
    """Requests to officers here, and their verdicts. Each method that writes is one commit."""

    async def requests(self, wanted: RequestsWanted) -> tuple[Request, ...]: ...
    async def request(self, id_: str) -> Request | None: ...
    async def earlier(self, id_: str, *, limit: int) -> tuple[Request, ...]:
        """Return other requests on the same case, newest first (Aanwijzing 15.1)."""
        ...

    async def linked(self, request: Request, *, limit: int) -> tuple[Request, ...]:
        """Return the requests here on the messages that it names, newest first."""
        ...

    async def verdicts(self, request: str) -> tuple[Verdict, ...]:
        """Return what was decided on a request, oldest first."""
        ...

    async def verdict(self, id_: str) -> Verdict | None: ...

    async def take(self, id_: str, *, officer: str, until: datetime | None) -> None:
        """Take a request until then, or let it go (None).

        Raises NoRoute `toets.verzoek.onbekend`, PolicyViolation `toets.gesloten`,
        `toets.genomen` (another officer has it).
        """
        ...

    async def look(self, id_: str, *, officer: str, purpose: str) -> None:
        """Write down who reads what is held, and what for."""
        ...

    async def decide(
        self, verdict: Verdict, answer: "Admission | None", *, account: str = ""
    ) -> None:
        """Take a verdict; `answer` carries it out, None = a second officer confirms first.

        `account`: of who is signed in; empty = nobody is, a system or a command speaks.

        Raises as `take`, and PolicyViolation `toets.wacht_op_tweede`.
        """
        ...

    def is_proposed(self, verdict: Verdict) -> bool:
        """Tell whether an officer proposed exactly this, and nobody took it back.

        Whatever a row says. Raises StoreUnavailable.
        """
        ...

    def is_proposed_by(self, id_: str, *, account: str) -> bool:
        """Tell whether somebody with this account proposed it, as whichever officer.

        Raises StoreUnavailable.
        """
        ...

    async def second(
        self, id_: str, *, officer: str, answer: "Admission | None", why: str = ""
    ) -> None:
        """Confirm a verdict with what carries it out, or not (None).

        Raises NoRoute `toets.besluit.onbekend`, PolicyViolation `toets.vier_ogen`,
        `toets.status`, `toets.gesloten`.
        """
        ...

    async def withdraw(
        self,
        id_: str,
        *,
        officer: str,
        why: str,
        message: "Admission | None",
        late: bool = False,
    ) -> None:
        """Take a verdict back; `message` tells the holder, where it was carried out.

        `late`: it is known already that something has left.

        Raises NoRoute `toets.besluit.onbekend`, PolicyViolation `toets.status`.
        """
        ...

    async def watch(self, fractions: Sequence[float]) -> None:
        """Tell, once each, which requests have waited for these parts of their time."""
        ...
