"""What time does to deliveries: expiry, overdue acknowledgements, workers that died."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

import sqlalchemy as sa

from gateway.lifecycle import Event, State
from gateway.message import Oin
from gateway.ports import TO_PARTNERS
from gateway.rules import retry
from gateway.store.clock import db_now
from gateway.store.deliveries import SPOT, Spot, move, spot, told
from gateway.store.pauses import GOES_ON
from gateway.store.tables import Span, deliveries, lanes, workers
from gateway.store.transaction import Tx

AT_ONCE = 200
"""Deliveries that one sweep changes per cause."""
PAUSE, LONGEST = timedelta(seconds=1), timedelta(minutes=1)
"""Wait of what was put back: at once the first time, then longer each time."""
_CRC = float(1 << 32)

_OUT = deliveries.c.channel.in_(TO_PARTNERS)
_COLUMNS = (
    *SPOT,
    deliveries.c.retries,
    deliveries.c.retry_interval,
    deliveries.c.sealed_id,
    deliveries.c.duplicate_safe,
    deliveries.c.posting,
    deliveries.c.spared,
)


def _in(state: State) -> sa.ColumnElement[bool]:
    return deliveries.c.state == str(state)


_NOW = sa.bindparam("now", type_=deliveries.c.next_at.type)
_ALIVE = sa.select(workers.c.name).where(
    workers.c.beat_at > db_now() - sa.bindparam("lease", type_=Span)
)
_EXPIRED = (
    sa.select(*_COLUMNS)
    .where(
        deliveries.c.expires_at <= _NOW,
        deliveries.c.state.in_([str(State.READY), str(State.SENT)]),
    )
    .order_by(deliveries.c.expires_at)
    .limit(AT_ONCE)
)
_OVERDUE = (
    sa.select(*_COLUMNS)
    .where(_OUT, _in(State.SENT), deliveries.c.next_at <= _NOW)
    .order_by(deliveries.c.next_at)
    .limit(AT_ONCE)
)
_ABANDONED = (
    sa.select(*_COLUMNS)
    .where(
        _OUT,
        _in(State.CLAIMED),
        # Whoever sweeps is alive, whatever the clocks say.
        sa.case(
            (
                deliveries.c.claimed_by == sa.bindparam("mine", type_=sa.String),
                deliveries.c.id.not_in(sa.bindparam("under_way", expanding=True)),
            ),
            else_=deliveries.c.claimed_by.not_in(_ALIVE),
        ),
    )
    .order_by(deliveries.c.seq)
    .limit(AT_ONCE)
)


def _mine(look: sa.Select[Any]) -> sa.Select[Any]:
    """Leave what another process is changing now: it is looked at again."""
    return look.with_for_update(of=deliveries, skip_locked=True, key_share=True)


_TAKE_EXPIRED, _TAKE_OVERDUE, _TAKE_ABANDONED = _mine(_EXPIRED), _mine(_OVERDUE), _mine(_ABANDONED)


def anything_due(connection: sa.Connection, sweep: "Sweep") -> bool:
    """Tell whether a sweep would change something: most do not, and need no commit."""
    times = {"now": sweep.now}
    looks: list[tuple[sa.Select[Any], dict[str, Any]]] = [
        (_OVERDUE, times),
        (_ABANDONED, sweep.lost()),
    ]
    if sweep.expire:
        looks.append((_EXPIRED, times))
    return any(connection.execute(look, keys).first() is not None for look, keys in looks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Unit: give up, put back, or retry what is due."""

    now: datetime
    lease: timedelta
    dice: float
    """In [0, 1); each delivery gets another jitter from it."""
    mine: str = ""
    """The worker that sweeps, with its run; empty = only the claims of dead workers."""
    under_way: frozenset[str] = frozenset()
    """What it is delivering now: its other claims are nobody's (a settlement that failed)."""
    expire: bool = True
    """False while the clock may be wrong: what has ended does not come back."""

    def lost(self) -> dict[str, Any]:
        """Return what `_ABANDONED` asks for."""
        return {
            "lease": self.lease,
            "mine": self.mine,
            "under_way": sorted(self.under_way),
        }

    def run(self, tx: Tx) -> int:
        """Return how many deliveries changed."""
        times = {"now": self.now}
        due = tx.read(_TAKE_EXPIRED, times).all() if self.expire else ()
        expired = [self._expire(tx, row) for row in due]
        abandoned = [self._put_back(tx, row) for row in tx.read(_TAKE_ABANDONED, self.lost()).all()]
        overdue = [self._overdue(tx, row) for row in tx.read(_TAKE_OVERDUE, times).all()]
        return sum(expired) + sum(abandoned) + sum(overdue)

    def _expire(self, tx: Tx, row: sa.Row[Any]) -> bool:
        """What may have arrived, where a copy would not be noticed, is for a person."""
        at, code = spot(row), "delivery.expired"
        if at.state is State.SENT and not row.duplicate_safe:
            return self._move(tx, at, Event.LOSE_TRACK, "delivery.unknown", code)
        return self._move(tx, at, Event.GIVE_UP, "delivery.expired", code)

    def _overdue(self, tx: Tx, row: sa.Row[Any]) -> bool:
        """No acknowledgement in time: the same signed octets again, while the tries last."""
        at = spot(row)
        step = retry.after_timeout(
            at.attempt - row.spared,
            now=self.now,
            dice=self._dice(at),
            interval=row.retry_interval,
            retries=row.retries,
            duplicate_safe=row.duplicate_safe,
        )
        match step:
            case retry.Again(at=moment):
                changes = {"next_at": moment}
                return self._move(
                    tx, at, Event.RETRY, "delivery.retry", "ack.overdue", changes=changes
                )
            case retry.GiveUp():
                return self._move(tx, at, Event.GIVE_UP, "delivery.dead", "ack.overdue")
            case retry.LoseTrack():
                return self._move(tx, at, Event.LOSE_TRACK, "delivery.unknown", "ack.overdue")

    def _put_back(self, tx: Tx, row: sa.Row[Any]) -> bool:
        """The worker died in the attempt: our own trouble, which spends no retry.

        Where a copy would not be noticed, what was signed may have arrived: it is for a
        person. What was never signed, or is a letter that was not being handed over, never left.
        """
        at = spot(row)
        if (row.posting or row.sealed_id is not None) and not row.duplicate_safe:
            return self._move(tx, at, Event.LOSE_TRACK, "delivery.unknown", "worker.lost")
        # What kills its worker, or fails behind the post, must not go round without a rest.
        pause = min(row.spared * PAUSE, LONGEST)
        changes = {"next_at": self.now + pause, "spared": row.spared + 1}
        return self._move(tx, at, Event.RETRY, "delivery.retry", "worker.lost", changes=changes)

    def _dice(self, at: Spot) -> float:
        """Chance per delivery, the same when the unit is run again: they must not march."""
        return (self.dice + crc32(at.id.encode()) / _CRC) % 1.0

    def _move(
        self,
        tx: Tx,
        at: Spot,
        event: Event,
        name: str,
        code: str,
        *,
        changes: Mapping[str, Any] | None = None,
    ) -> bool:
        audit = told(at, name, self.now, code=code, actor="sweep")
        return move(
            tx, at, event, audit, changes={"next_at": None, "last_code": code, **(changes or {})}
        )


def _lanes_with_work() -> sa.Select[Any]:
    ready, claimed = deliveries.alias(), deliveries.alias()
    first = (
        sa.select(sa.func.min(ready.c.next_at))
        .where(ready.c.lane == lanes.c.id, ready.c.state == str(State.READY))
        .scalar_subquery()
    )
    busy = (
        sa.select(sa.func.count())
        .where(claimed.c.lane == lanes.c.id, claimed.c.state == str(State.CLAIMED))
        .scalar_subquery()
    )
    return sa.select(
        lanes.c.recipient, lanes.c.next_at, first.label("first"), busy.label("busy")
    ).where(lanes.c.channel.in_(TO_PARTNERS), GOES_ON)


_LANES = _lanes_with_work()
_NEXT_ACK = sa.select(sa.func.min(deliveries.c.next_at)).where(
    _OUT, _in(State.SENT), deliveries.c.next_at > _NOW
)
_NEXT_EXPIRY = sa.select(sa.func.min(deliveries.c.expires_at)).where(deliveries.c.expires_at > _NOW)


def next_due(
    connection: sa.Connection, *, now: datetime, suspended: frozenset[Oin], cap: int
) -> datetime | None:
    """Return the next moment, after `now`, at which something falls due by itself.

    What is due already is not told: the claim that follows takes it, or can not, and then
    the bell rings when it can.
    """
    moments = (
        *_lanes_due(connection, suspended, cap),
        connection.execute(_NEXT_ACK, {"now": now}).scalar(),
        connection.execute(_NEXT_EXPIRY, {"now": now}).scalar(),
    )
    return min((m for m in moments if m is not None and m > now), default=None)


def _lanes_due(
    connection: sa.Connection, suspended: frozenset[Oin], cap: int
) -> Iterator[datetime]:
    for row in connection.execute(_LANES):
        if row.first is not None and row.busy < cap and row.recipient not in suspended:
            yield max(row.first, row.next_at)
