"""Mail that a person must look at: the port `Quarantine`, and what housekeeping does to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.errors import NoRoute, PolicyViolation, Unavailable
from gateway.ports import Alarm, AuditEvent, Clock
from gateway.ports.incoming import EXPIRED, FULL, NO_ROOM, QUARANTINE, Bounds, Ground, Item, NewItem
from gateway.store.alarms import clear_alarm, raise_alarm
from gateway.store.kept import keep
from gateway.store.payloads import Destroy
from gateway.store.reading import Reads
from gateway.store.repeats import is_told_enough
from gateway.store.tables import Moment, quarantine
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

HELD = "incoming.held"
AT_ONCE = 100
"""Mails that one commit destroys, at most."""

_OPEN = quarantine.c.closed_at.is_(None)
_DUE = quarantine.c.dispose_at <= sa.bindparam("now", type_=Moment)
_KEPT = sa.select(
    sa.func.count().label("n"), sa.func.coalesce(sa.func.sum(quarantine.c.size), 0).label("octets")
).where(quarantine.c.dispose_at.is_not(None))
_STRANGE = _KEPT.where(quarantine.c.proven.is_(sa.false()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Unit: keep a mail, once."""

    item: NewItem
    bounds: Bounds
    event: AuditEvent
    now: datetime

    def run(self, tx: Tx) -> bool:
        """Raise Unavailable; return as the port."""
        item = self.item
        same = sa.select(quarantine.c.id).where(quarantine.c.digest == item.digest)
        first = tx.read(same).scalar()
        if first is not None:
            again = self._again(first)
            if not is_told_enough(tx, again):
                tx.record(again)
            return False
        self._check_room(tx)
        keep(tx, item.payload)
        tx.insert(quarantine, (_row(item),))
        tx.record(self.event)
        alarm = Alarm(code=HELD, subject=QUARANTINE, party=item.held.party, reason=item.held.code)
        raise_alarm(tx, alarm, self.now)
        return True

    def _check_room(self, tx: Tx) -> None:
        """Half of it is for what partners signed: a stranger can not fill that."""
        self._check_fits(tx.read(_KEPT).one(), self.bounds)
        if not self.item.held.proven:
            half = Bounds(items=-(-self.bounds.items // 2), octets=-(-self.bounds.octets // 2))
            self._check_fits(tx.read(_STRANGE).one(), half)

    def _check_fits(self, kept: sa.Row[Any], bounds: Bounds) -> None:
        if kept.n >= bounds.items or kept.octets + self.item.payload.size > bounds.octets:
            raise Unavailable(FULL, "quarantine is full: a person must close what waits")

    def _again(self, first: str) -> AuditEvent:
        return AuditEvent(
            event="incoming.duplicate",
            at=self.now,
            message=first,
            code=self.event.code,
            party=self.event.party,
            data=self.event.data,
        )


def _row(item: NewItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "at": item.at,
        "code": item.held.code,
        "party": item.held.party,
        "proven": item.held.proven,
        "digest": item.digest,
        "payload_id": item.payload.id,
        "size": item.payload.size,
        "taken_by": "",
        "closed_at": None,
        "closed_by": "",
        "ground": "",
        "why": "",
        "dispose_at": item.until,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Unit: somebody reads it."""

    id: str
    event: AuditEvent

    def run(self, tx: Tx) -> Item:
        """Raise as the port."""
        item = _item(tx, self.id)
        tx.record(self.event)
        return item


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Unit: a person looks at it; `who` empty = nobody does any more."""

    id: str
    who: str
    actor: str
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise as the port."""
        item = _open_item(tx, self.id)
        if not self.who:
            _check_free(item, self.actor)
        tx.write(_this(self.id).values(taken_by=self.who))
        event = "incoming.taken" if self.who else "incoming.let_go"
        tx.record(_told(item, event, self.now, self.actor))


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Unit: nothing more is done about it."""

    id: str
    who: str
    ground: Ground
    why: str
    until: datetime
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise as the port."""
        item = _open_item(tx, self.id)
        _check_free(item, self.who)
        said = {"closed_by": self.who, "ground": str(self.ground), "why": self.why}
        until = min(self.until, item.until)
        tx.write(_this(self.id).values(closed_at=self.now, dispose_at=until, **said))
        facts = {"ground": str(self.ground), "reason": self.why}
        tx.record(_told(item, "incoming.closed", self.now, self.who, **facts))
        _quiet(tx, self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposeMail:
    """Unit: destroy what mails said whose time is over, one batch."""

    now: datetime

    def run(self, tx: Tx) -> int:
        """Return how many."""
        rows = tx.read(
            sa.select(quarantine)
            .where(_DUE)
            .order_by(quarantine.c.dispose_at)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True),
            {"now": self.now},
        ).all()
        for row in rows:
            self._one(tx, _view(row))
        Destroy(ids=tuple(row.payload_id for row in rows), at=self.now).run(tx)
        if rows:
            _quiet(tx, self.now)
        return len(rows)

    def _one(self, tx: Tx, item: Item) -> None:
        values: dict[str, Any] = {"dispose_at": None}
        if item.closed_at is None:
            values |= {"closed_at": self.now, "closed_by": "housekeeping", "ground": EXPIRED}
        tx.write(_this(item.id).values(values))
        facts = {"ground": item.ground or EXPIRED}
        tx.record(_told(item, "incoming.destroyed", self.now, "housekeeping", **facts))


def any_mail_due(now: datetime) -> Callable[[sa.Connection], bool]:
    """Return a look whether there is anything to destroy."""
    statement = sa.select(quarantine.c.id).where(_DUE).limit(1)
    return lambda c: c.execute(statement, {"now": now}).first() is not None


def held_mail(
    connection: sa.Connection, *, below: int | None = None, limit: int, open_only: bool
) -> tuple[Item, ...]:
    """Return the newest mails; see the port."""
    statement = sa.select(quarantine).order_by(quarantine.c.seq.desc()).limit(limit)
    if open_only:
        statement = statement.where(_OPEN)
    if below is not None:
        statement = statement.where(quarantine.c.seq < below)
    return tuple(_view(row) for row in connection.execute(statement))


def _quiet(tx: Tx, now: datetime) -> None:
    """There is room again; and when nothing waits, nobody need be told so."""
    clear_alarm(tx, NO_ROOM, QUARANTINE, now)
    if tx.read(sa.select(quarantine.c.id).where(_OPEN).limit(1)).first() is None:
        clear_alarm(tx, HELD, QUARANTINE, now)


def _this(id_: str) -> sa.Update:
    return sa.update(quarantine).where(quarantine.c.id == id_)


def _item(tx: Tx, id_: str) -> Item:
    """Return it, locked; who comes at the same moment sees what this one did."""
    row = tx.read(sa.select(quarantine).where(quarantine.c.id == id_).with_for_update()).first()
    if row is None:
        raise NoRoute("quarantaine.onvindbaar", "Deze e-mail staat niet in de quarantaine.")
    return _view(row)


def _open_item(tx: Tx, id_: str) -> Item:
    item = _item(tx, id_)
    if item.closed_at is not None:
        raise PolicyViolation("quarantaine.gesloten", "Deze e-mail is al afgesloten.")
    return item


def _check_free(item: Item, who: str) -> None:
    if item.taken_by not in ("", who):
        raise PolicyViolation(
            "quarantaine.genomen", "Een ander is hiermee bezig. Neem het eerst over."
        )


def _told(item: Item, event: str, now: datetime, who: str, **facts: str) -> AuditEvent:
    return AuditEvent(
        event=event,
        at=now,
        message=item.id,
        code=item.code,
        party=item.party,
        actor=who,
        data={**facts},
    )


def _view(row: sa.Row[Any]) -> Item:
    return Item(
        seq=row.seq,
        id=row.id,
        at=row.at,
        code=row.code,
        party=row.party,
        proven=row.proven,
        size=row.size,
        payload_id=row.payload_id,
        until=row.dispose_at or row.closed_at,
        taken_by=row.taken_by,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        ground=row.ground,
        why=row.why,
        destroyed=row.dispose_at is None,
    )


class SqlQuarantine:
    """The port `Quarantine`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock) -> None:
        """Take what it writes and reads with."""
        self._writer = writer
        self._reads = reads
        self._clock = clock

    async def hold(self, item: NewItem, bounds: Bounds, event: AuditEvent) -> bool:
        """Keep it, once; see the port."""
        unit = Hold(item=item, bounds=bounds, event=event, now=self._clock.now())
        return await self._writer.commit(unit)

    async def items(
        self, *, below: int | None = None, limit: int, open_only: bool
    ) -> Sequence[Item]:
        """Return the newest; see the port."""
        return await self._reads(
            lambda c: held_mail(c, below=below, limit=limit, open_only=open_only)
        )

    async def item(self, id_: str) -> Item | None:
        """Return one, or None."""
        statement = sa.select(quarantine).where(quarantine.c.id == id_)
        row = await self._reads(lambda c: c.execute(statement).first())
        return None if row is None else _view(row)

    async def read(self, id_: str, event: AuditEvent) -> Item:
        """Write down who reads; see the port."""
        return await self._writer.commit(Read(id=id_, event=event))

    async def take(self, id_: str, *, who: str) -> None:
        """Look at it; see the port."""
        await self._writer.commit(Take(id=id_, who=who, actor=who, now=self._clock.now()))

    async def let_go(self, id_: str, *, who: str) -> None:
        """Leave it to others; see the port."""
        await self._writer.commit(Take(id=id_, who="", actor=who, now=self._clock.now()))

    async def close(self, id_: str, *, who: str, ground: Ground, why: str, until: datetime) -> None:
        """Do nothing more about it; see the port."""
        unit = Close(id=id_, who=who, ground=ground, why=why, until=until, now=self._clock.now())
        await self._writer.commit(unit)
