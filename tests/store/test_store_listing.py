"""Lists of messages: back in time to look, in order to miss nothing."""

import asyncio
from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa

from gateway.errors import StoreUnavailable
from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports import DeliveryKind, Direction, GaveUp, LostTrack, Standing, Wanted
from gateway.store import horizon
from gateway.store.engine import open_engine
from gateway.store.listing import ALONE_STEP, step
from gateway.store.payloads import Destroy
from gateway.store.records import message_row
from gateway.store.tables import messages
from tests.store.stage import VT, Stage, new_message, stuurgegevens

ALL = Wanted()


def ids(page):
    return [one.message.id for one in page.found]


async def everything(stage, wanted=ALL, limit=2):
    """Follow a list in order to its end, as a back-end does."""
    seen, after = [], None
    while True:
        page = await stage.store.reader.in_order(wanted, after=after, limit=limit)
        seen += ids(page)
        after = page.last
        if len(page.found) < limit:
            return seen, after


async def test_what_no_index_finds_is_looked_for_in_steps_that_miss_nothing(stage):
    await stage.admit_many(range(9))
    wanted = Wanted(kind="vtMeldingDi01")
    none = Wanted(kind="niets")

    async def all_of(wanted, most, limit):
        below, seen, pages = None, [], 0
        while True:
            page = await stage.store.reader.look_back(wanted, below=below, limit=limit, most=most)
            seen += ids(page)
            pages += 1
            if page.last is None:
                return seen, pages
            below = page.last

    for most, limit in ((1, 5), (2, 5), (4, 3), (9, 2), (50, 50)):
        assert (await all_of(wanted, most, limit))[0] == [f"m-{n}" for n in range(8, -1, -1)]
    assert await all_of(none, 3, 5) == ([], 3)
    assert await all_of(none, 50, 5) == ([], 1)


@pytest.mark.parametrize("standing", [Standing.PROCESSED, Standing.REFUSED])
def test_what_has_no_delivery_is_looked_for_in_smaller_steps(standing):
    assert step(Wanted(standing=standing), 50_000) == ALONE_STEP
    assert step(Wanted(standing=standing), 3) == 3
    assert step(Wanted(kind="niets"), 50_000) == 50_000


async def test_steps_end_where_a_search_begins_in_time(stage):
    await stage.admit_many(range(5))
    stage.clock.forward(hours=1)
    await stage.admit_many(range(5, 7))
    since = stage.clock.now()

    async def look(since, below=None):
        wanted = Wanted(kind="vtMeldingDi01", since=since)
        return await stage.store.reader.look_back(wanted, below=below, limit=5, most=3)

    found = await look(since)
    assert (ids(found), found.last) == (["m-6", "m-5"], None)
    later = await look(since + timedelta(hours=1))
    assert (later.found, later.last) == ((), None)


@pytest.mark.parametrize(
    "wanted", [Wanted(standing=Standing.UNDER_WAY), Wanted(referentienummer="ref-0")], ids=str
)
async def test_what_an_index_finds_is_found_at_once(stage, wanted):
    await stage.admit_many(range(5))

    page = await stage.store.reader.look_back(wanted, limit=50, most=1)

    assert page.last is None
    assert {"m-0"} <= set(ids(page))


async def test_pages_go_back_in_time_and_end(stage):
    await stage.admit_many(range(5))

    first = await stage.store.reader.newest(ALL, limit=3)
    second = await stage.store.reader.newest(ALL, below=first.last, limit=3)
    third = await stage.store.reader.newest(ALL, below=second.last, limit=3)

    assert ids(first) == ["m-4", "m-3", "m-2"]
    assert ids(second) == ["m-1", "m-0"]
    assert (third.found, third.last) == ((), None)


async def test_who_goes_on_from_the_last_place_sees_each_message_once(stage):
    await stage.admit_many(range(5))
    seen, after = await everything(stage)
    await stage.admit_many(range(5, 8))
    later = await stage.store.reader.in_order(ALL, after=after, limit=50)
    last = await stage.store.reader.in_order(ALL, after=later.last, limit=50)

    assert seen == [f"m-{n}" for n in range(5)]
    assert ids(later) == ["m-5", "m-6", "m-7"]
    assert ids(last) == []
    assert last.last >= later.last


async def test_who_asks_before_the_first_message_misses_it_not(stage):
    empty = await stage.store.reader.in_order(ALL, limit=5)
    await stage.admit(1)

    assert empty.found == ()
    assert ids(await stage.store.reader.in_order(ALL, after=empty.last, limit=5)) == ["m-1"]


async def test_a_place_ahead_of_all_is_not_taken_back(stage):
    await stage.admit(1)

    page = await stage.store.reader.in_order(ALL, after=10_000, limit=5)

    assert (page.found, page.last) == ((), 10_000)


async def test_what_others_got_in_between_moves_the_place_on(stage):
    await stage.admit_many(range(4))

    page = await stage.store.reader.in_order(Wanted(party=Oin("9")), limit=5)

    assert page.found == ()
    assert page.last >= 4


async def test_a_moment_begins_at_the_first_message_of_that_moment_or_later(stage):
    start = stage.clock.now()
    for n in range(4):
        stage.clock.forward(hours=1)
        await stage.admit(n)

    async def since(hours):
        return (await everything(stage, Wanted(since=start + timedelta(hours=hours))))[0]

    assert await since(0) == ["m-0", "m-1", "m-2", "m-3"]
    assert await since(2) == ["m-1", "m-2", "m-3"]
    assert await since(2.5) == ["m-2", "m-3"]
    assert await since(5) == []


async def test_messages_that_were_committed_out_of_turn_are_found_by_their_moment(stage):
    start = stage.clock.now()
    for n, minutes in enumerate((5, 1, 3)):
        stage.clock.at = start + timedelta(minutes=minutes)
        await stage.admit(n)

    found, _ = await everything(stage, Wanted(since=start + timedelta(minutes=2)))

    assert found == ["m-0", "m-2"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(referentienummer="ref-2"), ["m-2"]),
        (Wanted(zaak="PL-1"), ["m-1", "m-3"]),
        (Wanted(zaak="PL-9"), []),
        (Wanted(kind="vtTerugkoppelingDi01"), ["m-3"]),
        (Wanted(direction=Direction.OUTBOUND), ["m-2"]),
        (Wanted(zaak="PL-1", kind="vtMeldingDi01"), ["m-1"]),
        (Wanted(zaak="' OR 1=1 --"), []),
        (Wanted(referentienummer="%"), []),
        (Wanted(party=VT), ["m-3"]),
    ],
)
async def test_filters_pick_and_are_taken_literally(stage, wanted, expected):
    await stage.admit(1, zaak="PL-1")
    await stage.admit(2, zaak="PL-2", direction=Direction.OUTBOUND)
    await stage.admit(3, zaak="PL-1", kind="vtTerugkoppelingDi01", party=VT)

    assert (await everything(stage, wanted))[0] == expected
    assert ids(await stage.store.reader.newest(wanted, limit=9)) == expected[::-1]


async def test_a_message_stands_where_its_worst_delivery_does(stage):
    await stage.admit_many(range(3))
    await stage.admit(3, deliveries=(stage.postvak(3), stage.delivery(4)))
    await stage.admit(5, deliveries=())
    await stage.admit(6, deliveries=(), accepted=False)
    await stage.admit(7, deliveries=(stage.delivery(7, state=State.HELD),))
    claims = {claim.message.id: claim for claim in await stage.claim()}
    await stage.store.queue.settle(claims["m-1"], LostTrack(code="answer.lost"), ())
    await stage.store.queue.settle(claims["m-2"], GaveUp(code="http.404"), ())
    await stage.store.queue.settle(claims["m-3"], GaveUp(code="http.404"), ())

    async def standing(word):
        return ids(await stage.store.reader.newest(Wanted(standing=word), limit=9))

    assert await standing(Standing.UNKNOWN) == ["m-1"]
    assert await standing(Standing.DEAD) == ["m-3", "m-2"]
    assert await standing(Standing.UNDER_WAY) == ["m-0"]
    assert await standing(Standing.HELD) == ["m-7"]
    assert await standing(Standing.PROCESSED) == ["m-5"]
    assert await standing(Standing.REFUSED) == ["m-6"]
    assert await standing(Standing.DELIVERED) == []


async def test_a_signal_says_nothing_of_where_a_message_stands(stage):
    signal = stage.delivery(9, kind=DeliveryKind.SIGNAL)
    await stage.admit(1, deliveries=(signal,))

    assert ids(await stage.store.reader.newest(Wanted(standing=Standing.PROCESSED), limit=9)) == [
        "m-1"
    ]


async def test_a_case_is_known_as_long_as_the_content_is(stage):
    await stage.admit(1, zaak="PL-1")
    await stage.admit(2, zaak="PL-1")
    known = (await stage.view(1)).message

    assert known.zaak == "PL-1"
    await destroy(stage, known.payload_id)

    assert (await stage.view(1)).message.zaak == ""
    assert ids(await stage.store.reader.newest(Wanted(zaak="PL-1"), limit=9)) == ["m-2"]


async def destroy(stage, payload):
    destroyed = Destroy(ids=(payload,), at=stage.clock.now())
    assert await stage.store._writer.commit(destroyed) == 1


# --- a commit under way, on PostgreSQL -----------------------------------------------


@pytest.fixture
async def busy(url, tmp_path):
    """A store, and a writing connection of another process within a transaction."""
    stage = await Stage(tmp_path, inline=False, database=url).open()
    with closing(open_engine(url).writer()) as other:
        yield stage, other
    await stage.store.close()


def insert(connection, stage, n):
    row = message_row(
        new_message(n, at=stage.clock.now(), stuurgegevens=stuurgegevens(n)),
        acknowledgment_id=None,
    )
    connection.execute(sa.insert(messages).values(row))


async def test_a_commit_under_way_is_waited_for(busy):
    stage, other = busy
    other.exec_driver_sql("BEGIN")
    insert(other, stage, 1)
    await stage.admit(2)

    listing = asyncio.ensure_future(stage.store.reader.in_order(ALL, limit=9))
    await asyncio.sleep(0.2)
    assert not listing.done()
    other.exec_driver_sql("COMMIT")

    assert ids(await listing) == ["m-1", "m-2"]


async def test_a_commit_that_never_comes_is_not_waited_for_for_ever(busy, monkeypatch):
    stage, other = busy
    monkeypatch.setattr(horizon, "_LOOK_AGAIN", 0.01)
    monkeypatch.setattr(horizon, "PATIENCE", timedelta(seconds=-1))
    other.exec_driver_sql("BEGIN")
    insert(other, stage, 1)
    await stage.admit(2)

    with pytest.raises(StoreUnavailable):
        await stage.store.reader.in_order(ALL, limit=9)
    assert ids(await stage.store.reader.newest(ALL, limit=9)) == ["m-2"]
    other.exec_driver_sql("ROLLBACK")
    assert ids(await stage.store.reader.in_order(ALL, limit=9)) == ["m-2"]


async def test_who_begins_to_write_meanwhile_is_not_waited_for(busy):
    stage, other = busy
    other.exec_driver_sql("BEGIN")
    insert(other, stage, 1)
    listing = asyncio.ensure_future(stage.store.reader.in_order(ALL, limit=9))
    await asyncio.sleep(0.1)
    with closing(open_engine(stage.database).writer()) as third:
        third.exec_driver_sql("BEGIN")
        insert(third, stage, 3)
        other.exec_driver_sql("COMMIT")
        found = await asyncio.wait_for(listing, 2)
        third.exec_driver_sql("COMMIT")

    assert ids(found) == ["m-1"]
    assert ids(await stage.store.reader.in_order(ALL, after=found.last, limit=9)) == ["m-3"]


async def test_many_processes_write_and_a_reader_misses_none(url, tmp_path):
    stages = [await Stage(tmp_path, inline=False, database=url, seed=n).open() for n in range(3)]
    done = asyncio.Event()
    seen, after = [], None

    async def write(stage, first):
        for n in range(first, first + 40):
            await stage.admit(n)

    async def read():
        nonlocal after
        while not done.is_set():
            page = await stages[0].store.reader.in_order(ALL, after=after, limit=7)
            seen.extend(ids(page))
            after = page.last
            await asyncio.sleep(0)

    reading = asyncio.ensure_future(read())
    await asyncio.gather(*(write(stage, 100 * n) for n, stage in enumerate(stages)))
    done.set()
    await reading
    rest = await stages[0].store.reader.in_order(ALL, after=after, limit=500)

    expected = {f"m-{100 * n + k}" for n in range(3) for k in range(40)}
    assert sorted([*seen, *ids(rest)]) == sorted(expected)
    for stage in stages:
        await stage.store.close()
