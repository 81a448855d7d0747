"""Ping and StatusRequest between two gateways, and what a hostile partner makes of them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.directory import MSH_SERVICE, SyncReply
from gateway.errors import NoRoute, OutcomeUnknown, PeerUnreachable, PolicyViolation
from gateway.lifecycle import State
from gateway.message import (
    ErrorList,
    Header,
    MessageStatus,
    MshAnswer,
    MshRequest,
    PartyRef,
)
from gateway.pipeline import serving
from gateway.ports import Answer
from gateway.security import seal
from gateway.wire.ebms2 import services, signals
from gateway.wire.ebms2.header import read
from tests.flow import bad_input as bad
from tests.flow.test_melding import hand_in, melding, waiting
from tests.flow.test_reliable import breaking, failing, make, sent, town_of
from tests.flow.town import HUB, POLITIE, VT, leaf
from tests.sealing import Keys

__all__ = ["make"]
WHO = "o.operator"
SYNC = SyncReply.SIGNALS
NOTHING = Answer(status=204)


async def deaf(_message):
    return NOTHING


@pytest.fixture
async def town(tmp_path):
    made = await town_of(tmp_path)
    yield made
    await made.close()


def header_of(town, sender=POLITIE, receiver=HUB, **changes):
    agreed = bad.agreement(POLITIE if HUB in {sender, receiver} else sender)
    base = Header(
        sender=PartyRef(sender),
        receiver=PartyRef(receiver),
        cpa_id=agreed.cpa_id,
        conversation_id="gesprek-1",
        service=MSH_SERVICE,
        action="Ping",
        message_id="vraag-1@politie.example",
        timestamp=town.clock.now(),
    )
    return replace(base, **changes)


def signed(envelope, by=POLITIE):
    plain = bad.agreement(POLITIE).signals[POLITIE].signing
    if by is None:
        return seal.wire_signal(seal.sign_signal(envelope, signing=None, signer=None))
    certificate = leaf(by, "sign").certificate
    octets = seal.sign_signal(
        envelope,
        signing=replace(plain, certificate=certificate),
        signer=Keys(leaf(by, "sign")).signer(certificate),
    )
    return seal.wire_signal(octets)


def ping(town, by=POLITIE, **changes):
    return signed(services.request(header_of(town, **changes), MshRequest(action="Ping")), by)


def status_request(town, about, by=POLITIE, **changes):
    asked = MshRequest(action="StatusRequest", ref_to_message_id=about)
    return signed(services.request(header_of(town, action="StatusRequest", **changes), asked), by)


def said(answer, town):
    """What an HTTP answer, or a posted message, says."""
    limits = town[HUB].snapshots.current().limits
    return read(answer.body, answer.content_type, limits=limits)


async def rows(town, who, event):
    found = await town[who].store.reader.audit(after=0, limit=1_000)
    return [row.event for row in found if row.event.event == event]


async def delivered(town, reference="ref-1"):
    """Let a melding come to the hub; return its MessageId."""
    await hand_in(town, melding(reference))
    await town.settle()
    return (await town[HUB].message(reference)).message.message_id


# --- is it there ----------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["osb-be", "osb-rm", "osb-be-s", "osb-rm-s", "osb-rm-e"])
@pytest.mark.parametrize("sync", [SyncReply.NONE, SYNC])
async def test_a_partner_that_is_there_answers_a_ping(make, profile, sync):
    town = await make(profile, sync_reply=sync)

    heard = await town[POLITIE].gateway.ping(HUB, who=WHO)

    assert heard.answered is not None
    assert (heard.party, heard.code, heard.answered.error) == (HUB, "", "")
    (asked,) = await rows(town, POLITIE, "enquiry.asked")
    (answered,) = await rows(town, POLITIE, "enquiry.answered")
    (served,) = await rows(town, HUB, "enquiry.served")
    assert (asked.actor, asked.party) == (WHO, HUB)
    assert asked.data["enquiry"] == answered.data["enquiry"] == served.data["enquiry"]
    by_itself = [m for a, b, m, _ in town.wire if (a, b) == (HUB, POLITIE)]
    assert len(by_itself) == (0 if sync is SYNC else 1)


async def test_nothing_is_taken_in_by_a_ping(town):
    await town[POLITIE].gateway.ping(HUB, who=WHO)

    for who in (POLITIE, HUB):
        assert await town[who].store.reader.messages(party=None, before=None, limit=9) == ()


async def test_a_partner_that_is_away_is_told_at_once(town):
    town[HUB].up = False

    heard = await town[POLITIE].gateway.ping(HUB, who=WHO)

    assert (heard.answered, heard.code) == (None, "peer.unreachable")
    (silent,) = await rows(town, POLITIE, "enquiry.silent")
    assert silent.code == "peer.unreachable"


async def test_a_partner_that_says_nothing_is_not_waited_for_any_longer(make):
    town = await make(patience=timedelta(milliseconds=20))
    breaking(town, POLITIE, deaf)

    heard = await town[POLITIE].gateway.ping(HUB, who=WHO)

    assert (heard.answered, heard.code) == (None, "answer.timeout")


@pytest.mark.parametrize("status", [400, 403, 500, 503])
async def test_a_partner_that_answers_with_a_failure_is_not_waited_for(town, status):
    async def fails(_message):
        return Answer(status=status)

    breaking(town, POLITIE, fails)

    assert (await town[POLITIE].gateway.ping(HUB, who=WHO)).code == f"http.{status}"


async def test_a_partner_that_knows_no_ping_refuses_it(town):
    async def refuses(message):
        asked = said(message, town).header
        error = signals.ErrorList(
            highest_severity="Error",
            errors=(signals.EbmsError("NotSupported", "Error", "//Header/MessageHeader", ""),),
        )
        header = header_of(
            town,
            sender=HUB,
            receiver=POLITIE,
            action="MessageError",
            ref_to_message_id=asked.message_id,
        )
        return Answer(status=200, message=signed(signals.message_error(header, error), HUB))

    breaking(town, POLITIE, refuses)

    heard = await town[POLITIE].gateway.ping(HUB, who=WHO)

    assert heard.answered is not None
    assert heard.code == "ebms.NotSupported"


@pytest.mark.parametrize(
    ("party", "code"), [(POLITIE, "partner.onbekend"), (VT, "partner.afspraak")]
)
async def test_only_who_has_an_agreement_with_us_is_asked(town, party, code):
    with pytest.raises(NoRoute) as caught:
        await town[POLITIE].gateway.ping(party, who=WHO)

    assert caught.value.code == code
    assert not town.wire


# --- who may ask ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"by": None}, "SecurityFailure"),
        ({"by": VT}, "SecurityFailure"),
        ({"sync_reply": True}, "Inconsistent"),
    ],
)
async def test_a_ping_that_is_not_as_agreed_is_refused(town, made, told):
    answer = await town.carry(POLITIE, HUB, ping(town, **made))

    content = said(answer.message, town).content
    assert isinstance(content, ErrorList)
    assert content.errors[0].code == told
    assert not await rows(town, HUB, "enquiry.served")


async def test_a_ping_whose_time_has_passed_is_refused(town):
    late = ping(town, time_to_live=town.clock.now())

    answer = await town.carry(POLITIE, HUB, late)

    assert said(answer.message, town).content.errors[0].code == "TimeToLiveExpired"


async def test_a_ping_in_the_name_of_another_gets_a_fault(town):
    answer = await town.carry(VT, HUB, ping(town))

    assert answer.status == 500
    assert not await rows(town, HUB, "enquiry.served")


async def test_our_own_question_that_comes_back_is_not_answered(town):
    taken = breaking(town, POLITIE, failing(PeerUnreachable("peer.unreachable", "x")))
    await town[POLITIE].gateway.ping(HUB, who=WHO)

    answer = await town.carry(HUB, POLITIE, taken[0])

    assert answer.status == 500
    assert not await rows(town, POLITIE, "enquiry.served")


async def test_a_suspended_partner_is_not_answered(town):
    await town[HUB].change(suspended=frozenset({POLITIE}))

    assert (await town.carry(POLITIE, HUB, ping(town))).status == 503


async def test_who_asks_too_often_must_wait(make):
    town = await make(sync_reply=SYNC)
    asked = ping(town, sync_reply=True)
    most = serving.PACE.burst

    statuses = [(await town.carry(POLITIE, HUB, asked)).status for _ in range(most + 1)]
    town.clock.forward(seconds=2)

    assert statuses == [200] * most + [503]
    assert len(await rows(town, HUB, "enquiry.served")) == most
    assert (await town.carry(POLITIE, HUB, asked)).status == 200


async def test_answers_that_can_not_be_brought_do_not_pile_up(town):
    gate = asyncio.Event()

    async def hangs(_message):
        await gate.wait()
        return NOTHING

    held = breaking(town, HUB, hangs)
    for _ in range(serving.MOST_EACH + 3):
        await town.carry(POLITIE, HUB, ping(town))
    await asyncio.sleep(0)

    assert len(held) == serving.MOST_EACH
    gate.set()


# --- loops ----------------------------------------------------------------------------


@pytest.mark.parametrize("by", [HUB, None])
@pytest.mark.parametrize(
    "answer",
    [
        MshAnswer(action="Pong"),
        MshAnswer(action="StatusResponse", about="x@y", status=MessageStatus.RECEIVED),
    ],
)
async def test_an_answer_that_nobody_asked_for_is_not_answered(town, answer, by):
    header = header_of(
        town, sender=HUB, receiver=POLITIE, action=answer.action, ref_to_message_id="nooit@x"
    )

    got = await town.carry(HUB, POLITIE, signed(services.answer(header, answer), by))

    assert got == NOTHING
    assert not await rows(town, POLITIE, "enquiry.answered")


async def test_a_question_in_an_http_answer_is_no_acknowledgment(make):
    """Found: whatever was no MessageError confirmed what its header refers to."""
    town = await make("osb-rm")
    reference = []

    async def asks_back(message):
        reference.append(said(message, town).header.message_id)
        header = header_of(
            town,
            sender=HUB,
            receiver=POLITIE,
            cpa_id=said(message, town).header.cpa_id,
            ref_to_message_id=reference[0],
        )
        envelope = services.request(header, MshRequest(action="Ping"))
        return Answer(status=200, message=signed(envelope, None))

    breaking(town, POLITIE, asks_back, times=1)

    await hand_in(town, melding("ref-1"))
    await town.settle()

    assert (await sent(town, POLITIE)).state is State.SENT


# --- what became of it ----------------------------------------------------------------


@pytest.mark.parametrize("sync", [SyncReply.NONE, SYNC])
async def test_the_sender_hears_what_became_of_his_message(make, sync):
    town = await make(sync_reply=sync)
    await delivered(town)
    message = (await town[POLITIE].message("ref-1")).message.id

    heard = await town[POLITIE].gateway.ask_status(message, who=WHO)

    assert heard.status is MessageStatus.RECEIVED
    at = (await town[HUB].message("ref-1")).message.at
    assert at - heard.answered.received_at < timedelta(milliseconds=1)
    trace = [row.event.event for row in (await town[POLITIE].message("ref-1")).trace]
    assert trace[-2:] == ["enquiry.asked", "enquiry.answered"]
    assert "enquiry.served" in [r.event.event for r in (await town[HUB].message("ref-1")).trace]


async def test_what_was_confirmed_by_its_receiver_is_processed(town):
    await delivered(town)
    (item,) = await waiting(town)
    await town[VT].gateway.confirm(item.delivery, town[VT].backend)
    await town.settle()
    message = (await town[POLITIE].message("ref-1")).message.id

    heard = await town[POLITIE].gateway.ask_status(message, who=WHO)

    assert heard.status is MessageStatus.PROCESSED


async def test_what_never_came_is_not_recognised(town):
    breaking(town, POLITIE, failing(OutcomeUnknown("answer.lost", "x")), times=1)
    await hand_in(town, melding("ref-1"))
    await town[POLITIE].worker.step()
    message = (await town[POLITIE].message("ref-1")).message.id

    heard = await town[POLITIE].gateway.ask_status(message, who=WHO)

    assert (heard.status, heard.answered.received_at) == (MessageStatus.NOT_RECOGNIZED, None)


@pytest.mark.parametrize("status", [MessageStatus.RECEIVED, MessageStatus.PROCESSED])
async def test_what_the_receiver_says_settles_nothing(make, status):
    """It holds no digests: a person reads it, and decides."""
    town = await make("osb-be-s")
    breaking(town, POLITIE, failing(OutcomeUnknown("answer.lost", "x")), times=1)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    breaking(town, POLITIE, _answers(town, status))

    heard = await town[POLITIE].gateway.ask_status(
        (await town[POLITIE].message("ref-1")).message.id, who=WHO
    )

    assert heard.status is status
    assert (await sent(town, POLITIE)).state is State.UNKNOWN


def _answers(town, status, **changes):
    """Answer whatever is asked, with a difference."""
    by = changes.pop("by", HUB)
    about = changes.pop("about", None)

    async def answer(message):
        asked = said(message, town)
        header = Header(
            sender=asked.header.receiver,
            receiver=asked.header.sender,
            cpa_id=asked.header.cpa_id,
            conversation_id=asked.header.conversation_id,
            service=MSH_SERVICE,
            action="StatusResponse",
            message_id="antwoord-1@hub.example",
            timestamp=town.clock.now(),
            ref_to_message_id=asked.header.message_id,
        )
        told = MshAnswer(
            action="StatusResponse",
            about=about or asked.content.ref_to_message_id,
            status=status,
        )
        envelope = services.answer(replace(header, **changes), told)
        return Answer(status=200, message=signed(envelope, by))

    return answer


@pytest.mark.parametrize(
    "lie",
    [
        {"ref_to_message_id": "een-andere-vraag@politie.example"},
        {"about": "een-ander-bericht@politie.example"},
        {"by": None},
        {"by": VT},
        {"cpa_id": "een-andere-cpa"},
        {"sender": PartyRef(VT)},
    ],
    ids=lambda lie: next(iter(lie)),
)
async def test_a_wrong_answer_counts_for_nothing(make, lie):
    town = await make(patience=timedelta(milliseconds=20))
    await delivered(town)
    breaking(town, POLITIE, _answers(town, MessageStatus.NOT_RECOGNIZED, **lie))

    heard = await town[POLITIE].gateway.ask_status(
        (await town[POLITIE].message("ref-1")).message.id, who=WHO
    )

    assert heard.answered is None
    assert heard.code
    assert not await rows(town, POLITIE, "enquiry.answered")


async def test_a_message_of_another_pair_is_not_known_to_who_asks(town):
    """The hub has it, of the police: Veilig Thuis learns no more than of one that never was."""
    theirs = await delivered(town)
    answers = []
    for about in (theirs, "nooit@x"):
        asked = MshRequest(action="StatusRequest", ref_to_message_id=about)
        header = header_of(
            town,
            sender=VT,
            cpa_id=bad.agreement(VT).cpa_id,
            action="StatusRequest",
            message_id=f"vraag-{len(answers)}@vt.example",
        )
        await town.carry(VT, HUB, signed(services.request(header, asked), VT))
        answers.append((await rows(town, HUB, "enquiry.served"))[-1])

    assert [a.data["status"] for a in answers] == [MessageStatus.NOT_RECOGNIZED] * 2
    assert [a.message for a in answers] == ["", ""]


async def test_a_message_that_we_sent_is_not_told_of_to_its_receiver(town):
    sent_on = await delivered(town)
    header = header_of(town, sender=VT, cpa_id=bad.agreement(VT).cpa_id, action="StatusRequest")
    asked = MshRequest(action="StatusRequest", ref_to_message_id=sent_on)

    await town.carry(VT, HUB, signed(services.request(header, asked), VT))

    (served,) = await rows(town, HUB, "enquiry.served")
    assert served.data["status"] == MessageStatus.NOT_RECOGNIZED


async def test_who_does_not_sign_his_question_learns_nothing(make):
    town = await make()
    about = await delivered(town)

    await town.carry(POLITIE, HUB, status_request(town, about, by=None))

    (served,) = await rows(town, HUB, "enquiry.served")
    assert (served.data["status"], served.message) == (MessageStatus.UNAUTHORIZED, "")


async def test_what_was_never_sent_is_not_asked_about(town):
    await town[POLITIE].store.pauses.hold(HUB, who=WHO, why="test")
    await hand_in(town, melding("ref-1"))

    with pytest.raises(PolicyViolation) as caught:
        await town[POLITIE].gateway.ask_status(
            (await town[POLITIE].message("ref-1")).message.id, who=WHO
        )

    assert caught.value.code == "navraag.nooit_verzonden"
