"""A database that can not be written: what is raised meanwhile, what is told afterwards."""

import asyncio
from contextlib import closing
from dataclasses import dataclass
from itertools import count

import psycopg
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from gateway.cli.demo.postgres import Postgres as Server
from gateway.errors import OutcomeUnknown, StoreUnavailable
from gateway.store import store as store_module
from gateway.store.sqlite import Sqlite
from tests.conftest import QUICK
from tests.store.stage import Stage

ROOMY = 1_000_000
TROUBLES = ("full", "readonly")


class Disk(Sqlite):
    """A file on a disk that can be filled, and made read-only."""

    trouble = ""

    def begin(self, connection):
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        most = pages if self.trouble == "full" else ROOMY
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")
        read_only = "ON" if self.trouble == "readonly" else "OFF"
        connection.exec_driver_sql(f"PRAGMA query_only = {read_only}")
        super().begin(connection)


@pytest.fixture(params=[True, False], ids=["inline", "threads"])
async def disk(request, tmp_path, empty, monkeypatch):
    """A store on such a disk, with its disk."""
    (tmp_path / "gateway.db").write_bytes(empty.read_bytes())
    made = Disk(tmp_path / "gateway.db")
    monkeypatch.setattr(store_module, "open_engine", lambda *_, **__: made)
    stage = await Stage(tmp_path, inline=request.param).open()
    yield stage, made
    await stage.store.close()


async def _refused(stage, numbers):
    """Admit until there is no more room."""
    try:
        while True:
            await stage.admit(next(numbers))
    except (StoreUnavailable, OutcomeUnknown) as error:
        return error


async def _alarms(stage):
    return [(a.code, a.reason) for a in await stage.store.reader.alarms(limit=10)]


async def _told(stage):
    rows = await stage.store.reader.audit(after=0, limit=10_000)
    return [(r.event.code, dict(r.event.data)) for r in rows if r.event.event == "store.recovered"]


async def _recovered(stage):
    for _ in range(1_200):
        if stage.store.condition.outage() is None:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the outage does not end")


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_can_not_be_written_is_told_by_the_first_commit_that_can(disk, trouble):
    stage, made = disk
    numbers = count(1)
    await stage.admit(next(numbers))

    with capture_logs() as logs:
        made.trouble = trouble
        error = await _refused(stage, numbers)
        outage = stage.store.condition.outage()
        for _ in range(5):
            await _refused(stage, numbers)
        since = stage.clock.now()
        stage.clock.forward(minutes=3)
        down = stage.store.condition.seconds()
        made.trouble = ""
        await stage.admit(next(numbers))

    assert error.code in {f"store.{trouble}", "store.outcome_unknown"}
    assert outage.code == f"store.{trouble}"
    assert down == 180
    assert stage.store.condition.outage() is None
    assert stage.store.condition.seconds() == 0
    assert await _alarms(stage) == [("store.trouble", f"store.{trouble}, 180 s")]
    facts = {"seconds": 180, "since": since.isoformat(timespec="seconds")}
    assert await _told(stage) == [(f"store.{trouble}", facts)]
    assert [entry["event"] for entry in logs] == ["store.trouble", "store.recovered"]
    assert await stage.store.verify_chain() is None


@pytest.mark.parametrize("disk", [False], indirect=True)
async def test_without_any_traffic_the_end_of_an_outage_is_noticed(disk):
    stage, made = disk
    made.trouble = "readonly"
    await _refused(stage, count(1))
    made.trouble = ""

    await _recovered(stage)

    assert len(await _told(stage)) == 1


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_is_stored_can_be_read_meanwhile(disk, trouble):
    stage, made = disk
    await stage.admit(1)
    made.trouble = trouble

    await _refused(stage, count(2))

    assert await stage.store.epoch() == stage.epoch
    assert (await stage.view(1)).message.id == "m-1"


async def test_one_bad_unit_is_no_outage(disk):
    stage, _ = disk

    with pytest.raises(StoreUnavailable):
        await stage.store._writer.commit(Wrong())

    assert stage.store.condition.outage() is None


@dataclass(frozen=True)
class Wrong:
    """Unit: asks for a table that is not there."""

    def run(self, tx):
        tx.write(sa.delete(sa.table("nowhere")))


# --- PostgreSQL -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    made = Server.make(settings=(*QUICK, "max_connections = 12", "reserved_connections = 0"))
    yield made
    made.remove()


@pytest.fixture
async def served(server, tmp_path):
    name = f"trouble_{next(_NUMBERS)}"
    stage = await Stage(tmp_path, inline=False, database=server.create(name)).open()
    yield stage
    await stage.store.close()
    server.drop(name)


_NUMBERS = count(1)


def _say(server, *statements):
    with closing(psycopg.connect(server.url(), autocommit=True)) as connection:
        for statement in statements:
            connection.execute(statement)


async def test_a_server_that_was_stopped_is_told_when_it_is_back(server, served):
    await served.admit(1)
    await asyncio.to_thread(server.stop, mode="immediate")

    error = await _refused(served, count(2))
    outage = served.store.condition.outage()
    with pytest.raises(StoreUnavailable) as unread:
        await served.store.epoch()
    await asyncio.to_thread(server.start)
    await _recovered(served)

    assert error.code == "store.gone"
    assert outage.code == "store.gone"
    assert unread.value.code == "store.gone"
    assert [code for code, _ in await _alarms(served)] == ["store.trouble"]
    assert {code for code, _ in await _told(served)} == {"store.gone"}
    await served.admit(99)


async def test_a_server_that_only_reads_is_told_when_it_writes_again(server, served):
    await served.admit(1)
    _say(server, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")

    error = await _refused(served, count(2))
    epoch = await served.store.epoch()
    _say(
        server,
        "SET default_transaction_read_only = off",
        "ALTER SYSTEM RESET default_transaction_read_only",
        "SELECT pg_reload_conf()",
    )
    await _recovered(served)

    assert error.code == "store.readonly"
    assert epoch == served.epoch
    assert {code for code, _ in await _told(served)} == {"store.readonly"}
    await served.admit(99)


async def test_a_server_without_a_free_connection_is_told_and_returned_to(server, served, tmp_path):
    await served.admit(1)
    others = _all_that_are_left(served.database)

    with pytest.raises(StoreUnavailable) as caught:
        await Stage(tmp_path / "second", inline=False, database=served.database).open()
    await served.admit(2)  # who has a connection goes on
    for other in others:
        other.close()

    assert caught.value.code == "store.connections"
    assert served.store.condition.outage() is None


def _all_that_are_left(url):
    made = []
    try:
        while True:
            made.append(psycopg.connect(url))
    except psycopg.OperationalError:
        return made
