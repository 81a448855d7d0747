"""Daily totals out of the audit log: the port `Tallies`.

Housekeeping folds the log into them, some thousand rows at a time. The place up to which it came
stands in a row that is changed in the same commit, so that each audit row counts once, whoever
folds and whatever crashes. The commits of messages pay nothing for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gateway.ports import Clock
from gateway.ports.tallies import Count, Measure, Tallied
from gateway.store.counting import Key, Sum, count, rows_between
from gateway.store.engine import Engine
from gateway.store.horizon import settled
from gateway.store.reading import Reads
from gateway.store.tables import audit, tallies, tally_place
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

VERSION = 2
"""Of how is counted. Totals of an older one are counted anew, from the first audit row."""
STEP = 5_000
"""Audit rows of one commit."""
STEPS = 100
"""Commits of one call: what is left waits for the next."""
_MICROSECOND = timedelta(microseconds=1)


def _added(engine: Any) -> Any:
    insert = engine.insert(tallies)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=[tallies.c.day, tallies.c.measure, tallies.c.kind, tallies.c.detail],
        set_={"n": tallies.c.n + new.n, "micros": tallies.c.micros + new.micros},
    )


_ADD: Mapping[str, Any] = {"sqlite": _added(sqlite), "postgresql": _added(postgresql)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Unit: add what the rows behind one place, up to another, count for."""

    after: int
    upto: int
    at: datetime | None
    """Until when everything is counted then; None: it is not known."""
    sums: Mapping[Key, Sum]

    def run(self, tx: Tx) -> bool:
        """Return False when another process was first: nothing is added."""
        place = tally_place.c
        values = {"seq": self.upto} | ({"at": self.at} if self.at is not None else {})
        moved = tx.write(
            sa.update(tally_place)
            .where(place.seq == self.after, place.version == VERSION)
            .values(values)
        )
        if moved and self.sums:
            add = _ADD[tx.connection.dialect.name]
            tx.connection.execute(add, [_line(*one) for one in sorted(self.sums.items(), key=_by)])
        return bool(moved)


def _by(one: tuple[Key, Sum]) -> tuple[date, str, str, str]:
    key, _ = one
    return key.day, key.measure, key.kind, key.detail


def _line(key: Key, found: Sum) -> dict[str, Any]:
    return {
        "day": key.day.isoformat(),
        "measure": str(key.measure),
        "kind": key.kind,
        "detail": key.detail,
        "n": found.n,
        "micros": found.spent // _MICROSECOND,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """Unit: throw away totals that were counted in an older way."""

    def run(self, tx: Tx) -> None:
        """Do nothing when another process did it, or has a newer way."""
        older = tally_place.c.version < VERSION
        if tx.write(sa.update(tally_place).where(older).values(seq=0, at=None, version=VERSION)):
            tx.write(sa.delete(tallies))


@dataclass(frozen=True, slots=True)
class _Place:
    seq: int
    version: int


def _place(connection: sa.Connection) -> _Place:
    row = connection.execute(sa.select(tally_place)).one()
    return _Place(row.seq, row.version)


class SqlTallies:
    """The port `Tallies`."""

    def __init__(self, *, writer: Writer, reads: Reads, engine: Engine, clock: Clock) -> None:
        """Take what it reads and writes with."""
        self._writer = writer
        self._reads = reads
        self._engine = engine
        self._clock = clock

    async def between(self, first: date, last: date) -> Tallied:
        """Return the totals of these days, both included."""
        return await self._reads(lambda c: _between(c, first, last))

    async def fold(self) -> int:
        """Add what was not counted yet; see the port."""
        place = await self._reads(_place)
        if place.version < VERSION:
            await self._writer.commit(Restart())
            place = await self._reads(_place)
        if place.version != VERSION:
            return 0
        now = self._clock.now()
        end = await settled(self._reads, self._engine, self._clock, audit)
        return await self._upto(place.seq, end, now)

    async def _upto(self, start: int, end: int, now: datetime) -> int:
        after = start
        for _ in range(STEPS):
            if after >= end:
                break
            upto = min(after + STEP, end)
            step = await self._reads(partial(_step, after=after, upto=upto))
            at = now if upto == end else step.at
            unit = Fold(after=after, upto=upto, at=at, sums=step.sums)
            if not await self._writer.commit(unit):
                break
            after = upto
        return after - start


@dataclass(frozen=True, slots=True)
class _Step:
    sums: Mapping[Key, Sum]
    at: datetime | None
    """Of the last row that was looked at."""


def _step(connection: sa.Connection, *, after: int, upto: int) -> _Step:
    sums = count(connection.execute(rows_between(after, upto)))
    last = (
        sa.select(audit.c.at)
        .where(audit.c.seq > after, audit.c.seq <= upto)
        .order_by(audit.c.seq.desc())
        .limit(1)
    )
    return _Step(sums, connection.execute(last).scalar())


_PER_DAY = (str(Measure.OFFERED), str(Measure.HELD))


def _between(connection: sa.Connection, first: date, last: date) -> Tallied:
    t = tallies.c
    within = t.day.between(first.isoformat(), last.isoformat())
    n, micros = sa.func.sum(t.n).label("n"), sa.func.sum(t.micros).label("micros")
    lines = (t.measure, t.kind, t.detail)
    totals = sa.select(*lines, n, micros).where(within).group_by(*lines).order_by(*lines)
    days = (
        sa.select(t.day, t.measure, n)
        .where(within, t.measure.in_(_PER_DAY))
        .group_by(t.day, t.measure)
        .order_by(t.day, t.measure)
    )
    return Tallied(
        counts=tuple(
            Count(
                measure=Measure(row.measure),
                kind=row.kind,
                detail=row.detail,
                n=int(row.n),
                spent=int(row.micros) * _MICROSECOND,
            )
            for row in connection.execute(totals)
            if row.measure in _KNOWN
        ),
        per_day=tuple(
            (date.fromisoformat(row.day), Measure(row.measure), int(row.n))
            for row in connection.execute(days)
        ),
        upto=connection.execute(sa.select(tally_place.c.at)).scalar(),
    )


_KNOWN = frozenset(str(one) for one in Measure)
"""A newer program may count more."""
