"""What a player does beside listening: every message takes its own time."""

import asyncio
import traceback
from collections.abc import Coroutine
from typing import Any

import aiohttp

from gateway.cli.simulator.journal import OWN, Journal
from gateway.errors import GatewayError


class Errands:
    """Tasks of one player. One that goes wrong is told, and ends nothing else."""

    def __init__(self, journal: Journal) -> None:
        """Tell what goes wrong to the journal."""
        self._journal = journal
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start and go on."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Stop what still runs."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, GatewayError):
            self._journal.say(OWN, "mislukt", f"{error.code} {error.where}".strip())
        elif isinstance(error, (aiohttp.ClientError, TimeoutError)):
            self._journal.say(OWN, "mislukt", type(error).__name__)
        elif error is not None:
            # A traceback may print a value of a document; the place is enough to find it.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} in {place.name}, line {place.lineno}"
            self._journal.say(OWN, "FOUT IN DE SIMULATOR", where)
