"""Questions to partners: whatever process asks, and whoever answers what."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.message import MessageStatus
from gateway.ports.enquiries import Enquiry, EnquiryAnswer
from gateway.store.enquiries import KEPT, PATIENCE
from tests.store.stage import CPA, KNOOPPUNT, VT


def _enquiry(stage, id_="vraag-1@k", **changes):
    base = Enquiry(
        id=id_,
        party=VT,
        cpa_id=CPA,
        answer="StatusResponse",
        about="bericht-1@politie.test",
        delivery="levering-1",
        message="bericht-1",
        who="o.operator",
        at=stage.clock.now(),
    )
    return replace(base, **changes)


def _answer(stage, **changes):
    base = EnquiryAnswer(
        id="antwoord-1@vt",
        enquiry="vraag-1@k",
        party=VT,
        cpa_id=CPA,
        action="StatusResponse",
        about="bericht-1@politie.test",
        status=MessageStatus.RECEIVED,
        received_at=stage.clock.now() - timedelta(minutes=1),
    )
    return replace(base, **changes)


async def _events(stage):
    rows = await stage.store.reader.audit(after=0, limit=100)
    return [row.event for row in rows if row.event.event.startswith("enquiry.")]


async def test_the_first_answer_counts_and_is_written_down(stage):
    port = stage.store.enquiries
    await port.ask(_enquiry(stage))

    first = await port.answer(_answer(stage))
    second = await port.answer(_answer(stage, status=MessageStatus.NOT_RECOGNIZED))

    assert (first, second) == (True, False)
    for found in (await port.answered("vraag-1@k"), await port.heard_of("levering-1")):
        assert (found.status, found.error) == (MessageStatus.RECEIVED, "")
        assert found.received_at == stage.clock.now() - timedelta(minutes=1)
    asked, answered = await _events(stage)
    assert (asked.event, asked.actor, asked.party) == ("enquiry.asked", "o.operator", VT)
    assert (answered.event, answered.message, answered.delivery) == (
        "enquiry.answered",
        "bericht-1",
        "levering-1",
    )
    assert answered.data["status"] == "Received"


@pytest.mark.parametrize(
    "wrong",
    [
        {"enquiry": "vraag-2@k"},
        {"party": KNOOPPUNT},
        {"cpa_id": "een-andere"},
        {"action": "Pong"},
        {"about": "bericht-2@politie.test"},
        {"action": "MessageError", "party": KNOOPPUNT, "error": "NotSupported"},
    ],
)
async def test_an_answer_to_something_else_changes_nothing(stage, wrong):
    port = stage.store.enquiries
    await port.ask(_enquiry(stage))

    assert not await port.answer(_answer(stage, **wrong))

    assert await port.answered("vraag-1@k") is None
    assert [one.event for one in await _events(stage)] == ["enquiry.asked"]


async def test_an_answer_counts_for_minutes_only(stage):
    port = stage.store.enquiries
    await port.ask(_enquiry(stage))
    stage.clock.forward(seconds=PATIENCE.total_seconds() + 1)

    assert not await port.answer(_answer(stage))


async def test_a_refusal_of_the_question_is_its_answer(stage):
    port = stage.store.enquiries
    await port.ask(_enquiry(stage))

    refusal = {"action": "MessageError", "about": "", "status": None, "received_at": None}
    assert await port.answer(_answer(stage, **refusal, error="NotSupported"))

    found = await port.answered("vraag-1@k")
    assert (found.status, found.error) == (None, "NotSupported")
    assert (await _events(stage))[-1].code == "ebms.NotSupported"


async def test_the_newest_answer_about_a_delivery_is_what_was_heard(stage):
    port = stage.store.enquiries
    for n, status in enumerate((MessageStatus.NOT_RECOGNIZED, MessageStatus.PROCESSED), 1):
        await port.ask(_enquiry(stage, f"vraag-{n}@k"))
        await port.answer(_answer(stage, enquiry=f"vraag-{n}@k", status=status))
        stage.clock.forward(seconds=1)
    await port.ask(_enquiry(stage, "vraag-3@k"))

    assert (await port.heard_of("levering-1")).status is MessageStatus.PROCESSED
    assert await port.heard_of("levering-2") is None


async def test_that_nothing_was_said_is_written_down_and_a_late_answer_still_is(stage):
    port = stage.store.enquiries
    await port.ask(_enquiry(stage))
    await port.silent(_enquiry(stage), "answer.timeout")

    assert await port.answer(_answer(stage))

    events = [(one.event, one.code) for one in await _events(stage)]
    assert events == [
        ("enquiry.asked", ""),
        ("enquiry.silent", "answer.timeout"),
        ("enquiry.answered", ""),
    ]


async def test_questions_of_long_ago_are_forgotten(stage):
    port = stage.store.enquiries
    await port.ask(_enquiry(stage))
    await port.answer(_answer(stage))
    stage.clock.forward(seconds=KEPT.total_seconds() + 1)
    await port.ask(_enquiry(stage, "vraag-2@k"))

    assert await port.answered("vraag-1@k") is None
    assert len(await _events(stage)) == 3
