"""Claiming: lanes first, then the oldest deliveries of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, zip_longest
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import Event, State
from gateway.message import Oin
from gateway.ports import TO_PARTNERS, Alarm, Claim, DeliveryChannel, DeliveryKind
from gateway.rules.approval import Decision
from gateway.store import epoch
from gateway.store.alarms import raise_alarm
from gateway.store.clock import db_now, stepped_back
from gateway.store.deliveries import SPOT, move, spot, told
from gateway.store.gatetest import REVOKED, GateTest, decision_of, used
from gateway.store.pauses import GOES_ON
from gateway.store.prepared import Prepared
from gateway.store.records import KNOWN, known
from gateway.store.tables import deliveries, lanes, messages, workers
from gateway.store.transaction import Tx

UNREADABLE = "delivery.unreadable"
"""Alarm: a row of a delivery holds what this program does not know."""
UNREADABLE_AGAIN = timedelta(minutes=1)
_CLAIM = (
    *SPOT,
    *(
        deliveries.c[name]
        for name in (
            "channel",
            "kind",
            "cpa_id",
            "service",
            "action",
            "ground",
            "approval_id",
            "table_version",
            "payload_sha256",
            "retries",
            "retry_interval",
            "expires_at",
            "sealed_id",
            "duplicate_safe",
            "twice",
            "spared",
        )
    ),
    REVOKED,
    *KNOWN,
)


def _lanes() -> sa.Select[Any]:
    """Lanes with something due, a closed breaker and a free place; signals first.

    In a transaction the lanes are locked: another process takes others, or none.
    """
    now = sa.bindparam("now", type_=lanes.c.next_at.type)
    ready = deliveries.alias()
    oldest = (
        sa.select(sa.func.min(ready.c.next_at))
        .where(ready.c.lane == lanes.c.id, ready.c.state == str(State.READY))
        .scalar_subquery()
    )
    first = sa.case((lanes.c.kind == str(DeliveryKind.SIGNAL), 0), else_=1)
    return (
        sa.select(lanes.c.id, lanes.c.recipient)
        .where(
            sa.or_(*(lanes.c.channel == channel for channel in TO_PARTNERS)),
            lanes.c.next_at <= now,
            oldest <= now,
            GOES_ON,
        )
        .order_by(first, oldest, lanes.c.id)
    )


def _room(lane: sa.ColumnElement[str], down: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Places of a lane that are free; a partner that was down gets one probe."""
    claimed = deliveries.alias()
    busy = (
        sa.select(sa.func.count())
        .where(claimed.c.lane == lane, claimed.c.state == str(State.CLAIMED))
        .scalar_subquery()
    )
    cap = sa.bindparam("cap", type_=sa.Integer)
    return sa.case((down == sa.true(), 1), else_=cap) - busy


# Built once: to build them costs more than to run them.
_ROOM = _room(lanes.c.id, lanes.c.down)
_LANES = _lanes()
_LOCKED = Prepared(_LANES.with_for_update(of=lanes, skip_locked=True, key_share=True))
_SEEN = Prepared(_LANES.where(_ROOM > 0))
_FREE = Prepared(sa.select(_ROOM.label("room")).where(lanes.c.id == sa.bindparam("lane")))
_LINE = (
    sa.select(*_CLAIM)
    .join(messages, messages.c.id == deliveries.c.message)
    .where(
        deliveries.c.lane == sa.bindparam("lane"),
        deliveries.c.state == str(State.READY),
        deliveries.c.next_at <= sa.bindparam("now", type_=deliveries.c.next_at.type),
        # What is too old is for the sweep, which knows whether the clock can be believed.
        sa.or_(
            deliveries.c.expires_at.is_(None),
            deliveries.c.expires_at > sa.bindparam("now", type_=deliveries.c.next_at.type),
        ),
    )
    .order_by(deliveries.c.next_at, deliveries.c.seq)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(of=deliveries, skip_locked=True, key_share=True)
)
_GATED = Prepared(_LINE)
_UNGATED = Prepared(_LINE.where(deliveries.c.approval_id == ""))
_BEAT = Prepared(
    sa.update(workers).where(workers.c.name == sa.bindparam("b_name")).values(beat_at=db_now())
)


def beat(tx: Tx, worker: str) -> None:
    """Write a heartbeat by the database's clock, once per transaction."""
    if ("beat", worker) in tx.memo:
        return
    if tx.change(_BEAT, {"b_name": worker}) == 0:
        tx.write(sa.insert(workers).values(name=worker, beat_at=db_now()))
    tx.memo.add(("beat", worker))


@dataclass(frozen=True, slots=True)
class _Line:
    """What is claimed from a lane; `full` when it may hold more."""

    rows: Sequence[Any]
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a worker has now. `left`: more was due than could be taken."""

    claims: tuple[Claim, ...] = ()
    left: bool = False
    waits: bool = False
    """What stands on an approval was passed over, because the clock is not sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDue:
    """Unit: claim for a worker."""

    worker: str
    limit: int
    epoch: int
    gate: GateTest
    suspended: frozenset[Oin]
    cap: int
    now: datetime
    beat: bool = True
    """Whether the heartbeat is due as well."""

    def run(self, tx: Tx) -> Claimed:
        """Raise StaleSnapshot when the epoch moved."""
        epoch.guard(tx, self.epoch)
        if self.beat:
            beat(tx, self.worker)
        gated = not stepped_back(tx.high_water, self.now)
        tx.flush()
        lines = self._lines(tx, gated=gated)
        rows = list(islice(_in_turn([line.rows for line in lines]), self.limit))
        claims = (self._claim(tx, row) for row in rows)
        return Claimed(
            claims=tuple(claim for claim in claims if claim is not None),
            left=len(rows) == self.limit or any(line.full for line in lines),
            waits=not gated or any(not (line.rows or line.full) for line in lines),
        )

    def lanes(self, connection: sa.Connection, *, lock: bool = True) -> Sequence[Any]:
        """Return the lanes to claim from, signals first, then the one that waits longest."""
        keys = {"now": self.now, "cap": self.cap}
        found = (_LOCKED if lock else _SEEN).rows(connection, keys)
        return [lane for lane in found if lane.recipient not in self.suspended]

    def _lines(self, tx: Tx, *, gated: bool) -> list[_Line]:
        """One for each lane, until as many give something as are wanted: a full one gives none."""
        lines: list[_Line] = []
        for lane in self.lanes(tx.connection):
            lines.append(self._line(tx, lane.id, gated=gated))
            if sum(bool(line.rows) for line in lines) == self.limit:
                break
        return lines

    def _line(self, tx: Tx, lane: str, *, gated: bool) -> _Line:
        """The oldest of a lane. Without a sure clock, none that stands on an approval."""
        # Counted behind the lock: who had it before may have claimed.
        room = tx.peek(_FREE, {"lane": lane, "cap": self.cap}).scalar()
        if room < 1:
            return _Line((), full=True)
        most = min(room, self.limit)
        keys = {"now": self.now, "lane": lane, "limit": most}
        rows = tx.peek(_GATED if gated else _UNGATED, keys).all()
        return _Line(rows, full=len(rows) == most)

    def _claim(self, tx: Tx, row: sa.Row[Any]) -> Claim | None:
        signal = row.kind == str(DeliveryKind.SIGNAL)
        decision = None if signal else decision_of(tx, row)
        ground = "" if signal else self.gate.fault(row, decision)
        if ground:
            self._hold(tx, row, ground)
            return None
        at = spot(row)
        try:
            claim = _value(row, decision)
        except ValueError:  # of another program, or of a hand: the others go on
            self._set_aside(tx, row)
            return None
        actor = self.worker.rpartition("@")[0]  # without the run
        now_trying = replace(at, attempt=at.attempt + 1)
        audit = told(now_trying, "delivery.claimed", self.now, actor=actor)
        changes = {
            "fence": at.fence + 1,
            "attempt": at.attempt + 1,
            "claimed_by": self.worker,
            "posting": False,
            "next_at": None,
        }
        # What was judged must still be what stands there, in the statement itself; the epoch
        # is locked since the guard.
        same = {"approval_id": row.approval_id, "payload_sha256": row.payload_sha256}
        if not move(tx, at, Event.CLAIM, audit, changes=changes, same=same):
            return None
        if decision is not None:
            used(tx, decision, self.now)
        return claim

    def _set_aside(self, tx: Tx, row: sa.Row[Any]) -> None:
        later = self.now + UNREADABLE_AGAIN
        tx.write(sa.update(deliveries).where(deliveries.c.id == row.id).values(next_at=later))
        alarm = Alarm(code=UNREADABLE, subject=row.id, message=row.m_id, party=row.recipient)
        raise_alarm(tx, alarm, self.now)

    def _hold(self, tx: Tx, row: sa.Row[Any], ground: str) -> None:
        at = spot(row)
        audit = told(at, "delivery.held_again", self.now, code=f"gate.{ground}")
        changes = {"ground": ground, "next_at": None, "expires_at": None}
        move(tx, at, Event.HOLD_AGAIN, audit, changes=changes)


def _value(row: sa.Row[Any], decision: Decision | None) -> Claim:
    return Claim(
        delivery=row.id,
        fence=row.fence + 1,
        attempt=row.attempt + 1,
        recipient=Oin(row.recipient),
        channel=DeliveryChannel(row.channel),
        kind=DeliveryKind(row.kind),
        cpa_id=row.cpa_id,
        service=row.service,
        action=row.action,
        ground=row.ground,
        approval_id=row.approval_id,
        table_version=row.table_version,
        payload_sha256=row.payload_sha256,
        retries=row.retries,
        retry_interval=row.retry_interval,
        expires_at=row.expires_at,
        sealed=row.sealed_id,
        duplicate_safe=row.duplicate_safe,
        twice=row.twice,
        spared=row.spared,
        message=known(row),
        decision=decision,
    )


def _in_turn(lines: Sequence[Sequence[sa.Row[Any]]]) -> Iterator[sa.Row[Any]]:
    """One of each lane, then the second of each, and so on."""
    for round_ in zip_longest(*lines):
        yield from (row for row in round_ if row is not None)
