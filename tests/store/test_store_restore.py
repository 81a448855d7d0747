"""Dump, destroy, restore, on either database: what does not come back, and what goes on."""

import shutil
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from gateway.errors import GatewayError
from gateway.lifecycle import State
from gateway.ports import HandedOver
from gateway.store.backup import back_up
from tests.store.stage import Stage
from tests.store.test_store_backup import live
from tests.store.test_store_retention import acknowledge, delivered, send


class SqliteSite:
    """A gateway on a file; copied with `gateway backup`."""

    def __init__(self, stage, folder):
        self.stage = stage
        self._copy = folder / "copy.db"

    def dump(self):
        back_up(self.stage.database, self._copy)

    async def restore(self):
        await self.stage.store.close()
        for path in self.stage.folder.glob("gateway.db*"):
            path.unlink()
        shutil.copy(self._copy, self.stage.database)
        await self.stage.open()


class PostgresSite:
    """A gateway on PostgreSQL; dumped and restored with its own programs."""

    def __init__(self, stage, server):
        self.stage = stage
        self._server = server
        self._name = urlsplit(stage.database).path.strip("/")
        self._file = server.data / f"{self._name}.dump"

    def dump(self):
        self._server.run(
            "pg_dump", "--format=custom", f"--file={self._file}", self._server.url(self._name)
        )

    async def restore(self):
        await self.stage.store.close()
        self._server.drop(self._name)
        self._server.create(self._name)
        self._server.run(
            "pg_restore",
            "--exit-on-error",
            "--single-transaction",
            "--no-owner",
            f"--dbname={self._server.url(self._name)}",
            str(self._file),
        )
        await self.stage.open()


@pytest.fixture(params=["sqlite", "postgresql"])
async def site(request, tmp_path, tmp_path_factory, empty):
    if request.param == "postgresql":
        url = request.getfixturevalue("url")
        stage = Stage(tmp_path, database=url, inline=False)
        made = PostgresSite(stage, request.getfixturevalue("postgres"))
    else:
        shutil.copy(empty, tmp_path / "gateway.db")
        stage = Stage(tmp_path, inline=False)
        made = SqliteSite(stage, tmp_path_factory.mktemp("elders"))
    await stage.open()
    yield made
    await stage.store.close()


async def code_of(stage, payload):
    try:
        await stage.store.payloads.get(payload)
    except GatewayError as error:
        return error.code
    return "readable"


async def payload_of(stage):
    return (await stage.view()).message.payload_id


async def test_a_restored_copy_does_not_bring_a_destroyed_payload_back(site):
    stage = site.stage
    await delivered(stage, 1)
    payload = await payload_of(stage)
    trace = await stage.trace()
    site.dump()
    await live(stage, hours=62)
    assert await stage.trace() == [*trace, "payload.destroyed"]

    await site.restore()

    assert await code_of(stage, payload) == "payload.destroyed"
    assert await stage.trace() == trace
    assert await stage.state() is State.DELIVERED
    assert await stage.store.verify_chain() is None


async def test_the_audit_log_is_whole_and_closed_to_changes_after_a_restore(site):
    stage = site.stage
    await delivered(stage, 1, 2)
    rows = await stage.store.reader.audit(after=0, limit=1000)
    site.dump()

    await site.restore()

    found = await stage.store.reader.audit(after=0, limit=1000)
    assert found[: len(rows)] == rows
    await stage.admit(3)
    assert await stage.store.verify_chain() is None
    with pytest.raises(Exception, match="audit rows are never changed"):
        stage.raw("UPDATE audit SET code = 'x'")


async def test_what_still_lives_in_a_copy_of_yesterday_can_be_sent(site):
    stage = site.stage
    await live(stage, hours=20)
    await stage.admit(1)
    site.dump()
    await live(stage, hours=23)

    await site.restore()
    await live(stage, hours=1)

    assert await code_of(stage, await payload_of(stage)) == "readable"
    assert len(await send(stage)) == 1
    await acknowledge(stage)
    assert await stage.state() is State.DELIVERED


async def test_a_copy_holds_nothing_readable_after_the_longest_life_of_a_key(site):
    stage = site.stage
    await stage.admit(1, deliveries=(stage.delivery(1, state=State.HELD),))
    site.dump()
    await live(stage, hours=36 + 24 + 1)
    assert await code_of(stage, await payload_of(stage)) == "readable"

    await site.restore()

    assert await code_of(stage, await payload_of(stage)) == "payload.destroyed"


async def test_restored_work_goes_on_with_the_same_octets(site):
    """What was being sent when the copy was made is sent again, under its own MessageId."""
    stage = site.stage
    await stage.admit(1)
    (claim,) = await stage.claim()
    await stage.seal(claim, b"digest")
    (before,) = stage.rows("SELECT sealed_id FROM deliveries")
    site.dump()
    until = stage.clock.now() + timedelta(hours=1)
    await stage.store.queue.settle(claim, HandedOver(until=until), ())
    await acknowledge(stage)

    await site.restore()

    again = await claim_when_free(stage)
    assert (again.delivery, again.sealed) == (claim.delivery, before.sealed_id)
    assert again.message.message_id == claim.message.message_id


async def claim_when_free(stage):
    """The claim of a worker that is gone is nobody's once its lease has ended."""
    stage.raw("UPDATE workers SET beat_at = 0")
    await stage.store.queue.sweep(worker="w2", under_way=frozenset())
    (claim,) = await stage.claim(worker="w2")
    return claim
