"""Calls back-ends about what changed, until told to stop.

Beside the deliveries, and after them: nothing here holds a message up. Each webhook has its
own places, so that a slow one keeps nobody waiting but itself.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from gateway.errors import GatewayError
from gateway.pipeline.webhooks import Calling
from gateway.ports import Notice
from gateway.worker import Bell

log = structlog.get_logger("gateway.webhooks")

IDLE = timedelta(seconds=5)
"""Between two looks while nothing is owed."""
LOOK = timedelta(seconds=1)
"""The same while something is."""
GRACE = timedelta(seconds=2)
"""How long a stop waits for calls under way; what it cuts off is told again."""


class WebhookWorker:
    """Tells what is owed."""

    def __init__(
        self,
        *,
        calling: Calling,
        bell: Bell,
        idle: timedelta = IDLE,
        look: timedelta = LOOK,
        on_trouble: Callable[[str], None] = lambda _code: None,
    ) -> None:
        """Take the pipeline; `on_trouble` hears the code of each failure of the store."""
        self._calling = calling
        self._bell = bell
        self._idle = idle.total_seconds()
        self._look = look.total_seconds()
        self._on_trouble = on_trouble
        self._running: dict[asyncio.Task[None], Notice] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then let what is under way end within the grace."""
        stopping = asyncio.create_task(self._ring_at(stop))
        try:
            while not stop.is_set():
                await self._bell.wait(await self._round())
        finally:
            stopping.cancel()
            await self._drain()

    async def step(self) -> int:
        """Do one round inline, for simulations: return how many calls were made."""
        notices = await self._calling.claim()
        for notice in notices:
            await self._tell(notice)
        return len(notices)

    async def _ring_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._bell.ring()

    async def _round(self) -> float:
        """Start what is due; return how long to wait."""
        try:
            for notice in await self._calling.claim():
                task = asyncio.create_task(self._tell(notice))
                self._running[task] = notice
                task.add_done_callback(self._ended)
            owed = bool(self._running) or await self._calling.waiting()
        except Exception as error:  # noqa: BLE001 - the calls go on when the store does
            self._trouble("webhook.trouble", error)
            return self._look
        return self._look if owed else self._idle

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._bell.ring()  # there is a free place

    async def _tell(self, notice: Notice) -> None:
        facts = {"webhook": notice.webhook, "what": notice.event, "attempt": notice.attempt}
        try:
            told = await self._calling.tell(notice)
        except Exception as error:  # noqa: BLE001 - its lease ends, and it is told again
            self._trouble("webhook.unsettled", error)
            return
        failure = told.result.failure
        if failure is None:
            log.info("webhook.sent", **facts)
        else:
            log.warning("webhook.failed", code=failure.code, **facts)
        if told.disabled:
            log.error("webhook.disabled", webhook=notice.webhook)

    def _trouble(self, event: str, error: Exception) -> None:
        """Log kind and code; a text of another library may hold a value."""
        code = error.code if isinstance(error, GatewayError) else f"bug.{type(error).__name__}"
        log.warning(event, code=code)
        self._on_trouble(code)

    async def _drain(self) -> None:
        if not self._running:
            return
        await asyncio.wait(self._running, timeout=GRACE.total_seconds())
        left = dict(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        try:
            await self._calling.release(tuple(left.values()))
        except GatewayError as error:
            self._trouble("webhook.trouble", error)  # their leases end by themselves
