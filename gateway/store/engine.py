"""Connections to SQLite: one that writes and checkpoints, and short query-only ones.

PostgreSQL comes in here, beside `Sqlite`; no other module knows which engine it is.
"""

import fcntl
import os
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from gateway.errors import GatewayError, Misconfigured, StoreUnavailable

BUSY_TIMEOUT_MS = 5_000
_PREFIX = "sqlite:///"


def path_of(url_or_path: str | os.PathLike[str]) -> Path:
    """Return the file of a path or `sqlite:///` URL; raise Misconfigured `store.engine`."""
    given = os.fspath(url_or_path)
    if given.startswith(_PREFIX):
        given = given.removeprefix(_PREFIX)
    if "://" in given or given in {"", ":memory:"}:
        raise Misconfigured("store.engine", "only a SQLite file can be opened as database")
    return Path(given)


def ours(error: BaseException) -> BaseException:
    """Turn an error of the database into one of ours; leave others as they are."""
    if isinstance(error, GatewayError):
        return error
    if isinstance(error, sa.exc.IntegrityError):
        return StoreUnavailable(
            "store.integrity", "a constraint of the database refused the change"
        )
    if isinstance(error, sa.exc.OperationalError):
        return StoreUnavailable("store.failed", "the database is locked, full or unreadable")
    if isinstance(error, sa.exc.SQLAlchemyError):
        return StoreUnavailable("store.failed", "the database failed")
    return error


class Lock:
    """One process per database: held as long as the process lives, also through `kill -9`."""

    def __init__(self, database: Path) -> None:
        """Take the lock; raise Misconfigured `store.locked` when another process holds it."""
        path = database.with_name(database.name + ".lock")
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise Misconfigured(
                "store.locked", "another process has opened this database"
            ) from error

    def release(self) -> None:
        """Give the lock up; the file stays."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class Sqlite:
    """A database file. Connections are in autocommit: the caller says BEGIN and COMMIT."""

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
            raise Misconfigured("store.path", "the database file can not be made") from error

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

    def _connect(self, *pragmas: str) -> sa.Connection:
        connection = self._engine.connect()
        try:
            for pragma in (f"busy_timeout = {BUSY_TIMEOUT_MS}", *pragmas):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection
