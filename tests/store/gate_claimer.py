"""A process of its own that claims whatever may leave, and says what, until its input ends."""

import asyncio
import sys
from pathlib import Path

from gateway.errors import Unavailable
from gateway.ports import HandedOver
from tests.store.stage import Stage

PAUSE = 0.02
"""Seconds at most between two looks."""


async def main(folder: Path, database: str) -> None:
    stage = await Stage(folder, database=database, inline=False, seed=7).open("other")
    print("ready", flush=True)
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    while not ended.done():
        await asyncio.sleep(stage.dice.unit() * PAUSE)
        try:
            claims = await stage.claim(worker="w2", limit=3)
        except Unavailable:
            continue
        for claim in claims:
            print(claim.delivery, flush=True)
            await stage.store.queue.settle(claim, HandedOver(until=None), ())
    await stage.store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
