"""What a person must know of: raised once, deduplicated, in the commit that causes it.

`raise_alarm` and `clear_alarm` are for units; the port `Alarms` is for everybody else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gateway.errors import NoRoute
from gateway.ports import Alarm, AlarmBounds, AlarmView, AuditEvent, Clock
from gateway.store import watch
from gateway.store.reading import Reads
from gateway.store.tables import alarms, clock
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

SYSTEM = "systeem"
"""Who clears an alarm whose cause is gone."""

_IS_OPEN = alarms.c.cleared_at.is_(None)
_OF = sa.and_(
    alarms.c.code == sa.bindparam("b_code"), alarms.c.subject == sa.bindparam("b_subject")
)
_OPEN_ONE = sa.select(alarms.c.seq).where(_OF, _IS_OPEN)
_TIMES = sa.select(sa.func.coalesce(sa.func.max(alarms.c.times), 0)).where(_OF)
_NOW = sa.bindparam("b_now", type_=alarms.c.cleared_at.type)
_CLEAR = sa.update(alarms).where(_OF, _IS_OPEN).values(cleared_at=_NOW, cleared_by=SYSTEM)
_STANDS = alarms.c.gone_at.is_(None)
_STANDING_ONE = sa.select(alarms.c.seq).where(_OF, _STANDS).limit(1)
_GONE = sa.update(alarms).where(_OF, _STANDS).values(gone_at=_NOW)


def _once(insert: Any) -> sa.Insert:
    """Two processes may see the same cause: the second row gives way without an error."""
    # Of an insert the number of rows is only kept when asked for.
    statement = insert.on_conflict_do_nothing().inline()
    made: sa.Insert = statement.execution_options(preserve_rowcount=True)
    return made


_INSERT = {
    "sqlite": _once(sqlite.insert(alarms)),
    "postgresql": _once(postgresql.insert(alarms)),
}


def raise_alarm(tx: Tx, alarm: Alarm, now: datetime) -> bool:
    """Open an alarm with its audit row; False, and nothing written, while it is open."""
    keys = _keys(alarm.code, alarm.subject)
    if tx.read(_OPEN_ONE, keys).first() is not None:
        return False
    times = int(tx.read(_TIMES, keys).scalar_one()) + 1
    row = {
        "code": alarm.code,
        "subject": alarm.subject,
        "message": alarm.message,
        "party": alarm.party,
        "reason": alarm.reason,
        "times": times,
        "raised_at": now,
        "cleared_at": None,
        "cleared_by": "",
        "cleared_why": "",
        "gone_at": None,
        "taken_by": "",
        "taken_at": None,
    }
    if tx.write(_INSERT[tx.connection.dialect.name], row) != 1:
        return False
    tx.record(_told("alarm.raised", alarm.code, now, alarm.party, subject=alarm.subject, n=times))
    return True


def clear_alarm(tx: Tx, code: str, subject: str, now: datetime) -> bool:
    """Close an alarm whose cause is gone, with its audit row; False when none is open."""
    keys = _keys(code, subject) | {"b_now": now}
    tx.write(_GONE, keys)
    if tx.write(_CLEAR, keys) == 0:
        return False
    tx.record(_told("alarm.cleared", code, now, actor=SYSTEM, subject=subject))
    return True


def _keys(code: str, subject: str) -> dict[str, Any]:
    return {"b_code": code, "b_subject": subject}


def _told(
    event: str, code: str, now: datetime, party: str = "", actor: str = "", **data: str | int
) -> AuditEvent:
    return AuditEvent(event=event, at=now, code=code, party=party, actor=actor, data=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Unit: open what is seen now and close what is not seen any more."""

    raised: tuple[Alarm, ...]
    gone: tuple[tuple[str, str], ...]
    """Code and subject."""
    now: datetime

    def run(self, tx: Tx) -> int:
        """Return how many alarms changed."""
        opened = [self._raise(tx, alarm) for alarm in self.raised]
        closed = [clear_alarm(tx, code, subject, self.now) for code, subject in self.gone]
        return sum(opened) + sum(closed)

    def _raise(self, tx: Tx, alarm: Alarm) -> bool:
        """What a person closed stays closed while its cause stands."""
        if tx.read(_STANDING_ONE, _keys(alarm.code, alarm.subject)).first() is not None:
            return False
        return raise_alarm(tx, alarm, self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismiss:
    """Unit: a person closes an alarm.

    While its cause stands, a watched one is not raised again. Who closes
    `clock.stepped_back` says that the time is right as it is now.
    """

    id: int
    who: str
    why: str
    now: datetime

    def run(self, tx: Tx) -> AlarmView:
        """Return the closed alarm; raise NoRoute `alarm.unknown` when it is not open."""
        done = tx.write(
            sa.update(alarms)
            .where(alarms.c.seq == self.id, _IS_OPEN)
            .values(cleared_at=self.now, cleared_by=self.who, cleared_why=self.why)
        )
        if done != 1:
            raise NoRoute("alarm.unknown", "Er staat geen alarm open met dit nummer.")
        closed = view(tx.read(sa.select(alarms).where(alarms.c.seq == self.id)).one())
        if closed.code == watch.STEPPED_BACK:
            self._accept_time(tx)
        tx.record(
            _told(
                "alarm.dismissed",
                closed.code,
                self.now,
                closed.party,
                self.who,
                subject=closed.subject,
                reason=self.why,
            )
        )
        return closed

    def _accept_time(self, tx: Tx) -> None:
        """The clock was ahead for a while: without this its mark would stand until then."""
        tx.write(sa.update(clock).values(high_water=self.now))
        data: dict[str, str | int] = {"was": tx.high_water.isoformat(timespec="seconds")}
        tx.record(AuditEvent(event="clock.accepted", at=self.now, actor=self.who, data=data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Unit: a person looks at an alarm, or does not any more (`taken` False)."""

    id: int
    who: str
    why: str
    taken: bool
    now: datetime

    def run(self, tx: Tx) -> AlarmView:
        """Return the alarm; raise NoRoute `alarm.unknown` when it is not open."""
        values = {"taken_by": self.who, "taken_at": self.now}
        done = tx.write(
            sa.update(alarms)
            .where(alarms.c.seq == self.id, _IS_OPEN)
            .values(values if self.taken else {"taken_by": "", "taken_at": None})
        )
        if done != 1:
            raise NoRoute("alarm.unknown", "Er staat geen alarm open met dit nummer.")
        found = view(tx.read(sa.select(alarms).where(alarms.c.seq == self.id)).one())
        event = "alarm.taken" if self.taken else "alarm.let_go"
        facts = {"subject": found.subject, "reason": self.why}
        tx.record(_told(event, found.code, self.now, found.party, self.who, **facts))
        return found


def view(row: sa.Row[Any]) -> AlarmView:
    """Return the value of a row of `alarms`."""
    return AlarmView(
        id=row.seq,
        code=row.code,
        subject=row.subject,
        message=row.message,
        party=row.party,
        reason=row.reason,
        times=row.times,
        raised_at=row.raised_at,
        cleared_at=row.cleared_at,
        cleared_by=row.cleared_by,
        cleared_why=row.cleared_why,
        taken_by=row.taken_by,
        taken_at=row.taken_at,
    )


def open_alarms(connection: sa.Connection, limit: int) -> tuple[AlarmView, ...]:
    """Return what is open, newest first."""
    statement = sa.select(alarms).where(_IS_OPEN).order_by(alarms.c.seq.desc()).limit(limit)
    return tuple(view(row) for row in connection.execute(statement))


def counts(connection: sa.Connection) -> Mapping[str, int]:
    """Return how many are open, by code."""
    statement = (
        sa.select(alarms.c.code, sa.func.count().label("n")).where(_IS_OPEN).group_by(alarms.c.code)
    )
    return {row.code: row.n for row in connection.execute(statement)}


def _differences(
    connection: sa.Connection, bounds: AlarmBounds, also: Sequence[Alarm], now: datetime
) -> Differences:
    causes = (*watch.causes(connection, bounds, now), *also)
    seen = {(a.code, a.subject): a for a in causes}
    rows = connection.execute(
        sa.select(alarms.c.code, alarms.c.subject).where(
            _STANDS, alarms.c.code.in_(sorted(watch.WATCHED))
        )
    )
    standing = {(row.code, row.subject) for row in rows}
    return Differences(
        raised=tuple(seen[key] for key in sorted(seen.keys() - standing)),
        gone=tuple(sorted(standing - seen.keys())),
        now=now,
    )


class SqlAlarms:
    """The port `Alarms`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock) -> None:
        """Take what it writes and reads with."""
        self._writer = writer
        self._reads = reads
        self._clock = clock

    async def change(
        self, *, raised: Sequence[Alarm] = (), gone: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Open and close, in one commit."""
        unit = Differences(raised=tuple(raised), gone=tuple(gone), now=self._clock.now())
        await self._writer.commit(unit)

    async def watch(self, bounds: AlarmBounds, *, also: Sequence[Alarm] = ()) -> None:
        """Look for what only time brings about; commits only when something changed."""
        now = self._clock.now()
        unit = await self._reads(lambda c: _differences(c, bounds, also, now))
        if unit.raised or unit.gone:
            await self._writer.commit(unit)

    async def dismiss(self, id_: int, *, who: str, why: str) -> AlarmView:
        """Close an alarm; raise NoRoute `alarm.unknown`."""
        return await self._writer.commit(Dismiss(id=id_, who=who, why=why, now=self._clock.now()))

    async def take(self, id_: int, *, who: str, why: str) -> AlarmView:
        """Let everybody see who looks at it; raise NoRoute `alarm.unknown`."""
        return await self._taken(id_, who, why, taken=True)

    async def let_go(self, id_: int, *, who: str, why: str) -> AlarmView:
        """Let everybody see that nobody does any more; raise NoRoute `alarm.unknown`."""
        return await self._taken(id_, who, why, taken=False)

    async def _taken(self, id_: int, who: str, why: str, *, taken: bool) -> AlarmView:
        unit = Take(id=id_, who=who, why=why, taken=taken, now=self._clock.now())
        return await self._writer.commit(unit)
