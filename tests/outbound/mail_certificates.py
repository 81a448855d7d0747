"""Certificates of mail servers, on elliptic curves: cheap enough to make for each test."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.security.dane import Tlsa, spki

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Held:
    """A certificate, its key, and what is shown with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def chain(self) -> tuple[bytes, ...]:
        return (self.der, *(one.public_bytes(Encoding.DER) for one in self.above))

    def write(self, folder: Path) -> Path:
        """Write key and chain in one PEM file, in the order that Postfix wants."""
        path = folder / f"{self.certificate.serial_number:x}.pem"
        pem = [one.public_bytes(Encoding.PEM) for one in (self.certificate, *self.above)]
        private = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(b"".join((private, *pem)))
        path.chmod(0o600)
        return path

    def tlsa(self, usage: int, selector: int = 1, matching: int = 1) -> Tlsa:
        return record_of(self.certificate, usage, selector, matching)


def record_of(certificate, usage: int, selector: int, matching: int) -> Tlsa:
    data = spki(certificate) if selector else certificate.public_bytes(Encoding.DER)
    digest = {0: None, 1: hashes.SHA256(), 2: hashes.SHA512()}[matching]
    if digest is not None:
        context = hashes.Hash(digest)
        context.update(data)
        data = context.finalize()
    return Tlsa(usage, selector, matching, data)


def authority(name: str = "TEST Mail CA") -> Held:
    return _authority(name)


@cache
def _authority(name: str) -> Held:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    built = _builder(subject, subject, key.public_key(), NOW - 400 * DAY, NOW + 400 * DAY)
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    built = built.add_extension(_usage(sign=False), critical=True)
    return Held(built.sign(key, hashes.SHA256()), key)


@cache
def server(
    *names: str,
    issuer: str = "TEST Mail CA",
    before: timedelta = -DAY,
    after: timedelta = 30 * DAY,
) -> Held:
    """Return a certificate of a server under `authority(issuer)`, which it shows as well."""
    above = authority(issuer)
    key = ec.generate_private_key(ec.SECP256R1())
    built = _builder(
        _name(names[0]), above.certificate.subject, key.public_key(), NOW + before, NOW + after
    )
    san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    built = built.add_extension(san, critical=False)
    built = built.add_extension(_usage(sign=True), critical=True)
    built = built.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )
    built = built.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(above.key.public_key()), critical=False
    )
    return Held(built.sign(above.key, hashes.SHA256()), key, (above.certificate,))


@cache
def bare(name: str = "wie.weet.example") -> Held:
    """Return one that expired long ago, of nobody and by nobody: DANE-EE allows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    built = _builder(_name(name), _name(name), key.public_key(), NOW - 400 * DAY, NOW - 300 * DAY)
    return Held(built.sign(key, hashes.SHA256()), key)


def _builder(subject, issuer, public, before, after) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(before)
        .not_valid_after(after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not sign,
        crl_sign=not sign,
        encipher_only=False,
        decipher_only=False,
    )
