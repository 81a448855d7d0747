"""Nothing of the police leaves without a release, whatever happens in between."""

import asyncio
import re
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cli.demo.documents import Address, document
from gateway.directory import InForce
from gateway.errors import (
    DuplicateConflict,
    IllegalTransition,
    PeerUnreachable,
    PolicyViolation,
    SchemaViolation,
    StaleSnapshot,
)
from gateway.installation import share
from gateway.keys.ended import EndedMarks
from gateway.keys.epochs import EpochKeys
from gateway.lifecycle import State
from gateway.message import Aanlevering
from gateway.pipeline import Gateway, Weigering
from gateway.ports import Answer
from gateway.rules import approval
from gateway.security import seal
from gateway.store.store import Store
from gateway.worker import Worker
from tests import sealing
from tests.flow import town as towns
from tests.flow.town import APPLICATIE, HALT, HUB, NOW, OM, POLITIE, STANDING, VT

FREE = Aanlevering(acuut=False, onderzoek=False, wpg_artikel="8")
SITUATION = "/vtMeldingDi01/object/betreft/gerelateerde"


def melding(zender=POLITIE, ontvanger=VT, name="vtMeldingDi01", **filled):
    octets = document(
        name,
        zender=Address(oin=zender, applicatie=APPLICATIE[zender]),
        ontvanger=Address(oin=ontvanger, applicatie=APPLICATIE[ontvanger]),
        referentienummer="ref-1",
        zaak="PL0000-2026000001",
        at=NOW,
    )
    return fill(octets, **filled)


def fill(octets, *, aanhouding=None, aangifte=None, registraties=()):
    """Put these texts in the elements that the table knows, where the schema wants them."""
    first = "".join(element("relevanteRegistratie", text) for text in registraties)
    last = element("aanhouding", aanhouding) + element("aangifte", aangifte)
    situation, help_ = b"</JZ:omschrijvingZorgelijkeSituatie>", b"</JZ:bestaandeHulpverlening>"
    octets = octets.replace(situation, situation + first.encode())
    return octets.replace(help_, help_ + last.encode())


def element(name, text):
    return "" if text is None else f"<JZ:{name}>{text}</JZ:{name}>"


def listen(town, answer=None):
    """Count every attempt of the police to send something but its question to the OM."""
    attempts = []

    async def hear(me, endpoint, message):
        if me == POLITIE and b">opsporingsbelang" not in message.body:
            attempts.append((endpoint.party, message))
        return answer

    town.breaks.append(hear)
    return attempts


def said(town):
    """The Actions of all that went over the wire; the header is never encrypted."""
    return {
        found.decode()
        for _, _, message, _ in town.wire
        for found in re.findall(rb"Action>([A-Za-z0-9]+)<", message.body)
    }


async def hand_in(town, octets, aanlevering=FREE, oin=POLITIE):
    return await town[oin].gateway.hand_in(octets, aanlevering, town[oin].backend)


async def only_delivery(town, receipt):
    view = await town[POLITIE].store.reader.message(receipt.id)
    (delivery,) = view.deliveries
    return delivery


async def expect_held(town, receipt, attempts, folder):
    """Held, and never anything else: nothing sealed, claimed, tried or sent."""
    view = await town[POLITIE].store.reader.message(receipt.id)
    (delivery,) = view.deliveries
    assert delivery.state is State.HELD
    assert delivery.attempt == 0
    assert delivery.next_at is None or delivery.next_at <= town.clock.at
    done = {row.event.event for row in view.trace}
    assert not done & {"delivery.claimed", "delivery.signed", "delivery.encrypted", "delivery.sent"}
    assert attempts == []
    assert sealed_rows(folder) == []


def sealed_rows(folder):
    path = folder / POLITIE / "gateway.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(
            "select deliveries.id from deliveries join messages on messages.id = message"
            " where sealed_id is not null and deliveries.kind = 'bericht'"
            " and messages.kind not like 'opsporingsbelang%'"
        ).fetchall()


def gate(**changes):
    return {"gate": replace(towns.directory(POLITIE).gate, **changes)}


def approvals(**changes):
    return gate(approvals=(replace(STANDING, **changes),))


# --- what is held ---------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    why: str
    filled: dict
    aanlevering: Aanlevering
    gate: dict
    ground: str


def case(why, ground, aanlevering=FREE, gate=None, **filled):
    return Case(why, filled, aanlevering, gate or {}, ground)


UNCLASSIFIED = replace(towns.directory(POLITIE).gate.table, messages=frozenset(), rules=())

HELD = (
    case("aanhouding", "individueel", aanhouding="Ja, een van de volwassenen."),
    case("aanhouding_of_one_letter", "individueel", aanhouding="x"),
    case("aanhouding_says_no", "individueel", aanhouding="nee"),
    case("aangifte", "individueel", aangifte="Ja"),
    case("aangifte_no_but", "individueel", aangifte="nee, nog niet"),
    case("registratie", "individueel", registraties=("2025, mishandeling",)),
    case("second_registratie", "individueel", registraties=("x", "y")),
    case("onderzoek", "lopend-onderzoek", replace(FREE, onderzoek=True)),
    case("onderzoek_not_said", "individueel", replace(FREE, onderzoek=None)),
    case("article_not_said", "individueel", replace(FREE, wpg_artikel=None)),
    case("article_empty", "individueel", replace(FREE, wpg_artikel="  ")),
    case(
        "article_without_approval", "geen-doorlopende-toestemming", replace(FREE, wpg_artikel="12")
    ),
    case("nothing_said", "individueel", Aanlevering()),
    case("no_approval", "geen-doorlopende-toestemming", gate=gate(approvals=())),
    case(
        "approval_ended",
        "geen-doorlopende-toestemming",
        gate=approvals(valid_until=NOW - timedelta(hours=1)),
    ),
    case(
        "approval_not_begun",
        "geen-doorlopende-toestemming",
        gate=approvals(valid_from=NOW + timedelta(hours=1)),
    ),
    case(
        "approval_for_other_receiver",
        "geen-doorlopende-toestemming",
        gate=approvals(receivers=frozenset({OM})),
    ),
    case(
        "approval_for_other_message",
        "geen-doorlopende-toestemming",
        gate=approvals(messages=frozenset({"vtTerugkoppelingDi01"})),
    ),
    case("table_does_not_name_it", "niet-geclassificeerd", gate=gate(table=UNCLASSIFIED)),
)


@pytest.mark.parametrize("held", HELD, ids=lambda c: c.why)
async def test_held_message_never_moves(tmp_path, held):
    town = await towns.build(tmp_path)
    attempts = listen(town)
    if held.gate:
        await town[POLITIE].change(**held.gate)

    receipt = await hand_in(town, melding(**held.filled), held.aanlevering)
    await town.settle()

    assert receipt.held
    assert receipt.reasons
    assert held.ground in (await only_delivery(town, receipt)).ground
    await expect_held(town, receipt, attempts, tmp_path)
    await town.close()


@pytest.mark.parametrize("article", ["9", "10", "art. 9", "artikel 10 lid 1 onder a"])
async def test_articles_nine_and_ten_are_refused_and_not_stored(town, article):
    attempts = listen(town)

    with pytest.raises(PolicyViolation) as caught:
        await hand_in(town, melding(), replace(FREE, wpg_artikel=article))
    await town.settle()

    assert caught.value.code == "gate.wpg_article"
    assert await town[POLITIE].message("ref-1") is None
    assert attempts == []


async def test_message_without_criminal_data_under_an_approval_leaves(town):
    attempts = listen(town)

    receipt = await hand_in(town, melding(aangifte="Nee"))
    await town.settle()

    assert not receipt.held
    assert receipt.reasons == ()
    assert (await only_delivery(town, receipt)).state is State.DELIVERED
    assert attempts[0][0] == HUB


async def test_reasons_name_the_element_but_not_what_it_holds(town):
    receipt = await hand_in(
        town, melding(aanhouding="Proefpersoon aangehouden", registraties=("geheim",))
    )

    told = " ".join(receipt.reasons)
    assert f"{SITUATION}/aanhouding" in told
    assert f"{SITUATION}/relevanteRegistratie" in told
    assert "Proefpersoon" not in told
    assert "geheim" not in told


async def test_handing_in_again_tells_the_same_reasons(town):
    first = await hand_in(town, melding(aanhouding="Ja"))
    second = await hand_in(town, melding(aanhouding="Ja"))

    assert not second.fresh
    assert (second.held, second.reasons) == (first.held, first.reasons)
    # With code and path; what else the table says of a line is for the officer.
    told = [(one.rule, one.path, one.text) for one in first.grounds]
    assert [(one.rule, one.path, one.text) for one in second.grounds] == told
    assert all(rule and text for rule, _, text in told)


async def test_handing_in_again_with_kinder_words_does_not_release(town, tmp_path):
    attempts = listen(town)
    receipt = await hand_in(town, melding(), replace(FREE, onderzoek=True))

    with pytest.raises(DuplicateConflict) as caught:
        await hand_in(town, melding(), FREE)
    await town.settle()

    assert caught.value.code == "duplicate.aanlevering"
    await expect_held(town, receipt, attempts, tmp_path)


# --- what happens afterwards ----------------------------------------------------------


async def restart(town, folder, oin=POLITIE):
    """Close the store and open it again, as a new process would."""
    old = town[oin]
    await old.store.close()
    store = Store.open(
        folder / oin / "gateway.db",
        epochs=EpochKeys(folder / oin / "epochs", dice=town.dice),
        ended=EndedMarks(folder / oin / "epochs"),
        clock=town.clock,
        dice=town.dice,
        writer_id="again",
        inline=True,
    )
    await store.sync_epoch(old.snapshots.current().fingerprint)
    house = replace(
        old.gateway._house,
        inbox=store.inbox,
        payloads=store.payloads,
        queue=store.queue,
        signals=store.signals,
        postvak=store.postvak,
        reader=store.reader,
    )
    old.store, old.gateway = store, Gateway(house)
    old.worker = Worker(
        name="again", gateway=old.gateway, queue=store.queue, bell=store.bell, clock=town.clock
    )


async def test_held_stays_held_through_restart_sweeps_and_epochs(town, tmp_path):
    attempts = listen(town)
    receipt = await hand_in(town, melding(aanhouding="Ja"))

    for hours in (0, 1, 23, 24, 48):
        town.clock.forward(hours=hours)
        await town[POLITIE].store.queue.sweep(worker="sweeper")
        await town[POLITIE].change()
        await restart(town, tmp_path)
        await town.settle()

    await expect_held(town, receipt, attempts, tmp_path)


async def test_new_approval_does_not_release_what_is_held(town, tmp_path):
    attempts = listen(town)
    await town[POLITIE].change(**gate(approvals=()))
    receipt = await hand_in(town, melding())

    await town[POLITIE].change(**gate(approvals=(STANDING,)))
    await town.settle()

    await expect_held(town, receipt, attempts, tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        gate(approvals=()),
        approvals(id="another"),
        approvals(valid_until=NOW),
        approvals(receivers=frozenset({OM})),
        approvals(messages=frozenset()),
    ],
    ids=["withdrawn", "renamed", "ended", "other_receiver", "other_message"],
)
async def test_release_that_ends_before_the_claim_holds_again(town, tmp_path, changes):
    attempts = listen(town)
    receipt = await hand_in(town, melding())
    assert (await only_delivery(town, receipt)).state is State.READY

    await town[POLITIE].change(**changes)
    await town.settle()

    delivery = await only_delivery(town, receipt)
    assert delivery.state is State.HELD
    assert delivery.ground == "geen-doorlopende-toestemming"
    assert attempts == []
    assert sealed_rows(tmp_path) == []
    trace = (await town[POLITIE].store.reader.message(receipt.id)).trace
    assert "delivery.held_again" in [row.event.event for row in trace]


async def test_approval_that_ends_by_the_clock_holds_again(town):
    attempts = listen(town)
    await town[POLITIE].change(**approvals(valid_until=NOW + timedelta(hours=1)))
    receipt = await hand_in(town, melding())

    town.clock.forward(hours=2)
    await town.settle()

    assert (await only_delivery(town, receipt)).state is State.HELD
    assert attempts == []


async def test_approval_withdrawn_between_two_attempts_stops_the_second(town):
    tries = []

    async def fail(me, endpoint, message):
        if me == POLITIE:
            tries.append(message)
            raise PeerUnreachable("peer.unreachable", "down")

    town.breaks.append(fail)
    receipt = await hand_in(town, melding())
    await town.settle()
    assert len(tries) == 1

    await town[POLITIE].change(**gate(approvals=()))
    for _ in range(5):
        town.clock.forward(minutes=1)
        await town.settle()

    assert len(tries) == 1
    assert (await only_delivery(town, receipt)).state is State.HELD


async def test_approval_withdrawn_while_the_acknowledgment_is_awaited_stops_the_retry(town):
    attempts = listen(town, Answer(status=204))
    receipt = await hand_in(town, melding())
    await town.settle()
    assert len(attempts) == 1

    await town[POLITIE].change(**gate(approvals=()))
    for _ in range(5):
        town.clock.forward(minutes=1)
        await town.settle()

    assert len(attempts) == 1
    assert (await only_delivery(town, receipt)).state is State.HELD


async def test_nothing_leaves_on_an_approval_while_the_clock_stands_back(town):
    attempts = listen(town)
    receipt = await hand_in(town, melding())

    town.clock.forward(minutes=-30)
    await town.settle()

    assert attempts == []
    assert (await only_delivery(town, receipt)).state is State.READY


async def test_message_thought_with_an_older_directory_is_not_admitted(town):
    attempts = listen(town)
    await town[POLITIE].store.sync_epoch("moved by another process")

    with pytest.raises(StaleSnapshot):
        await hand_in(town, melding())

    assert await town[POLITIE].message("ref-1") is None
    assert attempts == []


# --- what is not gated ----------------------------------------------------------------


async def test_answer_of_veilig_thuis_to_the_police_is_not_gated(town):
    octets = melding(VT, POLITIE, "vtTerugkoppelingDi01")

    receipt = await hand_in(town, octets, Aanlevering(), VT)
    await town.settle()

    view = await town[VT].store.reader.message(receipt.id)
    assert not receipt.held
    assert [(d.state, d.ground) for d in view.deliveries] == [(State.DELIVERED, "niet-gegate")]


async def test_halt_is_not_gated(tmp_path):
    town = await towns.build(tmp_path, parties=(HALT, HUB, VT))

    receipt = await hand_in(town, melding(HALT, aanhouding="Ja"), Aanlevering(), HALT)
    await town.settle()

    assert not receipt.held
    view = await town[HALT].store.reader.message(receipt.id)
    assert [d.state for d in view.deliveries] == [State.DELIVERED]
    await town.close()


# --- whatever stands there ------------------------------------------------------------

WORDS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "nee", "Nee", " GEEN ", "n.v.t.", "nvt", "ja", "nee maar", "x"]),
    st.text(alphabet="neN gvt.aj\n", max_size=8),
)
ARTICLES = st.sampled_from([None, "", "8", " 8 ", "13", "9", "10", "art. 9", "12", "8 en 9"])


def harmless(aanhouding, aangifte, registraties, aanlevering):
    words = " ".join((aangifte or "").split()).casefold()
    return (
        not (aanhouding or "").strip()
        and words in {"", "nee", "geen", "n.v.t.", "nvt"}
        and not any((r or "").strip() for r in registraties)
        and aanlevering.onderzoek is False
        and (aanlevering.wpg_artikel or "").strip() in {"8", "13"}
    )


async def try_to_send(folder, octets, aanlevering):
    """Return how often something was sent, and whether the message was taken in."""
    town = await towns.build(folder, parties=(POLITIE,))
    attempts = listen(town, Answer(status=204))
    taken = True
    try:
        await hand_in(town, octets, aanlevering)
    except (PolicyViolation, SchemaViolation):
        taken = False
    await town.settle()
    await town.close()
    return len(attempts), taken


@settings(max_examples=40, deadline=None)
@given(
    aanhouding=WORDS,
    aangifte=WORDS,
    registraties=st.lists(WORDS, max_size=2),
    onderzoek=st.sampled_from([False, False, True, None]),
    article=ARTICLES,
)
def test_wire_stays_empty_unless_all_is_harmless(
    aanhouding, aangifte, registraties, onderzoek, article
):
    aanlevering = Aanlevering(acuut=False, onderzoek=onderzoek, wpg_artikel=article)
    octets = melding(aanhouding=aanhouding, aangifte=aangifte, registraties=registraties)
    with tempfile.TemporaryDirectory() as folder:
        sent, taken = asyncio.run(try_to_send(Path(folder), octets, aanlevering))

    expected = harmless(aanhouding, aangifte, registraties, aanlevering)
    assert sent == int(taken and expected)


# --- the seal -------------------------------------------------------------------------


def seal_of(released, octets):
    agreed = sealing.agreement()
    channel = agreed.bindings[0].channel
    return seal.sign_message(
        released,
        sealing.header(agreed),
        (sealing.payload(octets),),
        channel=channel,
        signer=sealing.keys().signer(channel.signing.certificate),
    )


def test_seal_takes_the_released_octets_only():
    released = approval.own(sha256(sealing.DOCUMENT).hexdigest())

    assert seal_of(released, sealing.DOCUMENT).references
    for other in (sealing.DOCUMENT + b" ", b"", sealing.DOCUMENT.replace(b"Zo", b"Za")):
        with pytest.raises(IllegalTransition):
            seal_of(released, other)


def test_seal_does_not_take_a_hold():
    hold = approval.Hold(kinds=(), reasons=())

    with pytest.raises(AttributeError):
        seal_of(hold, sealing.DOCUMENT)


# --- other ways round -----------------------------------------------------------------


async def test_answer_with_free_text_can_not_be_handed_in(town):
    octets = (share("schemas") / "1.0.9" / "examples" / "Fo01Bericht.xml").read_bytes()

    with pytest.raises(PolicyViolation) as caught:
        await hand_in(town, octets)
    await town.settle()

    assert caught.value.code == "bericht.antwoord"
    assert town.wire == []


async def test_words_of_a_weigering_by_the_politie_do_not_leave_it(town):
    octets = document(
        "vtTerugkoppelingDi01",
        zender=Address(oin=VT, applicatie=APPLICATIE[VT]),
        ontvanger=Address(oin=POLITIE, applicatie=APPLICATIE[POLITIE]),
        referentienummer="terug-1",
        zaak="PL0000-2026000001",
        at=NOW,
    )
    await town[VT].gateway.hand_in(octets, Aanlevering(), town[VT].backend)
    await town.settle()
    (item,) = await town[POLITIE].store.postvak.take(
        gate=InForce(),
        party=POLITIE,
        applicaties=(APPLICATIE[POLITIE],),
        consumer="test",
        limit=1,
        lease=timedelta(minutes=1),
    )

    words = Weigering(code="X1", omschrijving="Verdachte is aangehouden", details="in onderzoek")
    await town[POLITIE].gateway.refuse(item.delivery, town[POLITIE].backend, words)
    await town.settle()

    fo01 = next(
        k
        for k in await town[VT].store.reader.messages(party=None, before=None, limit=10)
        if k.kind == "Fo01Bericht"
    )
    told = await town[VT].store.payloads.get(fo01.payload_id)
    assert b"X1" in told
    assert b"aangehouden" not in told
    assert b"onderzoek" not in told


@pytest.mark.parametrize("words", [b"<!-- verdachte -->", b"<?verdachte aangehouden?>"])
async def test_words_outside_the_elements_are_held(town, words):
    octets = melding().replace(b"<JZ:object ", words + b"<JZ:object ", 1)

    receipt = await hand_in(town, octets)
    await town.settle()

    assert receipt.held
    assert not any(words in m.body for _, _, m, _ in town.wire)
    assert said(town) <= {"opsporingsbelangVerzoekDi01", "Acknowledgment"}


async def test_other_classification_table_holds_what_waited(town):
    receipt = await hand_in(town, melding())
    table = replace(town[POLITIE].snapshots.current().gate.table, version="een andere")
    await town[POLITIE].change(**gate(table=table))
    await town.settle()

    assert (await only_delivery(town, receipt)).state is State.HELD
    assert town.wire == []
