"""What a review found: races, starvation, and what nobody was told of."""

import asyncio
import errno
import threading
import time
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from gateway.directory import InForce
from gateway.errors import StoreUnavailable
from gateway.lifecycle import State
from gateway.message import Address, Oin
from gateway.ports import AlarmBounds, Direction, HandedOver, TryAgain
from gateway.rules.retention import Terms
from gateway.store import store as store_module
from gateway.store.commit import Committer
from gateway.store.disposal import Dispose
from gateway.store.inbox import Note
from gateway.store.postgres import CHAINS, Postgres
from gateway.store.queue import LEASE
from gateway.store.store import Store
from gateway.store.tables import metadata
from gateway.wire.ebms2.fields import ID_LENGTH
from tests.store.stage import POLITIE, VT, Stage, event, stuurgegevens

HALT = Oin("00000004003214345009")
SHARERS = 16


@pytest.fixture
async def both(url, tmp_path):
    """Two processes of one installation."""
    made = [await Stage(tmp_path, database=url, inline=False, seed=n).open() for n in (1, 2)]
    yield made
    for stage in made:
        await stage.store.close()


# --- claims ---------------------------------------------------------------------------


async def test_a_full_lane_takes_nobodys_turn(stage):
    await stage.admit_many(range(10))
    assert len(await stage.claim(limit=16)) == 8
    stage.clock.forward(seconds=1)
    await stage.admit(50, deliveries=(stage.delivery(50, recipient=HALT),))

    claims = await stage.claim(limit=1)

    assert [c.delivery for c in claims] == ["d-50"]


async def test_a_full_lane_is_still_told_to_be_left(stage):
    await stage.admit_many(range(10))
    first, *_ = await stage.claim(limit=16)
    await stage.claim(limit=1)
    await stage.store.bell.wait(0)

    await stage.store.queue.settle(first, HandedOver(until=None), ())

    assert await stage.store.bell.wait(0)


async def set_back(stage):
    """The clock was half an hour ahead, and is right again."""
    stage.clock.forward(minutes=30)
    await stage.store.inbox.note(event("x", stage.clock.now()))
    stage.clock.forward(minutes=-30)
    stage.clock.forward(seconds=2)  # so long a connection may go by what it knew


async def test_while_the_clock_is_not_sure_what_needs_no_approval_still_leaves(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, approval_id="A"),))
    stage.clock.forward(seconds=1)
    await stage.admit(2, deliveries=(stage.delivery(2, recipient=HALT),))
    await set_back(stage)

    claims = await stage.claim(approvals=("A",), limit=1)

    assert [c.delivery for c in claims] == ["d-2"]


async def test_while_the_clock_is_not_sure_nobody_looks_fifty_times_a_second(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, approval_id="A"),))
    await set_back(stage)
    await stage.store.bell.wait(0)

    assert await stage.claim(approvals=("A",)) == ()

    assert not await stage.store.bell.wait(0.2)


# --- two processes --------------------------------------------------------------------


async def test_what_one_consumer_has_is_not_leased_to_another(both):
    """Of 180 deliveries and six consumers, about ten were leased twice."""
    taken: list[str] = []

    async def take(stage, consumer):
        for _ in range(12):
            items = await stage.store.postvak.take(
                gate=InForce(),
                party=VT,
                applicaties=("Zorgsysteem",),
                consumer=consumer,
                limit=3,
                lease=timedelta(minutes=5),
            )
            taken.extend(item.delivery for item in items)

    for start in range(0, 180, 30):
        for n in range(start, start + 30):
            await both[0].admit(n, deliveries=(both[0].postvak(n),))
        await asyncio.gather(*(take(stage, f"c{n}") for n, stage in enumerate(both * 3)))
        await take(both[0], "c0")  # who finds all of it locked by others goes home with nothing

    assert sorted(taken) == sorted(f"d-{n}" for n in range(180))


async def test_the_epoch_moves_under_load(both, url):
    """Admissions and claims share its row; as long as one does, a row lock waits for ever."""
    stop = threading.Event()

    def share():
        connection = Postgres(url).writer()
        while not stop.is_set():
            for step in (
                "BEGIN",
                "SELECT epoch FROM security WHERE id = 1 FOR SHARE",
                "SELECT pg_sleep(0.01)",
                "COMMIT",
            ):
                connection.exec_driver_sql(step)
        connection.close()

    threads = [threading.Thread(target=share) for _ in range(SHARERS)]
    for thread in threads:
        thread.start()
    try:
        await asyncio.sleep(0.5)
        began = time.monotonic()
        async with asyncio.timeout(8):
            assert await both[0].store.sync_epoch("second", was="first") == 2
        assert time.monotonic() - began < 5
    finally:
        stop.set()
        for thread in threads:
            await asyncio.to_thread(thread.join)


def test_a_process_that_stands_still_holds_others_up_for_less_than_a_lease(url):
    connection = Postgres(url).writer()
    seconds = connection.execute(
        sa.text(
            "SELECT setting::int / 1000 FROM pg_settings"
            " WHERE name = 'idle_in_transaction_session_timeout'"
        )
    ).scalar_one()
    connection.close()

    assert 0 < seconds < LEASE.total_seconds() / 2


async def test_a_duty_is_not_lost_when_the_databases_clock_was_set_back(stage):
    term = timedelta(minutes=3)
    assert await stage.store.take_duty("house", term=term)
    stage.raw("UPDATE duties SET holder = 'gone', until = until + 86400000000")

    assert await stage.store.take_duty("house", term=term)


async def test_an_opening_that_fails_leaves_no_connection(url, tmp_path, monkeypatch):
    made = []

    def second_fails(*given, **named):
        if made:
            raise StoreUnavailable("store.connections", "no more")
        made.append(Committer(*given, **named))
        return made[0]

    monkeypatch.setattr(store_module, "Committer", second_fails)
    stage = Stage(tmp_path, database=url, inline=False)
    with pytest.raises(StoreUnavailable):
        Store.open(
            url,
            epochs=stage.epochs,
            ended=stage.ended,
            clock=stage.clock,
            dice=stage.dice,
            writer_id="test",
        )

    held = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = {CHAINS}"
    for _ in range(50):  # the server notices in a moment
        (count,) = stage.rows(
            held + " AND database = (SELECT oid FROM pg_database"
            " WHERE datname = current_database())"
        )[0]
        if not count:
            break
        await asyncio.sleep(0.05)
    assert count == 0


# --- a person is told -----------------------------------------------------------------


async def test_what_may_have_arrived_is_for_a_person_also_when_it_expires(stage):
    ends = stage.clock.now() + timedelta(minutes=10)
    delivery = stage.delivery(1, duplicate_safe=False, retries=0, expires_at=ends)
    await stage.admit(1, deliveries=(delivery,))
    (claim,) = await stage.claim()
    await stage.seal(claim, b"1")
    until = ends + timedelta(seconds=1)
    await stage.store.queue.settle(claim, HandedOver(until=until), ())
    stage.clock.forward(minutes=11)

    await stage.store.queue.sweep(worker="w1")

    assert await stage.state() is State.UNKNOWN
    assert [a.code for a in await stage.store.reader.alarms(limit=5)] == ["delivery.unknown"]
    assert await stage.store.undeliverable.owed(limit=5) == ()


async def test_our_own_trouble_that_nothing_ends_is_told(stage):
    delivery = stage.delivery(1, duplicate_safe=False, retries=0)
    await stage.admit(1, deliveries=(replace(delivery, expires_at=None),))
    for _ in range(3):
        (claim,) = await stage.claim()
        again = stage.clock.now() + timedelta(minutes=1)
        outcome = TryAgain(at=again, code="keys.missing", ours=True)
        await stage.store.queue.settle(claim, outcome, ())
        stage.clock.forward(hours=1)

    await stage.store.alarms.watch(AlarmBounds())

    found = await stage.store.reader.alarms(limit=5)
    assert [(a.code, a.subject) for a in found] == [("delivery.unconfirmed", VT)]
    assert POLITIE not in {a.subject for a in found}


# --- what anybody may say -------------------------------------------------------------


async def test_a_refused_document_may_say_anything(stage):
    """PostgreSQL refuses what is longer than its column: the sender got 503 for ever."""
    said = replace(
        stuurgegevens(1),
        referentienummer="r" * 300,
        berichtcode="b" * 300,
        ontvanger=Address(organisatie="o" * 200, applicatie="a" * 300),
    )
    await stage.admit(1, deliveries=(), accepted=False, stuurgegevens=said, kind="k" * 300)

    assert (await stage.view(1)).message.referentienummer == "r" * 256


def test_no_id_is_longer_than_its_column():
    columns = {"messages": ("cpa_id", "message_id", "conversation_id")}
    for table, names in columns.items():
        for name in names:
            assert metadata.tables[table].c[name].type.length >= ID_LENGTH


# --- epoch keys -----------------------------------------------------------------------


async def test_a_key_that_can_not_be_written_is_told_as_ours(stage, monkeypatch):
    def full(*_given):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gateway.keys.epochs.os.write", full)

    with pytest.raises(StoreUnavailable) as told:
        await stage.store.payloads.put(b"x")

    assert told.value.code == "epoch_key.not_made"
    monkeypatch.undo()
    await stage.store.payloads.put(b"x")


# --- retention ------------------------------------------------------------------------


@dataclass(frozen=True)
class Slow:
    """Unit: another one, and a while until its commit."""

    unit: Dispose
    done: threading.Event

    def run(self, tx):
        self.unit.run(tx)
        tx.flush()
        self.done.set()
        time.sleep(0.5)


async def test_an_answer_that_comes_while_housekeeping_looks_is_not_overlooked(both):
    """The payload stood until the term of what is not answered, which is longer."""
    stage, other = both
    delivery = stage.delivery(1)
    await stage.admit(1, direction=Direction.OUTBOUND, deliveries=(delivery,))
    (claim,) = await stage.claim()
    await stage.store.queue.settle(claim, HandedOver(until=None), ())
    hour = timedelta(hours=1)
    terms = Terms(
        relayed=hour,
        received=hour,
        answered=hour,
        unanswered=1000 * hour,
        undelivered=hour,
        decisions=1000 * hour,
        traffic=None,
    )
    answer = await other.admission(2, deliveries=(), kind="Bv01Bericht")
    for committer in (c for each in both for c in each.store._writer._committers):
        committer.run((Note(()),))  # the mark of time is on file: nobody waits for its row

    slow = Slow(Dispose(now=stage.clock.now(), terms=terms), threading.Event())
    looking = asyncio.create_task(stage.store._writer.commit(slow))
    await asyncio.to_thread(slow.done.wait, 10)
    coming = asyncio.create_task(other.store.inbox.admit(replace(answer, answers="m-1")))
    await looking
    await coming

    for each in both:
        each.clock.forward(hours=2)
    assert await stage.store.retention.dispose(terms, {}) == 1
