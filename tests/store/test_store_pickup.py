"""What waits at the portal, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.directory import InForce
from gateway.lifecycle import State
from gateway.ports import Ends, GaveUp, HandedOver
from gateway.ports.receipts import KnownAs
from gateway.store.pickup import AT_PORTAL_BY
from tests.store.stage import POLITIE, VT, event, stuurgegevens
from tests.store.test_store_mail import APPROVAL, DeliveryChannel, Desk, letter

GATE = InForce(approvals=frozenset({APPROVAL}), table="T-1")


async def put(stage, n=1, *, approval="", party=VT, told="portal.notice"):
    """Let the mail of a letter leave; return what then waits."""
    changes = {"approval_id": approval} if approval else {}
    data = replace(stuurgegevens(n), ontvanger=replace(stuurgegevens(n).ontvanger, organisatie=VT))
    made = letter(stage, n, recipient=party, **changes)
    await stage.admit(n, deliveries=(made,), stuurgegevens=data)
    (claim,) = await stage.claim(approvals=(APPROVAL,))
    await handed(stage, claim, told=told)
    return await stage.store.pickup.find(f"l-{n}", party=VT)


async def handed(stage, claim, *, told="portal.notice"):
    told_of = event(told, stage.clock.now(), message=claim.message.id, delivery=claim.delivery)
    known_as = KnownAs(reference=claim.delivery.rjust(64, "0"), mail="m@x")
    await stage.store.queue.posting(claim, known_as, told_of)
    until = stage.clock.now() + timedelta(hours=4)
    await stage.store.queue.settle(claim, HandedOver(until=until), ())


def looked(stage, name="portal.read"):
    return event(name, stage.clock.now(), message="m-1", delivery="l-1", actor="rie", party=VT)


async def test_what_a_mail_told_of_is_there_for_its_party_only(stage):
    seen = await put(stage)

    assert seen.state is State.SENT
    assert [one.delivery for one in await stage.store.pickup.ready(VT, limit=9)] == ["l-1"]
    assert await stage.store.pickup.find("l-1", party=POLITIE) is None
    assert await stage.store.pickup.ready(POLITIE, limit=9) == ()


async def test_what_was_confirmed_stands_behind_what_waits(stage):
    await put(stage)
    newer = await put(stage, 2)
    await put(stage, 3)
    await stage.store.pickup.confirm(newer, who="rie")

    found = await stage.store.pickup.ready(VT, limit=9)

    assert [one.delivery for one in found] == ["l-3", "l-1", "l-2"]


async def test_a_letter_to_another_party_than_that_of_the_message_is_not_there(stage):
    """A row can be edited: who collects, and for whom the message is, must be the same."""
    await put(stage, party=POLITIE)

    assert await stage.store.pickup.find("l-1", party=POLITIE) is None
    assert await stage.store.pickup.find("l-1", party=VT) is None


async def test_what_left_in_a_mail_does_not_wait_here(stage):
    assert await put(stage, told="mail.sealed") is None
    assert await stage.store.pickup.ready(VT, limit=9) == ()


async def test_what_no_mail_told_of_yet_is_not_there(stage):
    await stage.admit(deliveries=(letter(stage),))
    assert await stage.store.pickup.find("l-1", party=VT) is None

    await stage.claim()

    assert await stage.store.pickup.find("l-1", party=VT) is None


async def test_what_was_given_up_is_not_there(stage):
    await stage.admit(deliveries=(letter(stage),))
    (claim,) = await stage.claim()
    await stage.store.queue.settle(claim, GaveUp(code="x"), ())

    assert await stage.store.pickup.find("l-1", party=VT) is None


async def test_what_goes_over_ebms_is_not_there(stage):
    await stage.admit()
    (claim,) = await stage.claim()
    await handed(stage, claim)

    assert await stage.store.pickup.ready(VT, limit=9) == ()


async def test_nobody_is_shown_anything_before_it_is_written_down(stage):
    seen = await put(stage)

    assert await stage.store.pickup.show(seen, looked(stage), GATE)

    (row,) = [r for r in (await stage.view()).trace if r.event.event == "portal.read"]
    assert (row.event.actor, row.event.party) == ("rie", VT)
    assert await stage.state() is State.SENT


async def test_what_moved_since_it_was_seen_is_not_shown(stage):
    seen = await put(stage)
    stage.clock.forward(hours=5)
    await stage.store.queue.sweep(worker="w1")
    assert await stage.state() is State.UNKNOWN

    assert not await stage.store.pickup.show(seen, looked(stage), GATE)

    again = await stage.store.pickup.find("l-1", party=VT)
    assert await stage.store.pickup.show(again, looked(stage), GATE)


@pytest.mark.parametrize("ends", [Ends.APPROVAL, Ends.RULING])
async def test_what_the_om_took_back_is_not_there_any_more(stage, ends):
    desk = Desk(stage)
    if ends is Ends.RULING:
        await desk.decide(await desk.hold(channel=DeliveryChannel.MAIL, duplicate_safe=False))
        (claim,) = await stage.claim()
        await handed(stage, claim)
        id_, ground = "d-1", claim.approval_id
    else:
        await put(stage, approval=APPROVAL)
        id_, ground = "l-1", APPROVAL
    seen = await stage.store.pickup.find(id_, party=VT)
    assert seen is not None
    assert (seen.decision is not None) is (ends is Ends.RULING)

    await desk.withdraw(ground, ends=ends, late=True)

    assert await stage.store.pickup.find(id_, party=VT) is None
    assert not await stage.store.pickup.show(seen, looked(stage), GATE)
    assert not await stage.store.pickup.confirm(seen, who="rie")


async def test_an_approval_that_is_not_in_force_shows_nothing(stage):
    seen = await put(stage, approval=APPROVAL)

    assert not await stage.store.pickup.show(seen, looked(stage), InForce())


async def test_who_has_it_says_so_and_it_is_delivered(stage):
    seen = await put(stage)

    assert await stage.store.pickup.confirm(seen, who="rie")

    assert await stage.state() is State.DELIVERED
    (receipt,) = [r.event for r in (await stage.view()).trace if r.event.event == "mail.receipt"]
    assert (receipt.actor, receipt.data["kind"]) == ("rie", AT_PORTAL_BY)
    again = await stage.store.pickup.find("l-1", party=VT)
    assert again.fetched
    assert await stage.store.pickup.confirm(again, who="rie")
    assert (await stage.trace()).count("mail.receipt") == 1
