from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.retry import (
    FLOOR,
    LONGEST_ASKED,
    SIGNAL_WAITS,
    Again,
    GiveUp,
    LoseTrack,
    after_timeout,
    next_try,
    signal_try,
)

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
dice = st.floats(0, 1, exclude_max=True)
any_dice = st.floats()
waits = st.timedeltas(timedelta(0), timedelta(days=2))


def wait(step):
    assert isinstance(step, Again)
    return step.at - NOW


@given(st.integers(1, 20), dice, waits, st.none() | waits)
def test_wait_is_at_least_what_was_agreed_and_asked_and_at_most_ten_percent_longer(
    attempt, dice, interval, retry_after
):
    step = next_try(
        attempt, now=NOW, dice=dice, interval=interval, retries=20, retry_after=retry_after
    )

    least = max(interval, FLOOR, min(retry_after or FLOOR, LONGEST_ASKED))
    assert least <= wait(step) <= least * 1.1


@given(st.integers(1, 50), st.integers(0, 20), dice)
def test_attempts_end_after_those_of_the_agreement(attempt, retries, dice):
    step = next_try(attempt, now=NOW, dice=dice, interval=HOUR, retries=retries)

    assert isinstance(step, GiveUp) is (attempt >= 1 + retries)


@given(any_dice)
def test_loaded_dice_do_not_leave_the_bounds(dice):
    step = next_try(1, now=NOW, dice=dice, interval=HOUR, retries=1)

    assert HOUR <= wait(step) <= HOUR * 1.1


def test_partner_can_not_put_us_off_for_ever():
    step = next_try(
        1, now=NOW, dice=0.0, interval=HOUR, retries=1, retry_after=timedelta(days=3650)
    )

    assert wait(step) == LONGEST_ASKED


def test_negative_retry_after_does_not_hurry():
    step = next_try(1, now=NOW, dice=0.0, interval=HOUR, retries=1, retry_after=-HOUR)

    assert wait(step) == HOUR


def test_floor_is_an_argument():
    step = next_try(
        1, now=NOW, dice=0.0, interval=timedelta(0), retries=1, floor=timedelta(seconds=5)
    )

    assert wait(step) == timedelta(seconds=5)


@given(st.integers(1, 8), dice)
def test_after_a_timeout_only_the_jitter_is_waited(attempt, dice):
    step = after_timeout(attempt, now=NOW, dice=dice, interval=HOUR, retries=8, duplicate_safe=True)

    assert timedelta(0) <= wait(step) <= HOUR * 0.1


def test_timeout_of_the_last_attempt_ends_it():
    step = after_timeout(9, now=NOW, dice=0.5, interval=HOUR, retries=8, duplicate_safe=True)

    assert step == GiveUp()


@pytest.mark.parametrize("attempt", [1, 9])
def test_what_could_arrive_twice_unnoticed_is_never_sent_again(attempt):
    step = after_timeout(attempt, now=NOW, dice=0.5, interval=HOUR, retries=8, duplicate_safe=False)

    assert step == LoseTrack()


@given(dice)
def test_signals_get_a_few_quick_tries(dice):
    steps = [signal_try(n, now=NOW, dice=dice) for n in range(1, len(SIGNAL_WAITS) + 2)]

    assert steps[-1] == GiveUp()
    assert all(
        expected <= wait(step) <= expected * 1.1
        for step, expected in zip(steps[:-1], SIGNAL_WAITS, strict=True)
    )


def test_signal_with_more_retries_keeps_the_longest_wait():
    step = signal_try(9, now=NOW, dice=0.0, retries=9)

    assert wait(step) == SIGNAL_WAITS[-1]
