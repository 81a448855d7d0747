"""Who asks, and may they: by a token (RFC 6750), a client certificate, or an access token.

All that a request shows must hold and be of one back-end; together it must be a way by which
that back-end may sign in. It is judged anew for every request.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.credentials import Factor, Scope
from gateway.directory import Backend, Directory, Trust
from gateway.errors import CertificateRejected, PolicyViolation, Untrusted
from gateway.ports import Clock, Dice
from gateway.rules import signin
from gateway.rules.signin import Proof
from gateway.security import jwt
from gateway.security.certificates import TrustStore, Usage, thumbprint
from gateway.security.jwt import Assertion, Issuer
from gateway.web.api.last_uses import LastUses
from gateway.web.api.limits import Failures, Shares
from gateway.web.api.office import BACKEND, BackOffice
from gateway.web.api.operation import Operation, operation_of
from gateway.web.intake import Intake, IntakeLimits
from gateway.web.middleware import PEER
from gateway.web.peer import certificate_of


class Uses(Protocol):
    """Remembers assertions. It may block: call it on a thread."""

    def use(self, assertion: Assertion, at: datetime) -> None:
        """Return the first time only; raise Untrusted `oauth.replay`, or Unavailable."""
        ...


STRANGERS = IntakeLimits(
    requests=32,
    memory_bytes=1_000_000,
    silence=timedelta(seconds=2),
    body=timedelta(seconds=5),
)
"""Bounds for the requests of those who are not signed in yet."""


@dataclass(slots=True, kw_only=True)
class Oauth:
    """What access tokens are made with; a reload puts another issuer in its place."""

    issuer: Issuer
    used: Uses
    dice: Dice
    intake: Intake = field(default_factory=lambda: Intake(STRANGERS))
    """Of its own: who is not signed in yet takes no place of a hand-in."""


@dataclass(slots=True, kw_only=True)
class Door:
    """What stands between a request and its operation; one per application."""

    gateway: BackOffice
    clock: Clock
    shares: Shares
    failures: Failures
    oauth: Oauth | None
    uses: LastUses
    _trust: tuple[Trust, TrustStore] | None = field(default=None, init=False)

    @property
    def directory(self) -> Directory:
        return self.gateway.snapshots.current()

    @contextmanager
    def failing(self, request: web.Request) -> Iterator[None]:
        """Count who is not proven in the block; raise Limited when it happens too often."""
        try:
            yield
        except Untrusted:
            self.failures.failed(request.remote)
            raise

    def certificate(self, request: web.Request) -> tuple[Proof, ...]:
        """Return whose client certificate was shown; nothing when none was.

        Raises CertificateRejected `certificate.*`; RevocationUnknown.
        """
        der = certificate_of(request)
        if der is None:
            return ()
        directory = self.directory
        try:
            holder = self._store(directory).holder(der, Usage.TLS_CLIENT, self.clock.now())
        except CertificateRejected as error:
            text = _CERTIFICATE.get(error.code, _OTHER_CERTIFICATE)
            raise CertificateRejected(error.code, text) from error
        return (
            signin.by_certificate(
                directory.backends,
                sha256=holder.thumbprint,
                serial_number=holder.serial_number,
                common_name=holder.common_name,
            ),
        )

    def who(self, request: web.Request) -> tuple[Backend, frozenset[Scope]]:
        """Return who asks and what it may do; raises Untrusted or Unavailable."""
        proofs = self.certificate(request)
        token = _bearer(request)
        if token is not None:
            proofs += (self._by_bearer(request, token),)
        return self.admit(proofs)

    def admit(self, proofs: tuple[Proof, ...]) -> tuple[Backend, frozenset[Scope]]:
        """Return whom the proofs let in, and what they let do; raises Untrusted.

        `token.party` when its party has no systems here, and as `signin.one_system`.
        """
        backend, allowed = signin.one_system(proofs)
        party = self.directory.party(backend.party)
        if party is None or not party.local:
            raise Untrusted("token.party", "De partij van dit systeem heeft hier geen systemen.")
        self.uses.note((proof.sha256 for proof in proofs), self.clock.now())
        return backend, allowed

    def _by_bearer(self, request: web.Request, token: str) -> Proof:
        backends = self.directory.backends
        if self.oauth is not None and jwt.looks_like_jwt(token):
            return _by_access(
                self.oauth.issuer.verify(token, at=self.clock.now()), backends, request
            )
        digest = sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        return signin.by_token(backends, digest, self.clock.now())

    def _store(self, directory: Directory) -> TrustStore:
        """Parse once per snapshot, when the first certificate comes."""
        trust = directory.backend_trust
        if trust is directory.trust:
            return self.gateway.snapshots.trust(directory)
        if self._trust is None or self._trust[0] is not trust:
            self._trust = trust, TrustStore(trust)
        return self._trust[1]


DOOR: web.AppKey[Door] = web.AppKey("door", Door)


@web.middleware
async def signed_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let only known back-ends through, also to paths that do not exist."""
    operation = operation_of(request)
    if operation is not None and operation.scope is None:
        return await handler(request)
    door = request.app[DOOR]
    with door.failing(request):
        backend, allowed = door.who(request)
    door.failures.passed(request.remote, backend.name)
    request[PEER] = backend.name
    if backend.party in door.directory.suspended:
        raise PolicyViolation("party.suspended", "Deze partij is hier geblokkeerd.")
    if operation is not None:
        _check_scope(operation, allowed)
    request[BACKEND] = backend
    return await handler(request)


@web.middleware
async def fair(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep every back-end to its share."""
    backend = request.get(BACKEND)
    if backend is None:
        return await handler(request)
    shares = request.app[DOOR].shares
    shares.take(request, backend.name)
    operation = operation_of(request)
    poll = operation is not None and operation.waits and request.query.get("wacht", "0") != "0"
    with shares.hold(backend.name, poll=poll):
        return await handler(request)


def _check_scope(operation: Operation, allowed: frozenset[Scope]) -> None:
    if operation.scope not in allowed:
        raise PolicyViolation(
            "token.scope",
            f"De scope {operation.scope} ontbreekt bij wat dit systeem liet zien.",
            where=str(operation.scope),
        )


def _bearer(request: web.Request) -> str | None:
    """Return the token; None without any. Another scheme, or two at once, is refused."""
    headers = request.headers.getall("Authorization", [])
    if not headers:
        return None
    scheme, _, token = headers[0].partition(" ")
    if len(headers) != 1 or scheme.lower() != "bearer" or not 0 < len(token) <= jwt.LONGEST:
        raise Untrusted("token.missing", "Geef één Authorization-header, met een Bearer-token.")
    return token


def _by_access(access: jwt.Access, backends: tuple[Backend, ...], request: web.Request) -> Proof:
    """An access token is worth what its back-end and key are worth now."""
    backend = next((b for b in backends if b.name == access.client), None)
    key = signin.by_key(backend, access.key) if backend is not None else None
    if backend is None or key is None:
        raise Untrusted("token.unknown", "Dit token is hier niet bekend.")
    shown = certificate_of(request)
    if access.certificate and (shown is None or thumbprint(shown) != access.certificate):
        raise Untrusted(
            "token.binding", "Dit token hoort bij een ander clientcertificaat dan is getoond."
        )
    return Proof(
        backend=backend,
        factor=Factor.JWT,
        scopes=access.scopes & key.scopes,
        sha256=key.thumbprint,
    )


_CERTIFICATE: Mapping[str, str] = MappingProxyType(
    {
        "certificate.expired": "De geldigheid van het clientcertificaat is voorbij.",
        "certificate.not_yet_valid": "Het clientcertificaat is nog niet geldig.",
        "certificate.revoked": "Het clientcertificaat is ingetrokken.",
        "certificate.untrusted": "Het clientcertificaat is niet van een CA die hier geldt.",
        "certificate.usage": "Het clientcertificaat is niet voor TLS-clients (clientAuth).",
        "certificate.weak_key": "De sleutel van het clientcertificaat is te zwak.",
    }
)
_OTHER_CERTIFICATE = "Het clientcertificaat is niet bruikbaar."
