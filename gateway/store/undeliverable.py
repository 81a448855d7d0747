"""Debts to senders whose message did not arrive: the port `Undeliverable`."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from gateway.ports import Admission, Clock, Owed
from gateway.store.alarms import clear_alarm
from gateway.store.inbox import admit
from gateway.store.reading import Reads
from gateway.store.records import KNOWN, known
from gateway.store.tables import messages, undeliverable
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

_OWED = (
    sa.select(undeliverable.c.delivery, undeliverable.c.at, *KNOWN)
    .join(messages, messages.c.id == undeliverable.c.message)
    .where(undeliverable.c.closed_at.is_(None))
    .order_by(undeliverable.c.at, undeliverable.c.delivery)
)
_THIS = undeliverable.c.delivery == sa.bindparam("b_delivery")
_CLOSE = (
    sa.update(undeliverable)
    .where(_THIS, undeliverable.c.closed_at.is_(None))
    .values(closed_at=sa.bindparam("b_now", type_=undeliverable.c.closed_at.type))
)
_LINK = sa.update(undeliverable).where(_THIS).values(answer=sa.bindparam("b_answer"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Unit: admit the Fo01 and close the debt. Of two who try, one does."""

    delivery: str
    answer: Admission
    now: datetime

    def run(self, tx: Tx) -> bool:
        """Return False when it was told, or withdrawn, before."""
        if tx.write(_CLOSE, {"b_delivery": self.delivery, "b_now": self.now}) != 1:
            return False
        admitted = admit(tx, self.answer, self.now)
        tx.flush()  # the debt refers to it
        tx.write(_LINK, {"b_delivery": self.delivery, "b_answer": admitted.message})
        clear_alarm(tx, "undeliverable.untold", self.delivery, self.now)
        return True


class SqlUndeliverable:
    """The port `Undeliverable`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock) -> None:
        """Take what it writes and reads with."""
        self._writer = writer
        self._reads = reads
        self._clock = clock

    async def owed(self, *, after: Owed | None = None, limit: int) -> tuple[Owed, ...]:
        """Return open debts, oldest first; those behind `after`."""
        statement = _OWED if after is None else _OWED.where(_behind(after))
        rows = await self._reads(lambda c: c.execute(statement.limit(limit)).all())
        return tuple(Owed(delivery=row.delivery, at=row.at, message=known(row)) for row in rows)

    async def tell(self, delivery: str, answer: Admission) -> bool:
        """Admit the Fo01 and close the debt in one commit; False when there is none."""
        unit = Tell(delivery=delivery, answer=answer, now=self._clock.now())
        return await self._writer.commit(unit)


def _behind(debt: Owed) -> sa.ColumnElement[bool]:
    at, delivery = undeliverable.c.at, undeliverable.c.delivery
    return sa.or_(at > debt.at, sa.and_(at == debt.at, delivery > debt.delivery))
