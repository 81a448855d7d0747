"""Letters in the queue, and how a message comes to be one, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import PolicyViolation, StaleSnapshot
from gateway.lifecycle import State
from gateway.message import Stuurgegevens
from gateway.ports import (
    DeliveryChannel,
    Direction,
    Ends,
    GaveUp,
    HandedOver,
    SignalOutcome,
    SignalReceived,
    TryAgain,
)
from gateway.ports.mail import ConfirmLink
from gateway.ports.receipts import KnownAs
from gateway.rules.approval import Ground
from gateway.store.links import BY_LINK
from tests.store.stage import CPA, POLITIE, VT, event, stuurgegevens
from tests.store.test_store_toets import Desk

APPROVAL = "T-2026"
KNOWN_AS = KnownAs(reference="ab" * 32, mail="m-1@gateway.example")


def letter(stage, n=1, **changes):
    mail = {
        "id": f"l-{n}",
        "channel": DeliveryChannel.MAIL,
        "cpa_id": "",
        "service": "",
        "action": "",
        "duplicate_safe": False,
    }
    return stage.delivery(n, **(mail | changes))


async def claimed(stage):
    await stage.admit(deliveries=(letter(stage),))
    (claim,) = await stage.claim()
    return claim


def leaves(stage):
    return event("mail.sealed", stage.clock.now(), message="m-1", delivery="l-1")


async def standing(stage):
    found = await stage.store.switches.standing("m-1")
    assert found is not None
    return found


async def switched(stage, **changes):
    """Switch a message that stands over the agreed route as it was seen."""
    seen = await standing(stage)
    told = event("delivery.switched", stage.clock.now(), message="m-1", delivery=seen.delivery)
    made = letter(stage, payload_sha256=seen.payload_sha256, twice=True, **changes)
    return await stage.store.switches.switch(seen, made, told)


async def states(stage):
    return [d.state for d in (await stage.view()).deliveries]


async def test_a_letter_is_claimed_in_a_lane_of_its_own(stage):
    await stage.admit(deliveries=(letter(stage), stage.delivery()))
    (first, second) = await stage.claim()

    await stage.store.queue.settle(
        first, TryAgain(at=stage.clock.now() + timedelta(minutes=15), code="x", down=True), ()
    )

    assert {first.channel, second.channel} == {DeliveryChannel.MAIL, DeliveryChannel.EBMS2}
    down = {lane.channel for lane in await stage.store.overview.lanes() if lane.down_since}
    assert down == {str(first.channel)}


async def test_a_worker_that_died_before_the_letter_could_leave_is_taken_over(stage):
    await claimed(stage)

    stage.silence("w1")
    await stage.store.queue.sweep(worker="w2")

    assert await stage.state() is State.READY


async def test_a_worker_that_died_while_the_letter_could_leave_leaves_it_to_a_person(stage):
    claim = await claimed(stage)
    await stage.store.queue.posting(claim, KNOWN_AS, leaves(stage))

    stage.silence("w1")
    await stage.store.queue.sweep(worker="w2")

    assert await stage.state() is State.UNKNOWN
    assert "mail.sealed" in await stage.trace()


async def test_an_attempt_that_certainly_failed_is_no_doubt_for_the_next_one(stage):
    claim = await claimed(stage)
    await stage.store.queue.posting(claim, KNOWN_AS, leaves(stage))
    await stage.store.queue.settle(claim, TryAgain(at=stage.clock.now(), code="smtp.deferred"), ())
    await stage.claim()

    stage.silence("w1")
    await stage.store.queue.sweep(worker="w2")

    assert await stage.state() is State.READY


async def test_who_lost_the_claim_lets_nothing_leave(stage):
    claim = await claimed(stage)
    await stage.store.queue.settle(claim, TryAgain(at=stage.clock.now(), code="x"), ())
    await stage.claim()

    with pytest.raises(StaleSnapshot) as caught:
        await stage.store.queue.posting(claim, KNOWN_AS, leaves(stage))

    assert caught.value.code == "claim.lost"


@pytest.mark.parametrize(
    ("ends", "ground"), [(Ends.APPROVAL, Ground.STANDING), (Ends.RULING, Ground.INDIVIDUAL)]
)
async def test_what_is_taken_back_while_the_transport_is_proved_does_not_leave(stage, ends, ground):
    desk = Desk(stage)
    if ends is Ends.RULING:
        await desk.decide(await desk.hold(channel=DeliveryChannel.MAIL, duplicate_safe=False))
    else:
        await stage.admit(deliveries=(letter(stage, approval_id=APPROVAL),))
    (claim,) = await stage.claim(approvals=(APPROVAL,))
    assert (claim.ground, claim.channel) == (ground, DeliveryChannel.MAIL)

    await desk.withdraw(claim.approval_id, ends=ends, late=True)

    with pytest.raises(StaleSnapshot):
        await stage.store.queue.posting(claim, KNOWN_AS, leaves(stage))


async def test_a_letter_without_a_receipt_is_never_sent_again_by_itself(stage):
    claim = await claimed(stage)
    until = stage.clock.now() + timedelta(hours=4)
    await stage.store.queue.settle(claim, HandedOver(until=until), ())

    stage.clock.forward(hours=5)
    await stage.store.queue.sweep(worker="w1")

    assert await stage.state() is State.UNKNOWN
    assert await stage.claim() == ()


# --- the link in it -------------------------------------------------------------------


DIGEST = "d" * 64


async def linked(stage, *, until=timedelta(days=14), **changes):
    """Let a letter leave that has a link in it."""
    claim = await claimed(stage)
    made = {
        "digest": DIGEST,
        "delivery": claim.delivery,
        "recipient": claim.recipient,
        "until": stage.clock.now() + until,
    }
    link = ConfirmLink(**(made | changes))
    await stage.store.queue.posting(claim, KNOWN_AS, leaves(stage), link)
    handed = HandedOver(until=stage.clock.now() + timedelta(hours=4))
    await stage.store.queue.settle(claim, handed, ())
    return claim


async def test_a_link_closes_its_letter_once(stage):
    await linked(stage)

    assert await stage.store.links.confirm(DIGEST)
    assert not await stage.store.links.confirm(DIGEST)

    assert await stage.state() is State.DELIVERED
    (receipt,) = [r.event for r in (await stage.view()).trace if r.event.event == "mail.receipt"]
    assert (receipt.data["kind"], receipt.party) == (BY_LINK, VT)


async def test_a_link_settles_a_letter_that_a_person_would_have_to_ask_about(stage):
    await linked(stage)
    stage.clock.forward(hours=5)
    await stage.store.queue.sweep(worker="w1")
    assert await stage.state() is State.UNKNOWN

    assert await stage.store.links.confirm(DIGEST)

    assert await stage.state() is State.DELIVERED


@pytest.mark.parametrize(
    ("digest", "changes"),
    [
        ("e" * 64, {}),
        (DIGEST, {"until": timedelta(hours=-1)}),
        (DIGEST, {"recipient": POLITIE}),
    ],
    ids=["none", "over", "of another"],
)
async def test_a_link_that_is_none_or_over_or_of_another_closes_nothing(stage, digest, changes):
    await linked(stage, **changes)

    assert not await stage.store.links.confirm(digest)

    assert await stage.state() is State.SENT


async def test_of_two_who_follow_a_link_at_once_one_confirms(stage):
    await linked(stage)

    confirmed = [stage.store.links.confirm(DIGEST) for _ in range(4)]

    assert sorted(await asyncio.gather(*confirmed)) == [False, False, False, True]


async def test_links_that_are_over_go_with_the_next_that_is_made(stage):
    await linked(stage, until=timedelta(hours=1))
    await stage.admit(2, deliveries=(letter(stage, 2),))
    (claim,) = await stage.claim()
    stage.clock.forward(hours=2)
    link = ConfirmLink(
        digest="e" * 64, delivery="l-2", recipient=VT, until=stage.clock.now() + timedelta(days=1)
    )

    known_as = replace(KNOWN_AS, reference="cd" * 32)

    await stage.store.queue.posting(claim, known_as, leaves(stage), link)

    assert stage.rows("SELECT digest FROM mail_links") == [("e" * 64,)]


# --- from the agreed route ------------------------------------------------------------


async def test_a_switch_ends_the_one_and_adds_the_other_in_one_commit(stage):
    await stage.admit()
    (claim,) = await stage.claim()
    await stage.store.queue.settle(claim, TryAgain(at=stage.clock.now(), code="x", down=True), ())
    seen = await standing(stage)
    assert (seen.state, seen.attempts, seen.down) == (State.READY, 1, True)

    assert await switched(stage)

    assert await states(stage) == [State.REPLACED, State.READY]
    (letter_claim,) = await stage.claim()
    assert (letter_claim.delivery, letter_claim.twice) == ("l-1", True)
    assert letter_claim.attempt == 2  # what was tried before counts as tried


async def test_a_letter_that_is_held_again_has_reasons_and_deadline_of_the_message(stage):
    desk = Desk(stage)
    hold = await desk.hold()
    await desk.decide(hold)
    seen = await standing(stage)
    assert await switched(
        stage, ground=seen.ground, approval_id=seen.approval_id, table_version="T-1"
    )

    await desk.withdraw(seen.approval_id)

    assert await states(stage) == [State.REPLACED, State.HELD]
    again = await stage.store.holds.find("l-1-0")
    assert (again.reasons, again.deadline) == (hold.reasons, hold.deadline)


async def test_what_moved_meanwhile_is_not_switched(stage):
    await stage.admit()
    seen = await standing(stage)
    await stage.claim()
    made, told = letter(stage), event("delivery.switched", stage.clock.now())

    assert not await stage.store.switches.switch(seen, made, told)
    assert await states(stage) == [State.CLAIMED]


@pytest.mark.parametrize("what", ["ground", "approval_id", "table_version", "payload_sha256"])
async def test_what_stands_on_something_else_by_now_is_not_switched(stage, what):
    """It can be held and decided on meanwhile, which changes neither its state nor its fence."""
    await stage.admit()
    seen = replace(await standing(stage), **{what: "another"})
    told = event("delivery.switched", stage.clock.now(), message="m-1", delivery="d-1")

    assert not await stage.store.switches.switch(seen, letter(stage), told)
    assert await states(stage) == [State.READY]


async def test_of_two_who_switch_at_the_same_moment_one_does(stage):
    await stage.admit()
    seen = await standing(stage)
    told = event("delivery.switched", stage.clock.now(), message="m-1", delivery="d-1")

    done = await asyncio.gather(
        *(
            stage.store.switches.switch(seen, replace(letter(stage), id=f"l-{n}"), told)
            for n in (1, 2)
        )
    )

    assert sorted(done) == [False, True]
    assert await states(stage) == [State.REPLACED, State.READY]


async def test_a_sender_who_was_told_that_it_did_not_arrive_is_not_contradicted(stage):
    await stage.admit()
    (claim,) = await stage.claim()
    await stage.store.queue.settle(claim, GaveUp(code="http.404"), ())
    (owed,) = await stage.store.undeliverable.owed(limit=10)
    answer = await stage.admission(2, direction=Direction.OWN, deliveries=())
    assert await stage.store.undeliverable.tell(owed.delivery, answer)

    with pytest.raises(PolicyViolation) as caught:
        await switched(stage)

    assert caught.value.code == "mail.verteld"
    assert await states(stage) == [State.DEAD]


async def test_a_sender_who_was_not_told_yet_is_owed_nothing_any_more(stage):
    await stage.admit()
    (claim,) = await stage.claim()
    await stage.store.queue.settle(claim, GaveUp(code="http.404"), ())

    assert await switched(stage)

    assert await stage.store.undeliverable.owed(limit=10) == ()
    assert {a.code for a in await stage.store.reader.alarms(limit=10)} == set()


def acknowledged(stage):
    return SignalReceived(
        party=VT,
        cpa_id=CPA,
        message_id="ack-1",
        ref_to_message_id="bericht-1@politie.test",
        at=stage.clock.now(),
    )


async def sent_then_switched(stage):
    await stage.admit()
    (claim,) = await stage.claim()
    until = stage.clock.now() + timedelta(minutes=10)
    await stage.store.queue.settle(claim, HandedOver(until=until), ())
    assert await switched(stage)


async def test_a_late_acknowledgement_keeps_a_letter_here_that_did_not_leave(stage):
    await sent_then_switched(stage)

    outcome = await stage.store.signals.receive(acknowledged(stage))

    assert outcome is SignalOutcome.MATCHED
    assert await states(stage) == [State.DELIVERED, State.REPLACED]
    assert await stage.claim() == ()


async def test_a_late_acknowledgement_of_what_went_by_mail_too_is_told_to_a_person(stage):
    await sent_then_switched(stage)
    await stage.claim()

    await stage.store.signals.receive(acknowledged(stage))

    assert await states(stage) == [State.DELIVERED, State.CLAIMED]
    assert [a.code for a in await stage.store.reader.alarms(limit=10)] == ["delivery.twice"]


# --- what closes it -------------------------------------------------------------------


def answer_of(party) -> Stuurgegevens:
    given = stuurgegevens(9)
    zender = replace(given.zender, organisatie=party)
    return replace(given, zender=zender, berichtcode="Bv01", cross_refnummer="ref-1")


@pytest.mark.parametrize(("party", "closes"), [(VT, True), (POLITIE, False)])
async def test_an_answer_of_the_receiver_closes_the_letter_and_of_nobody_else(stage, party, closes):
    claim = await claimed(stage)
    until = stage.clock.now() + timedelta(hours=4)
    await stage.store.queue.settle(claim, HandedOver(until=until), ())
    answer = await stage.admission(
        9, kind="Bv01Bericht", deliveries=(), party=party, stuurgegevens=answer_of(party)
    )

    await stage.store.inbox.admit(replace(answer, answers="m-1"))

    assert await stage.state() is (State.DELIVERED if closes else State.SENT)
