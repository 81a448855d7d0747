"""The other end of `victim.py`: starts, arms and signals victims, and hears when they end."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(slots=True, eq=False)
class Victim:
    """A running `gateway serve`."""

    pid: int
    ended: asyncio.Future[int] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    """Its exit code; negative is the signal that killed it."""
    stopped: bool = False
    """It stood still, by SIGSTOP, at least once."""

    @property
    def alive(self) -> bool:
        return not self.ended.done()


class Nursery:
    """One parent process for all victims."""

    def __init__(self, log: Path):
        self._log = log
        self._victims: dict[int, Victim] = {}
        self._starting: deque[asyncio.Future[Victim]] = deque()

    async def __aenter__(self):
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.crash.victim"),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
            )
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_):
        self._process.stdin.close()
        await self._process.wait()
        await self._listening

    async def start(
        self, folder: Path, *, log: Path, die: tuple[str, int] | None = None, **options: object
    ) -> Victim:
        """`options` are those of `gateway serve`."""
        born = asyncio.get_running_loop().create_future()
        self._starting.append(born)
        self._say({"start": str(folder), "log": str(log), "die": die, "options": options})
        return await born

    def arm(
        self, victim: Victim, name: str, nth: int, number: signal.Signals = signal.SIGKILL
    ) -> None:
        """Have it killed, or stopped, at the nth pass through the boundary."""
        self._say({"arm": victim.pid, "die": [name, nth, int(number)]})

    def signal(self, victim: Victim, number: signal.Signals) -> None:
        self._say({"kill": victim.pid, "signal": int(number)})

    def _say(self, what: dict) -> None:
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    async def _listen(self) -> None:
        async for line in self._process.stdout:
            match json.loads(line):
                case {"started": pid}:
                    self._victims[pid] = Victim(pid)
                    self._starting.popleft().set_result(self._victims[pid])
                case {"stopped": pid}:
                    self._victims[pid].stopped = True
                case {"ended": pid, "status": status}:
                    self._victims.pop(pid).ended.set_result(status)
        for born in self._starting:
            born.set_exception(ChildProcessError("the parent of the victims is gone"))
        for victim in self._victims.values():
            victim.ended.set_result(-signal.SIGKILL)
