"""What closes a letter: the first authenticated word of its recipient that it arrived.

A Bv01 or Fo01 is one, over whichever channel it came: who answers a message has it.
"""

from datetime import datetime

import sqlalchemy as sa

from gateway.lifecycle import TRANSITIONS, Event
from gateway.ports import DeliveryChannel, DeliveryKind, NewMessage
from gateway.store.deliveries import SPOT, Spot, move, spot, told
from gateway.store.prepared import Prepared
from gateway.store.tables import deliveries
from gateway.store.transaction import Tx

LETTER = Prepared(
    sa.select(*SPOT)
    .where(
        deliveries.c.message == sa.bindparam("message"),
        deliveries.c.channel == str(DeliveryChannel.MAIL),
        deliveries.c.kind == str(DeliveryKind.MESSAGE),
    )
    .with_for_update(of=deliveries, key_share=True)
)
"""The letter of a message, locked."""


def answered(tx: Tx, origin: str, answer: NewMessage, now: datetime) -> None:
    """Close the letter of a message that was answered by the party that it was for."""
    zender = answer.stuurgegevens.zender if answer.stuurgegevens else None
    # Most messages have no letter: this costs no flush. One that is added by this very batch goes.
    row = tx.peek(LETTER, {"message": origin}).first()
    if row is None or zender is None or zender.organisatie != row.recipient:
        return
    received(tx, spot(row), now, kind=answer.kind, answer=answer.id)


def received(tx: Tx, at: Spot, now: datetime, *, kind: str, **said: str) -> None:
    """Close a letter that left, by its recipient's word; one that is closed already stays so."""
    if at.attempt and Event.CONFIRM in TRANSITIONS[at.state]:
        receipt = told(at, "mail.receipt", now, kind=kind, **said)
        changes = {"delivered_at": now, "last_code": ""}
        move(tx, at, Event.CONFIRM, receipt, changes=changes)
