"""A SQLite file: one process writes, one connection writes and checkpoints."""

import fcntl
import os
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from gateway.errors import Misconfigured
from gateway.store.bell import Bells

BUSY_TIMEOUT_MS = 5_000


class Lock:
    """One process per database: held as long as the process lives, also through `kill -9`."""

    def __init__(self, database: Path) -> None:
        """Take the lock; raise Misconfigured `store.locked` when another process holds it."""
        path = database.with_name(database.name + ".lock")
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Misconfigured(
                "store.path", "de map van de database is niet te beschrijven", where=str(path)
            ) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise Misconfigured(
                "store.locked",
                "een ander gateway-proces gebruikt deze database; stop dat eerst, of neem "
                "PostgreSQL voor meer processen",
                where=str(database),
            ) from error

    def release(self) -> None:
        """Give the lock up; the file stays."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class Sqlite:
    """A database file. Connections are in autocommit: the caller says BEGIN and COMMIT."""

    shared = False

    def __init__(self, path: Path) -> None:
        """Only keep the path; connections are made when asked for."""
        self.path = path
        self._engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,  # values of messages stay out of error texts
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        )

    def create(self) -> None:
        """Make the file, readable for its owner only; raise Misconfigured `store.path`."""
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise Misconfigured(
                "store.path", "de database is niet te beschrijven", where=str(self.path)
            ) from error

    def lock(self) -> Lock:
        """Keep every other process out; raise Misconfigured `store.locked`."""
        return Lock(self.path)

    def writer(self) -> sa.Connection:
        """Return the connection that writes; COMMIT returns after the disk has it."""
        return self._connect("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")

    def reader(self) -> sa.Connection:
        """Return a connection that can not write."""
        return self._connect("query_only = ON")

    def begin(self, connection: sa.Connection) -> None:
        """Take the one place of a writer, so that nothing read in between can change."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def commit(self, connection: sa.Connection) -> None:
        """Commit; when it raises, nobody knows whether it happened."""
        connection.exec_driver_sql("COMMIT")

    def checkpoint(self, connection: sa.Connection) -> None:
        """Bring the write-ahead log into the file."""
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def chain(self, connection: sa.Connection, name: str) -> str:
        """There is one process with one writer: the name itself."""
        del connection
        return name

    def horizon(self, connection: sa.Connection, table: str) -> tuple[int, frozenset[str]]:
        """One connection writes: numbers are given in the order of the commits."""
        last = connection.execute(
            sa.select(sa.func.max(sa.column("seq"))).select_from(sa.table(table))
        ).scalar()
        return last or 0, frozenset()

    def tell(self, connection: sa.Connection, topics: tuple[str, ...]) -> None:
        """There is no other process."""

    async def hear(self, bells: Bells) -> None:
        """There is no other process."""

    def alone(self, connection: sa.Connection) -> None:
        """BEGIN IMMEDIATE did it."""

    def _connect(self, *pragmas: str) -> sa.Connection:
        connection = self._engine.connect()
        try:
            for pragma in (f"busy_timeout = {BUSY_TIMEOUT_MS}", *pragmas):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection
