"""What other processes tell: NOTIFY of PostgreSQL, passed on to the bells of this one."""

import asyncio

import psycopg
import structlog

from gateway.store.bell import Bells

log = structlog.get_logger("gateway.store")

AGAIN_SECONDS = 1.0


async def listen(conninfo: str, channel: str, bells: Bells) -> None:
    """Ring until cancelled. While the server is away nothing is heard: then all are rung."""
    told = False
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
            async with connection:
                await connection.execute(f"LISTEN {channel}")
                told = False
                bells.all()
                async for notify in connection.notifies():
                    bells.rung(notify.payload)
        except (psycopg.Error, OSError) as error:
            if not told:  # once per outage, not once per try
                log.warning("store.deaf", kind=type(error).__name__)
            told = True
        await asyncio.sleep(AGAIN_SECONDS)
