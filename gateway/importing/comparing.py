"""A certificate or list beside the one that it replaces."""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.errors import CertificateRejected
from gateway.importing.texts import TEXTS
from gateway.keys.expiry import SHORT, common_name
from gateway.saying import Value
from gateway.security.certificates import load, oin_of, thumbprint
from gateway.security.extensions import extension
from gateway.security.hosts import hosts

_USAGES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "emailProtection",
}
_Row = tuple[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What two of them say about one thing."""

    name: str
    """Dutch."""
    was: Value
    """`-` where there is none before it."""
    becomes: Value

    @property
    def changed(self) -> bool:
        return self.was != self.becomes


def compare(new: bytes, present: bytes | None, *, is_list: bool) -> tuple[Fact, ...]:
    """Return what both say, DER; everything counts as changed where nothing was there."""
    facts = _list if is_list else _certificate
    old = dict(facts(present)) if present is not None else {}
    return tuple(
        Fact(name=TEXTS[key], was=old.get(key, "-"), becomes=value) for key, value in facts(new)
    )


def _certificate(der: bytes) -> Iterator[_Row]:
    certificate = load(der)
    yield "subject", common_name(certificate.subject)
    yield "oin", _oin(der)
    yield "issuer", common_name(certificate.issuer)
    yield "from", certificate.not_valid_before_utc
    yield "until", certificate.not_valid_after_utc
    yield "key", _key(certificate)
    yield "usage", ", ".join(_usage(certificate)) or "-"
    yield "names", ", ".join(hosts(certificate)) or "-"
    yield "sha256", thumbprint(der)


def _list(der: bytes) -> Iterator[_Row]:
    crl = x509.load_der_x509_crl(der)
    yield "issuer", common_name(crl.issuer)
    yield "made", crl.last_update_utc
    yield "next", crl.next_update_utc or "-"
    yield "revoked", len(crl)
    yield "sha256", thumbprint(der)


def _key(certificate: x509.Certificate) -> str:
    """Return kind and size, with the beginning of a digest: two of a kind are told apart."""
    key = certificate.public_key()
    spki = thumbprint(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))[:SHORT]
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size} ({spki})"
    kind = f"EC {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else "?"
    return f"{kind} ({spki})"


def _usage(certificate: x509.Certificate) -> Iterator[str]:
    usage = extension(certificate.extensions, x509.KeyUsage)
    if usage is not None:
        yield from (said for name, said in _USAGES.items() if getattr(usage, name))
    for one in extension(certificate.extensions, x509.ExtendedKeyUsage) or ():
        yield _PURPOSES.get(one, one.dotted_string)


def _oin(der: bytes) -> str:
    try:
        return oin_of(der)
    except CertificateRejected:
        return "-"
