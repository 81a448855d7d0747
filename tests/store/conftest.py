import shutil

import pytest

from gateway.store.engine import Sqlite
from gateway.store.migrations import upgrade
from tests.store.stage import Stage


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """A database with its tables: to copy is quicker than to migrate."""
    database = Sqlite(tmp_path_factory.mktemp("empty") / "gateway.db")
    database.create()
    upgrade(database)
    return database.path


@pytest.fixture(params=["sqlite", "sqlite-inline"])
async def stage(request, tmp_path, empty):
    """One suite for every way to run the store; PostgreSQL becomes a third."""
    shutil.copy(empty, tmp_path / "gateway.db")
    made = await Stage(tmp_path, inline=request.param == "sqlite-inline").open()
    yield made
    await made.store.close()
