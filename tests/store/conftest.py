import itertools
import shutil

import pytest

from gateway.store.engine import open_engine
from gateway.store.migrations import upgrade
from gateway.store.postgres import Postgres
from gateway.store.sqlite import Sqlite
from tests.store.stage import Stage

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """A database with its tables: to copy is quicker than to migrate."""
    database = Sqlite(tmp_path_factory.mktemp("empty") / "gateway.db")
    database.create()
    upgrade(database)
    return database.path


@pytest.fixture(scope="session")
def empty_postgres(postgres):
    """The name of a database with its tables, on the server of the tests."""
    upgrade(Postgres(postgres.create("empty")))
    return "empty"


@pytest.fixture
def url(postgres, empty_postgres):
    """A database of its own on PostgreSQL, tables included."""
    name = f"test_{next(_NUMBERS)}"
    yield postgres.create(name, template=empty_postgres)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "sqlite-inline", "postgresql"])
def place(request, tmp_path, empty):
    """Where the store is, and whether it works inline: one suite for every way to run it."""
    if request.param == "postgresql":
        return request.getfixturevalue("url"), False
    path = tmp_path / "gateway.db"
    shutil.copy(empty, path)
    return path, request.param == "sqlite-inline"


@pytest.fixture
async def stage(place, tmp_path):
    database, inline = place
    made = await Stage(tmp_path, database=database, inline=inline).open()
    yield made
    await made.store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path, empty):
    """A file or a URL, with its tables."""
    if request.param == "postgresql":
        return request.getfixturevalue("url")
    path = tmp_path / "gateway.db"
    shutil.copy(empty, path)
    return path


@pytest.fixture
async def alone(database, tmp_path):
    """A store with one writer, and so one audit chain."""
    made = await Stage(tmp_path, database=database, inline=True).open()
    yield made
    await made.store.close()


@pytest.fixture
def engine(database):
    """The database without a store."""
    return open_engine(database)
