"""Tokens of back-ends, and of the provider that people sign in at."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from gateway.credentials import Scope
from gateway.errors import (
    PeerUnreachable,
    Untrusted,
)
from gateway.security import jwt, oidc
from tests import jwts, pki
from tests.fuzz.changes import octets_changed
from tests.fuzz.choices import Choices
from tests.fuzz.json_changes import json_changed, value_changed
from tests.fuzz.target import Broken, Target

# --- tokens ---------------------------------------------------------------------------

_AUDIENCES = frozenset({jwts.API, f"{jwts.API}/token"})
_ALGORITHMS = ("ES256", "PS256", "RS256", "HS256", "none", "ES384")


@cache
def _issuer() -> jwt.Issuer:
    own = jwt.TokenKey(jwts.ec_key("own"))
    return jwt.Issuer(url=jwts.API, keys=(own,), life=timedelta(minutes=5))


def judge_assertion(octets: bytes) -> None:
    """An assertion: changed claims that the client signed, or a changed text."""
    choices = Choices(octets)
    if choices.number(8) == 1:
        return _judge_access(choices)
    claims = jwts.claims(pki.AT, jti="een")
    text = _token(claims, choices, jwts.ec_key(), jwts.rsa_key())
    jwt.looks_like_jwt(text)
    keys = tuple(map(jwts.client_key, (jwts.ec_key(), jwts.rsa_key())))
    client = jwt.client_of(text)
    found = jwt.verify_assertion(text, keys, audiences=_AUDIENCES, at=pki.AT)
    if found.client != client or not pki.AT < found.expires <= pki.AT + timedelta(minutes=6):
        raise Broken("an assertion is of another client, or for too long")
    return None


def _judge_access(choices: Choices) -> None:
    said = jwt.Access(
        client=jwts.CLIENT,
        scopes=frozenset({Scope.READ}) if choices.flag() else frozenset(Scope),
        key="ab" * 32,
        certificate=choices.one(("", "cd" * 32)),
    )
    token = _issuer().issue(said, at=pki.AT, jti="een")
    for _ in choices.times(2):
        token = octets_changed(token.encode(), choices).decode("latin-1")
    late = choices.one((timedelta(0), timedelta(minutes=6)))
    if _issuer().verify(token, at=pki.AT + late) != said:
        raise Broken("an access token says something else than was issued")


def _token(claims: dict[str, Any], choices: Choices, *keys: Any, **header: Any) -> str:
    """Return claims that a key signed, with a header that says so, or something else."""
    said: Any = claims
    for _ in choices.times(3):
        said = value_changed(said, choices)
    head: Any = {"alg": "ES256", "typ": "JWT"} | header
    key = choices.one(keys)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        head["alg"] = choices.one(("PS256", "RS256"))
    for _ in choices.times(2):
        head = value_changed(head, choices)
    parts = (json.dumps(part).encode(errors="surrogatepass") for part in (head, said))
    signed = b".".join(map(_base64url, parts))
    by = head.get("alg") if isinstance(head, dict) else ""
    secret = key if choices.number(8) != 1 else choices.one((None, b"secret"))
    value = jwts._signature(signed, secret, by if by in _ALGORITHMS else "ES256")
    token = signed + b"." + _base64url(value)
    for _ in choices.times(1):
        token = octets_changed(token, choices)
    return token.decode("latin-1")


def _base64url(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


# --- the provider of sign-in ----------------------------------------------------------

ISSUER = "https://aanmelden.example/om"
_NONCE = "n" * 64


@cache
def _clients() -> tuple[oidc.Client, ...]:
    return tuple(
        oidc.Client(
            issuer=ISSUER,
            id="console",
            redirect="https://console.example/terug",
            scopes=("openid",),
            acr=acr,
            amr=amr,
            max_age=timedelta(hours=8),
        )
        for acr, amr in (
            (("urn:twee",), frozenset()),
            ((), frozenset({"otp"})),
            (("urn:twee",), frozenset({"otp"})),
            ((), frozenset()),
        )
    )


@cache
def _provider_keys() -> tuple[dict[str, Any], ...]:
    from joserfc.jwk import ECKey, RSAKey

    return (
        {**ECKey.import_key(jwts.ec_key("idp")).as_dict(private=False), "kid": "k1"},
        {**RSAKey.import_key(jwts.rsa_key("idp")).as_dict(private=False), "kid": "k2"},
        {**ECKey.import_key(jwts.ec_key("old")).as_dict(private=False), "use": "sig"},
    )


def judge_sign_in(octets: bytes) -> None:
    """An ID token that the provider signed, and keys that it published, changed."""
    choices = Choices(octets)
    published: Any = {"keys": list(_provider_keys())}
    for _ in choices.times(2):
        published = value_changed(published, choices)
    keys = oidc.read_keys(json.dumps(published).encode(errors="surrogatepass"))
    now = int(pki.AT.timestamp())
    half = b"ff" * 8
    claims = {
        "iss": ISSUER,
        "aud": "console",
        "sub": "persoon-1",
        "nonce": _NONCE,
        "iat": now,
        "exp": now + 300,
        "auth_time": now - 60,
        "acr": "urn:twee",
        "amr": ["otp"],
        **({"at_hash": half.decode()} if choices.number(4) == 1 else {}),
    }
    kid = choices.one(("k1", "k2"))
    key = jwts.ec_key("idp") if kid == "k1" else jwts.rsa_key("idp")
    text = _token(claims, choices, key, kid=kid)
    client = choices.one(_clients())
    asked = oidc.Asked(state="s", nonce=_NONCE, verifier="v" * 64, at=pki.AT, again=choices.flag())
    tokens = oidc.Tokens(id_token=text, access_token=choices.one(("", "toegang")))
    found = oidc.verify(tokens, keys, client, asked, at=pki.AT)
    oidc.key_id(text)
    if not oidc.is_subject(found.subject) or found.at > pki.AT:
        raise Broken("somebody signed in who is nobody, or later than now")
    for name in ("amr", "a.b", "acr", "nonce"):
        oidc.values_of(found.claims, name)


def read_provider(octets: bytes) -> None:
    found = oidc.read_metadata(octets, ISSUER)
    for url in (found.authorization, found.token, found.jwks):
        if not url.lower().startswith("https://"):
            raise Broken("a provider is asked without TLS")
    client = _clients()[0]
    asked = oidc.Asked(state="s", nonce=_NONCE, verifier="v" * 64, at=pki.AT, again=True)
    oidc.authorization_url(found, client, asked)
    oidc.sign_out_url(found, client, "https://console.example/")


def provider_seeds() -> Iterator[bytes]:
    found = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/a?b=c",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/jwks",
        "end_session_endpoint": f"{ISSUER}/weg",
        "code_challenge_methods_supported": ["plain", "S256"],
        "authorization_response_iss_parameter_supported": True,
    }
    yield json.dumps(found).encode()
    yield json.dumps({name: one for name, one in found.items() if name[:3] != "end"}).encode()


# --- the table ------------------------------------------------------------------------

TARGETS = (
    Target(
        name="jwt",
        run=judge_assertion,
        seeds=lambda: (bytes((0,)), bytes((0, 0, 1)), bytes((1,)), bytes((1, 0, 1))),
        raises=((Untrusted, ("oauth.", "token.unknown", "token.expired")),),
    ),
    Target(
        name="oidc",
        run=judge_sign_in,
        seeds=lambda: (bytes((0, 0, 0)), bytes((0, 0, 1)), bytes((0, 1)), bytes(20)),
        raises=((Untrusted, ("oidc.",)), (PeerUnreachable, ("oidc.metadata",))),
    ),
    Target(
        name="provider",
        run=read_provider,
        seeds=provider_seeds,
        raises=((PeerUnreachable, ("oidc.metadata",)),),
        change=json_changed,
    ),
)
