"""`make crash`: kill at every boundary, on both databases, and count what went missing."""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic

from rich.console import Console

from gateway.cli.demo.postgres import Postgres
from tests.crash.engines import Engine, PostgresEngine, SqliteEngine
from tests.crash.nursery import Nursery
from tests.crash.plan import perform, plans
from tests.crash.report import table, tell
from tests.crash.rig import Rig
from tests.crash.rounds import Outcome

WIDTH = 140
TOWNS = 2
"""Per engine: a round is mostly waiting."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--short", action="store_true", help="each boundary once")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--only", default="", help="rounds whose name contains this")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="left out = both")
    return parser.parse_args()


async def _engines(only: str | None, stack: AsyncExitStack) -> list[Engine]:
    engines: list[Engine] = []
    if only != "postgresql":
        engines.append(SqliteEngine())
    if only != "sqlite":
        server = await asyncio.to_thread(Postgres.make)
        stack.push_async_callback(asyncio.to_thread, server.remove)
        engines.append(PostgresEngine(server))
    return engines


async def _play(given: argparse.Namespace, root: Path, console: Console) -> list[Outcome]:
    outcomes: list[Outcome] = []

    def note(outcome: Outcome) -> None:
        outcomes.append(outcome)
        tell(console, outcome)

    async with AsyncExitStack() as stack:
        engines = await _engines(given.database, stack)
        nursery = await stack.enter_async_context(Nursery(root / "nursery.log"))
        made = plans(engines, short=given.short, only=given.only)
        towns = await asyncio.gather(
            *(_towns(engine, root, nursery, given.seed, stack) for engine in engines)
        )
        async with asyncio.TaskGroup() as playing:
            for rigs, plan in zip(towns, made, strict=True):
                dice = random.Random(f"{given.seed} {rigs[0].engine.name}")
                playing.create_task(perform(rigs, plan, dice, note))
    return outcomes


async def _towns(
    engine: Engine, root: Path, nursery: Nursery, seed: int, stack: AsyncExitStack
) -> list[Rig]:
    return [
        await Rig.make(
            engine,
            root / f"{engine.name}-{n}",
            nursery,
            random.Random(f"{seed} {engine.name} {n}"),
            stack,
        )
        for n in range(TOWNS)
    ]


async def main() -> int:
    """Return 0 when every zero is a zero and every boundary was reached."""
    given = _arguments()
    console = Console(width=WIDTH)
    console.print(f"seed {given.seed}: repeat with SEED={given.seed}")
    began = monotonic()
    root = Path(tempfile.mkdtemp(prefix="gateway-crash-"))
    outcomes = await _play(given, root, console)
    wrong = [o for o in outcomes if not o.good]
    console.print(table(outcomes))
    console.print(
        f"{sum(o.kills for o in outcomes)} kills in {monotonic() - began:.0f} s, "
        f"{len(wrong)} rounds went wrong, seed {given.seed}"
    )
    if wrong:
        for outcome in wrong:  # once more: a log is read from its end
            tell(console, outcome)
        console.print(f"logs: {root}")
        return 1
    shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
