"""The processes of a measurement: the hub and its neighbours. One that dies ends the bench."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from bench import cpu
from bench.place import Place

START_SECONDS = 60.0
STOP_SECONDS = 30.0
STARTED = "gateway.started"
"""What the hub logs when it listens."""
LINES = 5


class BenchFailed(Exception):
    """Something did not do what it must; nothing of the run counts."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process with its log."""

    name: str
    log: Path
    popen: "subprocess.Popen[str]"

    @property
    def pid(self) -> int:
        return self.popen.pid

    def check(self) -> None:
        """Raise BenchFailed when it has ended."""
        code = self.popen.poll()
        if code is not None:
            raise BenchFailed(f"{self.name} ended with {code}; the end of its log:\n{self.tail()}")

    def tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LINES:])

    def stop(self) -> None:
        """Ask, wait, make."""
        self.popen.terminate()
        try:
            self.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


@contextmanager
def hub(
    place: Place, name: str = "hub", *, program: str = "gateway", options: Sequence[str] = ()
) -> Iterator[Process]:
    """Serve, wait until ready and at rest; stop at the end. `program` is a module."""
    arguments = ["-m", program, "serve", "--config", str(place.hub), *options]
    with _started(place, name, arguments) as process:
        yield process


@contextmanager
def relay(place: Place) -> Iterator[Process]:
    """Start what only moves octets, in the place of the hub."""
    with _started(place, "relay", ["-m", "bench.relay", str(place.folder)]) as process:
        yield process


@contextmanager
def _started(place: Place, name: str, arguments: Sequence[str]) -> Iterator[Process]:
    with _process(name, place.folder / f"{name}.log", arguments) as process:
        _until_started(process)
        cpu.seconds_at_rest(process.pid)
        yield process


@contextmanager
def neighbours(place: Place) -> Iterator["Neighbours"]:
    """Start them; stop them at the end."""
    log = place.folder / "neighbours.log"
    arguments = ["-m", "bench.neighbours", str(place.folder)]
    with _process("neighbours", log, arguments, talks=True) as process:
        started = Neighbours(process)
        started.answer()
        yield started


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Tells the other process what to do."""

    process: Process

    def seal(self, count: int) -> None:
        """Make messages beforehand."""
        self._order(f"seal {count}")

    def post(self, count: int) -> float:
        """Send that many through the hub; return how many seconds it took."""
        return float(self._order(f"post {count}"))

    def _order(self, order: str) -> str:
        self.process.check()
        pipe = self.process.popen.stdin
        assert pipe is not None
        pipe.write(order + "\n")
        pipe.flush()
        return self.answer()

    def answer(self) -> str:
        pipe = self.process.popen.stdout
        assert pipe is not None
        line = pipe.readline()
        if not line:
            self.process.popen.wait(STOP_SECONDS)
            self.process.check()
        return line.strip()


@contextmanager
def _process(
    name: str, log: Path, arguments: Sequence[str], *, talks: bool = False
) -> Iterator[Process]:
    with log.open("a", encoding="utf-8") as output:
        popen = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
            stdout=subprocess.PIPE if talks else output,
            stderr=output,
            text=True,
        )
    process = Process(name, log, popen)
    try:
        yield process
    finally:
        process.stop()


def _until_started(process: Process) -> None:
    end = monotonic() + START_SECONDS
    while STARTED not in process.log.read_text(encoding="utf-8", errors="replace"):
        process.check()
        if monotonic() > end:
            raise BenchFailed(f"{process.name} does not start:\n{process.tail()}")
        sleep(0.1)
