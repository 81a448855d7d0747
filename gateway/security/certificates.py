"""Who is behind a certificate, and may it be used for this, now.

PKIX path to the configured anchors, key, use, OIN (DK-SEC PKI001-005) and revocation of
the whole chain. Judged for every request: a connection outlives a certificate. The costly
part is remembered per certificate and use, as is what the lists of the snapshot say of it;
the moment is looked at anew, also against the lists.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from gateway.directory import Party, Trust
from gateway.errors import CertificateRejected, Misconfigured
from gateway.message import Oin
from gateway.security.extensions import UNREADABLE, extension
from gateway.security.revocation import Revocations, Standing

MINIMUM_RSA_BITS = 2048
MAXIMUM_CHAIN = 4
"""Intermediates at most; PKIoverheid has three below its root."""
REMEMBERED = 4096
"""Certificates that are remembered; a gateway has some tens of partners."""

_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_OIN = re.compile(r"[0-9]{20}")
_ENVIRONMENT = re.compile(r"_(?:O|T|A|OTA)\Z")


class Usage(StrEnum):
    """What a certificate is used for."""

    TLS_CLIENT = "tls-client"
    TLS_SERVER = "tls-server"
    SIGN = "sign"
    """Messages on the wire, by the certificate that the agreement names."""
    DOCUMENT = "document"
    """A decision or a confirmation, signed in the document for good; never by a TLS certificate."""
    ENCRYPT = "encrypt"
    MAIL_SIGN = "mail-sign"
    """Secure e-mail (RFC 8550, 4.4): a certificate for TLS will not do."""
    MAIL_ENCRYPT = "mail-encrypt"


_ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
_MESSAGE_USE = frozenset(
    {
        _ANY,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),  # document signing, RFC 9336
        x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.12"),  # document signing, Microsoft
    }
)
"""No extended use is defined for XML signatures: any of these will do, OCSP signing not."""
_DOCUMENT_USE = _MESSAGE_USE - {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}
"""A key that stands in a listener signs no decision, whoever has the machine."""
_MAIL_USE = frozenset({_ANY, ExtendedKeyUsageOID.EMAIL_PROTECTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The organisation that a certificate was issued to."""

    oin: Oin
    thumbprint: str
    """Hex SHA-256 over the DER."""
    subject: str
    """RFC 4514."""
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whom a certificate was issued to, also one without an OIN."""

    thumbprint: str
    """Hex SHA-256 over the DER."""
    serial_number: str
    """subject.serialNumber; empty when there is not exactly one."""
    common_name: str
    """subject.commonName; empty when there is not exactly one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proven:
    """A certificate with a path to an anchor: what holds as long as the chain is valid."""

    holder: Holder
    identity: Identity | None
    """None without an OIN."""
    standings: tuple[Standing, ...]
    """Of the chain, leaf first, without the anchor."""
    not_before: datetime
    not_after: datetime


class TrustStore:
    """Judges certificates by one snapshot of anchors, intermediates and revocation lists."""

    def __init__(self, trust: Trust) -> None:
        """Parse everything once; raise Misconfigured `trust.malformed`."""
        anchors = _load_all(trust.anchors)
        self._intermediates = _load_all(trust.intermediates)
        self._store = Store(list(anchors)) if anchors else None
        self._revocations = Revocations(trust.crls, (*anchors, *self._intermediates))
        self._proven: dict[tuple[str, Usage], _Proven] = {}

    def judge(
        self, der: bytes, usage: Usage, at: datetime, *, known_at: datetime | None = None
    ) -> Identity:
        """Return whose certificate it is, good for `usage` at `at` (aware).

        Revocation is judged by the lists that are fresh at `known_at`; left out = `at`.

        Raises CertificateRejected `certificate.malformed`, `.weak_key`, `.not_yet_valid`,
        `.expired`, `.untrusted`, `.usage`, `.oin`, `.revoked`; RevocationUnknown
        `certificate.revocation_unknown`: that is neither good nor revoked.
        """
        proven = self._good(der, usage, at, known_at or at)
        if proven.identity is None:
            raise _no_oin()
        return proven.identity

    def holder(self, der: bytes, usage: Usage, at: datetime) -> Holder:
        """Return whom it was issued to; as `judge`, but it may be without an OIN."""
        return self._good(der, usage, at, at).holder

    def _good(self, der: bytes, usage: Usage, at: datetime, known_at: datetime) -> _Proven:
        key = (thumbprint(der), usage)
        proven = self._proven.get(key)
        if proven is None or not proven.not_before <= at <= proven.not_after:
            proven = self._prove(der, usage, at)
            if len(self._proven) >= REMEMBERED:
                self._proven.clear()
            self._proven[key] = proven
        for standing in proven.standings:
            standing.check(known_at)
        return proven

    def _prove(self, der: bytes, usage: Usage, at: datetime) -> _Proven:
        try:
            leaf = load(der)
            _check_key(leaf, usage)
            _check_period(leaf, at)
            chain = self._chain(leaf, at)
            _check_usage(leaf, usage)
            _check_authorities(chain[1:], usage)
            holder, identity = _holder(leaf, der), _identity(leaf, der)
            standings = tuple(
                self._revocations.standing(certificate, issuer)
                for certificate, issuer in pairwise(chain)
            )
        except UNREADABLE as exc:
            raise _malformed() from exc
        return _Proven(
            holder=holder,
            identity=identity,
            standings=standings,
            not_before=max(c.not_valid_before_utc for c in chain),
            not_after=min(c.not_valid_after_utc for c in chain),
        )

    def _chain(self, leaf: x509.Certificate, at: datetime) -> tuple[x509.Certificate, ...]:
        if self._store is None:
            raise CertificateRejected("certificate.untrusted", "no trust anchors are configured")
        verifier = (
            PolicyBuilder()
            .store(self._store)
            .time(at)
            .max_chain_depth(MAXIMUM_CHAIN)
            .extension_policies(ca_policy=_AUTHORITY, ee_policy=_LEAF)
            .build_client_verifier()
        )
        try:
            return tuple(verifier.verify(leaf, list(self._intermediates)).chain)
        except VerificationError as exc:
            raise CertificateRejected("certificate.untrusted", "no path to an anchor") from exc


_AUTHORITY = ExtensionPolicy.webpki_defaults_ca().may_be_present(
    x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None
)
_LEAF = (
    ExtensionPolicy.webpki_defaults_ee()
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
    .may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    .may_be_present(x509.AuthorityKeyIdentifier, Criticality.AGNOSTIC, None)
)
"""The use is checked below, per usage; names of hosts are the business of TLS."""


def thumbprint(der: bytes) -> str:
    """Return the hex SHA-256 of a certificate."""
    return hashlib.sha256(der).hexdigest()


def oin_of(der: bytes) -> Oin:
    """Return the OIN in subject.serialNumber, trust unseen (DK-SEC PKI001).

    Raises CertificateRejected `certificate.malformed` or `certificate.oin`.
    """
    try:
        return _oin(load(der))
    except UNREADABLE as exc:
        raise _malformed() from exc


def bare_oin(party_id: str) -> str:
    """Return a PartyId without the suffix of a test environment (`_O`, `_T`, `_A`, `_OTA`)."""
    return _ENVIRONMENT.sub("", party_id)


def acts_for(identity: Identity, party: Party) -> bool:
    """Tell whether the holder is the party or has its recorded mandate (DK-BP EB005, EB014)."""
    return identity.oin == bare_oin(party.oin) or identity.oin in party.mandates


def _malformed() -> CertificateRejected:
    return CertificateRejected("certificate.malformed", "certificate is not readable")


def load(der: bytes) -> x509.Certificate:
    """Parse with key and names, trust unseen; raise CertificateRejected `certificate.malformed`."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        # What is parsed late raises here, not where it is used.
        _ = certificate.public_key(), certificate.subject, certificate.issuer
        positive = certificate.serial_number > 0  # RFC 5280, 4.1.2.2
    except (*UNREADABLE, CryptographyDeprecationWarning) as exc:
        raise _malformed() from exc  # a warning comes as an error where they are told to
    if not positive:
        raise _malformed()
    # A signature is whole octets: a bit string that says otherwise is another spelling of it.
    if der[-len(certificate.signature) - 1] != 0:
        raise _malformed()
    return certificate


@lru_cache(maxsize=REMEMBERED)
def load_agreed(der: bytes) -> x509.Certificate:
    """Parse a certificate of an agreement or of ours, once; raises as `load`.

    Not for what strangers send: it is kept.
    """
    return load(der)


def _load_all(ders: tuple[bytes, ...]) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(load(der) for der in ders)
    except CertificateRejected as exc:
        raise Misconfigured("trust.malformed", "a trusted certificate is not readable") from exc


def _check_key(leaf: x509.Certificate, usage: Usage) -> None:
    """The verifier of `cryptography` does not look at the key of the leaf."""
    if not good_key(leaf, usage):
        raise CertificateRejected("certificate.weak_key", "key is too weak or of the wrong kind")


def good_key(leaf: x509.Certificate, usage: Usage) -> bool:
    """Tell whether its key is strong, and of a kind that can do this."""
    key = leaf.public_key()
    fits = usage is not Usage.ENCRYPT or isinstance(key, rsa.RSAPublicKey)
    return fits and strong_key(key)


def strong_key(key: PublicKeyTypes) -> bool:
    """Tell whether it is RSA of 2048 bits or more, or on one of the curves P-256 to P-521."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= MINIMUM_RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES


def _check_period(leaf: x509.Certificate, at: datetime) -> None:
    if at < leaf.not_valid_before_utc:
        raise CertificateRejected("certificate.not_yet_valid", "certificate is not valid yet")
    if at > leaf.not_valid_after_utc:
        raise CertificateRejected("certificate.expired", "certificate has expired")


def _check_usage(leaf: x509.Certificate, usage: Usage) -> None:
    if not meant_for(leaf, usage):
        raise CertificateRejected("certificate.usage", "certificate is not for this use")


def meant_for(leaf: x509.Certificate, usage: Usage) -> bool:
    """Tell whether keyUsage and extendedKeyUsage allow it; raises what UNREADABLE names."""
    return _key_usage_fits(leaf, usage) and _extended_usage_fits(leaf, usage)


def _key_usage_fits(leaf: x509.Certificate, usage: Usage) -> bool:
    found = extension(leaf.extensions, x509.KeyUsage)
    match usage:
        case Usage.SIGN | Usage.DOCUMENT | Usage.MAIL_SIGN:
            return found is not None and (found.digital_signature or found.content_commitment)
        case Usage.ENCRYPT:
            return found is not None and found.key_encipherment
        case Usage.MAIL_ENCRYPT if isinstance(leaf.public_key(), ec.EllipticCurvePublicKey):
            return found is not None and found.key_agreement
        case Usage.MAIL_ENCRYPT:
            return found is not None and found.key_encipherment
        case Usage.TLS_CLIENT | Usage.TLS_SERVER:
            return found is None or found.digital_signature


def _extended_usage_fits(leaf: x509.Certificate, usage: Usage) -> bool:
    found = extension(leaf.extensions, x509.ExtendedKeyUsage)
    match usage:
        case Usage.SIGN | Usage.ENCRYPT:
            return found is None or not _MESSAGE_USE.isdisjoint(found)
        case Usage.MAIL_SIGN | Usage.MAIL_ENCRYPT:
            return found is None or not _MAIL_USE.isdisjoint(found)
        case Usage.DOCUMENT:
            return found is None or (
                not _DOCUMENT_USE.isdisjoint(found) and ExtendedKeyUsageOID.SERVER_AUTH not in found
            )
        case Usage.TLS_CLIENT:
            return found is not None and ExtendedKeyUsageOID.CLIENT_AUTH in found
        case Usage.TLS_SERVER:
            return found is not None and ExtendedKeyUsageOID.SERVER_AUTH in found


def _check_authorities(authorities: tuple[x509.Certificate, ...], usage: Usage) -> None:
    """An authority that is limited to other uses can not vouch for this one."""
    for authority in authorities:
        found = extension(authority.extensions, x509.ExtendedKeyUsage)
        if found is not None and _ANY not in found and not _extended_usage_fits(authority, usage):
            raise CertificateRejected("certificate.usage", "issuer is not for this use")


def _holder(leaf: x509.Certificate, der: bytes) -> Holder:
    return Holder(
        thumbprint=thumbprint(der),
        serial_number=_only(leaf, NameOID.SERIAL_NUMBER),
        common_name=_only(leaf, NameOID.COMMON_NAME),
    )


def _identity(leaf: x509.Certificate, der: bytes) -> Identity | None:
    oin = _only(leaf, NameOID.SERIAL_NUMBER)
    if _OIN.fullmatch(oin) is None:
        return None
    return Identity(
        oin=Oin(oin),
        thumbprint=thumbprint(der),
        subject=distinguished_name(leaf),
        not_after=leaf.not_valid_after_utc,
    )


_TEST = ("TEST", "TRIAL")


def is_test(authority: x509.Certificate) -> bool:
    """Tell whether an authority is of a test hierarchy, by its name."""
    return any(
        str(found.value).startswith(_TEST)
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        for found in authority.subject.get_attributes_for_oid(oid)
    )


def without_tests(trust: Trust) -> Trust:
    """Return the trust without its test hierarchies; raises as `TrustStore`."""
    real = {
        name: tuple(der for der, one in zip(ders, _load_all(ders), strict=True) if not is_test(one))
        for name, ders in (("anchors", trust.anchors), ("intermediates", trust.intermediates))
    }
    return Trust(**real, crls=trust.crls)


def distinguished_name(certificate: x509.Certificate) -> str:
    """Return the subject by RFC 4514, the serial number by its name."""
    return certificate.subject.rfc4514_string({NameOID.SERIAL_NUMBER: "serialNumber"})


def _oin(leaf: x509.Certificate) -> Oin:
    value = _only(leaf, NameOID.SERIAL_NUMBER)
    if _OIN.fullmatch(value) is None:
        raise _no_oin()
    return Oin(value)


def _no_oin() -> CertificateRejected:
    return CertificateRejected("certificate.oin", "no OIN in the subject serial number")


def _only(leaf: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    """Return the value of an attribute that the subject has exactly once, else nothing."""
    found = leaf.subject.get_attributes_for_oid(oid)
    value = found[0].value if len(found) == 1 else ""
    return value if isinstance(value, str) else ""
