"""Waking up who waits for work, instead of polling. All on one asyncio loop."""

import asyncio
from contextvars import ContextVar

from gateway.message import Oin
from gateway.ports import DeliveryChannel, NewDelivery


class Bell:
    """For one waiter. A ring while nobody waits is not lost: the next wait returns at once."""

    def __init__(self) -> None:
        """Start silent."""
        self._rung = False
        self._waiter: asyncio.Future[bool] | None = None

    def ring(self) -> None:
        """Wake the waiter, or let its next wait return at once."""
        self._rung = True
        self._wake(rung=True)

    async def wait(self, timeout: float) -> bool:  # noqa: ASYNC109 - a bounded wait is the promise
        """Wait at most `timeout` seconds; False when it did not ring."""
        if not self._rung:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(timeout, self._wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        rung, self._rung = self._rung, False
        return rung

    def _wake(self, *, rung: bool = False) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(rung)


_seen: ContextVar[tuple[str, int] | None] = ContextVar("postvak_seen", default=None)


class PartyBells:
    """For any number of waiters per party.

    `look` before reading what there is; a ring between that and `wait` in the same task is
    not lost.
    """

    def __init__(self) -> None:
        """Start silent."""
        self._rings: dict[str, int] = {}
        self._waiters: dict[str, set[asyncio.Future[None]]] = {}

    def ring(self, party: Oin) -> None:
        """Wake all who wait for this party."""
        self._rings[party] = self._rings.get(party, 0) + 1
        for waiter in self._waiters.pop(party, set()):
            if not waiter.done():
                waiter.set_result(None)

    def ring_all(self) -> None:
        """Wake all waiters."""
        for party in {*self._rings, *self._waiters}:
            self.ring(Oin(party))

    def look(self, party: Oin) -> None:
        """Remember, for this task, what was rung so far."""
        _seen.set((party, self._rings.get(party, 0)))

    async def wait(self, party: Oin, timeout: float) -> bool:  # noqa: ASYNC109 - as above
        """Wait at most `timeout` seconds; False when it did not ring since `look`."""
        seen = _seen.get()
        if seen is not None and seen[0] == party and seen[1] != self._rings.get(party, 0):
            return True
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(party, set()).add(waiter)
        try:
            await asyncio.wait_for(waiter, timeout)
        except TimeoutError:
            return False
        finally:
            self._forget(party, waiter)
        return True

    def _forget(self, party: Oin, waiter: asyncio.Future[None]) -> None:
        waiters = self._waiters.get(party)
        if waiters is not None:
            waiters.discard(waiter)
            if not waiters:
                del self._waiters[party]


WORK = "work"
POSTVAK = "postvak:"
WEBHOOKS = "webhooks"
SOON = 0.02
"""Seconds after which a worker looks again at lanes that another process had."""


def topic_of(delivery: NewDelivery) -> str:
    """Return what to ring for a delivery that is READY now."""
    return topic_of_channel(delivery.channel, delivery.recipient)


def topic_of_channel(channel: str, recipient: str) -> str:
    """Return what to ring for something that is READY now on this channel."""
    return f"{POSTVAK}{recipient}" if channel == DeliveryChannel.POSTVAK else WORK


class Bells:
    """All bells of a store."""

    def __init__(self) -> None:
        """Make them."""
        self.work = Bell()
        self.epoch = Bell()
        """The directory was changed by another process."""
        self.postvak = PartyBells()
        self.webhooks = Bell()

    def rung(self, topic: str) -> None:
        """Pass on what a commit rang, of this process or another."""
        if topic == WORK:
            self.work.ring()
        elif topic.startswith(POSTVAK):
            self.postvak.ring(Oin(topic.removeprefix(POSTVAK)))
        elif topic == WEBHOOKS:
            self.webhooks.ring()
        else:
            self.epoch.ring()

    def all(self) -> None:
        """Wake everybody: something may have been missed."""
        self.work.ring()
        self.epoch.ring()
        self.postvak.ring_all()
        self.webhooks.ring()

    def soon(self) -> None:
        """Wake the worker in a moment."""
        asyncio.get_running_loop().call_later(SOON, self.work.ring)
