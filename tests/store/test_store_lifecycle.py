import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import PolicyViolation
from gateway.lifecycle import TRANSITIONS, State
from gateway.ports import GaveUp, HandedOver, HeldAgain, LostTrack, SignalReceived, TryAgain
from gateway.store.deliveries import ENDED
from tests.store.stage import CPA, VT, Stage

FOR_A_PERSON = frozenset({State.HELD, State.UNKNOWN})
EXPIRES = timedelta(hours=2)
MOVES = (
    "claim",
    "sent",
    "again",
    "down",
    "gave-up",
    "lost",
    "held",
    "stale-sent",
    "stale-again",
    "acknowledged",
    "refused",
    "suspended",
    "time",
    "silence",
    "resumed",
    "stopped",
)


def _ways(state: State, seen: tuple[State, ...] = ()) -> Iterator[State]:
    yield state
    for after in set(TRANSITIONS[state].values()) - set(seen) - {state}:
        yield from _ways(after, (*seen, state))


def test_from_every_state_there_is_a_way_to_the_end():
    assert all(ENDED & set(_ways(state)) for state in State)


def test_only_a_late_confirmation_leaves_the_end():
    leaving = {(s, after) for s in ENDED for after in TRANSITIONS[s].values()}

    assert leaving == {
        (State.DEAD, State.DELIVERED),
        (State.WITHHELD, State.DELIVERED),
        (State.REPLACED, State.DELIVERED),
        (State.DEAD, State.REPLACED),
    }


class Life:
    """One delivery, and everything that can happen to it in any order."""

    def __init__(self, stage: Stage):
        self.stage = stage
        self.claims = []
        self.states = [State.READY]
        self.alarms: list[str] = []
        self.owed = 0

    async def begin(self, *, duplicate_safe):
        delivery = self.stage.delivery(
            1, expires_at=self.stage.clock.now() + EXPIRES, duplicate_safe=duplicate_safe
        )
        await self.stage.admit(1, deliveries=(delivery,))

    async def do(self, move: str):
        await getattr(self, "_" + move.replace("-", "_"))()
        self.states.append(await self.stage.state())

    async def _claim(self, **changes):
        self.claims += await self.stage.claim(**changes)

    async def _suspended(self):
        await self._claim(suspended=frozenset({VT}))

    async def _settle(self, outcome, *, which=-1):
        if self.claims:
            await self.stage.store.queue.settle(self.claims[which], outcome, ())

    def _soon(self):
        return self.stage.clock.now() + timedelta(minutes=7)

    async def _sent(self):
        await self._settle(HandedOver(until=self._soon()))

    async def _stale_sent(self):
        await self._settle(HandedOver(until=self._soon()), which=0)

    async def _again(self):
        await self._settle(TryAgain(at=self._soon(), code="http.500"))

    async def _stale_again(self):
        await self._settle(TryAgain(at=self._soon(), code="http.500"), which=0)

    async def _down(self):
        await self._settle(TryAgain(at=self._soon(), code="http.503", down=True))

    async def _gave_up(self):
        await self._settle(GaveUp(code="http.404"))

    async def _lost(self):
        await self._settle(LostTrack(code="network.lost"))

    async def _held(self):
        await self._settle(HeldAgain(ground="individueel"))

    async def _signal(self, error=""):
        signal = SignalReceived(
            party=VT,
            cpa_id=CPA,
            message_id="signal",
            ref_to_message_id="bericht-1@politie.test",
            at=self.stage.clock.now(),
            error=error,
        )
        await self.stage.store.signals.receive(signal)

    async def _acknowledged(self):
        await self._signal()

    async def _refused(self):
        await self._signal("SecurityFailure")

    async def _resumed(self):
        with suppress(PolicyViolation):
            await self.stage.store.decisions.resume("d-1", who="jansen", why="nog eens")

    async def _stopped(self):
        with suppress(PolicyViolation):
            await self.stage.store.decisions.stop("d-1", who="jansen", why="klaar")

    async def _time(self):
        self.stage.clock.forward(minutes=7)
        await self.stage.store.queue.heartbeat(worker="w1")
        await self.stage.store.queue.sweep(worker="w1")

    async def _silence(self):
        self.stage.clock.forward(minutes=7)
        self.stage.silence("w1")
        await self.stage.store.queue.sweep(worker="w2")


async def _live(moves: list[str], folder: Path, empty: Path, *, duplicate_safe: bool) -> Life:
    shutil.copy(empty, folder / "gateway.db")
    stage = await Stage(folder, inline=True).open()
    try:
        life = Life(stage)
        await life.begin(duplicate_safe=duplicate_safe)
        for move in moves:
            await life.do(move)
        stage.clock.at += EXPIRES
        for _ in range(2):
            await life.do("silence")
        assert await stage.store.verify_chain() is None
        life.alarms = [a.code for a in await stage.store.reader.alarms(limit=9)]
        life.owed = len(await stage.store.undeliverable.owed(limit=9))
    finally:
        await stage.store.close()
    return life


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=st.lists(st.sampled_from(MOVES), max_size=12), duplicate_safe=st.booleans())
def test_every_life_ends_or_waits_for_a_person(moves, duplicate_safe, empty):
    with tempfile.TemporaryDirectory() as folder:
        life = asyncio.run(_live(moves, Path(folder), empty, duplicate_safe=duplicate_safe))

    assert life.states[-1] in ENDED | FOR_A_PERSON
    ends = [s for s in life.states if s in {State.DELIVERED, State.REFUSED}]
    assert len(set(ends)) <= 1
    assert life.owed == (life.states[-1] in {State.DEAD, State.REFUSED})
    assert ("delivery.unknown" in life.alarms) is (life.states[-1] is State.UNKNOWN)
    if life.states[-1] in {State.DELIVERED, State.HELD}:
        assert life.alarms == []
