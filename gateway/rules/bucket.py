"""A token bucket, as one number: the moment at which it would be full again.

Pure and exact: whole microseconds of a monotonic clock, no rounding that drifts. The bucket of
somebody who was not seen yet is full.
"""

from dataclasses import dataclass

SECOND = 1_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often: so many per minute, so many at once after a rest."""

    per_minute: int
    """At least 1."""
    burst: int
    """At least 1."""

    @property
    def interval(self) -> int:
        """Return the microseconds that one costs, rounded up."""
        return -(-60 * SECOND // self.per_minute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of asking for one."""

    granted: bool
    full_at: int
    """The new state of the bucket."""
    left: int
    """How many could be taken now."""
    wait: int
    """Microseconds until one more can be taken; 0 when one can be now."""


def take(full_at: int, now: int, pace: Pace) -> Taken:
    """Take one out, if there is one; both moments in microseconds.

    A bucket that was refused one is as it was: asking too often costs nothing.
    """
    start = max(full_at, now)
    room = pace.burst * pace.interval
    after = start + pace.interval
    granted = after - now <= room
    state = after if granted else start
    return Taken(
        granted=granted,
        full_at=state,
        left=(room - (state - now)) // pace.interval,
        wait=max(0, state + pace.interval - now - room),
    )


def is_empty(full_at: int, now: int, pace: Pace) -> bool:
    """Tell whether nothing can be taken now."""
    return not take(full_at, now, pace).granted
