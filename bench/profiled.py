"""`python -m bench.profiled serve …`: the gateway under cProfile, every thread.

SIGUSR1 begins, SIGUSR2 writes what happened since to the file in BENCH_PROFILE. Time is the
processor time of the thread itself, so that waiting counts for nothing.
"""

import cProfile
import os
import pickle
import signal
import threading
from collections import Counter
from pathlib import Path
from time import thread_time
from types import CodeType

from gateway.cli import main

FILE = "BENCH_PROFILE"

Spot = tuple[str, int, str]
"""File, line of the function and its name; for what is written in C only the name."""
Times = Counter[tuple[Spot, str]]
"""Per spot `self` and `all` in seconds, `calls` and `below`: calls of it, calls that it made."""


class Profiles:
    """A profile per thread."""

    def __init__(self) -> None:
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
                times[spot, "calls"] += entry.callcount
                times[spot, "below"] += sum(below.callcount for below in entry.calls or ())
                times[spot, "self"] += entry.inlinetime
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
