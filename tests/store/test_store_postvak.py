import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.directory import InForce
from gateway.errors import DuplicateConflict, NoRoute, StaleSnapshot
from gateway.lifecycle import State
from gateway.ports import Direction
from gateway.ports.postvak import Looked
from tests.store.stage import POLITIE, VT, event, stuurgegevens

LEASE = timedelta(minutes=5)
SOON = timedelta(milliseconds=50)
LONG = timedelta(seconds=10)


async def _take(stage, *, consumer="c1", party=VT, applicaties=("Zorgsysteem",), limit=10):
    return await stage.store.postvak.take(
        gate=InForce(),
        party=party,
        applicaties=applicaties,
        consumer=consumer,
        limit=limit,
        lease=LEASE,
    )


async def _waiting(stage, *numbers):
    for n in numbers:
        await stage.admit(n, deliveries=(stage.postvak(n),))


async def _answer(stage, n=20, kind="Bv01Bericht"):
    said = stuurgegevens(n)
    own = await stage.admission(
        n, kind=kind, direction=Direction.OWN, party=VT, references=(), stuurgegevens=said
    )
    return replace(own, answers="m-1")


async def _close(stage, *, refused=False, answer=None, party=VT):
    name = "postvak.refused" if refused else "postvak.confirmed"
    events = (event(name, stage.clock.now(), message="m-1", delivery="d-1"),)
    return await stage.store.postvak.close(
        "d-1", party=party, refused=refused, answer=answer, events=events
    )


async def test_what_waits_is_shown_oldest_first(stage):
    await _waiting(stage, 1, 2, 3)

    items = await _take(stage, limit=2)

    assert [i.delivery for i in items] == ["d-1", "d-2"]
    first = items[0]
    assert (first.repeated, first.state) == (False, State.SENT)
    assert first.lease_until == stage.clock.now() + LEASE
    assert first.size == len(b"<bericht>1</bericht>")
    assert await stage.store.payloads.get(first.payload_id) == b"<bericht>1</bericht>"
    assert (await stage.trace())[-1] == "postvak.shown"


async def test_what_is_leased_is_not_shown_until_the_lease_ends(stage):
    await _waiting(stage, 1)
    await _take(stage)

    assert await _take(stage, consumer="c2") == ()
    stage.clock.at += LEASE
    (again,) = await _take(stage, consumer="c2")

    assert again.repeated


async def test_a_party_sees_only_its_own_applicaties(stage):
    await _waiting(stage, 1)

    assert await _take(stage, applicaties=("Anders",)) == ()
    assert await _take(stage, applicaties=()) == ()
    assert await _take(stage, party=POLITIE) == ()
    assert await stage.store.postvak.get("d-1", party=POLITIE) is None
    assert await stage.store.postvak.get("d-1", party=VT) is None  # not shown yet
    await _take(stage)
    assert (await stage.store.postvak.get("d-1", party=VT)).state is State.SENT


async def test_what_is_held_does_not_exist_for_its_recipient(stage):
    await stage.admit(1, deliveries=(stage.postvak(1, state=State.HELD),))

    assert await _take(stage) == ()
    assert await stage.store.postvak.get("d-1", party=VT) is None
    assert await stage.store.reader.messages(party=VT, before=None, limit=10) == ()
    with pytest.raises(NoRoute):
        await _close(stage)


async def test_confirming_admits_the_answer_in_the_same_commit(stage):
    await _waiting(stage, 1)
    await _take(stage)

    assert await _close(stage, answer=await _answer(stage))

    assert await stage.state(1) is State.DELIVERED
    assert (await stage.view(1)).message.answer == "Bv01Bericht"
    assert await stage.state(20) is State.READY
    assert "postvak.confirmed" in await stage.trace(1)


async def test_one_is_taken_by_its_id(stage):
    await _waiting(stage, 1, 2)

    for only, found in (("d-2", ["d-2"]), ("d-2", []), ("d-9", [])):
        items = await stage.store.postvak.take(
            gate=InForce(),
            party=VT,
            applicaties=("Zorgsysteem",),
            consumer="c1",
            limit=10,
            lease=LEASE,
            only=only,
        )
        assert [i.delivery for i in items] == found


LOOK = {"party": VT, "applicaties": ("Zorgsysteem",), "limit": 10}


async def _take_looked(stage, *looked):
    take = stage.store.postvak.take
    return await take(**LOOK, consumer="c1", lease=LEASE, gate=InForce(), looked=looked)


async def test_to_look_leases_nothing(stage):
    await _waiting(stage, 1, 2)

    found = await stage.store.postvak.waiting(**LOOK)

    assert [item.delivery for item in found] == ["d-1", "d-2"]
    assert await stage.store.postvak.waiting(**LOOK) == found
    assert await stage.store.postvak.waiting(**LOOK | {"limit": 0}) == ()
    assert await stage.state(1) is State.READY
    assert "postvak.shown" not in await stage.trace(1)


async def test_only_what_was_looked_at_and_stands_as_it_did_is_shown(stage):
    await _waiting(stage, 1, 2)
    first, second = await stage.store.postvak.waiting(**LOOK)
    await _waiting(stage, 3)
    changed = replace(second, approval_id="of a moment ago")

    shown = await _take_looked(stage, Looked(item=first), Looked(item=changed))

    assert [item.delivery for item in shown] == ["d-1"]
    assert [await stage.state(n) for n in (1, 2, 3)] == [State.SENT, State.READY, State.READY]


async def test_what_is_not_believed_is_passed_over_for_a_lease(stage):
    await _waiting(stage, 1)
    (item,) = await stage.store.postvak.waiting(**LOOK)

    assert await _take_looked(stage, Looked(item=item, fault="individueel")) == ()

    assert (await stage.trace(1))[-1] == "postvak.unproven"
    assert "postvak.shown" not in await stage.trace(1)
    (alarm,) = await stage.store.reader.alarms(limit=5)
    assert (alarm.code, alarm.subject, alarm.reason) == ("gate.unproven", "d-1", "individueel")
    assert await stage.store.postvak.waiting(**LOOK) == ()
    stage.clock.at += LEASE
    assert await stage.store.postvak.waiting(**LOOK) == (item,)  # nothing was counted as shown


async def test_what_was_never_shown_is_not_closed(stage):
    await _waiting(stage, 1)

    with pytest.raises(NoRoute, match=r"postvak\.unknown"):
        await _close(stage)

    assert await stage.state() is State.READY


async def test_confirming_twice_is_the_same_as_once(stage):
    await _waiting(stage, 1)
    await _take(stage)
    await _close(stage, answer=await _answer(stage, 20))

    assert not await _close(stage, answer=await _answer(stage, 21))

    assert await stage.store.reader.message("m-21") is None


async def test_confirming_at_the_same_time_gives_one_answer(stage):
    await _waiting(stage, 1)
    await _take(stage)
    answers = [await _answer(stage, n) for n in range(20, 26)]

    closed = await asyncio.gather(*(_close(stage, answer=answer) for answer in answers))

    assert closed.count(True) == 1
    assert (await stage.store.reader.figures())["delivery.ready"] == 1


async def test_confirming_what_was_refused_is_a_conflict(stage):
    await _waiting(stage, 1)
    await _take(stage)
    assert await _close(stage, refused=True, answer=await _answer(stage, kind="Fo01Bericht"))

    with pytest.raises(DuplicateConflict) as caught:
        await _close(stage)

    assert caught.value.code == "postvak.closed"
    assert not await _close(stage, refused=True)
    assert await stage.state() is State.REFUSED


async def test_nobody_closes_what_is_another_partys(stage):
    await _waiting(stage, 1)

    with pytest.raises(NoRoute) as caught:
        await _close(stage, party=POLITIE)

    assert caught.value.code == "postvak.unknown"


async def test_closing_under_an_old_epoch_changes_nothing(stage):
    await _waiting(stage, 1)
    await _take(stage)
    answer = await _answer(stage)
    await stage.store.sync_epoch("second")

    with pytest.raises(StaleSnapshot):
        await _close(stage, answer=answer)

    assert await stage.state() is State.SENT


async def test_an_admission_wakes_who_waits(stage):
    waiting = asyncio.create_task(stage.store.postvak.wait(party=VT, timeout=LONG))
    await asyncio.sleep(0.02)
    assert not waiting.done()

    await _waiting(stage, 1)

    assert await asyncio.wait_for(waiting, 2)


async def test_an_admission_for_another_party_wakes_nobody(stage):
    waiting = asyncio.create_task(stage.store.postvak.wait(party=VT, timeout=SOON))
    await asyncio.sleep(0)

    await stage.admit(1, deliveries=(stage.postvak(1, recipient=POLITIE),))

    assert not await waiting


async def test_an_admission_between_looking_and_waiting_is_not_missed(stage):
    assert await _take(stage) == ()
    await _waiting(stage, 1)

    assert await asyncio.wait_for(stage.store.postvak.wait(party=VT, timeout=LONG), 2)
    assert len(await _take(stage)) == 1
    assert not await stage.store.postvak.wait(party=VT, timeout=SOON)


async def test_the_end_of_a_lease_wakes_who_waits(stage):
    await _waiting(stage, 1)
    await _take(stage)
    stage.clock.at += LEASE - SOON

    assert await asyncio.wait_for(stage.store.postvak.wait(party=VT, timeout=LONG), 2)
