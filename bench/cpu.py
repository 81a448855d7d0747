"""Processor time of a process with its children, from /proc (Linux)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import sleep

TICKS = os.sysconf("SC_CLK_TCK")
STILL_SECONDS = 0.3
STILL_TICKS = 1


@dataclass(frozen=True, slots=True)
class _Stat:
    pid: int
    parent: int
    ticks: int
    """User and system, of the process and of its children that have ended."""


def seconds(pid: int) -> float:
    """Return user and system time of the process and all below it, so far."""
    return _ticks(pid) / TICKS


def seconds_at_rest(pid: int) -> float:
    """Wait until the process does nothing any more; return its time so far."""
    before, now = -1, _ticks(pid)
    while now - before > STILL_TICKS:
        sleep(STILL_SECONDS)
        before, now = now, _ticks(pid)
    return now / TICKS


def _ticks(pid: int) -> int:
    stats = {stat.pid: stat for stat in _all()}
    below = {pid}
    while more := {s.pid for s in stats.values() if s.parent in below} - below:
        below |= more
    return sum(stats[p].ticks for p in below if p in stats)


def _all() -> Iterator[_Stat]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text()
            except OSError:
                continue  # it ended meanwhile
            yield _stat(int(folder.name), text)


def _stat(pid: int, text: str) -> _Stat:
    """Read proc(5); the name of the program stands in parentheses and may hold anything."""
    fields = text[text.rindex(")") + 2 :].split()
    return _Stat(pid=pid, parent=int(fields[1]), ticks=sum(int(f) for f in fields[11:15]))
