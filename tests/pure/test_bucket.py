"""The token bucket: exact, in whole microseconds."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.bucket import SECOND, Pace, is_empty, take

PACES = st.builds(
    Pace,
    per_minute=st.integers(min_value=1, max_value=1_000_000),
    burst=st.integers(min_value=1, max_value=1_000),
)
STARTS = st.integers(min_value=0, max_value=10**15)
PAUSES = st.lists(st.integers(min_value=0, max_value=120 * SECOND), max_size=60)


def played(pace: Pace, start: int, pauses: list[int]) -> list[tuple[int, bool]]:
    """Take one after each pause; return the moments, and whether it was granted."""
    full_at, now, found = 0, start, []
    for pause in pauses:
        now += pause
        taken = take(full_at, now, pace)
        full_at = taken.full_at
        found.append((now, taken.granted))
    return found


@given(PACES, STARTS, PAUSES)
def test_no_stretch_of_time_has_more_than_the_burst_and_what_flowed_in(pace, start, pauses):
    granted = [at for at, yes in played(pace, start, pauses) if yes]

    for first in range(len(granted)):
        for last in range(first, len(granted)):
            flowed = (granted[last] - granted[first]) // pace.interval
            assert last - first + 1 <= pace.burst + flowed


@given(PACES, STARTS)
def test_after_a_rest_exactly_the_burst_is_granted_at_once(pace, start):
    found = played(pace, start, [0] * (pace.burst + 1))

    assert [yes for _, yes in found] == [True] * pace.burst + [False]


@given(PACES, STARTS, PAUSES)
def test_after_the_wait_one_more_is_granted_and_not_a_microsecond_sooner(pace, start, pauses):
    full_at, now = 0, start
    for pause in pauses:
        now += pause
        full_at = take(full_at, now, pace).full_at
    wait = take(full_at, now, pace).wait
    if not is_empty(full_at, now, pace):
        return

    wait = take(full_at, now, pace).wait
    assert take(full_at, now + wait, pace).granted
    assert not take(full_at, now + wait - 1, pace).granted


@given(PACES, STARTS, PAUSES)
def test_what_is_left_can_be_taken_at_once_and_no_more(pace, start, pauses):
    full_at, now = 0, start
    for pause in pauses:
        now += pause
        full_at = take(full_at, now, pace).full_at
    taken = take(full_at, now, pace)
    more = played_from(taken.full_at, now, pace, taken.left + 1)

    assert 0 <= taken.left < pace.burst
    assert more == [True] * taken.left + [False]


def played_from(full_at: int, now: int, pace: Pace, times: int) -> list[bool]:
    found = []
    for _ in range(times):
        taken = take(full_at, now, pace)
        full_at = taken.full_at
        found.append(taken.granted)
    return found


@given(PACES, STARTS, st.integers(min_value=1, max_value=500))
def test_asking_in_vain_does_not_make_the_wait_longer(pace, start, times):
    full_at = 0
    for _ in range(pace.burst):
        full_at = take(full_at, start, pace).full_at
    first = take(full_at, start, pace)
    for _ in range(times):
        full_at = take(full_at, start, pace).full_at

    assert not first.granted
    assert take(full_at, start, pace) == first


def test_a_clock_that_stands_still_gives_nothing_back():
    pace = Pace(per_minute=60, burst=1)
    taken = take(0, SECOND, pace)

    assert taken.granted
    assert taken.wait == SECOND
    assert not take(taken.full_at, SECOND, pace).granted
