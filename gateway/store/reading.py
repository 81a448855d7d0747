"""Short reads on query-only connections: in a small pool of threads, or inline."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, TypeVar

import sqlalchemy as sa

from gateway.store.engine import Engine
from gateway.store.faults import lost_connection, ours

T = TypeVar("T")
READERS = 4
SMALL = 64 * 1024
"""Octets that are encrypted or decrypted without a thread."""


class Reads(Protocol):
    """Runs a function on a consistent, read-only view; raises StoreUnavailable."""

    async def __call__(self, work: Callable[[sa.Connection], T]) -> T: ...
    async def think(self, size: int, work: Callable[[], T]) -> T:
        """Run a computation over `size` octets, away from the loop when that is much."""
        ...

    def close(self) -> None: ...


class Sight:
    """A connection that reads, made when it is needed and again when it was lost."""

    def __init__(self, engine: Engine) -> None:
        """Connect later."""
        self._engine = engine
        self._connection: sa.Connection | None = None

    def look(self, work: Callable[[sa.Connection], T]) -> T:
        """Return what `work` finds; all its reads see one moment of the database.

        A server that was restarted meanwhile is asked once more, on a new connection. Raises
        StoreUnavailable.
        """
        fresh = self._connection is None
        try:
            return self._once(work)
        except sa.exc.SQLAlchemyError as error:
            self.close()
            if fresh or not lost_connection(error):
                raise ours(error) from error
        try:
            return self._once(work)
        except sa.exc.SQLAlchemyError as error:
            self.close()
            raise ours(error) from error

    def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            with suppress(sa.exc.SQLAlchemyError):
                self._connection.close()
            self._connection = None

    def _once(self, work: Callable[[sa.Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._engine.reader()
        self._connection.exec_driver_sql("BEGIN")
        try:
            return work(self._connection)
        finally:
            self._connection.exec_driver_sql("ROLLBACK")


class InlineReads:
    """On the caller's thread: for simulations."""

    def __init__(self, engine: Engine) -> None:
        """Connect at the first look."""
        self._sight = Sight(engine)

    async def __call__(self, work: Callable[[sa.Connection], T]) -> T:
        """Run it now."""
        return self._sight.look(work)

    async def think(self, size: int, work: Callable[[], T]) -> T:
        """Run it now."""
        del size
        return work()

    def close(self) -> None:
        """Disconnect."""
        self._sight.close()


class ThreadReads:
    """On a few threads, each with a connection of its own."""

    def __init__(self, engine: Engine, *, threads: int = READERS) -> None:
        """Connections are made when a thread first reads."""
        self._engine = engine
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store-reader")
        self._own = threading.local()
        self._made: list[Sight] = []

    async def __call__(self, work: Callable[[sa.Connection], T]) -> T:
        """Run it on a thread of the pool."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: self._sight().look(work))

    async def think(self, size: int, work: Callable[[], T]) -> T:
        """Run it here when it is small, else on a thread of the pool."""
        if size <= SMALL:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Wait for what is being read, then disconnect."""
        self._pool.shutdown(wait=True)
        for sight in self._made:
            sight.close()

    def _sight(self) -> Sight:
        sight: Sight | None = getattr(self._own, "sight", None)
        if sight is None:
            sight = self._own.sight = Sight(self._engine)
            self._made.append(sight)
        return sight
