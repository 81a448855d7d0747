"""Signing in to the API over real TLS: token, certificate, or both, judged per request."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.credentials import ClientCertificate, Scope
from gateway.keys.test_pki import TestPki
from gateway.web.api.operation import ROOT
from gateway.web.api.operations import OPERATIONS
from tests import pki
from tests.web.doubles import POLITIE, TOKENS, VT, backend
from tests.web.systems import (
    ALL,
    BERICHTEN,
    BOTH,
    CERTIFICATE,
    POSTVAK,
    bearer,
    client,
    pinned,
    token,
    world,
)

READS = frozenset({Scope.READ})
CHALLENGE = 'Bearer realm="berichtengateway"'


# --- certificates ---------------------------------------------------------------------


async def test_a_certificate_alone_lets_its_system_in(tmp_path):
    mine = backend("bvh", POLITIE, "BVH", ways=CERTIFICATE, certificates=(pinned(client()),))
    async with world(tmp_path, mine) as here:
        status, _ = await here.ask(leaf=client())
        assert status == 200

        status, body = await here.ask(headers=bearer())
        assert (status, body["code"]) == (403, "certificate.missing")

        status, body = await here.ask()
        assert (status, body["code"]) == (401, "token.missing")


async def test_a_renewed_certificate_of_the_same_subject_lets_in(tmp_path):
    named = ClientCertificate(scopes=ALL, serial_number=pki.POLITIE, common_name="TEST BVH")
    mine = backend("bvh", POLITIE, "BVH", ways=CERTIFICATE, certificates=(named,))
    first, second = (pki.live().issue(oin=pki.POLITIE, name="TEST BVH") for _ in range(2))
    async with world(tmp_path, mine) as here:
        assert [(await here.ask(leaf=leaf))[0] for leaf in (first, second)] == [200, 200]


async def test_both_are_demanded_where_both_are_set(tmp_path):
    mine = backend("bvh", POLITIE, "BVH", ways=BOTH, certificates=(pinned(client()),))
    async with world(tmp_path, mine) as here:
        asked = [
            await here.ask(leaf=client(), headers=bearer()),
            await here.ask(leaf=client()),
            await here.ask(headers=bearer()),
        ]

    assert [(status, body.get("code")) for status, body in asked] == [
        (200, None),
        (401, "token.missing"),
        (403, "certificate.missing"),
    ]


async def test_the_certificate_of_one_does_not_go_with_the_token_of_another(tmp_path):
    mine = backend("bvh", POLITIE, "BVH", certificates=(pinned(client()),))
    other = backend("vt", VT, "R", certificates=(pinned(client("TEST vt")),))
    async with world(tmp_path, mine, other) as here:
        status, body = await here.ask(leaf=client("TEST vt"), headers=bearer())

    assert (status, body["code"]) == (403, "signin.mismatch")


async def test_what_both_let_do_is_what_may_be_done(tmp_path):
    mine = backend(
        "bvh", POLITIE, "BVH",
        ways=BOTH, certificates=(pinned(client(), READS),), tokens=(token(scopes=ALL),),
    )  # fmt: skip
    async with world(tmp_path, mine) as here:
        assert (await here.ask(leaf=client(), headers=bearer()))[0] == 200
        status, body = await here.ask(POSTVAK, leaf=client(), headers=bearer())

    assert (status, body["code"]) == (403, "token.scope")


async def test_a_certificate_is_judged_anew_for_each_request_of_a_connection(tmp_path):
    own = TestPki(datetime.now(UTC).replace(microsecond=0), authority_bits=2048)
    leaf = own.issue(oin="", name="TEST bvh")
    mine = backend("bvh", POLITIE, "BVH", ways=CERTIFICATE, certificates=(pinned(leaf),))
    async with world(tmp_path, mine) as here:
        here.trust(own.trust())
        async with here.system(leaf) as session:
            async with session.get(BERICHTEN) as response:
                assert response.status == 200
            own.revoke(leaf, at=datetime.now(UTC))
            here.let_in(trust=own.trust())
            async with session.get(BERICHTEN) as response:
                body = await response.json(content_type=None)
            assert (response.status, body["code"]) == (403, "certificate.revoked")
            here.let_in(trust=replace(own.trust(), crls=()))
            async with session.get(BERICHTEN) as response:
                body = await response.json(content_type=None)

    assert (response.status, body["code"]) == (503, "certificate.revocation_unknown")
    assert body["herhalen"] is True
    assert "Retry-After" in response.headers


async def test_systems_may_have_cas_of_their_own(tmp_path):
    own = TestPki(datetime.now(UTC).replace(microsecond=0), authority_bits=2048)
    leaf = own.issue(oin="", name="TEST bvh")
    mine = backend("bvh", POLITIE, "BVH", ways=CERTIFICATE, certificates=(pinned(leaf),))
    async with world(tmp_path, mine) as here:
        partners = here.gateway.directory.trust
        here.trust(own.trust())
        here.let_in(trust=partners, client_trust=own.trust())
        assert (await here.ask(leaf=leaf))[0] == 200

        here.let_in(client_trust=partners)
        status, body = await here.ask(leaf=leaf)

    assert (status, body["code"]) == (403, "certificate.untrusted")


async def test_whoever_shows_a_certificate_signs_in_with_it_or_not_at_all(tmp_path):
    async with world(tmp_path, backend("bvh", POLITIE, "BVH")) as here:
        status, body = await here.ask(leaf=client(), headers=bearer())

    assert (status, body["code"]) == (403, "certificate.unknown")


# --- tokens ---------------------------------------------------------------------------


async def test_a_token_is_replaced_without_a_moment_without_one(tmp_path):
    now = datetime.now(UTC)
    both = (token(until=now + timedelta(days=1)), token("vt"))
    async with world(tmp_path, backend("bvh", POLITIE, "BVH", tokens=both)) as here:
        texts = (TOKENS["bvh"], TOKENS["vt"])
        assert [(await here.ask(headers=bearer(t)))[0] for t in texts] == [200, 200]

        here.let_in(backend("bvh", POLITIE, "BVH", tokens=(token("vt"),)))
        assert [(await here.ask(headers=bearer(t)))[0] for t in texts] == [401, 200]


def test_only_these_operations_need_no_sign_in():
    assert {one.path for one in OPERATIONS if one.scope is None} == {"/openapi.json", "/token"}


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.scope is not None], ids=lambda one: one.id
)
async def test_each_operation_asks_for_its_scope(tmp_path, operation):
    method, path = operation.method, ROOT + operation.path.replace("{id}", "m-1")
    scope = operation.scope
    without = backend("bvh", POLITIE, "BVH", tokens=(token(scopes=ALL - {scope}),))
    only = backend("bvh", POLITIE, "BVH", tokens=(token(scopes=frozenset({scope})),))
    async with world(tmp_path, without) as here:
        status, body = await here.ask(path, method=method, headers=bearer())
        assert (status, body["code"], body["scope"]) == (403, "token.scope", str(scope))
        assert body["headers"]["WWW-Authenticate"] == (
            f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'
        )
        assert here.gateway.calls == []
        here.let_in(only)
        async with here.system(**bearer()) as session, session.request(method, path) as response:
            text = await response.text()

    assert response.status != 401
    assert "token.scope" not in text


async def test_a_token_without_scopes_lets_do_nothing(tmp_path):
    nothing = backend("bvh", POLITIE, "BVH", tokens=(token(scopes=frozenset()),))
    async with world(tmp_path, nothing) as here:
        status, body = await here.ask(headers=bearer())
        missing, _ = await here.ask("/api/v1/geheim", headers=bearer())

    assert (status, body["code"]) == (403, "token.scope")
    assert missing == 404


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ({}, CHALLENGE),
        (bearer("ander"), f'{CHALLENGE}, error="invalid_token", error_description="token.unknown"'),
    ],
)
async def test_the_challenge_is_that_of_rfc_6750(tmp_path, headers, challenge):
    async with world(tmp_path) as here:
        status, body = await here.ask(headers=headers)

    assert status == 401
    assert body["headers"]["WWW-Authenticate"] == challenge
