"""Lanes → claim → deliver → settle, until told to stop.

The worker never polls busily: it waits for the bell of the store, or until the next
delivery, acknowledgement or expiry falls due.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from gateway.errors import GatewayError
from gateway.pipeline import Gateway
from gateway.ports import Claim, Clock, Queue

log = structlog.get_logger("gateway.worker")


class Bell(Protocol):
    """Rings when the store changed in a way that may give work."""

    async def wait(self, timeout: float) -> bool: ...  # noqa: ASYNC109 - a bounded wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Bounds of the worker."""

    concurrency: int = 16
    """Deliveries under way at once in this process."""
    longest_wait: timedelta = timedelta(seconds=5)
    """Also the interval of heartbeat and sweep."""
    trouble_wait: timedelta = timedelta(seconds=1)
    """Pause after the store failed."""
    grace: timedelta = timedelta(seconds=10)
    """How long a stop waits for deliveries under way."""


class Worker:
    """Sends what is ready."""

    def __init__(  # noqa: PLR0913 - wiring, by name
        self,
        *,
        name: str,
        gateway: Gateway,
        queue: Queue,
        bell: Bell,
        clock: Clock,
        pace: Pace | None = None,
        on_trouble: Callable[[str], None] = lambda _code: None,
    ) -> None:
        """Take the ports; `on_trouble` hears the code of each failure of the store."""
        self._name = name
        self._gateway = gateway
        self._queue = queue
        self._bell = bell
        self._clock = clock
        self._pace = pace or Pace()
        self._on_trouble = on_trouble
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then let what is under way end within the grace, and retire."""
        while not stop.is_set():
            try:
                wait = await self._round()
            except Exception as error:  # noqa: BLE001 - one bad row must not stop all traffic
                self._trouble("worker.trouble", error)
                wait = self._pace.trouble_wait.total_seconds()
            await self._rest(stop, wait)
        await self._drain()
        try:
            await self._queue.retire(worker=self._name)
        except GatewayError as error:
            self._trouble("worker.trouble", error)  # its lease ends by itself

    async def step(self) -> int:
        """Do one round inline, for simulations: return how many attempts were made."""
        await self._queue.sweep(worker=self._name, under_way=frozenset())
        claims = await self._claim(self._pace.concurrency)
        for claim in claims:
            await self._gateway.deliver(claim)
        return len(claims)

    async def _round(self) -> float:
        await self._queue.heartbeat(worker=self._name)
        under_way = frozenset(task.get_name() for task in self._running)
        due = await self._queue.sweep(worker=self._name, under_way=under_way)
        free = self._pace.concurrency - len(self._running)
        if free > 0:
            for claim in await self._claim(free):
                task = asyncio.create_task(self._deliver(claim), name=claim.delivery)
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        return self._until(due)

    async def _claim(self, limit: int) -> tuple[Claim, ...]:
        directory = self._gateway.snapshots.current()
        now = self._clock.now()
        valid = frozenset(
            a.id for a in directory.gate.approvals if a.valid_from <= now < a.valid_until
        )
        return await self._queue.claim(
            worker=self._name,
            limit=limit,
            epoch=directory.epoch,
            approvals=valid,
            suspended=directory.suspended,
        )

    async def _deliver(self, claim: Claim) -> None:
        try:
            await self._gateway.deliver(claim)
        except Exception as error:  # noqa: BLE001 - the next sweep puts the claim back
            self._trouble("delivery.unsettled", error)

    def _trouble(self, event: str, error: Exception) -> None:
        """Log kind and code; a text of another library may hold a value."""
        code = error.code if isinstance(error, GatewayError) else f"bug.{type(error).__name__}"
        log.warning(event, code=code)
        self._on_trouble(code)

    def _until(self, due: datetime | None) -> float:
        longest = self._pace.longest_wait.total_seconds()
        if due is None:
            return longest
        return min(longest, max(0.0, (due - self._clock.now()).total_seconds()))

    async def _rest(self, stop: asyncio.Event, seconds: float) -> None:
        """Until the bell, the due moment, the end of a delivery (a free place), or the stop."""
        waits = {
            asyncio.ensure_future(self._bell.wait(max(seconds, 0.01))),
            asyncio.ensure_future(stop.wait()),
        }
        full = len(self._running) >= self._pace.concurrency
        watched = waits | (self._running if full else set())
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
            with suppress(asyncio.CancelledError):
                await wait

    async def _drain(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=self._pace.grace.total_seconds())
        left = tuple(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
