"""What waits for the back-ends of local parties: the port `Postvak`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gateway.directory import InForce
from gateway.errors import DuplicateConflict, NoRoute
from gateway.lifecycle import SHOWN, Event, State
from gateway.message import Oin
from gateway.ports import (
    Admission,
    AuditEvent,
    Clock,
    DeliveryChannel,
    DeliveryKind,
    PostvakItem,
)
from gateway.store.bell import Bells
from gateway.store.deliveries import SPOT, Spot, lane_id, move, spot, told
from gateway.store.gatetest import GATED, GateTest, decision_of, used
from gateway.store.inbox import admit
from gateway.store.reading import Reads
from gateway.store.records import KNOWN, known
from gateway.store.tables import deliveries, messages, payloads
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

_OPEN = (str(State.READY), str(State.SENT))

_ITEM: sa.Select[Any] = (
    sa.select(
        *SPOT,
        deliveries.c.applicatie,
        deliveries.c.next_at,
        *GATED,
        sa.func.coalesce(payloads.c.size, 0).label("size"),
        *KNOWN,
    )
    .join(messages, messages.c.id == deliveries.c.message)
    .outerjoin(payloads, payloads.c.id == messages.c.payload_id)
    .where(deliveries.c.channel == str(DeliveryChannel.POSTVAK))
)


def _item(
    row: sa.Row[Any], *, shown: int, lease_until: datetime | None, state: State
) -> PostvakItem:
    return PostvakItem(
        delivery=row.id,
        message=known(row),
        applicatie=row.applicatie,
        payload_id=row.m_payload_id or "",
        payload_sha256=row.payload_sha256,
        size=row.size,
        repeated=shown > 1,
        lease_until=lease_until,
        state=state,
        ground=row.ground,
        approval_id=row.approval_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Unit: lease what waits. `next_at` of a SENT delivery is the end of its lease."""

    party: Oin
    applicaties: tuple[str, ...]
    consumer: str
    limit: int
    lease: timedelta
    gate: GateTest
    now: datetime
    kind: str | None = None
    only: str | None = None
    """One delivery."""

    def run(self, tx: Tx) -> tuple[PostvakItem, ...]:
        """Return what is leased now."""
        rows = tx.read(
            self.waiting().with_for_update(of=deliveries, skip_locked=True, key_share=True)
        ).all()
        taken = (self._take(tx, row) for row in rows)
        return tuple(item for item in taken if item is not None)

    def waiting(self) -> sa.Select[Any]:
        """What was never shown, or shown and not confirmed within its lease; oldest first."""
        lane = lane_id(self.party, DeliveryChannel.POSTVAK, DeliveryKind.MESSAGE)
        picked = (
            sa.select(deliveries.c.seq)
            .where(
                deliveries.c.lane == lane,
                deliveries.c.state.in_(_OPEN),
                deliveries.c.next_at <= self.now,
                deliveries.c.applicatie.in_(self.applicaties),
            )
            .order_by(deliveries.c.seq)
            .limit(self.limit)
        )
        if self.kind is not None:
            # The message of a delivery is never another one: it needs no second look.
            of_kind = messages.c.kind == self.kind
            picked = picked.join(messages, messages.c.id == deliveries.c.message).where(of_kind)
        if self.only is not None:
            picked = picked.where(deliveries.c.id == self.only)
        oldest = picked.subquery()
        return (
            _ITEM.join(oldest, oldest.c.seq == deliveries.c.seq)
            # Once more, of the row itself: of what changed between look and lock PostgreSQL
            # asks only this again, not what the subquery asked.
            .where(deliveries.c.state.in_(_OPEN), deliveries.c.next_at <= self.now)
            .order_by(deliveries.c.seq)
        )

    def _take(self, tx: Tx, row: sa.Row[Any]) -> PostvakItem | None:
        at = spot(row)
        if at.state is State.READY and not self._may_leave(tx, row, at):
            return None
        until = self.now + self.lease
        audit = told(at, "postvak.shown", self.now, actor=self.consumer, repeated=at.attempt > 0)
        changes = {
            "next_at": until,
            "attempt": at.attempt + 1,
            "fence": at.fence + 1,
            "claimed_by": self.consumer,
        }
        if not move(tx, at, Event.HAND_OVER, audit, changes=changes):
            return None
        return _item(row, shown=at.attempt + 1, lease_until=until, state=State.SENT)

    def _may_leave(self, tx: Tx, row: sa.Row[Any], at: Spot) -> bool:
        """What was never shown is asked once more; else it is held again."""
        decision = decision_of(tx, row)
        fault = self.gate.fault(row, decision)
        if fault:
            audit = told(at, "delivery.held_again", self.now, code=f"gate.{fault}")
            changes = {"ground": fault, "next_at": None, "expires_at": None}
            move(tx, at, Event.HOLD_AGAIN, audit, changes=changes)
        elif decision is not None:
            used(tx, decision, self.now)
        return not fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Unit: confirm or refuse, with the Bv01 or Fo01, in one commit."""

    delivery: str
    party: Oin
    refused: bool
    answer: Admission | None
    events: tuple[AuditEvent, ...]
    now: datetime

    def run(self, tx: Tx) -> bool:
        """Return False when it was closed this way before; raise when it was the other way."""
        row = tx.read(
            sa.select(*SPOT)
            .where(
                deliveries.c.id == self.delivery,
                deliveries.c.recipient == self.party,
                deliveries.c.channel == str(DeliveryChannel.POSTVAK),
            )
            .with_for_update(key_share=True)
        ).first()
        if row is None or State(row.state) not in SHOWN:
            raise NoRoute("postvak.unknown", "Dit bericht staat niet in dit postvak.")
        wanted = State.REFUSED if self.refused else State.DELIVERED
        if row.state == str(wanted):
            return False
        if row.state not in _OPEN:
            raise DuplicateConflict("postvak.closed", "Dit bericht is al anders afgesloten.")
        self._close(tx, row)
        return True

    def _close(self, tx: Tx, row: sa.Row[Any]) -> None:
        at = spot(row)
        name = "postvak.refused" if self.refused else "postvak.confirmed"
        audit = next((e for e in self.events if e.event == name), told(at, name, self.now))
        changes: dict[str, Any] = {} if self.refused else {"delivered_at": self.now}
        if self.answer is not None:
            admitted = admit(tx, self.answer, self.now)
            tx.flush()  # the delivery refers to it
            changes["answered_by"] = admitted.message
        event = Event.REFUSE if self.refused else Event.CONFIRM
        others = tuple(e for e in self.events if e is not audit)
        if not move(tx, at, event, audit, changes=changes, before=others):
            raise DuplicateConflict("postvak.closed", "Dit bericht wordt net al afgesloten.")


class SqlPostvak:
    """The port `Postvak`."""

    def __init__(self, *, writer: Writer, reads: Reads, bells: Bells, clock: Clock) -> None:
        """Take what it writes and reads with, and the bells."""
        self._writer = writer
        self._reads = reads
        self._bells = bells
        self._clock = clock

    async def take(  # noqa: PLR0913 - the facts of one look, all by name
        self,
        *,
        party: Oin,
        applicaties: tuple[str, ...],
        consumer: str,
        limit: int,
        lease: timedelta,
        gate: InForce,
        kind: str | None = None,
        only: str | None = None,
    ) -> tuple[PostvakItem, ...]:
        """Lease what waits, oldest first. Looks before it writes: most looks find nothing."""
        self._bells.postvak.look(party)
        now = self._clock.now()
        unit = Take(
            gate=GateTest(in_force=gate, now=now),
            party=party,
            applicaties=applicaties,
            consumer=consumer,
            limit=limit,
            lease=lease,
            now=now,
            kind=kind,
            only=only,
        )
        found = await self._reads(lambda c: c.execute(unit.waiting()).first())
        if found is None or limit < 1:
            return ()
        return await self._writer.commit(unit)

    async def get(self, delivery: str, *, party: Oin) -> PostvakItem | None:
        """Return a delivery that was shown, open or closed; None for any other."""
        statement = _ITEM.where(
            deliveries.c.id == delivery,
            deliveries.c.recipient == party,
            deliveries.c.channel == str(DeliveryChannel.POSTVAK),
            deliveries.c.state.in_([str(state) for state in SHOWN]),
        )
        row = await self._reads(lambda c: c.execute(statement).first())
        if row is None:
            return None
        state = State(row.state)
        lease_until = row.next_at if state is State.SENT else None
        return _item(row, shown=row.attempt, lease_until=lease_until, state=state)

    async def close(
        self,
        delivery: str,
        *,
        party: Oin,
        refused: bool,
        answer: Admission | None,
        events: tuple[AuditEvent, ...],
    ) -> bool:
        """Confirm or refuse; see the port. Raises NoRoute `postvak.unknown` for a stranger's."""
        unit = Close(
            delivery=delivery,
            party=party,
            refused=refused,
            answer=answer,
            events=events,
            now=self._clock.now(),
        )
        return await self._writer.commit(unit)

    async def wait(self, *, party: Oin, timeout: timedelta) -> bool:  # noqa: ASYNC109 - a bounded wait is the promise
        """Wait for an admission or the end of a lease; False on timeout.

        A ring between the last `take` of this task and this call is not lost.
        """
        now = self._clock.now()
        ends = await self._reads(lambda c: c.execute(_lease_end(party, now)).scalar())
        until_lease = None if ends is None else ends - now
        seconds = timeout.total_seconds()
        if until_lease is None or until_lease >= timeout:
            return await self._bells.postvak.wait(party, seconds)
        await self._bells.postvak.wait(party, until_lease.total_seconds())
        return True


def _lease_end(party: Oin, now: datetime) -> sa.Select[Any]:
    lane = lane_id(party, DeliveryChannel.POSTVAK, DeliveryKind.MESSAGE)
    return sa.select(sa.func.min(deliveries.c.next_at)).where(
        deliveries.c.lane == lane,
        deliveries.c.state.in_(_OPEN),
        deliveries.c.next_at > now,
    )
