"""Writers: what loops await, and the threads that commit for them."""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from gateway.errors import StoreUnavailable
from gateway.store.commit import Committer, Counters, Failed, Result
from gateway.store.transaction import Unit

T = TypeVar("T")

GROUP = 64
"""Units in one commit, at most."""
QUEUE = 1024
"""Units that may wait; more is refused with `store.busy`."""
PROBE_SECONDS = 1.0
"""How often a thread that has nothing to do looks whether an outage is over."""

Hear = Callable[[str], None]


class Writer(Protocol):
    """Commits units of work."""

    async def commit(self, unit: Unit[T]) -> T:
        """Run the unit and return its value after COMMIT.

        Raises what the unit raises, StoreUnavailable, or OutcomeUnknown.
        """
        ...

    async def close(self) -> None: ...
    def waiting(self) -> int: ...
    def counters(self) -> Counters: ...


def value_of(result: Result) -> Any:
    """Return the value, or raise the error."""
    if isinstance(result, Failed):
        raise result.error
    return result.value


class InlineWriter:
    """Commits at once, on the caller's thread: for simulations."""

    def __init__(self, committer: Committer, *, hear: Hear = lambda _topic: None) -> None:
        """Take the committer, and who hears what units ring."""
        self._committer = committer
        self._hear = hear

    async def commit(self, unit: Unit[T]) -> T:
        """Run the unit in a commit of its own."""
        results = self._committer.run((unit,))
        for topic in self._committer.take_topics():
            self._hear(topic)
        value: T = value_of(results[0])
        return value

    async def close(self) -> None:
        """Disconnect."""
        self._committer.close()

    def waiting(self) -> int:
        """Nothing ever waits."""
        return 0

    def counters(self) -> Counters:
        """Return the facts of the committer."""
        return self._committer.counters


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    unit: Unit[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class ThreadWriter:
    """Commits on a thread per committer; what came in meanwhile goes into the next commit."""

    def __init__(
        self,
        *committers: Committer,
        size: int = QUEUE,
        group: int = GROUP,
        hear: Hear = lambda _topic: None,
    ) -> None:
        """Start the threads; `hear` is called on the loop with what units ring."""
        self._committers = committers
        self._hear = hear
        self._group = group
        self._refused = 0
        self._queue: queue.Queue[_Job | None] = queue.Queue(size)
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, args=(c,), name="store-writer", daemon=True)
            for c in committers
        ]
        for thread in self._threads:
            thread.start()

    async def commit(self, unit: Unit[T]) -> T:
        """Wait for the commit that the unit goes into; raise StoreUnavailable `store.busy`."""
        if self._closed:
            raise StoreUnavailable("store.closed", "the store is closing")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        try:
            self._queue.put_nowait(_Job(unit, future, loop))
        except queue.Full:
            self._refused += 1
            raise StoreUnavailable("store.busy", "too many changes wait for the database") from None
        return await future

    async def close(self) -> None:
        """Commit what waits, then end the threads and disconnect."""
        if not self._closed:
            self._closed = True
            for _ in self._threads:
                await asyncio.to_thread(self._queue.put, None)
            for thread in self._threads:
                await asyncio.to_thread(thread.join)

    def waiting(self) -> int:
        """Return how many units wait."""
        return self._queue.qsize()

    def counters(self) -> Counters:
        """Return the facts of all threads together."""
        return sum((c.counters for c in self._committers), Counters(refused=self._refused))

    def _run(self, committer: Committer) -> None:
        while (job := self._next(committer)) is not None:
            jobs, last = self._collect(job)
            results = committer.run([job.unit for job in jobs])
            self._resolve(jobs, results, committer.take_topics())
            if last:
                break
        committer.close()

    def _next(self, committer: Committer) -> _Job | None:
        """Wait for work; without any, look now and then whether an outage is over."""
        while True:
            try:
                return self._queue.get(timeout=PROBE_SECONDS if committer.down() else None)
            except queue.Empty:
                committer.run(())

    def _resolve(
        self, jobs: Sequence[_Job], results: Sequence[Result], topics: Sequence[str]
    ) -> None:
        """Tell each loop once about all of its futures, and the first what was rung."""
        by_loop: dict[asyncio.AbstractEventLoop, list[Callable[[], None]]] = {}
        for job, result in zip(jobs, results, strict=True):
            by_loop.setdefault(job.loop, []).append(_teller(job.future, result))
        by_loop[jobs[0].loop] += [partial(self._hear, topic) for topic in topics]
        for loop, tellers in by_loop.items():
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(_tell, tellers)

    def _collect(self, first: _Job) -> tuple[list[_Job], bool]:
        """Take what waits, up to the group's size; True when it was the last."""
        jobs = [first]
        while len(jobs) < self._group:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False


def _teller(future: asyncio.Future[Any], result: Result) -> Callable[[], None]:
    def tell() -> None:
        if future.done():
            return
        if isinstance(result, Failed):
            future.set_exception(result.error)
        else:
            future.set_result(result.value)

    return tell


def _tell(tellers: Sequence[Callable[[], None]]) -> None:
    for tell in tellers:
        tell()
