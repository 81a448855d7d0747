import pytest

from gateway.store.engine import open_engine
from tests.empty_database import empty_database, put_empty
from tests.store.stage import Stage


@pytest.fixture
def empty():
    """A database with its tables, to copy."""
    return empty_database()


@pytest.fixture
def url(made_on_postgres):
    """A database of its own on PostgreSQL, tables included."""
    return made_on_postgres()


@pytest.fixture(params=["sqlite", "sqlite-inline", "postgresql"])
def place(request, tmp_path):
    """Where the store is, and whether it works inline: one suite for every way to run it."""
    if request.param == "postgresql":
        return request.getfixturevalue("url"), False
    return put_empty(tmp_path / "gateway.db"), request.param == "sqlite-inline"


@pytest.fixture
async def stage(place, tmp_path):
    database, inline = place
    made = await Stage(tmp_path, database=database, inline=inline).open()
    yield made
    await made.store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    """A file or a URL, with its tables."""
    if request.param == "postgresql":
        return request.getfixturevalue("url")
    return put_empty(tmp_path / "gateway.db")


@pytest.fixture
async def alone(address, tmp_path):
    """A store with one writer, and so one audit chain."""
    made = await Stage(tmp_path, database=address, inline=True).open()
    yield made
    await made.store.close()


@pytest.fixture
def engine(address):
    """The database without a store."""
    return open_engine(address)
