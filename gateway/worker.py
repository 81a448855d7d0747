"""Lanes → claim → deliver → settle, until told to stop.

The worker never polls busily: it waits for the bell of the store, or until the next
delivery, acknowledgement or expiry falls due.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from gateway.errors import GatewayError
from gateway.pipeline import Gateway
from gateway.ports import Claim, Clock, Queue

log = structlog.get_logger("gateway.worker")


LOOK = 1.0
"""Seconds between two looks at what time does, while there is traffic."""
MOMENT = 0.01
"""Shortest wait, in seconds."""


class Bell(Protocol):
    """Rings when the store changed in a way that may give work."""

    def ring(self) -> None: ...
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
        self._look_at = float("-inf")
        self._told: tuple[str, str] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then let what is under way end within the grace, and retire."""
        stopping = asyncio.create_task(self._ring_at(stop))
        try:
            await self._work(stop)
        finally:
            stopping.cancel()
        await self._drain()
        try:
            await self._queue.retire(worker=self._name)
        except GatewayError as error:
            self._trouble("worker.trouble", error)  # its lease ends by itself

    async def _work(self, stop: asyncio.Event) -> None:
        rung = True
        while not stop.is_set():
            try:
                wait = await self._round(rung=rung)
                self._told = None
            except Exception as error:  # noqa: BLE001 - one bad row must not stop all traffic
                self._trouble("worker.trouble", error)
                wait = self._pace.trouble_wait.total_seconds()
            rung = await self._bell.wait(wait)

    async def step(self) -> int:
        """Do one round inline, for simulations: return how many attempts were made."""
        await self._queue.sweep(worker=self._name, under_way=frozenset())
        claims = await self._claim(self._pace.concurrency, sure=False)
        for claim in claims:
            await self._gateway.deliver(claim)
        return len(claims)

    async def _ring_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._bell.ring()

    async def _round(self, *, rung: bool) -> float:
        """Look at the clock when it is time to, claim, and return how long to wait."""
        await self._queue.heartbeat(worker=self._name)
        if self._clock.monotonic() >= self._look_at:
            await self._look()
        free = self._pace.concurrency - len(self._running)
        if free > 0:
            for claim in await self._claim(free, sure=rung):
                task = asyncio.create_task(self._deliver(claim), name=claim.delivery)
                self._running.add(task)
                task.add_done_callback(self._ended)
        wait = max(MOMENT, self._look_at - self._clock.monotonic())
        return min(wait, LOOK) if self._running else wait

    async def _look(self) -> None:
        """Do what time does. While there is traffic at most once a second."""
        under_way = frozenset(task.get_name() for task in self._running)
        due = await self._queue.sweep(worker=self._name, under_way=under_way)
        now = self._clock.monotonic()
        self._look_at = now + (LOOK if self._running else self._until(due))

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A delivery ended: what it left for later is looked at in a moment."""
        if len(self._running) >= self._pace.concurrency:
            self._bell.ring()  # there is a free place
        self._running.discard(task)
        self._look_at = min(self._look_at, self._clock.monotonic() + LOOK)

    async def _claim(self, limit: int, *, sure: bool) -> tuple[Claim, ...]:
        directory = self._gateway.snapshots.current()
        now = self._clock.now()
        valid = frozenset(
            a.id for a in directory.gate.at(now).approvals if a.valid_from <= now < a.valid_until
        )
        return await self._queue.claim(
            worker=self._name,
            limit=limit,
            epoch=directory.epoch,
            approvals=valid,
            suspended=directory.suspended,
            sure=sure,
        )

    async def _deliver(self, claim: Claim) -> None:
        try:
            await self._gateway.deliver(claim)
        except Exception as error:  # noqa: BLE001 - the next sweep puts the claim back
            self._trouble("delivery.unsettled", error)

    async def _beat(self) -> None:
        try:
            await self._queue.heartbeat(worker=self._name)
        except GatewayError as error:
            self._trouble("worker.trouble", error)

    def _trouble(self, event: str, error: Exception) -> None:
        """Log kind and code, once while it lasts; a text of another library may hold a value."""
        code = error.code if isinstance(error, GatewayError) else f"bug.{type(error).__name__}"
        if self._told != (event, code):
            self._told = event, code
            log.warning(event, code=code)
        self._on_trouble(code)

    def _until(self, due: datetime | None) -> float:
        longest = self._pace.longest_wait.total_seconds()
        if due is None:
            return longest
        return min(longest, max(MOMENT, (due - self._clock.now()).total_seconds()))

    async def _drain(self) -> None:
        """Let what is under way end. The lease goes on meanwhile: others must not send it too."""
        now = asyncio.get_running_loop().time
        until = now() + self._pace.grace.total_seconds()
        while self._running and (rest := until - now()) > 0:
            await asyncio.wait(self._running, timeout=min(rest, LOOK))
            await self._beat()
        left = tuple(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
