"""What ends badly: an alarm, a debt to the sender, and a person who decides."""

import asyncio

import pytest

from gateway.errors import NoRoute, PolicyViolation
from gateway.lifecycle import State
from gateway.ports import (
    Direction,
    GaveUp,
    HandedOver,
    LostTrack,
    SignalReceived,
)
from tests.store.stage import CPA, VT


async def _claimed(stage, **changes):
    await stage.admit(1, **changes)
    (claim,) = await stage.claim()
    await stage.seal(claim, b"digest")
    return claim


async def _ended(stage, outcome, **changes):
    claim = await _claimed(stage, **changes)
    await stage.store.queue.settle(claim, outcome, ())
    return claim


async def _alarms(stage):
    return sorted((a.code, a.subject) for a in await stage.store.reader.alarms(limit=50))


async def _owed(stage):
    return [debt.delivery for debt in await stage.store.undeliverable.owed(limit=10)]


async def _signal(stage, error=""):
    return await stage.store.signals.receive(
        SignalReceived(
            party=VT,
            cpa_id=CPA,
            message_id="signal",
            ref_to_message_id="bericht-1@politie.test",
            at=stage.clock.now(),
            error=error,
        )
    )


async def _fo01(stage, n=9):
    return await stage.admission(
        n, deliveries=(), direction=Direction.OWN, kind="Fo01Bericht", cpa_id="cpa-fo01"
    )


async def _everything(stage):
    return [row.event.event for row in await stage.store.reader.audit(after=0, limit=500)]


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (GaveUp(code="http.404"), "delivery.dead"),
        (LostTrack(code="answer.lost"), "delivery.unknown"),
        (GaveUp(code="payload.tampered"), "payload.unreadable"),
        (GaveUp(code="epoch_key.destroyed"), "payload.unreadable"),
    ],
)
async def test_a_bad_end_raises_its_alarm_once_in_the_same_commit(stage, outcome, code):
    await _ended(stage, outcome)

    (alarm,) = await stage.store.reader.alarms(limit=10)
    assert (alarm.code, alarm.subject, alarm.party) == (code, "d-1", VT)
    assert (alarm.message, alarm.reason, alarm.times) == ("m-1", outcome.code, 1)
    assert (await _everything(stage)).count("alarm.raised") == 1
    assert (await stage.store.reader.figures())[f"alarm.{code}"] == 1


async def test_a_good_end_raises_none_and_owes_nothing(stage):
    await _ended(stage, HandedOver(until=None))

    assert (await _alarms(stage), await _owed(stage)) == ([], [])


async def test_a_message_error_of_the_partner_is_an_alarm_and_a_debt(stage):
    await _ended(stage, HandedOver(until=stage.clock.now()))

    await _signal(stage, error="SecurityFailure")

    assert await _alarms(stage) == [("delivery.refused", "d-1")]
    assert await _owed(stage) == ["d-1"]


async def test_a_refusal_by_a_back_end_is_neither(stage):
    await stage.admit(1, deliveries=(stage.postvak(1),))

    await stage.show()
    await stage.store.postvak.close("d-1", party=VT, refused=True, answer=None, events=())

    assert (await _alarms(stage), await _owed(stage)) == ([], [])


@pytest.mark.parametrize(
    ("changes", "owed"),
    [
        ({}, ["d-1"]),
        ({"direction": Direction.OUTBOUND}, []),
        ({"direction": Direction.OWN, "kind": "Bv01Bericht"}, []),
        ({"kind": "Bv01Bericht"}, []),
        ({"kind": "Fo01Bericht"}, []),
    ],
)
async def test_only_a_partner_whose_message_is_no_answer_is_owed_a_fo01(stage, changes, owed):
    await _ended(stage, GaveUp(code="http.404"), **changes)

    assert await _owed(stage) == owed
    assert await _alarms(stage) == [("delivery.dead", "d-1")]


async def test_a_debt_is_paid_once(stage):
    await _ended(stage, GaveUp(code="http.404"))

    told = [await stage.store.undeliverable.tell("d-1", await _fo01(stage, n)) for n in (8, 9)]

    assert told == [True, False]
    assert await _owed(stage) == []
    assert await stage.store.reader.message("m-8") is not None
    assert await stage.store.reader.message("m-9") is None


async def test_of_two_processes_that_pay_at_once_one_does(stage):
    await _ended(stage, GaveUp(code="http.404"))
    answers = [await _fo01(stage, n) for n in (6, 7, 8, 9)]

    told = await asyncio.gather(
        *(stage.store.undeliverable.tell("d-1", answer) for answer in answers)
    )

    assert sorted(told) == [False, False, False, True]
    there = [await stage.store.reader.message(f"m-{n}") for n in (6, 7, 8, 9)]
    assert sum(one is not None for one in there) == 1


async def test_debts_are_read_in_pages(stage):
    await stage.admit_many(range(1, 6))
    for claim in await stage.claim():
        await stage.store.queue.settle(claim, GaveUp(code="http.404"), ())
    found, last = [], None

    while page := await stage.store.undeliverable.owed(after=last, limit=2):
        found.append([debt.delivery for debt in page])
        last = page[-1]

    assert found == [["d-1", "d-2"], ["d-3", "d-4"], ["d-5"]]


async def test_a_debt_stands_after_a_restart(stage):
    await _ended(stage, GaveUp(code="http.404"))

    await stage.reopen()

    assert await _owed(stage) == ["d-1"]


async def test_a_confirmation_before_the_fo01_withdraws_it_and_its_alarm(stage):
    await _ended(stage, GaveUp(code="http.404"))

    await _signal(stage)

    assert await stage.state() is State.DELIVERED
    assert (await _alarms(stage), await _owed(stage)) == ([], [])
    assert not await stage.store.undeliverable.tell("d-1", await _fo01(stage))
    assert (await stage.trace())[-1] == "undeliverable.withdrawn"


async def test_a_confirmation_after_the_fo01_is_for_a_person(stage):
    await _ended(stage, GaveUp(code="http.404"))
    await stage.store.undeliverable.tell("d-1", await _fo01(stage))

    await _signal(stage)

    assert await stage.state() is State.DELIVERED
    assert await _alarms(stage) == [("delivery.late", "d-1")]
    assert (await stage.trace())[-1] == "undeliverable.contradicted"


async def test_signals_that_are_given_up_trouble_nobody(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, kind="signaal"),))
    (claim,) = await stage.claim()

    await stage.store.queue.settle(claim, GaveUp(code="http.404"), ())

    assert await stage.state() is State.DEAD
    assert (await _alarms(stage), await _owed(stage)) == ([], [])


# --- a person decides -----------------------------------------------------------------


@pytest.mark.parametrize("id_", ["d-1", "m-1"])
async def test_what_is_unknown_can_be_sent_again_with_all_its_tries(stage, id_):
    await _ended(stage, LostTrack(code="answer.lost"))

    decided = await stage.store.decisions.resume(id_, who="jansen", why="niet ontvangen")

    assert (decided.delivery, decided.message, decided.state) == ("d-1", "m-1", State.READY)
    assert await _alarms(stage) == []
    (claim,) = await stage.claim()
    assert claim.tries == 1
    resumed = next(r.event for r in (await stage.view()).trace if r.event.event.endswith("resumed"))
    assert (resumed.actor, resumed.data["reason"]) == ("jansen", "niet ontvangen")


async def test_a_second_loss_is_the_second_time(stage):
    await _ended(stage, LostTrack(code="answer.lost"))
    await stage.store.decisions.resume("d-1", who="jansen", why="nog eens")
    (claim,) = await stage.claim()

    await stage.store.queue.settle(claim, LostTrack(code="answer.lost"), ())

    (alarm,) = await stage.store.reader.alarms(limit=10)
    assert (alarm.code, alarm.times) == ("delivery.unknown", 2)


async def test_what_is_unknown_can_be_given_up_and_the_sender_is_told(stage):
    await _ended(stage, LostTrack(code="answer.lost"))

    await stage.store.decisions.stop("m-1", who="jansen", why="ontvanger zegt nee")

    assert await stage.state() is State.DEAD
    assert (await _alarms(stage), await _owed(stage)) == ([], ["d-1"])


async def _held(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, state=State.HELD),))


async def _ready(stage):
    await stage.admit(1)


async def _sent(stage):
    await _ended(stage, HandedOver(until=stage.clock.now()))


@pytest.mark.parametrize("begin", [_held, _ready, _sent])
async def test_what_is_open_and_not_under_way_can_be_given_up(stage, begin):
    await begin(stage)

    await stage.store.decisions.stop("d-1", who="jansen", why="ingetrokken")

    assert await stage.state() is State.DEAD


async def _delivered(stage):
    await _ended(stage, HandedOver(until=None))


async def _dead(stage):
    await _ended(stage, GaveUp(code="http.404"))


@pytest.mark.parametrize("begin", [_claimed, _delivered, _dead])
@pytest.mark.parametrize("decision", ["resume", "stop"])
async def test_what_is_under_way_or_ended_is_nobodys_to_decide(stage, begin, decision):
    await begin(stage)
    before = await stage.state()

    with pytest.raises(PolicyViolation) as caught:
        await getattr(stage.store.decisions, decision)("d-1", who="jansen", why="zomaar")

    assert caught.value.code == "decision.state"
    assert await stage.state() is before


async def test_what_waits_by_itself_is_not_resumed(stage):
    await _held(stage)

    with pytest.raises(PolicyViolation) as caught:
        await stage.store.decisions.resume("d-1", who="jansen", why="haast")

    assert (caught.value.code, await stage.state()) == ("decision.state", State.HELD)


async def test_a_late_success_spares_a_person_the_decision(stage):
    claim = await _claimed(stage, deliveries=(stage.delivery(1, duplicate_safe=False),))
    stage.silence("w1")
    await stage.store.queue.sweep(worker="w2")
    assert await stage.state() is State.UNKNOWN

    await stage.store.queue.settle(claim, HandedOver(until=None), ())

    assert (await stage.state(), await _alarms(stage)) == (State.DELIVERED, [])


async def test_after_its_lifetime_nothing_is_sent_again(stage):
    expires = stage.clock.now()
    delivery = stage.delivery(1, expires_at=expires.replace(hour=expires.hour + 1))
    await _ended(stage, LostTrack(code="answer.lost"), deliveries=(delivery,))
    stage.clock.forward(hours=1)

    with pytest.raises(PolicyViolation) as caught:
        await stage.store.decisions.resume("d-1", who="jansen", why="te laat")

    assert caught.value.code == "decision.expired"


async def test_what_lies_in_a_postvak_is_for_its_back_end(stage):
    await stage.admit(1, deliveries=(stage.postvak(1),))

    with pytest.raises(NoRoute) as caught:
        await stage.store.decisions.stop("d-1", who="jansen", why="weg")

    assert caught.value.code == "bericht.onvindbaar"
