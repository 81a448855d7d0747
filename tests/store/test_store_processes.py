"""Several processes on one PostgreSQL: as many stores, each with its own connections."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from gateway.cli.demo.postgres import Postgres as Server
from gateway.errors import Misconfigured, StaleSnapshot, StoreUnavailable
from gateway.lifecycle import State
from gateway.ports import HandedOver, Renewal, SignalOutcome, SignalReceived
from gateway.store.faults import ours
from gateway.store.migrations import upgrade
from gateway.store.postgres import Postgres
from tests.store.stage import CPA, START, VT, Stage, event

PATIENCE = 20.0
"""Seconds after which a bell that should ring counts as broken."""


@pytest.fixture
async def both(url, tmp_path):
    """Two processes of one installation."""
    one = await Stage(tmp_path, database=url, inline=False, seed=1).open()
    two = await Stage(tmp_path, database=url, inline=False, seed=2).open()
    for stage in (one, two):
        stage.store.listen()
    yield one, two
    for stage in (one, two):
        await stage.store.close()


async def test_each_delivery_is_claimed_by_one(both):
    one, two = both
    await one.admit_many(range(40))

    async def work(stage, worker):
        mine = []
        for _ in range(60):
            for claim in await stage.claim(worker=worker, limit=5):
                mine.append(claim.delivery)
                await stage.store.queue.settle(claim, HandedOver(until=None), ())
        return mine

    first, second = await asyncio.gather(work(one, "w1"), work(two, "w2"))

    assert sorted(first + second) == sorted(f"d-{n}" for n in range(40))
    assert await one.store.verify_chain() is None


async def test_a_lane_has_its_cap_over_all_processes(both):
    await both[0].admit_many(range(20))

    claims = await asyncio.gather(
        *(stage.claim(worker=f"w{n}", limit=20) for n, stage in enumerate(both * 4))
    )

    assert sum(len(c) for c in claims) == 8


async def test_the_same_message_at_two_processes_is_stored_once(both):
    one, _ = both
    admissions = [(s, await s.admission(n, message_id=f"m{n}")) for n in range(12) for s in both]
    same = [
        (s, replace(a, message=replace(a.message, id=f"{a.message.id}-{s.dice.uuid()}")))
        for s, a in admissions
    ]

    admitted = await asyncio.gather(*(s.store.inbox.admit(_own(a, s)) for s, a in same))

    assert sorted(a.fresh for a in admitted) == [False] * 12 + [True] * 12
    assert (await one.store.reader.figures())["delivery.ready"] == 12


def _own(admission, stage):
    """Deliveries have ids of their own in each process."""
    made = tuple(replace(d, id=f"{d.id}-{stage.dice.uuid()}") for d in admission.deliveries)
    return replace(admission, deliveries=made)


async def test_a_message_that_one_takes_in_wakes_the_other(both):
    one, two = both
    while await two.store.bell.wait(0.2):
        pass

    await one.admit(1)

    assert await two.store.bell.wait(PATIENCE)


async def test_a_directory_that_one_loads_is_told_to_the_other(both):
    one, two = both
    while await two.store.epoch_bell.wait(0.2):
        pass

    await one.store.sync_epoch("second")

    assert await two.store.epoch_bell.wait(PATIENCE)
    with pytest.raises(StaleSnapshot):
        await two.admit(1)
    assert await two.store.epoch() == two.epoch + 1


async def test_two_processes_with_other_files_do_not_take_turns(both):
    one, two = both
    await one.store.sync_epoch("second", was="first")

    with pytest.raises(Misconfigured) as caught:
        await two.store.sync_epoch("first", was="first")

    assert caught.value.code == "directory.differs"
    assert await two.store.sync_epoch("second", was="first") == one.epoch + 1


async def test_a_duty_is_with_one_process_until_its_term_is_over(both):
    one, two = both
    term = timedelta(minutes=3)

    assert await one.store.take_duty("housekeeping", term=term)
    assert not await two.store.take_duty("housekeeping", term=term)
    assert await one.store.take_duty("housekeeping", term=term)
    one.raw("UPDATE duties SET until = 0")
    assert await two.store.take_duty("housekeeping", term=term)
    assert not await one.store.take_duty("housekeeping", term=term)


async def test_a_duty_that_is_left_can_be_taken_at_once_and_only_by_its_holder_left(both):
    one, two = both
    term = timedelta(minutes=3)

    await one.store.take_duty("housekeeping", term=term)
    await two.store.leave_duty("housekeeping")
    assert not await two.store.take_duty("housekeeping", term=term)
    await one.store.leave_duty("housekeeping")
    assert await two.store.take_duty("housekeeping", term=term)


async def test_a_renewal_is_written_down_and_heard_by_every_process(both):
    one, two = both
    for stage in both:
        stage.store.listen()
        await stage.store.epoch_bell.wait(5)  # whoever begins to listen looks once

    renewal = Renewal(use="tls", sha256="ab" * 32)
    await one.store.renewals.imported(renewal, who="jansen", why="verlopen")

    assert await one.store.epoch_bell.wait(5)
    assert await two.store.epoch_bell.wait(5)
    rows = await two.store.reader.audit(after=0, limit=100)
    (event,) = (row.event for row in rows if row.event.event == "certificate.imported")
    assert (event.actor, event.data["use"], event.data["sha256"]) == ("jansen", "tls", "ab" * 32)


async def test_the_claims_of_a_process_that_is_gone_are_put_back_by_another(both):
    one, two = both
    await one.admit(1)
    await one.claim(worker="w1")
    one.silence("w1")

    await two.store.queue.sweep(worker="w2")

    assert await two.state() is State.READY


async def _until_somebody_waits_for_a_lock(stage):
    engine = Postgres(stage.database)
    connection = engine.reader()
    look = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    while connection.execute(look).scalar_one() == 0:  # noqa: ASYNC110 - it is the server's
        await asyncio.sleep(0.01)
    connection.close()


async def test_an_acknowledgement_that_comes_while_the_attempt_is_settled_counts(both):
    """The other process has said SENT, and not committed it yet."""
    one, two = both
    await one.admit(1)
    await one.claim()
    settling = Postgres(one.database).writer()
    settling.exec_driver_sql("BEGIN")
    settling.exec_driver_sql("UPDATE deliveries SET state = 'sent' WHERE id = 'd-1'")

    received = asyncio.create_task(two.store.signals.receive(acknowledgment()))
    await _until_somebody_waits_for_a_lock(one)
    settling.exec_driver_sql("COMMIT")
    settling.close()

    assert await received is SignalOutcome.MATCHED
    assert await one.state() is State.DELIVERED


def acknowledgment():
    return SignalReceived(
        party=VT,
        cpa_id=CPA,
        message_id="signal",
        ref_to_message_id="bericht-1@politie.test",
        at=START,
    )


async def test_tables_are_altered_while_messages_come_in(both):
    """A newer program starts beside this one: its tables come, and nobody notices."""
    one, two = both

    async def traffic():
        for n in range(30):
            await one.admit(n)
            for claim in await two.claim():
                await two.store.queue.settle(claim, HandedOver(until=None), ())

    def newer():
        engine = Postgres(one.database)
        upgrade(engine)
        connection = engine.writer()
        connection.exec_driver_sql("ALTER TABLE deliveries ADD COLUMN newer INTEGER DEFAULT 0")
        connection.exec_driver_sql("CREATE INDEX CONCURRENTLY newer ON deliveries (newer)")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.close()

    await asyncio.gather(traffic(), asyncio.to_thread(newer))
    await one.reopen()

    assert (await one.store.reader.figures())["delivery.delivered"] == 30


# --- the server goes away -------------------------------------------------------------


@pytest.fixture
def server():
    made = Server.make(settings=("max_connections = 12", "superuser_reserved_connections = 0"))
    yield made
    made.remove()


async def test_a_server_that_was_restarted_is_used_again(server, tmp_path):
    stage = await Stage(tmp_path, database=server.create("a"), inline=False).open()
    stage.store.listen()
    await stage.admit(1)
    server.stop(mode="immediate")

    with pytest.raises(StoreUnavailable) as write:
        await stage.store.inbox.note(event("input.refused", START))
    with pytest.raises(StoreUnavailable) as read:
        await stage.store.epoch()
    server.start()
    await stage.admit(2)
    seen = await stage.store.reader.messages(party=None, before=None, limit=9)
    broken = await stage.store.verify_chain()
    await stage.store.close()

    assert (write.value.code, read.value.code) == ("store.gone", "store.gone")
    assert [m.id for m in seen] == ["m-2", "m-1"]
    assert broken is None


async def test_a_server_without_a_free_connection_is_told(server, tmp_path):
    url = server.create("a")
    stage = await Stage(tmp_path, database=url, inline=False).open()
    taken = []

    def take_all():
        while len(taken) < 20:
            Postgres(url).create()
            taken.append(Postgres(url).reader())

    with pytest.raises((StoreUnavailable, sa.exc.OperationalError)) as caught:
        take_all()

    for connection in taken:
        connection.close()
    await stage.admit(1)
    await stage.store.close()

    assert ours(caught.value).code == "store.connections"


async def test_a_process_has_no_more_connections_than_the_docs_say(server, tmp_path):
    """`database.writers` + 4 that read + 1 that hears."""
    stage = await Stage(tmp_path, database=server.create("a"), inline=False).open()
    stage.store.listen()
    await stage.store.epoch_bell.wait(PATIENCE)  # it hears
    await asyncio.gather(*(stage.admit(n) for n in range(40)))
    await asyncio.gather(*(stage.store.reader.figures() for _ in range(40)))

    used = stage.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'berichtengateway'"
        " AND pid <> pg_backend_pid()"
    )
    await stage.store.close()

    assert 3 < used[0][0] <= 2 + 4 + 1


def test_a_server_that_does_not_answer_is_told():
    with pytest.raises(StoreUnavailable) as caught:
        Postgres("postgresql://gateway@127.0.0.1:1/a").create()

    assert caught.value.code == "store.gone"


def test_a_password_in_the_url_is_refused():
    with pytest.raises(Misconfigured) as caught:
        Postgres("postgresql://gateway:geheim@127.0.0.1/a")

    assert caught.value.code == "store.password"
    assert "geheim" not in str(caught.value)


def test_a_password_file_that_others_can_read_is_refused(tmp_path):
    file = tmp_path / "password"
    file.write_text("geheim\n")
    file.chmod(0o644)

    with pytest.raises(Misconfigured) as caught:
        Postgres("postgresql://gateway@127.0.0.1/a", password_file=file)

    assert caught.value.code == "store.password"
