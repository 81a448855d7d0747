"""Up to where a table has all its rows: what commits later has a higher number."""

import asyncio
from datetime import timedelta

import sqlalchemy as sa

from gateway.errors import StoreUnavailable
from gateway.ports import Clock
from gateway.store.engine import Engine
from gateway.store.reading import Reads

PATIENCE = timedelta(seconds=3)
"""How long it is waited for what is being committed."""
_LOOK_AGAIN = 0.005


async def settled(reads: Reads, engine: Engine, clock: Clock, table: sa.Table) -> int:
    """Return a number up to which every row is committed or never will be.

    Raises StoreUnavailable `store.busy`.
    """
    name = table.name
    last, writing = await reads(lambda c: engine.horizon(c, name))
    deadline = clock.monotonic() + PATIENCE.total_seconds()
    while writing:
        if clock.monotonic() > deadline:
            raise StoreUnavailable("store.busy", "a commit is under way for too long")
        await asyncio.sleep(_LOOK_AGAIN)
        writing &= (await reads(lambda c: engine.horizon(c, name)))[1]
    return last
