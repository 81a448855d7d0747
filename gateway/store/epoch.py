"""The security row: the epoch that every decision carries."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from gateway.errors import Misconfigured, StaleSnapshot
from gateway.ports import AuditEvent
from gateway.store.prepared import Prepared
from gateway.store.tables import security
from gateway.store.transaction import Tx

TOPIC = "epoch"
EPOCH = sa.select(security.c.epoch).where(security.c.id == 1)
_SHARED = Prepared(EPOCH.with_for_update(read=True))
_ROW = sa.select(security.c.epoch, security.c.fingerprint)


def guard(tx: Tx, epoch: int) -> None:
    """Keep the epoch as it is until the commit; raise StaleSnapshot `epoch.moved`.

    Any number of transactions hold it together; one that moves it waits for them.
    """
    if ("epoch", epoch) in tx.memo:
        return
    if tx.peek(_SHARED).scalar() != epoch:
        raise StaleSnapshot("epoch.moved", "the directory changed meanwhile")
    tx.memo.add(("epoch", epoch))


def _stop_others(tx: Tx) -> None:
    """Wait for who holds the epoch, and let nobody past.

    Sharers of a row come in past whoever waits for it: under load that is for ever. For a
    table they stand in line.
    """
    if tx.connection.dialect.name == "postgresql":
        tx.connection.exec_driver_sql("LOCK TABLE security IN EXCLUSIVE MODE")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncEpoch:
    """Unit: move the epoch when the directory is another one than before."""

    fingerprint: str
    at: datetime
    was: str | None = None
    """What the process worked by so far; None at its start."""

    def run(self, tx: Tx) -> int:
        """Return the epoch that goes with the fingerprint."""
        row = tx.read(_ROW).first()
        if row is not None and row.fingerprint == self.fingerprint:
            return int(row.epoch)
        _stop_others(tx)
        row = tx.read(_ROW).first()
        if row is None:
            return self._first(tx)
        if row.fingerprint == self.fingerprint:
            return int(row.epoch)
        if self.fingerprint == self.was:
            # Two processes that each hold their own files for the truth would take turns.
            raise Misconfigured("directory.differs", "another process loaded other files")
        epoch = int(row.epoch) + 1
        tx.memo.discard(("epoch", row.epoch))
        tx.write(sa.update(security).values(epoch=epoch, fingerprint=self.fingerprint))
        self._record(tx, epoch)
        return epoch

    def _first(self, tx: Tx) -> int:
        row = {"id": 1, "epoch": 1, "fingerprint": self.fingerprint}
        tx.write(sa.insert(security).values(row))
        self._record(tx, 1)
        return 1

    def _record(self, tx: Tx, epoch: int) -> None:
        data: dict[str, str | int] = {"epoch": epoch, "fingerprint": self.fingerprint}
        tx.record(AuditEvent(event="directory.changed", at=self.at, data=data))
        tx.ring(TOPIC)
