"""When an event is tried again, when its endpoint is spared, and when it is given up."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.lifecycle import State
from gateway.ports.reading import STANDING
from gateway.rules.webhooks import (
    DOWN_AFTER,
    JITTER,
    LADDER,
    LONGEST_ASKED,
    PROBES,
    Disable,
    Failure,
    Record,
    after_failure,
    is_down,
)
from gateway.wire import webhook as wire

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
DAYS = timedelta(days=3)
FAILED = Failure(code="webhook.http.500")


def plan(attempt=1, *, record=None, failure=FAILED, dice=0.0):
    return after_failure(
        failure,
        attempt=attempt,
        record=record or Record(),
        now=NOW,
        dice=dice,
        disable_after=DAYS,
    )


def test_one_event_climbs_the_ladder_and_stays_on_its_last_step():
    waits = [plan(attempt).event_at - NOW for attempt in range(1, len(LADDER) + 3)]

    assert waits == [*LADDER, LADDER[-1], LADDER[-1]]
    assert sum(LADDER, timedelta(0)) < DAYS


def test_the_first_failures_hold_no_other_event_up():
    for failures in range(DOWN_AFTER - 1):
        assert plan(record=Record(failures=failures)).endpoint_at is None


def test_an_endpoint_that_fails_in_a_row_is_probed_ever_less_often():
    failures = range(DOWN_AFTER - 1, DOWN_AFTER + len(PROBES))
    plans = [plan(record=Record(failures=n)) for n in failures]

    assert [p.endpoint_at - NOW for p in plans] == [*PROBES, PROBES[-1]]
    assert [is_down(p.record.failures) for p in plans] == [True] * len(plans)


def test_what_the_receiver_asks_for_counts_for_all_its_events_up_to_a_day():
    for asked, counts in ((timedelta(hours=1), timedelta(hours=1)), (2 * DAYS, LONGEST_ASKED)):
        found = plan(failure=Failure(code="webhook.http.503", retry_after=asked))

        assert (found.event_at - NOW, found.endpoint_at - NOW) == (counts, counts)


def test_gone_disables_at_once_and_failing_only_after_so_long():
    gone = plan(failure=Failure(code="webhook.http.410", gone=True))
    just_not = plan(record=Record(failures=9, failing_since=NOW - DAYS + timedelta(seconds=1)))
    long_enough = plan(record=Record(failures=9, failing_since=NOW - DAYS))

    assert gone.disable is Disable.GONE
    assert just_not.disable is None
    assert long_enough.disable is Disable.FAILING


@given(
    st.integers(1, 1000),
    st.integers(0, 1000),
    st.floats(0, 1, exclude_max=True),
    st.none() | st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=999)),
)
def test_no_wait_is_shorter_than_its_step_or_much_longer(attempt, failures, dice, asked):
    found = plan(
        attempt,
        record=Record(failures=failures, failing_since=NOW - timedelta(hours=1)),
        failure=Failure(code="x", retry_after=asked),
        dice=dice,
    )
    most = max(LADDER[-1], LONGEST_ASKED) * (1 + JITTER)

    assert LADDER[0] <= found.event_at - NOW <= most
    assert found.event_at - NOW >= min(asked or timedelta(0), LONGEST_ASKED)
    assert found.record == Record(failures=failures + 1, failing_since=NOW - timedelta(hours=1))
    assert found.endpoint_at is None or PROBES[0] <= found.endpoint_at - NOW <= most or asked


# --- what is told ---------------------------------------------------------------------


def test_the_words_for_a_state_are_those_of_the_rest_api():
    assert {state: str(word) for state, word in wire.STATUS_OF.items()} == {
        state: str(STANDING[state])
        for state in (
            State.DELIVERED,
            State.REFUSED,
            State.DEAD,
            State.UNKNOWN,
            State.HELD,
            State.WITHHELD,
        )
    }


def test_a_body_holds_type_moment_and_data_and_nothing_else():
    data = wire.became("m-1", soort="vtMeldingDi01", status="beantwoord", answer="Bv01Bericht")

    assert json.loads(wire.body("bericht.status", NOW, data)) == {
        "type": "bericht.status",
        "timestamp": "2026-11-26T09:00:00.000Z",
        "data": {
            "id": "m-1",
            "link": "/api/v1/berichten/m-1",
            "soort": "vtMeldingDi01",
            "status": "beantwoord",
            "antwoord": "Bv01Bericht",
        },
    }


def test_two_events_never_share_an_id_and_one_keeps_it():
    one, same, other = (wire.id_of("a", n, "b") for n in (1, 1, 2))

    assert one == same != other
    assert wire.id_of("a", "1b") != wire.id_of("a1", "b")
    assert one.startswith("msg_")
    assert len(one) == 36
