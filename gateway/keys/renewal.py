"""Whether a renewed certificate, authority or revocation list may be put in place.

Everything is asked before a file is touched: does it parse, does the key fit, is it ours, may it
be used for this, does it chain to an anchor, is it not revoked. Each refusal is a
CertificateRejected or RevocationUnknown `certs.*` that says what to do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.directory import Directory, Trust
from gateway.errors import CertificateRejected, GatewayError, RevocationUnknown
from gateway.keys.expiry import Use
from gateway.keys.offered import Offered, Target, guess, is_authority
from gateway.keys.renewal_texts import TEXTS, VALID_LATER, refuse
from gateway.saying import Line
from gateway.security.certificates import (
    MAXIMUM_CHAIN,
    MINIMUM_RSA_BITS,
    Identity,
    TrustStore,
    Usage,
    acts_for,
    load,
    thumbprint,
)
from gateway.security.extensions import extension
from gateway.security.revocation import may_sign_lists, read_list, signed_by

WEAK = frozenset({"md5", "sha1"})
_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_USAGES = MappingProxyType(
    {Use.TLS: Usage.TLS_SERVER, Use.SIGN: Usage.SIGN, Use.ENCRYPT: Usage.ENCRYPT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What passed, ready to be written."""

    target: Target
    offered: Offered
    chain: tuple[bytes, ...] = ()
    """DER: the leaf and the authorities to send along, without the anchor."""
    warnings: tuple[Line, ...] = ()
    """What is allowed and asks for attention."""

    @property
    def sha256(self) -> str:
        return thumbprint(self.offered.der)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Looks at what is offered with the eyes of one installation."""

    directory: Directory
    now: datetime
    fingerprint: str = ""
    """What the person gave as SHA-256 of an anchor, hex; colons and case do not count."""

    def check(self, offered: Offered, target: Target) -> Checked:
        """Return what may be written. Raises CertificateRejected, RevocationUnknown `certs.*`."""
        self._fits(offered, target)
        match target:
            case Target.CRL:
                return self._list(offered)
            case Target.ANCHOR:
                return self._anchor(offered)
            case Target.INTERMEDIATE:
                return self._intermediate(offered)
            case Target.PARTNER:
                return self._partner(offered)
            case Target.API | Target.CONSOLE | Target.PORTAL:
                return self._listener(offered, target)
            case _:
                return self._own(offered, target)

    def _fits(self, offered: Offered, target: Target) -> None:
        if (offered.crl is not None) is not (target is Target.CRL):
            raise refuse("kind", offered.where)
        if offered.crl is not None:
            return
        authority = target in {Target.ANCHOR, Target.INTERMEDIATE}
        leaves = sum(not is_authority(load(der)) for der in offered.certificates)
        if leaves != (0 if authority else 1) or (authority and len(offered.certificates) > 1):
            raise refuse("several", offered.where)
        _strong_signature(offered.leaf, offered.where)

    # --- own ------------------------------------------------------------------------------

    def _own(self, offered: Offered, target: Target) -> Checked:
        _matching_key(offered)
        warnings: list[Line] = []
        at = self.now
        if target is not Target.TLS and offered.leaf.not_valid_before_utc > at:
            at = offered.leaf.not_valid_before_utc  # it only counts from the new agreement on
            warnings.append(Line(VALID_LATER, {"at": at}))
        trust = self.directory.trust
        identity = self._judged(offered, _USAGES[Use(target)], trust, at)
        if target is Target.TLS:
            self._judged(offered, Usage.TLS_CLIENT, trust, at)
        party = self.directory.parties[self.directory.me]
        if not acts_for(identity, party):
            raise refuse("party", offered.where)
        return Checked(
            target=target,
            offered=offered,
            chain=tuple(_chain(offered, trust)),
            warnings=tuple(warnings),
        )

    def _listener(self, offered: Offered, target: Target) -> Checked:
        """Back-ends and browsers may trust another authority: only the leaf is judged."""
        _matching_key(offered)
        leaf = offered.leaf
        _in_period(leaf, self.now, offered.where)
        _strong_key(leaf, offered.where)
        extended = extension(leaf.extensions, x509.ExtendedKeyUsage)
        if extended is not None and ExtendedKeyUsageOID.SERVER_AUTH not in extended:
            raise refuse("usage", offered.where)
        chain = tuple(_chain(offered, self.directory.trust))
        return Checked(target=target, offered=offered, chain=chain)

    def _judged(self, offered: Offered, usage: Usage, trust: Trust, at: datetime) -> Identity:
        try:
            # What is valid later is judged by the lists of now: there are no others.
            return TrustStore(trust).judge(offered.certificates[0], usage, at, known_at=self.now)
        except (CertificateRejected, RevocationUnknown) as error:
            raise _ours(error, offered.where) from error

    # --- others ---------------------------------------------------------------------------

    def _partner(self, offered: Offered) -> Checked:
        """A partner's certificate stands in its agreement: it is judged, not written."""
        usage = {Target.TLS: Usage.TLS_CLIENT}.get(guess(offered))
        usage = usage or _USAGES[Use(guess(offered))]
        identity = self._judged(offered, usage, self.directory.trust, self.now)
        party = next((p for p in self.directory.parties.values() if acts_for(identity, p)), None)
        if party is None or party.local:
            raise refuse("party_unknown", offered.where)
        return Checked(target=Target.PARTNER, offered=offered)

    def _anchor(self, offered: Offered) -> Checked:
        root = offered.leaf
        self._authority(root, offered.where)
        if not _issued(root, root):
            raise refuse("not_self_signed", offered.where)
        given = self.fingerprint.replace(":", "").lower()
        if given != thumbprint(offered.der):
            raise refuse("anchor_unconfirmed", offered.where)
        return Checked(target=Target.ANCHOR, offered=offered)

    def _intermediate(self, offered: Offered) -> Checked:
        authority = offered.leaf
        self._authority(authority, offered.where)
        trust = self.directory.trust
        issuers = [load(der) for der in (*trust.anchors, *trust.intermediates)]
        if not any(_issued(authority, issuer) for issuer in issuers):
            raise refuse("untrusted", offered.where)
        return Checked(target=Target.INTERMEDIATE, offered=offered)

    def _authority(self, certificate: x509.Certificate, where: str) -> None:
        usage = extension(certificate.extensions, x509.KeyUsage)
        if not is_authority(certificate) or usage is None or not usage.key_cert_sign:
            raise refuse("not_an_authority", where)
        _in_period(certificate, self.now, where)
        _strong_key(certificate, where)

    def _list(self, offered: Offered) -> Checked:
        crl = x509.load_der_x509_crl(offered.der)
        where = offered.where
        if read_list(crl) is None:
            raise refuse("crl_kind", where)
        trust = self.directory.trust
        issuers = [load(der) for der in (*trust.anchors, *trust.intermediates)]
        if not any(
            i.subject == crl.issuer and may_sign_lists(i) and signed_by(crl, i) for i in issuers
        ):
            raise refuse("crl_issuer", where)
        until = crl.next_update_utc
        if until is None or until <= self.now:
            raise refuse("crl_stale", where)
        for der in trust.crls:
            present = x509.load_der_x509_crl(der)
            if same_scope(present, crl) and present.last_update_utc > crl.last_update_utc:
                raise refuse("crl_older", where)
        return Checked(target=Target.CRL, offered=offered)


def same_scope(a: x509.CertificateRevocationList, b: x509.CertificateRevocationList) -> bool:
    """Tell whether two lists are of one issuer and about the same certificates."""
    return a.issuer == b.issuer and _scope(a) == _scope(b)


def _scope(crl: x509.CertificateRevocationList) -> bytes:
    scope = extension(crl.extensions, x509.IssuingDistributionPoint)
    return b"" if scope is None else scope.public_bytes()


def _ours(error: GatewayError, where: str) -> GatewayError:
    name = error.code.removeprefix("certificate.")
    code = {"malformed": "unreadable"}.get(name, name)
    if isinstance(error, RevocationUnknown):
        return RevocationUnknown(f"certs.{code}", TEXTS[code], where=where)
    return refuse(code, where)


# --- pieces ---------------------------------------------------------------------------


def _matching_key(offered: Offered) -> None:
    if offered.key is None:
        raise refuse("key_missing", offered.where)
    public = _private_key(offered.key, offered.where).public_key()
    spki = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if public.public_bytes(*spki) != offered.leaf.public_key().public_bytes(*spki):
        raise refuse("key_mismatch", offered.where)


def _private_key(pem: bytes, where: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise refuse("key_unreadable", where) from error


def _strong_key(certificate: x509.Certificate, where: str) -> None:
    key = certificate.public_key()
    strong = isinstance(key, rsa.RSAPublicKey) and key.key_size >= MINIMUM_RSA_BITS
    strong = strong or (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES)
    if not strong:
        raise refuse("weak_key", where)


def _strong_signature(certificate: x509.Certificate, where: str) -> None:
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None or algorithm.name in WEAK:
        raise refuse("algorithm", where)


def _in_period(certificate: x509.Certificate, now: datetime, where: str) -> None:
    if now < certificate.not_valid_before_utc:
        raise refuse("not_yet_valid", where)
    if now > certificate.not_valid_after_utc:
        raise refuse("expired", where)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _chain(offered: Offered, trust: Trust) -> Iterator[bytes]:
    """Yield the leaf and the authorities above it, as far as they are known; no anchor."""
    ders = (*offered.certificates[1:], *trust.intermediates)
    current = offered.leaf
    yield offered.certificates[0]
    for _ in range(MAXIMUM_CHAIN):
        above = next((der for der in ders if _issued(current, load(der))), None)
        if above is None or load(above).subject == load(above).issuer:
            return
        yield above
        current = load(above)
