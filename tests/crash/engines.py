"""Where the three installations keep their data: files, or three databases of one server."""

from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

import sqlalchemy as sa

from gateway.cli.demo.postgres import Postgres
from gateway.store.sqlite import Sqlite

T = TypeVar("T")
Work = Callable[[sa.Connection], T]


class Engine(Protocol):
    """What the rig needs of an engine; `folder` is that of an installation."""

    name: str
    shared: bool
    """Whether others may write beside the process."""

    def settings(self, database: str) -> str:
        """Return what stands in gateway.toml for it."""
        ...

    def make(self, database: str) -> None: ...
    def drop(self, database: str) -> None: ...
    def connect(self, folder: Path, database: str) -> sa.Connection:
        """Return a connection to look at what is stored."""
        ...

    def change(self, folder: Path, database: str, work: Work[T]) -> T:
        """Do to the database what the gateway does not."""
        ...


class SqliteEngine:
    """A file in the folder of each installation."""

    name = "sqlite"
    shared = False

    def settings(self, database: str) -> str:
        del database
        return ""

    def make(self, database: str) -> None:
        """It is made when it is opened."""

    def drop(self, database: str) -> None:
        """It goes with the folder."""

    def connect(self, folder: Path, database: str) -> sa.Connection:
        del database
        return _file(folder).reader()

    def change(self, folder: Path, database: str, work: Work[T]) -> T:
        del database
        with closing(_file(folder).writer()) as db:
            return work(db)


@cache
def _file(folder: Path) -> Sqlite:
    return Sqlite(folder / "data" / "gateway.db")


class PostgresEngine:
    """A database per installation, in one server that may be stopped."""

    name = "postgresql"
    shared = True

    def __init__(self, server: Postgres):
        self.server = server
        self._engines: dict[str, sa.Engine] = {}

    def settings(self, database: str) -> str:
        return f'url = "{self.server.url(database)}"'

    def make(self, database: str) -> None:
        url = self.server.create(database).replace("postgresql://", "postgresql+psycopg://")
        self._engines[database] = sa.create_engine(url, pool_size=1, pool_pre_ping=True)

    def drop(self, database: str) -> None:
        self._engines.pop(database).dispose()
        self.server.drop(database)

    def connect(self, folder: Path, database: str) -> sa.Connection:
        del folder
        return self._engines[database].connect()

    def change(self, folder: Path, database: str, work: Work[T]) -> T:
        del folder
        with self._engines[database].begin() as db:
            return work(db)
