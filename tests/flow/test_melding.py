"""A melding crosses the hub: the main job, without sockets."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from gateway.cli.demo.documents import Address, document, without
from gateway.directory import InForce
from gateway.errors import DuplicateConflict, PeerUnreachable, SchemaViolation
from gateway.lifecycle import State
from gateway.message import Aanlevering, WireMessage
from gateway.ports import Answer, Endpoint
from tests.flow.town import APPLICATIE, HUB, NOW, POLITIE, VT, Wire, build

PLAIN = Aanlevering(acuut=False, onderzoek=False, wpg_artikel="8")


def melding(reference, name="vtMeldingDi01"):
    return document(
        name,
        zender=Address(oin=POLITIE, applicatie=APPLICATIE[POLITIE]),
        ontvanger=Address(oin=VT, applicatie=APPLICATIE[VT]),
        referentienummer=reference,
        zaak="PL0000-2026000001",
        at=NOW,
    )


async def hand_in(town, octets, aanlevering=PLAIN):
    politie = town[POLITIE]
    return await politie.gateway.hand_in(octets, aanlevering, politie.backend)


async def waiting(town, oin=VT):
    return await town[oin].store.postvak.take(
        gate=InForce(),
        party=oin,
        applicaties=(APPLICATIE[oin],),
        consumer="test",
        limit=10,
        lease=timedelta(minutes=5),
    )


def events(view):
    return [row.event.event for row in view.trace]


async def test_melding_arrives_unchanged_and_is_confirmed_on_both_layers(town):
    octets = melding("ref-1")

    receipt = await hand_in(town, octets)
    await town.settle()
    (item,) = await waiting(town)
    assert await town[VT].store.payloads.get(item.payload_id) == octets
    assert await town[VT].gateway.confirm(item.delivery, town[VT].backend)
    await town.settle()

    view = await town[POLITIE].store.reader.message(receipt.id)
    assert [d.state for d in view.deliveries] == [State.DELIVERED]
    assert view.message.answer == "Bv01Bericht"
    assert {"message.held"} & set(events(view)) == set()
    hub = await town[HUB].message("ref-1")
    states = [d.state for d in hub.deliveries if d.kind == "bericht"]
    assert states == [State.DELIVERED]
    assert hub.message.message_id == view.message.message_id


async def test_every_step_is_in_the_trace_in_order(town):
    receipt = await hand_in(town, melding("ref-1"))
    await town.settle()

    trace = events(await town[POLITIE].store.reader.message(receipt.id))
    wanted = [
        "message.handed_in",
        "message.validated",
        "message.classified",
        "message.routed",
        "message.released",
        "delivery.signed",
        "delivery.encrypted",
        "delivery.sent",
        "delivery.acknowledged",
    ]
    assert [e for e in trace if e in wanted] == wanted


@pytest.mark.parametrize(
    "profile", ["osb-be", "osb-be-s", "osb-be-e", "osb-rm", "osb-rm-s", "osb-rm-e"]
)
async def test_every_digikoppeling_profile_carries_it(tmp_path, profile):
    town = await build(tmp_path, profile=profile)

    octets = melding("ref-1")
    await hand_in(town, octets)
    await town.settle()
    (item,) = await waiting(town)

    assert await town[VT].store.payloads.get(item.payload_id) == octets
    await town.close()


async def test_same_hand_in_twice_is_one_message(town):
    octets = melding("ref-1")

    first = await hand_in(town, octets)
    second = await hand_in(town, octets)
    await town.settle()

    assert (second.id, second.fresh) == (first.id, False)
    assert len(await waiting(town)) == 1


async def test_same_reference_with_other_content_is_a_conflict(town):
    await hand_in(town, melding("ref-1"))

    with pytest.raises(DuplicateConflict) as caught:
        await hand_in(town, melding("ref-1").replace(b"Verzonnenstad", b"Verzonnendorp"))
    assert caught.value.code == "duplicate.referentienummer"


async def test_broken_document_is_refused_and_only_written_down(town):
    with pytest.raises(SchemaViolation) as caught:
        await hand_in(town, without(melding("ref-1"), "datumIncident"))

    assert "datumIncident" in " ".join(f.path + f.text + f.remedy for f in caught.value.findings)
    assert await town[POLITIE].message("ref-1") is None
    await town.settle()
    assert town.wire == []


async def test_receiver_that_is_down_gets_it_later_exactly_once(town):
    town[VT].up = False
    await hand_in(town, melding("ref-1"))
    await town.settle()
    assert await waiting(town) == ()

    town[VT].up = True
    for _ in range(4):
        town.clock.forward(seconds=11)
        await town.settle()

    assert len(await waiting(town)) == 1
    hub = await town[HUB].message("ref-1")
    assert State.DELIVERED in {d.state for d in hub.deliveries if d.kind == "bericht"}


async def test_lost_acknowledgements_are_repaired_by_the_senders_retry(town):
    lost = []

    async def lose_signals(me, endpoint, message):
        if b"Acknowledgment" in message.body and me == HUB and len(lost) < 6:
            lost.append(message)
            raise PeerUnreachable("peer.unreachable", "lost")

    town.breaks.append(lose_signals)
    receipt = await hand_in(town, melding("ref-1"))
    for _ in range(14):
        await town.settle()
        town.clock.forward(seconds=11)

    view = await town[POLITIE].store.reader.message(receipt.id)
    assert len(lost) == 6
    assert [d.state for d in view.deliveries] == [State.DELIVERED]
    assert len(await waiting(town)) == 1


async def test_terugkoppeling_goes_back(town):
    reference = str(uuid4())
    octets = document(
        "vtTerugkoppelingDi01",
        zender=Address(oin=VT, applicatie=APPLICATIE[VT]),
        ontvanger=Address(oin=POLITIE, applicatie=APPLICATIE[POLITIE]),
        referentienummer=reference,
        zaak="PL0000-2026000001",
        at=NOW,
    )

    receipt = await town[VT].gateway.hand_in(octets, Aanlevering(), town[VT].backend)
    await town.settle()
    (item,) = await waiting(town, POLITIE)
    await town[POLITIE].gateway.confirm(item.delivery, town[POLITIE].backend)
    await town.settle()

    view = await town[VT].store.reader.message(receipt.id)
    assert view.message.answer == "Bv01Bericht"


async def test_confirming_twice_gives_one_bv01(town):
    await hand_in(town, melding("ref-1"))
    await town.settle()
    (item,) = await waiting(town)

    assert await town[VT].gateway.confirm(item.delivery, town[VT].backend) is True
    assert await town[VT].gateway.confirm(item.delivery, town[VT].backend) is False
    await town.settle()

    known = await town[POLITIE].store.reader.messages(party=None, before=None, limit=100)
    assert [m.kind for m in known].count("Bv01Bericht") == 1


async def test_retry_that_comes_after_its_time_to_live_still_gets_the_acknowledgement(town):
    async def lose_signals(me, endpoint, message):
        if b"Acknowledgment" in message.body and me == HUB:
            raise PeerUnreachable("peer.unreachable", "lost")

    town.breaks.append(lose_signals)
    receipt = await hand_in(town, melding("ref-1"))
    await town.settle()
    sent = next(m for me, to, m, _ in town.wire if me == POLITIE and to == HUB)
    town.breaks.clear()
    town.clock.forward(hours=1)

    answer = await Wire(town, POLITIE).post(
        Endpoint(url="", party=HUB, client_certificate=None), sent
    )
    await town.settle()

    view = await town[POLITIE].store.reader.message(receipt.id)
    assert answer.status == 204
    assert answer.message is None
    assert [d.state for d in view.deliveries] == [State.DELIVERED]


async def test_extra_element_that_nobody_foresaw_is_held(town):
    octets = melding("ref-1").replace(
        b"<JZ:heeftBetrokken ",
        b'<StUF:extraElementen><StUF:extraElement naam="verdachte">x</StUF:extraElement>'
        b"</StUF:extraElementen><JZ:heeftBetrokken ",
        1,
    )

    receipt = await hand_in(town, octets)

    assert receipt.held
    assert "extraElement" in receipt.reasons[0]


async def test_claim_whose_settlement_failed_is_put_back(town):
    calls = []

    async def fail_once(me, endpoint, message):
        if me == POLITIE and not calls:
            calls.append(message)
            raise OSError(24, "too many open files")

    town.breaks.append(fail_once)
    receipt = await hand_in(town, melding("ref-1"))
    with pytest.raises(OSError, match="too many open files"):
        await town.settle()
    await town.settle()

    view = await town[POLITIE].store.reader.message(receipt.id)
    assert [d.state for d in view.deliveries] == [State.DELIVERED]
    assert len(await waiting(town)) == 1


async def test_answer_that_can_not_be_read_leaves_the_message_handed_over(town):
    async def garble(me, endpoint, message):
        if me == POLITIE:
            body = WireMessage(body=b"<ok/>", content_type="text/xml")
            return Answer(status=200, message=body)
        return None

    town.breaks.append(garble)
    receipt = await hand_in(town, melding("ref-1"))
    await town.settle()

    view = await town[POLITIE].store.reader.message(receipt.id)
    assert [d.state for d in view.deliveries] == [State.SENT]
    assert "answer.unreadable" in events(view)


async def test_missing_revocation_list_of_ours_does_not_spend_the_retries(town):
    plain = town[POLITIE].snapshots.current().trust
    await town[POLITIE].change(trust=replace(plain, crls=()))
    receipt = await hand_in(town, melding("ref-1"))
    for _ in range(30):
        await town.settle()
        town.clock.forward(minutes=2)
    await town[POLITIE].change(trust=plain)
    town.clock.forward(minutes=2)
    await town.settle()

    view = await town[POLITIE].store.reader.message(receipt.id)
    assert [d.state for d in view.deliveries] == [State.DELIVERED]
