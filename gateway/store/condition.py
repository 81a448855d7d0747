"""Whether changes can be committed, as the last commits say: nothing is written to find out.

While they can not, no alarm can be written either. The first commit that succeeds raises it.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog

from gateway.ports import Alarm, AuditEvent, Clock, Dice
from gateway.store.alarms import raise_alarm
from gateway.store.commit import PARTLY
from gateway.store.tables import payload_chunks, payloads
from gateway.store.transaction import Tx, Unit

log = structlog.get_logger("gateway.store")

ALARM = "store.trouble"
ROOM = 1_000_000
"""Octets that must fit again before a disk that was full or failed counts as mended."""
PAUSE = 1.0
"""Seconds between two tries of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Nothing can be committed, or nothing of any size."""

    code: str
    """Dotted code of the last failure."""
    since: datetime
    began: float
    """The same moment on the monotonic clock, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeRoom:
    """Unit: write something of size. What a crash leaves of it goes with the orphans."""

    id: str
    octets: bytes
    at: datetime

    def run(self, tx: Tx) -> None:
        """Insert a payload that nothing refers to."""
        row = {
            "id": self.id,
            "at": self.at,
            "size": len(self.octets),
            "sha256": "",
            "epoch_key": "",
            "wrapped": b"",
            "referenced": False,
            "destroyed_at": None,
        }
        tx.insert(payloads, (row,))
        tx.insert(payload_chunks, ({"payload_id": self.id, "n": 0, "octets": self.octets},))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Unit: the alarm and the audit row of an outage that ends with this commit."""

    outage: Outage
    seconds: int
    now: datetime
    room: str = ""
    """Of a TakeRoom before it."""

    def run(self, tx: Tx) -> None:
        """Raise it, unless an earlier one still stands open; the row is written each time."""
        code = self.outage.code
        if self.room:
            tx.write(sa.delete(payload_chunks).where(payload_chunks.c.payload_id == self.room))
            tx.write(sa.delete(payloads).where(payloads.c.id == self.room))
        alarm = Alarm(code=ALARM, subject="", reason=f"{code}, {self.seconds} s")
        raise_alarm(tx, alarm, self.now)
        since = self.outage.since.isoformat(timespec="seconds")
        data: dict[str, str | int] = {"seconds": self.seconds, "since": since}
        tx.record(AuditEvent(event="store.recovered", at=self.now, code=code, data=data))


class Condition:
    """Of one store; its committers tell it how each commit ended, from their threads."""

    def __init__(self, clock: Clock, dice: Dice) -> None:
        """Nothing is known to be wrong."""
        self._clock = clock
        self._dice = dice
        self._lock = threading.Lock()
        self._outage: Outage | None = None
        self._look_at = float("-inf")

    def outage(self) -> Outage | None:
        """Return what stands in the way of commits, if anything."""
        return self._outage

    def seconds(self) -> float:
        """Return how long nothing could be committed; 0 when it can."""
        outage = self._outage
        return 0.0 if outage is None else self._took(outage)

    def down(self) -> bool:
        """Tell whether there is an outage."""
        return self._outage is not None

    def failed(self, code: str) -> None:
        """A commit failed for no fault of what was in it: logged once, and when it changes."""
        with self._lock:
            before = self._outage
            if before is None:
                now, began = self._clock.now(), self._clock.monotonic()
                self._outage = Outage(code=code, since=now, began=began)
                self._look_at = began + PAUSE
            elif before.code != code:
                self._outage = replace(before, code=code)
            else:
                return
        log.error(ALARM, code=code)

    def looks(self) -> Sequence[Unit[Any]]:
        """Return the commits that end the outage when they succeed; empty = try later."""
        outage = self._outage
        if outage is None:
            return ()
        now, seconds = self._clock.now(), round(self._took(outage))
        if outage.code not in PARTLY:
            return (Tell(outage=outage, seconds=seconds, now=now),)
        if self._clock.monotonic() < self._look_at:
            return ()
        self._look_at = self._clock.monotonic() + PAUSE
        # Small changes may fit for long on such a disk: only something of size tells.
        room = self._dice.uuid()
        return (
            TakeRoom(id=room, octets=self._dice.octets(ROOM), at=now),
            Tell(outage=outage, seconds=seconds, now=now, room=room),
        )

    def over(self) -> None:
        """The outage is over, and told."""
        with self._lock:
            outage, self._outage = self._outage, None
        if outage is not None:
            log.warning("store.recovered", code=outage.code, seconds=round(self._took(outage), 1))

    def _took(self, outage: Outage) -> float:
        return self._clock.monotonic() - outage.began
