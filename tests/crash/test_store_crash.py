import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.lifecycle import State
from tests.store.stage import Stage

ROOT = Path(__file__).parents[2]
WRITER = Path(__file__).with_name("crash_writer.py")


def _write_until_killed(folder: Path, database: str, start: int, *, lines: int) -> list[str]:
    """Return what the process promised before `kill -9` hit it in the middle of its work."""
    command = [sys.executable, str(WRITER), str(folder), database, str(start)]
    with subprocess.Popen(
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        promised = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        promised += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    return [line.strip() for line in promised if line.endswith("\n")]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def crashed(request, tmp_path_factory):
    """A store whose process was killed three times, and all that it had promised."""
    folder = tmp_path_factory.mktemp("crashed")
    database = str(folder / "gateway.db")
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").create("crashed")
    promised = []
    for n, lines in enumerate((150, 47, 303)):
        promised += _write_until_killed(folder, database, 1_000_000 * n, lines=lines)
    return Stage(folder, database=database, inline=True, seed=99), promised


async def test_nothing_that_was_answered_is_lost(crashed):
    stage, promised = crashed
    await stage.open()

    views = {id_: await stage.store.reader.message(id_) for id_ in promised if id_[0] == "m"}
    payloads = [await stage.store.payloads.get(v.message.payload_id) for v in views.values() if v]
    broken = await stage.store.verify_chain()
    await stage.store.close()

    assert len(views) > 300
    assert all(view is not None and len(view.deliveries) == 1 for view in views.values())
    assert all(octets.startswith(b"<bericht>") for octets in payloads)
    assert broken is None


async def test_nothing_is_stored_by_halves(crashed):
    stage, _ = crashed
    await stage.open()

    known = await stage.store.reader.messages(party=None, before=None, limit=10_000)
    views = [await stage.store.reader.message(k.id) for k in known]
    await stage.store.close()

    assert all(len(v.deliveries) == 1 for v in views)
    assert all(
        {"message.received", "message.admitted"} <= {r.event.event for r in v.trace} for v in views
    )


async def test_what_was_claimed_by_the_dead_is_claimed_again(crashed):
    stage, promised = crashed
    await stage.open()
    claimed = [id_.removeprefix("c-d-") for id_ in promised if id_.startswith("c-")]

    if stage.engine.shared:
        stage.silence("w1")  # on SQLite whoever opens it knows that all others are gone
    await stage.store.queue.sweep(worker="w2")
    states = {await stage.state(n) for n in claimed}
    figures = await stage.store.reader.figures()
    await stage.store.close()

    assert claimed
    assert states == {State.READY}
    assert figures["delivery.claimed"] == 0
