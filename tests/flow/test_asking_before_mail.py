"""Before a message goes on by e-mail its partner is asked whether he has it."""

from datetime import timedelta

import pytest

from gateway.errors import OutcomeUnknown, PeerUnreachable, PolicyViolation
from gateway.lifecycle import State
from gateway.message import MessageStatus
from gateway.pipeline import switching
from gateway.ports import Answer
from tests.flow import letters
from tests.flow.test_gate import FREE, melding
from tests.flow.test_getting_round import tamper
from tests.flow.test_mailing import SPOED, STANDS, alarms, hand_in, steps, stuck, view
from tests.flow.town import HUB, POLITIE

MESSAGE, QUESTION = b">vtMeldingDi01<", b">StatusRequest<"


@pytest.fixture
async def mailing(tmp_path):
    town, post = await letters.build(tmp_path)
    yield town, post
    await town.close()


def lost(town, *, arrives=True):
    """Meldingen of the police are taken by the hub, or not; nothing is heard of them."""

    async def half(me, endpoint, message):
        if me == POLITIE and MESSAGE in message.body:
            if arrives:
                await town.carry(me, endpoint.party, message)
            raise PeerUnreachable("peer.timeout", "nothing was heard")
        if me == HUB and b">Acknowledgment<" in message.body:
            raise PeerUnreachable("peer.timeout", "nothing was heard")

    town.breaks.insert(0, half)


def questions(town):
    return [message for a, _, message, _ in town.wire if a == POLITIE and QUESTION in message.body]


async def over_ebms(town, message):
    found = await view(town, message)
    (one,) = (d for d in found.deliveries if d.channel == "ebms2")
    return one


async def test_what_the_partner_has_does_not_go_by_mail(mailing):
    town, post = mailing
    lost(town)
    message = await hand_in(town)

    with pytest.raises(PolicyViolation) as caught:
        await town[POLITIE].gateway.switch_to_mail(message, **SPOED)

    assert caught.value.code == "mail.aangekomen"
    assert post.letters == []
    assert (await over_ebms(town, message)).state is State.READY
    found = await view(town, message)
    (asked,), (answered,) = (steps(found, f"enquiry.{name}") for name in ("asked", "answered"))
    assert asked.actor == SPOED["who"]
    assert answered.data["status"] == MessageStatus.RECEIVED


async def test_what_the_partner_does_not_know_goes_and_comes_once(mailing):
    town, post = mailing
    lost(town, arrives=False)
    message = await hand_in(town)

    switched = await town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    await town.settle()

    assert not switched.twice
    assert len(post.letters) == 1
    (told,) = steps(await view(town, message), "delivery.switched")
    assert (told.data["asked"], told.data["heard"]) == ("NotRecognized", "niet-bekend")


async def test_a_partner_that_gives_no_answer_does_not_keep_it_here(mailing):
    town, post = mailing
    message = await stuck(mailing)

    switched = await town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    await town.settle()

    assert switched.twice
    assert len(post.letters) == 1
    found = await view(town, message)
    (told,) = steps(found, "delivery.switched")
    assert (told.data["asked"], told.data["heard"]) == ("peer.unreachable", "geen-antwoord")
    assert [one.code for one in steps(found, "enquiry.silent")] == ["peer.unreachable"]


async def test_what_was_never_tried_is_not_asked_about(mailing):
    town, _ = mailing
    await stuck(mailing)
    police = town[POLITIE]
    second = melding().replace(b">ref-1<", b">ref-2<")
    receipt = await police.gateway.hand_in(second, FREE, police.backend)

    await police.gateway.switch_to_mail(receipt.id, **SPOED)

    found = await view(town, receipt.id)
    assert steps(found, "enquiry.asked") == []
    (told,) = steps(found, "delivery.switched")
    assert (told.data["asked"], told.data["twice"]) == ("", False)


async def test_what_may_not_go_is_not_asked_about_either(mailing):
    town, _ = mailing
    message = await hand_in(town)

    with pytest.raises(PolicyViolation):
        await town[POLITIE].gateway.switch_to_mail(message, **SPOED)

    assert questions(town) == []


@pytest.mark.parametrize("moved", ["acknowledged", "claimed"])
async def test_what_moves_while_it_is_asked_is_not_switched(mailing, moved):
    """The answer is about what stood then: an attempt of meanwhile may have brought it."""
    town, post = mailing
    lost(town, arrives=False)
    message = await hand_in(town)
    police = town[POLITIE]

    async def meanwhile(me, endpoint, sent):
        if me != POLITIE or QUESTION not in sent.body:
            return None
        town.breaks.remove(meanwhile)
        answer = await town.carry(me, endpoint.party, sent)
        town.clock.forward(minutes=5)
        if moved == "acknowledged":
            town.breaks.clear()
            await police.worker.step()
            await town[HUB].worker.step()
        else:
            assert await police.worker._claim(1, sure=True)
        return answer

    town.breaks.insert(0, meanwhile)

    with pytest.raises(PolicyViolation) as caught:
        await police.gateway.switch_to_mail(message, **SPOED)

    assert caught.value.code == "mail.onderweg"
    assert post.letters == []
    wanted = {"acknowledged": State.DELIVERED, "claimed": State.CLAIMED}[moved]
    assert (await over_ebms(town, message)).state is wanted


async def test_on_a_standing_ground_a_person_hears_of_what_the_partner_has(mailing):
    town, post = mailing
    await letters.set_up(town, spoed=(STANDS,))
    lost(town)
    message = await hand_in(town)

    for _ in range(3):
        await town[POLITIE].gateway.switch_standing()

    assert post.letters == []
    assert (await over_ebms(town, message)).state is State.READY
    assert ("delivery.there", "mail.aangekomen") in await alarms(town)
    assert len(questions(town)) == 1


async def test_what_stays_here_does_not_stand_before_what_is_newer(mailing, monkeypatch):
    """Of as many as are read at once, the partner says to have them."""
    monkeypatch.setattr(switching, "PAGE", 1)
    town, _ = mailing
    await letters.set_up(town, spoed=(STANDS,))
    lost(town)
    await hand_in(town)
    newer = await hand_in_another(town, "ref-2")

    assert await town[POLITIE].gateway.switch_standing() == 1

    assert steps(await view(town, newer), "delivery.switched")


async def test_a_round_lets_no_more_go_than_it_reads_at_once(mailing, monkeypatch):
    """Alarms wait for the end of it; what is left goes in the next."""
    monkeypatch.setattr(switching, "PAGE", 1)
    town, _ = mailing
    await letters.set_up(town, spoed=(STANDS,))
    await stuck(mailing)
    await hand_in_another(town, "ref-2")

    assert [await town[POLITIE].gateway.switch_standing() for _ in range(3)] == [1, 1, 0]


async def test_what_can_not_be_read_does_not_stand_before_what_is_newer(mailing, tmp_path):
    town, _ = mailing
    await letters.set_up(town, spoed=(STANDS,))
    await stuck(mailing)
    tamper(tmp_path, "UPDATE payload_chunks SET octets = x'00'")
    newer = await hand_in_another(town, "ref-2")

    assert await town[POLITIE].gateway.switch_standing() == 1

    assert steps(await view(town, newer), "delivery.switched")


async def hand_in_another(town, reference):
    police = town[POLITIE]
    octets = melding().replace(b"ref-1", reference.encode())
    receipt = await police.gateway.hand_in(octets, FREE, police.backend)
    await town.settle()
    return receipt.id


async def test_a_partner_that_is_silent_is_asked_once_in_a_round(mailing):
    town, post = mailing
    await letters.set_up(town, spoed=(STANDS,))
    message = await stuck(mailing)
    asked = []

    async def counts(me, _endpoint, sent):
        if me == POLITIE and QUESTION in sent.body:
            asked.append(sent)
            raise OutcomeUnknown("answer.lost", "x")

    town.breaks.append(counts)
    found = await town[POLITIE].store.switches.standing(message)

    async def twice(*_given, after, **_named):
        return () if after else (found, found)

    town[POLITIE].gateway._house.switches.stuck = twice
    await town[POLITIE].gateway.switch_standing()

    assert len(asked) == 1
    assert steps(await view(town, message), "delivery.switched")
    assert post.letters == []


async def test_a_question_is_waited_for_no_longer_than_the_patience(tmp_path):
    town, _ = await letters.build(tmp_path, patience=timedelta(milliseconds=20))
    lost(town, arrives=False)
    message = await hand_in(town)

    async def deaf(me, _endpoint, sent):
        return Answer(status=204) if me == POLITIE and QUESTION in sent.body else None

    town.breaks.insert(0, deaf)

    switched = await town[POLITIE].gateway.switch_to_mail(message, **SPOED)

    assert switched.twice
    (told,) = steps(await view(town, message), "delivery.switched")
    assert told.data["asked"] == "answer.timeout"
    await town.close()
