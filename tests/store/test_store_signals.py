import zlib
from dataclasses import replace

import pytest
import sqlalchemy as sa

from gateway.lifecycle import State
from gateway.ports import GaveUp, HandedOver, LostTrack, SignalOutcome, SignalReceived
from gateway.store.tables import evidence
from tests.store.stage import CPA, KNOOPPUNT, VT, references_of


async def _sent(stage, *digests, n=1):
    await stage.admit(n)
    (claim,) = await stage.claim()
    references = await stage.seal(claim, *digests)
    until = stage.clock.now() + claim.retry_interval
    await stage.store.queue.settle(claim, HandedOver(until=until), ())
    return references


def _ack(stage, *references, **changes):
    given = {
        "party": VT,
        "cpa_id": CPA,
        "message_id": "ack-1",
        "ref_to_message_id": "bericht-1@politie.test",
        "at": stage.clock.now(),
        "references": references,
        "references_required": True,
        "evidence": b"<Acknowledgment/>",
    }
    return SignalReceived(**(given | changes))


async def test_a_matching_acknowledgement_delivers_and_is_kept_as_proof(stage):
    references = await _sent(stage, b"header", b"payload")

    outcome = await stage.store.signals.receive(_ack(stage, *references[::-1]))

    assert outcome is SignalOutcome.MATCHED
    (delivery,) = (await stage.view()).deliveries
    assert (delivery.state, delivery.delivered_at) == (State.DELIVERED, stage.clock.now())
    assert (await stage.trace())[-1] == "delivery.acknowledged"
    reader = stage.engine.reader()
    row = reader.execute(sa.select(evidence)).one()
    reader.close()
    assert zlib.decompress(row.octets) == b"<Acknowledgment/>"


async def test_a_second_acknowledgement_changes_nothing(stage):
    references = await _sent(stage, b"payload")
    await stage.store.signals.receive(_ack(stage, *references))
    delivered_at = stage.clock.now()
    stage.clock.forward(minutes=1)

    outcome = await stage.store.signals.receive(_ack(stage, *references))

    assert outcome is SignalOutcome.REPEATED
    assert (await stage.view()).deliveries[0].delivered_at == delivered_at


@pytest.mark.parametrize(
    "digests", [(), (b"other",), (b"payload", b"more")], ids=["none", "other", "more"]
)
async def test_other_digests_deliver_nothing(stage, digests):
    await _sent(stage, b"payload")

    outcome = await stage.store.signals.receive(_ack(stage, *references_of(*digests)))

    assert outcome is SignalOutcome.MISMATCH
    assert await stage.state() is State.SENT
    assert (await stage.trace())[-1] == "signal.mismatch"


@pytest.mark.parametrize(
    "changes",
    [
        {"party": KNOOPPUNT},
        {"cpa_id": "cpa-other"},
        {"ref_to_message_id": "other"},
        {"party": VT.lower() + "x"},
    ],
)
async def test_a_signal_of_another_party_agreement_or_message_is_unknown(stage, changes):
    references = await _sent(stage, b"payload")

    outcome = await stage.store.signals.receive(replace(_ack(stage, *references), **changes))

    assert outcome is SignalOutcome.UNKNOWN
    assert await stage.state() is State.SENT
    rows = await stage.store.reader.audit(after=0, limit=100)
    assert rows[-1].event.event == "signal.unknown"


async def test_a_late_acknowledgement_revives_the_dead(stage):
    references = await _sent(stage, b"payload")
    for _ in range(3):
        stage.clock.forward(minutes=10)
        await stage.store.queue.sweep(worker="w1")
        for claim in await stage.claim():
            await stage.store.queue.settle(claim, GaveUp(code="http.404"), ())
    assert await stage.state() is State.DEAD

    assert await stage.store.signals.receive(_ack(stage, *references)) is SignalOutcome.MATCHED
    assert await stage.state() is State.DELIVERED


async def test_an_acknowledgement_settles_the_unknown(stage):
    await stage.admit(1)
    (claim,) = await stage.claim()
    references = await stage.seal(claim, b"payload")
    await stage.store.queue.settle(claim, LostTrack(code="network.lost"), ())

    assert await stage.store.signals.receive(_ack(stage, *references)) is SignalOutcome.MATCHED


async def test_an_acknowledgement_while_the_retry_waits_stops_the_retry(stage):
    references = await _sent(stage, b"payload")
    stage.clock.forward(minutes=10)
    await stage.store.queue.sweep(worker="w1")
    assert await stage.state() is State.READY

    await stage.store.signals.receive(_ack(stage, *references))

    assert await stage.claim() == ()


async def test_what_was_never_sent_can_not_be_acknowledged(stage):
    await stage.admit(1)

    outcome = await stage.store.signals.receive(_ack(stage, references_required=False))

    assert outcome is SignalOutcome.MISMATCH
    assert await stage.state() is State.READY


async def test_an_error_refuses_and_the_first_signal_wins(stage):
    references = await _sent(stage, b"payload")
    error = _ack(stage, error="SecurityFailure", error_location="//Header")

    assert await stage.store.signals.receive(error) is SignalOutcome.MATCHED
    assert await stage.store.signals.receive(_ack(stage, *references)) is SignalOutcome.REPEATED

    (delivery,) = (await stage.view()).deliveries
    assert (delivery.state, delivery.last_code) == (State.REFUSED, "ebms.SecurityFailure")


async def test_an_error_after_the_acknowledgement_changes_nothing(stage):
    references = await _sent(stage, b"payload")
    await stage.store.signals.receive(_ack(stage, *references))

    outcome = await stage.store.signals.receive(_ack(stage, error="Unknown"))

    assert outcome is SignalOutcome.REPEATED
    assert await stage.state() is State.DELIVERED


async def test_of_two_messages_with_one_id_the_digests_tell_which(stage):
    await _sent(stage, b"first")
    await stage.admit(2, message_id="bericht-1@politie.test", party=KNOOPPUNT)
    (claim,) = await stage.claim()
    second = await stage.seal(claim, b"second")
    await stage.store.queue.settle(claim, HandedOver(until=stage.clock.now()), ())

    await stage.store.signals.receive(_ack(stage, *second))

    assert await stage.state(1) is State.SENT
    assert await stage.state(2) is State.DELIVERED
