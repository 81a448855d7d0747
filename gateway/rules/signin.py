"""Which back-end a credential is of. What no back-end has, or more than one, is of nobody."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from gateway.credentials import (
    BearerToken,
    ClientKey,
    Credentials,
    Factor,
    Scope,
)
from gateway.directory import Backend
from gateway.errors import CertificateRejected, Untrusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One credential that holds: whose it is and what it lets do."""

    backend: Backend
    factor: Factor
    scopes: frozenset[Scope]
    sha256: str
    """Of the token, the certificate (DER) or the public key (SPKI) that was shown."""


def by_token(backends: tuple[Backend, ...], digest: str, at: datetime) -> Proof:
    """Return whose token has this SHA-256 (hex).

    Every token is compared, in constant time, whichever fits. Raises Untrusted
    `token.unknown` or `token.expired`.
    """
    found = [
        (backend, token)
        for backend in backends
        for token in backend.credentials.tokens
        if hmac.compare_digest(token.sha256.encode(), digest.encode())
    ]
    if len(found) != 1:
        raise Untrusted("token.unknown", "Dit token is hier niet bekend.")
    backend, token = found[0]
    _in_time(token, at)
    return Proof(backend=backend, factor=Factor.BEARER, scopes=token.scopes, sha256=token.sha256)


def by_certificate(
    backends: tuple[Backend, ...], *, sha256: str, serial_number: str, common_name: str
) -> Proof:
    """Return whose certificate it is; one by thumbprint goes before one by subject.

    Raises CertificateRejected `certificate.unknown`.
    """
    found = [
        (backend, entry)
        for backend in backends
        for entry in backend.credentials.certificates
        if entry.fits(sha256=sha256, serial_number=serial_number, common_name=common_name)
    ]
    exact = [one for one in found if one[1].sha256] or found
    if len(exact) != 1:
        raise CertificateRejected(
            "certificate.unknown", "Dit clientcertificaat is hier van geen enkel systeem."
        )
    backend, entry = exact[0]
    return Proof(backend=backend, factor=Factor.CERTIFICATE, scopes=entry.scopes, sha256=sha256)


def by_key(backend: Backend, thumbprint: str) -> ClientKey | None:
    """Return the key that this system still has, None when it was taken away."""
    return next((k for k in backend.credentials.keys if k.thumbprint == thumbprint), None)


def one_system(proofs: tuple[Proof, ...]) -> tuple[Backend, frozenset[Scope]]:
    """Return whom all proofs are of, and what every one of them lets do.

    Raises Untrusted `token.missing` for no proof at all, `signin.mismatch` for proofs of two
    systems, `certificate.missing` or `signin.way` for one that the system may not come in by.
    """
    if not proofs:
        raise Untrusted(
            "token.missing",
            "Meld aan met een Bearer-token of een clientcertificaat van het systeem.",
        )
    backend = proofs[0].backend
    if any(proof.backend.name != backend.name for proof in proofs):
        raise Untrusted("signin.mismatch", "Certificaat en token zijn van verschillende systemen.")
    _check_way(backend.credentials, frozenset(proof.factor for proof in proofs))
    return backend, frozenset.intersection(*(proof.scopes for proof in proofs))


def _check_way(credentials: Credentials, proven: frozenset[Factor]) -> None:
    if credentials.allow(proven):
        return
    if credentials.allow(proven | {Factor.CERTIFICATE}):
        raise Untrusted(
            "certificate.missing", "Dit systeem moet ook zijn clientcertificaat laten zien."
        )
    if any(credentials.allow(proven | {bearer}) for bearer in (Factor.BEARER, Factor.JWT)):
        raise Untrusted("token.missing", "Dit systeem moet ook zijn Bearer-token geven.")
    raise Untrusted("signin.way", "Dit systeem mag zich zo niet aanmelden.")


def _in_time(token: BearerToken, at: datetime) -> None:
    if not token.is_valid(at):
        raise Untrusted("token.expired", "De geldigheid van dit token is voorbij.")
