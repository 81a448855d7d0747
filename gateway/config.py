"""The settings of one installation: `gateway.toml`. Unknown keys stop the start.

Secrets never stand here: private keys are files, tokens are SHA-256 digests. Every setting is
described where it is defined; docs/configuration.md is made from these descriptions.
"""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, IPvAnyNetwork

from gateway.config_algorithms import PartyExceptionSettings
from gateway.config_mail import EmailSettings, PartyMailSettings, PortalSettings
from gateway.credentials import Scope, SignIn, UserRole
from gateway.errors import Severity
from gateway.toml import Section, Sha256Text

NAME = "gateway.toml"

OinText = Annotated[str, Field(pattern=r"^[0-9]{20}$")]
PartyId = Annotated[str, Field(pattern=r"^[0-9]{20}(_(O|T|A|OTA))?$")]
"""An OIN; outside production with the suffix of its environment (DK-ebMS2, PartyId)."""
Port = Annotated[int, Field(ge=0, le=65535)]


class InstallationRole(StrEnum):
    KNOOPPUNT = "knooppunt"
    AANSLUITPUNT = "aansluitpunt"


class ProcessRole(StrEnum):
    """What a process does of its installation. Without a choice it does all three."""

    WEB = "web"
    """Listens to partners and back-ends."""
    WORKER = "worker"
    """Delivers."""
    SEALER = "sealer"
    """Keeps house: destroys what is due, makes and ends keys. One at a time."""


class Environment(StrEnum):
    PRODUCTIE = "productie"
    ACCEPTATIE = "acceptatie"
    TEST = "test"


class WebhookEvent(StrEnum):
    """What a back-end can be told of."""

    WAITING = "postvak.nieuw"
    STATUS = "bericht.status"
    TEST = "webhook.proef"
    """On request only; needs no subscription."""


class Listener(Section):
    """One address to listen on."""

    host: str = Field("127.0.0.1", description="Address to bind.")
    port: Port = Field(description="TCP port; 0 picks a free one.")


class TlsListener(Listener):
    """A listener with TLS 1.2 or newer."""

    certificate: Path = Field(description="Server certificate, PEM, with its chain.")
    key: Path = Field(description="Private key of that certificate, PEM, mode 0600.")


class PeopleListener(TlsListener):
    """For browsers, straight or behind a reverse proxy."""

    proxies: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description="Addresses or networks of the reverse proxies in front: what they say in "
        "X-Forwarded-For is who calls. Empty = nobody is believed. Behind a proxy that is not "
        "named here all callers share one address, and so its limit on failed sign-ins.",
    )


class EbmsListener(TlsListener):
    """The endpoint that the agreements name."""

    path: str = Field("/ebms", pattern="^/[!-~]*$", description="Path of the endpoint's URL.")


class Listen(Section):
    """Where the installation listens."""

    ebms: EbmsListener = Field(description="Digikoppeling ebMS2, mutual TLS.")
    api: TlsListener | None = Field(
        None, description="REST interface of back-end systems; left out = none (a knooppunt)."
    )
    console: PeopleListener | None = Field(
        None, description="Console for people, in a browser; left out = none."
    )
    portal: PeopleListener | None = Field(
        None,
        description="Portal for persons of partners who get e-mail, in a browser; left out = none. "
        "The only listener beside ebMS2 that partners reach.",
    )
    beheer: Listener = Field(
        description="Health and metrics, plain HTTP; keep it on loopback or a closed network."
    )


class Paths(Section):
    """Files and folders, relative to gateway.toml."""

    database: Path = Field(
        Path("data/gateway.db"), description="SQLite database, where [database] names no server."
    )
    epoch_keys: Path = Field(
        Path("data/epochs"),
        description="Keys that wrap payload keys; back them up apart from the database, or never.",
    )
    keys: Path = Field(Path("keys"), description="Private keys, PEM, mode 0600.")
    anchors: Path = Field(
        Path("trust/anchors"), description="Trust anchors (self-signed), PEM or DER."
    )
    intermediates: Path = Field(
        Path("trust/intermediates"), description="CAs below the anchors, PEM or DER."
    )
    crls: Path = Field(Path("trust/crls"), description="Revocation lists, PEM or DER.")
    backend_trust: Path | None = Field(
        None,
        description="Folder with `anchors`, `intermediates` and `crls` of the CAs that issue "
        "client certificates to back-ends; left out = the three above.",
    )
    agreements: Path = Field(Path("agreements"), description="CPAs, one XML file each.")
    schemas: Path | None = Field(
        None, description="Folder with the XSDs of the catalogue; left out = the built-in."
    )
    packs: Path = Field(
        Path("data/packs"),
        description="Schema packs, and activations.toml; `gateway schemas` keeps them.",
    )
    catalogue: Path | None = Field(None, description="Message catalogue; left out = the built-in.")
    classification: Path | None = Field(
        None, description="Classification table of the OM gate; left out = the built-in."
    )
    approvals: Path | None = Field(
        None, description="Standing approvals (doorlopende toestemmingen); left out = none."
    )
    confirmation: Path | None = Field(
        None,
        description="Signed confirmation by the OM of both files above, at the politie or a "
        "knooppunt with a gate; `gateway toetsing` makes and places it. Left out, or not there "
        "yet = everything that the gate is for is held.",
    )


class DatabaseSettings(Section):
    """A PostgreSQL server instead of the SQLite file: for more than one process or machine."""

    url: str | None = Field(
        None,
        pattern="^postgres(ql)?://",
        description="postgresql://user@host:port/name?sslmode=verify-full; left out = the "
        "SQLite file of paths.database. Without a password.",
    )
    password_file: Path | None = Field(
        None,
        description="File with the password, mode 0600; left out = PGPASSWORD, PGPASSFILE or none.",
    )
    writers: int = Field(2, ge=1, le=16, description="Connections per process that write.")


class LogSettings(Section):
    """Logging, to standard error."""

    vorm: str = Field("json", pattern="^(json|terminal)$", description="json or terminal.")
    niveau: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least severe level to log."
    )


class WorkerSettings(Section):
    """Pace of the deliveries."""

    concurrency: int = Field(16, ge=1, le=256, description="Deliveries under way at once.")
    longest_wait_seconds: float = Field(
        5.0, gt=0, le=60, description="Longest pause between two looks at the queue."
    )
    trouble_wait_seconds: float = Field(
        1.0, gt=0, le=60, description="Pause after the store failed."
    )
    grace_seconds: float = Field(
        10.0, ge=0, description="How long a stop waits for requests and deliveries under way."
    )
    lease_seconds: float = Field(
        30.0, ge=1, le=600, description="Silence after which the work of a process is put back."
    )
    postvak_lease_seconds: int = Field(
        300, ge=1, description="How long a back-end has to confirm before a message is shown again."
    )


class LimitSettings(Section):
    """Bounds on what comes in."""

    wire_bytes: int = Field(
        72_000_000,
        ge=1_000,
        description="Octets of an HTTP body over ebMS2. A request to the OM that carries the "
        "largest payload takes 16/9 of `payload_bytes` and 3 MB.",
    )
    payload_bytes: int = Field(
        35_000_000, ge=1_000, description="Octets of a decrypted XML document."
    )
    header_bytes: int = Field(64_000, ge=1_000, description="Octets of a SOAP envelope.")
    parts: int = Field(10, ge=1, le=100, description="MIME parts of one message.")
    clock_skew_seconds: int = Field(
        300, ge=0, le=3_600, description="How far the clock of a partner may be ahead."
    )
    requests: int = Field(512, ge=1, description="Bodies that are read at once, per listener.")
    memory_bytes: int = Field(
        400_000_000,
        ge=1_000,
        description="Octets of all bodies in hand at once, in or out, per listener.",
    )
    partner_requests: int = Field(
        32,
        ge=1,
        description="Messages of one partner (one certificate) that are read and handled at once, "
        "per process.",
    )
    partner_memory_bytes: int = Field(
        200_000_000,
        ge=1_000,
        description="Octets of all messages of one partner in hand at once, per process; not less "
        "than `wire_bytes`.",
    )
    backend_per_minute: int = Field(
        6_000, ge=1, description="Requests per minute of one back-end, per process."
    )
    backend_burst: int = Field(
        300, ge=1, description="Requests that a back-end may make at once after a rest."
    )
    backend_requests: int = Field(
        32, ge=1, description="Requests of one back-end that are handled at once, per process."
    )
    backend_polls: int = Field(
        8, ge=1, description="Requests of one back-end that wait for news at once, per process."
    )
    backend_memory_bytes: int = Field(
        150_000_000,
        ge=1_000,
        description="Octets of all bodies of one back-end in hand at once, in or out, per process.",
    )
    signin_failures_per_minute: int = Field(
        30,
        ge=1,
        description="Failed sign-ins per minute from one address (of IPv6 its /64), per process, "
        "before it has to wait.",
    )


class RetentionSettings(Section):
    """How long things are kept. Nothing is destroyed that a delivery may still need."""

    relayed_hours: int = Field(
        23,
        ge=0,
        le=23,
        description="Payload and signed envelope after the last leg was confirmed, and everything "
        "delivered at a knooppunt. The law says 24 (Regeling JK Jeugdwet art. 4 lid 1); one hour "
        "is left for the housekeeping.",
    )
    received_hours: int = Field(
        24, ge=0, le=8_760, description="Payload after a back-end confirmed or refused it."
    )
    answered_hours: int = Field(
        24, ge=0, le=8_760, description="Payload that was handed in, after its Bv01 or Fo01 came."
    )
    unanswered_hours: int = Field(
        720, ge=0, le=8_760, description="The same when it arrived and no answer ever came."
    )
    undelivered_hours: int = Field(
        24,
        ge=0,
        le=8_760,
        description="Payload of what was given up, or refused by a partner, from that moment.",
    )
    traffic_days: int = Field(
        180,
        ge=1,
        le=183,
        description="Knooppunt: traffic data, from the receipt (art. 4 lid 2: at most 6 months). "
        "`gateway doctor` counts what is older; nothing removes it yet.",
    )
    decision_days: int = Field(
        1_461,
        ge=1_461,
        le=7_305,
        description="Requests to officers and decisions, with names and grounds, after they were "
        "closed or are not valid any more: 4 years (Wjsg art. 39j lid 1, Wpg art. 25 lid 1).",
    )
    rewrap_hours: int = Field(
        36,
        ge=26,
        le=168,
        description="Age of an epoch key at which what still lives under it is wrapped anew.",
    )
    backup_hours: int = Field(
        24,
        ge=0,
        le=168,
        description="How long an epoch key stays that wraps nothing any more, so that what still "
        "lived in a backup can be read after a restore. 0 = not at all.",
    )
    orphan_minutes: int = Field(
        60,
        ge=30,
        description="Age at which octets that no message refers to are destroyed; longer than "
        "any message takes from its first octet to its commit.",
    )


class AlarmSettings(Section):
    """From when on time alone raises an alarm."""

    partner_down_minutes: int = Field(
        15, ge=1, description="How long a partner may be unreachable before it is an alarm."
    )
    unconfirmed_part: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Part of its lifetime after which a message without acknowledgement is one.",
    )
    answer_hours: int = Field(48, ge=1, description="How long a receiver has for its Bv01 or Fo01.")
    postvak_hours: int = Field(
        24, ge=1, description="How long a back-end has to collect and confirm."
    )
    certificate_days: tuple[Annotated[int, Field(ge=1, le=730)], ...] = Field(
        (60, 30, 7),
        description="Days before the end of a certificate at which it becomes one, each time anew; "
        "[] = only when it has ended.",
    )
    crl_hours: int = Field(
        12,
        ge=0,
        le=720,
        description="Hours before the next revocation list is due from which it is one; 0 = only "
        "when it is stale.",
    )
    disk_free_mb: int = Field(
        1_000,
        ge=0,
        description="Free megabytes on the disk of a SQLite database below which it is one; "
        "0 = never.",
    )


class WebhooksSettings(Section):
    """Calls to back-ends (webhooks): where to, how, and for how long."""

    toegestaan: tuple[str, ...] = Field(
        (),
        description="What may be called: `host:port` (public addresses of that name), "
        "`address:port`, or a network such as `10.1.2.0/24`; empty = nothing.",
    )
    ca: Path | None = Field(
        None,
        description="CAs that a receiver's certificate may be of, PEM; left out = the system's.",
    )
    certificate: Path | None = Field(
        None, description="Client certificate to show, PEM; left out = none."
    )
    key: Path | None = Field(None, description="Private key of that certificate, PEM, mode 0600.")
    in_flight: int = Field(4, ge=1, le=32, description="Calls under way at once, per webhook.")
    connect_seconds: float = Field(
        5.0, gt=0, le=30, description="How long look-up, TCP and TLS may take together."
    )
    total_seconds: float = Field(15.0, gt=0, le=60, description="How long a whole call may take.")
    disable_after_hours: int = Field(
        72, ge=1, le=720, description="Failing for so long switches a webhook off, with an alarm."
    )
    keep_hours: int = Field(
        168,
        ge=1,
        le=2_160,
        description="Age at which an event that was never taken is dropped and counted; not less "
        "than disable_after_hours.",
    )
    unsafe_http_loopback: bool = Field(
        default=False,
        description="Unsafe: true allows plain http to this machine. Only where omgeving = test.",
    )


class WebhookSettings(Section):
    """Where this back-end is told that something changed. It gets ids and states, no content."""

    naam: str = Field(
        pattern="^[a-z0-9][a-z0-9-]{0,63}$", description="Its id in the API; no two have the same."
    )
    url: str = Field(min_length=1, description="https URL; [webhooks] toegestaan must allow it.")
    secret_files: tuple[Path, ...] = Field(
        min_length=1,
        max_length=2,
        description="Files with its secret (whsec_…), mode 0600; two while one replaces the "
        "other: both sign.",
    )
    gebeurtenissen: tuple[WebhookEvent, ...] = Field(
        min_length=1, description="postvak.nieuw, bericht.status, or both."
    )
    applicaties: tuple[str, ...] = Field(
        min_length=1, description="Applicaties of the back-end that it is told about."
    )


class PartyRuleSettings(Section):
    """A business rule that is milder or stricter for the messages that this party hands over."""

    regel: str = Field(
        pattern="^[A-Z]{2}-[0-9]{3}$",
        description="Id of the rule, for example `JZ-005`; docs/berichten has them all.",
    )
    ernst: Severity = Field(
        Severity.WARN,
        description="waarschuwing: the message passes, the finding is recorded. weigering: it is "
        "refused. Rules that protect who sends to whom can not be made milder.",
    )
    tot: date | None = Field(
        None,
        description="Last day on which it holds, by the Dutch calendar; left out = until changed.",
    )


class GateMode(StrEnum):
    """What a knooppunt does at the OM gate with what a party sends."""

    NONE = "geen"
    """Nothing: the gate stands at the party's own access point."""
    DECISION = "besluit"
    """A second gate: what the table names passes with a decision of the OM on the same octets."""
    HERE = "hier"
    """The gate itself: the party has none, and the OM decides at the knooppunt."""


class Canonical(StrEnum):
    """How what is signed for a party is canonicalised."""

    EXCLUSIVE = "exclusief"
    """As DK-ebMS2 has it."""
    INCLUSIVE = "inclusief"
    """For an adapter that reads nothing else."""


class PartySettings(Section):
    """A party in the chain."""

    oin: PartyId = Field(
        description="Its eb:PartyId: the OIN, outside production with _O, _T, _A or _OTA behind it."
    )
    naam: str = Field(min_length=1, description="Name of the organisation.")
    rol: str = Field(
        description="politie, veilig-thuis, om, rvdk, reclassering, halt, gemeente, knooppunt."
    )
    applicaties: tuple[str, ...] = Field(
        (), description="Names in zender/applicatie and ontvanger/applicatie; empty = none."
    )
    mandaten: tuple[OinText, ...] = Field(
        (), description="OINs of certificate holders that may act for this party."
    )
    opgeschort: bool = Field(
        default=False, description="True: nothing is taken from or sent to it."
    )
    canonicalisatie: Canonical = Field(
        Canonical.EXCLUSIVE,
        description="How what is signed for it is canonicalised: exclusief (DK-ebMS2), or "
        "inclusief for an adapter that reads nothing else. What it signs itself may be either.",
    )
    regels: tuple[PartyRuleSettings, ...] = Field(
        (), description="Rules that count otherwise for it."
    )
    uitzonderingen: tuple[PartyExceptionSettings, ...] = Field(
        (), description="What it may still use that Digikoppeling forbids."
    )
    email: PartyMailSettings | None = Field(None, description="Left out = no e-mail to it.")
    toets: GateMode = Field(
        GateMode.NONE,
        description="At a knooppunt, for a politie: geen, besluit (what the table names passes "
        "with a decision of the OM only) or hier (held here, and decided here).",
    )


class ParketSettings(Section):
    """A parket of the OM, and which requests it gets."""

    naam: str = Field(min_length=1, max_length=128, description="Name of the parket.")
    politie: tuple[PartyId, ...] = Field(
        (), description="Police whose requests it gets; empty = any."
    )
    applicaties: tuple[str, ...] = Field(
        (), description="Systems (zender/applicatie) whose requests it gets; empty = any."
    )
    waarneming: tuple[str, ...] = Field(
        (), description="Other parketten whose officers may decide for it now."
    )


class ToetsSettings(Section):
    """The OM gate: who decides, and how long that may take."""

    om: PartyId | None = Field(
        None, description="The party that decides; left out = the only one with the role om."
    )
    momenten: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (0.5, 0.75, 0.9),
        description="Parts of its time after which what is held warns, escalates, and alarms.",
    )
    besluit_uren: int = Field(
        72, ge=1, le=744, description="Hours that a decision is valid, unless the officer says."
    )
    neem_minuten: int = Field(
        30, ge=1, le=1_440, description="How long a request is with the officer who took it."
    )
    parketten: tuple[ParketSettings, ...] = Field(
        (), description="Parketten, the first that fits gets a request; none = one for all."
    )
    piket: tuple[str, ...] = Field(
        (), description="Ids of officers who may decide for every parket."
    )
    tweede_officier: tuple[str, ...] = Field(
        (), description="Categories of the table of which a second officer confirms a release."
    )


class OauthSettings(Section):
    """OAuth 2.0 client credentials with a signed JWT (RFC 7523). Without keys it is off."""

    keys: tuple[Path, ...] = Field(
        (),
        description="Private keys on P-256 that sign access tokens, PEM, mode 0600: the first one "
        "signs, all verify. Not in the folder of paths.keys.",
    )
    issuer: str | None = Field(
        None,
        pattern="^https://[!-~]+[^/]$",
        description="URL of the API as back-ends know it, up to and with /api/v1; the `aud` of "
        "their JWTs, and `iss` and `aud` of access tokens.",
    )
    token_seconds: int = Field(300, ge=60, le=900, description="How long an access token is valid.")
    used: Path = Field(
        Path("data/assertions"),
        description="Folder that remembers which JWTs were used, for five minutes; all processes "
        "of the installation share it.",
    )


class TokenSettings(Section):
    """A Bearer token; two side by side for a rotation. `gateway token` makes them."""

    sha256: Sha256Text = Field(description="SHA-256 of the token, hex.")
    geldig_tot: AwareDatetime | None = Field(
        None, description="End, with its zone; not included. Left out = no end (doctor warns)."
    )
    scopes: tuple[Scope, ...] = Field(description="What it lets do; empty = nothing.")


class CertificateSettings(Section):
    """A TLS client certificate: by `sha256`, or by `serienummer` and `cn` together."""

    sha256: Sha256Text | None = Field(
        None, description="SHA-256 of the certificate (DER), hex; see `gateway certs show`."
    )
    serienummer: str | None = Field(
        None, min_length=1, description="subject.serialNumber; with PKIoverheid the OIN."
    )
    cn: str | None = Field(None, min_length=1, description="subject.commonName.")
    scopes: tuple[Scope, ...] = Field(description="What it lets do; empty = nothing.")


class ClientKeySettings(Section):
    """Public keys that verify the JWTs of the back-end, if [oauth] is on."""

    bestand: Path = Field(
        description="JWKS, or one public key or certificate in PEM: RSA of 2048 bits or more "
        "(PS256) or EC on P-256 (ES256)."
    )
    scopes: tuple[Scope, ...] = Field(description="What it lets do; empty = nothing.")


class OfficerSettings(Section):
    """An officer of the OM who may decide, in the OM's own installation (or the knooppunt)."""

    id: str = Field(
        pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Its id in decisions and audit."
    )
    naam: str = Field(min_length=1, max_length=128, description="Name.")
    functie: str = Field(min_length=1, max_length=128, description="Function.")
    mandaat: str = Field(
        min_length=1, max_length=128, description="On what the authority to decide rests."
    )
    parket: str = Field(min_length=1, max_length=128, description="Parket.")
    van: date = Field(description="First day of the mandate, by the Dutch calendar.")
    tot: date | None = Field(
        None, description="Last day of the mandate, by the Dutch calendar; left out = no end."
    )


class ContactSettings(Section):
    """Whom integrators ask; it stands in the OpenAPI document, which anybody may read."""

    name: str = Field(min_length=1, description="Name of the department.")
    email: str = Field(pattern="^[^@ ]+@[^@ ]+$", description="Its e-mail address.")
    url: str = Field(pattern="^https://", description="Page with more.")


class OidcSettings(Section):
    """Sign-in to the console at an OpenID provider: code flow with PKCE (docs/console.md)."""

    naam: str = Field(
        "uw organisatie",
        min_length=1,
        max_length=64,
        description="Name of the provider, on the button: `Aanmelden met …`.",
    )
    issuer: str = Field(
        pattern="^https://[!-~]+$",
        max_length=255,
        description="Issuer; its discovery document names the rest.",
    )
    client_id: str = Field(min_length=1, description="Id of the console there.")
    client_key_file: Path | None = Field(
        None,
        description="Private key of the console, PEM, P-256 or RSA, mode 0600: `private_key_jwt`.",
    )
    client_secret_file: Path | None = Field(
        None,
        description="File with a secret, mode 0600: `client_secret_basic`, where the provider "
        "takes no key. One of the two.",
    )
    ca: Path | None = Field(
        None, description="CAs that its certificate may be of, PEM; left out = the system's."
    )
    scopes: tuple[str, ...] = Field(
        ("openid", "profile"), description="Scopes that are asked; `openid` is one of them."
    )
    claim: str = Field(
        "roles",
        min_length=1,
        description="Claim of the ID token with the roles; dots lead into objects.",
    )
    rollen: dict[str, UserRole] = Field(
        default_factory=dict, description="Value of the claim → role here; empty = nobody comes in."
    )
    officier_claim: str = Field(
        "sub", min_length=1, description="Claim of the ID token that says which officer it is."
    )
    officieren: dict[str, str] = Field(
        default_factory=dict, description="Value of that claim → id in [[officieren]]."
    )
    login_claim: str | None = Field(
        None,
        min_length=1,
        description="Claim with the login of an account that waits for its first sign-in; left out "
        "= only who a beheerder linked comes in.",
    )
    aanmaken: bool = Field(
        default=False,
        description="Add an account, with the login of login_claim, for who has none.",
    )
    acr: tuple[str, ...] = Field((), description="Values of `acr` that stand for two factors.")
    amr: tuple[str, ...] = Field(
        (),
        description="Values of `amr` of which one must be there, for example `mfa`. Where acr and "
        "amr are both given both count; one of them is required.",
    )
    max_age_minutes: int = Field(
        480,
        ge=1,
        le=720,
        description="Age of the session at the provider above which it must ask again who it is.",
    )
    lokaal: bool = Field(
        default=True,
        description="Accounts that are not linked sign in with a password and second factor of "
        "their own: keep one for when the provider is down. False = nobody does.",
    )


class ConsoleSettings(Section):
    """The console: who signs in how, and for how long."""

    url: str | None = Field(
        None,
        pattern="^https://[a-z0-9.-]+(:[0-9]{1,5})?$",
        description="Origin as browsers know it, without a path; required with [listen.console].",
    )
    key: Path = Field(
        Path("secrets/console.key"),
        description="Key that seals second factors and drafts and signs cursors, mode 0600; made "
        "with the first account. Without it nobody signs in: back it up apart from the database.",
    )
    idle_minutes: int = Field(
        15, ge=2, le=60, description="Rest after which a session ends; a user may choose longer."
    )
    session_hours: int = Field(8, ge=1, le=12, description="Longest life of a session.")
    step_up_minutes: int = Field(
        10,
        ge=1,
        le=60,
        description="Age of the second factor above which deciding and administering ask it again.",
    )
    hulp: str = Field(
        "", description="Whom users call, on every page, for example `beheer: 030 123 45 67`."
    )
    theme: Path | None = Field(
        None, description="Stylesheet that overrides the tokens --basis-*; left out = none."
    )
    oidc: OidcSettings | None = Field(None, description="Left out = accounts of its own only.")


class BackendSettings(Section):
    """A back-end system."""

    naam: str = Field(
        min_length=1, description="Name, in audit rows; with OAuth also its client_id."
    )
    partij: PartyId = Field(description="The local party that it works for.")
    applicaties: tuple[str, ...] = Field(description="Applicaties that it may send and collect as.")
    aanmelding: tuple[SignIn, ...] = Field(
        description="How it may sign in, each by itself enough: token, certificaat, jwt, "
        "certificaat+token, certificaat+jwt. Empty = not at all."
    )
    tokens: tuple[TokenSettings, ...] = Field((), description="Its tokens.")
    certificaten: tuple[CertificateSettings, ...] = Field((), description="Its certificates.")
    sleutels: tuple[ClientKeySettings, ...] = Field((), description="Its keys.")
    webhooks: tuple[WebhookSettings, ...] = Field((), description="Where it is told of changes.")
    officieren: tuple[str, ...] = Field(
        (), description="Ids of the officers for whom it may decide; empty = none."
    )


class Settings(Section):
    """All of gateway.toml."""

    naam: str = Field(min_length=1, description="Name of the installation, in logs and claims.")
    rol: InstallationRole = Field(description="knooppunt or aansluitpunt.")
    partij: PartyId = Field(description="PartyId that the installation signs as.")
    omgeving: Environment = Field(Environment.TEST, description="productie, acceptatie or test.")
    listen: Listen = Field(description="Where the installation listens.")
    paths: Paths = Field(default_factory=lambda: Paths.model_validate({}))
    database: DatabaseSettings = Field(default_factory=lambda: DatabaseSettings.model_validate({}))
    log: LogSettings = Field(default_factory=lambda: LogSettings.model_validate({}))
    worker: WorkerSettings = Field(default_factory=lambda: WorkerSettings.model_validate({}))
    limits: LimitSettings = Field(default_factory=lambda: LimitSettings.model_validate({}))
    oauth: OauthSettings = Field(default_factory=lambda: OauthSettings.model_validate({}))
    retention: RetentionSettings = Field(
        default_factory=lambda: RetentionSettings.model_validate({})
    )
    alarms: AlarmSettings = Field(default_factory=lambda: AlarmSettings.model_validate({}))
    email: EmailSettings | None = Field(None, description="Left out = no e-mail is sent.")
    portaal: PortalSettings = Field(default_factory=lambda: PortalSettings.model_validate({}))
    webhooks: WebhooksSettings = Field(default_factory=lambda: WebhooksSettings.model_validate({}))
    toets: ToetsSettings = Field(default_factory=lambda: ToetsSettings.model_validate({}))
    console: ConsoleSettings = Field(default_factory=lambda: ConsoleSettings.model_validate({}))
    contact: ContactSettings | None = Field(None, description="Left out = nobody.")
    diensten: dict[str, str] = Field(
        default_factory=dict,
        description="eb:Service of the agreements → version of the koppelvlak.",
    )
    partijen: tuple[PartySettings, ...] = Field(description="Every party that is known here.")
    backends: tuple[BackendSettings, ...] = Field((), description="Back-end systems.")
    officieren: tuple[OfficerSettings, ...] = Field(
        (), description="Officers of the OM with a mandate to decide."
    )


# --- the other files ------------------------------------------------------------------


class KindSettings(Section):
    """A message of the koppelvlak, in one version."""

    naam: str = Field(min_length=1, description="Root element, which is also the ebMS Action.")
    versie: str = Field(min_length=1, description="Version of the koppelvlak.")
    namespace: str = Field(min_length=1, description="Namespace of the root element.")
    schema_: str | None = Field(
        None,
        alias="schema",
        min_length=1,
        description="Entry XSD, relative to the schema folder; left out = schema packs only.",
    )
    antwoord: bool = Field(default=False, description="True for Bv01 and Fo01.")
    richtingen: tuple[tuple[str, str], ...] = Field(
        (), description="Pairs of roles: who may send it to whom."
    )


class CatalogueFile(Section):
    """`paths.catalogue`: which messages exist."""

    berichten: tuple[KindSettings, ...] = Field(min_length=1, description="The messages.")


class ActivationSettings(Section):
    """A schema pack judges a message of a version, for whom and when."""

    bericht: str = Field(min_length=1, description="Message.")
    versie: str = Field(min_length=1, description="Version of the koppelvlak.")
    partner: PartyId | None = Field(
        None, description="The other party of the agreement; left out = every partner."
    )
    pakket: str = Field(min_length=1, description="Name of the pack.")
    ingang: str = Field(min_length=1, description="XSD within the pack.")
    sha256: Sha256Text = Field(description="Digest of the pack.")
    vanaf: AwareDatetime = Field(description="First moment, with its zone.")
    tot: AwareDatetime | None = Field(
        None, description="End, with its zone, not included; left out = until another takes over."
    )
    door: str = Field(min_length=1, description="Who decided.")
    op: AwareDatetime = Field(description="When that was.")


class ActivationsFile(Section):
    """`activations.toml` in `paths.packs`: which schema pack judges what.

    `gateway schemas` writes it.
    """

    activeringen: tuple[ActivationSettings, ...] = Field((), description="The activations.")
