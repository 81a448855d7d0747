"""A process that admits messages and says which, until it is killed."""

import asyncio
import sys
from pathlib import Path

from tests.store.stage import Stage

AT_ONCE = 8


async def _admit(stage: Stage, numbers) -> None:
    for n in numbers:
        await stage.admit(n)
        print(f"m-{n}", flush=True)
        for claim in await stage.claim(limit=2):
            print(f"c-{claim.delivery}", flush=True)


async def main(folder: Path, database: str, start: int) -> None:
    stage = await Stage(folder, database=database, inline=False, seed=start).open()
    await asyncio.gather(
        *(_admit(stage, range(start + lane, start + 100_000, AT_ONCE)) for lane in range(AT_ONCE))
    )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
