"""What is held here, and who was asked: the port `Holds`."""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports import (
    Admission,
    Clock,
    Ends,
    Hold,
    Pass,
    Proof,
    RulingView,
)
from gateway.store.alarms import clear_alarm
from gateway.store.ended import Ended
from gateway.store.holding import read_reasons
from gateway.store.inbox import admit
from gateway.store.lateness import HOLDS, Watch
from gateway.store.prepared import Prepared
from gateway.store.reading import Reads
from gateway.store.records import KNOWN, known
from gateway.store.rulings import read_conditions
from gateway.store.tables import UNTOLD, deliveries, holds, messages, passes, revocations, rulings
from gateway.store.transaction import Tx
from gateway.store.writer import Writer
from gateway.wire.toets import Uitkomst

_HOLD = (
    sa.select(
        holds,
        deliveries.c.state.label("d_state"),
        deliveries.c.payload_sha256.label("d_sha256"),
        messages.c.backend.label("d_backend"),
        *KNOWN,
    )
    .join(deliveries, deliveries.c.id == holds.c.delivery)
    .join(messages, messages.c.id == holds.c.message)
)
_OPEN = holds.c.closed_at.is_(None)
_THIS = holds.c.id == sa.bindparam("b_hold")


def _hold(row: sa.Row[Any]) -> Hold:
    return Hold(
        id=row.id,
        delivery=row.delivery,
        message=known(row),
        state=State(row.d_state),
        at=row.at,
        recipient=Oin(row.recipient),
        payload_sha256=row.payload_sha256,
        ground=row.ground,
        table_version=row.table_version,
        reasons=read_reasons(row.reasons),
        deadline=row.deadline,
        backend=row.d_backend,
        intact=row.payload_sha256 == row.d_sha256 == row.m_content_sha256,
        request=row.request,
        closed_at=row.closed_at,
        outcome=row.outcome,
    )


def _pass(row: sa.Row[Any]) -> Pass:
    return Pass(
        id=row.id,
        at=row.at,
        recipient=Oin(row.recipient),
        payload_sha256=row.payload_sha256,
        valid_until=row.valid_until,
        signer=row.signer,
        police=Oin(row.police),
        document=zlib.decompress(row.document),
    )


def _ruling(row: sa.Row[Any]) -> RulingView:
    return RulingView(
        id=row.id,
        hold=row.hold,
        delivery=row.delivery,
        at=row.at,
        outcome=Uitkomst(row.outcome),
        officer=row.officer,
        told=row.told,
        known=bool(row.known),
        conditions=read_conditions(row.conditions),
        decided_at=row.decided_at,
        valid_until=row.valid_until,
        used_at=row.used_at,
        ended_at=row.ended_at,
        ended_why=row.ended_why,
    )


_TAKE_ASKED = Prepared(
    sa.update(holds)
    .where(_THIS, _OPEN, holds.c.request.is_(None), holds.c.asked_at.is_(None))
    .values(asked_at=sa.bindparam("b_now", type_=holds.c.asked_at.type))
)
_LINK = sa.update(holds).where(_THIS).values(request=sa.bindparam("b_message"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Unit: admit the request to the OM. Of two who try, one does."""

    hold: str
    request: Admission
    now: datetime

    def run(self, tx: Tx) -> bool:
        """Return False when it was asked before, or is not held any more."""
        if tx.change(_TAKE_ASKED, {"b_hold": self.hold, "b_now": self.now}) != 1:
            return False
        admitted = admit(tx, self.request, self.now)
        tx.flush()  # the hold refers to it
        tx.write(_LINK, {"b_hold": self.hold, "b_message": admitted.message})
        clear_alarm(tx, "toets.geen_route", self.hold, self.now)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Unit: admit the message that nothing need be decided any more."""

    hold: str
    message: Admission
    now: datetime

    def run(self, tx: Tx) -> bool:
        """Return False when it was told before."""
        row = tx.read(
            sa.select(holds.c.id)
            .where(holds.c.id == self.hold, UNTOLD)
            .with_for_update(key_share=True)
        ).first()
        if row is None:
            return False
        admitted = admit(tx, self.message, self.now)
        tx.flush()
        tx.write(sa.update(holds).where(holds.c.id == self.hold).values(cancel=admitted.message))
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkWithdrawn:
    """Unit: a decision of the OM counts no more, whether or not it is on file."""

    besluit: str

    def run(self, tx: Tx) -> None:
        """Mark it; no row changes."""
        tx.ended.end(Ends.RULING, self.besluit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Unit: an envelope is about to be sent under a decision."""

    use: str
    envelope: str

    def run(self, tx: Tx) -> bool:
        """Return whether it may be; no row changes."""
        return tx.ended.use(self.use, self.envelope)


class SqlHolds:
    """The port `Holds`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock, ended: Ended) -> None:
        """Take what it writes and reads with, and the marks of what was withdrawn."""
        self._writer = writer
        self._reads = reads
        self._clock = clock
        self._ended = ended

    async def unasked(self, *, after: str = "", limit: int) -> tuple[Hold, ...]:
        """Return holds for which nobody was asked, by id; see the port."""
        statement = (
            _HOLD.where(_OPEN, holds.c.asked_at.is_(None), holds.c.id > after)
            .order_by(holds.c.id)
            .limit(limit)
        )
        return await self._holds(statement)

    async def find(self, id_: str) -> Hold | None:
        """Return the hold, or None."""
        found = await self._holds(_HOLD.where(holds.c.id == id_))
        return found[0] if found else None

    async def of_message(self, message: str) -> tuple[Hold, ...]:
        """Return the holds of a message, oldest first."""
        return await self._holds(
            _HOLD.where(holds.c.message == message).order_by(holds.c.at, holds.c.id)
        )

    async def rulings(self, message: str) -> tuple[RulingView, ...]:
        """Return the decisions on a message, oldest first."""
        statement = (
            sa.select(rulings)
            .join(holds, holds.c.id == rulings.c.hold)
            .where(holds.c.message == message)
            .order_by(rulings.c.at, rulings.c.id)
        )
        rows = await self._reads(lambda c: c.execute(statement).all())
        return tuple(_ruling(row) for row in rows)

    async def proof(self, ruling: str) -> Proof | None:
        """Return what was signed for a decision that has not ended; see the port."""
        statement = sa.select(rulings.c.hold, rulings.c.seen, rulings.c.document).where(
            rulings.c.id == ruling, rulings.c.ended_at.is_(None)
        )
        row = await self._reads(lambda c: c.execute(statement).first())
        if row is None:
            return None
        return Proof(hold=row.hold, seen=row.seen or "", document=zlib.decompress(row.document))

    async def is_withdrawn(self, besluit: str) -> bool:
        """Tell whether a decision was taken back, whatever its row says; see the port."""
        return self._ended.is_ended(Ends.RULING, besluit)

    async def mark_withdrawn(self, besluit: str) -> None:
        """Let it be withdrawn without a row; see the port."""
        await self._writer.commit(MarkWithdrawn(besluit=besluit))

    async def is_accepted(self, besluit: str) -> bool:
        """Tell whether its conditions were accepted, whatever its row says; see the port."""
        return self._ended.is_accepted(besluit)

    async def use(self, use: str, envelope: str) -> bool:
        """Keep what is sent by it, or tell whether it is the same; see the port."""
        return await self._writer.commit(Use(use=use, envelope=envelope))

    async def ask(self, hold: str, request: Admission) -> bool:
        """Admit the request; see the port."""
        return await self._writer.commit(Ask(hold=hold, request=request, now=self._clock.now()))

    async def uncancelled(self, *, after: str = "", limit: int) -> tuple[Hold, ...]:
        """Return holds that ended by themselves after somebody was asked; see the port."""
        behind = _HOLD.where(UNTOLD, holds.c.id > after)
        return await self._holds(behind.order_by(holds.c.id).limit(limit))

    async def cancel(self, hold: str, message: Admission) -> bool:
        """Admit the message that tells it; see the port."""
        return await self._writer.commit(Cancel(hold=hold, message=message, now=self._clock.now()))

    async def late(self, ruling: str) -> bool | None:
        """Tell whether something has left under a ruling; see the port."""
        statement = (
            sa.select(deliveries.c.state, deliveries.c.attempt)
            .join(rulings, rulings.c.delivery == deliveries.c.id)
            .where(rulings.c.id == ruling)
        )
        row = await self._reads(lambda c: c.execute(statement).first())
        if row is None:
            return None
        return bool(row.attempt) or row.state not in {str(State.READY), str(State.HELD)}

    async def watch(self, fractions: Sequence[float]) -> None:
        """Tell, once each, what has waited for these parts of its time; see the port."""
        now = self._clock.now()
        if await self._reads(lambda c: c.execute(HOLDS.due(now)).first()) is not None:
            unit = Watch(kind=HOLDS, fractions=tuple(sorted(fractions)), now=now)
            await self._writer.commit(unit)

    async def passed(self, payload_sha256: str, recipient: Oin) -> Pass | None:
        """Return a decision that was seen for exactly this and is not spent; see the port."""
        statement = (
            sa.select(passes)
            .where(
                passes.c.payload_sha256 == payload_sha256,
                passes.c.recipient == recipient,
                passes.c.ended_at.is_(None),
            )
            .order_by(passes.c.valid_until.desc())
        )
        row = await self._reads(lambda c: c.execute(statement).first())
        return None if row is None else _pass(row)

    async def waiting(self, payload_sha256: str, recipient: Oin) -> Hold | None:
        """Return the open hold of these octets for this recipient."""
        found = await self._holds(
            _HOLD.where(
                _OPEN, holds.c.payload_sha256 == payload_sha256, holds.c.recipient == recipient
            )
        )
        return found[0] if found else None

    async def revoked(self, known: Iterable[str] = ()) -> frozenset[str]:
        """Return the standing approvals that were withdrawn; see the port."""
        statement = sa.select(revocations.c.approval)
        found = await self._reads(lambda c: c.execute(statement).scalars().all())
        marked = (id_ for id_ in known if self._ended.is_ended(Ends.APPROVAL, id_))
        return frozenset((*found, *marked))

    async def _holds(self, statement: sa.Select[Any]) -> tuple[Hold, ...]:
        rows = await self._reads(lambda c: c.execute(statement).all())
        return tuple(_hold(row) for row in rows)
