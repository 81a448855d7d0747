"""A PostgreSQL database: any number of processes, each with a few connections that write."""

from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from sqlalchemy.pool import NullPool

from gateway.errors import Misconfigured, StoreUnavailable
from gateway.store.bell import Bells
from gateway.store.faults import ours
from gateway.store.listen import listen

CHANNEL = "gateway"
"""NOTIFY channel on which processes wake each other."""
CHAINS = 0x67_61_74_65
"""First key of the advisory locks on audit chains; the second is the number of the chain."""
TABLES = 0x67_61_74_66
"""Key of the advisory lock that a migration takes."""
MOST_CHAINS = 1_024
LOCK_SECONDS = 10
STATEMENT_SECONDS = 30
IDLE_SECONDS = 10
"""A process that stands still within a transaction holds up all others: shorter than a lease."""
CONNECT_SECONDS = 5

# A server that vanished without a word is noticed within about half a minute.
_KEEPALIVE = {
    "keepalives": "1",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "connect_timeout": str(CONNECT_SECONDS),
    "application_name": "berichtengateway",
}
_WRITER = (
    # A server that is set up otherwise must not make COMMIT return before the disk has it.
    "SET synchronous_commit = on",
    f"SET lock_timeout = '{LOCK_SECONDS}s'",
    f"SET statement_timeout = '{STATEMENT_SECONDS}s'",
    f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'",
)
_READER = (
    # A plan for any values reads the whole audit log for a case of a few messages.
    "SET plan_cache_mode = force_custom_plan",
    f"SET statement_timeout = '{STATEMENT_SECONDS}s'",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
)

# A sequence that gave nothing yet says 1, too.
_LAST = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}_seq_seq"
_WRITING = """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND granted AND mode = 'RowExclusiveLock'
    AND relation = '{}'::regclass
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Free:
    """Nothing is locked: the database itself keeps the processes apart."""

    def release(self) -> None:
        """Nothing to give up."""


class Postgres:
    """A database on a server. Connections are in autocommit: the caller says BEGIN and COMMIT."""

    shared = True

    def __init__(self, url: str, *, password_file: Path | None = None) -> None:
        """Only read the URL; raise Misconfigured `store.engine` or `store.password`."""
        self.conninfo = _conninfo(url, password_file)
        self._engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(self.conninfo, autocommit=True),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,  # values of messages stay out of error texts
        )

    def create(self) -> None:
        """The database is made by whoever keeps the server; raise `store.gone` without one."""
        try:
            self._engine.connect().close()
        except sa.exc.SQLAlchemyError as error:
            raise ours(error) from error

    def lock(self) -> Free:
        """Any number of processes may write."""
        return Free()

    def writer(self) -> sa.Connection:
        """Return a connection that writes; COMMIT returns after the disk has it."""
        return self._connect(*_WRITER)

    def reader(self) -> sa.Connection:
        """Return a connection that can not write; each BEGIN sees one moment."""
        return self._connect(*_READER)

    def begin(self, connection: sa.Connection) -> None:
        """Begin, at READ COMMITTED: each statement sees what was committed before it."""
        connection.exec_driver_sql("BEGIN")

    def commit(self, connection: sa.Connection) -> None:
        """Commit; when it raises, nobody knows whether it happened."""
        driver: Any = connection.connection.driver_connection
        if driver.info.transaction_status != TransactionStatus.INTRANS:
            # PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, and no error.
            raise StoreUnavailable("store.failed", "the transaction failed before its commit")
        connection.exec_driver_sql("COMMIT")

    def checkpoint(self, connection: sa.Connection) -> None:
        """The server does that."""

    def chain(self, connection: sa.Connection, name: str) -> str:
        """Take the first chain that no living connection has: chains do not multiply.

        The lock goes with the connection. A connection that is half dead keeps its chain
        until the server notices, and the next one continues another.
        """
        for n in range(1, MOST_CHAINS + 1):
            taken = connection.exec_driver_sql(
                "SELECT pg_try_advisory_lock(%s, %s)", (CHAINS, n)
            ).scalar_one()
            if taken:
                return f"{name}/{n}"
        raise StoreUnavailable("store.chains", "more connections write than there are chains")

    def horizon(self, connection: sa.Connection, table: str) -> tuple[int, frozenset[str]]:
        """A number is given under a lock on the table, and that is held until the commit.

        Both are read as they are now, whatever moment the transaction sees: first the number,
        then who holds the lock. Who let go of it in between has committed.
        """
        last = connection.exec_driver_sql(_LAST.format(table)).scalar_one()
        return last, frozenset(connection.exec_driver_sql(_WRITING.format(table)).scalars())

    def tell(self, connection: sa.Connection, topics: tuple[str, ...]) -> None:
        """Send the topics when the transaction commits."""
        for topic in topics:
            connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, topic))

    async def hear(self, bells: Bells) -> None:
        """LISTEN on a connection of its own."""
        await listen(self.conninfo, CHANNEL, bells)

    def alone(self, connection: sa.Connection) -> None:
        """Let one process at a time change the tables, until the commit."""
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, 0)", (TABLES,))

    def _connect(self, *settings: str) -> sa.Connection:
        connection = self._engine.connect()
        try:
            for setting in settings:
                connection.exec_driver_sql(setting)
        except BaseException:
            connection.close()
            raise
        return connection


def _conninfo(url: str, password_file: Path | None) -> str:
    try:
        given: dict[str, Any] = conninfo_to_dict(url)
    except psycopg.Error:
        raise Misconfigured("store.engine", "the URL of the database can not be read") from None
    if given.get("password"):
        raise Misconfigured(
            "store.password",
            "no password in the URL of the database: use password_file, PGPASSWORD or PGPASSFILE",
        )
    if password_file is not None:
        given["password"] = _password(password_file)
    return make_conninfo(**(_KEEPALIVE | given))


def _password(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise Misconfigured(
                "store.password", "the password file is open to others", where=str(path)
            )
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Misconfigured(
            "store.password", "the password file can not be read", where=str(path)
        ) from error
