"""A hub that runs, with neighbours that send through it, block by block."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from bench import cpu
from bench.database import delivered
from bench.databases import Database
from bench.place import Place, make_place
from bench.processes import BenchFailed, Neighbours, Process, hub, neighbours

DISK = Path("/var/tmp") if Path("/var/tmp").is_dir() else None
"""Outlives a restart, so it is a disk; /tmp may be memory."""
WARM_UP = 100
"""Messages."""
PER_MESSAGE = 2
"""Deliveries: the copy for the receiver, the Acknowledgment for the sender."""
LOOKS = 100
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a block of messages took, per message, in seconds."""

    cpu: float
    """Processor time of the hub: all its processes, without the database server."""
    server: float
    """Processor time of the database server, if there is one."""
    wall: float
    """From the first post to the last Acknowledgment."""


@dataclass(slots=True)
class Town:
    """A hub that runs, in one process or more, and its neighbours."""

    place: Place
    database: Database
    hubs: tuple[Process, ...]
    neighbours: Neighbours
    sent: int = 0

    def block(self, count: int) -> Block:
        """Send `count` messages; return what one took when all are DELIVERED."""
        self.neighbours.seal(count)
        before, server = self._at_rest(), self.database.seconds()
        wall = self._post(count)
        self.sent += count
        until_delivered(self.place, self.sent, self._check)
        after, server_after = self._at_rest(), self.database.seconds()
        return Block(
            cpu=(after - before) / count, server=(server_after - server) / count, wall=wall / count
        )

    def _post(self, count: int) -> float:
        try:
            return self.neighbours.post(count)
        except BenchFailed:
            self._check()  # most likely it is a hub that failed them
            raise

    def _check(self) -> None:
        for process in self.hubs:
            process.check()

    def _at_rest(self) -> float:
        return sum(cpu.seconds_at_rest(process.pid) for process in self.hubs)


def until_delivered(place: Place, messages: int, check: Callable[[], None]) -> None:
    """Wait for the last settlements; raise BenchFailed when something stays behind."""
    wanted = PER_MESSAGE * messages
    for _ in range(LOOKS):
        check()
        found = delivered(place)
        if found == wanted:
            return
        sleep(LOOK_SECONDS)
    raise BenchFailed(f"{found} of {wanted} deliveries are DELIVERED: nothing of this counts")


@contextmanager
def town(database: Database, processes: int = 1) -> Iterator[Town]:
    """Make a place on disk, start hub and neighbours, warm up."""
    with ExitStack() as stack:
        folder = TemporaryDirectory(dir=DISK)
        place = make_place(Path(stack.enter_context(folder)), database_url=database.fresh())
        hubs = tuple(stack.enter_context(_hub(place, n)) for n in range(processes))
        others = stack.enter_context(neighbours(place))
        started = Town(place, database, hubs, others)
        started.block(WARM_UP)
        yield started


def _hub(place: Place, n: int) -> AbstractContextManager[Process]:
    """Start one more process on the same configuration; only the first takes its beheer port."""
    return hub(place, f"hub-{n + 1}", options=("--beheer-port", "0") if n else ())
