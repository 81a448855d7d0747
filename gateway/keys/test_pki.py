"""A hierarchy like PKIoverheid's, for tests and demonstrations. Never for production.

Root → issuing CA → leafs with an OIN in subject.serialNumber (DK-SEC PKI001, PKI005). Every
name begins with `TEST`, so that an installation in production can refuse the root by it. The
moment is an argument: what is made for one moment is the same in every year, keys and serial
numbers apart.
"""

import ipaddress
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.directory import Trust
from gateway.errors import Misconfigured

ROOT_NAME = "TEST Staat der Nederlanden Private Root CA"
ISSUING_NAME = "TEST Private Services CA"
STRANGER_NAME = "TEST Onbekende CA"

BEFORE = timedelta(days=1)
"""Certificates and lists begin this long before the moment of making."""
AUTHORITY_LIFE = timedelta(days=10 * 365)
LEAF_LIFE = timedelta(days=3 * 365)
CRL_LIFE = timedelta(days=365)
"""Long, because nobody makes new lists in a test."""
HOSTS = ("localhost", "127.0.0.1")
AUTHORITY_BITS = 3072
LEAF_BITS = 2048


class LeafUsage(StrEnum):
    """What a leaf is for; PKIoverheid too gives a certificate per use."""

    TLS = "tls"
    """Server and client: `digitalSignature`, both extended usages."""
    SIGN = "sign"
    """`digitalSignature` and `nonRepudiation`."""
    ENCRYPT = "encrypt"
    """`keyEncipherment`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A certificate with its private key."""

    oin: str
    certificate: bytes
    """DER."""
    key: bytes
    """PEM (PKCS#8), not encrypted."""
    issuer: bytes
    """DER of the CA that signed."""

    @property
    def pem(self) -> bytes:
        """Return leaf and issuer as PEM, in the order in which TLS sends them."""
        return pem(self.certificate) + pem(self.issuer)

    def write(self, folder: Path, name: str) -> None:
        """Write `name.pem` and `name.key`, the key 0600; refuse to overwrite either."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(folder / f"{name}.key", self.key, mode=0o600)
        write_new(folder / f"{name}.pem", self.pem)


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


class TestPki:
    """One hierarchy, made for the moment `at` (aware)."""

    __test__ = False

    def __init__(
        self, at: datetime, *, authority_bits: int = AUTHORITY_BITS, crl_life: timedelta = CRL_LIFE
    ) -> None:
        """Make root and issuing CA; each CRL is good until `at` + `crl_life`."""
        self._at = at
        self._bits = authority_bits
        self._crl_life = crl_life
        self._root = self._authority(ROOT_NAME, None)
        self._issuing = self._authority(ISSUING_NAME, self._root)
        self._stranger: _Authority | None = None
        self._revoked: dict[int, datetime] = {}

    @property
    def root(self) -> bytes:
        """Return the anchor, DER."""
        return _der(self._root.certificate)

    @property
    def issuing(self) -> bytes:
        """Return the CA that signs the leafs, DER."""
        return _der(self._issuing.certificate)

    def issue(  # noqa: PLR0913 - what can be wrong with a certificate, each by name
        self,
        *,
        oin: str,
        name: str,
        usage: str = LeafUsage.TLS,
        hosts: Iterable[str] = HOSTS,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        revoked: bool = False,
        key_bits: int = LEAF_BITS,
        curve: ec.EllipticCurve | None = None,
        addresses: Iterable[str] = (),
        unknown_issuer: bool = False,
    ) -> Leaf:
        """Issue a leaf; the arguments behind `hosts` make it a bad one.

        `hosts` (DNS names and IP addresses) counts for TLS only, `addresses` (of mailboxes) for
        the others. With a `curve` the key is on it, else RSA. An empty `oin` leaves
        subject.serialNumber out. `unknown_issuer` signs with a CA outside `trust()`.
        """
        key = _new_key(key_bits, curve)
        issuer = self._unknown() if unknown_issuer else self._issuing
        builder = self._builder(
            _leaf_name(oin, name),
            key.public_key(),
            issuer,
            (not_before or self._at - BEFORE, not_after or self._at + LEAF_LIFE),
        )
        names = _names(LeafUsage(usage), oin, hosts, addresses)
        for extension, critical in _leaf_extensions(LeafUsage(usage), names, curve):
            builder = builder.add_extension(extension, critical=critical)
        certificate = builder.sign(issuer.key, hashes.SHA256())
        if revoked:
            self._revoked[certificate.serial_number] = self._at - BEFORE
        return Leaf(
            oin=oin,
            certificate=_der(certificate),
            key=_key_pem(key),
            issuer=_der(issuer.certificate),
        )

    def revoke(self, leaf: Leaf, *, at: datetime) -> None:
        """Put the leaf on the lists that `crls` makes from now on."""
        serial = x509.load_der_x509_certificate(leaf.certificate).serial_number
        self._revoked[serial] = at

    def crls(
        self, *, at: datetime | None = None, next_update: datetime | None = None
    ) -> tuple[bytes, ...]:
        """Return the lists of root and issuing CA, DER, made at `at`."""
        made = (at or self._at) - BEFORE
        until = next_update or (at or self._at) + self._crl_life
        return (
            _crl(self._root, {}, made, until),
            _crl(self._issuing, self._revoked, made, until),
        )

    def trust(self) -> Trust:
        """Return anchor, issuing CA and the lists as they are now."""
        return Trust(anchors=(self.root,), intermediates=(self.issuing,), crls=self.crls())

    def write(self, folder: Path) -> None:
        """Write the trust as a `trust` folder of an installation; refuse to overwrite.

        `anchors/root.pem`, `intermediates/issuing.pem`, `crls/root.crl`, `crls/issuing.crl`.
        """
        root_crl, issuing_crl = self.crls()
        for name, octets in (
            ("anchors/root.pem", pem(self.root)),
            ("intermediates/issuing.pem", pem(self.issuing)),
            ("crls/root.crl", root_crl),
            ("crls/issuing.crl", issuing_crl),
        ):
            (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_new(folder / name, octets)

    # --- making ---------------------------------------------------------------------------

    def _unknown(self) -> _Authority:
        if self._stranger is None:
            self._stranger = self._authority(STRANGER_NAME, None)
        return self._stranger

    def _authority(self, name: str, issuer: _Authority | None) -> _Authority:
        key = rsa.generate_private_key(public_exponent=65537, key_size=self._bits)
        subject = _name(O="TEST Staat der Nederlanden", CN=name)
        builder = self._builder(
            subject, key.public_key(), issuer, (self._at - BEFORE, self._at + AUTHORITY_LIFE)
        )
        if issuer is None:
            builder = builder.issuer_name(subject)
        path_length = 1 if issuer is None else 0
        for extension in (
            x509.BasicConstraints(ca=True, path_length=path_length),
            _key_usage("key_cert_sign", "crl_sign"),
        ):
            builder = builder.add_extension(extension, critical=True)
        return _Authority(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)

    def _builder(
        self,
        subject: x509.Name,
        key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
        issuer: _Authority | None,
        period: tuple[datetime, datetime],
    ) -> x509.CertificateBuilder:
        """Return what every certificate has; a root still lacks its issuer."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(period[0])
            .not_valid_after(period[1])
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )
        if issuer is None:
            return builder
        return builder.issuer_name(issuer.certificate.subject).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
            critical=False,
        )


def write_test_pki(
    folder: Path, parties: Mapping[str, str], *, at: datetime, hosts: Iterable[str] = HOSTS
) -> TestPki:
    """Make a hierarchy and write it: `trust/`, and per OIN a folder with every usage.

    `parties` maps OIN to name. Raises Misconfigured `init.exists` rather than overwrite.
    """
    hosts = tuple(hosts)
    pki = TestPki(at)
    pki.write(folder / "trust")
    for oin, name in parties.items():
        for usage in LeafUsage:
            pki.issue(oin=oin, name=name, usage=usage, hosts=hosts).write(folder / oin, usage)
    return pki


# --- pieces ---------------------------------------------------------------------------


def pem(der: bytes) -> bytes:
    """Return a certificate as PEM."""
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def write_new(path: Path, octets: bytes, *, mode: int = 0o644) -> None:
    """Write a file that is not there yet; raise Misconfigured `init.exists` when it is."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, mode)
    except FileExistsError as exc:
        raise Misconfigured(
            "init.exists", "Het bestand bestaat al en wordt niet overschreven.", where=str(path)
        ) from exc
    with os.fdopen(handle, "wb") as file:
        file.write(octets)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _new_key(
    bits: int, curve: ec.EllipticCurve | None
) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if curve is not None:
        return ec.generate_private_key(curve)
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _key_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(**parts: str) -> x509.Name:
    oids = {
        "O": NameOID.ORGANIZATION_NAME,
        "CN": NameOID.COMMON_NAME,
        "serialNumber": NameOID.SERIAL_NUMBER,
    }
    country = x509.NameAttribute(NameOID.COUNTRY_NAME, "NL")
    return x509.Name([country, *(x509.NameAttribute(oids[k], v) for k, v in parts.items())])


def _leaf_name(oin: str, name: str) -> x509.Name:
    parts = {"O": name, "CN": name}
    return _name(**parts, serialNumber=oin) if oin else _name(**parts)


def _leaf_extensions(
    usage: LeafUsage, names: x509.SubjectAlternativeName, curve: ec.EllipticCurve | None
) -> Iterable[tuple[x509.ExtensionType, bool]]:
    yield x509.BasicConstraints(ca=False, path_length=None), True
    match usage:
        case LeafUsage.TLS:
            yield _key_usage("digital_signature"), True
            both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            yield x509.ExtendedKeyUsage(both), False
        case LeafUsage.SIGN:
            yield _key_usage("digital_signature", "content_commitment"), True
        case LeafUsage.ENCRYPT:
            yield _key_usage("key_encipherment" if curve is None else "key_agreement"), True
    yield names, False


def _names(
    usage: LeafUsage, oin: str, hosts: Iterable[str], addresses: Iterable[str]
) -> x509.SubjectAlternativeName:
    """Without hosts there is a name that verifiers of the web kind accept."""
    if usage is LeafUsage.TLS:
        return x509.SubjectAlternativeName([_host(h) for h in hosts])
    uri = x509.UniformResourceIdentifier(f"urn:osb:oin:{oin or 'geen'}")
    return x509.SubjectAlternativeName([uri, *(x509.RFC822Name(one) for one in addresses)])


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _key_usage(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in uses for use in _USES})


def _crl(
    authority: _Authority, revoked: dict[int, datetime], made: datetime, until: datetime
) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(made)
        .next_update(until)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    for serial, at in revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.DER)
