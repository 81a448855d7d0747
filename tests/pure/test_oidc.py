"""What proves somebody who signed in elsewhere, and what does not: each with its code."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey, RSAKey

from gateway.credentials import UserRole
from gateway.errors import PeerUnreachable, PolicyViolation, Untrusted
from gateway.pipeline.accounts.mapping import RoleMapping
from gateway.security.oidc import (
    Asked,
    Client,
    Tokens,
    authorization_url,
    is_address,
    key_id,
    read_keys,
    read_metadata,
    sign_out_url,
    values_of,
    verify,
)
from tests.jwts import base64url, ec_key, jwt, public_pem, rsa_key

AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
NOW = int(AT.timestamp())
ISSUER = "https://aanmelden.example/om"
CLIENT = Client(
    issuer=ISSUER,
    id="console",
    redirect="https://console.example/aanmelden/terug",
    scopes=("openid", "profile"),
    acr=("urn:twee",),
    amr=frozenset(),
    max_age=timedelta(hours=8),
)
ASKED = Asked(state="s" * 64, nonce="n" * 64, verifier="v" * 64, at=AT, again=False)
AGAIN = replace(ASKED, again=True)
CLAIMS = {
    "iss": ISSUER,
    "aud": "console",
    "sub": "persoon-1",
    "nonce": ASKED.nonce,
    "iat": NOW,
    "exp": NOW + 300,
    "auth_time": NOW - 60,
    "acr": "urn:twee",
}


def jwk(private, kid="k1", **more):
    kind = ECKey if isinstance(private, ec.EllipticCurvePrivateKey) else RSAKey
    return {**kind.import_key(private).as_dict(private=False), "kid": kid, **more}


def key_set(*found):
    return json.dumps({"keys": list(found)}).encode()


KEYS = read_keys(key_set(jwk(ec_key("idp")), jwk(rsa_key("idp"), "k2"), jwk(ec_key("old"), "k3")))


def token(key="idp", kid="k1", alg="ES256", header=(), **changes):
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    private = key if key is None or isinstance(key, bytes) else ec_key(key)
    return jwt(claims, private, alg=alg, kid=kid, **dict(header))


def judged(id_token, *, client=CLIENT, asked=ASKED, access="", at=AT, keys=KEYS):
    return verify(Tokens(id_token=id_token, access_token=access), keys, client, asked, at=at)


def test_a_good_token_says_who_and_since_when():
    found = judged(token())

    assert (found.subject, found.at) == ("persoon-1", AT - timedelta(seconds=60))


def half(access):
    return base64url(hashlib.sha256(access.encode()).digest()[:16])


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["console"]},
        {"azp": "console"},
        {"at_hash": half("toegang")},
        {"exp": NOW - 30},
        {"iat": NOW + 30, "nbf": NOW + 30},
        {"auth_time": NOW + 30},
    ],
)
def test_what_is_allowed_is_allowed(changes):
    assert judged(token(**changes), access="toegang").at <= AT


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_an_rsa_key_counts_with_both_of_its_algorithms(alg):
    assert judged(jwt(CLAIMS, rsa_key("idp"), alg=alg, kid="k2")).subject == "persoon-1"


def headed(header):
    return f"{base64url(header)}.{token().partition('.')[2]}"


WRONG = {
    "oidc.token": [
        "",
        "a.b",
        "x" * 20_000,
        "é.é.é",
        token(header={"b64": False}),
        jwt(b"[1]", ec_key("idp"), kid="k1"),
        jwt(b"{", ec_key("idp"), kid="k1"),
        jwt(b'{"a":' * 4_000, ec_key("idp"), kid="k1")[:16_000],
        headed(b'"alg"'),
        headed(b'["alg"]'),
    ],
    "oidc.algorithm": [
        token(key=None, alg="none"),
        token(key=None, alg="None"),
        token(key=public_pem(ec_key("idp")), alg="HS256"),
        token(alg="ES512"),
        token(header={"crit": ["exp"]}),
        headed(b'{"alg": ["ES256"]}'),
        headed(b'{"alg": {}}'),
    ],
    "oidc.key": [
        token(kid="k9"),
        token(kid=""),
        token(kid=["k1"]),
        token(kid={}),
        token(kid="k2"),
        jwt(CLAIMS, ec_key("idp")),
        token(kid="k1", alg="RS256"),
    ],
    "oidc.signature": [token(key="another"), token()[:-4] + "AAAA", token(kid="k3")],
    "oidc.issuer": [token(iss=None), token(iss=f"{ISSUER}/"), token(iss="https://other.example")],
    "oidc.audience": [
        token(aud=None),
        token(aud="console2"),
        token(aud=[]),
        token(aud=["console", "other"]),
        token(azp="other"),
    ],
    "oidc.expired": [token(exp=NOW - 61), token(exp=0)],
    "oidc.time": [
        token(exp=None),
        token(iat=None),
        token(exp="morgen"),
        token(exp=True),
        token(exp=float("nan")),
        token(iat=NOW + 61),
        token(nbf=NOW + 61),
        token(nbf="nu"),
        token(iat=NOW - 3_600),
    ],
    "oidc.nonce": [token(nonce=None), token(nonce="m" * 64), token(nonce=7)],
    "oidc.at_hash": [token(at_hash=half("anders")), token(at_hash=5)],
    "oidc.auth_time": [
        token(auth_time=None),
        token(auth_time=f"{NOW}"),
        token(auth_time=NOW - 9 * 3_600),
        token(auth_time=NOW + 61),
    ],
    "oidc.factor": [
        token(acr=None),
        token(acr="urn:een"),
        token(acr=["urn:twee"]),
        token(acr=None, amr=["mfa"]),
    ],
    "oidc.subject": [
        token(sub=None), token(sub=""), token(sub="a b"), token(sub="x" * 256), token(sub=1),
    ],
}  # fmt: skip
CASES = [(code, n, text) for code, texts in WRONG.items() for n, text in enumerate(texts)]


@pytest.mark.parametrize(("code", "n", "text"), CASES, ids=[f"{c}-{n}" for c, n, _ in CASES])
def test_a_token_that_proves_nothing_says_why(code, n, text):
    with pytest.raises(Untrusted) as caught:
        judged(text, access="toegang")

    assert caught.value.code == code
    assert "persoon-1" not in str(caught.value)


def test_a_key_is_asked_of_a_token_that_can_be_good_only():
    assert key_id(token()) == "k1"
    with pytest.raises(Untrusted, match="algorithm"):
        key_id(token(key=None, alg="none"))
    with pytest.raises(Untrusted, match="token"):
        key_id(token(kid=5))


def test_a_new_proof_is_not_older_than_the_question():
    with pytest.raises(Untrusted, match="auth_time"):
        judged(token(auth_time=NOW - 90), asked=AGAIN)
    assert judged(token(auth_time=NOW), asked=AGAIN).at == AT


def test_without_acr_and_amr_nothing_proves_a_factor():
    with pytest.raises(Untrusted, match="factor"):
        judged(token(), client=replace(CLIENT, acr=()))


@pytest.mark.parametrize(
    ("amr", "proven"), [(["pwd", "mfa"], True), (["pwd"], False), ("mfa", False), (None, False)]
)
def test_amr_counts_by_one_of_its_values(amr, proven):
    client = replace(CLIENT, acr=(), amr=frozenset({"mfa", "hwk"}))
    if proven:
        assert judged(token(amr=amr), client=client)
    else:
        with pytest.raises(Untrusted, match="factor"):
            judged(token(amr=amr), client=client)


def test_acr_and_amr_count_both_where_both_are_set():
    client = replace(CLIENT, amr=frozenset({"mfa"}))

    with pytest.raises(Untrusted, match="factor"):
        judged(token(), client=client)
    assert judged(token(amr=["mfa"]), client=client)


def test_a_token_without_a_key_name_is_of_the_only_key_that_fits():
    alone = read_keys(key_set(jwk(ec_key("idp")), jwk(rsa_key("idp"), "k2")))

    assert judged(jwt(CLAIMS, ec_key("idp")), keys=alone)


# --- keys and documents ---------------------------------------------------------------


def test_keys_that_are_weak_or_for_something_else_are_left_out():
    weak = {**jwk(rsa_key("idp"), "w"), "n": base64url(b"\xff" * 128)}
    other = jwk(ec_key("idp"), "e", use="enc")
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "s"}
    broken = {"kty": "EC", "crv": "P-256", "x": "!", "y": "!", "kid": "b"}
    wide = {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "kid": "p"}

    found = read_keys(key_set(weak, other, secret, broken, wide, {"kid": 1}, 5, jwk(ec_key("idp"))))

    assert [one.kid for one in found] == ["k1"]


def test_a_key_is_for_its_own_algorithm_only():
    bound = read_keys(key_set(jwk(rsa_key("idp"), "k2", alg="PS256")))

    with pytest.raises(Untrusted, match="key"):
        judged(jwt(CLAIMS, rsa_key("idp"), alg="RS256", kid="k2"), keys=bound)


@pytest.mark.parametrize("octets", [b"", b"[]", b'{"keys":5}', b"{", b"[" * 9_000])
def test_keys_that_can_not_be_read_are_said(octets):
    with pytest.raises(PeerUnreachable, match="metadata"):
        read_keys(octets)


def test_fifty_keys_are_enough():
    with pytest.raises(PeerUnreachable, match="metadata"):
        read_keys(key_set(*({} for _ in range(51))))


DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}


def document(**changes):
    return json.dumps(DOCUMENT | changes).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": f"{ISSUER}/"},
        {"token_endpoint": "http://aanmelden.example/token"},
        {"token_endpoint": None},
        {"jwks_uri": "https://user@aanmelden.example/jwks"},
        {"jwks_uri": "https://aanmelden.example/jwks#x"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": 'https://x.example/" onload="'},
        {"end_session_endpoint": "data:text/html,x"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_a_document_that_leads_elsewhere_is_refused(changes):
    with pytest.raises(PeerUnreachable, match="metadata"):
        read_metadata(document(**changes), ISSUER)


@pytest.mark.parametrize(
    "text", ["https://[::1", "https://", "https://x:0/", "https://x:99999/", "ftp://x/", "https:x"]
)
def test_what_is_no_address_is_none(text):
    assert not is_address(text)


def test_the_question_carries_what_must_come_back_and_no_secret():
    metadata = read_metadata(document(), ISSUER)
    url = authorization_url(metadata, CLIENT, ASKED)
    fields = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}

    challenge = base64url(hashlib.sha256(ASKED.verifier.encode()).digest())
    assert fields["code_challenge"] == challenge
    assert (fields["state"], fields["nonce"]) == (ASKED.state, ASKED.nonce)
    assert fields["redirect_uri"] == CLIENT.redirect
    assert fields["max_age"] == "28800"
    assert ASKED.verifier not in url
    assert "prompt" not in fields
    again = authorization_url(metadata, CLIENT, AGAIN)
    assert "prompt=login" in again
    assert "max_age=0" in again


def test_signing_out_there_is_offered_where_it_can():
    back = "https://console.example/afgemeld"
    with_page = read_metadata(document(end_session_endpoint=f"{ISSUER}/uit?x=1"), ISSUER)

    assert sign_out_url(read_metadata(document(), ISSUER), CLIENT, back) == ""
    assert sign_out_url(with_page, CLIENT, back).startswith(f"{ISSUER}/uit?x=1&client_id=console&")


# --- roles ----------------------------------------------------------------------------

MAPPING = RoleMapping(
    claim="groepen",
    roles={
        "bg-om": UserRole.OFFICIER,
        "bg-op": UserRole.OPERATOR,
        "bg-beheer": UserRole.BEHEERDER,
        "bg-toezicht": UserRole.COMPLIANCE,
    },
    officer_claim="personeelsnummer",
    officers={"77": "vaart"},
)


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        ("bg-op", {UserRole.OPERATOR}),
        (["bg-op", "bg-beheer", "iets"], {UserRole.OPERATOR, UserRole.BEHEERDER}),
        (["bg-toezicht", 5], {UserRole.COMPLIANCE}),
    ],
)
def test_values_give_roles(groups, roles):
    assert MAPPING.rights({"groepen": groups}).roles == roles


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({}, "oidc.role"),
        ({"groepen": []}, "oidc.role"),
        ({"groepen": ["BG-OP"]}, "oidc.role"),
        ({"groepen": {"bg-op": 1}}, "oidc.role"),
        ({"groepen": ["bg-om", "bg-op"], "personeelsnummer": "77"}, "oidc.roles"),
        ({"groepen": ["bg-om", "bg-toezicht"], "personeelsnummer": "77"}, "oidc.roles"),
        ({"groepen": ["bg-toezicht", "bg-beheer"]}, "oidc.roles"),
        ({"groepen": ["bg-om"]}, "oidc.officer"),
        ({"groepen": ["bg-om"], "personeelsnummer": "78"}, "oidc.officer"),
    ],
)
def test_what_gives_no_role_or_too_many_is_refused(claims, code):
    with pytest.raises(PolicyViolation) as caught:
        MAPPING.rights(claims)

    assert caught.value.code == code


def test_an_officer_is_named_by_a_claim():
    found = MAPPING.rights({"groepen": "bg-om", "personeelsnummer": "77"})

    assert (found.roles, found.officer) == ({UserRole.OFFICIER}, "vaart")


def test_an_empty_mapping_gives_nobody_anything():
    with pytest.raises(PolicyViolation, match="role"):
        RoleMapping(claim="groepen", roles={}).rights({"groepen": ["", "operator"]})


def test_a_claim_is_found_by_its_whole_name_first():
    claims = {"https://x.example/rollen": ["a"], "realm": {"rollen": ["b"]}, "realm.rollen": "c"}

    assert values_of(claims, "https://x.example/rollen") == {"a"}
    assert values_of(claims, "realm.rollen") == {"c"}
    assert values_of({"realm": {"rollen": ["b"]}}, "realm.rollen") == {"b"}
    assert values_of({"realm": "x"}, "realm.rollen") == frozenset()
