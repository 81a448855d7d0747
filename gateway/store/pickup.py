"""What waits at the portal: the port `Pickup`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.directory import InForce
from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports import AuditEvent, Clock, DeliveryChannel
from gateway.ports.pickup import AT_PORTAL, NOTICE, Ready
from gateway.store.deliveries import SPOT, spot
from gateway.store.gatetest import GATED, NOT_ENDED, GateTest, decision_at
from gateway.store.reading import Reads
from gateway.store.receipts import received
from gateway.store.records import KNOWN, known
from gateway.store.tables import audit, deliveries, messages, payloads
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

AT_PORTAL_BY = "portaal"
"""Kind of receipt."""
TOLD_OF = (
    sa.select(audit.c.seq)
    .where(
        audit.c.message == deliveries.c.message,
        audit.c.delivery == deliveries.c.id,
        audit.c.event == NOTICE,
    )
    .exists()
)
"""A mail that left for this delivery said that it waits here: what was agreed with its party since
then changes nothing about that."""
_READY: sa.Select[Any] = (
    sa.select(*SPOT, deliveries.c.twice, payloads.c.size, *GATED, *KNOWN)
    .join(messages, messages.c.id == deliveries.c.message)
    .join(payloads, payloads.c.id == messages.c.payload_id)
    .where(
        deliveries.c.channel == str(DeliveryChannel.MAIL),
        deliveries.c.state.in_([str(state) for state in AT_PORTAL]),
        TOLD_OF,
        payloads.c.destroyed_at.is_(None),
        NOT_ENDED,
    )
)


_CONFIRMED = sa.case((deliveries.c.state == str(State.DELIVERED), 1), else_=0)


def _of(party: Oin) -> sa.Select[Any]:
    return _READY.where(deliveries.c.recipient == party, messages.c.ontvanger == party)


def _ready(connection: sa.Connection, row: sa.Row[Any]) -> Ready:
    at = spot(row)
    return Ready(
        delivery=at.id,
        message=known(row),
        state=at.state,
        fence=at.fence,
        attempt=at.attempt,
        recipient=at.recipient,
        size=row.size,
        twice=row.twice,
        ground=row.ground,
        approval_id=row.approval_id,
        table_version=row.table_version,
        payload_sha256=row.payload_sha256,
        decision=decision_at(connection, row),
    )


def _locked(tx: Tx, seen: Ready) -> sa.Row[Any] | None:
    """Return its row, locked, as long as all of it is as it was seen."""
    statement = _of(seen.recipient).where(deliveries.c.id == seen.delivery)
    row = tx.read(statement.with_for_update(of=deliveries, key_share=True)).first()
    return row if row is not None and _ready(tx.connection, row) == seen else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """Unit: somebody gets to see it."""

    seen: Ready
    event: AuditEvent
    gate: GateTest

    def run(self, tx: Tx) -> bool:
        """Return False, and write nothing, when it may not be shown."""
        row = _locked(tx, self.seen)
        if row is None or self.gate.fault(row, self.seen.decision):
            return False
        tx.record(self.event)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """Unit: somebody says that he has it."""

    seen: Ready
    who: str
    now: datetime

    def run(self, tx: Tx) -> bool:
        """Return False when it is not as it was seen."""
        row = _locked(tx, self.seen)
        if row is None:
            return False
        received(tx, spot(row), self.now, kind=AT_PORTAL_BY, actor=self.who)
        return True


class SqlPickup:
    """The port `Pickup`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock) -> None:
        """Take what it writes and reads with."""
        self._writer = writer
        self._reads = reads
        self._clock = clock

    async def ready(self, party: Oin, *, limit: int) -> Sequence[Ready]:
        """Return what is there; see the port."""
        statement = _of(party).order_by(_CONFIRMED, deliveries.c.seq.desc()).limit(limit)
        return await self._reads(
            lambda c: tuple(_ready(c, row) for row in c.execute(statement).all())
        )

    async def find(self, delivery: str, *, party: Oin) -> Ready | None:
        """Return one; see the port."""
        statement = _of(party).where(deliveries.c.id == delivery)

        def look(connection: sa.Connection) -> Ready | None:
            row = connection.execute(statement).first()
            return None if row is None else _ready(connection, row)

        return await self._reads(look)

    async def show(self, seen: Ready, event: AuditEvent, gate: InForce) -> bool:
        """Write it down; see the port."""
        test = GateTest(in_force=gate, now=self._clock.now())
        return await self._writer.commit(Show(seen=seen, event=event, gate=test))

    async def confirm(self, seen: Ready, *, who: str) -> bool:
        """Close it; see the port."""
        return await self._writer.commit(Confirm(seen=seen, who=who, now=self._clock.now()))
