"""What other processes tell: NOTIFY of PostgreSQL, passed on to the bells of this one."""

import asyncio

import psycopg
import structlog

from gateway.store.bell import Bells
from gateway.store.postgres import CHANNEL

log = structlog.get_logger("gateway.store")

AGAIN_SECONDS = 1.0


async def listen(conninfo: str, bells: Bells) -> None:
    """Ring until cancelled. While the server is away nothing is heard: then all are rung."""
    while True:
        try:
            await _hear(conninfo, bells)
        except (psycopg.Error, OSError) as error:
            log.warning("store.deaf", kind=type(error).__name__)
        await asyncio.sleep(AGAIN_SECONDS)


async def _hear(conninfo: str, bells: Bells) -> None:
    connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
    async with connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        bells.all()
        async for told in connection.notifies():
            bells.rung(told.payload)
