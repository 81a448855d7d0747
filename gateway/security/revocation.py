"""Revocation lists, checked once when loaded and looked up per certificate.

RFC 5280, 6.3. Only complete lists that the issuer itself signed count; a list that is
partitioned counts for the certificates of its own scope only. Three outcomes: not revoked
(return), CertificateRejected, RevocationUnknown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gateway.errors import CertificateRejected, RevocationUnknown
from gateway.security.extensions import UNREADABLE, extension

SKEW = timedelta(minutes=5)
"""How far the clock of the issuer may be ahead of ours."""

_PEM = b"-----BEGIN"
_PEM_MARKS = b"-----BEGIN X509 CRL-----", b"-----END X509 CRL-----"
_PEM_LIST = re.compile(
    rb"-----BEGIN X509 CRL-----[A-Za-z0-9+/=\s]*+-----END X509 CRL-----", re.ASCII
)
_WEAK = frozenset({"md5", "sha1"})
_Issuer = tuple[bytes, bytes]
"""Subject name and public key, DER: two authorities may share a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """One verified list."""

    this_update: datetime
    next_update: datetime
    serials: frozenset[int]
    scope: x509.IssuingDistributionPoint | None

    def covers(self, certificate: x509.Certificate, *, authority: bool) -> bool:
        """Tell whether the certificate is one that this list speaks about."""
        scope = self.scope
        if scope is None:
            return True
        if scope.only_contains_ca_certs and not authority:
            return False
        if scope.only_contains_user_certs and authority:
            return False
        return scope.full_name is None or bool(_points(certificate) & set(scope.full_name))

    def is_fresh(self, at: datetime) -> bool:
        return self.this_update - SKEW <= at < self.next_update


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the newest list that covers a certificate says of it."""

    newest: RevocationList | None
    """None when no list of the issuer covers it."""
    revoked: bool

    def check(self, at: datetime) -> None:
        """Return when the certificate is not revoked.

        Raises CertificateRejected `certificate.revoked`; RevocationUnknown
        `certificate.revocation_unknown` without a list that covers it and is fresh at `at`.
        """
        if self.newest is None:
            raise RevocationUnknown(
                "certificate.revocation_unknown", "no revocation list of the issuer covers it"
            )
        if self.revoked:
            raise CertificateRejected("certificate.revoked", "certificate is revoked")
        if not self.newest.is_fresh(at):
            raise RevocationUnknown(
                "certificate.revocation_unknown", "revocation list of the issuer is not fresh"
            )


def read_lists(octets: bytes) -> tuple[bytes, ...]:
    """Return every list of a file, DER; PEM may hold several. Raises ValueError."""
    if _PEM not in octets:
        return (_octets_of(x509.load_der_x509_crl(octets)),)
    found = _PEM_LIST.findall(octets)
    if not found or any(octets.count(mark) != len(found) for mark in _PEM_MARKS):
        raise ValueError("no revocation list, or one that is cut short")
    return tuple(_octets_of(x509.load_pem_x509_crl(pem)) for pem in found)


def _octets_of(crl: x509.CertificateRevocationList) -> bytes:
    """Return its DER; the name of the issuer is parsed now, or raises ValueError."""
    crl.issuer.public_bytes()
    return crl.public_bytes(serialization.Encoding.DER)


class Revocations:
    """All lists, by issuer."""

    def __init__(self, crls: tuple[bytes, ...], issuers: tuple[x509.Certificate, ...]) -> None:
        """Load what can be used; a list that can not is as good as absent."""
        self._lists: dict[_Issuer, list[RevocationList]] = {}
        for der in crls:
            for issuer, found in _load(der, issuers):
                self._lists.setdefault(issuer, []).append(found)

    def standing(self, certificate: x509.Certificate, issuer: x509.Certificate) -> Standing:
        """Return what the lists say of the certificate; they do not change, the clock does."""
        lists = self._lists.get(_key(issuer), [])
        authority = _is_authority(certificate)
        covering = [one for one in lists if one.covers(certificate, authority=authority)]
        newest = max(covering, key=lambda one: one.this_update, default=None)
        revoked = newest is not None and certificate.serial_number in newest.serials
        return Standing(newest=newest, revoked=revoked)


def _load(
    der: bytes, issuers: tuple[x509.Certificate, ...]
) -> Iterator[tuple[_Issuer, RevocationList]]:
    try:
        crl = x509.load_der_x509_crl(der)
        found, name = read_list(crl), crl.issuer
    except UNREADABLE:
        return
    if found is None:
        return
    for issuer in issuers:
        if issuer.subject == name and may_sign_lists(issuer) and signed_by(crl, issuer):
            yield _key(issuer), found
            return


def read_list(crl: x509.CertificateRevocationList) -> RevocationList | None:
    """Return the list; None when it is of a kind that can not be used alone."""
    algorithm = crl.signature_hash_algorithm
    scope = extension(crl.extensions, x509.IssuingDistributionPoint)
    known = (x509.IssuingDistributionPoint, x509.AuthorityKeyIdentifier, x509.CRLNumber)
    if (
        algorithm is None
        or algorithm.name in _WEAK
        or crl.next_update_utc is None
        or any(e.critical and not isinstance(e.value, known) for e in crl.extensions)
        or (scope is not None and not _is_usable(scope))
        or any(e.critical for entry in crl for e in entry.extensions)
    ):
        return None
    return RevocationList(
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc,
        serials=frozenset(entry.serial_number for entry in crl),
        scope=scope,
    )


def _is_usable(scope: x509.IssuingDistributionPoint) -> bool:
    return not (
        scope.indirect_crl
        or scope.only_some_reasons
        or scope.only_contains_attribute_certs
        or scope.relative_name
    )


def may_sign_lists(issuer: x509.Certificate) -> bool:
    """Tell whether an authority may issue lists."""
    usage = extension(issuer.extensions, x509.KeyUsage)
    return usage is None or usage.crl_sign


def signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Tell whether the issuer signed the list."""
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # a key that can not sign raises
    except UNREADABLE:
        return False


def _key(issuer: x509.Certificate) -> _Issuer:
    key = issuer.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return issuer.subject.public_bytes(), key


def _is_authority(certificate: x509.Certificate) -> bool:
    constraints = extension(certificate.extensions, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _points(certificate: x509.Certificate) -> set[x509.GeneralName]:
    points = extension(certificate.extensions, x509.CRLDistributionPoints) or ()
    return {name for point in points for name in point.full_name or ()}
