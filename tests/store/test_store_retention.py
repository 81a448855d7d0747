"""What was confirmed goes in time, what somebody may still need stays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.config import InstallationRole, RetentionSettings
from gateway.errors import GatewayError, StoreUnavailable
from gateway.lifecycle import State
from gateway.ports import (
    Direction,
    GaveUp,
    HandedOver,
    LostTrack,
    SignalOutcome,
    SignalReceived,
)
from gateway.rules.retention import Terms
from gateway.store import disposal
from gateway.store.view import View
from tests.store.stage import CPA, LARGE, POLITIE, VT, event

HUB = Terms.of(RetentionSettings(), InstallationRole.KNOOPPUNT)
POINT = Terms.of(RetentionSettings(), InstallationRole.AANSLUITPUNT)
HOUR = timedelta(hours=1)


async def dispose(stage, terms=HUB, windows=None):
    return await stage.store.retention.dispose(terms, windows or {})


async def send(stage):
    """Seal and hand over everything that is READY."""
    claims = await stage.claim(limit=100)
    for claim in claims:
        await stage.seal(claim, b"digest")
        until = stage.clock.now() + timedelta(days=1)
        assert await stage.store.queue.settle(claim, HandedOver(until=until), ())
    return claims


async def acknowledge(stage, n=1, **changes):
    given = {
        "party": VT,
        "cpa_id": CPA,
        "message_id": f"ack-{n}@vt.test",
        "ref_to_message_id": f"bericht-{n}@politie.test",
        "at": stage.clock.now(),
    }
    return await stage.store.signals.receive(SignalReceived(**(given | changes)))


async def delivered(stage, *numbers, **changes):
    for n in numbers:
        await stage.admit(n, **changes)
    while await send(stage):
        pass  # a lane has a cap
    for n in numbers:
        assert await acknowledge(stage, n) is SignalOutcome.MATCHED


async def held_by(stage, n=1):
    """Ids of everything that the message holds: payload, envelopes, acknowledgement."""
    rows = stage.rows(
        f"SELECT payload_id AS id FROM messages WHERE id = 'm-{n}' AND payload_id IS NOT NULL"
        f" UNION SELECT sealed_id FROM deliveries WHERE message = 'm-{n}'"
        " AND sealed_id IS NOT NULL"
    )
    return [row.id for row in rows]


async def readable(stage, id_):
    try:
        return bool(await stage.store.payloads.get(id_))
    except GatewayError as error:
        if error.code != "payload.destroyed":
            raise
        return False


async def alive(stage, n=1):
    return [await readable(stage, id_) for id_ in await held_by(stage, n)]


# --- the knooppunt --------------------------------------------------------------------


async def test_payload_and_envelope_go_together_within_24_hours_of_the_confirmation(stage):
    await delivered(stage, 1)
    assert await dispose(stage) == 0
    assert await alive(stage) == [True, True]

    stage.clock.forward(hours=22, minutes=59)
    assert await dispose(stage) == 0
    stage.clock.forward(minutes=2)

    assert await dispose(stage) == 1
    assert await alive(stage) == [False, False]


async def test_the_destruction_stands_in_the_trace_without_content(stage):
    await delivered(stage, 1)
    confirmed = stage.clock.now()
    stage.clock.forward(hours=24)

    await dispose(stage)

    last = (await stage.view()).trace[-1].event
    assert (last.event, last.actor, last.party) == ("payload.destroyed", "housekeeping", POLITIE)
    assert last.data == {
        "rule": "doorgegeven",
        "since": confirmed.isoformat(),
        "payloads": 1,
        "envelopes": 1,
    }
    assert await stage.store.verify_chain() is None


async def test_a_second_run_finds_nothing_and_writes_nothing(stage):
    await delivered(stage, 1)
    stage.clock.forward(hours=24)
    await dispose(stage)
    before = await stage.trace()

    assert await dispose(stage) == 0
    stage.clock.forward(days=400)
    assert await dispose(stage) == 0

    assert await stage.trace() == before


async def test_a_run_that_was_lost_before_its_commit_is_made_again(stage):
    await delivered(stage, 1)
    stage.clock.forward(hours=24)

    class Lost(disposal.Dispose):
        def run(self, tx):
            done = disposal.Dispose.run(self, tx)
            tx.flush()
            raise StoreUnavailable("store.failed", str(done))

    with pytest.raises(StoreUnavailable) as caught:
        await stage.store._writer.commit(Lost(now=stage.clock.now(), terms=HUB))
    assert caught.value.text == "(1, False)"
    assert await alive(stage) == [True, True]

    assert await dispose(stage) == 1
    assert (await stage.trace()).count("payload.destroyed") == 1


@pytest.mark.parametrize("state", [State.READY, State.HELD])
async def test_what_waits_is_kept_however_old(stage, state):
    await stage.admit(1, deliveries=(stage.delivery(1, state=state),))
    stage.clock.forward(days=4000)

    assert await dispose(stage) == 0
    assert await alive(stage) == [True]


async def test_what_is_being_sent_or_waits_for_its_acknowledgement_is_kept(stage):
    await stage.admit(1)
    (claim,) = await stage.claim()
    await stage.seal(claim, b"digest")
    stage.clock.forward(days=4000)
    assert await dispose(stage) == 0

    await stage.store.queue.settle(claim, HandedOver(until=stage.clock.now()), ())
    stage.clock.forward(days=4000)

    assert await dispose(stage) == 0
    assert await alive(stage) == [True, True]


async def test_an_unknown_outcome_is_kept_until_a_person_decided(stage):
    await stage.admit(1)
    (claim,) = await stage.claim()
    await stage.seal(claim, b"digest")
    await stage.store.queue.settle(claim, LostTrack(code="peer.silent"), ())
    stage.clock.forward(days=4000)

    assert await dispose(stage) == 0
    assert await alive(stage) == [True, True]


async def test_what_was_given_up_is_kept_for_its_own_term(stage):
    await stage.admit(1)
    (claim,) = await stage.claim()
    await stage.store.queue.settle(claim, GaveUp(code="http.404"), ())
    await dispose(stage)

    stage.clock.forward(hours=23, minutes=59)
    assert await dispose(stage) == 0
    stage.clock.forward(minutes=2)

    assert await dispose(stage) == 1
    assert (await stage.view()).trace[-1].event.data["rule"] == "onbestelbaar"


async def test_a_message_with_two_deliveries_waits_for_the_last(stage):
    both = (stage.delivery(1), stage.delivery(2, recipient=POLITIE, cpa_id="cpa-2"))
    await stage.admit(1, deliveries=both)
    await send(stage)
    await acknowledge(stage)
    stage.clock.forward(days=30)
    assert await dispose(stage) == 0
    assert await alive(stage) == [True, True, True]

    await acknowledge(stage, party=POLITIE, cpa_id="cpa-2")
    stage.clock.forward(hours=22)
    assert await dispose(stage) == 0
    stage.clock.forward(hours=2)

    assert await dispose(stage) == 1
    assert await alive(stage) == [False, False, False]


async def test_a_payload_that_another_message_still_needs_is_kept(stage):
    await delivered(stage, 1)
    payload = (await stage.view()).message.payload_id
    await stage.admit(2, deliveries=(stage.delivery(2, state=State.HELD),))
    stage.raw(f"UPDATE messages SET payload_id = '{payload}' WHERE id = 'm-2'")
    stage.clock.forward(days=2)

    assert await dispose(stage) == 0

    assert await readable(stage, payload)


async def test_a_late_confirmation_of_what_is_gone_changes_nothing_but_the_state(stage):
    await stage.admit(1)
    (claim,) = await stage.claim()
    await stage.seal(claim, b"digest")
    await stage.store.queue.settle(claim, GaveUp(code="http.404"), ())
    stage.clock.forward(days=2)
    assert await dispose(stage) == 1

    assert await acknowledge(stage) is SignalOutcome.MATCHED
    stage.clock.forward(days=2)

    assert await dispose(stage) == 0
    assert await stage.state() is State.DELIVERED
    assert (await stage.trace()).count("payload.destroyed") == 1


# --- the access point -----------------------------------------------------------------


async def test_a_receiver_keeps_it_until_its_back_end_confirmed(stage):
    await stage.admit(1, deliveries=(stage.postvak(1),))
    stage.clock.forward(days=100)
    assert await dispose(stage, POINT) == 0

    await stage.show()
    await stage.store.postvak.close("d-1", party=VT, refused=False, answer=None, events=())
    stage.clock.forward(hours=23)
    assert await dispose(stage, POINT) == 0
    stage.clock.forward(hours=2)

    assert await dispose(stage, POINT) == 1
    assert (await stage.view()).trace[-1].event.data["rule"] == "bevestigd"


async def test_a_sender_keeps_it_until_the_answer_came_or_never_came(stage):
    await delivered(stage, 1, 2, direction=Direction.OUTBOUND)
    stage.clock.forward(days=10)
    assert await dispose(stage, POINT) == 0

    answer = await stage.admission(3, kind="Bv01Bericht", deliveries=())
    await stage.store.inbox.admit(_answers(answer, "m-1"))
    stage.clock.forward(hours=25)
    assert await dispose(stage, POINT) == 1
    assert (await alive(stage, 1), await alive(stage, 2)) == ([False, False], [True, True])
    assert (await stage.view(1)).trace[-1].event.data["rule"] == "beantwoord"

    stage.clock.forward(days=20)
    assert await dispose(stage, POINT) == 1
    assert (await stage.view(2)).trace[-1].event.data["rule"] == "onbeantwoord"


def _answers(admission, origin):
    message = replace(admission.message, payload=None)
    return replace(admission, message=message, deliveries=(), answers=origin)


# --- acknowledgements -----------------------------------------------------------------


async def acknowledged(stage, n=1):
    """Admit a message whose signed acknowledgement is sent by itself, and send that."""
    signal = await stage.store.payloads.put(b"<Acknowledgment/>")
    admission = await stage.admission(n, deliveries=(stage.delivery(n, state=State.HELD),))
    ack = stage.signal(f"a-{n}", signal)
    await stage.store.inbox.admit(replace(admission, acknowledgment=ack))
    for claim in await stage.claim():
        await stage.store.queue.settle(claim, HandedOver(until=None), ())
    return admission.message


async def find(stage, message):
    return await stage.store.inbox.find(message.party, message.cpa_id, message.message_id)


async def test_an_acknowledgement_stays_as_long_as_a_duplicate_may_come(stage):
    message = await acknowledged(stage)
    windows = {(message.cpa_id, message.party): timedelta(days=10)}
    stage.clock.forward(days=10, hours=23)
    await dispose(stage, windows=windows)
    assert (await find(stage, message)).acknowledgment == b"<Acknowledgment/>"

    stage.clock.forward(hours=2)
    assert await dispose(stage, windows=windows) == 1

    known = await find(stage, message)
    assert known.id == "m-1"
    assert known.acknowledgment is None
    assert (await stage.view()).trace[-1].event.data["rule"] == "bewaartermijn-messageid"


async def test_an_acknowledgement_that_is_sent_once_more_is_kept(stage):
    message = await acknowledged(stage)
    stage.clock.forward(days=30)
    again = event("message.duplicate", stage.clock.now(), message=message.id)
    await stage.store.inbox.repeat_acknowledgment(message.id, id_="a-1-again", event=again)

    assert await dispose(stage) == 0
    assert (await find(stage, message)).acknowledgment == b"<Acknowledgment/>"

    (claim,) = await stage.claim()
    await stage.store.queue.settle(claim, HandedOver(until=None), ())
    assert await dispose(stage) == 1


# --- in bulk --------------------------------------------------------------------------


async def test_more_than_one_batch_goes_in_one_run(stage, monkeypatch):
    monkeypatch.setattr(disposal, "OCTETS_AT_ONCE", 30)
    await delivered(stage, *range(1, 8))
    stage.clock.forward(days=2)

    assert await dispose(stage) == 7
    assert [await alive(stage, n) for n in range(1, 8)] == [[False, False]] * 7


async def test_what_an_older_process_ended_is_found(stage):
    await delivered(stage, 1)
    stage.raw("UPDATE deliveries SET ended_at = NULL, dispose_at = NULL")
    stage.clock.forward(days=2)
    assert await dispose(stage) == 0

    assert await stage.store.retention.adopt() == 1
    assert await stage.store.retention.adopt() == 0

    assert await dispose(stage) == 1


async def test_an_admission_whose_octets_were_swept_is_refused_whole(stage):
    admission = await stage.admission(1, octets=LARGE)
    stage.clock.forward(hours=2)
    assert await stage.store.payloads.sweep_orphans(HOUR) == 1

    with pytest.raises(StoreUnavailable):
        await stage.store.inbox.admit(admission)

    assert await stage.store.reader.message("m-1") is None


async def look(stage):
    """As operators do: beside the process that has the database open."""
    with View(stage.database, stage.clock) as view:
        return await view.retention()


async def test_operators_see_what_is_due_and_what_lives(stage):
    await delivered(stage, 1)
    await stage.admit(2, deliveries=(stage.delivery(2, state=State.HELD),))
    await stage.store.payloads.put(LARGE)
    await dispose(stage)
    seen = await look(stage)
    (key,) = stage.epochs.ids()
    assert (seen.due, seen.overdue, seen.live, seen.orphans) == (0, 0, {key: 4}, 1)

    stage.clock.forward(hours=25)
    seen = await look(stage)
    assert (seen.due, seen.overdue) == (1, 1)
    await dispose(stage)

    seen = await look(stage)
    assert (seen.due, seen.overdue, seen.live) == (0, 0, {key: 2})
