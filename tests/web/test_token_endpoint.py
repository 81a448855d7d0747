"""OAuth 2.0 client credentials with a signed JWT, and what the access token is worth."""

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from gateway.credentials import Scope
from gateway.rules.bucket import Pace
from gateway.web.api.limits import FairLimits
from gateway.web.api.token import ASSERTION_TYPE
from gateway.web.intake import IntakeLimits
from tests import jwts, pki
from tests.web.doubles import POLITIE, VT, backend
from tests.web.systems import (
    ALL,
    BERICHTEN,
    CERTIFICATE_JWT,
    JWT,
    POSTVAK,
    TOKEN,
    bearer,
    client,
    issuer,
    pinned,
    thumbprint,
    world,
)
from tests.web.test_fair_limits import Stands

READS = frozenset({Scope.READ})


def system(scopes=ALL, *, key=None, **more):
    keys = (jwts.client_key(key or jwts.ec_key(), scopes),)
    return backend("bvh", POLITIE, "BVH", **({"ways": JWT, "tokens": (), "keys": keys} | more))


def form(*, key=None, alg="ES256", fields=None, **claims) -> dict[str, str]:
    """Return a request for a token; a field that is None is left out."""
    signed = jwts.jwt(jwts.claims(datetime.now(UTC), **claims), key or jwts.ec_key(), alg=alg)
    made = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed,
    } | (fields or {})
    return {name: value for name, value in made.items() if value is not None}


async def asked(here, *, leaf=None, headers=None, data=None, path=TOKEN, **named):
    return await here.ask(
        path, method="POST", leaf=leaf, data=data or form(**named), headers=headers or {}
    )


@pytest.mark.parametrize(
    ("key", "alg"), [(jwts.ec_key(), "ES256"), (jwts.rsa_key(), "PS256")], ids=["ES256", "PS256"]
)
async def test_a_signed_jwt_gives_a_token_that_lets_in(tmp_path, key, alg):
    async with world(tmp_path, system(key=key), oauth=True) as here:
        status, body = await asked(here, key=key, alg=alg)
        assert status == 200
        assert body["token_type"] == "Bearer"
        assert body["expires_in"] == 300
        assert body["scope"] == " ".join(sorted(ALL))
        assert body["headers"]["Cache-Control"] == "no-store"

        status, _ = await here.ask(headers=bearer(body["access_token"]))

    assert status == 200


async def test_a_token_has_no_more_scopes_than_asked_for(tmp_path):
    async with world(tmp_path, system(), oauth=True) as here:
        _, body = await asked(here, fields={"scope": "berichten:lezen"})
        assert body["scope"] == "berichten:lezen"

        status, refusal = await here.ask(POSTVAK, headers=bearer(body["access_token"]))

    assert (status, refusal["code"]) == (403, "token.scope")


async def test_a_token_is_verified_by_every_process_of_the_installation(tmp_path):
    async with (
        world(tmp_path / "een", system(), oauth=True) as here,
        world(tmp_path / "twee", system(), oauth=True) as there,
    ):
        _, body = await asked(here)
        status, _ = await there.ask(headers=bearer(body["access_token"]))

    assert status == 200


@pytest.mark.parametrize(
    ("named", "status", "code", "error"),
    [
        ({"key": jwts.ec_key("ander")}, 401, "oauth.client", "invalid_client"),
        ({"sub": "vt", "iss": "vt"}, 401, "oauth.client", "invalid_client"),
        ({"fields": {"client_id": "vt"}}, 401, "oauth.client", "invalid_client"),
        ({"fields": {"client_assertion": None}}, 401, "oauth.client", "invalid_client"),
        ({"iss": "vt"}, 401, "oauth.issuer", "invalid_client"),
        ({"aud": "https://een.ander"}, 401, "oauth.audience", "invalid_client"),
        ({"exp": 1}, 401, "oauth.life", "invalid_client"),
        ({"jti": None}, 401, "oauth.jti", "invalid_client"),
        ({"fields": {"grant_type": None}}, 400, "oauth.grant", "unsupported_grant_type"),
        ({"fields": {"grant_type": "password"}}, 400, "oauth.grant", "unsupported_grant_type"),
        ({"fields": {"client_assertion_type": "x"}}, 400, "oauth.request", "invalid_request"),
        ({"fields": {"client_secret": "x"}}, 400, "oauth.request", "invalid_request"),
        ({"fields": {"scope": "alles"}}, 400, "oauth.scope", "invalid_scope"),
        ({"fields": {"scope": ""}}, 400, "oauth.scope", "invalid_scope"),
        ({"headers": bearer()}, 400, "oauth.request", "invalid_request"),
        ({"data": b"geen formulier"}, 400, "oauth.request", "invalid_request"),
    ],
)
async def test_a_refusal_is_that_of_rfc_6749_and_problem_details(
    tmp_path, named, status, code, error
):
    async with world(tmp_path, system(), oauth=True) as here:
        found, body = await asked(here, **named)

    assert (found, body["code"], body["error"]) == (status, code, error)
    assert body["error_description"] == body["detail"]
    assert body["headers"]["Content-Type"].startswith("application/problem+json")
    assert "access_token" not in body


async def test_a_jwt_in_the_address_is_refused(tmp_path):
    async with world(tmp_path, system(), oauth=True) as here:
        status, body = await asked(here, path=f"{TOKEN}?client_assertion=x")

    assert (status, body["code"]) == (400, "request.query")


async def test_a_field_that_stands_there_twice_is_refused(tmp_path):
    twice = [*form().items(), ("grant_type", "client_credentials")]
    async with world(tmp_path, system(), oauth=True) as here:
        status, body = await asked(here, data=twice)

    assert (status, body["code"]) == (400, "oauth.request")


async def test_a_jwt_is_used_once(tmp_path):
    async with world(tmp_path, system(), oauth=True) as here:
        data = form()
        first, _ = await asked(here, data=data)
        second, body = await asked(here, data=data)
        third, _ = await asked(here)

    assert (first, second, third) == (200, 401, 200)
    assert body["code"] == "oauth.replay"


async def test_a_jwt_that_was_refused_for_its_scope_can_be_sent_again(tmp_path):
    async with world(tmp_path, system(READS), oauth=True) as here:
        data = form(fields={"scope": "postvak:lezen"})
        assert (await asked(here, data=data))[1]["code"] == "oauth.scope"
        status, _ = await asked(here, data=data | {"scope": "berichten:lezen"})

    assert status == 200


@pytest.mark.parametrize(
    ("again", "code"),
    [
        ({}, "oauth.replay"),
        ({"scope": "bestaat:niet"}, "oauth.scope"),
        ({"client_assertion": "geen.jwt.hier"}, "oauth.client"),
    ],
    ids=["replayed", "replayed for more", "invalid"],
)
async def test_what_others_do_with_a_jwt_costs_its_owner_nothing(tmp_path, again, code):
    fair = FairLimits(pace=Pace(per_minute=1, burst=3))
    async with world(tmp_path, system(), oauth=True, fair=fair) as here:
        data = form()
        _, first = await asked(here, data=data)
        for _ in range(5):
            _, refused = await asked(here, data=data | again)
            assert refused["code"] == code
            assert "RateLimit" not in refused["headers"]
        statuses = [(await asked(here))[0] for _ in range(3)]

    assert first["headers"]["RateLimit"].startswith('"systeem";r=2;')
    assert statuses == [200, 200, 429]


async def test_a_jwt_for_which_no_share_was_left_can_be_sent_again(tmp_path):
    fair, clock = FairLimits(pace=Pace(per_minute=60, burst=1)), Stands()
    async with world(tmp_path, system(), oauth=True, fair=fair, clock=clock) as here:
        assert (await asked(here))[0] == 200
        data = form()
        status, body = await asked(here, data=data)
        assert (status, body["code"]) == (429, "limit.rate")
        clock.seconds += 1
        assert (await asked(here, data=data))[0] == 200


async def test_who_replays_a_jwt_is_not_known_where_he_does(tmp_path):
    fair = FairLimits(failures=Pace(per_minute=1, burst=2))
    async with world(tmp_path, system(), oauth=True, fair=fair) as here:
        data = form()
        assert (await asked(here, data=data))[0] == 200
    # Another process, that has seen nobody yet and knows the used JWTs.
    async with world(tmp_path, system(), oauth=True, fair=fair) as here:
        codes = [(await asked(here, data=data))[1]["code"] for _ in range(3)]
        _, guess = await asked(here)

    assert codes == ["oauth.replay", "oauth.replay", "limit.signin"]
    assert guess["code"] == "limit.signin"


@pytest.mark.parametrize(
    ("asked_for", "told"),
    [("postvak:lezen berichten:lezen", "postvak:lezen"), ("eigen tekst", None)],
)
async def test_a_refusal_names_the_scopes_that_are_missing_and_nothing_else(
    tmp_path, asked_for, told
):
    async with world(tmp_path, system(READS), oauth=True) as here:
        _, body = await asked(here, fields={"scope": asked_for})

    assert (body["code"], body.get("scope")) == ("oauth.scope", told)
    assert "eigen" not in str(body["detail"])


async def test_where_used_jwts_can_not_be_remembered_nobody_gets_a_token(tmp_path):
    (tmp_path / "used").write_text("geen map")
    async with world(tmp_path, system(), oauth=True) as here:
        status, body = await asked(here)

    assert (status, body["code"], body["herhalen"]) == (503, "oauth.used", True)


async def test_where_it_is_off_there_is_no_token_and_no_jwt_comes_in(tmp_path):
    async with world(tmp_path, system()) as here:
        status, body = await asked(here)
        assert (status, body["code"]) == (404, "oauth.off")
        forged = jwts.jwt(jwts.claims(datetime.now(UTC)), jwts.ec_key("own"), typ="at+jwt")
        status, body = await here.ask(headers=bearer(forged))

    assert (status, body["code"]) == (401, "token.unknown")


# --- what a token is worth ------------------------------------------------------------


@pytest.mark.parametrize(
    "now",
    [
        backend("vt", VT, "R"),
        system(key=jwts.ec_key("nieuw")),
        backend("bvh", POLITIE, "BVH", keys=()),
    ],
    ids=["system gone", "key replaced", "no key left"],
)
async def test_a_token_ends_with_the_key_that_it_was_asked_with(tmp_path, now):
    async with world(tmp_path, system(), oauth=True) as here:
        _, body = await asked(here)
        here.let_in(now)
        status, refusal = await here.ask(headers=bearer(body["access_token"]))

    assert (status, refusal["code"]) == (401, "token.unknown")


async def test_a_token_loses_what_its_key_lost(tmp_path):
    async with world(tmp_path, system(), oauth=True) as here:
        _, body = await asked(here)
        here.let_in(system(READS))
        reads, _ = await here.ask(BERICHTEN, headers=bearer(body["access_token"]))
        looks, _ = await here.ask(POSTVAK, headers=bearer(body["access_token"]))

    assert (reads, looks) == (200, 403)


async def test_a_suspended_party_gets_no_token(tmp_path):
    async with world(tmp_path, system(), oauth=True) as here:
        here.let_in(suspended=frozenset({POLITIE}))
        status, body = await asked(here)

    assert (status, body["code"]) == (403, "party.suspended")


async def test_a_party_that_is_not_ours_gets_no_token(tmp_path):
    async with world(tmp_path, system(), oauth=True) as here:
        here.let_in(parties={})
        status, body = await asked(here)

    assert (status, body["code"], body["error"]) == (400, "oauth.way", "unauthorized_client")


async def test_a_token_is_bound_to_the_certificate_that_it_was_asked_with(tmp_path):
    bound = system(ways=CERTIFICATE_JWT, certificates=(pinned(client()), pinned(client("twee"))))
    async with world(tmp_path, bound, oauth=True) as here:
        _, body = await asked(here, leaf=client())
        _, claims = jwts.read(body["access_token"])
        token = bearer(body["access_token"])
        right = await here.ask(leaf=client(), headers=token)
        other = await here.ask(leaf=client("twee"), headers=token)
        without = await here.ask(headers=token)

    x5t = jwts.base64url(bytes.fromhex(thumbprint(client())))
    assert claims["cnf"] == {"x5t#S256": x5t}
    assert right[0] == 200
    assert (other[0], other[1]["code"]) == (401, "token.binding")
    assert (without[0], without[1]["code"]) == (401, "token.binding")


async def test_without_the_certificate_that_is_demanded_there_is_no_token(tmp_path):
    bound = system(ways=CERTIFICATE_JWT, certificates=(pinned(client()),))
    stranger = client("TEST vreemd")
    async with world(tmp_path, bound, oauth=True) as here:
        without = await asked(here)
        wrong = await asked(here, leaf=stranger)

    assert (without[0], without[1]["error"]) == (400, "unauthorized_client")
    assert (wrong[0], wrong[1]["code"], wrong[1]["error"]) == (
        401,
        "oauth.certificate",
        "invalid_client",
    )


async def test_a_token_ends_after_its_time(tmp_path):
    async with world(tmp_path, system(), oauth=True) as here:
        access = issuer().verify((await asked(here))[1]["access_token"], at=datetime.now(UTC))
        old = replace(issuer(), life=timedelta(seconds=60)).issue(
            access, at=datetime.now(UTC) - timedelta(seconds=61), jti="j"
        )
        status, body = await here.ask(headers=bearer(old))

    assert (status, body["code"]) == (401, "token.expired")


async def test_strangers_at_the_token_take_no_place_of_a_hand_in(tmp_path):
    few = IntakeLimits(requests=4)
    async with world(
        tmp_path, system(), backend("vt", VT, "VTregistratie"), oauth=True, intake=few
    ) as here:
        place, writers = urlsplit(here.url), []
        tls = ssl.create_default_context(cadata=pki.live().root)
        for _ in range(8):
            _, writer = await asyncio.open_connection(place.hostname, place.port, ssl=tls)
            writer.write(
                b"POST /api/v1/token HTTP/1.1\r\nHost: x\r\nContent-Length: 16000\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\n\r\ng"
            )
            await writer.drain()
            writers.append(writer)
        await asyncio.sleep(0.2)

        headers = bearer("token-van-vt") | {"Content-Type": "application/xml"}
        status, body = await here.ask(method="POST", headers=headers, data=b"<a/>")

        assert (status, body.get("code")) != (503, "busy.requests")
        for writer in writers:
            writer.close()


async def test_a_jti_that_is_no_text_is_used_once_like_any_other(tmp_path):
    async with world(tmp_path, system(), oauth=True) as here:
        status, _ = await asked(here, jti="\ud800")
        assert status in {200, 400, 401}
