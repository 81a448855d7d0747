"""`make fuzz`: every parser that strangers reach, coverage-guided; SHORT=1 takes a minute."""

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import monotonic

import atheris

FOLDER = Path("var/fuzz")
LONG, SHORT = 3_600, 30
"""Seconds that all targets share, on each processor."""
LEAST = 20
"""Inputs: a target that had fewer was not fuzzed."""
COVERED = 95
"""Percent of the lines of gateway.wire and gateway.security, by the inputs of long runs alone."""
_SOURCES = ("gateway.wire", "gateway.security")


@contextmanager
def _quietly(log: Path) -> Iterator[None]:
    """Let libFuzzer and atheris say what they do in a file."""
    kept = os.dup(2)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _folder(*names: str) -> Path:
    path = FOLDER.joinpath(*names)
    path.mkdir(parents=True, exist_ok=True)
    return path


with _quietly(_folder() / "instrumented.log"), atheris.instrument_imports(include=[*_SOURCES]):
    from tests.fuzz.table import TABLE
from tests.fuzz.engine import Tally, fuzz  # noqa: E402 - what is fuzzed is instrumented first
from tests.fuzz.findings import read_finding  # noqa: E402
from tests.fuzz.target import Outcome, Target, judge  # noqa: E402


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a minute, and nothing is measured")
    parser.add_argument("--seconds", type=int, help="in all, on each processor")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 31))
    parser.add_argument("--only", nargs="*", default=list(TABLE), choices=list(TABLE))
    parser.add_argument("--replay", type=Path, help="judge one finding, and stop where it leads")
    return parser.parse_args()


@dataclass(slots=True)
class Run:
    """One target, in its process."""

    target: Target
    seconds: int
    tally: Tally = field(default_factory=Tally)
    process: int = 0
    status: int = -1
    peak_mb: int = 0


def _plant(target: Target) -> None:
    """Write the seeds, and see that the target takes them: garbage alone reaches nothing."""
    folder, outcomes = _folder("seeds", target.name), []
    for old in folder.iterdir():  # of other keys
        old.unlink()
    for octets in target.seeds():
        (folder / sha256(octets).hexdigest()[:16]).write_bytes(octets)
        outcomes.append(judge(target, octets))
    if outcomes[:1] != [Outcome.TAKEN]:
        sys.exit(f"{target.name}: no seeds, or the first one is not taken in")


def _start(run: Run, seed: int) -> None:
    run.process = os.fork()
    if run.process:
        return
    name, status = run.target.name, 1
    try:
        with _quietly(_folder("logs") / f"{name}.log"):
            fuzz(
                run.target,
                corpus=_folder("corpus", name),
                seeds=_folder("seeds", name),
                findings=_folder("findings"),
                seconds=run.seconds,
                seed=seed,
                tally=run.tally,
            )
        status = 0
    finally:
        os._exit(status)  # never back into what the parent does


def _perform(runs: Sequence[Run], *, jobs: int, seed: int) -> None:
    waiting, running = list(runs), dict[int, Run]()
    while waiting or running:
        while waiting and len(running) < jobs:
            run = waiting.pop(0)
            _start(run, seed)
            running[run.process] = run
        process, status, usage = os.wait3(0)
        ended = running.pop(process)
        ended.status, ended.peak_mb = os.waitstatus_to_exitcode(status), usage.ru_maxrss // 1024
        _tell(ended)


def _tell(run: Run) -> None:
    tally = run.tally
    print(
        f"{run.target.name:16} {tally.inputs:9,} inputs, {tally.taken:8,} taken in,"
        f" {tally.inputs // run.seconds:6,}/s, slowest {tally.slowest:5.2f} s,"
        f" {run.peak_mb:5,} MB",
        flush=True,
    )


def _complaints(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        name, tally = run.target.name, run.tally
        if run.status:
            yield f"{name}: ended with {run.status}, see {FOLDER}/logs/{name}.log"
        if tally.inputs < LEAST or not tally.taken:
            yield f"{name}: {tally.inputs} inputs, {tally.taken} taken in: that is no fuzzing"
    for path in sorted(_folder("findings").iterdir()):
        yield f"{path}: see it again with python -m tests.fuzz --replay {path}"


def _measure() -> int:
    """Replay what was kept, without the fuzzer, and tell the coverage per module."""
    file = f"--data-file={FOLDER / 'coverage'}"
    own = (sys.executable, "-m", "coverage")
    run = (f"--source={','.join(_SOURCES)}", "-m", "tests.fuzz.replay", str(FOLDER / "corpus"))
    subprocess.run([*own, "run", file, *run], check=True)
    report = ("report", file, f"--fail-under={COVERED}")
    return subprocess.run([*own, *report], check=False).returncode


def _replay(path: Path) -> None:
    target, octets = read_finding(path)
    print(target.name, judge(target, octets).value)


def main() -> int:
    given = _arguments()
    if given.replay:
        _replay(given.replay)
        return 0
    begin, targets = monotonic(), [TABLE[name] for name in given.only]
    print(f"seed {given.seed}", flush=True)
    for target in targets:
        _plant(target)
    seconds = given.seconds or (SHORT if given.short else LONG)
    part = seconds * given.jobs / sum(target.share for target in targets)
    runs = [Run(target, max(1, int(part * target.share))) for target in targets]
    _perform(sorted(runs, key=lambda run: -run.seconds), jobs=given.jobs, seed=given.seed)
    total = sum(run.tally.inputs for run in runs)
    print(f"{total:,} inputs in {monotonic() - begin:.0f} s")
    complaints = list(_complaints(runs))
    print("\n".join(complaints))
    uncovered = 0 if given.short or len(targets) < len(TABLE) else _measure()
    return 1 if complaints or uncovered else 0


if __name__ == "__main__":
    sys.exit(main())
