"""Short reads on query-only connections: in a small pool of threads, or inline."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, TypeVar

import sqlalchemy as sa

from gateway.store.engine import ours

T = TypeVar("T")
READERS = 4
SMALL = 64 * 1024
"""Octets that are encrypted or decrypted without a thread."""


class Source(Protocol):
    """What gives a connection that can not write."""

    def reader(self) -> sa.Connection: ...


class Reads(Protocol):
    """Runs a function on a consistent, read-only view; raises StoreUnavailable."""

    async def __call__(self, work: Callable[[sa.Connection], T]) -> T: ...
    async def think(self, size: int, work: Callable[[], T]) -> T:
        """Run a computation over `size` octets, away from the loop when that is much."""
        ...

    def close(self) -> None: ...


def _look(connection: sa.Connection, work: Callable[[sa.Connection], T]) -> T:
    """All reads of `work` see one moment of the database."""
    try:
        connection.exec_driver_sql("BEGIN")
        try:
            return work(connection)
        finally:
            connection.exec_driver_sql("ROLLBACK")
    except sa.exc.SQLAlchemyError as error:
        raise ours(error) from error


class InlineReads:
    """On the caller's thread: for simulations."""

    def __init__(self, source: Source) -> None:
        """Connect."""
        self._connection = source.reader()

    async def __call__(self, work: Callable[[sa.Connection], T]) -> T:
        """Run it now."""
        return _look(self._connection, work)

    async def think(self, size: int, work: Callable[[], T]) -> T:
        """Run it now."""
        del size
        return work()

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()


class ThreadReads:
    """On a few threads, each with a connection of its own."""

    def __init__(self, source: Source, *, threads: int = READERS) -> None:
        """Connections are made when a thread first reads."""
        self._source = source
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store-reader")
        self._own = threading.local()
        self._made: list[sa.Connection] = []

    async def __call__(self, work: Callable[[sa.Connection], T]) -> T:
        """Run it on a thread of the pool."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: _look(self._connection(), work))

    async def think(self, size: int, work: Callable[[], T]) -> T:
        """Run it here when it is small, else on a thread of the pool."""
        if size <= SMALL:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Wait for what is being read, then disconnect."""
        self._pool.shutdown(wait=True)
        for connection in self._made:
            with suppress(sa.exc.SQLAlchemyError):
                connection.close()

    def _connection(self) -> sa.Connection:
        connection: sa.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._source.reader()
            self._own.connection = connection
            self._made.append(connection)
        return connection
