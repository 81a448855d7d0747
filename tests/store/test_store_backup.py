"""A copy while the gateway runs, and what a restored copy does not bring back."""

import asyncio
import shutil
from datetime import timedelta

import pytest

from gateway.config import InstallationRole, RetentionSettings
from gateway.errors import GatewayError, Misconfigured
from gateway.lifecycle import State
from gateway.rules.retention import Terms
from gateway.store.backup import back_up
from gateway.store.sqlite import Sqlite
from tests.store.stage import Stage
from tests.store.test_store_retention import acknowledge, delivered, send


@pytest.fixture
def place(tmp_path, empty):
    """The copy is of a SQLite file."""
    shutil.copy(empty, tmp_path / "gateway.db")
    return tmp_path / "gateway.db", False


HUB = Terms.of(RetentionSettings(), InstallationRole.KNOOPPUNT)
AGE = timedelta(hours=36)
BACKUP = timedelta(hours=24)


@pytest.fixture
async def stage(tmp_path, empty):
    """SQLite in a file: what is copied here."""
    shutil.copy(empty, tmp_path / "gateway.db")
    made = await Stage(tmp_path, inline=False).open()
    yield made
    await made.store.close()


@pytest.fixture
def copy(stage, tmp_path_factory):
    """Where the copy goes: another folder, as it should be."""
    return tmp_path_factory.mktemp("elders") / "gateway.db"


async def live(stage, *, hours):
    """Let hours pass, with the housekeeping of each."""
    for _ in range(hours):
        stage.clock.forward(hours=1)
        await stage.store.retention.dispose(HUB, {})
        await stage.store.payloads.sweep_orphans(timedelta(hours=1))
        await stage.store.retention.rekey(age=AGE, backup=BACKUP)


async def restore(stage, copy):
    """Put the copy in the place of the database, as docs/backup.md says."""
    await stage.store.close()
    for path in stage.folder.glob("gateway.db*"):
        path.unlink()
    shutil.copy(copy, stage.database)
    await stage.open()


async def code_of(stage, payload):
    try:
        await stage.store.payloads.get(payload)
    except GatewayError as error:
        return error.code
    return "readable"


async def test_a_copy_holds_all_that_was_committed_and_is_whole(stage, copy):
    await delivered(stage, 1, 2)

    size = back_up(stage.database, copy)

    assert size == copy.stat().st_size
    assert copy.stat().st_mode & 0o777 == 0o600
    before = await stage.store.reader.audit(after=0, limit=1000)
    await restore(stage, copy)
    assert await stage.store.reader.audit(after=0, limit=1000) == before
    assert await stage.store.verify_chain() is None
    await stage.admit(3)
    with pytest.raises(Exception, match="audit rows are never changed"):
        stage.raw("UPDATE audit SET code = 'x'")


async def test_a_copy_can_be_made_while_messages_come_in(stage, copy):
    await stage.admit(1)
    copying = asyncio.create_task(asyncio.to_thread(back_up, stage.database, copy))
    numbers = iter(range(2, 2000))
    while not copying.done():
        await stage.admit(next(numbers))
        await asyncio.sleep(0)
    await copying

    await restore(stage, copy)

    assert await stage.store.verify_chain() is None
    assert await stage.state(1) is State.READY


async def test_remains_of_what_was_destroyed_do_not_come_along(stage, copy):
    await delivered(stage, 1)
    (old,) = stage.rows("SELECT wrapped FROM payloads ORDER BY at LIMIT 1")
    await live(stage, hours=24)

    back_up(stage.database, copy)

    assert bytes(old.wrapped) not in copy.read_bytes()


def test_a_copy_never_replaces_a_file(tmp_path, empty):
    (tmp_path / "copy.db").write_bytes(b"kept")

    with pytest.raises(Misconfigured) as caught:
        back_up(empty, tmp_path / "copy.db")

    assert caught.value.code == "backup.exists"
    assert (tmp_path / "copy.db").read_bytes() == b"kept"


def test_a_copy_that_does_not_hold_is_not_left_behind(tmp_path, empty):
    broken = tmp_path / "gateway.db"
    shutil.copy(empty, broken)
    connection = Sqlite(broken).writer()
    connection.exec_driver_sql(
        "INSERT INTO audit (writer, n, previous, hash, event, at, message, delivery, code, party,"
        " actor, data) VALUES ('w', 7, '', '', 'x', 0, '', '', '', '', '', '{}')"
    )
    connection.close()

    with pytest.raises(GatewayError) as caught:
        back_up(broken, tmp_path / "copy.db")

    assert caught.value.code == "backup.failed"
    assert not list(tmp_path.glob("copy*"))


def test_no_database_and_no_folder_are_told(tmp_path, empty):
    for source, target in (
        (tmp_path / "none.db", tmp_path / "copy.db"),
        (empty, tmp_path / "none" / "copy.db"),
    ):
        with pytest.raises(Misconfigured) as caught:
            back_up(source, target)
        assert caught.value.code == "store.path"


# --- dump, destroy, restore -----------------------------------------------------------


async def test_a_restored_copy_does_not_bring_a_destroyed_payload_back(stage, copy):
    await delivered(stage, 1)
    payload = (await stage.view()).message.payload_id
    back_up(stage.database, copy)
    await live(stage, hours=72)
    trace = await stage.trace()

    await restore(stage, copy)

    assert await code_of(stage, payload) == "payload.destroyed"
    assert await stage.store.verify_chain() is None
    assert await stage.trace() == trace[:-1]
    assert await stage.state() is State.DELIVERED


async def test_what_still_lives_in_a_copy_of_yesterday_can_be_sent(stage, copy):
    await live(stage, hours=20)
    await stage.admit(1)
    payload = (await stage.view()).message.payload_id
    back_up(stage.database, copy)
    await live(stage, hours=23)

    await restore(stage, copy)
    await live(stage, hours=1)

    assert await code_of(stage, payload) == "readable"
    assert len(await send(stage)) == 1
    await acknowledge(stage)
    assert await stage.state() is State.DELIVERED


async def test_every_copy_is_of_use_for_the_backup_hours_at_least(stage, copy):
    """Whatever the age of the key at the moment of the copy."""
    await stage.admit(1, deliveries=(stage.delivery(1, state=State.HELD),))
    payload = (await stage.view()).message.payload_id
    for n in range(80):
        await live(stage, hours=1)
        back_up(stage.database, copy.with_name(f"{n}.db"))
        if n >= 23:
            wrapped = _key_of(copy.with_name(f"{n - 23}.db"), payload)
            assert stage.epochs.key(wrapped)


async def test_and_holds_nothing_readable_after_the_longest_life_of_a_key(stage, copy):
    await delivered(stage, 1)
    payload = (await stage.view()).message.payload_id
    back_up(stage.database, copy)
    key = _key_of(copy, payload)

    await live(stage, hours=36 + 24 + 1)

    with pytest.raises(GatewayError) as caught:
        stage.epochs.key(key)
    assert caught.value.code == "epoch_key.destroyed"


def _key_of(copy, payload):
    connection = Sqlite(copy).reader()
    try:
        found = connection.exec_driver_sql(
            "SELECT epoch_key FROM payloads WHERE id = ?", (payload,)
        ).scalar()
    finally:
        connection.close()
    return found


async def test_restored_work_goes_on_and_old_claims_are_nobodys(stage, copy):
    """What was being sent when the copy was made is sent again, by its own MessageId."""
    await stage.admit(1)
    (claim,) = await stage.claim()
    await stage.seal(claim, b"digest")
    back_up(stage.database, copy)

    await restore(stage, copy)
    await stage.store.queue.sweep(worker="w1")

    (again,) = await stage.claim()
    assert (again.delivery, again.attempt) == (claim.delivery, 2)
    assert again.message.message_id == claim.message.message_id
    assert again.sealed is not None
