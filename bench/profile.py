"""Where the processor time of a hop goes: the hub under cProfile, all threads.

Calls into lxml are not seen apart: they count with the function that makes them. Read shares, not
milliseconds: a profiler weighs small calls heavily, also after its own part is taken off.
"""

import os
import pickle
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from rich.console import Console
from rich.table import Table

from bench.databases import Database
from bench.hop import DISK
from bench.place import Place, make_place
from bench.processes import hub, neighbours
from bench.profiled import FILE, Spot, Times

WARM_UP = 50
MESSAGES = 200
LONGEST = 60

AREAS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the profiler", ("bench/profiled", "_lsprof")),
    ("cryptography", ("cryptography", "hazmat", "_hashlib", "sha256", "hashlib")),
    ("sqlite3 and psycopg", ("sqlite3", "psycopg")),
    ("SQLAlchemy", ("sqlalchemy",)),
    ("logging", ("structlog", "logging", "gateway/log.py")),
    ("aiohttp, asyncio, ssl", ("aiohttp", "asyncio", "_ssl", "ssl.py", "yarl", "multidict",
                               "select", "socket", "aiosignal", "aiohappyeyeballs", "contextvars")),
    ("threads and locks", ("threading", "concurrent", "queue", "_thread")),
    ("prometheus", ("prometheus",)),
    *((f"gateway/{name}", (f"gateway/{name}",)) for name in (
        "wire", "security", "rules", "pipeline", "store", "worker", "web", "outbound", "keys",
    )),
    ("gateway, the rest", ("gateway/",)),
)  # fmt: skip
"""The first that occurs in the file, or in the name of what is written in C, counts."""

OTHER = "Python itself"


def run(database: Database) -> Times:
    """Return what each function took, per hop."""
    with TemporaryDirectory(dir=DISK) as folder:
        return _run(make_place(Path(folder), database_url=database.fresh()))


def _run(place: Place) -> Times:
    result = place.folder / "profile"
    os.environ[FILE] = str(result)
    with hub(place, program=("-m", "bench.profiled")) as process, neighbours(place) as outside:
        outside.seal(WARM_UP + MESSAGES)
        outside.post(WARM_UP)
        process.popen.send_signal(signal.SIGUSR1)
        outside.post(MESSAGES)
        process.popen.send_signal(signal.SIGUSR2)
        while not result.exists():
            process.check()
            sleep(0.1)
        times = pickle.loads(result.read_bytes())
    return Counter({key: value / MESSAGES for key, value in times.items()})


def show(console: Console, times: Times) -> None:
    """Print the areas, then the longest by self time and by cumulative time."""
    total = sum(value for (_, what), value in times.items() if what == "self")
    console.print(f"{total * 1000:.1f} ms of processor time a hop, under the profiler")
    console.print(_areas(times, total))
    for what in ("self", "all"):
        console.print(_longest(times, what, total))


def _areas(times: Times, total: float) -> Table:
    sums: Counter[str] = Counter()
    for (place, what), value in times.items():
        if what == "self":
            sums[area_of(place)] += value
    table = Table("area", "ms a hop", "share")
    for area, value in sums.most_common():
        table.add_row(area, f"{value * 1000:.2f}", f"{value / total:.1%}")
    return table


def area_of(spot: Spot) -> str:
    """Return the area of a function."""
    file, _, name = spot
    where = file or name
    found = (area for area, marks in AREAS if any(mark in where for mark in marks))
    return next(found, OTHER)


def _longest(times: Mapping[tuple[Spot, str], float], what: str, total: float) -> Table:
    title = {"self": "by self time", "all": "by time with what it calls"}[what]
    table = Table("ms a hop", "share", "calls a hop", "function", title=title)
    values: Counter[Spot] = Counter({p: v for (p, w), v in times.items() if w == what})
    for place, value in values.most_common(LONGEST):
        calls = times[place, "calls"]
        table.add_row(f"{value * 1000:.3f}", f"{value / total:.1%}", f"{calls:.1f}", _told(place))
    return table


def _told(spot: Spot) -> str:
    file, line, name = spot
    return name if not file else f"{'/'.join(Path(file).parts[-3:])}:{line} {name}"
