"""The processes of the demo: start, wait until ready, stop, leave nothing running."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from gateway.cli.demo.rest import DemoFailed

START_SECONDS = 120.0
STOP_SECONDS = 30.0


@dataclass(slots=True, kw_only=True)
class Served:
    """One `gateway serve` in a process of its own."""

    name: str
    config: Path
    log: Path
    beheer: str
    """URL of the management listener."""
    _process: asyncio.subprocess.Process | None = field(default=None)

    async def start(self) -> None:
        """Start and return at once; `ready` waits."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "gateway",
                "serve",
                "--config",
                str(self.config),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    async def ready(self) -> None:
        """Wait until the process says that it can exchange messages."""
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
            while not await self._is_ready(session):
                if self._process is not None and self._process.returncode is not None:
                    raise DemoFailed(f"{self.name} startte niet; zie {self.log}")
                await asyncio.sleep(0.1)

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.beheer}/health/ready") as answer:
                return answer.status == 200  # noqa: PLR2004 - HTTP OK
        except aiohttp.ClientError:
            return False

    async def stop(self) -> int:
        """Ask it to stop, then make it; return its exit code."""
        process = self._process
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        self._process = None
        return process.returncode or 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None
