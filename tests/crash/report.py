"""What `make crash` prints: a line per round, and the table of zeros."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Table

from tests.crash.boundaries import BOUNDARIES
from tests.crash.rounds import Outcome

SHOWN = 8
"""Differences of one round."""
ZEROS = {
    "lost": "lost",
    "twice": "twice",
    "not_stored": "acknowledged, not stored",
    "broken": "audit chain",
    "kept": "not destroyed",
}


def tell(console: Console, outcome: Outcome) -> None:
    """Print a round, with what differs in it."""
    reached = "" if outcome.reached else "  NOT REACHED"
    line = f"{outcome.seconds:5.1f} s  {outcome.engine:<11} {outcome.role:<13} "
    note = outcome.note or f"pass {outcome.nth}"
    _plain(console, f"{line}{outcome.name} ({note}){reached}")
    wrong = outcome.findings.all()
    for found in wrong[:SHOWN]:
        _plain(console, f"         {found}")
    if len(wrong) > SHOWN:
        _plain(console, f"         … and {len(wrong) - SHOWN} more")


def _plain(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def table(outcomes: Sequence[Outcome]) -> Table:
    """Return a line per boundary and database, and one for all."""
    made = Table("boundary", "database", "kills", *ZEROS.values())
    order = {boundary.name: n for n, boundary in enumerate(BOUNDARIES)}
    places = sorted(
        {(o.name, o.engine) for o in outcomes},
        key=lambda place: (order.get(place[0], len(order)), place[1]),
    )
    for place in places:
        made.add_row(*place, *_sums(o for o in outcomes if (o.name, o.engine) == place))
    made.add_section()
    made.add_row(f"{len({name for name, _ in places})} boundaries", "", *_sums(outcomes))
    return made


def _sums(outcomes: Iterable[Outcome]) -> Iterator[str]:
    found = list(outcomes)
    yield str(sum(o.kills for o in found))
    for name in ZEROS:
        yield str(sum(len(getattr(o.findings, name)) for o in found))
