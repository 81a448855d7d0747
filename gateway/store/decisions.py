"""What a person decides about a delivery: the port `Decisions`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.errors import NoRoute, PolicyViolation
from gateway.lifecycle import Event, State
from gateway.ports import TO_PARTNERS, Clock, Decided, DeliveryKind
from gateway.store.bell import WORK
from gateway.store.deliveries import SPOT, Spot, move, spot, told
from gateway.store.ending import STOPPED
from gateway.store.tables import deliveries
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

RESUMABLE = frozenset({State.UNKNOWN})
STOPPABLE = frozenset({State.HELD, State.READY, State.SENT, State.UNKNOWN})
"""Not CLAIMED: a worker is sending it now, and what comes of that is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """Unit: resume or stop a delivery, named by its own id or by that of its message."""

    id: str
    stop: bool
    who: str
    why: str
    now: datetime

    def run(self, tx: Tx) -> Decided:
        """Return where it stands now.

        Raises NoRoute `bericht.onvindbaar`, PolicyViolation `decision.state` or
        `decision.expired`.
        """
        rows = tx.read(_candidates(self.id)).all()
        if not rows:
            raise NoRoute("bericht.onvindbaar", "Er is geen verzending met dit id.")
        row = self._fitting(rows)
        at = spot(row)
        if not (self._stop(tx, at) if self.stop else self._resume(tx, row, at)):
            raise PolicyViolation("decision.state", "De verzending is net veranderd.")
        state = State.DEAD if self.stop else State.READY
        return Decided(delivery=at.id, message=at.message, state=state)

    def _fitting(self, rows: Sequence[sa.Row[Any]]) -> sa.Row[Any]:
        wanted = STOPPABLE if self.stop else RESUMABLE
        fitting = next((row for row in rows if State(row.state) in wanted), None)
        if fitting is None:
            word = "staken" if self.stop else "hervatten"
            state = rows[0].state
            raise PolicyViolation(
                "decision.state", f"Deze verzending is niet te {word}: haar toestand is {state}."
            )
        return fitting

    def _resume(self, tx: Tx, row: sa.Row[Any], at: Spot) -> bool:
        if row.expires_at is not None and row.expires_at <= self.now:
            raise PolicyViolation(
                "decision.expired", "De levensduur van dit bericht is voorbij; staak het."
            )
        audit = told(at, "delivery.resumed", self.now, actor=self.who, reason=self.why)
        # The tries of the agreement begin anew.
        changes = {
            "next_at": self.now,
            "spared": at.attempt,
            "last_code": "",
            "twice": True,
        }
        tx.ring(WORK)
        return move(tx, at, Event.RESUME, audit, changes=changes)

    def _stop(self, tx: Tx, at: Spot) -> bool:
        code = "decision.stopped"
        audit = told(at, STOPPED, self.now, code=code, actor=self.who, reason=self.why)
        return move(tx, at, Event.GIVE_UP, audit, changes={"last_code": code})


def _candidates(id_: str) -> sa.Select[Any]:
    """Messages to partners: what lies in a postvak is for its back-end to refuse."""
    return (
        sa.select(*SPOT, deliveries.c.expires_at)
        .where(
            sa.or_(deliveries.c.id == id_, deliveries.c.message == id_),
            deliveries.c.kind == str(DeliveryKind.MESSAGE),
            deliveries.c.channel.in_(TO_PARTNERS),
        )
        .order_by(deliveries.c.seq)
    )


class SqlDecisions:
    """The port `Decisions`."""

    def __init__(self, *, writer: Writer, clock: Clock) -> None:
        """Take what it writes with."""
        self._writer = writer
        self._clock = clock

    async def resume(self, id_: str, *, who: str, why: str) -> Decided:
        """Send again; see the port."""
        return await self._decide(id_, stop=False, who=who, why=why)

    async def stop(self, id_: str, *, who: str, why: str) -> Decided:
        """Give up; see the port."""
        return await self._decide(id_, stop=True, who=who, why=why)

    async def _decide(self, id_: str, *, stop: bool, who: str, why: str) -> Decided:
        unit = Decide(id=id_, stop=stop, who=who, why=why, now=self._clock.now())
        return await self._writer.commit(unit)
