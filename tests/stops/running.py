"""Real processes of one installation, and what they say of themselves."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from gateway.cli.demo.sites import Site
from tests.spawning import program

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
BLINK = 0.05


@dataclass(slots=True, kw_only=True)
class Running:
    """One process; `ended` waits for its exit status."""

    process: asyncio.subprocess.Process
    log: Path
    beheer: str
    """URL of its management listener."""
    site: Site

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self, within: float = PATIENCE) -> int:
        async with asyncio.timeout(within):
            return await self.process.wait()

    async def stop(self) -> int:
        if self.process.returncode is None:
            self.signal(signal.SIGTERM)
        return await self.ended()

    def said(self, event: str) -> list[dict]:
        """Return the log lines of an event."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        entries = [json.loads(line) for line in lines if line.startswith("{")]
        return [entry for entry in entries if entry.get("event") == event]

    async def says(self, event: str) -> None:
        """Wait for a log line."""
        await eventually(lambda: self.said(event), f"{event} in the log")

    async def health(self) -> tuple[int, list[str]]:
        """Return status and reasons of readiness; status 0 when nobody listens."""
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{self.beheer}/health/ready") as answer,
            ):
                return answer.status, (await answer.json())["redenen"]
        except aiohttp.ClientError:
            return 0, []

    async def figure(self, name: str) -> float:
        """Return one gauge of `/metrics`."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.beheer}/metrics") as answer,
        ):
            lines = (await answer.text()).splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    async def is_ready(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while (await self.health())[0] != 200:
                if self.process.returncode is not None:
                    raise ChildProcessError(self.log.read_text(encoding="utf-8"))
                await asyncio.sleep(BLINK)


async def eventually(check, what: str) -> None:
    """Wait until it is true."""
    try:
        async with asyncio.timeout(PATIENCE):
            for _ in iter(check, True):
                if check():
                    return
                await asyncio.sleep(BLINK)
    except TimeoutError:
        raise AssertionError(what) from None


@dataclass(slots=True)
class Starter:
    """Starts processes, and leaves none."""

    folder: Path
    fresh: bool = False
    """Each with an interpreter of its own, and the pid that it is started with."""
    started: list[Running] = field(default_factory=list)

    async def begin(self, site: Site, *options: str, disk: Path | None = None) -> Running:
        """Start and return at once. `disk`: see `tests.stops.disk`."""
        log = self.folder / f"{site.place}-{len(self.started)}.log"
        if disk is None:
            command = ("gateway", "serve", "--config", str(site.folder), *options)
        else:
            command = ("tests.stops.disk", str(site.folder), str(disk))
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *command) if self.fresh else program("-m", *command),
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        port = options[-1] if "--beheer-port" in options else site.ports[2]
        made = Running(process=process, log=log, beheer=f"http://127.0.0.1:{port}", site=site)
        self.started.append(made)
        return made

    async def start(self, site: Site, *options: str, disk: Path | None = None) -> Running:
        """Start, and return when it is ready."""
        made = await self.begin(site, *options, disk=disk)
        await made.is_ready()
        return made

    async def close(self) -> None:
        for running in self.started:
            if running.process.returncode is None:
                running.process.kill()
                await running.process.wait()
