"""Housekeeping in several processes on one PostgreSQL, and beside the traffic."""

import asyncio
from contextlib import contextmanager
from datetime import timedelta

import pytest

from gateway.config import InstallationRole, RetentionSettings
from gateway.lifecycle import State
from gateway.rules.retention import Terms
from tests.store.stage import LARGE, Stage
from tests.store.test_store_retention import alive, delivered

HUB = Terms.of(RetentionSettings(), InstallationRole.KNOOPPUNT)
HOUR = timedelta(hours=1)


@pytest.fixture
async def both(url, tmp_path):
    """Two processes of one installation, with the epoch keys in one folder."""
    one = await Stage(tmp_path, database=url, inline=False, seed=1).open()
    two = await Stage(tmp_path, database=url, inline=False, seed=2).open()
    two.clock = one.clock
    yield one, two
    for stage in (one, two):
        await stage.store.close()


@contextmanager
def under_way(stage, statement):
    """Somebody else's change that is not committed yet."""
    connection = stage.engine.writer()
    stage.engine.begin(connection)
    connection.exec_driver_sql(statement)
    try:
        yield
        stage.engine.commit(connection)
    finally:
        connection.close()


async def test_two_housekeepers_destroy_each_message_once(both):
    one, two = both
    await delivered(one, *range(1, 31))
    one.clock.forward(hours=25)

    # What one has in hand the other passes over; what both passed over waits for the next round.
    done = await asyncio.gather(*(s.store.retention.dispose(HUB, {}) for s in both * 3))
    done += await asyncio.gather(*(s.store.retention.dispose(HUB, {}) for s in both))
    assert sum(done) == 30

    for n in range(1, 31):
        assert await alive(two, n) == [False, False]
        assert (await one.trace(n)).count("payload.destroyed") == 1
    assert await one.store.verify_chain() is None


async def test_two_housekeepers_that_move_the_same_keys_lose_nothing(both):
    one, _ = both
    for n in range(1, 21):
        await one.admit(n, deliveries=(one.delivery(n, state=State.HELD),))
    one.clock.forward(hours=40)

    for _ in range(3):
        await asyncio.gather(
            *(s.store.retention.rekey(age=36 * HOUR, backup=timedelta(0)) for s in both * 2)
        )

    for n in range(1, 21):
        assert await alive(one, n) == [True]
    events = await one.store.reader.audit(after=0, limit=1000)
    assert "epoch_key.destroyed" in {row.event.event for row in events}
    assert await one.store.verify_chain() is None


async def test_octets_that_are_being_admitted_this_moment_are_not_swept(both):
    one, _ = both
    stored = await one.store.payloads.put(LARGE)
    one.clock.forward(hours=2)

    change = f"UPDATE payloads SET referenced = TRUE WHERE id = '{stored.id}'"
    with under_way(one, change):
        assert await one.store.payloads.sweep_orphans(HOUR) == 0

    assert await one.store.payloads.sweep_orphans(HOUR) == 0
    assert await one.store.payloads.get(stored.id) == LARGE


async def test_an_answer_that_comes_while_housekeeping_looks_is_not_forgotten(both):
    one, _ = both
    await delivered(one, 1)
    one.clock.forward(hours=25)

    with under_way(one, "UPDATE deliveries SET dispose_at = dispose_at + 1 WHERE id = 'd-1'"):
        assert await one.store.retention.dispose(HUB, {}) == 0
        assert await alive(one) == [True, True]

    assert await one.store.retention.dispose(HUB, {}) == 1
