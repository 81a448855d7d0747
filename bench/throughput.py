"""Messages per second of one hub process and of two that share a PostgreSQL, in one run."""

from collections.abc import Iterator

from bench.databases import Database
from bench.measure import Figure, figure_of
from bench.town import town

PAIRS = 3
MESSAGES = 200


def figures(database: Database) -> Iterator[Figure]:
    """Two installations, each with a database of its own; they take turns."""
    with town(database) as one, town(database, processes=2) as two:
        pairs = [(one.block(MESSAGES), two.block(MESSAGES)) for _ in range(PAIRS)]
    yield figure_of("one process", [1 / a.wall for a, _ in pairs], unit="messages/s")
    yield figure_of("two processes", [1 / b.wall for _, b in pairs], unit="messages/s")
    yield figure_of(
        "- two against one", [a.wall / b.wall for a, b in pairs], unit="× the messages/s of one"
    )
    yield figure_of(
        "- processor time a message", [b.cpu / a.cpu for a, b in pairs], unit="× that of one"
    )
