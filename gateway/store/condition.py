"""Whether changes can be committed, as the last commits say: nothing is written to find out.

While they can not, no alarm can be written either. The first commit that succeeds raises it.
"""

import threading
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from gateway.ports import Alarm, AuditEvent, Clock
from gateway.store.alarms import raise_alarm
from gateway.store.writer import Tx

log = structlog.get_logger("gateway.store")

ALARM = "store.trouble"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """No commit has succeeded since its first failure."""

    code: str
    """Dotted code of the last failure."""
    since: datetime
    began: float
    """The same moment on the monotonic clock, in seconds."""


class Condition:
    """Of one store; its committers tell it how each commit ended, from their threads."""

    def __init__(self, clock: Clock) -> None:
        """Nothing is known to be wrong."""
        self._clock = clock
        self._lock = threading.Lock()
        self._outage: Outage | None = None

    def outage(self) -> Outage | None:
        """Return what stands in the way of commits, if anything."""
        return self._outage

    def seconds(self) -> float:
        """Return how long nothing could be committed; 0 when it can."""
        outage = self._outage
        return 0.0 if outage is None else self._since(outage)

    def failed(self, code: str) -> None:
        """A commit failed for no fault of what was in it: logged once, and when it changes."""
        with self._lock:
            before = self._outage
            if before is None:
                now, began = self._clock.now(), self._clock.monotonic()
                self._outage = Outage(code=code, since=now, began=began)
            elif before.code != code:
                self._outage = replace(before, code=code)
            else:
                return
        log.error(ALARM, code=code)

    def committed(self) -> None:
        """A commit succeeded: the outage, if there was one, is over."""
        if self._outage is None:
            return
        with self._lock:
            outage, self._outage = self._outage, None
        if outage is not None:
            log.warning("store.recovered", code=outage.code, seconds=round(self._since(outage), 1))

    def tell(self, tx: Tx) -> None:
        """Add the alarm of the outage to a transaction that will end it if it commits."""
        outage = self._outage
        if outage is None:
            return
        now, took = self._clock.now(), round(self._since(outage))
        reason = f"{outage.code}, {took} s"
        raise_alarm(tx, Alarm(code=ALARM, subject="", reason=reason), now)
        # An alarm that still stands open is not raised again: each outage has its own row.
        data: dict[str, str | int] = {
            "seconds": took,
            "since": outage.since.isoformat(timespec="seconds"),
        }
        tx.record(AuditEvent(event="store.recovered", at=now, code=outage.code, data=data))

    def _since(self, outage: Outage) -> float:
        return self._clock.monotonic() - outage.began
