"""Where the three installations keep their data: files, or three databases of one server."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from gateway.store.engine import Sqlite


@dataclass(frozen=True, slots=True)
class SqliteEngine:
    """A file in the folder of each installation."""

    name = "sqlite"

    def settings(self, _database: str) -> str:
        return ""

    def make(self, _database: str) -> None:
        """It is made when it is opened."""

    def connect(self, folder: Path, _database: str) -> sa.Connection:
        return Sqlite(folder / "data" / "gateway.db").reader()

    def change(self, folder: Path, database: str, work: Callable[[sa.Connection], None]) -> None:
        """Do to the database what the gateway does not."""
        del database
        with closing(Sqlite(folder / "data" / "gateway.db").writer()) as db:
            work(db)
