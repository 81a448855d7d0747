"""A clock that steps: what can not be taken back waits until somebody could look."""

from dataclasses import dataclass
from datetime import datetime, timedelta

STEP = timedelta(minutes=5)
"""A clock that moved this much more or less than time did has stepped."""
HOLD = timedelta(minutes=30)
"""Pause after a step, so that somebody can set a wrong clock right before things go early."""


@dataclass(slots=True)
class Steps:
    """Notices a clock that stepped, by a second one that can not."""

    _last: tuple[datetime, float] | None = None
    _until: float = float("-inf")

    def held(self, now: datetime, monotonic: float) -> bool:
        """Tell whether to wait; `monotonic` is in seconds."""
        if self._last is not None:
            took = timedelta(seconds=monotonic - self._last[1])
            if abs((now - self._last[0]) - took) > STEP:
                self._until = monotonic + HOLD.total_seconds()
        self._last = now, monotonic
        return monotonic < self._until
