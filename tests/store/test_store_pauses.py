"""A person holds what is sent to a partner: nothing more is claimed, and nothing is lost."""

from datetime import timedelta

import pytest

from gateway.errors import PolicyViolation
from gateway.lifecycle import State
from gateway.ports import AlarmBounds, TryAgain
from tests.store.stage import KNOOPPUNT, VT, Stage

WHO = {"who": "jansen", "why": "storing bij de partner"}


async def claimed(stage, **given):
    return [claim.delivery for claim in await stage.claim(**given)]


async def test_nothing_is_claimed_for_it_and_all_of_it_afterwards(stage):
    await stage.admit(1)
    await stage.admit(2, deliveries=(stage.delivery(2, recipient=KNOOPPUNT),))
    await stage.store.pauses.hold(VT, **WHO)
    await stage.admit(3)

    assert await claimed(stage) == ["d-2"]
    (pause,) = await stage.store.pauses.held()
    assert (pause.recipient, pause.who, pause.at) == (VT, "jansen", stage.clock.now())

    await stage.store.pauses.go_on(VT, **WHO)
    assert await claimed(stage) == ["d-1", "d-3"]
    assert await stage.store.pauses.held() == ()


async def test_who_waits_for_work_hears_that_it_goes_on(stage):
    await stage.admit(1)
    await stage.store.pauses.hold(VT, **WHO)
    assert await stage.store.queue.sweep(worker="w1") is None  # nothing falls due by itself
    await stage.store.bell.wait(0.01)  # what rang before
    assert not await stage.store.bell.wait(0.01)

    await stage.store.pauses.go_on(VT, **WHO)

    assert await stage.store.bell.wait(5)


async def test_what_is_being_sent_goes_on_and_is_not_tried_again(stage):
    await stage.admit(1)
    (claim,) = await stage.claim()
    await stage.store.pauses.hold(VT, **WHO)

    again = stage.clock.now() + timedelta(minutes=1)
    await stage.store.queue.settle(claim, TryAgain(at=again, code="peer.unreachable"), ())
    stage.clock.forward(hours=1)
    assert await claimed(stage) == []
    view = await stage.view()
    assert (view.deliveries[0].state, view.deliveries[0].attempt) == (State.READY, 1)

    await stage.store.pauses.go_on(VT, **WHO)
    assert await claimed(stage) == ["d-1"]


async def test_what_we_owe_is_acknowledged_all_the_same(stage):
    sealed = await stage.store.payloads.put(b"<Envelope/>")
    await stage.admit(1, deliveries=(stage.signal("s-1", sealed),))
    await stage.store.pauses.hold(stage.signal("s-1", sealed).recipient, **WHO)

    assert await claimed(stage) == ["s-1"]


async def test_it_is_said_once_and_ended_once(stage):
    await stage.store.pauses.hold(VT, **WHO)
    with pytest.raises(PolicyViolation, match=r"partner\.stil"):
        await stage.store.pauses.hold(VT, **WHO)
    await stage.store.pauses.go_on(VT, **WHO)
    with pytest.raises(PolicyViolation, match=r"partner\.gaat"):
        await stage.store.pauses.go_on(VT, **WHO)

    rows = await stage.store.reader.audit(after=0, limit=50)
    told = [
        (e.event, e.party, e.actor, e.data["reason"])
        for e in (row.event for row in rows)
        if e.event.startswith("partner.")
    ]
    assert told == [
        ("partner.paused", VT, "jansen", WHO["why"]),
        ("partner.resumed", VT, "jansen", WHO["why"]),
    ]


async def test_one_that_is_forgotten_raises_an_alarm_that_ends_by_itself(stage):
    bounds = AlarmBounds()
    await stage.store.pauses.hold(VT, **WHO)
    await stage.store.alarms.watch(bounds)
    assert await stage.store.reader.alarms(limit=5) == ()

    stage.clock.forward(minutes=16)
    await stage.store.alarms.watch(bounds)
    assert [(a.code, a.party) for a in await stage.store.reader.alarms(limit=5)] == [
        ("partner.paused", VT)
    ]
    await stage.store.pauses.go_on(VT, **WHO)
    await stage.store.alarms.watch(bounds)
    assert await stage.store.reader.alarms(limit=5) == ()


async def test_the_lifetime_of_a_message_runs_on(stage):
    end = stage.clock.now() + timedelta(hours=2)
    await stage.admit(1, deliveries=(stage.delivery(1, expires_at=end),))
    await stage.store.pauses.hold(VT, **WHO)

    assert await stage.store.queue.sweep(worker="w1") == end
    stage.clock.at = end
    await stage.store.queue.sweep(worker="w1")

    assert (await stage.view()).deliveries[0].state is State.DEAD


async def test_another_process_holds_it_too(url, tmp_path):
    one = await Stage(tmp_path, database=url, inline=False, seed=1).open()
    two = await Stage(tmp_path, database=url, inline=False, seed=2).open()
    two.clock = one.clock
    await one.admit(1)

    await two.store.pauses.hold(VT, **WHO)
    assert await claimed(one) == []
    await one.store.pauses.go_on(VT, **WHO)
    assert await claimed(two, worker="w2") == ["d-1"]
    for stage in (one, two):
        await stage.store.close()
