"""The token endpoint: client credentials, proven by a signed JWT (RFC 6749 4.4, RFC 7523 2.2).

Refusals are problem details that also have `error` and `error_description`, so that a client
of OAuth understands them (RFC 6749, 5.2).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPMethod
from urllib.parse import parse_qsl

from aiohttp import web

from gateway.credentials import Factor, Scope
from gateway.directory import Backend
from gateway.errors import (
    CertificateRejected,
    Malformed,
    NoRoute,
    PolicyViolation,
    Untrusted,
)
from gateway.rules.signin import Proof
from gateway.security.certificates import thumbprint
from gateway.security.jwt import (
    Access,
    Assertion,
    client_of,
    scope_text,
    verify_assertion,
)
from gateway.web.api import models, shapes
from gateway.web.api.auth import DOOR, Door, Oauth
from gateway.web.api.operation import Answer, Body, Operation
from gateway.web.api.query import Query
from gateway.web.intake import Intake
from gateway.web.middleware import PEER
from gateway.web.peer import certificate_of

GRANT = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = "application/x-www-form-urlencoded"
MOST_BYTES = 16_384
MOST_FIELDS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request for a token of which the client is proven."""

    backend: Backend
    assertion: Assertion
    allowed: frozenset[Scope]
    certificate: str
    """Thumbprint of the client certificate; empty without one."""


async def token(request: web.Request, _query: Query) -> web.Response:
    """Give an access token for a JWT that the client signed."""
    door = request.app[DOOR]
    if door.oauth is None:
        raise NoRoute("oauth.off", "Aanmelden met OAuth staat hier niet aan.")
    form = await _form(request, door.oauth.intake)
    with door.failing(request):
        asked = _proven(request, door, door.oauth, form)
    _check(request, door, asked.backend)
    scopes = _granted(asked.allowed, form.get("scope"))
    with door.failing(request):
        # After the rest, so that what was refused for another reason can be sent again.
        await asyncio.to_thread(door.oauth.used.use, asked.assertion, door.clock.now())
    # Only now it is its owner that asks, and not somebody who shows his JWT once more.
    door.failures.passed(request.remote, asked.backend.name)
    door.shares.take(request, asked.backend.name)
    return _answer(door.oauth, asked, scopes, door)


def _answer(oauth: Oauth, asked: _Asked, scopes: frozenset[Scope], door: Door) -> web.Response:
    access = Access(
        client=asked.backend.name,
        scopes=scopes,
        key=asked.assertion.key.thumbprint,
        certificate=asked.certificate,
    )
    return shapes.answer(
        models.Toegangstoken(
            access_token=oauth.issuer.issue(access, at=door.clock.now(), jti=oauth.dice.uuid()),
            token_type="Bearer",  # noqa: S106 - RFC 6749, 7.1
            expires_in=int(oauth.issuer.life.total_seconds()),
            scope=scope_text(scopes),
        )
    )


async def _form(request: web.Request, intake: Intake) -> Mapping[str, str]:
    """Return the fields; raise Malformed `oauth.request` or `oauth.grant`."""
    if request.content_type != FORM:
        raise Malformed("oauth.request", f"Stuur {FORM}.")
    if "Authorization" in request.headers:
        raise Malformed("oauth.request", "Stuur geen Authorization-header, alleen de JWT.")
    async with intake.body(request, most=MOST_BYTES, code="size.request") as octets:
        form = _fields(octets)
    if form.get("grant_type") != GRANT:
        raise PolicyViolation("oauth.grant", f"grant_type moet {GRANT} zijn.")
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_secret" in form:
        raise Malformed("oauth.request", f"client_assertion_type moet {ASSERTION_TYPE} zijn.")
    return form


def _fields(octets: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            octets.decode("ascii"), keep_blank_values=True, strict_parsing=True,
            max_num_fields=MOST_FIELDS, errors="strict",
        )  # fmt: skip
    except ValueError:
        raise Malformed("oauth.request", "Het formulier is niet te lezen.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise Malformed("oauth.request", "Een veld staat er dubbel.")
    return form


def _proven(request: web.Request, door: Door, oauth: Oauth, form: Mapping[str, str]) -> _Asked:
    """Return who asks; raises Untrusted or Unavailable."""
    text = form.get("client_assertion", "")
    name = client_of(text)
    backends = door.directory.backends
    backend = next((b for b in backends if b.name == name), None)
    assertion = verify_assertion(
        text,
        backend.credentials.keys if backend is not None else (),
        audiences=oauth.issuer.audiences,
        at=door.clock.now(),
    )
    if backend is None or form.get("client_id", name) != name:
        raise Untrusted("oauth.client", "client_id is een ander dan in de JWT.")
    key = assertion.key
    proof = Proof(backend=backend, factor=Factor.JWT, scopes=key.scopes, sha256=key.thumbprint)
    shown = certificate_of(request)
    return _Asked(
        backend=backend,
        assertion=assertion,
        allowed=_allowed(request, door, proof),
        certificate="" if shown is None else thumbprint(shown),
    )


def _allowed(request: web.Request, door: Door, proof: Proof) -> frozenset[Scope]:
    """Return what JWT and certificate together let do, in the words of OAuth."""
    try:
        _, allowed = door.admit((proof, *door.certificate(request)))
    except CertificateRejected as error:
        raise CertificateRejected("oauth.certificate", error.text) from error
    except Untrusted as error:
        raise Untrusted("oauth.way", error.text) from error
    return allowed


def _check(request: web.Request, door: Door, backend: Backend) -> None:
    """Raise what would be raised anyway, while the JWT can still be sent again."""
    door.failures.check(request.remote, backend.name)
    request[PEER] = backend.name
    door.shares.check(backend.name)
    if backend.party in door.directory.suspended:
        raise PolicyViolation("party.suspended", "Deze partij is hier geblokkeerd.")


def _granted(allowed: frozenset[Scope], asked: str | None) -> frozenset[Scope]:
    """Return what was asked for; all that is allowed when nothing was."""
    wanted = allowed if asked is None else frozenset(asked.split(" "))
    if not wanted or not wanted <= allowed:
        # Names that are no scope are the client's own text.
        missing = sorted(frozenset(Scope) & wanted - allowed)
        raise PolicyViolation(
            "oauth.scope", "Dit systeem heeft niet al deze scopes.", where=" ".join(missing)
        )
    return frozenset(Scope(name) for name in wanted)


OPERATIONS = (
    Operation(
        id="geefToegangstoken",
        method=HTTPMethod.POST,
        path="/token",
        handler=token,
        tag="aanmelden",
        summary="Een toegangstoken voor een ondertekende JWT",
        description="OAuth 2.0 client credentials met private_key_jwt. Elke JWT geldt een keer.",
        scope=None,
        body=Body(description="Het verzoek.", model=models.Tokenverzoek, form=True),
        answers={200: Answer(description="Het token.", model=models.Toegangstoken)},
        problems=frozenset({401, 403, 404, 429}),
        refusal=models.OauthProbleem,
    ),
)
