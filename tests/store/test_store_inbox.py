import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import DuplicateConflict, StaleSnapshot, StoreUnavailable
from gateway.lifecycle import State
from gateway.message import Address, Fault, Oin
from gateway.ports import (
    Admission,
    DeliveryChannel,
    DeliveryKind,
    Direction,
    HandedOver,
    StoredPayload,
    TryAgain,
)
from gateway.store.repeats import MOST
from tests.store.stage import (
    CPA,
    KNOOPPUNT,
    POLITIE,
    VT,
    event,
    new_message,
    references_of,
    stuurgegevens,
)


async def test_what_was_admitted_is_found_by_its_ids(stage):
    await stage.admit(1)

    by_id = await stage.store.inbox.find(POLITIE, "cpa-politie-knooppunt", "bericht-1@politie.test")
    by_key = await stage.store.inbox.by_key(POLITIE, "BVH", "ref-1")

    assert by_id == by_key
    assert by_id is not None
    assert by_id.id == "m-1"
    assert by_id.references == references_of(b"1")
    assert by_id.ontvanger_applicatie == "Zorgsysteem"


async def test_a_message_is_not_found_under_another_party_or_agreement(stage):
    await stage.admit(1)

    find = stage.store.inbox.find
    assert await find(VT, "cpa-politie-knooppunt", "bericht-1@politie.test") is None
    assert await find(POLITIE, "cpa-x", "bericht-1@politie.test") is None


async def test_admitting_twice_stores_once(stage):
    first = await stage.admit(1)
    again = await stage.admission(1, id="m-again", deliveries=(stage.delivery(9),))

    second = await stage.store.inbox.admit(again)

    assert first.fresh
    assert (second.message, second.fresh) == ("m-1", False)
    assert await stage.store.reader.message("m-again") is None
    assert (await stage.store.reader.figures())["delivery.ready"] == 1


async def test_same_id_with_other_content_is_a_conflict(stage):
    await stage.admit(1)

    other = await stage.admission(2, message_id="bericht-1@politie.test")
    with pytest.raises(DuplicateConflict) as caught:
        await stage.store.inbox.admit(other)

    assert caught.value.code == "duplicate.message_id"


async def test_same_id_with_other_references_is_a_conflict(stage):
    await stage.admit(1)

    with pytest.raises(DuplicateConflict) as caught:
        await stage.admit(1, id="m-again", references=references_of(b"other"))

    assert caught.value.code == "duplicate.message_id"


async def test_the_order_of_references_does_not_matter(stage):
    references = references_of(b"a", b"b")
    await stage.admit(1, references=references)

    assert not (await stage.admit(1, id="m-again", references=references[::-1])).fresh


async def test_same_business_key_with_other_content_is_a_conflict(stage):
    await stage.admit(1)

    with pytest.raises(DuplicateConflict) as caught:
        await stage.admit(2, stuurgegevens=stuurgegevens(1))

    assert caught.value.code == "duplicate.referentienummer"


async def test_the_business_key_spans_channels(stage):
    await stage.admit(1)
    admission = await stage.admission(1, direction=Direction.OUTBOUND, id="m-x", references=())

    admitted = await stage.store.inbox.admit(admission)

    assert (admitted.message, admitted.fresh) == ("m-1", False)


async def test_a_refused_message_keeps_its_id_and_leaves_its_number_free(stage):
    await stage.admit(1, accepted=False, deliveries=())

    repaired = await stage.admit(2, stuurgegevens=stuurgegevens(1))
    known = await stage.store.inbox.find(POLITIE, "cpa-politie-knooppunt", "bericht-1@politie.test")

    assert repaired.fresh
    assert known is not None
    assert not known.accepted


async def test_messages_without_zender_have_no_business_key(stage):
    nobody = stuurgegevens(1, zender=None)
    await stage.admit(1, stuurgegevens=nobody)

    assert (await stage.admit(2, stuurgegevens=nobody)).fresh
    assert await stage.store.inbox.by_key("", "", "ref-1") is None


async def test_twins_in_one_batch_are_stored_once(stage):
    admissions = [await stage.admission(1, id=f"m-{n}") for n in range(8)]
    admissions = [
        replace(a, deliveries=(stage.delivery(n, payload_sha256="x"),))
        for n, a in enumerate(admissions)
    ]

    results = await asyncio.gather(*(stage.store.inbox.admit(a) for a in admissions))

    assert [r.fresh for r in results].count(True) == 1
    assert len({r.message for r in results}) == 1


async def test_an_epoch_that_moved_stores_nothing(stage):
    admission = await stage.admission(1)
    assert await stage.store.sync_epoch("second") == stage.epoch + 1

    with pytest.raises(StaleSnapshot) as caught:
        await stage.store.inbox.admit(admission)

    assert caught.value.code == "epoch.moved"
    assert await stage.store.reader.message("m-1") is None


async def test_the_epoch_stays_when_the_directory_does(stage):
    assert await stage.store.sync_epoch("first") == stage.epoch
    await stage.reopen()
    assert await stage.store.sync_epoch("first") == stage.epoch


async def test_no_message_without_its_payload(stage):
    gone = StoredPayload(id="gone", sha256="0" * 64, size=1)

    with pytest.raises(StoreUnavailable) as caught:
        await stage.store.inbox.admit(
            Admission(
                epoch=stage.epoch,
                message=new_message(1, at=stage.clock.now(), payload=gone),
                deliveries=(),
                events=(),
            )
        )

    assert caught.value.code == "store.integrity"
    assert await stage.store.reader.message("m-1") is None


# --- answers --------------------------------------------------------------------------


def _answer(stage, admission, kind="Bv01Bericht"):
    return replace(admission, answers="m-1", message=replace(admission.message, kind=kind))


async def test_the_first_answer_counts_and_each_stands_in_the_trace(stage):
    await stage.admit(1)
    await stage.store.inbox.admit(_answer(stage, await stage.admission(2)))
    await stage.store.inbox.admit(_answer(stage, await stage.admission(3), "Fo01Bericht"))

    view = await stage.view(1)

    assert view.message.answer == "Bv01Bericht"
    answered = [
        row.event.data["first"] for row in view.trace if row.event.event == "message.answered"
    ]
    assert answered == [True, False]


async def test_the_trace_of_a_message_tells_code_and_place_of_its_fo01(stage):
    await stage.admit(1)
    fo01 = await stage.admission(2, kind="Fo01Bericht", fault=Fault(code="StUF055", place="client"))
    await stage.store.inbox.admit(replace(fo01, answers="m-1"))

    (answered,) = [
        row.event.data
        for row in (await stage.view(1)).trace
        if row.event.event == "message.answered"
    ]
    assert (answered["fault"], answered["place"]) == ("StUF055", "client")


async def test_the_fo01_on_a_refused_message_comes_in_the_same_commit(stage):
    fo01 = await stage.admission(2, kind="Fo01Bericht", direction=Direction.OWN)
    refused = await stage.admission(1, accepted=False, deliveries=())

    await stage.store.inbox.admit(replace(refused, followed_by=replace(fo01, answers="m-1")))

    assert (await stage.view(1)).message.answer == "Fo01Bericht"
    assert await stage.state(2) is State.READY


async def test_an_origin_is_found_by_whom_it_was_meant_for(stage):
    to_hub = stage.delivery(1, recipient=KNOOPPUNT)
    await stage.admit(1, deliveries=(to_hub,))

    origin = stage.store.inbox.origin
    assert (await origin("ref-1", answered_by=VT)).id == "m-1"
    assert (await origin("ref-1", answered_by=KNOOPPUNT)).id == "m-1"
    assert await origin("ref-1", answered_by=Oin("00000000000000000009")) is None
    assert await origin("", answered_by=VT) is None


# --- acknowledgements -----------------------------------------------------------------


async def _with_acknowledgment(stage):
    sealed = await stage.store.payloads.put(b"<Acknowledgment/>")
    acknowledgment = stage.delivery(
        50,
        recipient=POLITIE,
        kind=DeliveryKind.SIGNAL,
        cpa_id="cpa-politie-knooppunt",
        sealed=sealed,
        retries=3,
    )
    admission = replace(await stage.admission(1), acknowledgment=acknowledgment)
    await stage.store.inbox.admit(admission)


def _duplicate(stage):
    return event("message.duplicate", stage.clock.now(), message="m-1")


async def test_the_acknowledgement_is_kept_with_the_message(stage):
    await _with_acknowledgment(stage)

    known = await stage.store.inbox.find(POLITIE, "cpa-politie-knooppunt", "bericht-1@politie.test")

    assert known is not None
    assert known.acknowledgment == b"<Acknowledgment/>"


async def test_an_acknowledgement_that_waits_is_not_queued_again(stage):
    await _with_acknowledgment(stage)

    await stage.store.inbox.repeat_acknowledgment("m-1", id_="again", event=_duplicate(stage))

    assert (await stage.store.reader.figures())["signal.ready"] == 1
    assert "message.duplicate" in await stage.trace(1)


async def test_an_acknowledgement_that_was_sent_is_queued_again_once(stage):
    await _with_acknowledgment(stage)
    ours = TryAgain(at=stage.clock.now(), code="store.failed", ours=True)
    for outcome in (ours, HandedOver(until=None)):
        for claim in await stage.claim():
            await stage.store.queue.settle(claim, outcome, ())

    for n in range(3):
        await stage.store.inbox.repeat_acknowledgment("m-1", id_=f"r{n}", event=_duplicate(stage))

    figures = await stage.store.reader.figures()
    assert (figures["signal.delivered"], figures["signal.ready"]) == (1, 1)
    (again,) = await stage.claim()
    assert await stage.store.payloads.get(again.sealed) == b"<Acknowledgment/>"
    assert (again.attempt, again.spared) == (1, 0)


async def test_copies_behind_the_twentieth_of_one_mail_leave_no_trace(stage):
    await _with_acknowledgment(stage)
    repeat = stage.store.inbox.repeat_acknowledgment

    for n in range(MOST + 3):
        for claim in await stage.claim():
            await stage.store.queue.settle(claim, HandedOver(until=None), ())
        await repeat("m-1", id_=f"r{n}", event=_duplicate(stage), bounded=True)

    assert (await stage.trace(1)).count("message.duplicate") == MOST
    assert (await stage.store.reader.figures())["signal.delivered"] == MOST + 1
    await repeat("m-1", id_="over-ebms", event=_duplicate(stage))
    assert (await stage.store.reader.figures())["signal.ready"] == 1


async def test_a_note_is_an_audit_row_alone(stage):
    await stage.store.inbox.note(event("input.refused", stage.clock.now(), code="mime.start"))

    rows = await stage.store.reader.audit(after=0, limit=100)

    assert rows[-1].event.code == "mime.start"


async def test_everything_about_a_message_comes_back_as_it_went_in(stage):
    expires = stage.clock.now() + timedelta(hours=1, microseconds=7)
    said = stuurgegevens(
        1,
        cross_refnummer="eerder",
        ontvanger=Address(organisatie=VT, applicatie="Zorg | é"),
    )
    await stage.admit(1, stuurgegevens=said, deliveries=(stage.delivery(1, expires_at=expires),))

    (claim,) = await stage.claim()

    assert claim.expires_at == expires
    assert claim.retry_interval == timedelta(minutes=10)
    assert claim.cpa_id == CPA
    assert claim.message.cross_refnummer == "eerder"
    assert claim.message.ontvanger_applicatie == "Zorg | é"
    assert claim.message.at == stage.clock.now()
    (delivery,) = (await stage.view(1)).deliveries
    assert delivery.channel is DeliveryChannel.EBMS2
