"""Two processes on one PostgreSQL: what is withdrawn in time never leaves, however close it was."""

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.errors import PolicyViolation, Unavailable
from gateway.lifecycle import State
from gateway.store.tables import deliveries, rulings
from gateway.wire.toets import Uitkomst
from tests.store.stage import Stage
from tests.store.test_store_toets import Desk

ROOT = Path(__file__).parents[2]
CLAIMER = Path(__file__).with_name("gate_claimer.py")
ROUNDS = 150
AT_MOST = 0.01
"""Seconds between decision and withdrawal."""


@pytest.fixture
async def desks(url, tmp_path):
    """Two stores of one installation, with a desk each."""
    stages = [
        await Stage(tmp_path, database=url, inline=False, seed=n).open(f"p{n}") for n in (1, 2)
    ]
    made = [Desk(stage) for stage in stages]
    for n, desk in enumerate(made, 1):
        desk.n = n * 10_000  # messages of its own
    yield made
    for stage in stages:
        await stage.store.close()


@asynccontextmanager
async def claimer(stage):
    """Another process that claims; the list grows while it does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CLAIMER),
        str(stage.folder),
        str(stage.database),
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert await process.stdout.readline() == b"ready\n"
    claimed = []

    async def listen():
        while line := await process.stdout.readline():
            claimed.append(line.decode().strip())

    listening = asyncio.create_task(listen())
    yield claimed
    process.stdin.close()
    await listening
    assert await process.wait() == 0


async def withdraw(desk, ruling):
    """As the pipeline does: look, and think again when it moved. Tells whether it was in time."""
    while True:
        late = bool(await desk.stage.store.holds.late(ruling))
        try:
            await desk.withdraw(ruling, late=late)
        except Unavailable as error:
            if error.code != "toets.moved":
                raise
        else:
            return not late


async def test_a_withdrawal_and_a_claim_are_never_both(desks):
    desk = desks[0]
    in_time = set()
    async with claimer(desk.stage) as claimed:
        for n in range(1, ROUNDS + 1):
            hold = await desk.hold(n)
            await desk.decide(hold)
            await asyncio.sleep(desk.stage.dice.unit() * AT_MOST)
            if await withdraw(desk, f"B-{hold.id}"):
                in_time.add(f"d-{n}")
        await asyncio.sleep(0.5)

    assert set(claimed).isdisjoint(in_time)
    assert set(claimed) | in_time == {f"d-{n}" for n in range(1, ROUNDS + 1)}
    assert len(claimed) == len(set(claimed)) > ROUNDS / 20
    assert len(in_time) > ROUNDS / 20
    states = {row.id: row.state for row in desk.rows(deliveries)}
    assert {states[id_] for id_ in in_time} == {State.HELD}
    assert await desk.stage.store.verify_chain() is None


async def test_of_two_who_decide_at_once_one_counts(desks):
    first, second = desks
    outcomes = []
    for n in range(1, 31):
        hold = await first.hold(n)
        outcomes += await asyncio.gather(
            first.decide(hold, id=f"A-{n}"),
            second.decide(hold, id=f"B-{n}", outcome=Uitkomst.NIET),
            return_exceptions=True,
        )

    refused = [one for one in outcomes if isinstance(one, Exception)]
    assert {type(one) for one in refused} <= {Unavailable, PolicyViolation}
    assert len(refused) == 30
    kept = [row.delivery for row in first.rows(rulings)]
    assert sorted(kept) == sorted(f"d-{n}" for n in range(1, 31))
