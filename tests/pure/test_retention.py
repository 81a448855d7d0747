"""When a payload is due: by state first, by time after it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.config import InstallationRole, RetentionSettings
from gateway.lifecycle import ENDED, TRANSITIONS, Event, State
from gateway.rules.retention import (
    DEFAULT_WINDOW,
    Due,
    Facts,
    Part,
    Rule,
    Terms,
    acknowledgment_due,
    part_of,
    payload_due,
    traffic_due,
    window,
)
from gateway.wire.ebms2.cpa import read_cpa
from tests.flow.town import HUB, VT, cpa

T = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
LAW = timedelta(hours=24)
TERMS = Terms(
    relayed=1 * HOUR,
    received=2 * HOUR,
    answered=3 * HOUR,
    unanswered=50 * HOUR,
    undelivered=5 * HOUR,
    decisions=5_000 * HOUR,
    traffic=None,
)
D, R, X = State.DELIVERED, State.REFUSED, State.DEAD
parts = st.sampled_from(list(Part))
states = st.frozensets(st.sampled_from(list(State)), max_size=4)
moments = st.integers(0, 10**6).map(lambda minutes: T + timedelta(minutes=minutes))
hours = st.integers(0, 8760)


def facts(part, *states, answered=None):
    return Facts(part=part, states=frozenset(states), ended_at=T, answered_at=answered)


@pytest.mark.parametrize(
    ("part", "states", "answered", "wanted"),
    [
        (Part.RELAYED, (D,), None, Due(T + 1 * HOUR, Rule.RELAYED)),
        (Part.RELAYED, (D,), T, Due(T + 1 * HOUR, Rule.RELAYED)),
        (Part.RELAYED, (R,), None, Due(T + 5 * HOUR, Rule.UNDELIVERED)),
        (Part.RELAYED, (X,), None, Due(T + 5 * HOUR, Rule.UNDELIVERED)),
        (Part.RELAYED, (D, X), None, Due(T + 5 * HOUR, Rule.UNDELIVERED)),
        (Part.OWN, (D,), None, Due(T + 1 * HOUR, Rule.RELAYED)),
        (Part.OWN, (X,), None, Due(T + 5 * HOUR, Rule.UNDELIVERED)),
        (Part.RECEIVED, (D,), None, Due(T + 2 * HOUR, Rule.CONFIRMED)),
        (Part.RECEIVED, (R,), None, Due(T + 2 * HOUR, Rule.CONFIRMED)),
        (Part.RECEIVED, (X,), None, Due(T + 5 * HOUR, Rule.UNDELIVERED)),
        (Part.SENT, (D,), None, Due(T + 50 * HOUR, Rule.UNANSWERED)),
        (Part.SENT, (D,), T + 7 * HOUR, Due(T + 10 * HOUR, Rule.ANSWERED)),
        (Part.SENT, (D,), T - 7 * HOUR, Due(T + 3 * HOUR, Rule.ANSWERED)),
        (Part.SENT, (R,), None, Due(T + 5 * HOUR, Rule.UNDELIVERED)),
        (Part.SENT, (X,), T, Due(T + 5 * HOUR, Rule.UNDELIVERED)),
        (Part.SENT, (), T, None),
    ],
)
def test_a_payload_is_due_when_the_table_says_so(part, states, answered, wanted):
    assert payload_due(facts(part, *states, answered=answered), TERMS) == wanted


@given(parts, states, moments, st.none() | moments)
def test_nothing_is_due_by_time_while_any_delivery_lives(part, states, ended, answered):
    known = Facts(part=part, states=states, ended_at=ended, answered_at=answered)

    found = payload_due(known, TERMS)

    assert (found is None) == (not states or not states <= ENDED)
    assert found is None or found.at >= ended


@pytest.mark.parametrize("state", [State.HELD, State.UNKNOWN, State.READY, State.SENT])
@pytest.mark.parametrize("part", Part)
def test_held_and_unknown_never_end_by_time(part, state):
    assert payload_due(facts(part, state, D), TERMS) is None


@given(hours, hours, hours, st.integers(0, 23), parts)
def test_at_a_knooppunt_nothing_delivered_outlives_the_legal_term(a, b, c, relayed, part):
    settings = RetentionSettings.model_validate(
        {
            "received_hours": a,
            "answered_hours": b,
            "unanswered_hours": c,
            "relayed_hours": relayed,
        }
    )
    terms = Terms.of(settings, InstallationRole.KNOOPPUNT)

    found = payload_due(facts(part, D), terms)

    assert found is not None
    assert found.at - T < LAW


def test_the_defaults_leave_an_hour_before_the_legal_term():
    for role in InstallationRole:
        terms = Terms.of(RetentionSettings(), role)
        assert payload_due(facts(Part.RELAYED, D), terms).at == T + timedelta(hours=23)


@pytest.mark.parametrize(
    ("key", "value"),
    [("relayed_hours", 24), ("traffic_days", 184), ("rewrap_hours", 25), ("orphan_minutes", 5)],
)
def test_a_term_longer_than_the_law_or_shorter_than_safe_stops_the_start(key, value):
    with pytest.raises(ValidationError):
        RetentionSettings.model_validate({key: value})


@pytest.mark.parametrize(
    ("direction", "channels", "part"),
    [
        ("in", ("ebms2",), Part.RELAYED),
        ("in", ("postvak",), Part.RECEIVED),
        ("in", ("ebms2", "postvak"), Part.RECEIVED),
        ("in", (), Part.RELAYED),
        ("uit", ("ebms2",), Part.SENT),
        ("eigen", ("ebms2",), Part.OWN),
    ],
)
def test_the_part_follows_from_where_it_came_from_and_goes_to(direction, channels, part):
    assert part_of(direction, channels) is part


def test_no_event_leads_from_an_end_to_a_state_that_needs_the_payload():
    reached = {new for state in ENDED for new in TRANSITIONS[state].values()}

    assert reached <= ENDED
    assert Event.RESUME not in TRANSITIONS[State.DEAD]


# --- ids and acknowledgements ---------------------------------------------------------


def test_a_message_id_may_come_again_for_as_long_as_the_agreement_retries():
    agreement = read_cpa(cpa(VT, retries=8, seconds=3600))

    assert window(agreement, VT) == max(
        9 * HOUR, *(b.channel.persist_duration for b in agreement.bindings if b.sender.id == VT)
    )
    assert window(agreement, HUB) >= 9 * HOUR
    assert window(agreement, "stranger") == DEFAULT_WINDOW == timedelta(days=5)


@given(moments, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_an_acknowledgement_outlives_every_retry(at, span):
    assert acknowledgment_due(at, span).at > at + span


def test_traffic_data_have_a_maximum_age_at_a_knooppunt_only():
    hub, point = (Terms.of(RetentionSettings(), role) for role in InstallationRole)

    assert traffic_due(T, hub) == T + timedelta(days=180)
    assert traffic_due(T, point) is None
