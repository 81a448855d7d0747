"""`make crash`: kill at every boundary, on both databases, and count what went missing."""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.table import Table

from tests.crash.boundaries import BOUNDARIES, Boundary, Role
from tests.crash.engines import SqliteEngine
from tests.crash.nursery import Nursery
from tests.crash.rig import Rig
from tests.crash.rounds import Outcome, play

ROUNDS_PER_DATA = 20
"""After so many rounds the data are made new: each round reads all of them."""
LATEST_PASS = 3
SHOWN = 8
"""Differences of one round."""


def _plan(
    boundaries: Sequence[Boundary], passes: int, dice: random.Random
) -> Iterator[tuple[Boundary, Role, int]]:
    """Every boundary once per pass, the roles in turn."""
    for n in range(passes):
        for boundary in dice.sample(boundaries, len(boundaries)):
            roles = boundary.roles
            role = roles[(n + BOUNDARIES.index(boundary)) % len(roles)]
            yield boundary, role, dice.randint(1, LATEST_PASS)


async def _lane(rig: Rig, plan, outcomes: list[Outcome], console: Console) -> None:
    for n, (boundary, role, nth) in enumerate(plan):
        if n % ROUNDS_PER_DATA == 0:
            await rig.fresh()
        outcome = await play(rig, boundary, role, nth)
        outcomes.append(outcome)
        _tell(console, outcome)
        if outcome.findings.all() or not outcome.reached:
            await rig.fresh()


def _tell(console: Console, outcome: Outcome) -> None:
    wrong = outcome.findings.all()
    console.print(
        f"{outcome.seconds:5.1f} s  {outcome.engine:<11} {outcome.role:<13} "
        f"{outcome.boundary.name} (pass {outcome.nth})"
        + ("" if outcome.reached else "  NOT REACHED"),
        markup=False,
        highlight=False,
    )
    for line in wrong[:SHOWN]:
        console.print(f"         {line}", style="red", markup=False, soft_wrap=True)
    if len(wrong) > SHOWN:
        console.print(f"         … and {len(wrong) - SHOWN} more", style="red")


def _table(console: Console, outcomes: Sequence[Outcome]) -> None:
    table = Table("boundary", "database", "kills", "lost", "twice", "not stored", "chain", "kept")
    keys = dict.fromkeys((o.boundary.name, o.engine) for o in outcomes)
    order = {b.name: n for n, b in enumerate(BOUNDARIES)}
    for name, engine in sorted(keys, key=lambda k: (order.get(k[0], -1), k[1])):
        table.add_row(
            name,
            engine,
            *_sums(o for o in outcomes if o.boundary.name == name and o.engine == engine),
        )
    table.add_section()
    table.add_row(f"{len({k[0] for k in keys})} boundaries", "", *_sums(outcomes))
    console.print(table)


def _sums(outcomes) -> Iterator[str]:
    found = list(outcomes)
    yield str(sum(o.kills for o in found))
    for name in ("lost", "twice", "not_stored", "broken", "kept"):
        yield str(sum(len(getattr(o.findings, name)) for o in found))


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--only", default="", help="boundaries whose name contains this")
    parser.add_argument("--passes", type=int, default=2)
    given = parser.parse_args()
    console = Console(width=130)
    console.print(f"seed {given.seed}: repeat with SEED={given.seed}")
    boundaries = [b for b in BOUNDARIES if given.only in b.name]
    began = monotonic()
    outcomes: list[Outcome] = []
    root = Path(tempfile.mkdtemp(prefix="gateway-crash-"))
    async with AsyncExitStack() as stack:
        nursery = await stack.enter_async_context(Nursery(root / "nursery.log"))
        dice = random.Random(given.seed)
        rig = await Rig.make(SqliteEngine(), root / "sqlite", nursery, dice, stack)
        await _lane(rig, _plan(boundaries, given.passes, dice), outcomes, console)
    _table(console, outcomes)
    kills = sum(o.kills for o in outcomes)
    wrong = [o for o in outcomes if o.findings.all() or not o.reached]
    console.print(f"{kills} kills in {monotonic() - began:.0f} s; {len(wrong)} rounds went wrong")
    if wrong:
        console.print(f"logs: {root}")
        return 1
    shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
