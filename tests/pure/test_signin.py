"""Which back-end a credential is of, and which of them together let it in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.credentials import (
    BearerToken,
    ClientCertificate,
    ClientKey,
    Credentials,
    Factor,
    Scope,
    SignIn,
)
from gateway.directory import Backend
from gateway.errors import GatewayError
from gateway.message import Oin
from gateway.rules import signin
from gateway.rules.signin import Proof

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
PARTY = Oin("00000099000000000001")
ALL = frozenset(Scope)
READS = frozenset({Scope.READ})
A, B = "a" * 64, "b" * 64


def system(name: str, **credentials) -> Backend:
    return Backend(
        name=name, party=PARTY, applicaties=("BVH",), credentials=Credentials(**credentials)
    )


def token(sha256: str, *, until: datetime | None = None, scopes=ALL) -> BearerToken:
    return BearerToken(sha256=sha256, scopes=scopes, valid_until=until)


def code_of(act, *arguments, **named) -> str:
    with pytest.raises(GatewayError) as caught:
        act(*arguments, **named)
    return caught.value.code


def proof(backend: Backend, factor: Factor, scopes=ALL) -> Proof:
    return Proof(backend=backend, factor=factor, scopes=scopes, sha256=A)


# --- tokens ---------------------------------------------------------------------------


def test_two_tokens_of_one_system_stand_side_by_side():
    one = system("bvh", tokens=(token(A), token(B, scopes=READS)))

    assert signin.by_token((one,), A, AT).scopes == ALL
    assert signin.by_token((one,), B, AT).scopes == READS


def test_a_token_ends_at_its_moment_and_not_before():
    one = system("bvh", tokens=(token(A, until=AT), token(B)))

    assert code_of(signin.by_token, (one,), A, AT) == "token.expired"
    assert signin.by_token((one,), A, AT - timedelta(microseconds=1)).backend is one
    assert signin.by_token((one,), B, AT + timedelta(days=10_000)).backend is one


def test_a_token_of_nobody_or_of_two_is_unknown():
    both = (system("bvh", tokens=(token(A),)), system("vt", tokens=(token(A),)))

    assert code_of(signin.by_token, both, A, AT) == "token.unknown"
    assert code_of(signin.by_token, both, B, AT) == "token.unknown"
    assert code_of(signin.by_token, (), A, AT) == "token.unknown"
    assert code_of(signin.by_token, both, "", AT) == "token.unknown"


# --- certificates ---------------------------------------------------------------------


def shown(backends, *, sha256=A, serial_number="123", common_name="bvh"):
    return signin.by_certificate(
        backends, sha256=sha256, serial_number=serial_number, common_name=common_name
    )


def test_a_certificate_is_known_by_thumbprint_or_by_subject():
    pinned = system("bvh", certificates=(ClientCertificate(scopes=ALL, sha256=A),))
    named = system(
        "vt", certificates=(ClientCertificate(scopes=READS, serial_number="1", common_name="vt"),)
    )

    assert shown((pinned, named)).backend is pinned
    assert shown((pinned, named), sha256=B, serial_number="1", common_name="vt").backend is named


@pytest.mark.parametrize(("serial_number", "common_name"), [("1", "bvh"), ("2", "vt"), ("", "")])
def test_half_a_subject_is_not_enough(serial_number, common_name):
    named = system(
        "vt", certificates=(ClientCertificate(scopes=READS, serial_number="1", common_name="vt"),)
    )
    act = {"sha256": B, "serial_number": serial_number, "common_name": common_name}

    assert code_of(shown, (named,), **act) == "certificate.unknown"


def test_an_entry_that_names_nothing_fits_nothing():
    empty = system("vt", certificates=(ClientCertificate(scopes=ALL),))

    assert code_of(shown, (empty,), sha256="", serial_number="", common_name="") == (
        "certificate.unknown"
    )


def test_a_certificate_of_two_systems_is_of_nobody():
    same = ClientCertificate(scopes=ALL, sha256=A)
    both = (system("bvh", certificates=(same,)), system("vt", certificates=(same,)))

    assert code_of(shown, both) == "certificate.unknown"


def test_a_thumbprint_goes_before_a_subject():
    pinned = system("bvh", certificates=(ClientCertificate(scopes=READS, sha256=A),))
    named = system(
        "vt", certificates=(ClientCertificate(scopes=ALL, serial_number="123", common_name="bvh"),)
    )

    assert shown((named, pinned)).backend is pinned


# --- together -------------------------------------------------------------------------


def test_nothing_shown_is_nobody():
    assert code_of(signin.one_system, ()) == "token.missing"


def test_the_certificate_of_one_and_the_token_of_another_are_nobody():
    ways = frozenset({SignIn.CERTIFICATE_AND_BEARER})
    one, other = system("bvh", ways=ways), system("vt", ways=ways)
    mixed = (proof(one, Factor.CERTIFICATE), proof(other, Factor.BEARER))

    assert code_of(signin.one_system, mixed) == "signin.mismatch"


@pytest.mark.parametrize(
    ("way", "proven", "code"),
    [
        (SignIn.CERTIFICATE_AND_BEARER, {Factor.BEARER}, "certificate.missing"),
        (SignIn.CERTIFICATE_AND_BEARER, {Factor.CERTIFICATE}, "token.missing"),
        (SignIn.CERTIFICATE_AND_JWT, {Factor.JWT}, "certificate.missing"),
        (SignIn.CERTIFICATE_AND_JWT, {Factor.CERTIFICATE}, "token.missing"),
        (SignIn.BEARER, {Factor.JWT}, "token.missing"),
        (SignIn.CERTIFICATE, {Factor.BEARER}, "certificate.missing"),
        (SignIn.CERTIFICATE_AND_JWT, {Factor.BEARER}, "signin.way"),
        (None, {Factor.BEARER}, "signin.way"),
        (None, {Factor.BEARER, Factor.CERTIFICATE}, "signin.way"),
    ],
)
def test_less_than_a_way_asks_is_refused_with_what_is_missing(way, proven, code):
    one = system("bvh", ways=frozenset({way} if way else ()))

    assert code_of(signin.one_system, tuple(proof(one, factor) for factor in proven)) == code


def test_only_what_both_let_do_may_be_done():
    one = system("bvh", ways=frozenset({SignIn.CERTIFICATE_AND_BEARER}))
    both = (
        proof(one, Factor.CERTIFICATE, frozenset({Scope.READ, Scope.HAND_IN})),
        proof(one, Factor.BEARER, frozenset({Scope.READ, Scope.POSTVAK_LOOK})),
    )

    assert signin.one_system(both) == (one, READS)


@given(
    st.frozensets(st.sampled_from(SignIn)),
    st.frozensets(st.sampled_from(Factor), min_size=1),
)
def test_in_comes_exactly_who_proves_all_of_one_way(ways, proven):
    one = system("bvh", ways=ways)
    proofs = tuple(proof(one, factor) for factor in proven)
    fits = any(set(way.split("+")) <= set(proven) for way in ways)

    if fits:
        assert signin.one_system(proofs) == (one, ALL)
    else:
        assert code_of(signin.one_system, proofs) in {
            "token.missing",
            "certificate.missing",
            "signin.way",
        }


def test_a_key_that_was_taken_away_is_not_found():
    key = ClientKey(spki=b"", thumbprint=A, scopes=ALL)
    one = system("bvh", keys=(key,))

    assert signin.by_key(one, A) is key
    assert signin.by_key(one, B) is None
