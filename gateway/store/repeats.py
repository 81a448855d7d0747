"""How often the same is written down: who sends one thing again and again fills no audit log."""

import sqlalchemy as sa

from gateway.ports import AuditEvent
from gateway.store.tables import audit
from gateway.store.transaction import Tx

MOST = 20
_SAME = (
    sa.select(audit.c.seq)
    .where(
        audit.c.message == sa.bindparam("message"),
        audit.c.delivery == sa.bindparam("delivery"),
        audit.c.event == sa.bindparam("event"),
    )
    .offset(MOST - 1)
    .limit(1)
)


def is_told_enough(tx: Tx, event: AuditEvent) -> bool:
    """Tell whether `MOST` rows say this of this message and delivery already."""
    told = {"message": event.message, "delivery": event.delivery, "event": event.event}
    return tx.read(_SAME, told).first() is not None
