"""The security row: the epoch that every decision carries, and the latest moment seen."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from gateway.errors import StaleSnapshot
from gateway.ports import AuditEvent
from gateway.store.tables import security
from gateway.store.writer import Tx

STEP_BACK = timedelta(seconds=5)
"""A clock that goes back further than this releases nothing."""

_NOW = sa.bindparam("b_now", type_=security.c.time_high_water.type)
_GUARD = (
    sa.update(security)
    .where(security.c.id == 1, security.c.epoch == sa.bindparam("b_epoch"))
    .values(
        time_high_water=sa.case(
            (security.c.time_high_water < _NOW, _NOW), else_=security.c.time_high_water
        )
    )
)
HIGH_WATER = sa.select(security.c.time_high_water).where(security.c.id == 1)


def guard(tx: Tx, epoch: int, now: datetime) -> None:
    """Lock the epoch until the commit, and remember `now`; raise StaleSnapshot `epoch.moved`."""
    if ("epoch", epoch) in tx.memo:
        return
    if tx.write(_GUARD, {"b_epoch": epoch, "b_now": now}) != 1:
        raise StaleSnapshot("epoch.moved", "the directory changed meanwhile")
    tx.memo.add(("epoch", epoch))


def stepped_back(high_water: datetime, now: datetime) -> bool:
    """Tell whether the clock went back more than it may."""
    return high_water - now > STEP_BACK


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncEpoch:
    """Unit: move the epoch when the directory is another one than before."""

    fingerprint: str
    at: datetime

    def run(self, tx: Tx) -> int:
        """Return the epoch that goes with the fingerprint."""
        row = tx.read(sa.select(security.c.epoch, security.c.fingerprint)).first()
        if row is None:
            return self._first(tx)
        if row.fingerprint == self.fingerprint:
            return int(row.epoch)
        epoch = int(row.epoch) + 1
        tx.memo.discard(("epoch", row.epoch))
        tx.write(sa.update(security).values(epoch=epoch, fingerprint=self.fingerprint))
        self._record(tx, epoch)
        return epoch

    def _first(self, tx: Tx) -> int:
        row = {"id": 1, "epoch": 1, "fingerprint": self.fingerprint, "time_high_water": self.at}
        tx.write(sa.insert(security).values(row))
        self._record(tx, 1)
        return 1

    def _record(self, tx: Tx, epoch: int) -> None:
        data: dict[str, str | int] = {"epoch": epoch, "fingerprint": self.fingerprint}
        tx.record(AuditEvent(event="directory.changed", at=self.at, data=data))
