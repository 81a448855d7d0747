"""Officers at two processes of one installation, on the same request at the same moment."""

import asyncio

import pytest

from gateway.errors import PolicyViolation
from gateway.ports.toets import VerdictState
from tests.store.stage import Stage
from tests.store.test_store_desk import Desk

ROUNDS = 12
OVER = {VerdictState.WITHDRAWN, VerdictState.REJECTED}


@pytest.fixture
async def desks(url, tmp_path):
    stages = [
        await Stage(tmp_path, database=url, inline=False, seed=seed).open() for seed in (1, 2)
    ]
    made = [Desk(stage) for stage in stages]
    made[1].n = 1_000  # messages of its own
    yield made
    for stage in stages:
        await stage.store.close()


async def confirm(desk, verdict):
    desk.n += 1
    answer = await desk.stage.admission(desk.n, deliveries=())
    await desk.stage.store.desk.second(verdict, officer="bos", answer=answer)


async def reject(desk, verdict):
    await desk.stage.store.desk.second(verdict, officer="claes", answer=None, why="eerst lezen")


async def withdraw(desk, verdict):
    await desk.stage.store.desk.withdraw(
        verdict, officer="anders", why="bij nader inzien", message=None
    )


async def settled(*attempts):
    """Return which were done; the others were refused by a rule, and by nothing else."""
    done = await asyncio.gather(*attempts, return_exceptions=True)
    for outcome in done:
        assert outcome is None or isinstance(outcome, PolicyViolation), outcome
    return [outcome is None for outcome in done]


async def test_a_proposal_is_confirmed_or_ended_never_both(desks):
    one, two = desks
    for n in range(ROUNDS):
        id_ = await one.asked()
        await one.decide(id_, state=VerdictState.PROPOSED)
        ways = [confirm(one, f"b-{id_}"), withdraw(two, f"b-{id_}"), reject(two, f"b-{id_}")]
        order = ways if n % 2 else ways[::-1]

        done = await settled(*order)

        verdict = await one.stage.store.desk.verdict(f"b-{id_}")
        closed = (await one.stage.store.desk.request(id_)).closed_at is not None
        assert sum(done) == 1
        assert closed is (verdict.state is VerdictState.GIVEN)
        assert closed or verdict.state in OVER


async def test_of_two_officers_who_decide_one_does(desks):
    one, two = desks
    for n in range(ROUNDS):
        id_ = await one.asked()
        proposed = VerdictState.PROPOSED if n % 2 else VerdictState.GIVEN

        done = await settled(
            one.decide(id_, state=proposed), two.decide(id_, id=f"c-{id_}", officer="bos")
        )

        assert sum(done) == 1
        assert len(await one.stage.store.desk.verdicts(id_)) == 1


async def test_of_two_officers_who_take_it_one_has_it(desks):
    one, two = desks
    for _ in range(ROUNDS):
        id_ = await one.asked()
        until = (await one.stage.store.desk.request(id_)).deadline

        done = await settled(
            one.stage.store.desk.take(id_, officer="anders", until=until),
            two.stage.store.desk.take(id_, officer="bos", until=until),
        )

        assert sum(done) == 1
        holder = (await one.stage.store.desk.request(id_)).claimed_by
        assert holder == ("anders" if done[0] else "bos")
