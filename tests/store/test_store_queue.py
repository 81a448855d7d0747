from datetime import timedelta

import pytest

from gateway.directory import InForce
from gateway.errors import StaleSnapshot
from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports import (
    DeliveryKind,
    GaveUp,
    HandedOver,
    HeldAgain,
    LostTrack,
    SignalReceived,
    TryAgain,
)
from tests.store.stage import CPA, KNOOPPUNT, START, VT, event


def _minutes(n):
    return timedelta(minutes=n)


async def _one(stage, **changes):
    """Admit and claim one delivery."""
    await stage.admit(1, deliveries=(stage.delivery(1, **changes),))
    (claim,) = await stage.claim()
    return claim


async def test_a_claim_counts_the_attempt_and_is_not_given_twice(stage):
    claim = await _one(stage)

    assert (claim.delivery, claim.attempt, claim.sealed) == ("d-1", 1, None)
    assert await stage.claim(worker="w2") == ()
    assert await stage.trace() == ["message.received", "message.admitted", "delivery.claimed"]


async def test_the_trace_names_the_worker(stage):
    await stage.admit(1)

    await stage.claim(worker="gateway@host:42")

    assert (await stage.view()).trace[-1].event.actor == "gateway@host:42"


async def test_nothing_is_claimed_before_its_moment(stage):
    later = stage.clock.now() + _minutes(1)
    await stage.admit(1, deliveries=(stage.delivery(1, next_at=later),))

    assert await stage.claim() == ()
    assert await stage.store.queue.sweep(worker="w1") == later
    stage.clock.at = later
    assert len(await stage.claim()) == 1


async def test_held_deliveries_and_the_postvak_are_not_claimed(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, state=State.HELD),))
    await stage.admit(2, deliveries=(stage.postvak(2),))

    assert await stage.claim() == ()


async def test_an_epoch_that_moved_claims_nothing(stage):
    await stage.admit(1)
    await stage.store.sync_epoch("second")

    with pytest.raises(StaleSnapshot):
        await stage.claim()

    assert await stage.state() is State.READY


async def test_without_its_approval_a_delivery_is_held_again(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, approval_id="A-1"),))

    assert await stage.claim(approvals={"A-2"}) == ()

    (delivery,) = (await stage.view()).deliveries
    assert delivery.state is State.HELD
    assert delivery.ground == "geen-doorlopende-toestemming"
    assert "delivery.held_again" in await stage.trace()


async def test_with_its_approval_a_delivery_is_claimed(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, approval_id="A-1"),))

    (claim,) = await stage.claim(approvals={"A-1", "A-2"})

    assert claim.approval_id == "A-1"


async def test_what_was_judged_must_be_what_is_sent(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, payload_sha256="0" * 64),))

    assert await stage.claim() == ()
    assert await stage.state() is State.HELD


async def test_after_the_clock_went_back_nothing_leaves_under_an_approval(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, approval_id="A-1"),))
    await stage.admit(2, deliveries=(stage.delivery(2),))
    for n in (1, 2):
        stage.raw(f"UPDATE deliveries SET next_at = 0 WHERE id = 'd-{n}'")

    stage.clock.forward(seconds=-6)
    claims = await stage.claim(approvals={"A-1"})

    assert [c.delivery for c in claims] == ["d-2"]
    stage.clock.forward(seconds=2)
    assert [c.delivery for c in await stage.claim(approvals={"A-1"})] == ["d-1"]


# --- lanes ----------------------------------------------------------------------------


async def test_a_lane_has_eight_under_way_at_most(stage):
    await stage.admit_many(range(12))

    claims = await stage.claim(limit=20)

    assert [c.delivery for c in claims] == [f"d-{n}" for n in range(8)]
    assert await stage.claim(limit=20) == ()
    await stage.store.queue.settle(claims[0], HandedOver(until=None), ())
    assert [c.delivery for c in await stage.claim(limit=20)] == ["d-8"]


async def test_a_full_lane_gives_no_reason_to_wake_up(stage):
    await stage.admit_many(range(12))
    await stage.claim(limit=20)

    assert await stage.store.queue.sweep(worker="w1") is None


async def test_partners_take_turns(stage):
    await stage.admit_many(range(6))
    await stage.admit(6, deliveries=(stage.delivery(6, recipient=KNOOPPUNT),))

    claims = await stage.claim(limit=2)

    assert {c.recipient for c in claims} == {VT, KNOOPPUNT}


async def test_signals_do_not_wait_behind_messages(stage):
    await stage.admit_many(range(10))
    sealed = await stage.store.payloads.put(b"<Acknowledgment/>")
    signal = stage.delivery(99, kind=DeliveryKind.SIGNAL, sealed=sealed)
    await stage.admit(99, deliveries=(signal,))

    claims = await stage.claim(limit=1)

    assert [c.delivery for c in claims] == ["d-99"]


async def test_a_suspended_partner_is_left_alone(stage):
    await stage.admit(1)

    assert await stage.claim(suspended=frozenset({VT})) == ()
    assert await stage.store.queue.sweep(worker="w1") is None
    assert len(await stage.claim(suspended=frozenset({KNOOPPUNT}))) == 1


async def test_a_partner_that_is_down_is_tried_with_one_delivery_at_a_time(stage):
    await stage.admit_many(range(5))
    claims = await stage.claim(limit=2)
    again = stage.clock.now() + _minutes(5)
    for claim in claims:
        await stage.store.queue.settle(claim, TryAgain(at=again, code="http.503", down=True), ())

    assert await stage.claim() == ()
    assert await stage.store.queue.sweep(worker="w1") == again
    stage.clock.at = again
    (probe,) = await stage.claim()
    assert await stage.claim() == ()
    await stage.store.queue.settle(probe, HandedOver(until=again + _minutes(10)), ())
    assert len(await stage.claim()) == 4


# --- settling -------------------------------------------------------------------------


async def test_handed_over_waits_for_the_acknowledgement(stage):
    claim = await _one(stage)
    until = stage.clock.now() + _minutes(10)

    assert await stage.store.queue.settle(claim, HandedOver(until=until), ())

    (delivery,) = (await stage.view()).deliveries
    assert (delivery.state, delivery.next_at, delivery.attempt) == (State.SENT, until, 1)
    assert (await stage.store.reader.figures())["unconfirmed"] == 1
    assert (await stage.trace())[-1] == "delivery.sent"


async def test_without_an_acknowledgement_to_come_handed_over_is_delivered(stage):
    claim = await _one(stage)

    await stage.store.queue.settle(claim, HandedOver(until=None), ())

    (delivery,) = (await stage.view()).deliveries
    assert (delivery.state, delivery.delivered_at) == (State.DELIVERED, stage.clock.now())


@pytest.mark.parametrize(
    ("outcome", "state", "told"),
    [
        (GaveUp(code="http.404"), State.DEAD, "delivery.dead"),
        (LostTrack(code="network.lost"), State.UNKNOWN, "delivery.unknown"),
        (HeldAgain(ground="individueel"), State.HELD, "delivery.held_again"),
    ],
)
async def test_each_outcome_has_its_state_and_its_audit_row(stage, outcome, state, told):
    claim = await _one(stage)

    await stage.store.queue.settle(claim, outcome, ())

    assert await stage.state() is state
    assert (await stage.trace())[-1] == told


async def test_the_events_of_the_caller_are_written_once_each_in_order(stage):
    claim = await _one(stage)
    events = tuple(
        event(name, stage.clock.now(), message="m-1", delivery="d-1")
        for name in ("delivery.signed", "delivery.encrypted", "delivery.sent")
    )

    await stage.store.queue.settle(claim, HandedOver(until=stage.clock.now()), events)

    assert (await stage.trace())[-3:] == [e.event for e in events]
    assert (await stage.view()).trace[-1].event.data["state"] == "sent"


async def test_the_signed_envelope_is_kept_for_the_next_attempt(stage):
    claim = await _one(stage)
    await stage.seal(claim, b"digest")
    await stage.store.queue.settle(claim, TryAgain(at=stage.clock.now(), code="x"), ())

    (again,) = await stage.claim()

    assert (again.attempt, again.fence) == (2, claim.fence + 1)
    assert await stage.store.payloads.get(again.sealed) == b"<Envelope/>"


async def test_a_delivery_is_signed_once(stage):
    claim = await _one(stage)
    await stage.seal(claim, b"digest")

    with pytest.raises(StaleSnapshot) as caught:
        await stage.seal(claim, b"other")

    assert caught.value.code == "claim.lost"


async def _stolen(stage):
    """A worker is silent for so long that another one gets its claim."""
    stale = await _one(stage)
    stage.silence("w1")
    await stage.store.queue.sweep(worker="w2")
    (fresh,) = await stage.claim(worker="w2")
    return stale, fresh


async def test_the_claim_of_a_silent_worker_is_put_back(stage):
    stale, fresh = await _stolen(stage)

    assert (stale.attempt, fresh.attempt) == (1, 2)
    assert fresh.fence > stale.fence
    assert "delivery.retry" in await stage.trace()


async def test_a_worker_with_a_heartbeat_keeps_its_claims(stage):
    claim = await _one(stage)
    for _ in range(10):
        stage.clock.forward(seconds=20)
        await stage.store.queue.heartbeat(worker="w1")
        await stage.store.queue.sweep(worker="w2")

    assert await stage.state() is State.CLAIMED
    assert await stage.store.queue.settle(claim, HandedOver(until=None), ())


async def test_a_stale_failure_changes_nothing(stage):
    stale, fresh = await _stolen(stage)

    assert not await stage.store.queue.settle(stale, GaveUp(code="x"), ())

    assert await stage.state() is State.CLAIMED
    assert await stage.store.queue.settle(fresh, HandedOver(until=None), ())


async def test_a_stale_claim_can_not_sign(stage):
    stale, _ = await _stolen(stage)

    with pytest.raises(StaleSnapshot):
        await stage.seal(stale, b"digest")


async def test_a_stale_success_counts_and_the_failure_of_the_second_does_not(stage):
    stale, fresh = await _stolen(stage)
    until = stage.clock.now() + _minutes(10)

    assert not await stage.store.queue.settle(stale, HandedOver(until=until), ())
    assert await stage.state() is State.SENT

    assert not await stage.store.queue.settle(fresh, GaveUp(code="x"), ())
    assert await stage.state() is State.SENT


async def test_an_acknowledgement_may_be_faster_than_the_settlement(stage):
    claim = await _one(stage)
    signal = SignalReceived(
        party=VT,
        cpa_id=CPA,
        message_id="ack",
        ref_to_message_id="bericht-1@politie.test",
        at=stage.clock.now(),
    )
    await stage.store.signals.receive(signal)

    settled = await stage.store.queue.settle(
        claim,
        HandedOver(until=stage.clock.now()),
        (event("delivery.sent", stage.clock.now(), message="m-1"),),
    )

    assert not settled
    assert await stage.state() is State.DELIVERED
    assert (await stage.trace())[-1] == "delivery.sent"


# --- sweeping -------------------------------------------------------------------------


async def test_an_overdue_acknowledgement_is_a_retry_until_the_tries_are_used(stage):
    await stage.admit(1)
    states = []
    for _ in range(3):
        (claim,) = await stage.claim()
        until = stage.clock.now() + _minutes(10)
        await stage.store.queue.settle(claim, HandedOver(until=until), ())
        assert await stage.store.queue.sweep(worker="w1") == until
        stage.clock.at = until
        await stage.store.queue.sweep(worker="w1")
        states.append(await stage.state())
        stage.clock.forward(minutes=1)  # the longest jitter

    assert states == [State.READY, State.READY, State.DEAD]
    (delivery,) = (await stage.view()).deliveries
    assert delivery.last_code == "ack.overdue"


async def test_what_expires_is_dead_and_seen_in_the_figures(stage):
    expires = stage.clock.now() + _minutes(5)
    down = stage.clock.now() + _minutes(60)
    claim = await _one(stage, expires_at=expires)
    await stage.store.queue.settle(claim, TryAgain(at=down, code="http.503"), ())

    assert await stage.store.queue.sweep(worker="w1") == expires
    stage.clock.at = expires
    assert await stage.store.queue.sweep(worker="w1") is None

    assert await stage.state() is State.DEAD
    assert (await stage.trace())[-1] == "delivery.expired"
    figures = await stage.store.reader.figures()
    assert (figures["delivery.dead"], figures["delivery.expired"]) == (1, 1)


async def test_what_is_shown_in_the_postvak_is_not_overdue(stage):
    await stage.admit(1, deliveries=(stage.postvak(1),))
    await stage.store.postvak.take(
        gate=InForce(),
        party=VT,
        applicaties=("Zorgsysteem",),
        consumer="c",
        limit=1,
        lease=_minutes(1),
    )
    stage.clock.forward(hours=2)

    await stage.store.queue.sweep(worker="w1")

    assert await stage.state() is State.SENT


async def test_a_lost_attempt_that_may_have_arrived_and_has_no_copy_check_is_for_a_person(stage):
    claim = await _one(stage, duplicate_safe=False)
    await stage.seal(claim, b"digest")
    stage.silence("w1")

    await stage.store.queue.sweep(worker="w2")

    assert await stage.state() is State.UNKNOWN


async def test_a_success_that_comes_after_the_worker_was_given_up_counts(stage):
    claim = await _one(stage, duplicate_safe=False)
    await stage.seal(claim, b"digest")
    stage.silence("w1")
    await stage.store.queue.sweep(worker="w2")
    assert await stage.state() is State.UNKNOWN

    settled = await stage.store.queue.settle(claim, HandedOver(until=None), ())

    assert not settled
    assert await stage.state() is State.DELIVERED


async def test_a_lost_attempt_that_never_signed_never_left(stage):
    await _one(stage, duplicate_safe=False)
    stage.silence("w1")

    await stage.store.queue.sweep(worker="w2")

    assert await stage.state() is State.READY


async def test_a_lost_attempt_goes_again_where_a_copy_is_noticed_even_without_retries(stage):
    claim = await _one(stage, retries=0, retry_interval=timedelta(0))
    await stage.seal(claim, b"digest")
    stage.silence("w1")

    await stage.store.queue.sweep(worker="w2")

    assert await stage.state() is State.READY


async def test_without_a_copy_check_a_missing_acknowledgement_is_for_a_person(stage):
    claim = await _one(stage, duplicate_safe=False)
    await stage.store.queue.settle(claim, HandedOver(until=stage.clock.now()), ())

    await stage.store.queue.sweep(worker="w1")

    (delivery,) = (await stage.view()).deliveries
    assert (delivery.state, delivery.last_code) == (State.UNKNOWN, "ack.overdue")


async def test_overdue_deliveries_do_not_go_again_all_at_once(stage):
    await stage.admit_many(range(1, 9))
    due = stage.clock.now()
    for claim in await stage.claim():
        await stage.store.queue.settle(claim, HandedOver(until=due), ())

    await stage.store.queue.sweep(worker="w1")

    waits = [(await stage.view(n)).deliveries[0].next_at - due for n in range(1, 9)]
    assert all(_minutes(0) <= wait <= _minutes(1) for wait in waits)  # a tenth of the interval
    assert len(set(waits)) == len(waits)


async def test_our_own_trouble_spends_no_retry(stage):
    await stage.admit(1)
    for _ in range(5):
        (claim,) = await stage.claim()
        again = TryAgain(at=stage.clock.now(), code="store.failed", ours=True)
        await stage.store.queue.settle(claim, again, ())

    (claim,) = await stage.claim()

    assert (claim.attempt, claim.tries) == (6, 1)


async def test_a_worker_that_died_spends_no_retry(stage):
    await _one(stage)
    stage.silence("w1")
    await stage.store.queue.sweep(worker="w2")

    (claim,) = await stage.claim(worker="w2")

    assert (claim.attempt, claim.tries) == (2, 1)


async def test_claims_of_a_worker_that_retired_are_put_back_at_once(stage):
    await _one(stage)

    await stage.store.queue.retire(worker="w1")
    await stage.store.queue.sweep(worker="w2")

    assert await stage.state() is State.READY


@pytest.mark.parametrize("place", ["sqlite", "sqlite-inline"], indirect=True)
async def test_where_one_process_writes_claims_of_an_earlier_run_are_put_back_at_once(stage):
    await _one(stage)

    await stage.reopen()
    await stage.store.queue.heartbeat(worker="w1")
    await stage.store.queue.sweep(worker="w1")

    assert await stage.state() is State.READY


async def test_the_bell_rings_for_work(stage):
    assert not await stage.store.bell.wait(0.01)
    await stage.admit(1)
    assert await stage.store.bell.wait(0.01)
    await stage.claim()
    assert not await stage.store.bell.wait(0.01)


async def test_the_bell_rings_for_a_free_place_when_something_was_left(stage):
    await stage.admit_many(range(2))
    await stage.store.bell.wait(0.01)

    (first,) = await stage.claim(limit=1)
    await stage.store.queue.settle(first, HandedOver(until=None), ())
    assert await stage.store.bell.wait(0.01)

    (second,) = await stage.claim(limit=5)
    await stage.store.queue.settle(second, HandedOver(until=None), ())
    assert not await stage.store.bell.wait(0.01)


async def test_looking_for_work_that_is_not_there_commits_nothing(stage):
    await stage.store.queue.heartbeat(worker="w1")
    before = stage.store.counters()["commits"]

    for _ in range(5):
        await stage.store.queue.heartbeat(worker="w1")
        await stage.store.queue.sweep(worker="w1")
        await stage.claim()

    assert stage.store.counters()["commits"] == before


async def test_an_unknown_recipient_has_no_lane(stage):
    assert await stage.claim(suspended=frozenset({Oin("9")})) == ()


async def test_nothing_expires_by_a_clock_that_has_just_stepped(stage):
    """An end is for ever, and a clock that is an hour ahead would end all that waits."""
    await stage.admit(1, deliveries=(stage.delivery(1, expires_at=START + timedelta(minutes=50)),))
    await stage.store.queue.sweep(worker="w1")
    stage.clock.step(hours=1)

    await stage.store.queue.sweep(worker="w1")
    assert await stage.claim() == ()
    assert await stage.state() is State.READY

    stage.clock.forward(minutes=31)
    await stage.store.queue.sweep(worker="w1")
    assert await stage.state() is State.DEAD


async def test_a_clock_that_is_set_right_in_time_costs_nothing(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, expires_at=START + timedelta(minutes=50)),))
    await stage.store.queue.sweep(worker="w1")
    stage.clock.step(hours=1)
    await stage.store.queue.sweep(worker="w1")
    stage.clock.step(hours=-1)

    await stage.store.queue.sweep(worker="w1")

    assert [c.delivery for c in await stage.claim()] == ["d-1"]


async def test_a_row_that_can_not_be_read_keeps_nothing_else_from_leaving(stage):
    """Written by another program, or by hand: it waits, with an alarm, and is tried again."""
    await stage.admit_many((1, 2))
    stage.raw("UPDATE messages SET direction = 'anders' WHERE id = 'm-1'")

    claimed = [claim.delivery for claim in await stage.claim()]

    assert claimed == ["d-2"]
    assert await stage.claim() == ()
    (alarm,) = await stage.store.reader.alarms(limit=5)
    assert (alarm.code, alarm.subject) == ("delivery.unreadable", "d-1")
    stage.raw("UPDATE messages SET direction = 'in' WHERE id = 'm-1'")
    stage.clock.forward(minutes=2)
    assert [claim.delivery for claim in await stage.claim()] == ["d-1"]
