"""One target under libFuzzer, in a process of its own that ends with it."""

import struct
from mmap import mmap
from pathlib import Path
from time import thread_time

import atheris

from tests.fuzz.changes import change_from
from tests.fuzz.findings import Findings
from tests.fuzz.target import Outcome, Target, judge

_MEMORY_MB = 2_048
_HANGS = 120
"""Seconds after which an input is given up; what takes more than `target.SLOW` is told anyhow."""
_NUMBERS = struct.Struct("<QQQQd")


class Tally:
    """Counts in memory that the parent shares: the child has no last word."""

    def __init__(self) -> None:
        self._shared = mmap(-1, _NUMBERS.size)
        self._counts = dict.fromkeys(Outcome, 0)
        self._inputs = 0
        self._slowest = 0.0

    def add(self, outcome: Outcome | None, seconds: float) -> None:
        self._inputs += 1
        if outcome is not None:
            self._counts[outcome] += 1
        self._slowest = max(self._slowest, seconds)
        _NUMBERS.pack_into(self._shared, 0, self._inputs, *self._counts.values(), self._slowest)

    @property
    def inputs(self) -> int:
        return int(_NUMBERS.unpack_from(self._shared)[0])

    @property
    def taken(self) -> int:
        return int(_NUMBERS.unpack_from(self._shared)[1])

    @property
    def unmade(self) -> int:
        return int(_NUMBERS.unpack_from(self._shared)[3])

    @property
    def slowest(self) -> float:
        """Seconds of processor time."""
        return float(_NUMBERS.unpack_from(self._shared)[4])


def fuzz(
    target: Target,
    *,
    corpus: Path,
    seeds: Path,
    findings: Path,
    seconds: int,
    seed: int,
    tally: Tally,
) -> None:
    """Fuzz until the time is over; what is found is written down, and the run goes on."""
    found = Findings(findings)

    def one_input(octets: bytes) -> None:
        begin, outcome = thread_time(), None
        try:
            outcome = judge(target, octets)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            found.add(target, octets, error)
        tally.add(outcome, thread_time() - begin)

    def change(octets: bytes, most: int, number: int) -> bytes:
        if number % 2:
            return bytes(atheris.Mutate(octets, most))
        return target.change(octets, change_from(number))[:most]

    atheris.Setup(
        [
            "fuzz",
            *(f"-max_total_time={seconds}", f"-seed={seed}", f"-rss_limit_mb={_MEMORY_MB}"),
            *(f"-timeout={_HANGS}", f"-artifact_prefix={findings / target.name}-"),
            *(str(corpus), str(seeds)),
        ],
        one_input,
        custom_mutator=change,
    )
    atheris.Fuzz()
