"""What a word about a letter does: the whole table, and what it may never do."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from gateway.lifecycle import TRANSITIONS, Event, State
from gateway.rules.receipts import (
    FAILURES,
    OPEN_ROAD,
    SIGNED,
    UNSIGNED,
    Effect,
    Waiting,
    Word,
    effect_of,
)

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
OPEN = (State.SENT, State.UNKNOWN)


def waiting(state=State.SENT, **changes):
    given = {
        "newest": True,
        "failed": False,
        "exposed": False,
        "again_at": NOW,
        "expires_at": NOW + timedelta(hours=1),
    }
    return Waiting(state=state, **(given | changes))


def effect(word, found=None, *, unsigned_close=True):
    return effect_of(word, found or waiting(), unsigned_close=unsigned_close)


@pytest.mark.parametrize("word", sorted(SIGNED | UNSIGNED))
@pytest.mark.parametrize("state", OPEN)
def test_what_says_that_it_arrived_closes_what_waits(word, state):
    assert effect(word, waiting(state)) is Effect.CLOSES


@pytest.mark.parametrize("word", sorted(SIGNED))
@pytest.mark.parametrize("state", [State.READY, State.CLAIMED, State.DEAD])
def test_what_was_signed_counts_however_late_and_whatever_was_reported(word, state):
    found = waiting(state, newest=False, failed=True, exposed=True)

    assert effect(word, found, unsigned_close=False) is Effect.CLOSES


@pytest.mark.parametrize("word", sorted(UNSIGNED))
def test_what_nobody_signed_closes_nothing_where_that_was_agreed(word):
    assert effect(word, unsigned_close=False) is Effect.NOTHING


@pytest.mark.parametrize("word", sorted(UNSIGNED))
@pytest.mark.parametrize("before", ["failed", "exposed"])
def test_what_nobody_signed_closes_nothing_behind_a_report_of_what_did_not_arrive(word, before):
    """That showed everybody on its way what a forger needs."""
    assert effect(word, waiting(**{before: True})) is Effect.NOTHING


@pytest.mark.parametrize("word", sorted(Word))
@pytest.mark.parametrize("state", [State.DELIVERED, State.REFUSED])
def test_what_is_over_stays_over(word, state):
    assert effect(word, waiting(state)) is Effect.NOTHING


@pytest.mark.parametrize("word", [*sorted(OPEN_ROAD), Word.OTHER])
@pytest.mark.parametrize("state", list(State))
def test_what_says_nothing_of_arrival_changes_nothing(word, state):
    assert effect(word, waiting(state)) is Effect.NOTHING


@pytest.mark.parametrize(
    ("word", "found", "does"),
    [
        (Word.BOUNCED, waiting(), Effect.AGAIN),
        (Word.BOUNCED, waiting(expires_at=None), Effect.AGAIN),
        (Word.BOUNCED, waiting(expires_at=NOW), Effect.GIVES_UP),
        (Word.BOUNCED, waiting(again_at=None), Effect.GIVES_UP),
        (Word.BOUNCED, waiting(State.UNKNOWN), Effect.GIVES_UP),
        (Word.BOUNCED_FOR_GOOD, waiting(), Effect.GIVES_UP),
        (Word.BOUNCED_FOR_GOOD, waiting(State.UNKNOWN), Effect.GIVES_UP),
        (Word.BOUNCED, waiting(State.CLAIMED), Effect.EARLY),
        (Word.BOUNCED, waiting(newest=False), Effect.NOTHING),
        (Word.BOUNCED, waiting(failed=True), Effect.NOTHING),
    ],
)
def test_what_came_back_goes_again_or_to_a_person(word, found, does):
    assert effect(word, found) is does


def test_what_it_does_is_always_something_that_the_lifecycle_knows():
    events = {
        Effect.CLOSES: Event.CONFIRM,
        Effect.AGAIN: Event.RETRY,
        Effect.GIVES_UP: Event.GIVE_UP,
    }
    flags = (True, False)
    seen = set()
    for word, state, newest, failed, close in product(Word, State, flags, flags, flags):
        does = effect(word, waiting(state, newest=newest, failed=failed), unsigned_close=close)
        seen.add(does)
        if does in events:
            assert events[does] in TRANSITIONS[state]
        if word in FAILURES:
            assert does is not Effect.CLOSES

    assert seen == set(Effect)


@pytest.mark.parametrize("state", [state for state in State if state is not State.SENT])
@pytest.mark.parametrize("word", sorted(Word))
def test_only_what_was_handed_over_and_waits_is_ever_sent_again(word, state):
    assert effect(word, waiting(state)) is not Effect.AGAIN
