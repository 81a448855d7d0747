"""From the agreed route to secure e-mail: the port `Switches`.

The delivery over the agreed route ends, and another begins. A decision of the OM names the
delivery that it lets go: in the same commit it names the new one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.errors import PolicyViolation
from gateway.lifecycle import Event, State
from gateway.message import Oin
from gateway.ports import (
    Alarm,
    AuditEvent,
    Clock,
    DeliveryChannel,
    DeliveryKind,
    NewDelivery,
)
from gateway.ports.switching import Switchable
from gateway.store.alarms import raise_alarm
from gateway.store.bell import WORK
from gateway.store.deliveries import SPOT, add_switched, move, spot, told
from gateway.store.reading import Reads
from gateway.store.receipts import LETTER
from gateway.store.records import KNOWN, known
from gateway.store.tables import deliveries, lanes, messages, rulings, undeliverable
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

SWITCHED = "mail.switched"
"""Last code of what goes on by e-mail."""
_messages = messages.c
_OVER_EBMS = (
    deliveries.c.kind == str(DeliveryKind.MESSAGE),
    deliveries.c.channel == str(DeliveryChannel.EBMS2),
)
_EVERY: sa.Select[Any] = (
    sa.select(
        *SPOT,
        deliveries.c.seq,
        deliveries.c.cpa_id.label("agreed"),
        deliveries.c.next_at,
        deliveries.c.ground,
        deliveries.c.approval_id,
        deliveries.c.table_version,
        deliveries.c.payload_sha256,
        lanes.c.down,
        *KNOWN,
    )
    .join(messages, messages.c.id == deliveries.c.message)
    .join(lanes, lanes.c.id == deliveries.c.lane)
    .where(*_OVER_EBMS)
)
_NEWEST = _EVERY.order_by(deliveries.c.seq.desc()).limit(1)
_STANDS_ON = ("ground", "approval_id", "table_version", "payload_sha256")
"""What the letter takes over: it must be so still."""
_LIVE = [str(state) for state in (State.READY, State.SENT, State.UNKNOWN)]
_DEBT = sa.select(undeliverable.c.answer).where(undeliverable.c.delivery == sa.bindparam("id"))
_DECISION = (
    sa.update(rulings)
    .where(rulings.c.delivery == sa.bindparam("b_from"), rulings.c.ended_at.is_(None))
    .values(delivery=sa.bindparam("b_to"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Unit: end the delivery that was seen and add the letter."""

    seen: Switchable
    letter: NewDelivery
    event: AuditEvent
    now: datetime

    def run(self, tx: Tx) -> bool:
        """Return False when it no longer stands as it was seen; raises PolicyViolation `mail.*`."""
        mine = sa.select(*SPOT).where(deliveries.c.id == self.seen.delivery)
        at = spot(tx.read(mine.with_for_update(of=deliveries)).one())
        if (at.state, at.fence, at.attempt) != (
            self.seen.state,
            self.seen.fence,
            self.seen.attempts,
        ):
            return False
        debt = tx.read(_DEBT, {"id": at.id}).first()
        if debt is not None and debt.answer is not None:
            raise PolicyViolation("mail.verteld", "De zender weet al dat het niet aankwam.")
        changes = {"last_code": SWITCHED}
        same = {name: getattr(self.seen, name) for name in _STANDS_ON}
        if not move(tx, at, Event.REPLACE, self.event, changes=changes, same=same):
            return False
        add_switched(tx, self.seen.message, self.letter, attempts=self.seen.attempts)
        tx.flush()
        tx.write(_DECISION, {"b_from": at.id, "b_to": self.letter.id})
        tx.ring(WORK)
        return True


def not_needed(tx: Tx, message: str, now: datetime) -> None:
    """The partner acknowledged what goes by e-mail: a letter that is still here stays here.

    Of one that went a person is told: it may be taken in twice.
    """
    row = tx.find(LETTER, {"message": message}).first()
    if row is None:
        return
    at = spot(row)
    if at.state in {State.READY, State.HELD}:
        move(tx, at, Event.REPLACE, told(at, "delivery.not_needed", now))
        return
    alarm = Alarm(
        code="delivery.twice", subject=at.id, message=message, party=at.recipient, reason=SWITCHED
    )
    raise_alarm(tx, alarm, now)


class SqlSwitches:
    """The port `Switches`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock) -> None:
        """Take what it writes and reads with."""
        self._writer = writer
        self._reads = reads
        self._clock = clock

    async def standing(self, id_: str) -> Switchable | None:
        """Return how the message goes; see the port."""
        wanted = sa.or_(deliveries.c.id == id_, deliveries.c.message == id_)
        row = await self._reads(lambda c: c.execute(_NEWEST.where(wanted)).first())
        return None if row is None else _standing(row)

    async def stuck(
        self,
        receiver: Oin,
        messages: frozenset[str],
        *,
        since: datetime,
        after: Switchable | None = None,
        limit: int,
    ) -> tuple[Switchable, ...]:
        """Return what waits, the oldest first; see the port."""
        wanted = _EVERY.where(
            deliveries.c.state.in_(_LIVE),
            deliveries.c.seq > (after.seq if after else 0),
            _messages.ontvanger == receiver,
            _messages.kind.in_(sorted(messages)),
            _messages.at >= since,
        )
        rows = await self._reads(
            lambda c: c.execute(wanted.order_by(deliveries.c.seq).limit(limit)).all()
        )
        return tuple(_standing(row) for row in rows)

    async def switch(self, seen: Switchable, letter: NewDelivery, event: AuditEvent) -> bool:
        """End the one and add the other; see the port."""
        unit = Switch(seen=seen, letter=letter, event=event, now=self._clock.now())
        return await self._writer.commit(unit)


def _standing(row: sa.Row[Any]) -> Switchable:
    return Switchable(
        delivery=row.id,
        seq=row.seq,
        message=known(row),
        recipient=Oin(row.recipient),
        cpa_id=row.agreed,
        state=State(row.state),
        fence=row.fence,
        attempts=row.attempt,
        down=row.down,
        next_at=row.next_at,
        ground=row.ground,
        approval_id=row.approval_id,
        table_version=row.table_version,
        payload_sha256=row.payload_sha256,
    )
