"""The settings of secure e-mail: our own, and those of a party (docs/e-mail.md)."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gateway.toml import Section, Sha256Text

_MAIL_DOMAIN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$"
MailAddress = Annotated[str, Field(pattern=rf"^[A-Za-z0-9._+-]{{1,64}}@{_MAIL_DOMAIN[1:]}")]


class SmimeSettings(Section):
    """Letters from here: what signs them, and how long they are tried (docs/e-mail.md)."""

    certificaat: Path = Field(
        description="Certificate that signs, PEM, before those of its authorities; its key is in "
        "paths.keys."
    )
    ontvangst_uren: int = Field(
        4, ge=1, le=168, description="How long a receipt is waited for before a person is asked."
    )
    opnieuw_minuten: int = Field(15, ge=1, le=240, description="Minutes between two tries.")
    levensduur_uren: int = Field(48, ge=1, le=168, description="How long is tried.")


class LmtpSettings(Section):
    """Mail that comes in, from the organisation's own mail server by LMTP (docs/e-mail.md).

    It listens on a Unix socket, or on TCP of this machine: LMTP has no authentication.
    """

    socket: Path | None = Field(None, description="Unix socket; left out = `host` and `port`.")
    groep: str = Field(
        "",
        pattern="^([a-z_][a-z0-9_-]{0,31})?$",
        description="Group that may connect to the socket, beside the user of the gateway, who "
        "must be in it; empty = nobody else.",
    )
    host: str = Field("127.0.0.1", description="Loopback address to bind.")
    port: int | None = Field(
        None, ge=0, le=65_535, description="TCP port in place of a socket; 0 picks a free one."
    )
    certificaten: tuple[Path, ...] = Field(
        (),
        description="Certificates that partners encrypt for, PEM, the newest first; their keys "
        "are in paths.keys. Left out = that of [email.smime].",
    )
    most_bytes: int = Field(
        50_000_000, ge=10_000, le=100_000_000, description="Octets of a whole mail."
    )
    connections: int = Field(4, ge=1, le=64, description="Connections at once, per process.")
    mail_seconds: float = Field(
        300.0, gt=0, le=1_800, description="How long one mail may take, from its first command."
    )
    quarantaine_aantal: int = Field(
        500,
        ge=1,
        le=100_000,
        description="Mails that are kept for a person, at most, half of them of senders "
        "that nothing proves; then new ones wait at the mail server.",
    )
    quarantaine_bytes: int = Field(
        500_000_000, ge=100_000, description="Octets of all those together."
    )
    quarantaine_dagen: int = Field(
        30,
        ge=1,
        le=90,
        description="How long they are kept when nobody closes them; what was closed goes after "
        "`retention.received_hours`.",
    )


class DkimSettings(Section):
    """A key of our mail domain, and where its public half stands: DKIM (RFC 6376)."""

    selector: str = Field(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="Its public half stands at SELECTOR._domainkey.DOMAIN.",
    )
    sleutel: Path = Field(
        description="Private key, PEM, mode 0600: RSA of 2048 bits or more, or Ed25519. Not in "
        "paths.keys."
    )


class EmailSettings(Section):
    """Secure e-mail: as whom, which name server is believed, and how patiently (docs/e-mail.md)."""

    domein: str = Field(
        pattern=_MAIL_DOMAIN, description="Our own mail domain; `gateway doctor` looks at it."
    )
    afzender: MailAddress = Field(
        description="Envelope sender of all mail: notifications of delivery come back there, and "
        "with [email.lmtp] mail comes in for it.",
    )
    ehlo: str = Field(
        pattern=_MAIL_DOMAIN, description="Name that the gateway introduces itself by."
    )
    resolver: str = Field(
        "127.0.0.1",
        description="Address of a resolver that validates DNSSEC, on this machine (loopback): its "
        "word decides where mail may go.",
    )
    resolver_port: int = Field(53, ge=1, le=65_535, description="Its TCP port.")
    unsafe_resolver: bool = Field(
        default=False,
        description="Unsafe: true believes a resolver elsewhere. Whoever can change what is on "
        "the way to it decides where mail goes.",
    )
    port: int = Field(
        25,
        ge=1,
        le=65_535,
        description="TCP port of the mail servers of partners; 25 but in tests.",
    )
    dkim: tuple[DkimSettings, ...] = Field(
        (), description="Keys that sign what leaves; each signs, receivers choose."
    )
    most_bytes: int = Field(
        25_000_000, ge=10_000, description="Octets of a whole mail; what is larger does not leave."
    )
    dns_seconds: float = Field(10.0, gt=0, le=60, description="How long one look-up may take.")
    connect_seconds: float = Field(
        15.0, gt=0, le=120, description="How long TCP may take, and again TLS."
    )
    reply_seconds: float = Field(
        120.0, gt=0, le=600, description="How long a mail server has for one reply."
    )
    data_seconds: float = Field(
        600.0,
        gt=0,
        le=1_800,
        description="How long sending a mail may take, and again the reply that it was taken; "
        "without that reply nobody knows, so this is generous (RFC 5321, 4.5.3.2.6).",
    )
    smime: SmimeSettings | None = Field(
        None, description="Left out = nothing can be signed, so no message goes by e-mail."
    )
    lmtp: LmtpSettings | None = Field(None, description="Left out = no mail comes in.")


class PortalSettings(Section):
    """Pages for persons of partners, on a listener of their own (docs/e-mail.md)."""

    url: str | None = Field(
        None,
        pattern="^https://[a-z0-9.-]+(:[0-9]{1,5})?$",
        description="Origin as browsers of partners know it, without a path; required with "
        "[listen.portal]. Another host than that of the console.",
    )
    hulp: str = Field("", description="Whom people of partners call, on every page.")
    bevestiging_dagen: int = Field(
        14,
        ge=1,
        le=60,
        description="How many days the link in a letter can confirm that it was received.",
    )


class MailException(StrEnum):
    """What e-mail to a party may do that is not the rule."""

    CBC = "aes-256-cbc"
    """For mail programs that do not read AES-GCM."""
    CBC_PKCS1 = "aes-256-cbc-rsa-pkcs1"
    """The same, for those that know no RSA-OAEP either."""


class SpoedSettings(Section):
    """A ground "onverwijlde spoed" that stands for named messages to this party.

    Regeling JK Jeugdwet art. 3 lid 1. Without one, a person gives the ground for each message.
    """

    id: str = Field(
        pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Its id in audit rows."
    )
    berichten: tuple[str, ...] = Field(min_length=1, description="Messages that it is for.")
    grond: str = Field(
        min_length=10, max_length=200, description="Why these can not wait; the receiver reads it."
    )
    door: str = Field(
        min_length=1, max_length=128, description="Who laid it down: name and function."
    )
    van: date = Field(description="First day, by the Dutch calendar.")
    tot: date = Field(description="Last day, by the Dutch calendar.")


class PinnedMailSettings(Section):
    """Mail servers of a party whose domain has no DANE, as it gave them; instead of its MX."""

    servers: tuple[str, ...] = Field(min_length=1, description="Names, in order of preference.")
    ca: tuple[Path, ...] = Field((), description="CAs that their certificates may be of, PEM.")
    sleutels: tuple[Sha256Text, ...] = Field(
        (), description="SHA-256 of public keys (SPKI), hex, that count without a CA."
    )


class PartyMailSettings(Section):
    """Secure e-mail to this party; left out = none goes to it."""

    adres: MailAddress = Field(description="Its address.")
    certificaten: tuple[Path, ...] = Field(
        (),
        description="Certificates of the mailboxes behind it, PEM: each gets a key of its own, "
        "and each may sign what comes back. Empty only with portaal.",
    )
    portaal: bool = Field(
        default=False,
        description="True, for a party without certificates: its messages wait at the portal, and "
        "the mail says only that one does.",
    )
    ondertekenaars: tuple[Path, ...] = Field(
        (),
        description="Certificates of what else may sign mail from there, PEM: of its gateway, say.",
    )
    unsafe_versleuteling: MailException | None = Field(
        None,
        description="Unsafe, for mail programs that do not read AES-GCM: aes-256-cbc, or "
        "aes-256-cbc-rsa-pkcs1 for those that know no RSA-OAEP; only the signature inside tells "
        "that it is whole. Left out = AES-256-GCM.",
    )
    nta7516_naam: str = Field(
        "",
        pattern="^([A-Za-z][A-Za-z0-9-]{0,63})?$",
        description="Name of the NTA 7516 header; empty = none.",
    )
    nta7516_waarde: str = Field("", pattern="^[ -~]{0,128}$", description="Value of that header.")
    nta7516: bool = Field(
        default=False,
        description="True: its domain must carry an NTA 7516 record that is valid today.",
    )
    meldingen_sluiten: bool = Field(
        default=True,
        description="False: only what the party signed closes a letter. Left out = a report of "
        "its mail server (DSN) or of a mail program (MDN) that names what only the server was "
        "told does, too.",
    )
    vast: PinnedMailSettings | None = Field(
        None, description="Left out = its MX and DANE, both signed with DNSSEC."
    )
    spoed: tuple[SpoedSettings, ...] = Field(
        (), description="Standing grounds; empty = a person gives one for each message."
    )
