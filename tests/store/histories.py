"""Random histories of deliveries through the real store, with a model that knows the rules.

Each history has parties, agreement and messages of its own, so that a thousand share one
database. The machine is ordinary code on a thread; the store works on the loop of the test.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, zip_longest
from typing import Any, TypeVar

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gateway.directory import GateReason, InForce
from gateway.errors import DuplicateConflict, NoRoute, PolicyViolation, StaleSnapshot
from gateway.lifecycle import TRANSITIONS, Event, State
from gateway.message import Oin, Reference
from gateway.ports import (
    AuditEvent,
    AuditRow,
    Claim,
    DeliveryChannel,
    GaveUp,
    HandedOver,
    HeldAgain,
    LostTrack,
    Outcome,
    SignalOutcome,
    SignalReceived,
    TryAgain,
)
from gateway.rules import retry
from gateway.store.audit import START, Tail, link, read_row
from gateway.store.decisions import RESUMABLE, STOPPABLE
from gateway.store.deliveries import ALWAYS, ENDED
from gateway.store.ending import BAD
from gateway.store.tables import alarms, audit, deliveries, lanes, workers
from gateway.store.transaction import Tx
from tests.store.stage import Stage, references_of

T = TypeVar("T")
FOR_A_PERSON = frozenset({State.HELD, State.UNKNOWN})
RETRIES = 2
INTERVAL = timedelta(minutes=10)
LEASE = timedelta(minutes=5)
OURS = "store.full"
APPROVAL = "A-1"
PARTIES = tuple(Oin(f"{10**19 + n}") for n in range(8))
MOST = 3
"""Messages per history."""

Row = sa.Row[Any]
_ROWS = sa.select(deliveries).where(deliveries.c.id.in_(sa.bindparam("ids", expanding=True)))
_ALARMS = sa.select(alarms.c.code, alarms.c.subject).where(
    alarms.c.subject.in_(sa.bindparam("ids", expanding=True)), alarms.c.cleared_at.is_(None)
)
_NEW = sa.select(audit).where(audit.c.seq > sa.bindparam("seen")).order_by(audit.c.seq)

KINDS = st.sampled_from(
    ("rm", "rm", "rm", "be", "be", "ack", "gated", "held", "postvak", "tampered")
)
ANSWERS = st.sampled_from(("2xx", "2xx", "2xx", "503", "down", "404", "lost", "ours", "gate"))

EVENTS: dict[str, tuple[Event, ...]] = {
    "delivery.claimed": (Event.CLAIM,),
    "delivery.sent": (Event.HAND_OVER, Event.CONFIRM),
    "delivery.retry": (Event.RETRY,),
    "delivery.dead": (Event.GIVE_UP,),
    "delivery.expired": (Event.GIVE_UP,),
    "delivery.unknown": (Event.LOSE_TRACK,),
    "delivery.held_again": (Event.HOLD_AGAIN,),
    "delivery.acknowledged": (Event.CONFIRM,),
    "delivery.refused": (Event.REFUSE,),
    "delivery.resumed": (Event.RESUME,),
    "delivery.stopped": (Event.GIVE_UP,),
    "postvak.shown": (Event.HAND_OVER,),
    "postvak.confirmed": (Event.CONFIRM,),
    "postvak.refused": (Event.REFUSE,),
}
"""What each audit row does to a state. Only a person's stop leads out of HELD."""


@dataclass
class Delivery:
    """What the history knows of one delivery."""

    n: int
    kind: str
    claims: list[Claim] = field(default_factory=list)
    references: tuple[Reference, ...] = ()
    sealed: bool = False
    confirmed: bool = False
    refused: bool = False
    two_hundred: bool = False
    stopped: bool = False
    leased_until: datetime | None = None

    @property
    def id(self) -> str:
        return f"d-{self.n}"

    @property
    def first(self) -> State:
        return State.HELD if self.kind == "held" else State.READY

    @property
    def retries(self) -> int:
        return 0 if self.kind == "be" else RETRIES


@dataclass
class Run:
    """What the histories of one database share."""

    stage: Stage
    loop: asyncio.AbstractEventLoop
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    seen: int = 0
    tails: dict[str, Tail] = field(default_factory=dict)
    histories: int = 0
    ends: set[State] = field(default_factory=set)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def new_rows(self) -> dict[str, list[AuditEvent]]:
        """Return the audit of each delivery since the last look; no chain may be broken."""
        rows = self.do(
            self.stage.store._reads(lambda c: c.execute(_NEW, {"seen": self.seen}).all())
        )
        trails: dict[str, list[AuditEvent]] = {}
        for row in rows:
            told = read_row(row)
            self._link(told)
            trails.setdefault(told.event.delivery, []).append(told.event)
            self.seen = row.seq
        return trails

    def _link(self, row: AuditRow) -> None:
        tail = self.tails.get(row.writer, Tail(row.writer, 0, START))
        assert (row.n, row.previous) == (tail.n + 1, tail.hash)
        _, self.tails[row.writer] = link(tail, row.event)
        assert self.tails[row.writer].hash == row.hash


@dataclass(frozen=True)
class Meddle:
    """Unit: what the gateway never does."""

    statement: sa.Update

    def run(self, tx: Tx) -> int:
        return tx.write(self.statement)


MEND_LANES = sa.update(lanes).values(down=sa.false(), next_at=ALWAYS)
SILENCE = sa.update(workers).values(beat_at=ALWAYS)
"""Heartbeats run by the clock of the database, which is not ours to set."""


class History(RuleBasedStateMachine):
    """One history. `run` is set by the test that makes the class."""

    run: Run

    # --- the beginning ------------------------------------------------------------------

    @initialize(
        kinds=st.lists(KINDS, min_size=1, max_size=MOST - 1),
        expires=st.booleans(),
        sealed=st.booleans(),
        answers=st.lists(ANSWERS, max_size=MOST - 1),
    )
    def begin(self, kinds: list[str], expires: bool, sealed: bool, answers: list[str]) -> None:
        k = next(self.run.numbers)
        self.stage = self.run.stage
        self.store = self.stage.store
        self.party = PARTIES[k % len(PARTIES)]
        self.stranger = PARTIES[(k + 1) % len(PARTIES)]
        self.stage.clock.forward(days=2)
        self.meddle(MEND_LANES)  # of an earlier history
        self.cpa = f"cpa-{k}"
        self.approvals = frozenset({APPROVAL})
        self.behind = False
        self.deliveries: list[Delivery] = []
        self.latest = self.stage.clock.at
        self._directory_changes(seen=True)
        for kind in kinds:
            self.admit(kind=kind, expires=expires)
        self.work(worker="w1", limit=MOST, wrong="", sealed=sealed, answers=answers)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.run.do(work)

    def meddle(self, statement: sa.Update) -> None:
        self.do(self.store._writer.commit(Meddle(statement)))

    def some(self, i: int) -> Delivery:
        return self.deliveries[i % len(self.deliveries)]

    def a_claim(self, i: int, back: int) -> list[tuple[Delivery, Claim]]:
        """One claim that was ever given, or none when none was."""
        claimed = [d for d in self.deliveries if d.claims]
        if not claimed:
            return []
        delivery = claimed[i % len(claimed)]
        return [(delivery, delivery.claims[-1 - back % len(delivery.claims)])]

    def rows(self) -> dict[str, Row]:
        """How the deliveries of this history stand in the database."""
        ids = [d.id for d in self.deliveries]
        found = self.do(self.store._reads(lambda c: c.execute(_ROWS, {"ids": ids}).all()))
        return {row.id: row for row in found}

    # --- what happens -------------------------------------------------------------------

    @precondition(lambda self: len(self.deliveries) < MOST)
    @rule(kind=KINDS, expires=st.booleans())
    def admit(self, kind: str, expires: bool) -> None:
        delivery = Delivery(n=next(self.run.numbers), kind=kind)
        try:
            made = self._new(delivery, expires)
            assert self.do(self.stage.admit(delivery.n, deliveries=(made,))).fresh
        except StaleSnapshot:
            assert self.behind
        else:
            assert not self.behind
            self.deliveries.append(delivery)

    def _new(self, delivery: Delivery, expires: bool) -> Any:
        given: dict[str, Any] = {"recipient": self.party, "state": delivery.first}
        if delivery.kind == "postvak":
            return self.stage.postvak(delivery.n, **given)
        given |= {"cpa_id": self.cpa, "retries": delivery.retries, "retry_interval": INTERVAL}
        given["duplicate_safe"] = delivery.kind not in {"be", "ack"}
        if expires and delivery.kind != "held":
            given["expires_at"] = self.stage.clock.now() + 4 * INTERVAL
        if delivery.kind == "gated":
            given["approval_id"] = APPROVAL
        if delivery.kind == "held":
            given |= {"ground": str(GateReason.INDIVIDUAL), "next_at": None}
        if delivery.kind == "tampered":
            given["payload_sha256"] = "0" * 64
        return self.stage.delivery(delivery.n, **given)

    @rule(i=st.integers(0, 3), other=st.booleans())
    def admit_again(self, i: int, other: bool) -> None:
        """The same id: the same answer, or a conflict; never a second message."""
        n = self.some(i).n
        changes = {"references": references_of(b"other")} if other else {}
        try:
            admitted = self.do(self.stage.admit(n, deliveries=(), **changes))
        except StaleSnapshot:
            assert self.behind
        except DuplicateConflict:
            assert other
        else:
            assert not self.behind
            assert (admitted.message, admitted.fresh, other) == (f"m-{n}", False, False)

    @rule(
        worker=st.sampled_from(("w1", "w2")),
        limit=st.integers(1, 4),
        wrong=st.sampled_from(("", "", "", "", "stale", "suspended")),
        sealed=st.booleans(),
        answers=st.lists(ANSWERS, max_size=4),
    )
    def work(self, worker: str, limit: int, wrong: str, sealed: bool, answers: list[str]) -> None:
        """Claim, sign and settle: as many as there are answers."""
        claims = self._claim(worker=worker, limit=limit, wrong=wrong)
        for (delivery, claim), answer in zip(claims, answers, strict=False):
            if sealed:
                self._seal(delivery, claim)
            self._settle(delivery, claim, answer)

    def _claim(
        self, *, worker: str, limit: int = 4, wrong: str = ""
    ) -> list[tuple[Delivery, Claim]]:
        try:
            claims = self.do(
                self.stage.claim(
                    worker=worker,
                    limit=limit,
                    approvals=self.approvals,
                    epoch=self.stage.epoch - (wrong == "stale"),
                    suspended=frozenset({self.party} if wrong == "suspended" else ()),
                )
            )
        except StaleSnapshot:
            assert wrong == "stale" or self.behind
            return []
        known = {d.id: d for d in self.deliveries}
        found = [(known[c.delivery], c) for c in claims if c.delivery in known]
        assert not found or not (wrong or self.behind)
        for delivery, claim in found:
            self._claimed(delivery, claim)
        return found

    def _claimed(self, delivery: Delivery, claim: Claim) -> None:
        """A new fence each time: never two live claims with the same."""
        assert delivery.kind in {"rm", "be", "ack", "gated"}
        assert not delivery.stopped
        assert delivery.kind != "gated" or self.approvals
        assert all(claim.fence > earlier.fence for earlier in delivery.claims)
        assert claim.attempt == (delivery.claims[-1].attempt if delivery.claims else 0) + 1
        assert (claim.sealed is not None) == delivery.sealed
        delivery.claims.append(claim)

    @rule(i=st.integers(0, 3), back=st.integers(0, 2))
    def seal(self, i: int, back: int) -> None:
        for delivery, claim in self.a_claim(i, back):
            self._seal(delivery, claim)

    def _seal(self, delivery: Delivery, claim: Claim) -> None:
        try:
            references = self.do(self.stage.seal(claim, b"digest-%d" % delivery.n))
        except StaleSnapshot:
            return
        assert not delivery.sealed
        assert claim is delivery.claims[-1]
        delivery.sealed, delivery.references = True, references

    @rule(
        i=st.integers(0, 3),
        back=st.sampled_from((0, 0, 0, 1, 2)),
        answer=ANSWERS,
        after=st.sampled_from((None, 90, 90_000)),
    )
    def settle(self, i: int, back: int, answer: str, after: int | None) -> None:
        """Late, twice, and by a worker that was thought dead."""
        for delivery, claim in self.a_claim(i, back):
            self._settle(delivery, claim, answer, after)

    def _settle(
        self, delivery: Delivery, claim: Claim, answer: str, after: int | None = None
    ) -> None:
        outcome = self._outcome(delivery, claim, answer, after)
        delivery.two_hundred |= isinstance(outcome, HandedOver)
        settled = self.do(self.store.queue.settle(claim, outcome, ()))
        assert not settled or claim is delivery.claims[-1]

    def _outcome(
        self, delivery: Delivery, claim: Claim, answer: str, after: int | None = None
    ) -> Outcome:
        """As the pipeline decides."""
        now = self.stage.clock.now()
        match answer:
            case "2xx":
                return HandedOver(until=None if delivery.kind == "be" else now + INTERVAL)
            case "404":
                return GaveUp(code="http.404")
            case "gate":
                return HeldAgain(ground=str(GateReason.NO_STANDING_APPROVAL))
            case "ours":
                return ours(now)
            case "lost" if delivery.kind in {"be", "ack"}:
                return LostTrack(code="answer.lost")
            case _:
                return again(claim, answer, now, after)

    @rule(
        i=st.integers(0, 3),
        right=st.sampled_from(("all", "all", "all", "party", "cpa", "id", "digests")),
        required=st.booleans(),
        error=st.sampled_from(("", "", "", "SecurityFailure")),
    )
    def signal(self, i: int, right: str, required: bool, error: str) -> None:
        """Right or wrong in one respect; late, twice and before our own settlement by chance."""
        delivery = self.some(i)
        before = self.rows()[delivery.id]
        digests = references_of(b"wrong") if right == "digests" else delivery.references
        outcome = self.do(
            self.store.signals.receive(
                SignalReceived(
                    party=self.stranger if right == "party" else self.party,
                    cpa_id="another" if right == "cpa" else self.cpa,
                    message_id=f"signal-{delivery.n}",
                    ref_to_message_id=self._message_id(delivery, right=right != "id"),
                    at=self.stage.clock.now(),
                    references=digests,
                    references_required=required,
                    error=error,
                    evidence=b"<signed/>",
                )
            )
        )
        digests_fit = bool(error) or not required or (right != "digests" and delivery.sealed)
        fits = delivery.kind != "postvak" and right in {"all", "digests"} and digests_fit
        event = Event.REFUSE if error else Event.CONFIRM
        waits = event in TRANSITIONS[State(before.state)] and before.attempt > 0
        assert (outcome is SignalOutcome.MATCHED) == (fits and waits)
        if outcome is SignalOutcome.MATCHED:
            delivery.confirmed |= not error
            delivery.refused |= bool(error)

    def _message_id(self, delivery: Delivery, *, right: bool) -> str:
        return f"bericht-{delivery.n}@politie.test" if right else "another@politie.test"

    @rule(i=st.integers(0, 3), stop=st.sampled_from((False, False, True)))
    def decide(self, i: int, stop: bool) -> None:
        """A person resumes or stops it."""
        delivery = self.some(i)
        before = self.rows()[delivery.id]
        decisions = self.store.decisions
        decide = decisions.stop if stop else decisions.resume
        try:
            self.do(decide(delivery.id, who="P. Persoon", why="test"))
        except NoRoute:
            assert delivery.kind == "postvak"
        except PolicyViolation as error:
            expired = error.code == "decision.expired"
            assert expired or before.state not in (STOPPABLE if stop else RESUMABLE)
        else:
            assert before.state in (STOPPABLE if stop else RESUMABLE)
            delivery.stopped = stop

    @rule(worker=st.sampled_from(("w1", "w2", "w3")), own=st.booleans())
    def sweep(self, worker: str, own: bool) -> None:
        under_way = frozenset[str]() if own else None
        self.do(self.store.queue.sweep(worker=worker, under_way=under_way))

    @rule(seconds=st.sampled_from((1, 31, 330, 660, 700, 3600, 90_000, -3, -60, -3600)))
    def time(self, seconds: int) -> None:
        self.stage.clock.forward(seconds=seconds)
        self.latest = max(self.latest, self.stage.clock.at)

    @rule(
        trouble=st.sampled_from(
            ("silence", "silence", "heartbeat", "reopen", "approval", "unseen", "seen")
        )
    )
    def trouble(self, trouble: str) -> None:
        match trouble:
            case "silence":
                self.meddle(SILENCE)
            case "heartbeat":
                self.do(self.store.queue.heartbeat(worker="w1"))
            case "reopen":
                self.do(self.stage.reopen())
                self.store, self.behind = self.stage.store, False
            case "approval":
                self.approvals = frozenset() if self.approvals else frozenset({APPROVAL})
            case _:
                self._directory_changes(seen=trouble != "unseen")

    def _directory_changes(self, *, seen: bool) -> None:
        epoch = self.do(self.store.sync_epoch(f"epoch-{next(self.run.numbers)}"))
        self.behind = not seen
        if seen:
            self.stage.epoch = epoch

    @rule(limit=st.integers(1, 3))
    def take(self, limit: int) -> None:
        if not any(d.kind == "postvak" for d in self.deliveries):
            return
        now = self.stage.clock.now()
        items = self.do(
            self.store.postvak.take(
                gate=InForce(),
                party=self.party,
                applicaties=("Zorgsysteem",),
                consumer="c",
                limit=limit,
                lease=LEASE,
            )
        )
        ours = {d.id: d for d in self.deliveries}
        for item in items:
            delivery = ours[item.delivery]
            assert delivery.kind == "postvak"
            assert not delivery.confirmed
            assert not delivery.refused
            assert item.repeated == (delivery.leased_until is not None)
            assert delivery.leased_until is None or delivery.leased_until <= now
            delivery.leased_until = item.lease_until

    @rule(
        i=st.integers(0, 3), refused=st.booleans(), stranger=st.sampled_from((False, False, True))
    )
    def close(self, i: int, refused: bool, stranger: bool) -> None:
        delivery = self.some(i)
        try:
            first = self._close(delivery, refused=refused, stranger=stranger)
        except NoRoute:
            assert stranger or delivery.kind != "postvak" or delivery.leased_until is None
        except DuplicateConflict:
            assert delivery.confirmed if refused else delivery.refused
        else:
            assert delivery.kind == "postvak"
            assert not stranger
            assert delivery.leased_until is not None
            assert first == (not (delivery.confirmed or delivery.refused))
            delivery.refused, delivery.confirmed = refused, not refused

    def _close(self, delivery: Delivery, *, refused: bool, stranger: bool = False) -> bool:
        return self.do(
            self.store.postvak.close(
                delivery.id,
                party=self.stranger if stranger else self.party,
                refused=refused,
                answer=None,
                events=(),
            )
        )

    # --- the end ------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "deliveries"):
            return
        self.stage.clock.at = self.latest
        for row in self.rows().values():
            nothing_is_stuck(row)
        self._wind_down()
        trails = self.run.new_rows()
        rows = self.rows()
        alarmed = self._alarmed()
        for delivery in self.deliveries:
            self._check(delivery, rows[delivery.id], trails.get(delivery.id, []))
            self._person_knows(delivery, rows[delivery.id], alarmed)
            self.run.ends.add(State(rows[delivery.id].state))
        self.run.histories += 1

    def _wind_down(self) -> None:
        """The partner is silent for ever, the back-end confirms: it must come to an end."""
        self._directory_changes(seen=True)
        self.approvals = frozenset({APPROVAL})
        self.take(limit=MOST)
        for delivery in self.deliveries:
            if delivery.kind == "postvak" and not (delivery.confirmed or delivery.refused):
                delivery.confirmed = self._close(delivery, refused=False)
        for _ in range(3 * (RETRIES + 2)):
            if all(State(r.state) in ENDED | FOR_A_PERSON for r in self.rows().values()):
                return
            self.stage.clock.forward(days=2)
            self.meddle(SILENCE)
            self.do(self.store.queue.sweep(worker="w3", under_way=frozenset()))
            for delivery, claim in self._claim(worker="w3"):
                outcome = self._outcome(delivery, claim, "503")
                self.do(self.store.queue.settle(claim, outcome, ()))
        raise AssertionError(self.rows())

    def _alarmed(self) -> set[tuple[str, str]]:
        ids = {"ids": [d.id for d in self.deliveries]}
        found = self.do(self.store._reads(lambda c: c.execute(_ALARMS, ids).all()))
        return {(row.code, row.subject) for row in found}

    def _person_knows(self, delivery: Delivery, row: Row, alarmed: set[tuple[str, str]]) -> None:
        """An end that nobody wants has an open alarm, and a delivery that arrived has none."""
        open_ = {code for code, subject in alarmed if subject == delivery.id}
        if row.channel != str(DeliveryChannel.EBMS2) or delivery.stopped:
            return
        if State(row.state) in BAD:
            assert f"delivery.{row.state}" in open_
        assert "delivery.unknown" not in open_ or row.state == State.UNKNOWN

    def _check(self, delivery: Delivery, row: Row, trail: list[AuditEvent]) -> None:
        state = State(row.state)
        moves = [e for e in trail if "state" in e.data]
        assert replayed(delivery.first, moves) is state
        claimed = [e for e in moves if e.event in {"delivery.claimed", "postvak.shown"}]
        assert len(claimed) == row.attempt
        if row.channel == str(DeliveryChannel.EBMS2):
            assert failed_by_partner(moves) <= 1 + delivery.retries
            may_be = delivery.confirmed or (delivery.kind == "be" and delivery.two_hundred)
            assert may_be or state is not State.DELIVERED
        assert not delivery.confirmed or state is State.DELIVERED
        assert delivery.refused == (state is State.REFUSED) or delivery.confirmed
        if delivery.kind == "held":
            assert (state, row.attempt) == (State.DEAD if delivery.stopped else State.HELD, 0)


def nothing_is_stuck(row: Row) -> None:
    """Ended, on a person's desk, claimed by a worker with a lease, or with a next moment."""
    if row.state in {State.READY, State.SENT}:
        assert row.next_at is not None
    if row.state == State.CLAIMED:
        assert row.claimed_by
    if row.state == State.READY:
        assert row.ground not in set(GateReason)


def replayed(state: State, moves: list[AuditEvent]) -> State:
    """Walk the audit rows through the table of the lifecycle."""
    for move in moves:
        after = State(move.data["state"])
        assert after in {TRANSITIONS[state].get(e) for e in EVENTS[move.event]}, move
        state = after
    return state


def failed_by_partner(moves: list[AuditEvent]) -> int:
    """Attempts that the partner had a chance to fail, since a person last said: again."""
    failed = 0
    for move, after in zip_longest(moves, moves[1:]):
        if move.event == "delivery.resumed":
            failed = 0
        failed += move.event == "delivery.claimed" and not spared(after)
    return failed


def spared(after: AuditEvent | None) -> bool:
    """Whether what came behind a claim says that the partner had no part in it."""
    if after is None:
        return False
    return after.code in {OURS, "worker.lost"} or after.event == "delivery.held_again"


def tries(claim: Claim) -> int:
    """Attempts that count against the agreement."""
    return claim.tries


def again(claim: Claim, answer: str, now: datetime, after: int | None) -> Outcome:
    """The partner failed, and said perhaps after how many seconds to come back."""
    step = retry.next_try(
        tries(claim),
        now=now,
        dice=0.5,
        interval=claim.retry_interval,
        retries=claim.retries,
        retry_after=None if after is None else timedelta(seconds=after),
    )
    if isinstance(step, retry.GiveUp):
        return GaveUp(code=f"partner.{answer}")
    return TryAgain(at=step.at, code=f"partner.{answer}", down=answer == "down")


def ours(now: datetime) -> TryAgain:
    """A failure of our own."""
    return TryAgain(at=now + timedelta(minutes=1), code=OURS, ours=True)
