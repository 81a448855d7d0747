"""The processes of a measurement: the hub and its neighbours. One that dies ends the bench."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
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
    with _talking(place, "neighbours") as process:
        started = Neighbours(process)
        started.answer()
        yield started


@contextmanager
def crowd(place: Place) -> Iterator["Crowd"]:
    """Start who hardly goes on; stop it at the end."""
    with _talking(place, "slowly") as process:
        started = Crowd(process)
        started.answer()
        yield started


def _talking(place: Place, module: str) -> AbstractContextManager[Process]:
    log = place.folder / f"{module}.log"
    return _process(module, log, ["-m", f"bench.{module}", str(place.folder)], talks=True)


@dataclass(frozen=True, slots=True)
class Talking:
    """Tells another process what to do."""

    process: Process

    def order(self, order: str) -> str:
        """Give it; return the answer."""
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


class Neighbours(Talking):
    """Send and receive."""

    def seal(self, count: int) -> None:
        """Make messages beforehand."""
        self.order(f"seal {count}")

    def post(self, count: int) -> float:
        """Send that many through the hub; return how many seconds it took."""
        return float(self.order(f"post {count}"))

    def pace(self, count: int, rate: float) -> list[float]:
        """Send that many at so many a second; return after how many seconds each was answered."""
        return [float(one) for one in json.loads(self.order(f"pace {count} {rate}"))]


class Crowd(Talking):
    """Hardly goes on."""

    def open(self, number: int) -> None:
        """Return when all are connected."""
        self.order(f"open {number}")

    def close(self) -> None:
        """Let them go away."""
        self.order("close 0")

    def counted(self) -> dict[str, int]:
        """Return what became of them so far."""
        return dict(json.loads(self.order("count 0")))


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
