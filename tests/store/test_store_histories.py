import asyncio

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from gateway.lifecycle import State
from gateway.store.deliveries import ENDED
from tests.store.histories import FOR_A_PERSON, History, Run

HISTORIES = 1_000
ON_THREADS = 50
"""The same SQLite, through the threads of the serving process: slower, and no other rules."""
STEPS = 10


async def test_a_thousand_histories_keep_every_rule_of_the_lifecycle(stage):
    threads = not stage.inline and not stage.engine.shared
    histories = ON_THREADS if threads else HISTORIES
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
    assert threads or run.ends >= (ENDED | FOR_A_PERSON) - {State.WITHHELD}
    assert await stage.store.verify_chain() is None
