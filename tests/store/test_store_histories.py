import asyncio
import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from gateway.lifecycle import State
from gateway.store.deliveries import ENDED
from tests.store.histories import FOR_A_PERSON, History, Run

HISTORIES = 1_000 if os.environ.get("ALL_HISTORIES") else 250
"""`make histories` plays them all."""
ON_THREADS = 50
"""The same SQLite, through the threads of the serving process: slower, and no other rules."""
STEPS = 10
ELSEWHERE = {State.WITHHELD, State.REPLACED}
"""By the OM, and by a switch to another channel: these histories have neither."""


def many(stage) -> int:
    threads = not stage.inline and not stage.engine.shared
    return ON_THREADS if threads else HISTORIES


async def test_random_histories_keep_every_rule_of_the_lifecycle(stage):
    histories = many(stage)
    run = Run(stage=stage, loop=asyncio.get_running_loop())
    machine = type("OneHistory", (History,), {"run": run})

    await asyncio.to_thread(
        run_state_machine_as_test,
        machine,
        settings=settings(
            max_examples=histories,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )

    assert run.histories >= histories
    assert histories == ON_THREADS or run.ends >= (ENDED | FOR_A_PERSON) - ELSEWHERE
    assert await stage.store.verify_chain() is None
