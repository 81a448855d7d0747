"""Misuse of the sign-in, over real TLS: each case is refused, reaches nothing, leaks nothing."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from multidict import CIMultiDict
from structlog.testing import capture_logs

from gateway.credentials import Scope, SignIn
from gateway.security.jwt import Access
from tests import jwts, pki
from tests.web.doubles import POLITIE, TOKENS, VT, backend
from tests.web.systems import (
    ALL,
    BERICHTEN,
    BOTH,
    CERTIFICATE,
    JWT,
    TOKEN,
    World,
    bearer,
    client,
    issuer,
    other_ca,
    pinned,
    token,
    world,
)
from tests.web.test_token_endpoint import form

Case = Callable[[World], Awaitable[tuple[int, dict]]]

NOW = datetime.now(UTC)
EXPIRED = {"not_before": NOW - timedelta(days=20), "not_after": NOW - timedelta(days=2)}
LATER = {"not_before": NOW + timedelta(days=1)}
XML = {"Content-Type": "application/xml"}


def hand_in(**named) -> Case:
    """Hand a message in, with these headers, certificate or parameters."""
    headers = named.pop("headers", {})

    async def act(here: World) -> tuple[int, dict]:
        both = CIMultiDict(headers)
        both.extend(XML)
        return await here.ask(method="POST", data=b"<a/>", headers=both, **named)

    return act


def ask_token(**named) -> Case:
    async def act(here: World) -> tuple[int, dict]:
        return await here.ask(TOKEN, method="POST", data=form(**named))

    return act


def allowing(*credentials: dict, then: Case) -> Case:
    """First let in a system with these credentials, and one of Veilig Thuis."""

    async def act(here: World) -> tuple[int, dict]:
        here.let_in(*(backend("bvh", POLITIE, "BVH", **one) for one in credentials))
        return await then(here)

    return act


def certificate(leaf) -> Case:
    mine = {"ways": CERTIFICATE, "tokens": (), "certificates": (pinned(leaf),)}
    return allowing(mine, then=hand_in(leaf=leaf))


async def replayed(here: World) -> tuple[int, dict]:
    data = form()
    status, _ = await here.ask(TOKEN, method="POST", data=data)
    assert status == 200
    return await here.ask(TOKEN, method="POST", data=data)


async def assertion_as_token(here: World) -> tuple[int, dict]:
    return await hand_in(headers=bearer(form()["client_assertion"]))(here)


async def access_token_as_assertion(here: World) -> tuple[int, dict]:
    _, body = await here.ask(TOKEN, method="POST", data=form())
    data = form() | {"client_assertion": body["access_token"]}
    return await here.ask(TOKEN, method="POST", data=data)


async def more_scopes(here: World) -> tuple[int, dict]:
    """Change the scopes of a token that was given for reading alone."""
    _, body = await here.ask(TOKEN, method="POST", data=form(fields={"scope": "berichten:lezen"}))
    head, _, signature = body["access_token"].split(".")
    _, claims = jwts.read(body["access_token"])
    claims["scope"] = "berichten:aanleveren"
    changed = jwts.jwt(claims, None).split(".")[1]
    return await hand_in(headers=bearer(f"{head}.{changed}.{signature}"))(here)


STRANGER = client("TEST vreemd")
KEY = jwts.client_key(jwts.ec_key())
ACCESS = Access(client="bvh", scopes=ALL, key=KEY.thumbprint, certificate="")
OURS = {"typ": "at+jwt", "kid": issuer().keys[0].id}
CLAIMS = jwts.read(issuer().issue(ACCESS, at=NOW, jti="j"))[1]


def forged(key, alg: str = "ES256") -> Case:
    return hand_in(headers=bearer(jwts.jwt(CLAIMS, key, alg=alg, **OURS)))


CASES: dict[str, tuple[Case, int, str]] = {
    # --- tokens
    "no token": (hand_in(), 401, "token.missing"),
    "an expired token": (
        allowing({"tokens": (token(until=NOW),)}, then=hand_in(headers=bearer())),
        401,
        "token.expired",
    ),
    "a token without the scope": (
        allowing(
            {"tokens": (token(scopes=frozenset({Scope.READ})),)}, then=hand_in(headers=bearer())
        ),
        403,
        "token.scope",
    ),
    "the digest instead of the token": (
        hand_in(headers=bearer(token().sha256)),
        401,
        "token.unknown",
    ),
    "a token in the query": (
        hand_in(params={"access_token": TOKENS["bvh"]}),
        401,
        "token.missing",
    ),
    "a token in the body": (
        lambda here: here.ask(method="POST", data={"access_token": TOKENS["bvh"]}),
        401,
        "token.missing",
    ),
    "a token in a cookie": (
        hand_in(headers={"Cookie": f"access_token={TOKENS['bvh']}"}),
        401,
        "token.missing",
    ),
    "two Authorization headers": (
        hand_in(headers=[*bearer().items(), *bearer("x").items()]),
        401,
        "token.missing",
    ),
    "two tokens in one header": (
        hand_in(headers=bearer(f"{TOKENS['bvh']}, Bearer x")),
        401,
        "token.unknown",
    ),
    "Basic": (hand_in(headers={"Authorization": "Basic YnZoOng="}), 401, "token.missing"),
    "a space before the token": (
        hand_in(headers=bearer(" " + TOKENS["bvh"])),
        401,
        "token.unknown",
    ),
    # --- certificates
    "an expired certificate": (certificate(client(**EXPIRED)), 403, "certificate.expired"),
    "a certificate of later": (certificate(client(**LATER)), 403, "certificate.not_yet_valid"),
    "a certificate for signing": (certificate(client(usage="sign")), 403, "certificate.usage"),
    "a certificate that nobody has": (
        hand_in(leaf=STRANGER),
        403,
        "certificate.unknown",
    ),
    "the certificate of another beside a token": (
        allowing(
            {"ways": BOTH, "certificates": (pinned(client()),)},
            then=hand_in(headers=bearer(), leaf=STRANGER),
        ),
        403,
        "certificate.unknown",
    ),
    "a certificate alone where both are demanded": (
        allowing({"ways": BOTH, "certificates": (pinned(client()),)}, then=hand_in(leaf=client())),
        401,
        "token.missing",
    ),
    # --- JWTs
    "alg none": (forged(None, "none"), 401, "token.unknown"),
    "HS256 with our public key": (
        forged(jwts.public_pem(jwts.ec_key("own")), "HS256"),
        401,
        "token.unknown",
    ),
    "signed by another": (forged(jwts.ec_key("ander")), 401, "token.unknown"),
    "scopes that were not given": (more_scopes, 401, "token.unknown"),
    "an assertion as a token": (assertion_as_token, 401, "token.unknown"),
    "a token as an assertion": (access_token_as_assertion, 401, "oauth.client"),
    "an assertion for another audience": (
        ask_token(aud="https://een.ander/api/v1"),
        401,
        "oauth.audience",
    ),
    "an assertion for two audiences": (
        ask_token(aud=[jwts.API, "https://een.ander"]),
        401,
        "oauth.audience",
    ),
    "an assertion used again": (replayed, 401, "oauth.replay"),
    "an assertion that lives for an hour": (
        ask_token(exp=int(NOW.timestamp()) + 3_600),
        401,
        "oauth.life",
    ),
    "an assertion of later": (
        ask_token(iat=int(NOW.timestamp()) + 86_400, exp=int(NOW.timestamp()) + 86_500),
        401,
        "oauth.not_yet_valid",
    ),
    "an assertion in the name of another": (ask_token(sub="vt", iss="vt"), 401, "oauth.client"),
    "an assertion of 10 KB": (ask_token(jti="x" * 10_000), 401, "oauth.client"),
    "an assertion of 100 KB": (ask_token(jti="x" * 100_000), 413, "size.request"),
    "a form of 17 fields": (
        ask_token(fields={f"f{n}": "x" for n in range(17)}),
        400,
        "oauth.request",
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_misuse_is_refused_and_neither_reaches_nor_leaks_anything(tmp_path, name):
    act, status, code = CASES[name]
    bvh = backend(
        "bvh", POLITIE, "BVH",
        ways=JWT | {SignIn.BEARER}, keys=(KEY,),
    )  # fmt: skip
    other = backend("vt", VT, "R", ways=JWT, keys=(jwts.client_key(jwts.ec_key("vt")),))
    async with world(tmp_path, bvh, other, oauth=True) as here:
        with capture_logs() as lines:
            found, body = await act(here)

    assert (found, body["code"]) == (status, code)
    assert body["headers"]["Content-Type"].startswith("application/problem+json")
    assert here.gateway.calls == []
    assert here.counted.refusals == [code]
    for secret in (TOKENS["bvh"], "eyJ", "access_token"):
        assert secret not in str(lines)
        assert secret not in str(body)


async def test_a_revoked_certificate_is_refused(tmp_path):
    leaf = pki.live().issue(oin="", name="TEST ingetrokken")
    mine = backend("bvh", POLITIE, "BVH", ways=CERTIFICATE, certificates=(pinned(leaf),))
    async with world(tmp_path, mine) as here:
        assert (await here.ask(leaf=leaf))[0] == 200
        pki.live().revoke(leaf, at=datetime.now(UTC))
        here.let_in(trust=pki.live().trust())
        status, body = await here.ask(leaf=leaf)

    assert (status, body["code"]) == (403, "certificate.revoked")
    assert here.counted.refusals == ["certificate.revoked"]


async def test_a_certificate_of_another_ca_does_not_get_as_far_as_a_request(tmp_path):
    stranger = other_ca().issue(oin="", name="TEST bvh")
    mine = backend("bvh", POLITIE, "BVH", ways=CERTIFICATE, certificates=(pinned(stranger),))
    async with world(tmp_path, mine) as here:
        with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
            await here.ask(leaf=stranger)

    assert here.counted.answers == []


async def test_a_header_of_100_kb_does_not_get_as_far_as_a_sign_in(tmp_path):
    async with world(tmp_path, oauth=True) as here, here.system() as session:
        with pytest.raises(aiohttp.ClientError):
            async with session.get(BERICHTEN, headers=bearer("a.b." + "x" * 100_000)) as response:
                response.raise_for_status()

    assert here.gateway.calls == []
    assert here.counted.answers == []


async def test_guessing_in_parallel_is_no_way_around_the_limit(tmp_path):
    async with world(tmp_path) as here, here.system() as session:

        async def guess(n: int) -> int:
            async with session.get(BERICHTEN, headers=bearer(f"gok-{n}")) as response:
                return response.status

        found = await asyncio.gather(*(guess(n) for n in range(100)))

    assert found.count(401) <= 31  # thirty, and what flowed in meanwhile
    assert found.count(401) + found.count(429) == 100
