"""Duties that one process at a time has, by the database's clock."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from gateway.store.clock import db_now
from gateway.store.tables import Span, duties
from gateway.store.transaction import Tx

_MOMENT = sa.literal(timedelta(seconds=1), Span)
_TAKE = (
    sa.update(duties)
    .where(
        duties.c.name == sa.bindparam("b_name"),
        sa.or_(
            duties.c.holder == sa.bindparam("b_holder"),
            duties.c.until < db_now(),
            # Nobody takes it for longer: the clock of the database was set back.
            duties.c.until > db_now() + sa.bindparam("b_term", type_=Span),
        ),
    )
    .values(
        holder=sa.bindparam("b_holder"),
        until=db_now() + sa.bindparam("b_term", type_=Span),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeDuty:
    """Unit: take a duty, or keep it for another term."""

    name: str
    holder: str
    term: timedelta

    def run(self, tx: Tx) -> bool:
        """Return whether it is the holder's now."""
        keys = {"b_name": self.name, "b_holder": self.holder, "b_term": self.term}
        if tx.write(_TAKE, keys) == 1:
            return True
        there = sa.select(duties.c.name).where(duties.c.name == self.name)
        if tx.read(there).first() is not None:
            return False
        # The first time ever; of two processes that try, one runs again and finds the row.
        until = db_now() + sa.bindparam("term", self.term, type_=Span)
        tx.write(sa.insert(duties).values(name=self.name, holder=self.holder, until=until))
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveDuty:
    """Unit: give a duty up, so that nobody waits for the end of its term."""

    name: str
    holder: str

    def run(self, tx: Tx) -> bool:
        """Return whether it was the holder's."""
        mine = duties.c.name == self.name, duties.c.holder == self.holder
        return tx.write(sa.update(duties).where(*mine).values(until=db_now() - _MOMENT)) == 1
