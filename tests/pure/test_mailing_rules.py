"""When a message may go by secure e-mail: a table of cases, and what always holds."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directory import OwnMail, PartyMail, StandingSpoed
from gateway.errors import PolicyViolation
from gateway.lifecycle import State
from gateway.rules.mailing import (
    Cause,
    Fallback,
    Ground,
    Heard,
    Policy,
    SoFar,
    cause_of,
    may_switch,
    policy_for,
    standing_ground,
)
from gateway.wire import toets
from tests.parties import AT, HUB, OLD_SERVICE, POLITIE, STRANGER, VT, agreement, directory

HOUR = timedelta(hours=1)
SPOED = Ground(text="het kind is nu in gevaar", by="o.operator")
OWN = OwnMail(address="gateway@politie.example", sign=b"der")
MAIL = PartyMail(address="gateway@vt.example", certificates=(b"der",))
MELDING, TERUGKOPPELING = "vtMeldingDi01", "vtTerugkoppelingDi01"
STANDING = StandingSpoed(
    id="acuut",
    messages=frozenset({MELDING}),
    ground="acuut gevaar",
    given_by="B. Bestuurder, directeur",
    valid_from=AT - HOUR,
    valid_until=AT + HOUR,
)


def here(*agreements, mail=MAIL, local=False, own=OWN):
    found = directory(POLITIE, *agreements)
    party = replace(found.parties[VT], mail=mail, local=local)
    return replace(found, mail=own, parties={**found.parties, VT: party})


def policy_of(directory, hops, message=MELDING, *, party=VT):
    return policy_for(directory, directory.parties[party], hops, message)


def tried(state=State.DEAD, **changes):
    facts = {
        "state": state,
        "released": True,
        "attempts": 3,
        "down": False,
        "next_at": AT + HOUR,
        "deadline": AT + 24 * HOUR,
    }
    return SoFar(**(facts | changes))


# --- the normal route -----------------------------------------------------------------

DIRECT = agreement(POLITIE, VT, (MELDING,))
BY_HUB = agreement(POLITIE, HUB, (MELDING,))


@pytest.mark.parametrize(
    ("agreements", "message", "policy"),
    [
        ((DIRECT,), MELDING, Policy.FALLBACK),
        ((BY_HUB,), MELDING, Policy.FALLBACK),
        ((DIRECT,), TERUGKOPPELING, Policy.NORMAL),
        ((), MELDING, Policy.NORMAL),
        ((agreement(VT, HUB, (MELDING,)),), MELDING, Policy.NORMAL),
        ((agreement(POLITIE, STRANGER, (MELDING,)),), MELDING, Policy.NORMAL),
        ((agreement(POLITIE, VT, (MELDING,), service=OLD_SERVICE),), MELDING, Policy.FALLBACK),
        ((replace(DIRECT, end=AT - HOUR),), MELDING, Policy.FALLBACK),
        ((replace(DIRECT, status="proposed"),), MELDING, Policy.FALLBACK),
    ],
)
def test_mail_is_the_normal_route_only_where_the_pair_never_agreed_on_the_message(
    agreements, message, policy
):
    assert policy_of(here(*agreements), (VT, HUB), message) is policy


@pytest.mark.parametrize("message", sorted(toets.KINDS))
def test_the_messages_of_the_om_gate_never_go_by_e_mail(message):
    assert policy_of(here(), (VT,), message) is Policy.NONE


def test_an_agreement_in_which_only_the_other_sends_it_does_not_count():
    one_way = replace(DIRECT, bindings=tuple(b for b in DIRECT.bindings if b.sender.id == VT))

    assert policy_of(here(one_way), (VT,)) is Policy.NORMAL


@pytest.mark.parametrize("changes", [{"mail": None}, {"local": True}, {"own": None}])
def test_nobody_is_mailed_who_is_not_set_up_for_it(changes):
    assert policy_of(here(**changes), (VT,)) is Policy.NONE
    assert policy_of(here(), (HUB,), party=HUB) is Policy.NONE


# --- what is wrong with the agreed route ----------------------------------------------


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (tried(State.DEAD), Cause.GIVEN_UP),
        (tried(State.UNKNOWN), Cause.UNKNOWN),
        (tried(State.READY, down=True), Cause.DOWN),
        (tried(State.SENT, down=True), Cause.DOWN),
        (tried(State.READY, deadline=AT + HOUR), Cause.LATE),
        (tried(State.SENT, deadline=AT + HOUR / 2), Cause.LATE),
        (tried(State.READY, next_at=None, deadline=AT), Cause.LATE),
        (tried(State.READY, next_at=AT - HOUR, deadline=AT), Cause.LATE),
        (tried(State.READY), None),
        (tried(State.SENT), None),
        (tried(State.CLAIMED, down=True), None),
        (tried(State.DELIVERED, deadline=AT), None),
    ],
)
def test_what_is_wrong_with_the_agreed_route(facts, cause):
    assert cause_of(facts, at=AT) is cause


# --- the fallback ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "ground", "code"),
    [
        (tried(State.HELD), SPOED, "mail.toets"),
        (tried(State.WITHHELD), SPOED, "mail.toets"),
        (tried(State.CLAIMED, down=True), SPOED, "mail.onderweg"),
        (tried(State.REPLACED), SPOED, "mail.al"),
        (tried(State.DELIVERED), SPOED, "mail.afgerond"),
        (tried(State.REFUSED), SPOED, "mail.afgerond"),
        (tried(State.UNKNOWN, heard=Heard.THERE), SPOED, "mail.aangekomen"),
        (tried(State.READY), SPOED, "mail.niet_nodig"),
        (tried(State.DEAD), None, "mail.grond"),
        (tried(State.DEAD), Ground(text=" ", by="o.operator"), "mail.grond"),
        (tried(State.DEAD), Ground(text="spoed", by=""), "mail.grond"),
    ],
)
def test_what_may_not_go_by_mail_says_why(facts, ground, code):
    with pytest.raises(PolicyViolation) as caught:
        may_switch(Policy.FALLBACK, facts, ground, at=AT)

    assert caught.value.code == code


@pytest.mark.parametrize("policy", [Policy.NONE, Policy.NORMAL])
def test_only_an_agreed_route_is_left(policy):
    with pytest.raises(PolicyViolation) as caught:
        may_switch(policy, tried(), SPOED, at=AT)

    assert caught.value.code == "mail.partner"


@pytest.mark.parametrize(
    ("attempts", "heard", "twice"),
    [
        (0, Heard.NOTHING, False),
        (1, Heard.NOTHING, True),
        (1, Heard.NOT_THERE, False),
    ],
)
def test_it_may_arrive_twice_unless_it_never_went_or_the_partner_does_not_know_it(
    attempts, heard, twice
):
    facts = tried(State.READY, down=True, attempts=attempts, heard=heard)

    assert may_switch(Policy.FALLBACK, facts, SPOED, at=AT) == Fallback(
        cause=Cause.DOWN, ground=SPOED, twice=twice
    )


@pytest.mark.parametrize(
    ("message", "at", "found"),
    [
        (MELDING, AT, True),
        (MELDING, STANDING.valid_from, True),
        (MELDING, STANDING.valid_until, False),
        (MELDING, STANDING.valid_from - timedelta(microseconds=1), False),
        (TERUGKOPPELING, AT, False),
    ],
)
def test_a_standing_ground_is_for_its_messages_within_its_time(message, at, found):
    expected = Ground(text="acuut gevaar", by="B. Bestuurder, directeur", standing="acuut")

    assert standing_ground((STANDING,), message, at=at) == (expected if found else None)


# --- what always holds ----------------------------------------------------------------

MOMENTS = st.integers(-72, 72).map(lambda hours: AT + hours * HOUR)
FACTS = st.builds(
    SoFar,
    state=st.sampled_from(State),
    attempts=st.integers(0, 20),
    down=st.booleans(),
    next_at=st.none() | MOMENTS,
    deadline=MOMENTS,
    heard=st.sampled_from(Heard),
)
GROUNDS = st.none() | st.builds(Ground, text=st.text(max_size=5), by=st.text(max_size=5))


@given(st.sampled_from(Policy), FACTS, GROUNDS)
def test_a_switch_always_has_a_ground_a_cause_and_a_message_that_may_leave(policy, facts, ground):
    with suppress(PolicyViolation):
        found = may_switch(policy, facts, ground, at=AT)

        assert policy is Policy.FALLBACK
        assert facts.state in {State.READY, State.SENT, State.UNKNOWN, State.DEAD}
        assert facts.heard is not Heard.THERE
        assert found.ground.text.strip()
        assert found.ground.by.strip()
        assert found.cause is cause_of(facts, at=AT)
        assert found.twice or facts.attempts == 0 or facts.heard is Heard.NOT_THERE


@given(FACTS)
def test_what_waits_longer_is_never_better_off(facts):
    if cause_of(facts, at=AT) is not None:
        assert cause_of(facts, at=AT + 24 * HOUR) is not None
