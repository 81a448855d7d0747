"""A hundred thousand random lives of one delivery, through what decides and nothing else."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

from gateway.errors import (
    CertificateRejected,
    GatewayError,
    Malformed,
    Misconfigured,
    OutcomeUnknown,
    PeerUnreachable,
    RevocationUnknown,
    StoreUnavailable,
)
from gateway.lifecycle import TRANSITIONS, Event, State, advance
from gateway.message import Oin
from gateway.pipeline.deliver import Delivering
from gateway.ports import (
    Answer,
    Claim,
    DeliveryChannel,
    DeliveryKind,
    Direction,
    HandedOver,
    HeldAgain,
    Known,
    Outcome,
    TryAgain,
)
from gateway.rules import retry
from gateway.store.deliveries import ENDED
from gateway.store.queue import _change
from tests.flow.town import HUB, NOW, SERVICE, VT, directory

HISTORIES = 100_000
SEED = 20261125
LONGEST = 400
FOR_A_PERSON = frozenset({State.HELD, State.UNKNOWN})
KINDS = ("best effort", "reliable", "acknowledged, copies not noticed")
PROFILE = {"best effort": "osb-be"}
PARTNER = (
    PeerUnreachable("peer.unreachable", "no connection"),
    PeerUnreachable("peer.tls", "refused"),
    OutcomeUnknown("answer.lost", "no answer"),
    OutcomeUnknown("answer.timeout", "no answer"),
    CertificateRejected("peer.certificate", "not the party"),
)
OURS = (
    RevocationUnknown("revocation.stale", "no fresh list"),
    StoreUnavailable("store.full", "disk full"),
    Misconfigured("keys.missing", "no key"),
)
BUGS = (GatewayError("payload.tampered", "not what was stored"), Malformed("x.y", "unreadable"))
STATUSES = (200, 202, 204, 301, 400, 403, 404, 408, 410, 425, 429, 500, 501, 502, 503, 504, 505)
AFTER = (None, None, timedelta(0), timedelta(seconds=90), timedelta(days=400))


class Clock:
    def __init__(self):
        self.at = NOW

    def now(self):
        return self.at


@cache
def agreement(profile: str) -> str:
    return next(a for a in directory(HUB, profile).agreements if "veilig-thuis" in a.lower())


@cache
def snapshots(profile: str):
    current = directory(HUB, profile)
    return SimpleNamespace(current=lambda: current)


@cache
def claim(profile: str) -> Claim:
    known = Known(
        id="m",
        at=NOW,
        direction=Direction.INBOUND,
        party=VT,
        cpa_id="",
        message_id="m@x",
        conversation_id="c",
        kind="vtMeldingDi01",
        version="1.0.9",
        zender=VT,
        zender_applicatie="",
        ontvanger=VT,
        ontvanger_applicatie="",
        referentienummer="r",
        cross_refnummer="",
        content_sha256="",
        references=(),
        accepted=True,
        payload_id="p",
        acknowledgment=None,
        answer="",
    )
    return Claim(
        delivery="d",
        fence=1,
        attempt=1,
        recipient=Oin(VT),
        channel=DeliveryChannel.EBMS2,
        kind=DeliveryKind.MESSAGE,
        cpa_id=agreement(profile),
        service=SERVICE,
        action="vtMeldingDi01",
        ground="doorgestuurd",
        approval_id="",
        table_version="",
        payload_sha256="",
        retries=0,
        retry_interval=timedelta(0),
        expires_at=None,
        sealed=None,
        duplicate_safe=True,
        twice=False,
        spared=0,
        message=known,
    )


@dataclass
class Life:
    """One delivery. What nature and the partner do is thrown; what we do is the real code."""

    dice: random.Random
    clock: Clock
    kind: str
    retries: int
    interval: timedelta
    delivering: Delivering
    state: State = State.READY
    attempt: int = 0
    spared: int = 0
    """Attempts that do not count against the agreement, by the real rules."""
    counted: int = 0
    """Attempts that were the partner's to fail."""
    next_at: datetime | None = NOW
    expires_at: datetime | None = None
    path: list[tuple[State, Event, State]] = field(default_factory=list)
    why: str = ""

    @property
    def acknowledged(self) -> bool:
        return self.kind != "best effort"

    @property
    def safe(self) -> bool:
        """Whether the receiver notices a copy."""
        return self.kind == "reliable"

    def move(self, event: Event, why: str, *, next_at: datetime | None = None) -> None:
        before, self.state = self.state, advance(self.state, event)
        self.path.append((before, event, self.state))
        self.why, self.next_at = why, next_at

    def over(self) -> bool:
        """Ended and nothing comes late, or on a person's desk who does nothing today."""
        chance = self.dice.random()
        if self.state in {State.DEAD, State.WITHHELD, State.REPLACED}:
            return chance < 0.9
        return self.state in ENDED or (self.state in FOR_A_PERSON and chance < 0.6)

    def step(self) -> None:
        if Event.REPLACE in TRANSITIONS[self.state] and self.dice.random() < 0.03:
            self.move(Event.REPLACE, "person")
        else:
            getattr(self, f"_{self.state}")()

    # --- each state, and what can happen in it ------------------------------------------

    def _dead(self) -> None:
        self.move(Event.CONFIRM, "signal")

    def _replaced(self) -> None:
        """Acknowledged over the route of before, after all."""
        self.move(Event.CONFIRM, "signal")

    def _withheld(self) -> None:
        """Of an attempt before it was held again."""
        self.move(Event.CONFIRM, "signal")

    def _held(self) -> None:
        chance = self.dice.random()
        if chance < 0.1 and self.attempt:
            self._signal()
        elif chance < 0.5:
            self.move(Event.RELEASE, "released", next_at=self.clock.at)
        elif chance < 0.8:
            self.move(Event.WITHHOLD, "refused by the OM")
        else:
            self.move(Event.GIVE_UP, "person")

    def _ready(self) -> None:
        chance = self.dice.random()
        if chance < 0.03:
            self.move(Event.HOLD_AGAIN, "gate")
        elif chance < 0.08 and self.attempt:
            self._signal()
        elif chance < 0.11 and self.attempt:
            self._late_success()
        else:
            self._wait()
            if self._expired():
                return
            self.attempt += 1
            self.counted += 1
            self.move(Event.CLAIM, "claimed")

    def _claimed(self) -> None:
        chance = self.dice.random()
        if chance < 0.04:
            self._signal()
        elif chance < 0.10:
            self._worker_lost()
        elif chance < 0.14:
            self.counted -= 1
            self._settle(HeldAgain(ground="geen-doorlopende-toestemming"))
        else:
            self._settle(self._attempted())

    def _sent(self) -> None:
        chance = self.dice.random()
        if chance < 0.3:
            self._signal()
            return
        if chance < 0.35:
            self._late_success()
            return
        self._wait()
        if self._expired():
            return
        step = retry.after_timeout(
            self.attempt - self.spared,
            now=self.clock.at,
            dice=self.dice.random(),
            interval=self.interval,
            retries=self.retries,
            duplicate_safe=self.safe,
        )
        match step:
            case retry.Again(at=at):
                self.move(Event.RETRY, "ack.overdue", next_at=at)
            case retry.GiveUp():
                self.move(Event.GIVE_UP, "ack.overdue")
            case retry.LoseTrack():
                self.move(Event.LOSE_TRACK, "ack.overdue")

    def _unknown(self) -> None:
        event = self.dice.choice((Event.RESUME, Event.GIVE_UP, Event.CONFIRM, Event.REFUSE))
        self.move(event, "person", next_at=self.clock.at if event is Event.RESUME else None)
        if event is Event.RESUME:  # a person grants all tries again
            self.spared, self.counted = self.attempt, 0

    # --- the parts ----------------------------------------------------------------------

    def _wait(self) -> None:
        assert self.next_at is not None, f"{self.state} waits for nothing"
        self.clock.at = max(self.clock.at, self.next_at)

    def _expired(self) -> bool:
        if self.expires_at is None or self.clock.at < self.expires_at:
            return False
        self.move(Event.GIVE_UP, "expired")
        return True

    def _signal(self) -> None:
        confirmed = self.dice.random() < 0.8
        self.move(Event.CONFIRM if confirmed else Event.REFUSE, "signal")

    def _late_success(self) -> None:
        """A worker that was thought dead handed it over after all."""
        self._settle(self._handed_over())

    def _handed_over(self) -> HandedOver:
        until = self.clock.at + max(self.interval, timedelta(seconds=1))
        return HandedOver(until=until if self.acknowledged else None)

    def _worker_lost(self) -> None:
        """That it died is our own trouble: the partner keeps the try."""
        self.counted -= 1
        if self.safe or self.dice.random() < 0.5:  # never signed, so never left
            self.spared += 1
            self.move(Event.RETRY, "worker.lost", next_at=self.clock.at)
        else:
            self.move(Event.LOSE_TRACK, "worker.lost")

    def _attempted(self) -> Outcome:
        """What the partner does, and what `Delivering` makes of it."""
        now = replace(
            claim(PROFILE.get(self.kind, "osb-rm")),
            attempt=self.attempt,
            spared=self.spared,
            duplicate_safe=self.safe,
            retries=self.retries,
            retry_interval=self.interval,
        )
        chance = self.dice.random()
        if chance < 0.45:
            status = self.dice.choice(STATUSES)
            if status < 300:
                return self._handed_over()
            answer = Answer(status=status, retry_after=self.dice.choice(AFTER))
            return self.delivering._http_failure(now, answer, [])
        if chance < 0.55:
            self.counted -= 1
            return self.delivering._failed(now, self.dice.choice(OURS), [])
        errors = PARTNER if chance < 0.98 else BUGS
        return self.delivering._failed(now, self.dice.choice(errors), [])

    def _settle(self, outcome: Outcome) -> None:
        change = _change(outcome)
        self.spared += isinstance(outcome, TryAgain) and outcome.ours
        self.move(change.event, change.code or change.audit, next_at=change.next_at)


def born(dice: random.Random) -> Life:
    clock = Clock()
    kind = dice.choice(KINDS)
    house: Any = SimpleNamespace(
        clock=clock,
        dice=SimpleNamespace(unit=dice.random),
        snapshots=snapshots(PROFILE.get(kind, "osb-rm")),
        worker="w",
    )
    reliable = kind != "best effort"
    retries = dice.randrange(6) if reliable else 0
    interval = timedelta(seconds=dice.choice((0, 5, 600, 10_800))) if reliable else timedelta(0)
    life = Life(
        dice=dice,
        clock=clock,
        kind=kind,
        retries=retries,
        interval=interval,
        delivering=Delivering(house, house),
    )
    if dice.random() < 0.1:
        life.state, life.next_at, life.why = State.HELD, None, "gate"
    if dice.random() < 0.7:
        life.expires_at = NOW + max((1 + retries) * interval, timedelta(days=dice.randrange(3)))
    return life


def lived(dice: random.Random) -> Life:
    life = born(dice)
    for _ in range(LONGEST):
        if life.over():
            return life
        life.step()
    raise AssertionError(f"no end after {LONGEST} steps: {life}")


def check(life: Life) -> None:
    for before, event, after in life.path:
        assert TRANSITIONS[before][event] is after
        assert before is not State.HELD or event in TRANSITIONS[State.HELD]
        assert after is not State.CLAIMED or before is State.READY
    assert life.state in ENDED | FOR_A_PERSON
    assert life.why
    assert life.counted <= 1 + life.retries
    if life.state is State.DELIVERED and life.acknowledged:
        assert life.why in {"signal", "person"}
    sent = [after for _, event, after in life.path if event is Event.HAND_OVER]
    assert life.acknowledged or not sent


def test_a_hundred_thousand_lives_are_legal_and_each_ends_or_is_on_a_persons_desk():
    dice = random.Random(SEED)
    ends: Counter[State] = Counter()
    walked: set[tuple[State, Event, State]] = set()
    for _ in range(HISTORIES):
        life = lived(dice)
        check(life)
        ends[life.state] += 1
        walked.update(life.path)

    # The lives go everywhere: what they did not pass, they did not prove.
    assert set(ends) == ENDED | FOR_A_PERSON
    table = {(s, e, after) for s, events in TRANSITIONS.items() for e, after in events.items()}
    assert walked == table


def test_the_partner_gets_every_try_of_the_agreement_whatever_our_own_troubles():
    dice = random.Random(SEED + 1)
    gave_up = 0
    for _ in range(20_000):
        life = lived(dice)
        held = (State.CLAIMED, Event.HOLD_AGAIN, State.HELD) in life.path
        if life.why == "ack.overdue" and life.state is State.DEAD and not held:
            gave_up += 1
            assert life.counted == 1 + life.retries
    assert gave_up > 100
