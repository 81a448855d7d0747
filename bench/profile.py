"""Where the processor time of a hop goes: the hub under cProfile, all threads.

cProfile makes each call dearer. How much is known, since the hub runs without it first: that
much is taken off per call, so that the parts add up to what a hop really costs.
"""

import os
import pickle
import signal
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from rich.console import Console
from rich.table import Table

from bench.databases import Database
from bench.place import Place, make_place
from bench.processes import hub, neighbours
from bench.profiled import FILE, Spot, Times
from bench.town import DISK, town

WARM_UP = 50
MESSAGES = 200
LONGEST = 60

AREAS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the profiler", ("bench/profiled", "_lsprof")),
    ("cryptography", ("cryptography", "_rust", "hazmat", "_hashlib", "hashlib")),
    ("sqlite3 or psycopg", ("sqlite3", "psycopg")),
    ("SQLAlchemy", ("sqlalchemy",)),
    ("logging", ("structlog", "logging/", "gateway/log.py")),
    ("aiohttp, asyncio, ssl", ("aiohttp", "asyncio", "_ssl", "ssl.py", "yarl", "multidict",
                               "select", "socket", "aiosignal", "_contextvars")),
    ("threads and locks", ("threading.py", "concurrent/", "queue", "_thread")),
    ("lxml and gateway/wire", ("lxml", "gateway/wire")),
    ("lxml and gateway/security", ("gateway/security",)),
    *((f"gateway/{name}", (f"gateway/{name}",)) for name in (
        "rules", "pipeline", "store", "worker", "web", "outbound", "keys",
    )),
    ("gateway, the rest", ("gateway/",)),
)  # fmt: skip
"""The first that occurs in the file, or in the name of what is written in C, counts.

cProfile does not see calls into lxml: they count with the function that makes them.
"""
OTHER = "Python itself"


def show(console: Console, database: Database) -> None:
    """Print the areas, then the longest by self time and with what they call."""
    with town(database) as started:
        plain = started.block(MESSAGES).cpu
    times = _without_profiler(_profiled(database), plain)
    console.print(f"one hop, {database.name}: {plain * 1000:.1f} ms of processor time")
    console.print(_areas(times))
    console.print(_longest(times, "self", "by self time"))
    console.print(_longest(times, "all", "with what it calls, and with the profiler"))


def _profiled(database: Database) -> Times:
    """Return what each function took, per hop, with what the profiler adds."""
    with TemporaryDirectory(dir=DISK) as folder:
        place = make_place(Path(folder), database_url=database.fresh())
        os.environ[FILE] = str(place.folder / "profile")
        found = _run(place)
    own = {spot for spot, _ in found if area_of(spot) == AREAS[0][0]}
    return Counter({key: n / MESSAGES for key, n in found.items() if key[0] not in own})


def _run(place: Place) -> Times:
    result = Path(os.environ[FILE])
    with hub(place, program="bench.profiled") as process, neighbours(place) as outside:
        outside.seal(WARM_UP + MESSAGES)
        outside.post(WARM_UP)
        process.popen.send_signal(signal.SIGUSR1)
        outside.post(MESSAGES)
        process.popen.send_signal(signal.SIGUSR2)
        while not result.exists():
            process.check()
            sleep(0.1)
    times: Times = Counter(pickle.loads(result.read_bytes()))
    return times


def _without_profiler(times: Times, plain: float) -> Times:
    """Take the same off each call, half from what is called and half from its caller."""
    events = _sum(times, "calls") + _sum(times, "below")
    each = (_sum(times, "self") - plain) / events
    changed = times.copy()
    for spot in _spots(times):
        added = each * (times[spot, "calls"] + times[spot, "below"])
        changed[spot, "self"] = times[spot, "self"] - added
    return changed


def _sum(times: Times, what: str) -> float:
    return sum(value for (_, kind), value in times.items() if kind == what)


def _spots(times: Times) -> Iterable[Spot]:
    return {spot for spot, _ in times}


def area_of(spot: Spot) -> str:
    """Return the area of a function."""
    file, _, name = spot
    where = file or name
    found = (area for area, marks in AREAS if any(mark in where for mark in marks))
    return next(found, OTHER)


def _areas(times: Times) -> Table:
    sums: Counter[str] = Counter()
    for spot in _spots(times):
        sums[area_of(spot)] += times[spot, "self"]
    total = sum(sums.values())
    table = Table("area", "ms a hop", "share")
    for area, value in sums.most_common():
        table.add_row(area, f"{value * 1000:.2f}", f"{value / total:.1%}")
    return table


def _longest(times: Times, what: str, title: str) -> Table:
    table = Table("ms a hop", "calls a hop", "function", title=title)
    values = Counter({spot: times[spot, what] for spot in _spots(times)})
    for spot, value in values.most_common(LONGEST):
        table.add_row(f"{value * 1000:.3f}", f"{times[spot, 'calls']:.1f}", _told(spot))
    return table


def _told(spot: Spot) -> str:
    file, line, name = spot
    return name if not file else f"{'/'.join(Path(file).parts[-3:])}:{line} {name}"
