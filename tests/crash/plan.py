"""Which rounds are played, on which engine and in which town. All towns play at once."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.crash.boundaries import BOUNDARIES, Boundary, Role
from tests.crash.engines import Engine, PostgresEngine
from tests.crash.many_rounds import CASES, Case, play_many
from tests.crash.rig import Rig
from tests.crash.rounds import SERVER, Outcome, play, restart_server

Round = tuple[Boundary, Role, int]
Tell = Callable[[Outcome], None]

ROUNDS_PER_DATA = 20
"""After so many rounds the data are made new: every round reads all of them."""
LATEST_PASS = 3
"""A victim dies at the first, second or third pass through its boundary."""
SERVER_AFTER = (2, 12)
"""Messages handed in before the server is stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is played on one engine."""

    boundaries: Sequence[Boundary]
    passes: int
    """Times that each boundary is played."""
    shift: int
    """Engines begin with another role each, so that together they have all."""
    servers: int
    """Times that the database server is stopped, where there is one."""
    many: Sequence[Case] = ()
    """Rounds with a knooppunt of several processes."""

    def rounds(self, dice: random.Random) -> Iterator[Round]:
        """Every boundary once per pass, in any order, its roles in turn."""
        for n in range(self.passes):
            for boundary in dice.sample(self.boundaries, len(self.boundaries)):
                turn = n + self.shift + BOUNDARIES.index(boundary)
                role = boundary.roles[turn % len(boundary.roles)]
                yield boundary, role, dice.randint(1, LATEST_PASS)


def plans(engines: Sequence[Engine], *, short: bool, only: str = "") -> list[Plan]:
    """Short: each boundary on one of the engines. Full: each twice on every engine.

    `only` leaves out what has another name.
    """
    boundaries = [b for b in BOUNDARIES if only in b.name]
    cases = [c for c in CASES if only in c.name and (c.short or not short)]
    servers = (1 if short else 6) if only in SERVER else 0
    return [
        Plan(
            boundaries=_share(boundaries, engine, halved=short and len(engines) > 1),
            passes=1 if short else 2,
            shift=n,
            servers=servers,
            many=cases if isinstance(engine, PostgresEngine) else (),
        )
        for n, engine in enumerate(engines)
    ]


def _share(boundaries: Sequence[Boundary], engine: Engine, *, halved: bool) -> list[Boundary]:
    """Two of five for PostgreSQL, where a round takes longer, when it is halved."""
    postgres = isinstance(engine, PostgresEngine)
    mine = ({1, 3} if postgres else {0, 2, 4}) if halved else set(range(5))
    return [
        boundary
        for n, boundary in enumerate(boundaries)
        if (not postgres if boundary.beside else n % 5 in mine)
    ]


async def perform(rigs: Sequence[Rig], plan: Plan, dice: random.Random, tell: Tell) -> None:
    """Play the plan in the towns of one engine; then stop its server under one of them."""
    rounds = list(plan.rounds(dice))
    async with asyncio.TaskGroup() as towns:
        for n, rig in enumerate(rigs):
            towns.create_task(_play_all(rig, rounds[n :: len(rigs)], tell))
    for rig in rigs[1:]:
        await rig.stop()
    first = rigs[0]
    for case in plan.many:
        tell(await play_many(first, case, dice))
    if isinstance(first.engine, PostgresEngine) and plan.servers:
        await first.fresh()
        for _ in range(plan.servers):
            tell(await restart_server(first, first.engine.server, dice.randint(*SERVER_AFTER)))


async def _play_all(rig: Rig, rounds: Sequence[Round], tell: Tell) -> None:
    """After a round that went wrong the data are new."""
    if rounds:
        await rig.fresh()
    for n, (boundary, role, nth) in enumerate(rounds, 1):
        outcome = await play(rig, boundary, role, nth)
        tell(outcome)
        if not outcome.good or n % ROUNDS_PER_DATA == 0:
            await rig.fresh()
