"""Figures from several rounds; ratios are of two costs taken turn by turn."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

ROUNDS = 15
BATCH_SECONDS = 0.02

Work = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What something costs: the median of the rounds. `low` and `high` are the quartiles."""

    what: str
    unit: str
    middle: float
    low: float
    high: float
    goal: float | None = None
    """No more than this is wanted."""


def compare(
    what: str,
    work: Work,
    against: str,
    base: Work,
    *,
    rounds: int = ROUNDS,
    goal: float | None = None,
) -> Figure:
    """Return how many times `base` fits in `work`: the median of several rounds."""
    one, other = _batch(work), _batch(base)
    ratios = [_seconds(work, one) / _seconds(base, other) for _ in range(rounds)]
    return figure_of(what, ratios, unit=f"× {against}", goal=goal)


def figure_of(what: str, values: list[float], *, unit: str, goal: float | None = None) -> Figure:
    """Return the median and the quartiles."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    return Figure(
        what=what,
        unit=unit,
        middle=median(ordered),
        low=ordered[quarter],
        high=ordered[-1 - quarter],
        goal=goal,
    )


def _batch(work: Work) -> int:
    """Return how often to repeat so that a batch takes long enough to measure; warms up too."""
    work()
    once = min(_seconds(work, 1) for _ in range(3))
    return max(1, round(BATCH_SECONDS / max(once, 1e-7)))


def _seconds(work: Work, times: int) -> float:
    start = perf_counter()
    for _ in range(times):
        work()
    return (perf_counter() - start) / times


def machine() -> str:
    """Return what this ran on, in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()}, {cores} cores, {platform.system()} {platform.machine()}, {python}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown processor")
