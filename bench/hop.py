"""One message through a real hub, against the bare cryptography of the same hop.

The hub is `python -m gateway serve`; its neighbours reach it over kept connections with mutual
TLS. A block of messages goes through, then a block of bare cryptography runs, and so on: a
ratio per pair of blocks. Processor time counts, not the clock: a disk that is slow to sync
costs what it costs the processor.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from bench import cpu
from bench.bare import Bare, BareHop
from bench.databases import Database
from bench.letters import melding
from bench.measure import Figure, figure_of
from bench.place import make_place
from bench.processes import Neighbours, Process, neighbours, relay
from bench.town import DISK, town
from tests.pki import leaf
from tests.sealing import ALICE, BOB

BLOCKS = 5
MESSAGES = 200
RELAYED = 3
"""Blocks."""
BARE = 300


def figures(database: Database) -> Iterator[Figure]:
    """Measure on one database."""
    with town(database) as started:
        blocks, bare = [], []
        for _ in range(BLOCKS):
            blocks.append(started.block(MESSAGES))
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


def transport() -> Iterator[Figure]:
    """What a hop costs without everything that is ours."""
    moved = [seconds * 1000 for seconds in _transport_seconds()]
    yield figure_of("TLS and HTTP of a hop, by aiohttp", moved, unit="ms")


def _transport_seconds() -> list[float]:
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
