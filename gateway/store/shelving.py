"""What somebody did with a schema pack: the port `Shelving`."""

from dataclasses import dataclass
from datetime import datetime

from gateway.ports import AuditEvent, Clock
from gateway.store.epoch import TOPIC
from gateway.store.transaction import Tx
from gateway.store.writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """Unit: write down what was done, and have every process read its files again."""

    pack: str
    who: str
    why: str
    at: datetime

    def run(self, tx: Tx) -> None:
        """Ring with the commit: whoever hears it finds the row."""
        data: dict[str, str | int] = {"pack": self.pack, "reason": self.why}
        tx.record(AuditEvent(event="schemas.changed", at=self.at, actor=self.who, data=data))
        tx.ring(TOPIC)


class SqlShelving:
    """The port `Shelving`."""

    def __init__(self, *, writer: Writer, clock: Clock) -> None:
        """Take what it writes with."""
        self._writer = writer
        self._clock = clock

    async def changed(self, pack: str, *, who: str, why: str) -> None:
        """Write it down and wake every process; raises StoreUnavailable."""
        await self._writer.commit(Shelved(pack=pack, who=who, why=why, at=self._clock.now()))
