"""Whether the certificate of a mail server is the one that its domain published or we recorded.

DANE for SMTP (RFC 7672, with RFC 6698 and 7671): usage 3 names the server's own key and nothing
else of the certificate counts; usage 2 names an authority, and then path, period and name count.
Usages 0 and 1 mean nothing for SMTP. The other way is a policy that was recorded for a partner.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from gateway.errors import CertificateRejected, TransportUnproved
from gateway.security.certificates import load, strong_key, thumbprint
from gateway.security.extensions import UNREADABLE
from gateway.security.hosts import covers, hosts

LONGEST_CHAIN = 8
LONGEST_NAME = 253
"""Of a host. What is longer, or no text, is a stranger's and not told on."""
_TA, _EE = 2, 3
_HASHES: Mapping[int, str] = MappingProxyType({1: "sha256", 2: "sha512"})


@dataclass(frozen=True, slots=True, order=True)
class Tlsa:
    """A TLSA record (RFC 6698, 2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes

    def __str__(self) -> str:
        """Return it as zone files have it; long data is cut off."""
        text = self.data.hex()
        shown = text if len(text) <= 128 else f"{text[:128]}…"  # noqa: PLR2004 - SHA-512 in hex
        return f"{self.usage} {self.selector} {self.matching} {shown}"

    def names(self, certificate: x509.Certificate) -> bool:
        """Tell whether it is a record of this certificate or its key."""
        data = certificate.public_bytes(Encoding.DER) if self.selector == 0 else spki(certificate)
        if self.matching:
            return hashlib.new(_HASHES[self.matching], data).digest() == self.data
        return data == self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the server showed in the handshake, nothing of it trusted."""

    chain: tuple[bytes, ...]
    """DER, its own certificate first."""
    at: datetime
    names: tuple[str, ...]
    """Names that the certificate may be of, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What was matched."""

    record: str
    """`3 1 1 <hex>`, `ca <sha256>` or `key <sha256>`."""
    name: str
    """Name of the certificate that counted; empty where none has to."""


def usable(records: Iterable[Tlsa]) -> tuple[Tlsa, ...]:
    """Return the records that mean something for SMTP, of two digests the stronger one only.

    RFC 7672, 3.1.3: usages 0 and 1 do not. RFC 7671, 9: who publishes SHA-512 beside SHA-256
    is held to SHA-512. Raises TransportUnproved `dane.none` when there is no record at all,
    `dane.unusable` when there are only others.
    """
    found = tuple(records)
    if not found:
        raise TransportUnproved("dane.none", "the domain publishes no TLSA record")
    good = [record for record in found if _means_something(record)]
    if not good:
        seen = "; ".join(sorted(str(record) for record in found[:4]))
        raise TransportUnproved("dane.unusable", f"TLSA records that do not count: {seen}")
    best = {(r.usage, r.selector): 0 for r in good}
    for record in good:
        place = (record.usage, record.selector)
        best[place] = max(best[place], record.matching)
    return tuple(sorted(r for r in good if r.matching in (0, best[r.usage, r.selector])))


def _means_something(record: Tlsa) -> bool:
    if record.usage not in (_TA, _EE) or record.selector not in (0, 1):
        return False
    match record.matching:
        case 0:
            return bool(record.data)
        case 1 | 2:
            return len(record.data) == hashlib.new(_HASHES[record.matching]).digest_size
        case _:
            return False


def match_dane(records: Sequence[Tlsa], shown: Shown) -> Match:
    """Return which of the usable records the server's certificate matches.

    Raises CertificateRejected `dane.mismatch`; where an authority matches, `certificate.*` for
    what is wrong below it.
    """
    chain = _load(shown.chain)
    for record in records:
        if record.usage == _EE and record.names(chain[0]):
            return Match(record=str(record), name="")
    authorities = [
        (record, found)
        for record in records
        if record.usage == _TA
        for found in (*chain[1:], *_published(record))
        if record.names(found)
    ]
    if not authorities:
        raise CertificateRejected(
            "dane.mismatch", f"no TLSA record is of this certificate: {thumbprint(shown.chain[0])}"
        )
    name = _good_leaf(chain[0], shown)
    anchor = _path([found for _record, found in authorities], chain, name, shown.at)
    record = next(record for record, found in authorities if found == anchor)
    return Match(record=str(record), name=name)


def _published(record: Tlsa) -> tuple[x509.Certificate, ...]:
    """An authority that stands in the record as a whole, and need not be shown (RFC 7671, 5.2)."""
    return (load(record.data),) if (record.selector, record.matching) == (0, 0) else ()


def match_recorded(anchors: Sequence[bytes], keys: frozenset[str], shown: Shown) -> Match:
    """Return what of the policy recorded for a partner the server's certificate matches.

    Period and name always count. Raises CertificateRejected `certificate.*`, `pin.mismatch`.
    """
    chain = _load(shown.chain)
    name = _good_leaf(chain[0], shown)
    key = hashlib.sha256(spki(chain[0])).hexdigest()
    if key in keys:
        return Match(record=f"key {key}", name=name)
    if not anchors:
        raise CertificateRejected("pin.mismatch", f"another key than was recorded: {key}")
    anchor = _path([load(der) for der in anchors], chain, name, shown.at)
    return Match(record=f"ca {thumbprint(anchor.public_bytes(Encoding.DER))}", name=name)


def spki(certificate: x509.Certificate) -> bytes:
    """Return the public key with its algorithm (SubjectPublicKeyInfo), DER."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _load(chain: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """Parse all of it; what a parser stumbles over later, it stumbles over here."""
    if not 0 < len(chain) <= LONGEST_CHAIN:
        raise CertificateRejected("certificate.malformed", "no certificate, or too many")
    loaded = tuple(load(der) for der in chain)
    try:
        strong = [strong_key(certificate.public_key()) for certificate in loaded]
        for certificate in loaded:
            hosts(certificate)
    except UNREADABLE as error:
        raise CertificateRejected("certificate.malformed", "certificate is not readable") from error
    if not all(strong):
        raise CertificateRejected("certificate.weak_key", "key is too weak or of the wrong kind")
    return loaded


def _good_leaf(leaf: x509.Certificate, shown: Shown) -> str:
    """Return the name that counts; said before the path is, so that an operator sees why."""
    if shown.at < leaf.not_valid_before_utc:
        raise CertificateRejected("certificate.not_yet_valid", "certificate is not valid yet")
    if shown.at > leaf.not_valid_after_utc:
        until = f"{leaf.not_valid_after_utc:%Y-%m-%d}"
        raise CertificateRejected("certificate.expired", f"certificate has expired on {until}")
    theirs = hosts(leaf)
    for name in shown.names:
        if covers(theirs, name):
            return name
    told = [one for one in theirs if len(one) <= LONGEST_NAME and one.isprintable()]
    raise CertificateRejected(
        "certificate.host", f"certificate is of {', '.join(told[:4]) or 'no host'}"
    )


def _path(
    authorities: Sequence[x509.Certificate],
    chain: Sequence[x509.Certificate],
    name: str,
    at: datetime,
) -> x509.Certificate:
    """Return the authority that a path leads to."""
    verifier = (
        PolicyBuilder()
        .store(Store(list(authorities)))
        .time(at)
        .max_chain_depth(LONGEST_CHAIN)
        .build_server_verifier(x509.DNSName(name))
    )
    try:
        return verifier.verify(chain[0], list(chain[1:]))[-1]
    except VerificationError as error:
        raise CertificateRejected("certificate.untrusted", "no path to an anchor") from error
