import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from gateway.errors import Misconfigured
from gateway.store.engine import path_of
from gateway.store.migrations import upgrade
from gateway.store.postgres import Postgres
from gateway.store.sqlite import Lock, Sqlite
from gateway.store.tables import metadata
from tests.store.stage import Stage


@pytest.fixture
def fresh(tmp_path):
    database = Sqlite(tmp_path / "gateway.db")
    database.create()
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
def untouched(request):
    """A database without tables."""
    if request.param == "sqlite":
        yield request.getfixturevalue("fresh")
        return
    server = request.getfixturevalue("postgres")
    yield Postgres(server.create("untouched"))
    server.drop("untouched")


def test_the_migrations_make_what_the_code_expects(untouched):
    upgrade(untouched)
    connection = untouched.reader()

    # SQLite does not tell a BIGINT of ours from a moment: names, keys and nullability are compared.
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    differences = compare_metadata(context, metadata)
    connection.close()

    assert differences == []


def test_a_second_upgrade_changes_nothing(fresh):
    upgrade(fresh)
    before = fresh.path.read_bytes()

    upgrade(fresh)

    assert fresh.path.read_bytes() == before


def test_a_database_of_a_newer_program_is_worked_on_when_that_allows_it(engine):
    """A rolling upgrade: the newer process came first, and this one is started again."""
    connection = engine.writer()
    connection.exec_driver_sql("CREATE TABLE newer (id INTEGER PRIMARY KEY)")
    connection.exec_driver_sql("ALTER TABLE messages ADD COLUMN newer INTEGER DEFAULT 1 NOT NULL")
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    connection.exec_driver_sql("UPDATE compatibility SET version = 9999")

    upgrade(engine)

    version = connection.exec_driver_sql("SELECT version FROM compatibility").scalar_one()
    connection.close()
    assert version == 9999


def test_a_database_of_a_newer_program_that_forbids_it_is_left_alone(engine):
    connection = engine.writer()
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    connection.exec_driver_sql("UPDATE compatibility SET version = 9999, oldest = 9998")
    connection.close()

    with pytest.raises(Misconfigured) as caught:
        upgrade(engine)

    assert caught.value.code == "store.version"


def test_a_file_that_is_no_database_is_left_alone(fresh):
    fresh.path.write_bytes(b"not a database at all" * 100)

    with pytest.raises(Misconfigured) as caught:
        upgrade(fresh)

    assert caught.value.code == "store.path"


def test_every_table_can_be_made_on_postgresql():
    dialect = postgresql.dialect()
    made = [str(CreateTable(t).compile(dialect=dialect)) for t in metadata.sorted_tables]
    indexes = [i for t in metadata.sorted_tables for i in t.indexes]
    made += [str(CreateIndex(i).compile(dialect=dialect)) for i in indexes]

    names = [i.name for i in indexes] + [
        c.name for t in metadata.sorted_tables for c in t.constraints
    ]
    assert all(made)
    assert all(name is not None and len(name) < 64 for name in names)


SECOND = """
import sys
from pathlib import Path
from gateway.errors import Misconfigured
from gateway.store.sqlite import Lock
try:
    Lock(Path(sys.argv[1]))
except Misconfigured as error:
    print(error.code)
"""


def test_a_second_process_is_refused(tmp_path):
    path = tmp_path / "gateway.db"
    lock = Lock(path)

    second = subprocess.run(
        [sys.executable, "-c", SECOND, str(path)], capture_output=True, text=True, check=True
    )

    lock.release()
    assert second.stdout.strip() == "store.locked"


@pytest.mark.parametrize("place", ["sqlite", "sqlite-inline"], indirect=True)
async def test_a_second_store_in_the_same_process_is_refused(stage):
    with pytest.raises(Misconfigured) as caught:
        await Stage(stage.folder, inline=True).open()

    assert caught.value.code == "store.locked"


def test_a_lock_that_was_released_can_be_taken(tmp_path):
    Lock(tmp_path / "gateway.db").release()
    Lock(tmp_path / "gateway.db").release()


async def test_readers_can_not_write(stage):
    reader = stage.engine.reader()

    with pytest.raises(sa.exc.DatabaseError):
        reader.exec_driver_sql("DELETE FROM workers")

    reader.close()


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
async def test_a_read_is_planned_for_its_values(stage):
    """With a plan for any values, a case of a few messages costs a reading of the audit log."""
    reader = stage.engine.reader()

    assert reader.exec_driver_sql("SHOW plan_cache_mode").scalar_one() == "force_custom_plan"

    reader.close()


async def test_the_database_is_for_its_owner_only(tmp_path):
    made = await Stage(tmp_path, inline=True).open()
    await made.admit(1)

    modes = {p.name: p.stat().st_mode & 0o777 for p in tmp_path.glob("gateway.db*")}
    await made.store.close()

    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("given", ["", ":memory:", "mysql://host/db", "sqlite+x:///a"])
def test_other_engines_are_refused(given):
    with pytest.raises(Misconfigured) as caught:
        path_of(given)

    assert caught.value.code == "store.engine"


def test_a_url_is_a_path(tmp_path):
    assert path_of(f"sqlite:///{tmp_path}/a.db") == path_of(tmp_path / "a.db")


def test_a_folder_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(Misconfigured) as caught:
        Sqlite(tmp_path / "none" / "gateway.db").create()

    assert caught.value.code == "store.path"


SCALING = [
    ("SELECT id FROM deliveries WHERE dispose_at <= 5", "ix_deliveries_dispose_at"),
    ("SELECT id FROM payloads WHERE epoch_key = 'k' AND id > ''", "ix_payloads_epoch_key"),
    ("SELECT id FROM deliveries WHERE sealed_id = 'p'", "ix_deliveries_sealed_id"),
    ("SELECT id FROM messages WHERE payload_id = 'p'", "ix_messages_payload_id"),
    ("SELECT id FROM messages WHERE acknowledgment_id = 'p'", "ix_messages_acknowledgment_id"),
    (
        "SELECT id FROM messages WHERE answer = 'Fo01Bericht' AND seq < 9 ORDER BY seq DESC",
        "ix_messages_refused",
    ),
]


@pytest.mark.parametrize(("statement", "index"), SCALING)
def test_housekeeping_and_foreign_keys_look_by_an_index(fresh, statement, index):
    upgrade(fresh)
    connection = fresh.reader()

    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    connection.close()

    assert index in str(plan)
