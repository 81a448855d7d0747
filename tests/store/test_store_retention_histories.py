"""Random histories: whatever was done in whatever order, what lives can be read."""

import os
import random
from datetime import timedelta

import pytest

from gateway.config import InstallationRole, RetentionSettings
from gateway.errors import GatewayError
from gateway.lifecycle import ENDED, State
from gateway.ports import GaveUp, HandedOver, LostTrack, TryAgain
from gateway.rules.retention import Terms
from tests.store.test_store_retention import acknowledge

STEPS = 60
LIVES = 12 if os.environ.get("ALL_HISTORIES") else 4
"""`make histories` plays them all."""
HUB = Terms.of(RetentionSettings(), InstallationRole.KNOOPPUNT)


class History:
    """One random life of a knooppunt, with its housekeeping at any moment."""

    def __init__(self, stage, seed):
        self.stage = stage
        self.dice = random.Random(seed)
        self.count = 0

    async def step(self):
        ways = (self.admit, self.send, self.send, self.answer, self.wait, self.keep, self.orphan)
        await self.dice.choice(ways)()

    async def admit(self):
        self.count += 1
        state = self.dice.choice([State.READY, State.READY, State.HELD])
        made = [self.stage.delivery(self.count, state=state)]
        if self.dice.random() < 0.2:
            made.append(self.stage.postvak(f"p{self.count}"))
        await self.stage.admit(self.count, deliveries=tuple(made))

    async def send(self):
        for claim in await self.stage.claim(limit=3):
            if claim.sealed is None:
                await self.stage.seal(claim, b"digest")
            now = self.stage.clock.now()
            outcome = self.dice.choice(
                [
                    HandedOver(until=now + timedelta(hours=1)),
                    TryAgain(at=now, code="peer.unreachable"),
                    GaveUp(code="http.404"),
                    LostTrack(code="peer.silent"),
                    None,
                ]
            )
            if outcome is not None:
                await self.stage.store.queue.settle(claim, outcome, ())

    async def answer(self):
        if self.count:
            error = self.dice.choice(["", "", "", "DeliveryFailure"])
            await acknowledge(self.stage, self.dice.randint(1, self.count), error=error)

    async def wait(self):
        self.stage.clock.forward(hours=self.dice.choice([1, 5, 23, 40]))
        await self.stage.store.queue.sweep(worker="w1", under_way=frozenset())

    async def orphan(self):
        await self.stage.store.payloads.put(b"orphan")

    async def keep(self):
        await self.stage.store.retention.dispose(HUB, {})
        await self.stage.store.payloads.sweep_orphans(timedelta(hours=1))
        backup = timedelta(hours=self.dice.choice([0, 24]))
        await self.stage.store.retention.rekey(age=timedelta(hours=36), backup=backup)

    async def check(self):
        for row in self.stage.rows(
            "SELECT m.payload_id, d.sealed_id, d.state, d.delivered_at, d.message"
            " FROM deliveries d JOIN messages m ON m.id = d.message"
        ):
            if State(row.state) not in ENDED:
                for id_ in filter(None, (row.payload_id, row.sealed_id)):
                    assert await self.stage.store.payloads.get(id_)

    async def check_gone(self):
        """After a day and a last run nothing that ended can be read."""
        self.stage.clock.forward(hours=24)
        await self.stage.store.retention.dispose(HUB, {})
        self.stage.clock.forward(hours=24)
        await self.stage.store.retention.dispose(HUB, {})
        live = [str(state) for state in State if state not in ENDED]
        names = ", ".join(f"'{state}'" for state in live)
        rows = self.stage.rows(
            "SELECT payload_id, id FROM messages WHERE id NOT IN"
            f" (SELECT message FROM deliveries WHERE state IN ({names}))"
        )
        for row in rows:
            with pytest.raises(GatewayError):
                await self.stage.store.payloads.get(row.payload_id)
            trace = await self.stage.store.reader.message(row.id)
            gone = [r for r in trace.trace if r.event.event == "payload.destroyed"]
            assert len(gone) == 1


@pytest.mark.parametrize("seed", range(LIVES))
async def test_what_lives_can_be_read_and_what_ended_goes(stage, seed):
    history = History(stage, seed)

    for _ in range(STEPS):
        await history.step()
        await history.check()

    await history.check_gone()
    assert await stage.store.verify_chain() is None
