"""A delivery that becomes held, or stops to be: called by the moves that make it so."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.config_gate import Mode
from gateway.ports import NewDelivery, NewHold, NewMessage
from gateway.rules.classification import Reason
from gateway.store.alarms import clear_alarm
from gateway.store.lateness import HOLDS
from gateway.store.prepared import Prepared
from gateway.store.tables import Moment, deliveries, holds, messages, rulings
from gateway.store.transaction import Tx

LAPSED = "vervallen"
"""Outcome of a hold that ended without a decision: given up, or confirmed after all."""

_FACTS = (
    sa.select(
        deliveries.c.message,
        deliveries.c.payload_sha256,
        deliveries.c.ground,
        deliveries.c.table_version,
        messages.c.ontvanger,
    )
    .join(messages, messages.c.id == deliveries.c.message)
    .where(deliveries.c.id == sa.bindparam("delivery"))
)
_EARLIER = (
    sa.select(holds.c.delivery, holds.c.reasons, holds.c.deadline, holds.c.closed_at)
    .where(holds.c.message == sa.bindparam("message"))
    .order_by(holds.c.at)
)
_CLOSE = Prepared(
    sa.update(holds)
    .where(holds.c.delivery == sa.bindparam("b_delivery"), holds.c.closed_at.is_(None))
    .values(closed_at=sa.bindparam("b_now", type_=Moment), outcome=sa.bindparam("b_outcome"))
)
_END_RULINGS = Prepared(
    sa.update(rulings)
    .where(
        rulings.c.delivery == sa.bindparam("b_delivery"),
        rulings.c.releases,
        rulings.c.ended_at.is_(None),
    )
    .values(ended_at=sa.bindparam("b_now", type_=Moment), ended_why=sa.bindparam("b_why"))
)


def write_reasons(reasons: Iterable[Reason]) -> str:
    """Return the text that `read_reasons` reads."""
    return json.dumps([asdict(reason) for reason in reasons], separators=(",", ":"))


def read_reasons(text: str) -> tuple[Reason, ...]:
    """Return the reasons, in their order."""
    return tuple(Reason(**(one | {"mode": Mode(one["mode"])})) for one in json.loads(text))


def hold_new(tx: Tx, message: NewMessage, delivery: NewDelivery) -> None:
    """Open the first hold, of a delivery that is held from the start."""
    told = delivery.hold or NewHold()
    ontvanger = message.stuurgegevens.ontvanger if message.stuurgegevens else None
    row = {
        "id": _hold_id(delivery.id, 0),
        "delivery": delivery.id,
        "message": message.id,
        "at": message.at,
        "recipient": ontvanger.organisatie if ontvanger else delivery.recipient,
        "payload_sha256": delivery.payload_sha256,
        "ground": delivery.ground,
        "table_version": delivery.table_version,
        "reasons": write_reasons(told.reasons),
        "deadline": told.deadline,
    }
    _insert(tx, row)


def hold_again(tx: Tx, delivery: str, now: datetime, *, why: str) -> None:
    """Open another hold, and end what let it go before.

    Reasons and deadline are those of the message: it may have been held as another delivery.
    """
    facts = tx.read(_FACTS, {"delivery": delivery}).one()
    earlier = tx.read(_EARLIER, {"message": facts.message}).all()
    mine = [hold for hold in earlier if hold.delivery == delivery]
    tx.change(_END_RULINGS, {"b_delivery": delivery, "b_now": now, "b_why": why})
    if any(hold.closed_at is None for hold in mine):
        return  # somebody changed its state past the program: it is asked already
    row = {
        "id": _hold_id(delivery, len(mine)),
        "delivery": delivery,
        "message": facts.message,
        "at": now,
        "recipient": facts.ontvanger,
        "payload_sha256": facts.payload_sha256,
        "ground": facts.ground,
        "table_version": facts.table_version,
        "reasons": earlier[-1].reasons if earlier else "[]",
        "deadline": earlier[-1].deadline if earlier else None,
    }
    _insert(tx, row)


def _insert(tx: Tx, row: dict[str, Any]) -> None:
    empty = {
        "warned": 0,
        "warn_at": row["at"] if row["deadline"] is not None else None,
        "request": None,
        "asked_at": None,
        "cancel": None,
        "closed_at": None,
        "outcome": "",
    }
    tx.insert(holds, (row | empty,))


def close_hold(tx: Tx, delivery: str, now: datetime, outcome: str) -> None:
    """The hold is over; what it alarmed of is, too."""
    tx.change(_CLOSE, {"b_delivery": delivery, "b_now": now, "b_outcome": outcome})
    clear_alarm(tx, HOLDS.alarm, delivery, now)


def _hold_id(delivery: str, n: int) -> str:
    """The request to the OM goes by it: a later hold of the same delivery is another one."""
    return f"{delivery}-{n}"
