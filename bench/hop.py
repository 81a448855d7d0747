"""One message through a real hub, against the bare cryptography of the same hop.

The hub is `python -m gateway serve`; its neighbours reach it over kept connections with mutual
TLS. A block of messages goes through, then a block of bare cryptography runs, and so on: a
ratio per pair of blocks. Processor time counts, not the clock: a disk that is slow to sync
costs what it costs the processor.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time, sleep

from bench import cpu
from bench.bare import Bare, BareHop
from bench.database import delivered
from bench.databases import Database
from bench.letters import melding
from bench.measure import Figure, figure_of
from bench.place import Place, make_place
from bench.processes import BenchFailed, Neighbours, Process, hub, neighbours, relay
from tests.pki import leaf
from tests.sealing import ALICE, BOB

DISK = Path("/var/tmp") if Path("/var/tmp").is_dir() else None
"""Outlives a restart, so it is a disk; /tmp may be memory."""
WARM_UP = 100
BLOCKS = 5
MESSAGES = 200
RELAYED = 3
"""Blocks."""
BARE = 300
PER_MESSAGE = 2
"""Deliveries: the copy for the receiver, the Acknowledgment for the sender."""
LOOKS = 50
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

    def block(self, count: int = MESSAGES) -> Block:
        """Send `count` messages; return what one took when all are DELIVERED."""
        self.neighbours.seal(count)
        before, server = self._at_rest(), self.database.seconds()
        wall = self._post(count)
        self.sent += count
        self._all_delivered()
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

    def _all_delivered(self) -> None:
        """Wait for the last settlements; raise BenchFailed when something stays behind."""
        wanted = PER_MESSAGE * self.sent
        for _ in range(LOOKS):
            self._check()
            found = delivered(self.place)
            if found == wanted:
                return
            sleep(LOOK_SECONDS)
        raise BenchFailed(f"{found} of {wanted} deliveries are DELIVERED: nothing of this counts")


def transport_seconds() -> list[float]:
    """Return the processor time of TLS and HTTP alone, of one hop, by block."""
    with TemporaryDirectory(dir=DISK) as folder:
        place = make_place(Path(folder))
        with relay(place) as process, neighbours(place) as others:
            blocks = [_moved(process, others) for _ in range(1 + RELAYED)]
    return blocks[1:]


def _moved(process: Process, others: Neighbours) -> float:
    others.seal(MESSAGES)
    before = cpu.seconds_at_rest(process.pid)
    others.post(MESSAGES)
    return (cpu.seconds_at_rest(process.pid) - before) / MESSAGES


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


def bare_seconds() -> float:
    """Return the processor time of the cryptography of one hop, now."""
    bare = BareHop(
        Bare(leaf(ALICE, "sign"), leaf(BOB, "encrypt")),
        Bare(leaf(BOB, "sign"), leaf(ALICE, "encrypt")),
        melding("bare"),
    )
    bare()
    start = process_time()
    for _ in range(BARE):
        bare()
    return (process_time() - start) / BARE


def figures(database: Database) -> Iterator[Figure]:
    """Measure on one database."""
    with town(database) as started:
        blocks, bare = [], []
        for _ in range(BLOCKS):
            blocks.append(started.block())
            bare.append(bare_seconds())
    yield figure_of(
        f"hub: one hop, {database.name}",
        [block.cpu / floor for block, floor in zip(blocks, bare, strict=True)],
        unit="× its cryptography",
        goal=database.goal,
    )
    yield figure_of("- processor time of the hub", [b.cpu * 1000 for b in blocks], unit="ms")
    yield figure_of("- its bare cryptography", [floor * 1000 for floor in bare], unit="ms")
    if database.served:
        yield figure_of("- PostgreSQL itself", [b.server * 1000 for b in blocks], unit="ms")
    yield figure_of("- end to end", [1 / block.wall for block in blocks], unit="messages/s")


def transport() -> Iterator[Figure]:
    """What a hop costs without everything that is ours."""
    moved = [seconds * 1000 for seconds in transport_seconds()]
    yield figure_of("TLS and HTTP of a hop, by aiohttp", moved, unit="ms")
