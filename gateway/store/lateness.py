"""What waits for the OM too long is told, once at each moment. Silence releases nothing.

The same at both ends: the holder's holds and the officers' requests.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.ports import Alarm, AuditEvent
from gateway.rules.deciding import moments, passed
from gateway.store.alarms import raise_alarm
from gateway.store.tables import holds, requests
from gateway.store.transaction import Tx

AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What waits. Its table has the columns of a wait: `at`, `deadline`, `warned`, `warn_at`."""

    table: sa.Table
    name: str
    alarm: str
    """Raised at the last of the moments; whoever ends the wait closes it."""
    subject: str
    """Column that the alarm is about."""
    party: str
    """Column of the party that it concerns."""

    def due(self, now: datetime) -> sa.Select[Any]:
        """Return what has come to its next moment."""
        columns = self.table.c
        return (
            sa.select(self.table)
            .where(columns.closed_at.is_(None), columns.warn_at <= now)
            .order_by(columns.warn_at)
            .limit(AT_ONCE)
        )


HOLDS = Kind(table=holds, name="hold", alarm="toets.wacht", subject="delivery", party="recipient")
REQUESTS = Kind(table=requests, name="request", alarm="toets.verzoek", subject="id", party="holder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Unit: tell what is due, and plan the next moment of each."""

    kind: Kind
    fractions: tuple[float, ...]
    now: datetime

    def run(self, tx: Tx) -> None:
        """Two who watch at once share the work."""
        due = self.kind.due(self.now).with_for_update(skip_locked=True, key_share=True)
        for row in tx.read(due).all():
            self._look(tx, row)

    def _look(self, tx: Tx, row: sa.Row[Any]) -> None:
        steps = moments(row.at, row.deadline, self.fractions)
        step = passed(steps, self.now)
        after = steps[step] if step < len(steps) else None
        table = self.kind.table
        tx.write(sa.update(table).where(table.c.id == row.id).values(warned=step, warn_at=after))
        if step > row.warned:
            self._tell(tx, row, step)

    def _tell(self, tx: Tx, row: sa.Row[Any], step: int) -> None:
        kind, last = self.kind, step == len(self.fractions)
        party = str(getattr(row, kind.party))
        tx.record(
            AuditEvent(
                event="toets.escalated" if step > 1 else "toets.warned",
                at=self.now,
                message=row.message,
                delivery=row.delivery,
                code=kind.alarm if last else "",
                party=party,
                data={kind.name: row.id, "step": step, "deadline": row.deadline.isoformat()},
            )
        )
        if last:
            alarm = Alarm(
                code=kind.alarm,
                subject=str(getattr(row, kind.subject)),
                message=row.message,
                party=party,
                reason="toets.termijn",
            )
            raise_alarm(tx, alarm, self.now)
