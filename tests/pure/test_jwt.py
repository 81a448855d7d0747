"""Assertions of back-ends, and access tokens: what holds, and every way in which it does not."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from gateway.credentials import Scope
from gateway.errors import GatewayError, Misconfigured, Untrusted
from gateway.security.jwt import (
    LONGEST,
    Access,
    Issuer,
    TokenKey,
    algorithm,
    client_of,
    looks_like_jwt,
    verify_assertion,
)
from tests import jwts

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
KEYS = (jwts.client_key(jwts.ec_key()), jwts.client_key(jwts.rsa_key()))
AUDIENCES = frozenset({jwts.API, f"{jwts.API}/token"})
LIFE = timedelta(minutes=5)
ISSUER = Issuer(url=jwts.API, keys=(TokenKey(jwts.ec_key("own")),), life=LIFE)
ACCESS = Access(
    client=jwts.CLIENT,
    scopes=frozenset({Scope.READ, Scope.HAND_IN}),
    key=KEYS[0].thumbprint,
    certificate="",
)


def verified(text: str, *, keys=KEYS, at: datetime = AT):
    return verify_assertion(text, keys, audiences=AUDIENCES, at=at)


def refusal(text: str, **named) -> str:
    with pytest.raises(Untrusted) as caught:
        verified(text, **named)
    return caught.value.code


def assertion(key=None, alg: str = "ES256", **changes) -> str:
    return jwts.jwt(jwts.claims(AT, **changes), key or jwts.ec_key(), alg=alg)


def headed(header: bytes, rest: str = assertion()) -> str:
    """Return a token with another header."""
    return f"{jwts.base64url(header)}.{rest.partition('.')[2]}"


# --- assertions -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "alg"), [(jwts.ec_key(), "ES256"), (jwts.rsa_key(), "PS256")], ids=["ES256", "PS256"]
)
@pytest.mark.parametrize("audience", [jwts.API, f"{jwts.API}/token", [jwts.API]])
def test_what_the_client_signed_is_known(key, alg, audience):
    text = assertion(key, alg, aud=audience, jti="een")
    found = verified(text)

    assert client_of(text) == found.client == jwts.CLIENT
    assert found.key == jwts.client_key(key)
    assert found.jti == "een"
    assert found.expires == AT + timedelta(seconds=120)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (assertion(jwts.ec_key("een ander")), "the key of another"),
        (jwts.jwt(jwts.claims(AT), None, alg="none"), "no signature"),
        (jwts.jwt(jwts.claims(AT), None, alg="None"), "no signature, spelled otherwise"),
        (jwts.jwt(jwts.claims(AT), None), "an empty signature"),
        (
            jwts.jwt(jwts.claims(AT), jwts.public_pem(jwts.rsa_key()), alg="HS256"),
            "HMAC with the public key as its secret",
        ),
        (jwts.jwt(jwts.claims(AT), KEYS[0].spki, alg="HS256"), "the same with its DER"),
        (assertion(jwts.rsa_key(), "RS256"), "PKCS#1 v1.5"),
        (assertion(jwts.rsa_key(), "ES256"), "another algorithm than the key's"),
        (assertion(jwts.ec_key(), "PS256"), "another algorithm than the key's"),
        (assertion(jwts.ec_key(), "ES384"), "a curve that is not ours"),
        (
            jwts.jwt(jwts.claims(AT), jwts.ec_key("een ander"), jwk={"kty": "EC"}),
            "a key of its own in the header",
        ),
        (jwts.jwt(jwts.claims(AT), jwts.ec_key(), crit=["x"], x=1), "a critical header"),
        (jwts.jwt(jwts.claims(AT), jwts.ec_key(), kid=["x"]), "a header of the wrong kind"),
        (headed(b'"alg"'), "a header that is a text"),
        (headed(b'["alg"]'), "a header that is a list"),
        (headed(b'{"alg": ["ES256"]}'), "two algorithms"),
        (jwts.jwt(b"[]", jwts.ec_key()), "claims that are no object"),
        (jwts.jwt(b"{", jwts.ec_key()), "claims that are no JSON"),
        (jwts.jwt(b"[" * 2_000, jwts.ec_key()), "claims that are too deep"),
        (jwts.jwt(b"\xff", jwts.ec_key()), "claims that are no text"),
        ("", "nothing"),
        ("..", "three times nothing"),
        ("a.b", "two parts"),
        (assertion() + ".x", "four parts"),
        (assertion() + "é", "other than ASCII"),
        ("x" * 100_000, "100 KB"),
        (assertion(jti="x" * 100_000), "100 KB, signed"),
        (assertion().swapcase(), "other letters"),
    ],
    ids=lambda value: value if " " in value or len(value) < 20 else "",
)
def test_what_the_client_did_not_sign_is_of_nobody(text, why):
    assert refusal(text) == "oauth.client"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "vt"}, "oauth.issuer"),
        ({"iss": None}, "oauth.issuer"),
        ({"sub": None}, "oauth.issuer"),
        ({"sub": 1, "iss": 1}, "oauth.issuer"),
        ({"aud": "https://een.ander/api/v1"}, "oauth.audience"),
        ({"aud": None}, "oauth.audience"),
        ({"aud": [jwts.API, "https://een.ander"]}, "oauth.audience"),
        ({"aud": []}, "oauth.audience"),
        ({"aud": [[jwts.API]]}, "oauth.audience"),
        ({"aud": jwts.API + "/"}, "oauth.audience"),
        ({"exp": None}, "oauth.life"),
        ({"iat": None}, "oauth.life"),
        ({"exp": "morgen"}, "oauth.life"),
        ({"exp": True}, "oauth.life"),
        ({"exp": float("nan")}, "oauth.life"),
        ({"exp": float("inf")}, "oauth.life"),
        ({"exp": 10**400}, "oauth.life"),
        ({"exp": NOW + 301}, "oauth.life"),
        ({"exp": NOW}, "oauth.life"),
        ({"nbf": "x"}, "oauth.life"),
        ({"iat": NOW - 120, "exp": NOW}, "oauth.expired"),
        ({"iat": NOW - 120, "exp": NOW - 1}, "oauth.expired"),
        ({"iat": NOW + 31}, "oauth.not_yet_valid"),
        ({"nbf": NOW + 31}, "oauth.not_yet_valid"),
        ({"jti": None}, "oauth.jti"),
        ({"jti": ""}, "oauth.jti"),
        ({"jti": 5}, "oauth.jti"),
        ({"jti": "x" * 257}, "oauth.jti"),
    ],
)
def test_each_claim_is_demanded(changes, code):
    assert refusal(assertion(**changes)) == code


def test_a_clock_that_is_half_a_minute_ahead_will_do():
    assert verified(assertion(iat=NOW + 30, nbf=NOW + 30)).client == jwts.CLIENT


def test_a_client_without_keys_has_signed_nothing():
    assert refusal(assertion(), keys=()) == "oauth.client"


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda o: o.decode("latin-1")))
def test_garbage_is_refused_and_nothing_else(text):
    assert refusal(text) == "oauth.client"


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_any_other_octet_is_refused(place, change):
    good = assertion(jti="vast")
    head, body, signature = good.split(".")
    octets = bytearray(body.encode())
    octets[place % len(octets)] ^= change
    bad = f"{head}.{octets.decode('latin-1')}.{signature}"

    assert refusal(bad) == "oauth.client"


# --- access tokens --------------------------------------------------------------------


def issued(access: Access = ACCESS, **changes) -> str:
    return replace(ISSUER, **changes).issue(access, at=AT, jti="j")


def test_an_access_token_says_what_was_put_in_by_rfc_9068():
    bound = replace(ACCESS, certificate="ab" * 32)
    token = issued(bound)
    header, claims = jwts.read(token)

    assert ISSUER.verify(token, at=AT) == bound
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "ES256"
    assert claims["iss"] == claims["aud"] == jwts.API
    assert claims["sub"] == claims["client_id"] == jwts.CLIENT
    assert claims["exp"] - claims["iat"] == 300
    assert claims["scope"] == "berichten:aanleveren berichten:lezen"
    assert set(claims["cnf"]) == {"x5t#S256"}
    assert looks_like_jwt(token)
    assert len(token) < LONGEST


def token_refusal(token: str, *, issuer: Issuer = ISSUER, at: datetime = AT) -> str:
    with pytest.raises(GatewayError) as caught:
        issuer.verify(token, at=at)
    return caught.value.code


def test_an_access_token_ends():
    token = issued()

    assert ISSUER.verify(token, at=AT + LIFE - timedelta(seconds=1)) == ACCESS
    assert token_refusal(token, at=AT + LIFE) == "token.expired"


def test_a_new_key_signs_while_the_old_one_still_verifies():
    old, new = ISSUER.keys[0], TokenKey(jwts.ec_key("new"))
    both = replace(ISSUER, keys=(new, old))

    assert both.verify(issued(), at=AT) == ACCESS
    assert both.verify(issued(keys=(new, old)), at=AT) == ACCESS
    assert token_refusal(issued(keys=(new, old))) == "token.unknown"
    assert token_refusal(issued(), issuer=replace(ISSUER, keys=(new,))) == "token.unknown"


def forged(key, *, alg="ES256", **header) -> str:
    _, content = jwts.read(issued())
    return jwts.jwt(content, key, alg=alg, **({"typ": "at+jwt", "kid": ISSUER.keys[0].id} | header))


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (forged(jwts.ec_key("een ander")), "the key of another, under our name"),
        (forged(None, alg="none"), "no signature"),
        (forged(jwts.public_pem(jwts.ec_key("own")), alg="HS256"), "HMAC with our public key"),
        (forged(jwts.ec_key("own"), typ="JWT"), "another type"),
        (forged(jwts.ec_key("own"), kid="x"), "another key id"),
        (issued(url="https://een.ander/api/v1"), "another issuer, with our key"),
        (assertion(), "an assertion"),
        (jwts.jwt(jwts.claims(AT), jwts.ec_key("own"), typ="at+jwt", kid=ISSUER.keys[0].id), "aud"),
        (headed(b'"alg"', issued()), "a header that is a text"),
        (headed(b'["alg"]', issued()), "a header that is a list"),
        ("a.b.c", "nothing of ours"),
    ],
    ids=lambda value: value if len(value) < 40 else "",
)
def test_what_we_did_not_issue_is_unknown(token, why):
    assert token_refusal(token) == "token.unknown"


# --- keys -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256K1())],
    ids=["P-384", "secp256k1"],
)
def test_a_key_of_another_curve_is_not_used(key):
    with pytest.raises(Misconfigured, match=r"oauth\.key"):
        algorithm(key.public_key())


def test_a_short_rsa_key_is_not_used():
    with pytest.raises(Misconfigured, match=r"oauth\.key"):
        algorithm(jwts.rsa_key("kort", 1024).public_key())


def test_no_text_of_a_refusal_repeats_the_token():
    token = jwts.jwt({"sub": "geheim", "iss": "ander"}, jwts.ec_key())
    with pytest.raises(Untrusted) as caught:
        verified(token)

    assert "geheim" not in str(caught.value)
    assert json.dumps(caught.value.text).isascii()
