"""`make bench`: what the gateway costs. bench/README.md says how to read it.

`python -m bench`            the table of `make bench`
`python -m bench full`       the same, and the backlogs on PostgreSQL
`python -m bench two`        one and two processes on PostgreSQL
`python -m bench hop`        only the hop, on SQLite; `hop postgresql` on PostgreSQL
`python -m bench held`       what 10,000 held messages cost the others; `held postgresql`
`python -m bench mail`       making and reading a secure e-mail
`python -m bench judge`      reading and judging each message, and refusals of 35 MB
`python -m bench large`      the memory that large messages take
`python -m bench slow`       2,000 connections with slow handshakes beside messages
`python -m bench console`    every page of the console with 1,000,000 messages on PostgreSQL;
                             `console --messages 20000` for a first look
`python -m bench others`     the same message by as4 (PyPI), and by Santuario in Java
`python -m bench profile`    where the time of a hop goes; `profile postgresql`
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.live import Live
from rich.table import Table

from bench import (
    hop,
    large,
    mails,
    others,
    pages,
    posted,
    profile,
    refusals,
    schemas,
    sealing,
    slow,
    throughput,
    validation,
    waiting,
)
from bench.databases import Database, Sqlite, postgresql
from bench.measure import Figure, machine
from bench.processes import BenchFailed

WIDTH = 120

Figures = Iterator[Figure]


def main(arguments: list[str]) -> None:
    console = Console(highlight=False, width=WIDTH)
    console.print(f"machine: {machine()}", soft_wrap=True)
    if arguments[:1] == ["console"]:
        return _console(console, arguments[1:])
    what = COMMANDS.get(arguments[0] if arguments else "")
    if what is None or set(arguments[1:]) - {"postgresql"}:
        raise SystemExit(__doc__)
    try:
        with _database(arguments) as database:
            what(console, database)
    except BenchFailed as error:
        raise SystemExit(f"bench: {error}") from error


def _console(console: Console, arguments: list[str]) -> None:
    """Ask every page; not a part of the table: its rows are percentiles of many addresses."""
    match arguments:
        case []:
            number = pages.MESSAGES
        case ["--messages", text] if text.isdecimal() and int(text) >= pages.FEWEST:
            number = int(text)
        case _:
            raise SystemExit(__doc__)
    try:
        pages.run(console, messages=number)
    except BenchFailed as error:
        raise SystemExit(f"bench: {error}") from error


def _database(arguments: list[str]) -> AbstractContextManager[Database]:
    return postgresql() if "postgresql" in arguments else nullcontext(Sqlite())


def _short(console: Console, database: Database) -> None:
    single = (sealing.figures, others.figures, mails.figures, schemas.figures, *JUDGING)
    hops = (lambda: hop.figures(database), hop.transport, *_waiting(database))
    _show(console, (*single, *hops))
    with postgresql() as server:
        _show(console, (lambda: hop.figures(server), lambda: throughput.figures(server)))


def _full(console: Console, database: Database) -> None:
    _short(console, database)
    with postgresql() as server:
        _show(console, _waiting(server))


def _hop(console: Console, database: Database) -> None:
    _show(console, (lambda: hop.figures(database), hop.transport))


def _judge(console: Console, _: Database) -> None:
    _show(console, JUDGING)


def _mail(console: Console, _: Database) -> None:
    _show(console, (mails.figures,))


def _large(console: Console, _: Database) -> None:
    _show(console, (large.figures, posted.figures))


def _slow(console: Console, _: Database) -> None:
    _show(console, (slow.figures,))


def _others(console: Console, _: Database) -> None:
    _show(console, (others.figures,))


def _two(console: Console, _: Database) -> None:
    with postgresql() as server:
        _show(console, (lambda: throughput.figures(server),))


def _profile(console: Console, database: Database) -> None:
    profile.show(console, database)


def _waiting(database: Database) -> tuple[Callable[[], Figures], ...]:
    return (
        lambda: waiting.figures(database),
        lambda: waiting.dead_partner(database),
        lambda: waiting.held(database),
    )


def _held(console: Console, database: Database) -> None:
    _show(console, (lambda: waiting.held(database),))


JUDGING: tuple[Callable[[], Figures], ...] = (validation.figures, refusals.figures)

COMMANDS: dict[str, Callable[[Console, Database], None]] = {
    "": _short,
    "full": _full,
    "hop": _hop,
    "held": _held,
    "judge": _judge,
    "large": _large,
    "mail": _mail,
    "others": _others,
    "slow": _slow,
    "two": _two,
    "profile": _profile,
}


def _show(console: Console, measurements: tuple[Callable[[], Figures], ...]) -> None:
    table = Table("what", "costs", "in", "middle half of the rounds", "wanted")
    table.columns[1].justify = "right"
    # Rows show as they come; those that are there also when a later one fails.
    with Live(table, console=console):
        for measure in measurements:
            for figure in measure():
                table.add_row(*_row(figure))


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    spread = f"{figure.low:.2f} to {figure.high:.2f}"
    return figure.what, f"{figure.middle:.2f}", figure.unit, spread, _wanted(figure)


def _wanted(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    met = "met" if figure.middle <= figure.goal else "not met"
    return f"≤ {figure.goal:.2f}: {met}"


if __name__ == "__main__":
    main(sys.argv[1:])
