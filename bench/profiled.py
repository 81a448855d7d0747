"""`python -m bench.profiled serve …`: the gateway with a profile of every thread.

SIGUSR1 begins, SIGUSR2 writes what happened since to the file in BENCH_PROFILE. Time is the
processor time of the thread itself, so that waiting counts for nothing, and what the profiler
adds to each call is taken off again.
"""

import cProfile
import os
import pickle
import signal
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import thread_time
from types import CodeType

from gateway.cli import main

FILE = "BENCH_PROFILE"
TRIAL = 50_000

Spot = tuple[str, int, str]
"""File, line and name; for what is written in C only the name."""
Times = Counter[tuple[Spot, str]]
"""Per place `calls`, `self` and `all`; the last two in seconds."""


@dataclass(frozen=True, slots=True)
class Overhead:
    """Seconds that the profiler adds to one call: within what is called, and in its caller."""

    called: float
    caller: float


def _leaf() -> None: ...


def _loop() -> None:
    for _ in range(TRIAL):
        _leaf()


def _overhead() -> Overhead:
    start = thread_time()
    _loop()
    plain = thread_time() - start
    profile = cProfile.Profile(thread_time)
    profile.runcall(_loop)
    took = {entry.code.co_name: entry.inlinetime for entry in _python(profile)}
    return Overhead(took["_leaf"] / TRIAL, (took["_loop"] - plain) / TRIAL)


def _python(profile: cProfile.Profile):
    return (entry for entry in profile.getstats() if isinstance(entry.code, CodeType))


class Profiles:
    """A profile per thread."""

    def __init__(self) -> None:
        self._overhead = _overhead()
        self._profiles: list[cProfile.Profile] = []
        self._begin: Times = Counter()

    def start(self, *_: object) -> None:
        """Profile the thread that this runs in."""
        profile = cProfile.Profile(thread_time)
        self._profiles.append(profile)
        profile.enable()

    def mark(self, *_: object) -> None:
        self._begin = self._now()

    def write(self, *_: object) -> None:
        times = self._now()
        times.subtract(self._begin)
        path = Path(os.environ[FILE])
        fresh = path.with_suffix(".new")
        fresh.write_bytes(pickle.dumps(dict(times)))
        fresh.rename(path)

    def _now(self) -> Times:
        times: Times = Counter()
        for profile in self._profiles:
            for entry in profile.getstats():
                spot = _spot(entry.code)
                calls = sum(below.callcount for below in entry.calls or ())
                added = entry.callcount * self._overhead.called + calls * self._overhead.caller
                times[spot, "calls"] += entry.callcount
                times[spot, "self"] += entry.inlinetime - added
                times[spot, "all"] += entry.totaltime
        return times


def _spot(code: CodeType | str) -> Spot:
    if isinstance(code, str):
        return "", 0, code
    return code.co_filename, code.co_firstlineno, code.co_qualname


if __name__ == "__main__":
    profiles = Profiles()
    signal.signal(signal.SIGUSR1, profiles.mark)
    signal.signal(signal.SIGUSR2, profiles.write)
    threading.setprofile(profiles.start)
    profiles.start()
    main()
