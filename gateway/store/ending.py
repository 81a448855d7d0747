"""What the end of a delivery brings with it: an alarm, and what the sender must be told.

Called by `move` in the same commit, for the few moves into or out of an end that nobody wants.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import State
from gateway.ports import TO_PARTNERS, Alarm, AuditEvent, DeliveryKind, Direction
from gateway.store.alarms import clear_alarm, raise_alarm
from gateway.store.tables import deliveries, messages, undeliverable
from gateway.store.transaction import Tx
from gateway.wire.stuf import ANSWERS

BAD = frozenset({State.UNKNOWN, State.DEAD, State.REFUSED})
"""A move into or out of these is for `ended`."""

STOPPED = "delivery.stopped"
"""Audit event of a person who gave a delivery up: that person needs no alarm."""

_UNREADABLE = ("payload.", "epoch_key.")
_FACTS = (
    sa.select(
        deliveries.c.recipient,
        deliveries.c.channel,
        deliveries.c.kind,
        messages.c.id.label("message"),
        messages.c.direction,
        messages.c.kind.label("soort"),
    )
    .join(messages, messages.c.id == deliveries.c.message)
    .where(deliveries.c.id == sa.bindparam("delivery"))
)
_DEBT = sa.select(undeliverable).where(undeliverable.c.delivery == sa.bindparam("delivery"))
_WITHDRAW = (
    sa.update(undeliverable)
    .where(
        undeliverable.c.delivery == sa.bindparam("b_delivery"), undeliverable.c.closed_at.is_(None)
    )
    .values(closed_at=sa.bindparam("b_now", type_=undeliverable.c.closed_at.type))
)


def ended(tx: Tx, delivery: str, before: State, after: State, audit: AuditEvent) -> None:
    """Open or close the alarms of a delivery, and the debt to its sender."""
    facts = tx.read(_FACTS, {"delivery": delivery}).one()
    if facts.kind != str(DeliveryKind.MESSAGE) or facts.channel not in TO_PARTNERS:
        return
    if before is State.UNKNOWN:
        clear_alarm(tx, "delivery.unknown", delivery, audit.at)
    if before is State.DEAD:
        _late(tx, delivery, facts, audit.at)
    if after in BAD and audit.event != STOPPED:
        raise_alarm(tx, _alarm(delivery, facts, after, audit), audit.at)
    if after in {State.DEAD, State.REFUSED} and _sender_waits(facts):
        row = {"delivery": delivery, "message": facts.message, "at": audit.at}
        tx.insert(undeliverable, (row | {"closed_at": None, "answer": None},))


def _alarm(delivery: str, facts: sa.Row[Any], after: State, audit: AuditEvent) -> Alarm:
    unreadable = after is State.DEAD and audit.code.startswith(_UNREADABLE)
    return Alarm(
        code="payload.unreadable" if unreadable else f"delivery.{after}",
        subject=delivery,
        message=facts.message,
        party=facts.recipient,
        reason=audit.code,
    )


def _sender_waits(facts: sa.Row[Any]) -> bool:
    """A partner's message. A local back-end sees the state; an answer is never answered."""
    return facts.direction == str(Direction.INBOUND) and facts.soort not in ANSWERS


def _late(tx: Tx, delivery: str, facts: sa.Row[Any], now: datetime) -> None:
    """Confirmed or replaced after it was given up: no Fo01 any more, or one that was not right."""
    for code in ("delivery.dead", "payload.unreadable", "undeliverable.untold"):
        clear_alarm(tx, code, delivery, now)
    tx.write(_WITHDRAW, {"b_delivery": delivery, "b_now": now})
    debt = tx.read(_DEBT, {"delivery": delivery}).first()
    if debt is None:
        return
    told = debt.answer is not None
    name = "undeliverable.contradicted" if told else "undeliverable.withdrawn"
    tx.record(
        AuditEvent(
            event=name, at=now, message=facts.message, delivery=delivery, party=facts.recipient
        )
    )
    if told:
        alarm = Alarm(
            code="delivery.late",
            subject=delivery,
            message=facts.message,
            party=facts.recipient,
            reason="fo01.sent",
        )
        raise_alarm(tx, alarm, now)
