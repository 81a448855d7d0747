"""One frozen snapshot of everything that was agreed: parties, CPAs, trust, routes, the gate.

A step of the pipeline takes one Directory and thinks with that alone. Its `epoch` goes
into the WHERE of the statement that changes state: when it moved meanwhile, the step is
thought again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from gateway.catalogue import Catalogue, Role
from gateway.config import (
    Canonical,
    GateMode,
    OfficerSettings,
    ToetsSettings,
    WebhookEvent,
    WebhooksSettings,
)
from gateway.config_algorithms import Weakness
from gateway.config_gate import Mode, Nature
from gateway.cpa_rules import Remark
from gateway.credentials import Credentials
from gateway.errors import Severity, UnknownAgreement
from gateway.message import OIN_TYPE, Oin, PartyRef
from gateway.schemapack import Activations, SchemaPack

MSH_SERVICE = "urn:oasis:names:tc:ebxml-msg:service"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetting:
    """A business rule that is milder or stricter for one party (domain 9.4)."""

    rule: str
    """Id, for example `JZ-005`."""
    severity: Severity
    until: date | None = None
    """Last day, by the Dutch calendar; None = until it is changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingSpoed:
    """A ground "onverwijlde spoed" that stands for named messages to one party.

    Regeling justitiële keteninformatisering Jeugdwet, art. 3 lid 1.
    """

    id: str
    messages: frozenset[str]
    ground: str
    given_by: str
    """Name and function of who laid it down."""
    valid_from: datetime
    valid_until: datetime
    """End, not included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedMail:
    """A policy recorded for a partner whose domain has no DANE: it stands instead of the MX."""

    hosts: tuple[str, ...]
    """Mail servers in order of preference. Each must show a certificate of its own name."""
    anchors: tuple[bytes, ...] = ()
    """DER of the CAs that these may be of."""
    keys: frozenset[str] = frozenset()
    """SHA-256 (hex) of the public key (SPKI) of a certificate that counts without a CA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailWay:
    """How the transport of e-mail to a party is proved secure."""

    pinned: PinnedMail | None = None
    """None = MX and DANE (TLSA), both signed with DNSSEC."""
    nta7516: bool = False
    """The domain must carry an NTA 7516 record that is valid today; its servers count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyMail:
    """Secure e-mail to a party (domain 9.7)."""

    address: str
    certificates: tuple[bytes, ...]
    """DER, of the mailboxes behind the address: each gets its own key. Empty with `portal`."""
    encryption: str = "aes-256-gcm"
    """Or a named exception: `aes-256-cbc`, `aes-256-cbc-rsa-pkcs1`."""
    header: tuple[str, str] | None = None
    """Name and value of the NTA 7516 header; None = none."""
    spoed: tuple[StandingSpoed, ...] = ()
    way: MailWay = MailWay()
    signs: tuple[bytes, ...] = ()
    """DER, of what else may sign mail from there, such as its gateway."""
    reports_close: bool = True
    """Reports that nobody signed (DSN, MDN) close a letter; False = they are only written down."""
    portal: bool = False
    """Nothing of a message goes by mail: it waits at the portal, and the mail only says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMail:
    """Secure e-mail of this installation."""

    address: str
    sign: bytes
    """DER of the certificate that signs what goes."""
    chain: tuple[bytes, ...] = ()
    """DER of the authorities that a mail program is given beside the signature."""
    maximum: int = 10_000_000
    """Octets of a whole letter."""
    receipt: timedelta = timedelta(hours=4)
    """How long a receipt is waited for before a person is asked."""
    again: timedelta = timedelta(minutes=15)
    """Wait between two tries."""
    lifetime: timedelta = timedelta(hours=48)
    """How long is tried."""
    portal: str = ""
    """Origin of the portal, where a person confirms that a letter came; empty = there is none."""
    confirmable: timedelta = timedelta(days=14)
    """How long he can, by the link in the letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMailbox:
    """Secure e-mail to this installation."""

    address: str
    certificates: tuple[bytes, ...]
    """DER; ours that partners may encrypt for, the newest first."""
    maximum: int = 50_000_000
    """Octets of a whole mail."""
    items: int = 500
    """Mails that wait for a person, at most."""
    octets: int = 500_000_000
    """Octets of all those."""
    kept: timedelta = timedelta(days=30)
    """How long one of those is kept that nobody closes."""
    closed: timedelta = timedelta(hours=24)
    """How long after it was closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmException:
    """What a party may still use that DK-SEC forbids."""

    what: Weakness
    reason: str
    until: datetime
    """End, not included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation in the chain."""

    oin: Oin
    name: str
    role: Role
    local: bool
    """True when this installation holds the party's keys."""
    applicaties: tuple[str, ...] = ()
    """Names that may stand in zender/applicatie and ontvanger/applicatie; empty = none."""
    mandates: tuple[Oin, ...] = ()
    """OINs of certificate holders that may act for this party (recorded mandates)."""
    rules: tuple[RuleSetting, ...] = ()
    """What counts otherwise for the messages that this party hands over."""
    canonical: Canonical = Canonical.EXCLUSIVE
    """How what is signed for it is canonicalised."""
    gate: GateMode = GateMode.NONE
    """What a knooppunt does at the OM gate with what it sends."""
    exceptions: tuple[AlgorithmException, ...] = ()
    """Also those that have ended."""
    mail: PartyMail | None = None
    """None = no e-mail goes to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A back-end system, for one party only."""

    name: str
    party: Oin
    applicaties: tuple[str, ...]
    credentials: Credentials = field(default_factory=Credentials)
    officers: frozenset[str] = frozenset()
    """Ids of the officers for whom it may speak; empty = none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """What the store must know of a webhook to write an event down for it."""

    name: str
    """Unique in the installation."""
    backend: str
    party: Oin
    applicaties: frozenset[str]
    events: frozenset[WebhookEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where a back-end is told that something changed."""

    subscriber: Subscriber
    url: str
    secrets: tuple[bytes, ...] = field(repr=False)
    """Each signs: two while one replaces the other."""

    @property
    def name(self) -> str:
        return self.subscriber.name


# --- agreements -----------------------------------------------------------------------


class SyncReply(StrEnum):
    """`syncReplyMode` of the CPA."""

    NONE = "none"
    SIGNALS = "mshSignalsOnly"
    RESPONSE = "responseOnly"
    BOTH = "signalsAndResponse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """How the sender signs."""

    signature_algorithm: str
    digest_algorithm: str
    certificate: bytes
    """DER of the certificate that signs."""
    canonical: Canonical = Canonical.EXCLUSIVE
    """Not of the CPA: what the receiver can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """How payloads are encrypted for the receiver."""

    algorithm: str
    certificate: bytes
    """DER of the receiver's encryption certificate."""
    key_transport: str = ""
    """URI of RSA-1.5 where the CPA leaves nothing else; empty = RSA-OAEP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What the CPA says about one direction: from one sender to one receiver."""

    endpoint: str
    """URL of the receiver."""
    ack_requested: bool
    ack_signed: bool
    duplicate_elimination: bool
    sync_reply: SyncReply
    retries: int
    """0 when the CPA has no ReliableMessaging."""
    retry_interval: timedelta
    persist_duration: timedelta
    signing: Signing | None
    encryption: Encryption | None
    client_certificate: bytes | None
    """DER, of the sender; None when the CPA names none."""
    server_certificate: bytes | None
    """DER, of the receiver."""

    @property
    def profile(self) -> str:
        """Name of the Digikoppeling profile: osb-be, osb-rm, with -s or -e."""
        base = "osb-rm" if self.ack_requested else "osb-be"
        if self.encryption is not None:
            return f"{base}-e"
        return f"{base}-s" if self.signing is not None else base


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One action that one party may send to the other."""

    sender: PartyRef
    receiver: PartyRef
    sender_role: str
    receiver_role: str
    service: str
    service_type: str
    action: str
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A CPA (ebXML CPPA 2.0) between two parties."""

    cpa_id: str
    status: str
    start: datetime
    end: datetime
    parties: tuple[PartyRef, PartyRef]
    bindings: tuple[Binding, ...]
    signals: Mapping[str, Channel]
    """Channel for MSH signals (Acknowledgment, MessageError), by the *sender's* party id."""
    remarks: tuple[Remark, ...] = ()
    """What is wrong or unwise in it, by the table of `gateway.cpa_rules`."""

    def other(self, party_id: str) -> PartyRef:
        """Return the counterpart of `party_id`; raise UnknownAgreement for a stranger."""
        a, b = self.parties
        if party_id == a.id:
            return b
        if party_id == b.id:
            return a
        raise UnknownAgreement("agreement.party", "party is not in the agreement")

    def binding(self, sender: str, service: str, action: str) -> Binding:
        """Return the binding for what `sender` sends; raise UnknownAgreement when there is none."""
        for binding in self.bindings:
            if (binding.sender.id, binding.service, binding.action) == (sender, service, action):
                return binding
        raise UnknownAgreement(
            "agreement.action", "agreement has no such service and action for this sender"
        )

    def find(self, sender: str, action: str) -> tuple[Binding, ...]:
        """Return the bindings by which `sender` may send `action`, whatever the service."""
        return tuple(b for b in self.bindings if (b.sender.id, b.action) == (sender, action))

    def in_force(self, at: datetime) -> bool:
        """Tell whether the agreement is agreed upon and within its period."""
        return self.status in {"agreed", "signed"} and self.start <= at < self.end


# --- the gate -------------------------------------------------------------------------


class GateReason(StrEnum):
    """Kind of ground on which a message is held (domain 9.1.3)."""

    INDIVIDUAL = "individueel"
    UNCLASSIFIED = "niet-geclassificeerd"
    UNCLEAR = "onduidelijk"
    NO_STANDING_APPROVAL = "geen-doorlopende-toestemming"
    INVESTIGATION = "lopend-onderzoek"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A line counts only where the element beside it holds one of these texts, or none of them.

    Where there is no such element, it counts.
    """

    name: str
    texts: frozenset[str]
    among: bool
    """False = counts where it holds another text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationRule:
    """One line of the classification table: an element whose content is criminal data."""

    id: str
    message: str
    path: str
    """Local names from the root, `/`-separated: `object/betreft/gerelateerde/aanhouding`."""
    condition: str = "filled"
    """`filled`: holds text. `not:a,b`: text other than these (whatever their case)."""
    beside: Beside | None = None
    nature: Nature = Nature.DATA
    category: str = ""
    """Kind of data; a standing approval and a second officer go by it."""
    mode: Mode = Mode.INDIVIDUAL
    reason: str = ""
    """Why it counts, in Dutch, shown to officer and sender."""
    wpg_artikel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermList:
    """Words that make free text count."""

    name: str
    terms: tuple[str, ...]
    """Whole words, whatever their case; `aanhoud*` is the beginning of a word."""
    receivers: frozenset[Oin] | None = None
    """None = whoever receives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationTable:
    """The table of one version. A message that it does not name is held."""

    version: str
    messages: frozenset[str]
    """Messages that the table classifies; all others are unclassified."""
    koppelvlak: frozenset[str] = frozenset()
    """Versions of the koppelvlak that it was written for. In another one a field may have moved:
    its messages are unclassified."""
    versions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Messages that it was written for in other versions than `koppelvlak`."""
    exempt: frozenset[str] = frozenset()
    """Messages that carry no such data by their nature (Bv01Bericht, Fo01Bericht)."""
    rules: tuple[ClassificationRule, ...] = ()
    terms: tuple[TermList, ...] = ()
    free_text: frozenset[Oin] = frozenset()
    """Receivers for whom filled free text counts, whatever it says."""

    def knows(self, message: str, version: str) -> bool:
        """Tell whether it classifies the message in this version of the koppelvlak."""
        return message in self.messages and version in self.versions.get(message, self.koppelvlak)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a standing approval asks of the receiver."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingApproval:
    """A doorlopende toestemming of the OM: which messages pass without an individual decision."""

    id: str
    agreement: str = ""
    """Convenant between police and receivers in which it was laid down."""
    given_by: str
    """Name and function of the officer."""
    ground: str
    messages: frozenset[str]
    receivers: frozenset[Oin]
    wpg_artikelen: frozenset[str]
    valid_from: datetime
    valid_until: datetime
    categories: frozenset[str] = frozenset()
    """Categories of data with mode `doorlopend` that it covers; without any, none."""
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleException:
    """An agreement on Wpg 19 or 20 with the ground of Bpg 4:5 (domain 9.1.4).

    Data under these articles are put to an officer, where they are refused elsewhere.
    """

    id: str
    given_by: str
    ground: str
    messages: frozenset[str]
    receivers: frozenset[Oin]
    wpg_artikelen: frozenset[str]
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What a delivery may stand on at one moment; nothing by itself."""

    approvals: frozenset[str] = frozenset()
    """Ids of standing approvals."""
    table: str = ""
    """Version of the classification table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The signed word of an officer of the OM on table and approvals (domain 9.1.5)."""

    id: str
    sha256: str
    """Hex, over the octets of the file."""
    police: Oin
    signer: Oin
    """The OM: the party that signed it."""
    table_version: str
    officer: str
    """Name and function."""
    taken_at: datetime
    valid_until: datetime
    """End, not included: of the confirmation, or of the certificate that signed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the OM has laid down; empty allows nothing."""

    table: ClassificationTable
    approvals: tuple[StandingApproval, ...] = ()
    exceptions: tuple[ArticleException, ...] = ()
    revoked: frozenset[str] = frozenset()
    """Standing approvals that were withdrawn: they cover nothing."""
    confirmation: Confirmation | None = None
    """None = nobody confirmed it, so nothing of it counts."""
    fault: str = ""
    """Dotted code of why there is no confirmation."""

    def is_om(self, party: "Party") -> bool:
        """Tell whether this is the OM: by its own word where there is one, also one that ended.

        The role alone stands in a file that no OM has signed.
        """
        word = self.confirmation
        return party.role is Role.OM and (word is None or word.signer == party.oin)

    def at(self, moment: datetime) -> "Gate":
        """Return what is in force: this while it is confirmed, then a gate that lets nothing by."""
        confirmation = self.confirmation
        if confirmation is not None and moment < confirmation.valid_until:
            return self
        return CLOSED

    @property
    def standing(self) -> tuple[StandingApproval, ...]:
        """The approvals that were not withdrawn."""
        return tuple(a for a in self.approvals if a.id not in self.revoked)

    def in_force(self, at: datetime) -> InForce:
        """Return what counts at this moment."""
        gate = self.at(at)
        lasting = (a.id for a in gate.standing if a.valid_from <= at < a.valid_until)
        return InForce(approvals=frozenset(lasting), table=gate.table.version)


CLOSED = Gate(table=ClassificationTable(version="", messages=frozenset()))
"""Holds everything that the police sends to anyone but the OM."""


# --- trust ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Anchors and revocation lists, DER."""

    anchors: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what comes in. All in octets unless said."""

    wire_bytes: int = 72_000_000
    """HTTP body over ebMS: 35 MB payload, base64 and encryption growth twice over."""
    payload_bytes: int = 35_000_000
    """Decrypted XML payload (domain 1.7, 9.5)."""
    parts: int = 10
    header_bytes: int = 64_000
    """SOAP envelope."""
    clock_skew: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The snapshot. Build a new one for every change; never change one."""

    epoch: int
    fingerprint: str
    """Hex SHA-256 over all that it was loaded from."""
    me: Oin
    """The party that this installation signs as on its agreements."""
    parties: Mapping[Oin, Party]
    agreements: Mapping[str, Agreement]
    catalogue: Catalogue
    services: Mapping[str, str]
    """eb:Service of an agreement → version of the koppelvlak (domain 9.2.3)."""
    gate: Gate
    trust: Trust
    backends: tuple[Backend, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    calling: WebhooksSettings = field(default_factory=lambda: WebhooksSettings.model_validate({}))
    """How webhooks are called."""
    mail: OwnMail | None = None
    """None = nothing goes by e-mail."""
    mailbox: OwnMailbox | None = None
    """None = nothing comes by e-mail."""
    deciding: ToetsSettings = field(default_factory=lambda: ToetsSettings.model_validate({}))
    """Who decides at the OM gate, and how."""
    officers: tuple[OfficerSettings, ...] = ()
    """Who may decide here."""
    client_trust: Trust | None = None
    """For certificates of back-ends; None = the same as for partners."""
    suspended: frozenset[Oin] = frozenset()
    limits: Limits = field(default_factory=Limits)
    packs: Mapping[str, SchemaPack] = field(default_factory=dict)
    """Those that an activation names."""
    activations: Activations = field(default_factory=Activations)

    @property
    def backend_trust(self) -> Trust:
        """Return what certificates of back-ends must chain to."""
        return self.trust if self.client_trust is None else self.client_trust

    def party(self, oin: str) -> Party | None:
        """Return the party, or None."""
        return self.parties.get(Oin(oin))

    def name(self, oin: str) -> str:
        """Return what a party is called; its OIN where it is not known."""
        found = self.party(oin)
        return oin if found is None else found.name

    def decider(self, party: Oin) -> Party | None:
        """Return who decides on what `party` holds here, or sent here; None when nobody can."""
        asked = self.parties.get(party)
        if asked is not None and asked.gate is GateMode.HERE:
            return self.parties.get(self.me)
        if self.deciding.om is not None:
            found = self.parties.get(Oin(self.deciding.om))
            return found if found is not None and self.gate.is_om(found) else None
        officers = [p for p in self.parties.values() if self.gate.is_om(p)]
        return officers[0] if len(officers) == 1 else None

    def agreement(self, cpa_id: str, *, at: datetime) -> Agreement:
        """Return the agreement in force; raise UnknownAgreement."""
        found = self.agreements.get(cpa_id)
        if found is None:
            raise UnknownAgreement("agreement.unknown", "CPAId is not known here")
        if not found.in_force(at):
            raise UnknownAgreement("agreement.not_in_force", "agreement is not in force")
        return found

    def between(self, a: str, b: str, *, at: datetime) -> tuple[Agreement, ...]:
        """Return the agreements in force between two parties, newest start first."""
        wanted = {PartyRef(a, OIN_TYPE), PartyRef(b, OIN_TYPE)}
        found = (g for g in self.agreements.values() if set(g.parties) == wanted and g.in_force(at))
        return tuple(sorted(found, key=lambda g: (g.start, g.cpa_id), reverse=True))
