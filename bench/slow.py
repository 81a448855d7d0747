"""What 2,000 connections with slow handshakes do to the messages of the others.

One hub, and messages at a steady pace: without those connections and with them, turn by turn. How
long an answer takes is counted from when its message was due, so that one that waits to be sent
waits too.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from bench import cpu, memory
from bench.letters import Letters
from bench.measure import Figure, figure_of
from bench.neighbours import tls
from bench.place import POLITIE, Place, make_place
from bench.processes import Crowd, Neighbours, Process, crowd, hub, neighbours
from bench.slowly import CUT_OFF, LET_IN
from bench.town import DISK, until_delivered

CONNECTIONS = 2_000
WANTED_RATE = 100.0
"""Messages a second."""
SHARE = 0.8
"""Of what it carries at full speed a machine carries this steadily."""
PAIRS = 3
SECONDS = 20
"""Of each turn."""
WARM_UP = 300
POLL_SECONDS = 0.2
PATIENCE_SECONDS = 5.0
GOAL_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What was seen in one turn. All times in seconds."""

    answered: list[float]
    shaken: list[float]
    """How long a new connection of a partner took until its handshake was done."""
    probed: list[float]
    """How long readiness took to answer."""
    unready: int
    """Times that readiness was not green, or a new connection was refused."""
    resident: float
    cpu: float
    """Processor time of the hub, by message."""


def figures() -> Iterator[Figure]:
    with ExitStack() as stack:
        place = make_place(Path(stack.enter_context(TemporaryDirectory(dir=DISK))))
        process = stack.enter_context(hub(place))
        others = stack.enter_context(neighbours(place))
        slow = stack.enter_context(crowd(place))
        started = Slow(place, process, others, slow)
        full = started.at_full_speed()
        rate = min(WANTED_RATE, SHARE * full)
        pairs = [(started.turn(rate), started.crowded(rate)) for _ in range(PAIRS)]
        counted = slow.counted()
    yield figure_of("at full speed, eight at a time", [full], unit="messages/s")
    yield figure_of("the pace", [rate], unit="messages/s")
    alone, crowded = zip(*pairs, strict=True)
    yield from _seen("without", alone)
    yield from _seen(f"with {CONNECTIONS:,} slow connections", crowded, goal=GOAL_SECONDS)
    yield from _against(alone, crowded)
    let_in, cut_off = counted.pop(LET_IN, 0), counted.pop(CUT_OFF, 0)
    yield figure_of("slow connections: refused", [sum(counted.values())], unit="times", goal=0)
    yield figure_of("- late, and let in", [let_in], unit="times")
    yield figure_of("- cut off in their handshake", [cut_off], unit="times")


def _seen(what: str, turns: "tuple[Turn, ...]", goal: float | None = None) -> Iterator[Figure]:
    yield figure_of(
        f"{what}: answered, p50", [_percentile(t.answered, 50) for t in turns], unit="s"
    )
    p99 = [_percentile(t.answered, 99) for t in turns]
    yield figure_of("- p99", p99, unit="s", goal=goal)
    shaken = [_percentile(t.shaken, 99) for t in turns]
    yield figure_of("- handshake of a new connection, p99", shaken, unit="s", goal=goal)
    probed = [max(t.probed) for t in turns]
    yield figure_of("- readiness, the slowest answer", probed, unit="s", goal=goal)
    unready = sum(t.unready for t in turns)
    yield figure_of("- refused, or not ready", [unready], unit="times", goal=0)
    spent = [t.cpu * 1000 for t in turns]
    yield figure_of("- processor time of the hub, a message", spent, unit="ms")
    yield figure_of("- resident memory of the hub", [t.resident for t in turns], unit="MB")


def _against(alone: "tuple[Turn, ...]", crowded: "tuple[Turn, ...]") -> Iterator[Figure]:
    for percent in (50, 99):
        ratios = [
            _percentile(b.answered, percent) / _percentile(a.answered, percent)
            for a, b in zip(alone, crowded, strict=True)
        ]
        yield figure_of(f"p{percent} with against without", ratios, unit="×")
    spent = [b.cpu / a.cpu for a, b in zip(alone, crowded, strict=True)]
    yield figure_of("processor time with against without", spent, unit="×")


def _percentile(seconds: list[float], percent: int) -> float:
    return quantiles(seconds, n=100)[percent - 1]


@dataclass(slots=True)
class Slow:
    """A hub, who sends through it, and who hardly goes on."""

    place: Place
    process: Process
    others: Neighbours
    slow: Crowd
    sent: int = 0

    def at_full_speed(self) -> float:
        """Return how many messages a second go through, eight at a time."""
        self._sealed(WARM_UP)
        self.others.post(WARM_UP)
        self._sealed(WARM_UP)
        return WARM_UP / self.others.post(WARM_UP)

    def crowded(self, rate: float) -> Turn:
        """Return what was seen while the slow ones are there."""
        self.slow.open(CONNECTIONS)
        try:
            return self.turn(rate)
        finally:
            self.slow.close()

    def turn(self, rate: float) -> Turn:
        """Send at this pace for a while, and look at readiness and at new connections meanwhile."""
        count = round(rate * SECONDS)
        self._sealed(count)
        before = cpu.seconds(self.process.pid)
        with Watch(self.place) as watch:
            answered = self.others.pace(count, rate)
        spent = cpu.seconds(self.process.pid) - before
        resident = memory.resident(self.process.pid)
        until_delivered(self.place, self.sent, self.process.check)
        return Turn(
            answered=answered,
            shaken=watch.shaken,
            probed=watch.probed,
            unready=watch.unready,
            resident=resident,
            cpu=spent / count,
        )

    def _sealed(self, count: int) -> None:
        self.others.seal(count)
        self.sent += count


@dataclass(slots=True)
class Watch:
    """Looks at readiness, and at how a new connection of a partner fares, until it is left."""

    place: Place
    shaken: list[float] = field(default_factory=list)
    probed: list[float] = field(default_factory=list)
    unready: int = 0
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def __enter__(self) -> Self:
        self._thread = Thread(target=lambda: asyncio.run(self._look()))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    async def _look(self) -> None:
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not self._stop.is_set():
                await asyncio.gather(self._probe(session), self._shake())
                await asyncio.sleep(POLL_SECONDS)

    async def _probe(self, session: aiohttp.ClientSession) -> None:
        start = perf_counter()
        try:
            async with session.get(f"{self.place.beheer}/health/ready") as answer:
                self.unready += answer.status != 200
        except (aiohttp.ClientError, TimeoutError):
            self.unready += 1
        self.probed.append(perf_counter() - start)

    async def _shake(self) -> None:
        where = urlsplit(Letters.of(self.place, POLITIE.oin).hub)
        context = tls(self.place, POLITIE.oin, server=False)
        start = perf_counter()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                _, writer = await asyncio.open_connection(where.hostname, where.port, ssl=context)
            writer.close()
        except (OSError, TimeoutError):
            self.unready += 1
        self.shaken.append(perf_counter() - start)
