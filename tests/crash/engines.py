"""Where the three installations keep their data: files, or three databases of one server."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from gateway.cli.demo.postgres import Postgres
from gateway.store.engine import Sqlite

Work = Callable[[sa.Connection], None]


class Engine(Protocol):
    """What the rig needs of an engine; `folder` is that of an installation."""

    name: str

    def settings(self, database: str) -> str:
        """Return what stands in gateway.toml for it."""
        ...

    def make(self, database: str) -> None: ...
    def drop(self, database: str) -> None: ...
    def connect(self, folder: Path, database: str) -> sa.Connection:
        """Return a connection to look at what is stored."""
        ...

    def change(self, folder: Path, database: str, work: Work) -> None:
        """Do to the database what the gateway does not."""
        ...


class SqliteEngine:
    """A file in the folder of each installation."""

    name = "sqlite"

    def settings(self, database: str) -> str:
        del database
        return ""

    def make(self, database: str) -> None:
        """It is made when it is opened."""

    def drop(self, database: str) -> None:
        """It goes with the folder."""

    def connect(self, folder: Path, database: str) -> sa.Connection:
        del database
        return Sqlite(folder / "data" / "gateway.db").reader()

    def change(self, folder: Path, database: str, work: Work) -> None:
        del database
        with closing(Sqlite(folder / "data" / "gateway.db").writer()) as db:
            work(db)


@dataclass(frozen=True, slots=True)
class PostgresEngine:
    """A database per installation, in one server that may be stopped."""

    server: Postgres
    name: str = "postgresql"

    def settings(self, database: str) -> str:
        return f'\n[database]\nurl = "{self.server.url(database)}"\n'

    def make(self, database: str) -> None:
        self.server.create(database)

    def drop(self, database: str) -> None:
        self.server.drop(database)

    def connect(self, folder: Path, database: str) -> sa.Connection:
        del folder
        return self._engine(database).connect()

    def change(self, folder: Path, database: str, work: Work) -> None:
        del folder
        with self._engine(database).begin() as db:
            work(db)

    def _engine(self, database: str) -> sa.Engine:
        url = self.server.url(database).replace("postgresql://", "postgresql+psycopg://")
        return sa.create_engine(url, poolclass=NullPool)
