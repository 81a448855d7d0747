"""Two clocks: the latest moment on file, and the database's own, by which leases run."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from gateway.moments import from_micros
from gateway.store.prepared import Prepared
from gateway.store.tables import Moment, clock

STEP_BACK = timedelta(seconds=5)
"""A clock that goes back further than this releases nothing."""
_EVERY = timedelta(seconds=1)
"""How far the mark on file may lag behind."""

HIGH_WATER = sa.select(clock.c.high_water).where(clock.c.id == 1)
_NOW = sa.bindparam("b_now", type_=Moment)
_ADVANCE = Prepared(
    sa.update(clock)
    .where(clock.c.id == 1)
    .values(high_water=sa.case((clock.c.high_water < _NOW, _NOW), else_=clock.c.high_water))
)
_READ = Prepared(HIGH_WATER)
_FIRST = from_micros(0)


class Mark:
    """The high-water mark of time, as one connection knows it.

    It is the first statement of a transaction, so nobody waits for it with anything in hand.
    """

    def __init__(self) -> None:
        """Know nothing: the first transaction reads it."""
        self._known = _FIRST
        self._read = _FIRST

    def advance(self, connection: sa.Connection, now: datetime) -> datetime:
        """Return the mark; write `now` where it lies ahead of what is on file."""
        if now - self._known > _EVERY:
            _ADVANCE.change(connection, {"b_now": now})
            self._read = _READ.rows(connection).scalar()
        elif self._known - now > _EVERY:
            # Another connection may have seen a later time, and a person may put it right.
            self._read = _READ.rows(connection).scalar()
        else:
            self._read = self._known
        return self._read

    def kept(self) -> None:
        """The transaction was committed."""
        self._known = self._read


def stepped_back(high_water: datetime, now: datetime) -> bool:
    """Tell whether the clock went back more than it may."""
    return high_water - now > STEP_BACK


class db_now(sa.sql.functions.FunctionElement[datetime]):  # noqa: N801 - reads as a function of SQL
    """The clock of the database, in microseconds since 1970: leases run by it."""

    type = Moment()
    inherit_cache = True


@compiles(db_now, "sqlite")
def _sqlite(_element: Any, _compiler: Any, **_: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


@compiles(db_now, "postgresql")
def _postgresql(_element: Any, _compiler: Any, **_: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
