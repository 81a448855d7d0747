"""What the backlog of a partner that is down costs the others.

Two hubs stand side by side, one with the backlog and one without. A block of messages goes
through the one, then through the other: a ratio per pair.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bench.database import add_held, add_waiting, probes
from bench.databases import Database
from bench.measure import Figure, figure_of
from bench.processes import BenchFailed
from bench.town import Block, Town, town

PAIRS = 5
MESSAGES = 100
BACKLOG = 100_000
DEAD = 10_000
HELD = 10_000
LATER = timedelta(days=1)


def figures(database: Database) -> Iterator[Figure]:
    """Nothing of the backlog is due."""
    with town(database) as plain, town(database) as loaded:
        now = datetime.now(UTC)
        add_waiting(loaded.place, BACKLOG, due=now + LATER, down_until=now + LATER)
        yield from _told(f"{BACKLOG:,} waiting, {database.name}", plain, loaded, goal=1.10)


def dead_partner(database: Database) -> Iterator[Figure]:
    """The backlog is due: the breaker lets a probe through every few seconds, which fails."""
    with town(database) as plain, town(database) as loaded:
        now = datetime.now(UTC)
        add_waiting(loaded.place, DEAD, due=now, down_until=now)
        yield from _told(f"dead partner with {DEAD:,}, {database.name}", plain, loaded, goal=1.05)
        if not probes(loaded.place):
            raise BenchFailed("nobody tried the partner that is down: nothing of this counts")


def held(database: Database) -> Iterator[Figure]:
    """All of it waits for the OM, in the lane of what goes through."""
    with town(database) as plain, town(database) as loaded:
        now = datetime.now(UTC)
        add_held(loaded.place, HELD, at=now, deadline=now + LATER)
        yield from _told(f"{HELD:,} held, {database.name}", plain, loaded, goal=1.05)


def _told(what: str, plain: Town, loaded: Town, *, goal: float) -> Iterator[Figure]:
    pairs = [_pair(plain, loaded, first=n % 2 == 0) for n in range(PAIRS)]
    cpu = [b.cpu / a.cpu for a, b in pairs]
    wall = [b.wall / a.wall for a, b in pairs]
    yield figure_of(what, cpu, unit="× one hop without (CPU)", goal=goal)
    yield figure_of("- by the clock", wall, unit="× one hop without", goal=goal)


def _pair(plain: Town, loaded: Town, *, first: bool) -> tuple[Block, Block]:
    """Take turns in going first, so that what drifts hits both."""
    if first:
        return plain.block(MESSAGES), loaded.block(MESSAGES)
    other = loaded.block(MESSAGES)
    return plain.block(MESSAGES), other
