import asyncio
import threading
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa

from gateway.errors import NoRoute, OutcomeUnknown, StoreUnavailable
from gateway.store.audit import verify_chain
from gateway.store.commit import Committer, Done, Failed
from gateway.store.faults import ours
from gateway.store.prepared import Prepared
from gateway.store.sqlite import Sqlite
from gateway.store.tables import audit, lanes, workers
from gateway.store.writer import ThreadWriter
from tests.store.stage import START, Clock, event


@dataclass(frozen=True)
class Add:
    """Unit: one row and one audit row."""

    name: str

    def run(self, tx):
        tx.insert(workers, ({"name": self.name, "beat_at": START},))
        tx.record(event("worker.added", START, actor=self.name))
        return self.name


@dataclass(frozen=True)
class Bad:
    """Unit: writes, then raises."""

    def run(self, tx):
        tx.write(sa.delete(workers))
        tx.record(event("never", START))
        raise NoRoute("route.unknown", "no route")


@dataclass(frozen=True)
class Slow:
    """Unit: holds the writer until it may go on."""

    started: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def run(self, tx):
        self.started.set()
        assert self.go.wait(10)
        return tx.tail.n


class CutBefore(Sqlite):
    """The connection breaks before the commit reaches the database."""

    def commit(self, connection):
        raise sa.exc.OperationalError("COMMIT", None, OSError())


class CutAfter(Sqlite):
    """The connection breaks after the database committed, before it could say so."""

    def commit(self, connection):
        super().commit(connection)
        raise sa.exc.OperationalError("COMMIT", None, OSError())


@pytest.fixture
def database(empty, tmp_path):
    path = tmp_path / "gateway.db"
    path.write_bytes(empty.read_bytes())
    return Sqlite(path)


@pytest.fixture
def committer(database):
    made = Committer(database, "w", Clock())
    yield made
    made.close()


def _names(database):
    reader = database.reader()
    try:
        return sorted(reader.execute(sa.select(workers.c.name)).scalars())
    finally:
        reader.close()


def _audit(database):
    reader = database.reader()
    try:
        assert verify_chain(reader) is None
        return list(reader.execute(sa.select(audit.c.actor).order_by(audit.c.n)).scalars())
    finally:
        reader.close()


def test_units_go_into_one_commit(committer, database):
    results = committer.run([Add(f"w{n}") for n in range(5)])

    assert results == [Done(f"w{n}") for n in range(5)]
    assert committer.counters.commits == 1
    assert _names(database) == _audit(database) == [f"w{n}" for n in range(5)]


def test_a_bad_unit_takes_nobody_down_with_it(committer, database):
    first, bad, last = committer.run([Add("a"), Bad(), Add("b")])

    assert (first, last) == (Done("a"), Done("b"))
    assert isinstance(bad, Failed)
    assert isinstance(bad.error, NoRoute)
    assert _names(database) == _audit(database) == ["a", "b"]


def test_a_constraint_that_breaks_at_the_end_fails_only_its_own_unit(committer, database):
    one, twin, other = committer.run([Add("a"), Add("a"), Add("b")])

    assert (one, other) == (Done("a"), Done("b"))
    assert isinstance(twin, Failed)
    assert twin.error.code == "store.integrity"
    assert "'a'" not in str(twin.error) + str(twin.error.__cause__)
    assert _audit(database) == ["a", "b"]


@pytest.mark.parametrize(("cut", "happened"), [(CutBefore, []), (CutAfter, ["a", "b"])])
def test_a_commit_that_nobody_confirmed_is_unknown_and_the_store_goes_on(database, cut, happened):
    broken = cut(database.path)
    committer = Committer(broken, "w", Clock())

    results = committer.run([Add("a"), Add("b")])

    assert [type(r.error) for r in results] == [OutcomeUnknown, OutcomeUnknown]
    committer.close()
    healed = Committer(database, "w", Clock())
    assert healed.run([Add("c")]) == [Done("c")]
    healed.close()
    assert _names(database) == _audit(database) == [*happened, "c"]


def test_after_an_unknown_commit_the_chain_is_read_again(database):
    committer = Committer(CutAfter(database.path), "w", Clock())

    committer.run([Add("a")])
    committer.run([Add("b")])
    committer.close()

    assert _audit(database) == ["a", "b"]


async def test_what_comes_in_during_a_commit_goes_into_the_next_together(committer):
    writer = ThreadWriter(committer)
    slow = Slow()
    held = asyncio.create_task(writer.commit(slow))
    await asyncio.to_thread(slow.started.wait, 10)
    waiting = [asyncio.create_task(writer.commit(Add(f"w{n}"))) for n in range(20)]
    await asyncio.sleep(0)

    slow.go.set()
    await asyncio.gather(held, *waiting)
    await writer.close()

    assert committer.counters.largest_group == 20


async def test_a_full_queue_refuses_at_once(committer):
    writer = ThreadWriter(committer, size=2)
    slow = Slow()
    held = asyncio.create_task(writer.commit(slow))
    await asyncio.to_thread(slow.started.wait, 10)
    waiting = [asyncio.create_task(writer.commit(Add(f"w{n}"))) for n in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(StoreUnavailable) as caught:
        await writer.commit(Add("late"))

    assert caught.value.code == "store.busy"
    slow.go.set()
    await asyncio.gather(held, *waiting)
    await writer.close()


async def test_closing_commits_what_waits_and_refuses_the_rest(committer, database):
    writer = ThreadWriter(committer)
    waiting = [asyncio.create_task(writer.commit(Add(f"w{n}"))) for n in range(5)]
    await asyncio.sleep(0)

    await writer.close()
    await asyncio.gather(*waiting)

    assert len(_names(database)) == 5
    with pytest.raises(StoreUnavailable) as caught:
        await writer.commit(Add("late"))
    assert caught.value.code == "store.closed"


async def test_who_stopped_waiting_does_not_stop_the_writer(committer, database):
    writer = ThreadWriter(committer)
    slow = Slow()
    held = asyncio.create_task(writer.commit(slow))
    await asyncio.to_thread(slow.started.wait, 10)
    impatient = asyncio.create_task(writer.commit(Add("a")))
    await asyncio.sleep(0)
    impatient.cancel()

    slow.go.set()
    await held
    await writer.commit(Add("b"))
    await writer.close()

    assert impatient.cancelled()
    assert _names(database) == ["a", "b"]


def test_a_locked_database_is_unavailable(database, committer):
    other = database.writer()
    other.exec_driver_sql("BEGIN IMMEDIATE")
    impatient = Committer(_Impatient(database.path), "w", Clock())

    (result,) = impatient.run([Add("a")])

    assert isinstance(result, Failed)
    assert isinstance(result.error, StoreUnavailable)
    other.exec_driver_sql("ROLLBACK")
    other.close()
    assert impatient.run([Add("a")]) == [Done("a")]
    impatient.close()


class _Impatient(Sqlite):
    def begin(self, connection):
        connection.exec_driver_sql("PRAGMA busy_timeout = 10")
        super().begin(connection)


# --- statements that are compiled once ------------------------------------------------


def test_a_prepared_statement_gives_what_sqlalchemy_gives(engine):
    """Moments, booleans, NULL, values of its own, and one parameter in two places."""
    connection = engine.writer()
    row = {"id": "l", "recipient": "r", "channel": "c", "kind": "k", "down": True}
    columns = (*row, "next_at", "down_since")
    insert = Prepared(sa.insert(lanes), columns=columns)
    insert.change_each(
        connection,
        [
            row | {"next_at": START, "down_since": None},
            row | {"id": "m", "next_at": START, "down_since": START},
        ],
    )
    moment = sa.bindparam("at", type_=lanes.c.next_at.type)
    change = sa.update(lanes).where(lanes.c.next_at <= moment, lanes.c.id == "m")
    statement = change.values(next_at=moment, down_since=None, down=sa.false())

    changed = Prepared(statement).change(connection, {"at": START + timedelta(hours=1)})
    select = sa.select(lanes).order_by(lanes.c.id)
    mine = Prepared(select).rows(connection).all()
    theirs = connection.execute(select).all()
    connection.close()

    assert changed == 1
    assert [row._asdict() for row in mine] == [dict(row._mapping) for row in theirs]
    assert mine[1].next_at == START + timedelta(hours=1)


def test_a_row_with_other_columns_than_the_first_is_refused(engine):
    connection = engine.writer()
    insert = Prepared(sa.insert(workers), columns=("name", "beat_at"))
    rows = [{"name": "a", "beat_at": START}, {"name": "b", "beat_at": START, "more": 1}]

    with pytest.raises(ValueError, match="different columns"):
        insert.change_each(connection, rows)

    connection.close()


def test_a_prepared_statement_fails_as_sqlalchemy_does(engine):
    connection = engine.writer()
    twice = Prepared(sa.insert(workers), columns=("name", "beat_at"))
    rows = [{"name": "geheim", "beat_at": START}] * 2

    with pytest.raises(sa.exc.IntegrityError) as caught:
        twice.change_each(connection, rows)

    connection.close()
    assert ours(caught.value).code == "store.integrity"
    assert "geheim" not in str(caught.value).partition("[SQL")[2]
