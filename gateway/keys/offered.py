"""What somebody offers to put in place: a certificate with its key, an authority, or a list."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.keys.renewal_texts import refuse
from gateway.security.certificates import load
from gateway.security.extensions import UNREADABLE, extension
from gateway.security.revocation import read_lists

_PEM = b"-----BEGIN"
_PRIVATE = b"PRIVATE KEY-----"


class Target(StrEnum):
    """What a file is offered for."""

    TLS = "tls"
    API = "api"
    CONSOLE = "console"
    PORTAL = "portaal"
    SIGN = "ondertekening"
    ENCRYPT = "versleuteling"
    ANCHOR = "anchor"
    INTERMEDIATE = "intermediate"
    CRL = "crl"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What the files hold: certificates, or one list; and a key."""

    certificates: tuple[bytes, ...] = ()
    """DER; the leaf first."""
    crl: bytes | None = None
    """DER."""
    key: bytes | None = None
    """PEM, not encrypted."""
    where: str = ""

    @property
    def der(self) -> bytes:
        """Return what it is about: the leaf, the authority, or the list."""
        return self.crl if self.crl is not None else self.certificates[0]

    @property
    def leaf(self) -> x509.Certificate:
        """Return the first certificate."""
        return load(self.certificates[0])


# --- reading --------------------------------------------------------------------------


def read(octets: bytes, key: bytes | None, *, where: str) -> Offered:
    """Take files apart: PEM or DER, with or without the key inside.

    Raises CertificateRejected `certs.unreadable`, `certs.key_missing` (when `key` is no key),
    `certs.key_unreadable`, `certs.several_lists`.
    """
    if key is not None and _PRIVATE not in key:
        raise refuse("key_missing", where)
    try:
        if key is None and _PRIVATE in octets:
            key = private_part(octets)
        if b"-----BEGIN X509 CRL-----" in octets:
            return Offered(crl=_only_list(octets, where), where=where)
        if _PEM in octets:
            found = x509.load_pem_x509_certificates(octets)
            ders = tuple(c.public_bytes(Encoding.DER) for c in found)
            return Offered(certificates=_leaf_first(ders), key=key, where=where)
        return _binary(octets, key, where)
    except UNREADABLE as error:
        raise refuse("unreadable", where) from error


def _only_list(octets: bytes, where: str) -> bytes:
    found = read_lists(octets)
    if len(found) > 1:
        raise refuse("several_lists", where)
    return found[0]


def _binary(octets: bytes, key: bytes | None, where: str) -> Offered:
    try:
        certificate = x509.load_der_x509_certificate(octets)
    except UNREADABLE:
        list_ = x509.load_der_x509_crl(octets).public_bytes(Encoding.DER)
        return Offered(crl=list_, where=where)
    return Offered(certificates=(certificate.public_bytes(Encoding.DER),), key=key, where=where)


def holds_key(octets: bytes) -> bool:
    """Tell whether there is a private key in a PEM file."""
    return _PRIVATE in octets


def private_part(octets: bytes) -> bytes:
    """Return the private keys of a PEM file, without what stands around them; may be empty."""
    return b"".join(_blocks(octets, b"PRIVATE KEY"))


def _blocks(octets: bytes, kind: bytes) -> Iterator[bytes]:
    """Yield the PEM blocks whose label ends with `kind`."""
    inside: list[bytes] = []
    for line in octets.splitlines(keepends=True):
        starts = line.startswith(_PEM) and kind + b"-----" in line
        if starts or inside:
            inside.append(line)
        if inside and line.startswith(b"-----END"):
            yield b"".join(inside)
            inside = []


def _leaf_first(ders: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Put the one that is no authority in front, as TLS sends them."""
    return tuple(sorted(ders, key=lambda der: is_authority(load(der))))


def is_authority(certificate: x509.Certificate) -> bool:
    """Tell whether it may issue certificates, by its basic constraints."""
    found = extension(certificate.extensions, x509.BasicConstraints)
    return found is not None and found.ca


def guess(offered: Offered) -> Target:
    """Return what it is for; raise CertificateRejected `certs.use_unclear`."""
    if offered.crl is not None:
        return Target.CRL
    leaf = offered.leaf
    if is_authority(leaf):
        return Target.ANCHOR if leaf.subject == leaf.issuer else Target.INTERMEDIATE
    usage = extension(leaf.extensions, x509.KeyUsage)
    extended = extension(leaf.extensions, x509.ExtendedKeyUsage) or ()
    if ExtendedKeyUsageOID.SERVER_AUTH in extended:
        return Target.TLS
    if usage is not None and usage.key_encipherment and not usage.digital_signature:
        return Target.ENCRYPT
    if usage is not None and usage.content_commitment and not usage.key_encipherment:
        return Target.SIGN
    raise refuse("use_unclear", offered.where)
