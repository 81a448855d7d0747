"""Letters that may have left, and what comes back on them: the port `Receipts`."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import Event
from gateway.message import Oin
from gateway.ports import AuditEvent, Clock
from gateway.ports.receipts import Posted, Receipt
from gateway.rules.receipts import FAILURES, OPEN_ROAD, Effect, Waiting, effect_of
from gateway.store.bell import WORK
from gateway.store.deliveries import SPOT, Spot, move, spot, told
from gateway.store.pickup import TOLD_OF
from gateway.store.reading import Reads
from gateway.store.receipts import received
from gateway.store.repeats import is_told_enough
from gateway.store.tables import audit, deliveries, postings
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

BOUNCED = "mail.bounced"
NOTED = "mail.noted"
_POSTED = (
    sa.select(
        postings.c.delivery,
        postings.c.attempt,
        postings.c.mail,
        deliveries.c.recipient,
        deliveries.c.ebms_id,
        deliveries.c.payload_sha256,
        TOLD_OF.label("at_portal"),
    )
    .join(deliveries, deliveries.c.id == postings.c.delivery)
    .order_by(postings.c.attempt.desc())
    .limit(1)
)
_LETTER = sa.select(*SPOT, deliveries.c.expires_at).where(
    deliveries.c.id == sa.bindparam("delivery")
)
_MINE = sa.select(postings.c.reference, postings.c.attempt, postings.c.failed_at).where(
    postings.c.delivery == sa.bindparam("delivery")
)
_NOTED = sa.select(audit.c.data).where(
    audit.c.message == sa.bindparam("message"),
    audit.c.delivery == sa.bindparam("delivery"),
    audit.c.event == NOTED,
)
_FAILED = (
    sa.update(postings)
    .where(postings.c.reference == sa.bindparam("b_reference"), postings.c.failed_at.is_(None))
    .values(failed_at=sa.bindparam("b_now", type_=postings.c.failed_at.type))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeReceipt:
    """Unit: what a word does to its letter. What it does nothing to is written down as well."""

    receipt: Receipt
    now: datetime

    def run(self, tx: Tx) -> Effect:
        """Return what it did."""
        locked = _LETTER.with_for_update(of=deliveries, key_share=True)
        row = tx.read(locked, {"delivery": self.receipt.delivery}).one()
        at, about = spot(row), self._about(tx)
        waiting = Waiting(
            state=at.state,
            newest=any(one.attempt == at.attempt for one in about),
            failed=any(one.failed_at is not None for one in about),
            exposed=_is_exposed(tx, at),
            again_at=self._again_at,
            expires_at=row.expires_at,
        )
        word = self.receipt.word
        effect = effect_of(word, waiting, unsigned_close=self.receipt.unsigned_close)
        if effect is not Effect.EARLY:
            self._do(tx, at, effect)
        return effect

    @property
    def _again_at(self) -> datetime | None:
        again = self.receipt.again
        return None if again is None else self.now + again

    def _about(self, tx: Tx) -> list[sa.Row[Any]]:
        """Return the attempts that the word is about: one, or all of the letter."""
        named = self.receipt.reference
        rows = tx.read(_MINE, {"delivery": self.receipt.delivery})
        return [row for row in rows if named in {"", row.reference}]

    def _do(self, tx: Tx, at: Spot, effect: Effect) -> None:
        receipt = self.receipt
        if receipt.word in FAILURES:
            tx.write(_FAILED, {"b_reference": receipt.reference, "b_now": self.now})
        match effect:
            case Effect.CLOSES:
                received(tx, at, self.now, **self._facts)
            case Effect.AGAIN:
                changes = {"next_at": self._again_at, "last_code": BOUNCED, "twice": True}
                self._came_back(tx, at, Event.RETRY, "delivery.retry", changes)
                tx.ring(WORK)
            case Effect.GIVES_UP:
                changes = {"next_at": None, "last_code": BOUNCED}
                self._came_back(tx, at, Event.GIVE_UP, "delivery.dead", changes)
            case _:
                self._note(tx, at)

    def _note(self, tx: Tx, at: Spot) -> None:
        """A first report from an open road is never lost: what shows the letter ends with it."""
        noted = self._told(at, NOTED)
        exposes = self.receipt.word in OPEN_ROAD and not _is_exposed(tx, at)
        if exposes or not is_told_enough(tx, noted):
            tx.record(noted)

    def _came_back(
        self, tx: Tx, at: Spot, event: Event, name: str, changes: dict[str, Any]
    ) -> None:
        after = told(at, name, self.now, code=BOUNCED)
        move(tx, at, event, after, changes=changes, before=(self._told(at, BOUNCED),))

    def _told(self, at: Spot, event: str) -> AuditEvent:
        return told(at, event, self.now, **self._facts)

    @property
    def _facts(self) -> dict[str, str]:
        receipt = self.receipt
        return {
            "kind": str(receipt.word),
            "evidence": receipt.evidence,
            "certificate": receipt.certificate,
            "status": receipt.status,
        }


def _is_exposed(tx: Tx, at: Spot) -> bool:
    rows = tx.read(_NOTED, {"message": at.message, "delivery": at.id})
    return any(json.loads(row.data)["kind"] in OPEN_ROAD for row in rows)


class SqlReceipts:
    """The port `Receipts`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock) -> None:
        """Take what it writes and reads with."""
        self._writer = writer
        self._reads = reads
        self._clock = clock

    async def posted(self, *, reference: str = "", mail: str = "") -> Posted | None:
        """Return the letter that left so; see the port."""
        if not (reference or mail):
            return None
        named = postings.c.reference == reference if reference else postings.c.mail == mail
        row = await self._reads(lambda c: c.execute(_POSTED.where(named)).first())
        if row is None:
            return None
        return Posted(
            delivery=row.delivery,
            attempt=row.attempt,
            recipient=Oin(row.recipient),
            ebms_message_id=row.ebms_id,
            mail=row.mail,
            payload_sha256=row.payload_sha256,
            at_portal=row.at_portal,
        )

    async def take(self, receipt: Receipt) -> Effect:
        """Do what the word does; see the port."""
        return await self._writer.commit(TakeReceipt(receipt=receipt, now=self._clock.now()))
