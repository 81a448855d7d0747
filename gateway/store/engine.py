"""What the store needs of a database, whichever it is. `open_engine` chooses."""

import os
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from gateway.errors import Misconfigured
from gateway.store.bell import Bells

POSTGRESQL = "postgresql"
_SQLITE = "sqlite:///"


class Engine(Protocol):
    """A database. Its connections are in autocommit: the caller says BEGIN and COMMIT."""

    shared: bool
    """Whether several processes may write at once."""

    def create(self) -> None:
        """Make what must stand before a connection can; raise Misconfigured `store.path`."""
        ...

    def lock(self) -> "Held":
        """Keep other processes out, where only one may write.

        Raises Misconfigured `store.locked`.
        """
        ...

    def writer(self) -> sa.Connection:
        """Return a connection that writes; COMMIT returns after the disk has it."""
        ...

    def reader(self) -> sa.Connection:
        """Return a connection that can not write; each BEGIN sees one moment."""
        ...

    def begin(self, connection: sa.Connection) -> None: ...
    def commit(self, connection: sa.Connection) -> None:
        """Commit; when it raises, nobody knows whether it happened."""
        ...

    def checkpoint(self, connection: sa.Connection) -> None: ...
    def chain(self, connection: sa.Connection, name: str) -> str:
        """Return the audit chain that is this connection's alone as long as it lives."""
        ...

    def horizon(self, connection: sa.Connection, table: str) -> tuple[int, frozenset[str]]:
        """Return the last number given in a table, and who may not have committed theirs.

        When all of these are done, whatever they did, every row up to that number is there
        or never will be. Ask on a transaction of its own; look at the rows in a later one.
        """
        ...

    def tell(self, connection: sa.Connection, topics: tuple[str, ...]) -> None:
        """Wake other processes when the transaction commits."""
        ...

    async def hear(self, bells: Bells) -> None:
        """Ring for what other processes tell, until cancelled."""
        ...

    def alone(self, connection: sa.Connection) -> None:
        """Let one process at a time change the tables, until the commit."""
        ...


class Held(Protocol):
    """A lock that is held until it is released or the process ends."""

    def release(self) -> None: ...


def is_postgresql(given: str | os.PathLike[str]) -> bool:
    """Tell whether this is the URL of a PostgreSQL database."""
    return os.fspath(given).partition(":")[0] in {POSTGRESQL, "postgres"}


def open_engine(given: str | os.PathLike[str], *, password_file: Path | None = None) -> Engine:
    """Return the engine for a `postgresql://` URL, a path or a `sqlite:///` URL.

    Nothing is connected yet. Raises Misconfigured `store.engine`, `store.password`.
    """
    if is_postgresql(given):
        from gateway.store.postgres import Postgres

        return Postgres(os.fspath(given), password_file=password_file)
    from gateway.store.sqlite import Sqlite

    return Sqlite(path_of(given))


def path_of(url_or_path: str | os.PathLike[str]) -> Path:
    """Return the file of a path or `sqlite:///` URL; raise Misconfigured `store.engine`."""
    given = os.fspath(url_or_path)
    if given.startswith(_SQLITE):
        given = given.removeprefix(_SQLITE)
    if "://" in given or "=" in given or given in {"", ":memory:"}:
        raise Misconfigured("store.engine", "only a SQLite file or PostgreSQL can be opened")
    return Path(given)
