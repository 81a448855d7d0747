"""Mail that a person must look at, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import GatewayError, NoRoute, PolicyViolation, Unavailable
from gateway.ports.incoming import EXPIRED, FULL, Bounds, Ground, Held, NewItem
from gateway.store.repeats import MOST
from tests.store.stage import LARGE, VT, event

ROOM = Bounds(items=10, octets=10_000_000)
KEPT = timedelta(days=30)
CLOSING = {"who": "o.operator", "ground": Ground.DONE, "why": "teruggebeld"}


async def hold(stage, n=1, *, bounds=ROOM, octets=b"From: x\r\n\r\nhallo", **changes):
    now = stage.clock.now()
    item = NewItem(
        id=f"q-{n}",
        at=now,
        held=Held(code="incoming.plain", party=VT),
        digest=f"{n:064x}",
        payload=await stage.store.payloads.put(octets),
        until=now + KEPT,
    )
    item = replace(item, **changes)
    told = event("incoming.held", now, message=item.id, code=item.held.code)
    return await stage.store.quarantine.hold(item, bounds, told)


async def item(stage, n=1):
    found = await stage.store.quarantine.item(f"q-{n}")
    assert found is not None
    return found


async def alarms(stage):
    return {a.code for a in await stage.store.reader.alarms(limit=9)}


async def trail(stage):
    rows = await stage.store.reader.audit(after=0, limit=50)
    return [row.event.event for row in rows if row.event.event.startswith("incoming.")]


def close(stage, n=1, **changes):
    given = CLOSING | {"until": stage.clock.now() + timedelta(hours=24)} | changes
    return stage.store.quarantine.close(f"q-{n}", **given)


async def test_a_mail_is_held_sealed_and_a_person_is_told(stage):
    assert await hold(stage)

    found = await item(stage)
    assert (found.code, found.party, found.closed_at, found.destroyed) == (
        "incoming.plain",
        VT,
        None,
        False,
    )
    stage.forget()
    assert await stage.store.payloads.get(found.payload_id) == b"From: x\r\n\r\nhallo"
    assert await alarms(stage) == {"incoming.held"}


@pytest.mark.parametrize("octets", [b"short", LARGE])
async def test_the_same_mail_is_held_once(stage, octets):
    await hold(stage, octets=octets)
    first = (await item(stage)).payload_id

    assert not await hold(stage, n=2, digest=f"{1:064x}", octets=octets)

    assert await stage.store.quarantine.item("q-2") is None
    assert (await item(stage)).payload_id == first
    assert await trail(stage) == ["incoming.held", "incoming.duplicate"]


async def test_copies_behind_the_twentieth_leave_no_trace(stage):
    await hold(stage)

    for n in range(2, MOST + 5):
        assert not await hold(stage, n=n, digest=f"{1:064x}")

    assert (await trail(stage)).count("incoming.duplicate") == MOST


async def test_the_same_mail_over_two_connections_is_held_once(stage):
    held = await asyncio.gather(*(hold(stage, n=n, digest=f"{1:064x}") for n in range(1, 6)))

    assert sorted(held) == [False] * 4 + [True]
    assert len(await stage.store.quarantine.items(limit=9, open_only=False)) == 1


@pytest.mark.parametrize("bounds", [Bounds(items=1, octets=1_000), Bounds(items=9, octets=40)])
async def test_a_full_quarantine_takes_nothing_more_until_there_is_room(stage, bounds):
    await hold(stage, bounds=bounds)

    with pytest.raises(Unavailable) as caught:
        await hold(stage, n=2, bounds=bounds)

    assert caught.value.code == FULL
    assert await stage.store.quarantine.item("q-2") is None
    await close(stage)
    stage.clock.forward(hours=24)
    assert await stage.store.retention.dispose_mail() == 1
    assert await hold(stage, n=2, bounds=bounds)


@pytest.mark.parametrize("bounds", [Bounds(items=4, octets=1_000), Bounds(items=9, octets=70)])
async def test_a_stranger_fills_half_of_it_and_never_the_room_of_partners(stage, bounds):
    signed = Held(code="incoming.person", party=VT, proven=True)
    await hold(stage, bounds=bounds)
    await hold(stage, n=2, bounds=bounds)

    with pytest.raises(Unavailable) as caught:
        await hold(stage, n=3, bounds=bounds)

    assert caught.value.code == FULL
    assert await hold(stage, n=4, bounds=bounds, held=signed)
    assert await hold(stage, n=5, bounds=bounds, held=signed)
    with pytest.raises(Unavailable):
        await hold(stage, n=6, bounds=bounds, held=signed)


async def test_what_partners_signed_may_take_all_of_it(stage):
    signed = Held(code="incoming.person", party=VT, proven=True)
    bounds = Bounds(items=2, octets=1_000)

    for n in (1, 2):
        assert await hold(stage, n=n, bounds=bounds, held=signed)


async def test_what_is_open_is_listed_newest_first_in_pages(stage):
    for n in range(1, 5):
        await hold(stage, n=n)
    await close(stage, 3)

    first = await stage.store.quarantine.items(limit=2, open_only=True)
    rest = await stage.store.quarantine.items(below=first[-1].seq, limit=2, open_only=True)

    assert [one.id for one in (*first, *rest)] == ["q-4", "q-2", "q-1"]
    everything = await stage.store.quarantine.items(limit=9, open_only=False)
    assert [one.id for one in everything] == ["q-4", "q-3", "q-2", "q-1"]


async def test_what_was_closed_is_destroyed_before_what_nobody_closed(stage):
    await hold(stage)
    await hold(stage, n=2)
    await close(stage)

    stage.clock.forward(hours=24)
    assert await stage.store.retention.dispose_mail() == 1

    gone, stays = await item(stage), await item(stage, 2)
    assert (gone.destroyed, gone.ground, gone.closed_by) == (True, "afgehandeld", "o.operator")
    assert not stays.destroyed
    stage.forget()
    with pytest.raises(GatewayError) as caught:
        await stage.store.payloads.get(gone.payload_id)
    assert caught.value.code == "payload.destroyed"
    assert await stage.store.payloads.get(stays.payload_id)
    assert await alarms(stage) == {"incoming.held"}


async def test_what_nobody_closed_in_time_is_destroyed_and_says_so(stage):
    await hold(stage)

    stage.clock.forward(days=30)
    assert await stage.store.retention.dispose_mail() == 1
    assert await stage.store.retention.dispose_mail() == 0

    found = await item(stage)
    assert (found.destroyed, found.ground, found.closed_by) == (True, EXPIRED, "housekeeping")
    assert await alarms(stage) == set()
    assert await trail(stage) == ["incoming.held", "incoming.destroyed"]


async def test_closing_late_does_not_keep_it_longer(stage):
    await hold(stage)
    stage.clock.forward(days=29, hours=12)
    await close(stage)

    stage.clock.forward(hours=12)

    assert await stage.store.retention.dispose_mail() == 1


async def test_who_works_on_it_keeps_others_from_closing(stage):
    await hold(stage)
    await stage.store.quarantine.take("q-1", who="a.ander")

    for act in (
        lambda: close(stage),
        lambda: stage.store.quarantine.let_go("q-1", who="o.operator"),
    ):
        with pytest.raises(PolicyViolation) as caught:
            await act()
        assert caught.value.code == "quarantaine.genomen"

    await stage.store.quarantine.take("q-1", who="o.operator")
    await close(stage)
    assert await trail(stage) == [
        "incoming.held",
        "incoming.taken",
        "incoming.taken",
        "incoming.closed",
    ]


async def test_what_is_closed_or_not_there_can_not_be_worked_on(stage):
    await hold(stage)
    await close(stage)

    for n, wanted, code in (
        (1, PolicyViolation, "quarantaine.gesloten"),
        (2, NoRoute, "quarantaine.onvindbaar"),
    ):
        with pytest.raises(wanted) as caught:
            await stage.store.quarantine.take(f"q-{n}", who="o.operator")
        assert caught.value.code == code
    assert await alarms(stage) == set()
