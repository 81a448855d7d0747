"""Who decided, who asked, and on what ground: rows that go when their term is over.

What is still open, or may still be sent, stays however old it is. That something was withdrawn is
kept for ever, by whom and why is not. The audit log is another record, and keeps its own rows.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import ENDED
from gateway.ports import AuditEvent
from gateway.store.tables import deliveries, passes, requests, revocations, rulings, verdicts
from gateway.store.transaction import Tx

AT_ONCE = 200
"""Rows of each kind that one commit takes away."""

_BEFORE = sa.bindparam("before", type_=requests.c.closed_at.type)
_REQUESTS = sa.select(requests.c.id).where(requests.c.closed_at < _BEFORE)
_RULINGS = (
    sa.select(rulings.c.id)
    .join(deliveries, deliveries.c.id == rulings.c.delivery)
    .where(rulings.c.valid_until < _BEFORE, deliveries.c.state.in_([str(s) for s in ENDED]))
)
_PASSES = sa.select(passes.c.seq).where(passes.c.valid_until < _BEFORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """Unit: take away what is older than a moment, one batch."""

    before: datetime
    now: datetime

    def run(self, tx: Tx) -> int:
        """Return how many rows went."""
        asked = self._found(tx, _REQUESTS, requests)
        decided = self._found(tx, _RULINGS, rulings)
        seen = self._found(tx, _PASSES, passes)
        gone = {
            "verdicts": tx.write(sa.delete(verdicts).where(verdicts.c.request.in_(asked))),
            "requests": tx.write(sa.delete(requests).where(requests.c.id.in_(asked))),
            "rulings": tx.write(sa.delete(rulings).where(rulings.c.id.in_(decided))),
            "passes": tx.write(sa.delete(passes).where(passes.c.seq.in_(seen))),
            "revocations": self._nameless(tx),
        }
        if any(gone.values()):
            tx.record(self._told(gone))
        return sum(gone.values())

    def _told(self, gone: dict[str, int]) -> AuditEvent:
        return AuditEvent(
            event="toets.forgotten",
            at=self.now,
            actor="housekeeping",
            data={"before": self.before.isoformat(), **gone},
        )

    def _found(self, tx: Tx, old: sa.Select[Any], table: sa.Table) -> list[Any]:
        statement = old.limit(AT_ONCE).with_for_update(of=table, skip_locked=True)
        return list(tx.read(statement, {"before": self.before}).scalars())

    def _nameless(self, tx: Tx) -> int:
        return tx.write(
            sa.update(revocations)
            .where(revocations.c.at < self.before, revocations.c.actor != "")
            .values(actor="", reason="", document=b"")
        )
