"""When is the next try? Pure: the moment and the dice are arguments."""

from dataclasses import dataclass
from datetime import datetime, timedelta

JITTER = 0.1
"""Longest lengthening of a wait, as a part of it. A wait is never shortened."""
FLOOR = timedelta(seconds=1)
"""Shortest wait, whatever the agreement says."""
LONGEST_ASKED = timedelta(hours=24)
"""A Retry-After of a partner counts up to here."""
SIGNAL_WAITS = (timedelta(seconds=2), timedelta(seconds=8), timedelta(seconds=30))
"""Signals: the partner's own retry brings a lost one back, so a few quick tries will do."""


@dataclass(frozen=True, slots=True)
class Again:
    """Try again at this moment, not before."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The tries of the agreement are spent."""


@dataclass(frozen=True, slots=True)
class LoseTrack:
    """It may have arrived, and a copy would not be noticed: a person decides."""


def next_try(  # noqa: PLR0913 - the facts of one decision, all by name
    attempt: int,
    *,
    now: datetime,
    dice: float,
    interval: timedelta,
    retries: int,
    retry_after: timedelta | None = None,
    floor: timedelta = FLOOR,
) -> Again | GiveUp:
    """Return the step after attempt number `attempt` (1 for the first) failed.

    `retries` and `interval` are those of the CPA: 1 + retries attempts in all. `dice` is in
    [0, 1). The wait is at least interval, floor and Retry-After, and at most 10 % longer.
    """
    if attempt > retries:
        return GiveUp()
    asked = min(retry_after or timedelta(0), LONGEST_ASKED)
    return Again(now + _jitter(max(interval, floor, asked), dice))


def after_timeout(
    attempt: int,
    *,
    now: datetime,
    dice: float,
    interval: timedelta,
    retries: int,
    duplicate_safe: bool,
) -> Again | GiveUp | LoseTrack:
    """Return the step when the acknowledgement of attempt `attempt` did not come in time.

    The interval has passed already; only its jitter is waited. Without duplicate
    elimination at the receiver nothing goes a second time.
    """
    if not duplicate_safe:
        return LoseTrack()
    if attempt > retries:
        return GiveUp()
    return Again(now + _jitter(interval, dice) - interval)


def signal_try(
    attempt: int, *, now: datetime, dice: float, retries: int = len(SIGNAL_WAITS)
) -> Again | GiveUp:
    """Return the step after attempt `attempt` at an Acknowledgment or MessageError failed."""
    if attempt > retries:
        return GiveUp()
    wait = SIGNAL_WAITS[min(max(attempt, 1), len(SIGNAL_WAITS)) - 1]
    return Again(now + _jitter(wait, dice))


def _jitter(wait: timedelta, dice: float) -> timedelta:
    return wait * (1 + JITTER * max(0.0, min(dice, 1.0)))  # in this order NaN becomes 0
