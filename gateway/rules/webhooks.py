"""When is an event tried again, and when is its endpoint given up? Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LADDER = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
)
"""Waits of one event; the last one is repeated until the event is too old."""
DOWN_AFTER = 3
"""Failures in a row after which the endpoint, and not an event, is what fails."""
PROBES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5))
"""Waits of an endpoint that is down, between two probes; the last one is repeated."""
JITTER = 0.2
"""Longest lengthening of a wait, as a part of it. A wait is never shortened."""
LONGEST_ASKED = timedelta(hours=24)
"""A Retry-After counts up to here."""


class Disable(StrEnum):
    """Why an endpoint is called no more."""

    GONE = "webhook.gone"
    """It said 410."""
    FAILING = "webhook.failing"
    """It failed for too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An attempt that did not succeed."""

    code: str
    gone: bool = False
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How an endpoint did so far."""

    failures: int = 0
    """In a row."""
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What comes after a failure."""

    record: Record
    event_at: datetime
    """When this event is due again."""
    endpoint_at: datetime | None
    """Before this moment nothing is sent to the endpoint; None = the others may go on."""
    disable: Disable | None


def is_down(failures: int) -> bool:
    """Tell whether one probe at a time is enough."""
    return failures >= DOWN_AFTER


def after_failure(
    failure: Failure,
    *,
    attempt: int,
    record: Record,
    now: datetime,
    dice: float,
    disable_after: timedelta,
) -> Plan:
    """Return what to do after attempt number `attempt` (1 for the first) of an event failed.

    One event that an endpoint can not digest keeps its own waits; the endpoint is only
    spared when it fails several times in a row, or asks for it.
    """
    failures = record.failures + 1
    since = record.failing_since or now
    asked = min(failure.retry_after or timedelta(0), LONGEST_ASKED)
    down = PROBES[min(failures - DOWN_AFTER, len(PROBES) - 1)] if is_down(failures) else None
    wait = max(down or timedelta(0), asked)
    disable = Disable.GONE if failure.gone else None
    if disable is None and now - since >= disable_after:
        disable = Disable.FAILING
    return Plan(
        record=Record(failures=failures, failing_since=since),
        event_at=now + _longer(max(_step(attempt), asked), dice),
        endpoint_at=now + _longer(wait, dice) if wait else None,
        disable=disable,
    )


def _step(attempt: int) -> timedelta:
    return LADDER[min(max(attempt, 1), len(LADDER)) - 1]


def _longer(wait: timedelta, dice: float) -> timedelta:
    """Return the wait with its jitter; `dice` is in [0, 1)."""
    return wait * (1 + JITTER * dice)
