"""No claim without a word of the OM, whatever happens in between."""

import os
from collections import Counter

import sqlalchemy as sa

from gateway.store.tables import rulings
from tests.store.gate_histories import History

HISTORIES = 1_000 if os.environ.get("ALL_HISTORIES") else 250
"""`make histories` plays them all."""
ON_THREADS = 30
"""The same SQLite, through the threads of the serving process: slower, and no other rules."""


async def test_lives_of_held_deliveries_with_crashes_in_between(stage):
    threads = not stage.inline and not stage.engine.shared
    histories = ON_THREADS if threads else HISTORIES
    seen: Counter[str] = Counter()
    eyes = stage.engine.writer()
    for k in range(1, histories + 1):
        await History(stage, k, seen, eyes).play()

    assert seen["crashes"] > histories / 4
    assert seen["by decision"] > histories / 8
    assert seen["by approval"] > histories / 8
    assert seen["withdrawn"] > histories / 20
    assert await stage.store.verify_chain() is None
    twice = eyes.execute(
        sa.select(rulings.c.delivery)
        .where(rulings.c.releases, rulings.c.ended_at.is_(None))
        .group_by(rulings.c.delivery)
        .having(sa.func.count() > 1)
    ).all()
    eyes.close()
    assert twice == []
