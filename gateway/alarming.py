"""The part of the housekeeping that is about people: Fo01s that are owed, and alarms.

One process at a time does it; after a crash the next one finds everything in the store.
"""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from gateway.config import AlarmSettings
from gateway.pipeline import Gateway
from gateway.ports import Alarm, AlarmBounds, Alarms, Reader
from gateway.store.watch import DISK_LOW

log = structlog.get_logger("gateway.alarming")

SHOWN = 500
"""Open alarms that are looked at for the log."""


def bounds(settings: AlarmSettings) -> AlarmBounds:
    """Return the bounds that the settings name."""
    return AlarmBounds(
        unconfirmed_part=settings.unconfirmed_part,
        partner_down=timedelta(minutes=settings.partner_down_minutes),
        answer=timedelta(hours=settings.answer_hours),
        postvak=timedelta(hours=settings.postvak_hours),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The disk of a database file."""

    folder: Path
    least_bytes: int

    def low(self) -> tuple[Alarm, ...]:
        """Return the alarm that is due; none when the folder can not be looked at."""
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError:
            return ()
        return (Alarm(code=DISK_LOW, subject=""),) if free < self.least_bytes else ()


class Alarming:
    """Call `round` every minute."""

    def __init__(
        self,
        *,
        gateway: Gateway,
        alarms: Alarms,
        reader: Reader,
        bounds: AlarmBounds,
        outside: Callable[[], Iterable[Alarm]] = tuple,
    ) -> None:
        """Take the ports; the first round logs every alarm that stands open.

        `outside` returns what is seen now outside the store, of codes that are watched.
        """
        self._gateway = gateway
        self._alarms = alarms
        self._reader = reader
        self._bounds = bounds
        self._outside = outside
        self._logged = 0

    async def round(self) -> None:
        """Tell senders, look for alarms, log the new ones. Raises Unavailable.

        A sender that can not be told keeps nobody from being warned.
        """
        try:
            await self._gateway.tell_senders()
        finally:
            await self._alarms.watch(self._bounds, also=tuple(self._outside()))
            await self._log()

    async def _log(self) -> None:
        found = await self._reader.alarms(limit=SHOWN)
        for alarm in reversed(found):
            if alarm.id > self._logged:
                log.warning(
                    "alarm.raised",
                    id=alarm.id,
                    code=alarm.code,
                    subject=alarm.subject,
                    reason=alarm.reason,
                    times=alarm.times,
                )
        self._logged = max((alarm.id for alarm in found), default=self._logged)
