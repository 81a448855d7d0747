"""Signals of partners settle the deliveries they are about: the port `Signals`."""

import zlib
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import TRANSITIONS, Event, State
from gateway.ports import (
    AuditEvent,
    Clock,
    DeliveryChannel,
    DeliveryKind,
    SignalOutcome,
    SignalReceived,
)
from gateway.store.bell import WORK
from gateway.store.deliveries import SPOT, Spot, close_breaker, lane_id, move, spot
from gateway.store.prepared import Prepared
from gateway.store.records import write_references
from gateway.store.switching import not_needed
from gateway.store.tables import deliveries, evidence
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

_AUDIT = {
    SignalOutcome.REPEATED: "signal.repeated",
    SignalOutcome.UNKNOWN: "signal.unknown",
    SignalOutcome.MISMATCH: "signal.mismatch",
}


# Of that party, agreement and MessageId only: a signal is never for another's. Locked: a
# settlement of this moment is waited for, not missed.
_CANDIDATES = Prepared(
    sa.select(*SPOT, deliveries.c.signed_references)
    .where(
        deliveries.c.recipient == sa.bindparam("party"),
        deliveries.c.cpa_id == sa.bindparam("cpa_id"),
        deliveries.c.ebms_id == sa.bindparam("ebms_id"),
        deliveries.c.kind == str(DeliveryKind.MESSAGE),
        deliveries.c.channel == str(DeliveryChannel.EBMS2),
    )
    .order_by(deliveries.c.seq)
    .with_for_update(of=deliveries, key_share=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive:
    """Unit: settle by a signal. The first signal of a delivery wins."""

    signal: SignalReceived
    now: datetime

    def run(self, tx: Tx) -> SignalOutcome:
        """Write what it did, or that it did nothing."""
        signal = self.signal
        keys = {
            "party": signal.party,
            "cpa_id": signal.cpa_id,
            "ebms_id": signal.ref_to_message_id,
        }
        rows = tx.find(_CANDIDATES, keys).all()
        if not rows:
            return self._only_told(tx, SignalOutcome.UNKNOWN, "signal.unknown")
        fitting = [row for row in rows if self._fits(row)]
        if not fitting:
            return self._only_told(tx, SignalOutcome.MISMATCH, "signal.digests", spot(rows[0]))
        waiting = [row for row in fitting if self._event in TRANSITIONS[State(row.state)]]
        at = spot((waiting or fitting)[0])
        if not waiting:
            return self._only_told(tx, SignalOutcome.REPEATED, "signal.repeated", at)
        if at.attempt == 0:  # nobody can have received what was never sent
            return self._only_told(tx, SignalOutcome.MISMATCH, "signal.never_sent", at)
        return self._settle(tx, at)

    @property
    def _event(self) -> Event:
        return Event.REFUSE if self.signal.error else Event.CONFIRM

    def _fits(self, row: sa.Row[Any]) -> bool:
        """What is acknowledged is what we signed: name, method and digest, as often (3.1b)."""
        if self.signal.error or not self.signal.references_required:
            return True
        acknowledged = self.signal.references
        return bool(acknowledged) and row.signed_references == write_references(acknowledged)

    def _settle(self, tx: Tx, at: Spot) -> SignalOutcome:
        signal = self.signal
        name = "delivery.refused" if signal.error else "delivery.acknowledged"
        audit = self._told(name, signal.error, at)
        changes: dict[str, Any] = {"last_code": f"ebms.{signal.error}" if signal.error else ""}
        if not signal.error:
            changes["delivered_at"] = self.now
        if not move(tx, at, self._event, audit, changes=changes):
            return self._only_told(tx, SignalOutcome.MISMATCH, "signal.state", at)
        if at.state is State.REPLACED:
            not_needed(tx, at.message, self.now)
        if signal.evidence:
            self._keep_evidence(tx, at)
        if close_breaker(tx, lane_id(at.recipient, DeliveryChannel.EBMS2, DeliveryKind.MESSAGE)):
            tx.ring(WORK)
        return SignalOutcome.MATCHED

    def _keep_evidence(self, tx: Tx, at: Spot) -> None:
        row = {
            "delivery": at.id,
            "at": self.now,
            "message_id": self.signal.message_id,
            "sha256": sha256(self.signal.evidence).hexdigest(),
            "octets": zlib.compress(self.signal.evidence),
        }
        tx.insert(evidence, (row,))

    def _only_told(
        self, tx: Tx, outcome: SignalOutcome, code: str, at: Spot | None = None
    ) -> SignalOutcome:
        tx.record(self._told(_AUDIT[outcome], code, at))
        return outcome

    def _told(self, event: str, code: str, at: Spot | None) -> AuditEvent:
        signal = self.signal
        return AuditEvent(
            event=event,
            at=self.now,
            message=at.message if at else "",
            delivery=at.id if at else "",
            code=code,
            party=signal.party,
            data={
                "signal": signal.message_id,
                "ref_to": signal.ref_to_message_id,
                "cpa_id": signal.cpa_id,
                "digests": len(signal.references),
                "error": signal.error,
                "location": signal.error_location,
                "evidence": sha256(signal.evidence).hexdigest() if signal.evidence else "",
            },
        )


class SqlSignals:
    """The port `Signals`."""

    def __init__(self, *, writer: Writer, clock: Clock) -> None:
        """Take what it writes with."""
        self._writer = writer
        self._clock = clock

    async def receive(self, signal: SignalReceived) -> SignalOutcome:
        """Settle the delivery of that party, agreement and MessageId."""
        return await self._writer.commit(Receive(signal=signal, now=self._clock.now()))
