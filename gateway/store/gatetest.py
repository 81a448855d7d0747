"""May a delivery leave, by what stands in the database now? Asked by every claim, and the postvak.

What was thought when it was handed in or decided on may be over: this is asked behind the lock of
its row.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.directory import GateReason, InForce
from gateway.message import Oin
from gateway.rules.approval import Decision, Ground
from gateway.store.prepared import Prepared
from gateway.store.tables import deliveries, revocations, rulings
from gateway.store.transaction import Tx

_IS_REVOKED = sa.exists().where(revocations.c.approval == deliveries.c.approval_id)
REVOKED = _IS_REVOKED.label("revoked")
"""Column: the standing approval of the delivery was withdrawn."""
NOT_ENDED = sa.and_(
    ~_IS_REVOKED,
    sa.or_(
        deliveries.c.ground != str(Ground.INDIVIDUAL),
        sa.exists().where(rulings.c.id == deliveries.c.approval_id, rulings.c.ended_at.is_(None)),
    ),
)
"""Condition: what the delivery stands on was not taken back."""
GATED = (
    deliveries.c.ground,
    deliveries.c.approval_id,
    deliveries.c.table_version,
    deliveries.c.payload_sha256,
    REVOKED,
)
"""What `GateTest` looks at, beside the id and the columns `KNOWN`."""
_DECISION = Prepared(
    sa.select(
        rulings.c.delivery,
        rulings.c.payload_sha256,
        rulings.c.recipient,
        rulings.c.valid_until,
        rulings.c.releases,
    ).where(rulings.c.id == sa.bindparam("ruling"), rulings.c.ended_at.is_(None))
)
_USED = Prepared(
    sa.update(rulings)
    .where(rulings.c.id == sa.bindparam("b_ruling"), rulings.c.used_at.is_(None))
    .values(used_at=sa.bindparam("b_now", type_=rulings.c.used_at.type))
)
_FREE = frozenset({Ground.NOT_GATED, Ground.FORWARDED, Ground.OWN})


def decision_of(tx: Tx, row: Any) -> Decision | None:
    """Read the decision that the delivery stands on: who ends it locks its row first."""
    tx.flush()
    return decision_at(tx.connection, row)


def decision_at(connection: sa.Connection, row: Any) -> Decision | None:
    """Read it where nothing is being written."""
    if row.ground != Ground.INDIVIDUAL:
        return None
    found = _DECISION.rows(connection, {"ruling": row.approval_id}).first()
    if found is None or not found.releases:
        return None
    return Decision(
        id=row.approval_id,
        delivery=found.delivery,
        payload_sha256=found.payload_sha256,
        recipient=Oin(found.recipient),
        valid_until=found.valid_until,
    )


def used(tx: Tx, decision: Decision, now: datetime) -> None:
    """Something leaves under it; the first moment counts."""
    tx.change(_USED, {"b_ruling": decision.id, "b_now": now})


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTest:
    """By the snapshot of whoever asks."""

    in_force: InForce
    now: datetime

    def fault(self, row: Any, decision: Decision | None) -> str:
        """Return why it may not leave; empty when it may."""
        if row.payload_sha256 != row.m_content_sha256:
            return str(GateReason.UNCLASSIFIED)
        if row.ground == Ground.STANDING:
            good = row.approval_id in self.in_force.approvals and not row.revoked
            return "" if good else str(GateReason.NO_STANDING_APPROVAL)
        if row.ground == Ground.INDIVIDUAL:
            return "" if self._decided(row, decision) else str(GateReason.INDIVIDUAL)
        return "" if row.ground in _FREE else str(GateReason.UNCLASSIFIED)

    def _decided(self, row: Any, decision: Decision | None) -> bool:
        return (
            decision is not None
            and row.table_version == self.in_force.table
            and decision.covers(
                delivery=row.id,
                payload_sha256=row.payload_sha256,
                recipient=row.m_ontvanger,
                at=self.now,
            )
        )
