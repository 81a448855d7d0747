"""Deliveries out: the port `Queue`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

import sqlalchemy as sa

from gateway.directory import InForce
from gateway.errors import StaleSnapshot
from gateway.lifecycle import TRANSITIONS, Event, State
from gateway.message import Oin, Reference
from gateway.ports import (
    AuditEvent,
    Claim,
    Clock,
    Dice,
    GaveUp,
    HandedOver,
    HeldAgain,
    LostTrack,
    Outcome,
    StoredPayload,
    TryAgain,
)
from gateway.ports.mail import ConfirmLink
from gateway.ports.receipts import KnownAs
from gateway.rules.steps import Steps
from gateway.store.bell import WORK, Bells
from gateway.store.claim import ClaimDue, beat
from gateway.store.deliveries import (
    SPOT,
    Spot,
    close_breaker,
    lane_id,
    move,
    set_breaker,
    spot,
    told,
)
from gateway.store.gatetest import NOT_ENDED, GateTest
from gateway.store.kept import keep
from gateway.store.links import keep_link
from gateway.store.prepared import Prepared
from gateway.store.reading import Reads
from gateway.store.records import write_references
from gateway.store.sweep import Sweep, anything_due, next_due
from gateway.store.tables import deliveries, duties, postings, webhook_events, workers
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

IN_FLIGHT = 8
"""Deliveries of one lane under way at once."""
LEASE = timedelta(seconds=30)
"""A worker without heartbeat for this long is dead; its claims are put back."""
BEATS = 8
"""Heartbeats in a lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What an outcome does to a claimed delivery."""

    event: Event
    audit: str
    next_at: datetime | None = None
    code: str = ""
    ground: str = ""


def _change(outcome: Outcome) -> _Change:
    match outcome:
        case HandedOver(until=None):
            return _Change(event=Event.CONFIRM, audit="delivery.sent")
        case HandedOver(until=until):
            return _Change(event=Event.HAND_OVER, audit="delivery.sent", next_at=until)
        case TryAgain(at=at, code=code):
            return _Change(event=Event.RETRY, audit="delivery.retry", next_at=at, code=code)
        case GaveUp(code=code):
            return _Change(event=Event.GIVE_UP, audit="delivery.dead", code=code)
        case LostTrack(code=code):
            return _Change(event=Event.LOSE_TRACK, audit="delivery.unknown", code=code)
        case HeldAgain(ground=ground):
            return _Change(event=Event.HOLD_AGAIN, audit="delivery.held_again", ground=ground)
        case _:
            assert_never(outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Unit: what came of an attempt."""

    claim: Claim
    outcome: Outcome
    events: tuple[AuditEvent, ...]
    now: datetime

    def run(self, tx: Tx) -> bool:
        """Return False when the claim was no longer this worker's."""
        claim = self.claim
        change = _change(self.outcome)
        at = Spot(
            id=claim.delivery,
            message=claim.message.id,
            state=State.CLAIMED,
            fence=claim.fence,
            attempt=claim.attempt,
            recipient=claim.recipient,
        )
        if not self._move(tx, at, change):
            self._stale(tx, change)
            return False
        self._breaker(tx)
        return True

    def _move(self, tx: Tx, at: Spot, change: _Change, *, fence: int = 0) -> bool:
        """Move with the caller's event of that name, or one of ours when it gave none."""
        mine = told(at, change.audit, self.now, code=change.code)
        audit = next((e for e in self.events if e.event == change.audit), mine)
        changes: dict[str, Any] = {"next_at": change.next_at, "last_code": change.code}
        if change.event is Event.HOLD_AGAIN:
            changes |= {"ground": change.ground, "expires_at": None}
        if change.event is Event.CONFIRM:
            changes["delivered_at"] = self.now
        if isinstance(self.outcome, TryAgain) and self.outcome.ours:
            changes["spared"] = self.claim.spared + 1
        if fence:
            changes["fence"] = fence
        before = tuple(e for e in self.events if e is not audit)
        return move(tx, at, change.event, audit, changes=changes, before=before)

    def _stale(self, tx: Tx, change: _Change) -> None:
        """A stale claim's success still counts, its failure does not."""
        if not isinstance(self.outcome, HandedOver):
            tx.record(*(e for e in self.events if e.event != change.audit))
            return
        mine = sa.select(*SPOT).where(deliveries.c.id == self.claim.delivery)
        row = tx.read(mine.with_for_update(key_share=True)).one()
        at = spot(row)
        open_ = change.event in TRANSITIONS[at.state]
        # A new fence: what a second worker reports of its own attempt no longer counts.
        if not (open_ and self._move(tx, at, change, fence=at.fence + 1)):
            tx.record(*self.events)

    @property
    def _lane(self) -> str:
        claim = self.claim
        return lane_id(claim.recipient, claim.channel, claim.kind)

    def _breaker(self, tx: Tx) -> None:
        match self.outcome:
            case TryAgain(at=at, down=True):
                set_breaker(tx, self._lane, until=at, now=self.now)
            case HandedOver():
                if close_breaker(tx, self._lane):
                    tx.ring(WORK)


_KEEP = Prepared(
    sa.update(deliveries)
    .where(
        deliveries.c.id == sa.bindparam("b_id"),
        deliveries.c.state == str(State.CLAIMED),
        deliveries.c.fence == sa.bindparam("b_fence"),
        deliveries.c.sealed_id.is_(None),
    )
    .values(sealed_id=sa.bindparam("b_sealed"), signed_references=sa.bindparam("b_references"))
)


_POSTING = Prepared(
    sa.update(deliveries)
    .where(
        deliveries.c.id == sa.bindparam("b_id"),
        deliveries.c.state == str(State.CLAIMED),
        deliveries.c.fence == sa.bindparam("b_fence"),
        NOT_ENDED,
    )
    .values(posting=sa.true())
)
_LOCK = (
    sa.select(deliveries.c.id)
    .where(deliveries.c.id == sa.bindparam("id"))
    .with_for_update(of=deliveries, key_share=True)
)


def _lost() -> StaleSnapshot:
    return StaleSnapshot("claim.lost", "the delivery is no longer claimed by this worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepSealed:
    """Unit: the signed envelope of a delivery, before its first octet leaves."""

    claim: Claim
    envelope: StoredPayload
    references: tuple[Reference, ...]

    def run(self, tx: Tx) -> None:
        """Raise StaleSnapshot `claim.lost` when it is no longer claimed, or signed already."""
        keep(tx, self.envelope)
        keys = {
            "b_id": self.claim.delivery,
            "b_fence": self.claim.fence,
            "b_sealed": self.envelope.id,
            "b_references": write_references(self.references),
        }
        tx.defer(_KEEP, keys, missing=_lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """Unit: the letter of a delivery is about to be handed over.

    To prove the transport may have taken minutes, in which the OM can have taken back what the
    letter stands on: the sweep puts it back then, and the next claim holds it.
    """

    claim: Claim
    known_as: KnownAs
    event: AuditEvent
    link: ConfirmLink | None
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise StaleSnapshot `claim.lost` when this worker may not let it leave any more."""
        tx.read(_LOCK, {"id": self.claim.delivery})  # who withdraws a decision is waited for
        if tx.change(_POSTING, {"b_id": self.claim.delivery, "b_fence": self.claim.fence}) != 1:
            raise _lost()
        row = {
            "reference": self.known_as.reference,
            "delivery": self.claim.delivery,
            "attempt": self.claim.attempt,
            "mail": self.known_as.mail,
            "at": self.now,
            "failed_at": None,
        }
        tx.insert(postings, (row,))
        if self.link is not None:
            keep_link(tx, self.link, self.now)
        tx.record(self.event)


@dataclass(frozen=True, slots=True)
class ForgetWorkers:
    """Unit: at the start of a process that has the database for itself.

    Workers of earlier runs are gone: neither their claims nor their duties need wait for an
    end of lease or term, nor the events that they were sending.
    """

    def run(self, tx: Tx) -> int:
        """Return how many workers were forgotten."""
        tx.write(sa.delete(duties))
        tx.write(sa.update(webhook_events).values(leased_until=None))
        return tx.write(sa.delete(workers))


@dataclass(frozen=True, slots=True)
class Beat:
    """Unit: a heartbeat."""

    worker: str

    def run(self, tx: Tx) -> None:
        """Write it."""
        beat(tx, self.worker)


@dataclass(frozen=True, slots=True)
class Retire:
    """Unit: a worker that stops in order. Whatever it left is put back at once."""

    worker: str

    def run(self, tx: Tx) -> None:
        """Forget it; others look at what it left."""
        tx.write(sa.delete(workers).where(workers.c.name == self.worker))
        tx.ring(WORK)


class SqlQueue:
    """The port `Queue`, for the workers of one process. Lease time is the database's clock."""

    def __init__(  # noqa: PLR0913 - wiring, by name
        self,
        *,
        writer: Writer,
        reads: Reads,
        bells: Bells,
        clock: Clock,
        dice: Dice,
        run: str,
        cap: int = IN_FLIGHT,
        lease: timedelta = LEASE,
    ) -> None:
        """Take `run`, new for each opening: claims of an earlier run are nobody's."""
        self._writer = writer
        self._reads = reads
        self._bells = bells
        self._clock = clock
        self._dice = dice
        self._run = run
        self._cap = cap
        self._lease = lease
        self._left = False
        self._steps = Steps()
        self._beats: dict[str, float] = {}
        self._suspended: frozenset[Oin] = frozenset()

    async def claim(
        self,
        *,
        worker: str,
        limit: int,
        epoch: int,
        gate: InForce,
        suspended: frozenset[Oin] = frozenset(),
        sure: bool = False,
    ) -> tuple[Claim, ...]:
        """Claim what is due, the oldest of each lane in turn, signals first.

        Raises StaleSnapshot `epoch.moved`. Deliveries that what they stand on does not let go
        any more are held again. After the clock was set back, those that pass under an
        approval or a decision wait.
        """
        self._suspended = suspended
        now = self._clock.now()
        unit = ClaimDue(
            worker=self._name(worker),
            limit=limit,
            epoch=epoch,
            gate=GateTest(in_force=gate, now=now),
            suspended=suspended,
            cap=self._cap,
            now=now,
            beat=self._beat_due(worker),
        )
        if limit < 1 or not (sure or await self._anything(unit)):
            return ()
        claimed = await self._writer.commit(unit)
        if unit.beat:
            self._beats[worker] = self._clock.monotonic()
        self._left = claimed.left
        if not (claimed.claims or claimed.waits) and await self._anything(unit):
            self._bells.soon()  # another process had the lane: it may have left something
        return claimed.claims

    async def _anything(self, unit: ClaimDue) -> bool:
        return await self._reads(lambda c: bool(unit.lanes(c, lock=False)))

    async def sealed(
        self, claim: Claim, envelope: StoredPayload, references: tuple[Reference, ...]
    ) -> None:
        """Keep the signed envelope; raise StaleSnapshot `claim.lost`."""
        await self._writer.commit(KeepSealed(claim=claim, envelope=envelope, references=references))

    async def posting(
        self, claim: Claim, known_as: KnownAs, event: AuditEvent, link: ConfirmLink | None = None
    ) -> None:
        """Write down that the letter may leave; raise StaleSnapshot `claim.lost`."""
        unit = Posting(
            claim=claim, known_as=known_as, event=event, link=link, now=self._clock.now()
        )
        await self._writer.commit(unit)

    async def settle(self, claim: Claim, outcome: Outcome, events: tuple[AuditEvent, ...]) -> bool:
        """Write what came of the attempt; see the port."""
        unit = Settle(claim=claim, outcome=outcome, events=events, now=self._clock.now())
        settled = await self._writer.commit(unit)
        if self._left:
            self._bells.work.ring()  # there is a place for what was left
        return settled

    async def sweep(
        self, *, worker: str, under_way: frozenset[str] | None = None
    ) -> datetime | None:
        """Do what time does; return the next moment at which it has to.

        After a step of the clock nothing expires for half an hour: an end is for ever.
        """
        now = self._clock.now()
        mine = "" if under_way is None else self._name(worker)
        unit = Sweep(
            now=now,
            lease=self._lease,
            dice=self._dice.unit(),
            mine=mine,
            under_way=under_way or frozenset(),
            expire=not self._steps.held(now, self._clock.monotonic()),
        )
        if await self._reads(lambda c: anything_due(c, unit)):
            await self._writer.commit(unit)
        return await self._reads(
            lambda c: next_due(c, now=now, suspended=self._suspended, cap=self._cap)
        )

    async def heartbeat(self, *, worker: str) -> None:
        """Renew the lease; written no more often than it needs to be."""
        if self._beat_due(worker):
            await self._writer.commit(Beat(self._name(worker)))
            self._beats[worker] = self._clock.monotonic()

    async def retire(self, *, worker: str) -> None:
        """End the lease of a worker that stops; what it still holds is put back by others."""
        self._beats.pop(worker, None)
        await self._writer.commit(Retire(self._name(worker)))

    def _beat_due(self, worker: str) -> bool:
        last = self._beats.get(worker)
        every = self._lease.total_seconds() / BEATS
        return last is None or self._clock.monotonic() - last >= every

    def _name(self, worker: str) -> str:
        return f"{worker}@{self._run}"
