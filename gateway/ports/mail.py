"""Handing a letter (secure e-mail) to the partner's mail server: what goes in, what comes out.

Nothing of a letter leaves before the transport was proved: envelope and content are said only
to a server whose certificate was checked against what the partner's domain published under
DNSSEC, or against what was recorded for the partner.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.directory import MailWay
from gateway.message import Oin


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message to one partner. It goes to all of its recipients or to none."""

    octets: bytes
    """The whole message (RFC 5322): lines of at most 998 octets, each ends in CRLF."""
    sender: str
    """Envelope sender: where delivery notifications come back. Empty = none are wanted, and nothing
    that the letter brings about comes back (RFC 8098, 3)."""
    recipients: tuple[str, ...]
    """Addresses, all of one domain, at most 100."""
    reference: str
    """Opaque; comes back in delivery notifications (ENVID, RFC 3461). At most 100 of A-Za-z0-9.-"""
    tells_success: bool = True
    """That it is in the mailbox is asked to be told; False = only that it failed or waits."""


CONFIRM = "/bevestig"
"""Path of the portal; the token follows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmLink:
    """By which a person confirms that a letter came, without signing in."""

    digest: str
    """SHA-256 of its token of 256 bits, hex; the token itself stands in the letter only."""
    delivery: str
    recipient: Oin
    until: datetime


class Links(Protocol):
    async def confirm(self, digest: str) -> bool:
        """Close the letter as received, once; False for a link that is none, was used, or is over.

        Raises StoreUnavailable.
        """
        ...


class Basis(StrEnum):
    DANE = "dane"
    PINNED = "vast"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportProof:
    """What was seen of the transport before the first byte; no part of it is personal data."""

    at: datetime
    domain: str
    mx: str
    """Name of the mail server."""
    address: str
    basis: Basis
    record: str
    """What the certificate matched: `3 1 1 <hex>` (TLSA), `ca <sha256>` or `key <sha256>`."""
    name: str
    """Name in the certificate that counted; empty where none has to (DANE-EE)."""
    certificate: str
    """SHA-256 of the server's certificate (DER), hex."""
    tls: str
    """`TLSv1.3 TLS_AES_256_GCM_SHA384`."""
    nta7516: str = ""
    """The record of the domain, where it was agreed."""

    @property
    def dnssec(self) -> bool:
        """Whether MX, addresses and TLSA were validated. Pinned, no name server counts."""
        return self.basis is Basis.DANE


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A mail server that did not take the letter, and why."""

    host: str
    address: str
    """Empty = none was found to connect to."""
    code: str
    seen: str
    """For an operator: what was seen. Never text of the server, which may name a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The partner's mail server took the letter over. It is not yet with a reader."""

    proof: TransportProof
    reply: str
    """Status of the server, for example `250 2.0.0`."""
    notifies: bool
    """The server promised delivery notifications (DSN, RFC 3461): they were asked for."""
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotProved:
    """Nothing was sent: the transport was not proved. Try later, and raise an alarm."""

    code: str
    """Which check failed: `dns.*`, `dane.*`, `nta7516.*`, `smtp.starttls`, `smtp.tls`, …"""
    seen: str
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Certainly not taken over: no server reached, or one that said 4xx. Try later."""

    code: str
    """`smtp.unreachable`, `smtp.timeout`, `smtp.deferred`, …"""
    seen: str
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Refused for good: by the server (5xx), or here before anything was said. Never retry."""

    code: str
    """`smtp.rejected`, `smtp.size`, `mail.address`, …"""
    seen: str
    """Of one recipient that was refused its place: `RCPT 1: 550 5.1.1`."""
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The whole letter was sent and no answer came: never resend by itself, ask a person."""

    code: str
    proof: TransportProof
    notifies: bool
    """A delivery notification can still settle it."""
    tried: tuple[Tried, ...] = ()


Posted = Delivered | NotProved | Deferred | Rejected | Unknown


Leaves = Callable[[TransportProof], Awaitable[None]]
"""Writes down that the letter may leave now, over this transport."""


class Post(Protocol):
    """SMTP to the servers of the recipients' domain, in order of preference.

    Every expected outcome is a value. Raises Misconfigured for our own settings.
    """

    async def send(self, letter: Letter, way: MailWay, leaves: Leaves) -> Posted:
        """Prove the transport, then hand over the letter, once.

        `leaves` is called when all is proved and nothing of the letter itself was said: who is
        cancelled, or dies, behind it knows no more than after `Unknown`. Its StaleSnapshot and
        StoreUnavailable go through, and the letter stays.
        """
        ...
