"""Messages in: one commit each, with deliveries, acknowledgement and audit rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.errors import DuplicateConflict, GatewayError, StaleSnapshot
from gateway.lifecycle import State
from gateway.ports import (
    Admission,
    Admitted,
    Alarm,
    AuditEvent,
    Clock,
    Direction,
    Known,
    NewMessage,
    Payloads,
)
from gateway.store import epoch, receipts
from gateway.store.alarms import raise_alarm
from gateway.store.asked import add_request
from gateway.store.bell import WORK
from gateway.store.deliveries import add_delivery, look_again
from gateway.store.kept import keep
from gateway.store.notices import answered
from gateway.store.prepared import Prepared
from gateway.store.reading import Reads
from gateway.store.records import (
    KNOWN,
    business_key,
    key_of,
    known,
    message_row,
    write_references,
)
from gateway.store.repeats import is_told_enough
from gateway.store.rulings import accept, carry_out, see, withdraw
from gateway.store.tables import deliveries, messages, revocations
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

TWICE = "message.twice"
"""Alarm: over two channels."""

_TWINS = Prepared(
    sa.select(
        messages.c.id,
        messages.c.content_sha256,
        messages.c.signed_references,
        messages.c.direction,
        messages.c.cpa_id,
        (messages.c.business_key == sa.bindparam("key")).label("by_key"),
        sa.and_(
            messages.c.direction == sa.bindparam("direction"),
            messages.c.party == sa.bindparam("party"),
            messages.c.cpa_id == sa.bindparam("cpa_id"),
            messages.c.message_id == sa.bindparam("message_id"),
        ).label("by_id"),
    ).where(
        sa.or_(
            sa.and_(
                messages.c.direction == sa.bindparam("direction"),
                messages.c.party == sa.bindparam("party"),
                messages.c.cpa_id == sa.bindparam("cpa_id"),
                messages.c.message_id == sa.bindparam("message_id"),
            ),
            messages.c.business_key == sa.bindparam("key"),
        )
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit:
    """Unit: everything that one message changes."""

    admission: Admission
    now: datetime

    def run(self, tx: Tx) -> Admitted:
        """Raise StaleSnapshot or DuplicateConflict; store nothing for an identical message."""
        return admit(tx, self.admission, self.now)


def admit(tx: Tx, admission: Admission, now: datetime) -> Admitted:
    """Store an admission and what follows from it, within a transaction."""
    epoch.guard(tx, admission.epoch)
    twin = _twin(tx, admission.message)
    if twin is not None:
        return twin
    _still_standing(tx, admission)
    _store(tx, admission, now)
    if admission.twice:
        raise_alarm(tx, _twice(admission), now)
    if admission.answers is not None:
        _mark_answered(tx, admission.answers, admission.message, now)
    _toets(tx, admission, now)
    if admission.followed_by is not None:
        tx.flush()  # it refers to this message
        admit(tx, admission.followed_by, now)
    return Admitted(message=admission.message.id, fresh=True)


def _twice(admission: Admission) -> Alarm:
    first, party = admission.twice, admission.message.party
    return Alarm(code=TWICE, subject=first, message=first, party=party)


_REVOKED = Prepared(
    sa.select(revocations.c.approval).where(revocations.c.approval == sa.bindparam("approval"))
)


def _still_standing(tx: Tx, admission: Admission) -> None:
    """A standing approval that was withdrawn a moment ago lets nothing in: think again."""
    for delivery in admission.deliveries:
        if delivery.approval_id and tx.peek(_REVOKED, {"approval": delivery.approval_id}).first():
            raise StaleSnapshot("epoch.moved", "an approval was withdrawn meanwhile")


def _toets(tx: Tx, admission: Admission, now: datetime) -> None:
    """Carry out what the OM says, or put to it what it is asked."""
    see(tx, admission.passes, now)
    if admission.ruling is not None:
        if admission.ruling.terms is not None:
            tx.flush()
            admit(tx, admission.ruling.terms, now)
        tx.flush()
        carry_out(tx, admission.ruling, now)
    if admission.withdrawal is not None:
        tx.flush()
        withdraw(tx, admission.withdrawal, now)
    if admission.accepts is not None:
        tx.flush()
        accept(tx, admission.accepts, now)
    if admission.request is not None:
        message, delivery = admission.message.id, admission.deliveries[0].id
        add_request(tx, admission.request, message, delivery, now)


def _twin(tx: Tx, message: NewMessage) -> Admitted | None:
    """Return the same message; raise DuplicateConflict for another with its id.

    Does not see messages of the same batch: the unique constraints do, and then each unit
    is run again alone.
    """
    keys = {
        "direction": str(message.direction),
        "party": message.party,
        "cpa_id": message.cpa_id,
        "message_id": message.message_id,
        "key": business_key(message),
    }
    rows = tx.peek(_TWINS, keys).all()
    for row in rows:
        if row.by_id:
            return Admitted(message=_same_id(row, message), fresh=False, by_id=True)
    for row in rows:
        first = _same_key(row, message)
        return Admitted(message=first, fresh=False, elsewhere=_elsewhere(row, message))
    return None


def _same_id(row: sa.Row[Any], message: NewMessage) -> str:
    references = write_references(message.references)
    if (row.content_sha256, row.signed_references) == (message.content_sha256, references):
        return str(row.id)
    # Handed in: the id is made of the referentienummer, which is what the sender knows.
    if message.direction is Direction.OUTBOUND:
        raise _conflict("duplicate.referentienummer")
    raise _conflict("duplicate.message_id")


def _same_key(row: sa.Row[Any], message: NewMessage) -> str:
    """Over another channel or with another MessageId: only the content can be compared."""
    if row.content_sha256 == message.content_sha256:
        return str(row.id)
    raise _conflict("duplicate.referentienummer")


def _elsewhere(row: sa.Row[Any], message: NewMessage) -> bool:
    """What came by e-mail has no CPA."""
    inbound = {row.direction, str(message.direction)} == {str(Direction.INBOUND)}
    return inbound and bool(row.cpa_id) is not bool(message.cpa_id)


def _conflict(code: str) -> DuplicateConflict:
    return DuplicateConflict(code, "Dit kenmerk is al gebruikt voor een bericht met andere inhoud.")


def _store(tx: Tx, admission: Admission, now: datetime) -> None:
    message = admission.message
    acknowledgment = admission.acknowledgment
    sealed = acknowledgment.sealed if acknowledgment else None
    tx.insert(messages, (message_row(message, acknowledgment_id=sealed.id if sealed else None),))
    if message.payload is not None:
        keep(tx, message.payload)
    for delivery in (*admission.deliveries, *((acknowledgment,) if acknowledgment else ())):
        add_delivery(tx, message, delivery)
    tx.record(*admission.events, _admitted(admission, now))


def _admitted(admission: Admission, now: datetime) -> AuditEvent:
    message = admission.message
    return AuditEvent(
        event="message.admitted",
        at=now,
        message=message.id,
        party=message.party,
        data={
            "direction": str(message.direction),
            "accepted": message.accepted,
            "deliveries": len(admission.deliveries),
            "epoch": admission.epoch,
        },
    )


_ANSWER = Prepared(
    sa.update(messages)
    .where(messages.c.id == sa.bindparam("b_id"), messages.c.answer == "")
    .values(
        answer=sa.bindparam("b_kind"),
        answered_at=sa.bindparam("b_now", type_=messages.c.answered_at.type),
    )
)


def _mark_answered(tx: Tx, origin: str, answer: NewMessage, now: datetime) -> None:
    """The first answer counts; the trace of the origin shows each."""
    first = tx.change(_ANSWER, {"b_id": origin, "b_kind": answer.kind, "b_now": now})
    look_again(tx, origin, now)
    receipts.answered(tx, origin, answer, now)
    if first and tx.subscribers:
        answered(tx, origin, answer.kind, now)
    data: dict[str, str | int | bool | None] = {
        "kind": answer.kind,
        "answer": answer.id,
        "first": first == 1,
        "own": answer.direction is Direction.OWN,
    }
    if answer.fault is not None:
        data |= {"fault": answer.fault.code, "place": answer.fault.place}
    tx.record(
        AuditEvent(event="message.answered", at=now, message=origin, party=answer.party, data=data)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatAcknowledgment:
    """Unit: queue the stored acknowledgement of a message once more."""

    message: str
    id: str
    event: AuditEvent
    now: datetime
    bounded: bool = False

    def run(self, tx: Tx) -> bool:
        """Return False when one is waiting already, none was ever queued, or it is enough."""
        if self.bounded and is_told_enough(tx, self.event):
            return False
        tx.record(self.event)
        rows = tx.read(
            sa.select(deliveries)
            .where(deliveries.c.message == self.message)
            .where(
                deliveries.c.sealed_id
                == sa.select(messages.c.acknowledgment_id)
                .where(messages.c.id == self.message)
                .scalar_subquery()
            )
            .order_by(deliveries.c.seq)
            .with_for_update(of=deliveries, key_share=True)
        ).all()
        if not rows or {State.READY, State.CLAIMED} & {State(row.state) for row in rows}:
            return False
        tx.insert(deliveries, (self._copy(rows[0]),))
        tx.ring(WORK)
        return True

    def _copy(self, first: sa.Row[Any]) -> dict[str, Any]:
        row = {k: v for k, v in first._mapping.items() if k != "seq"}  # noqa: SLF001 - public API
        return row | {
            "id": self.id,
            "state": str(State.READY),
            "next_at": self.now,
            "attempt": 0,
            "fence": 0,
            "claimed_by": "",
            "last_code": "",
            "delivered_at": None,
            "spared": 0,
            "posting": False,
            "ended_at": None,
            "dispose_at": None,
        }


@dataclass(frozen=True, slots=True)
class Note:
    """Unit: audit rows alone."""

    events: tuple[AuditEvent, ...]

    def run(self, tx: Tx) -> None:
        """Write them."""
        tx.record(*self.events)


class SqlInbox:
    """The port `Inbox`."""

    def __init__(self, *, writer: Writer, reads: Reads, payloads: Payloads, clock: Clock) -> None:
        """Take what it writes and reads with."""
        self._writer = writer
        self._reads = reads
        self._payloads = payloads
        self._clock = clock

    async def find(self, party: str, cpa_id: str, message_id: str) -> Known | None:
        """Return the inbound message with this id, its acknowledgement included."""
        statement = sa.select(*KNOWN).where(
            messages.c.direction == str(Direction.INBOUND),
            messages.c.party == party,
            messages.c.cpa_id == cpa_id,
            messages.c.message_id == message_id,
        )
        row = await self._reads(_first(statement))
        if row is None:
            return None
        return known(row, acknowledgment=await self._acknowledgment(row.m_acknowledgment_id))

    async def _acknowledgment(self, signal: str | None) -> bytes | None:
        """Return None, too, when its time is over: the message is still known."""
        if signal is None:
            return None
        try:
            return await self._payloads.get(signal)
        except GatewayError as error:
            if error.code != "payload.destroyed":
                raise
            return None

    async def by_key(self, zender: str, applicatie: str, referentienummer: str) -> Known | None:
        """Return the accepted message with this business key."""
        key = key_of(zender, applicatie, referentienummer)
        if key is None:
            return None
        row = await self._reads(_first(sa.select(*KNOWN).where(messages.c.business_key == key)))
        return None if row is None else known(row)

    async def replacement(self, of: Known) -> Known | None:
        """Return the newest message in place of this one; see the port."""
        statement = (
            sa.select(*KNOWN)
            .where(
                messages.c.vervangt == of.referentienummer,
                messages.c.zender == of.zender,
                messages.c.zender_applicatie == of.zender_applicatie,
                messages.c.accepted,
            )
            .order_by(messages.c.seq.desc())
        )
        row = await self._reads(_first(statement))
        return None if row is None else known(row)

    async def origin(self, cross_refnummer: str, *, answered_by: str) -> Known | None:
        """Return the newest message with this number that `answered_by` had to get.

        That is its ontvanger, or the partner that it was delivered to on the way there: a hub
        answers with a Fo01 for what it does not let through.
        """
        if not cross_refnummer:
            return None
        delivered_to = sa.exists().where(
            deliveries.c.message == messages.c.id,
            deliveries.c.recipient == answered_by,
            deliveries.c.kind == "bericht",
        )
        statement = (
            sa.select(*KNOWN)
            .where(messages.c.referentienummer == cross_refnummer, messages.c.accepted)
            .where(sa.or_(messages.c.ontvanger == answered_by, delivered_to))
            .order_by(messages.c.seq.desc())
        )
        row = await self._reads(_first(statement))
        return None if row is None else known(row)

    async def admit(self, admission: Admission) -> Admitted:
        """Store it in one commit; see the port."""
        return await self._writer.commit(Admit(admission=admission, now=self._clock.now()))

    async def repeat_acknowledgment(
        self, message: str, *, id_: str, event: AuditEvent, bounded: bool = False
    ) -> None:
        """Queue the stored acknowledgement once more, unless one is waiting already."""
        now = self._clock.now()
        unit = RepeatAcknowledgment(message=message, id=id_, event=event, now=now, bounded=bounded)
        await self._writer.commit(unit)

    async def note(self, *events: AuditEvent) -> None:
        """Write audit rows alone."""
        if events:
            await self._writer.commit(Note(events))


def _first(statement: sa.Select[Any]) -> Callable[[sa.Connection], sa.Row[Any] | None]:
    return lambda connection: connection.execute(statement.limit(1)).first()
