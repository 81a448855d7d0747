"""An empty SQLite database with its tables: to copy one is quicker than to migrate."""

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.store.migrations import upgrade
from gateway.store.sqlite import Sqlite


def put_empty(path: Path) -> Path:
    """Put one there, unless something stands there already."""
    if not path.exists():
        shutil.copy(empty_database(), path)
    return path


def empty_database() -> Path:
    """Return the file; nobody changes it."""
    return Path(_made().name) / "gateway.db"


@cache
def _made() -> TemporaryDirectory[str]:
    folder = TemporaryDirectory(prefix="empty-")
    database = Sqlite(Path(folder.name) / "gateway.db")
    database.create()
    upgrade(database)
    return folder
