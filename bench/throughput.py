"""Messages per second of one hub process and of two that share a PostgreSQL, in one run."""

from collections.abc import Iterator

from bench.databases import Database
from bench.hop import town
from bench.measure import Figure, figure_of

PAIRS = 5
MESSAGES = 200


def figures(database: Database) -> Iterator[Figure]:
    """Two installations, each with a database of its own; they take turns."""
    with town(database) as one, town(database, processes=2) as two:
        pairs = [(one.block(MESSAGES).wall, two.block(MESSAGES).wall) for _ in range(PAIRS)]
    yield figure_of("one process", [1 / a for a, _ in pairs], unit="messages/s")
    yield figure_of("two processes", [1 / b for _, b in pairs], unit="messages/s")
    yield figure_of("- two against one", [a / b for a, b in pairs], unit="× the throughput of one")
