"""What waits for the back-ends of local parties: the port `Postvak`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gateway.directory import InForce
from gateway.errors import DuplicateConflict, NoRoute
from gateway.lifecycle import SHOWN, Event, State
from gateway.message import Oin
from gateway.ports import (
    Admission,
    Alarm,
    AuditEvent,
    Clock,
    DeliveryChannel,
    DeliveryKind,
    PostvakItem,
)
from gateway.ports.postvak import UNPROVEN, Looked
from gateway.rules.approval import Decision
from gateway.store.alarms import raise_alarm
from gateway.store.bell import Bells
from gateway.store.deliveries import SPOT, lane_id, move, spot, told
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


def _waits(row: sa.Row[Any]) -> PostvakItem:
    """Return it as it stands there, before anybody leases it."""
    return _item(row, shown=row.attempt + 1, lease_until=None, state=State(row.state))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What somebody looks for in a postvak."""

    party: Oin
    applicaties: tuple[str, ...]
    limit: int
    kind: str | None = None
    only: str | None = None
    """One delivery."""

    def waiting(self, now: datetime) -> sa.Select[Any]:
        """What was never shown, or shown and not confirmed within its lease; oldest first."""
        lane = lane_id(self.party, DeliveryChannel.POSTVAK, DeliveryKind.MESSAGE)
        picked = (
            sa.select(deliveries.c.seq)
            .where(
                deliveries.c.lane == lane,
                deliveries.c.state.in_(_OPEN),
                deliveries.c.next_at <= now,
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
            .where(deliveries.c.state.in_(_OPEN), deliveries.c.next_at <= now)
            .order_by(deliveries.c.seq)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Unit: lease what waits. `next_at` of a SENT delivery is the end of its lease."""

    consumer: str
    lease: timedelta
    gate: GateTest
    now: datetime
    look: Look
    looked: Mapping[str, Looked] | None = None
    """By delivery; None = no row needs proof."""

    def run(self, tx: Tx) -> tuple[PostvakItem, ...]:
        """Return what is leased now."""
        rows = tx.read(
            self.look.waiting(self.now).with_for_update(
                of=deliveries, skip_locked=True, key_share=True
            )
        ).all()
        taken = (self._take(tx, row) for row in rows)
        return tuple(item for item in taken if item is not None)

    def _take(self, tx: Tx, row: sa.Row[Any]) -> PostvakItem | None:
        at, until = spot(row), self.now + self.lease
        seen = self.looked.get(row.id) if self.looked is not None else None
        if self.looked is not None and (seen is None or seen.item != _waits(row)):
            return None  # it came, or changed, after the look
        decision = decision_of(tx, row) if at.state is State.READY else None
        if at.state is State.READY and self._held_again(tx, row, decision):
            return None
        if seen is not None and seen.fault:
            self._put_off(tx, row, seen.fault)
            return None
        audit = told(at, "postvak.shown", self.now, actor=self.consumer, repeated=at.attempt > 0)
        changes = {
            "next_at": until,
            "attempt": at.attempt + 1,
            "fence": at.fence + 1,
            "claimed_by": self.consumer,
        }
        if not move(tx, at, Event.HAND_OVER, audit, changes=changes):
            return None
        if decision is not None:
            used(tx, decision, self.now)
        return _item(row, shown=at.attempt + 1, lease_until=until, state=State.SENT)

    def _held_again(self, tx: Tx, row: sa.Row[Any], decision: Decision | None) -> bool:
        """What was never shown is asked once more: it may not leave, or False."""
        fault = self.gate.fault(row, decision)
        if fault:
            at = spot(row)
            audit = told(at, "delivery.held_again", self.now, code=f"gate.{fault}")
            changes = {"ground": fault, "next_at": None, "expires_at": None}
            move(tx, at, Event.HOLD_AGAIN, audit, changes=changes)
        return bool(fault)

    def _put_off(self, tx: Tx, row: sa.Row[Any], reason: str) -> None:
        """What is behind it does not wait for it; it is looked at again after a lease."""
        at = spot(row)
        here = sa.and_(deliveries.c.id == at.id, deliveries.c.fence == at.fence)
        tx.write(sa.update(deliveries).where(here).values(next_at=self.now + self.lease))
        audit = told(at, "postvak.unproven", self.now, code=UNPROVEN, reason=reason)
        tx.record(replace(audit, party=row.m_party))
        about = {"subject": at.id, "message": at.message, "party": row.m_party, "reason": reason}
        raise_alarm(tx, Alarm(code=UNPROVEN, **about), self.now)


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
        looked: Sequence[Looked] | None = None,
    ) -> tuple[PostvakItem, ...]:
        """Lease what waits, oldest first. Looks before it writes: most looks find nothing."""
        look = Look(party=party, applicaties=applicaties, limit=limit, kind=kind, only=only)
        found = await self._look(replace(look, limit=min(limit, 1))) if looked is None else looked
        if not found:
            return ()
        now = self._clock.now()
        unit = Take(
            gate=GateTest(in_force=gate, now=now),
            look=look,
            looked=None if looked is None else {one.item.delivery: one for one in looked},
            consumer=consumer,
            lease=lease,
            now=now,
        )
        return await self._writer.commit(unit)

    async def waiting(
        self,
        *,
        party: Oin,
        applicaties: tuple[str, ...],
        limit: int,
        kind: str | None = None,
        only: str | None = None,
    ) -> tuple[PostvakItem, ...]:
        """Return what waits, oldest first; see the port."""
        look = Look(party=party, applicaties=applicaties, limit=limit, kind=kind, only=only)
        return await self._look(look)

    async def _look(self, look: Look) -> tuple[PostvakItem, ...]:
        self._bells.postvak.look(look.party)
        if look.limit < 1:
            return ()
        statement = look.waiting(self._clock.now())
        rows = await self._reads(lambda c: c.execute(statement).all())
        return tuple(_waits(row) for row in rows)

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
