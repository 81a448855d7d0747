"""Which tokens of the console count beside those of gateway.toml."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.credentials import BearerToken, Credentials, Scope
from gateway.directory import Backend
from gateway.message import Oin
from gateway.rules.tokens import KeptToken, with_tokens

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
PARTY, OTHER = Oin("00000099000000000001"), Oin("00000099000000000002")
OWN, MADE = "a" * 64, "b" * 64
SYSTEM = Backend(
    name="bvh",
    party=PARTY,
    applicaties=("BVH",),
    credentials=Credentials(tokens=(BearerToken(sha256=OWN, scopes=frozenset({Scope.READ})),)),
)
KEPT = KeptToken(
    sha256=MADE,
    backend="bvh",
    party=PARTY,
    scopes=frozenset({Scope.HAND_IN}),
    valid_until=AT + timedelta(days=30),
    made_at=AT,
    made_by="bea",
)


def counting(*kept: KeptToken, ended=frozenset()) -> dict[str, frozenset[Scope]]:
    (backend,) = with_tokens((SYSTEM,), kept, frozenset(ended))
    return {token.sha256: token.scopes for token in backend.credentials.tokens}


def test_one_of_the_console_counts_beside_that_of_the_file():
    assert counting(KEPT) == {OWN: {Scope.READ}, MADE: {Scope.HAND_IN}}
    (backend,) = with_tokens((SYSTEM,), (KEPT,), frozenset())
    assert backend.credentials.tokens[1].valid_until == KEPT.valid_until


@pytest.mark.parametrize("changed", [{"backend": "other"}, {"party": OTHER}])
def test_one_of_another_system_or_for_another_party_does_not(changed):
    assert counting(replace(KEPT, **changed)) == {OWN: {Scope.READ}}


def test_what_was_ended_is_gone_wherever_it_stands():
    assert counting(KEPT, ended={OWN, MADE}) == {}


def test_one_of_the_console_never_decides_for_the_om():
    asked = replace(KEPT, scopes=frozenset({Scope.READ, Scope.DECIDE, Scope.DECIDE_LOOK}))

    assert counting(asked)[MADE] == {Scope.READ}


def test_of_one_digest_in_both_places_the_file_counts_once():
    assert counting(replace(KEPT, sha256=OWN)) == {OWN: {Scope.READ}}


@pytest.mark.parametrize(
    "changed",
    [
        {"sha256": OWN},
        {"backend": "other"},
        {"party": OTHER},
        {"scopes": frozenset({Scope.READ})},
        {"valid_until": AT},
    ],
)
def test_everything_that_gives_a_right_is_sealed(changed):
    assert replace(KEPT, **changed).rights != KEPT.rights
