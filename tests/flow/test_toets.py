"""What the police sends and the OM must decide on: held, asked, decided, and only then sent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.catalogue import Catalogue, Direction, Role
from gateway.config import GateMode
from gateway.directory import Condition, InForce
from gateway.errors import PolicyViolation
from gateway.lifecycle import State
from gateway.ports import RequestsWanted, VerdictState
from gateway.rules.officers import Wish
from gateway.web.api import shapes
from gateway.wire.stuf import read_document
from gateway.wire.toets import VERZOEK, VOORWAARDEN, Uitkomst, Voorwaarde
from gateway.wire.toets_read import read_verzoek
from tests.flow import town as towns
from tests.flow.test_gate import FREE, hand_in, melding
from tests.flow.town import HALT, HUB, OM, POLITIE, VT

RELEASE = Wish(outcome=Uitkomst.VRIJGEVEN, ground="Aanwijzing 15.5.1; geen opsporingsbelang.")
REFUSE = Wish(
    outcome=Uitkomst.NIET, ground="Aanwijzing 8.2.", told="Belang van opsporing en vervolging."
)


@pytest.fixture
async def town(tmp_path):
    made = await towns.build(tmp_path, parties=(POLITIE, HUB, VT, OM))
    yield made
    await made.close()


async def held(town):
    receipt = await hand_in(town, melding(aanhouding="ja, ter plaatse"))
    await town.settle()
    assert receipt.held
    return receipt


async def the_request(town, at=OM):
    (request,) = await town[at].gateway.deciding.requests(RequestsWanted())
    return request


async def decide(town, wish=RELEASE, officer="anders"):
    request = await the_request(town)
    verdict = await town[OM].gateway.deciding.decide(request.id, officer=officer, wish=wish)
    await town.settle()
    return verdict


async def state_of(town, receipt):
    view = await town[POLITIE].store.reader.message(receipt.id)
    return view.deliveries[0].state


async def arrived(town, oin=VT):
    messages = await town[oin].store.reader.messages(party=None, before=None, limit=50)
    return [m.kind for m in messages]


async def test_the_om_gets_exactly_the_octets_with_the_reasons(town):
    octets = melding(aanhouding="ja, ter plaatse")
    await hand_in(town, octets)
    await town.settle()

    request = await the_request(town)

    assert request.soort == "vtMeldingDi01"
    assert request.recipient == VT
    assert [r.rule for r in request.reasons] == ["OM-001"]
    read = await town[OM].gateway.deciding.read(request.id, officer="anders", purpose="toets")
    assert read == octets
    assert await arrived(town) == []


async def test_released_and_delivered(town):
    receipt = await held(town)

    verdict = await decide(town)

    assert await state_of(town, receipt) is State.DELIVERED
    assert "vtMeldingDi01" in await arrived(town)
    assert (await town[OM].gateway.deciding.case(verdict.request)).verdicts[0].state is (
        VerdictState.GIVEN
    )
    assert await town[OM].gateway.deciding.requests(RequestsWanted()) == ()


async def test_refused_and_the_police_is_told_why(town):
    receipt = await held(town)

    await decide(town, REFUSE)

    assert await state_of(town, receipt) is State.WITHHELD
    assert await arrived(town) == []
    (ruling,) = await town[POLITIE].store.holds.rulings(receipt.id)
    assert ruling.told == "Belang van opsporing en vervolging."


@pytest.mark.parametrize("known", [True, False])
async def test_the_police_learns_whether_the_receiver_may_know(town, known):
    receipt = await held(town)

    await decide(town, replace(REFUSE, known=known))

    (ruling,) = await town[POLITIE].store.holds.rulings(receipt.id)
    assert ruling.known is known
    view = await town[POLITIE].store.reader.message(receipt.id)
    (told,) = shapes.message(view, (ruling,)).toets
    assert told.bekend is known


async def test_withdrawn_in_time_it_is_held_again(town):
    receipt = await held(town)
    town.breaks.append(_down(POLITIE))
    await hand_in(town, melding().replace(b"ref-1", b"ref-2"))
    await town.settle()  # the way out is found to be down
    verdict = await decide(town)
    town.breaks.clear()
    view = await town[POLITIE].store.reader.message(receipt.id)
    assert [(d.state, d.attempt) for d in view.deliveries] == [(State.READY, 0)]

    await town[OM].gateway.deciding.withdraw(verdict.id, officer="anders", why="nieuw feit")
    await town.settle()

    assert await state_of(town, receipt) is State.HELD
    town.clock.forward(hours=1)
    await town.settle()
    assert await state_of(town, receipt) is State.HELD
    assert len(await town[POLITIE].store.holds.of_message(receipt.id)) == 2


async def test_withdrawn_too_late_the_om_is_told(town):
    receipt = await held(town)
    verdict = await decide(town)

    await town[OM].gateway.deciding.withdraw(verdict.id, officer="anders", why="nieuw feit")
    await town.settle()

    assert await state_of(town, receipt) is State.DELIVERED
    answers = await town[OM].store.reader.messages(party=None, before=None, limit=50)
    assert "Fo01Bericht" in [m.kind for m in answers]


async def test_a_refusal_is_not_taken_back(town):
    receipt = await held(town)
    verdict = await decide(town, REFUSE)

    with pytest.raises(PolicyViolation, match=r"toets\.status"):
        await town[OM].gateway.deciding.withdraw(verdict.id, officer="anders", why="nieuw feit")
    await town.settle()

    assert await state_of(town, receipt) is State.WITHHELD


async def test_what_can_not_be_put_to_the_om_does_not_keep_the_others_waiting(town):
    here = town[POLITIE].snapshots.current()
    await town[POLITIE].change(parties={o: p for o, p in here.parties.items() if o != OM})
    long = melding(aanhouding="ja").replace(
        b"</JZ:vtMeldingDi01>", b" " * 2_200_000 + b"</JZ:vtMeldingDi01>"
    )
    await hand_in(town, long)
    await hand_in(town, melding(aanhouding="ja").replace(b"ref-1", b"ref-2"))
    small = replace(here.limits, payload_bytes=20_000)
    await town[POLITIE].change(parties=here.parties, limits=small)

    await town.keep_house()

    assert (await the_request(town)).referentienummer == "ref-2"
    (alarm,) = await town[POLITIE].store.reader.alarms(limit=20)
    assert alarm.code == "toets.geen_route"


async def test_nothing_is_asked_any_more_of_what_was_given_up_at_the_knooppunt(town):
    await with_gate(town, GateMode.HERE)
    await without_rules(town)
    await hand_in(town, melding(aanhouding="ja"))
    await town.settle()
    await town.keep_house()
    request = await the_request(town, HUB)
    (hold,) = await town[HUB].store.holds.of_message((await the_message(town)).id)
    await town[HUB].store.decisions.stop(hold.delivery, who="beheer", why="dubbel")

    await town.keep_house()

    desk = town[HUB].gateway.deciding
    assert await desk.requests(RequestsWanted()) == ()
    assert (await desk.case(request.id)).request.outcome == "vervallen"


async def test_conditions_travel_in_a_message_of_their_own(town):
    receipt = await held(town)
    terms = (Voorwaarde(code="V1", tekst="Niet delen met betrokkenen.", aanvaarding=False),)
    wish = replace(RELEASE, outcome=Uitkomst.ONDER_VOORWAARDEN, conditions=terms)

    await decide(town, wish)

    assert await state_of(town, receipt) is State.DELIVERED
    assert set(await arrived(town)) == {"vtMeldingDi01", "verstrekkingsvoorwaardenDi01"}


async def test_the_hold_warns_before_the_time_of_the_sender_is_over(town):
    receipt = await held(town)
    town.clock.forward(hours=71)

    await town.keep_house()

    codes = {a.code for a in await town[POLITIE].store.reader.alarms(limit=20)}
    assert "toets.wacht" in codes
    assert await state_of(town, receipt) is State.HELD


@pytest.mark.parametrize("role", [Role.POLITIE, Role.OM], ids=str)
async def test_for_another_police_and_another_om_it_is_decided_too(tmp_path, role):
    """The gate stands before whoever is not the OM that confirmed it, so that OM decides."""
    town = await towns.build(tmp_path, parties=(POLITIE, HUB, HALT, OM))
    for installation in town.installations.values():
        await with_another(installation, role)
    receipt = await hand_in(town, melding(ontvanger=HALT, name="ucobDi01"))
    await town.settle()
    assert receipt.held

    await decide(town)

    assert await state_of(town, receipt) is State.DELIVERED
    assert await arrived(town, HALT) == ["ucobDi01"]
    await town.close()


async def with_another(installation, role):
    """The place of Halt is taken by a second police, or OM; the police may send to both."""
    here = installation.snapshots.current()
    kinds, place = here.catalogue.kinds, ("ucobDi01", towns.VERSION)
    wider = kinds[place].directions | {Direction(Role.POLITIE, Role.POLITIE)}
    await installation.change(
        catalogue=Catalogue({**kinds, place: replace(kinds[place], directions=wider)}),
        parties={**here.parties, HALT: replace(here.parties[HALT], role=role)},
        deciding=here.deciding.model_copy(update={"om": OM}),
    )


def _down(oin):
    async def breaks(me, endpoint, message):
        if me == oin:
            raise towns.PeerUnreachable("peer.unreachable", "down")

    return breaks


# --- a knooppunt with a gate ----------------------------------------------------------


async def with_gate(town, mode):
    parties = town[HUB].snapshots.current().parties
    police = replace(parties[POLITIE], gate=mode)
    await town[HUB].change(parties={**parties, POLITIE: police})


async def without_rules(town):
    """The police's own gate lets everything by."""
    gate = town[POLITIE].snapshots.current().gate
    await town[POLITIE].change(gate=replace(gate, table=replace(gate.table, rules=())))


async def at_hub(town):
    view = await town[HUB].store.reader.message((await the_message(town)).id)
    return next(d.state for d in view.deliveries if d.recipient == VT)


async def the_message(town, kind="vtMeldingDi01"):
    messages = await town[HUB].store.reader.messages(party=None, before=None, limit=50)
    (message,) = [m for m in messages if m.kind == kind]
    return message


def saying(octets, **said):
    """Say it in extraElementen (domain 9.3); None is unsaid."""
    elements = "".join(
        f'<StUF:extraElement naam="{name}">{text}</StUF:extraElement>'
        for name, text in said.items()
        if text is not None
    )
    place = b'<JZ:betreft StUF:entiteittype="VTMZOS"'
    assert octets.count(place) == 1
    more = f"<StUF:extraElementen>{elements}</StUF:extraElementen>" if elements else ""
    return octets.replace(place, more.encode() + place)


async def test_a_second_gate_lets_pass_what_it_saw_a_decision_for(town):
    await with_gate(town, GateMode.DECISION)
    receipt = await held(town)

    await decide(town)

    assert await state_of(town, receipt) is State.DELIVERED
    assert await at_hub(town) is State.DELIVERED


async def test_a_second_gate_holds_what_comes_without_a_decision(town):
    """A police whose own gate was switched off."""
    await with_gate(town, GateMode.DECISION)
    await without_rules(town)
    receipt = await hand_in(town, melding(aanhouding="ja"))
    await town.settle()

    assert not receipt.held
    assert await at_hub(town) is State.HELD
    assert await arrived(town) == []


async def test_an_ordinary_message_passes_the_second_gate(town):
    await with_gate(town, GateMode.DECISION)
    await hand_in(town, melding())
    await town.settle()

    assert await arrived(town) == ["vtMeldingDi01"]


async def test_without_access_points_the_om_decides_at_the_knooppunt(town):
    await with_gate(town, GateMode.HERE)
    await without_rules(town)
    await hand_in(town, melding(aanhouding="ja"))
    await town.settle()
    assert await at_hub(town) is State.HELD
    await town.keep_house()

    request = await the_request(town, HUB)
    await town[HUB].gateway.deciding.decide(request.id, officer="bos", wish=RELEASE)
    await town.settle()

    assert await at_hub(town) is State.DELIVERED
    assert await arrived(town) == ["vtMeldingDi01"]


@pytest.mark.parametrize(("said", "hours"), [("ja", 24), ("nee", 72), (None, 72)])
async def test_a_knooppunt_holds_for_as_long_as_the_sender_has(town, said, hours):
    await with_gate(town, GateMode.HERE)
    await without_rules(town)

    await hand_in(town, saying(melding(aanhouding="ja"), acuut=said))
    await town.settle()

    (hold,) = await town[HUB].store.holds.of_message((await the_message(town)).id)
    assert hold.deadline - hold.at == timedelta(hours=hours)


async def test_conditions_that_must_be_accepted_wait_for_the_receiver(town):
    receipt = await held(town)
    terms = (Voorwaarde(code="V1", tekst="Alleen voor triage.", aanvaarding=True),)
    wish = replace(RELEASE, outcome=Uitkomst.ONDER_VOORWAARDEN, conditions=terms)
    await decide(town, wish)
    assert await state_of(town, receipt) is State.HELD
    assert await arrived(town) == ["verstrekkingsvoorwaardenDi01"]

    vt = town[VT]
    (item,) = await vt.store.postvak.take(
        party=VT,
        applicaties=vt.backend.applicaties,
        consumer="x",
        limit=5,
        lease=timedelta(minutes=5),
        gate=InForce(),
    )
    await vt.gateway.confirm(item.delivery, vt.backend)
    await town.settle()

    assert await state_of(town, receipt) is State.DELIVERED


# --- standing approvals ---------------------------------------------------------------


def standing(**changes):
    gate = towns.directory(POLITIE).gate
    return replace(gate, approvals=(replace(towns.STANDING, **changes),))


async def test_conditions_of_a_standing_approval_go_with_each_message(town):
    terms = (Condition(code="V1", text="Niet delen met betrokkenen."),)
    await town[POLITIE].change(gate=standing(conditions=terms))

    receipt = await hand_in(town, melding())
    await town.settle()

    assert not receipt.held
    assert set(await arrived(town)) == {"vtMeldingDi01", "verstrekkingsvoorwaardenDi01"}


async def test_without_a_way_to_tell_its_conditions_it_is_held(town):
    terms = (Condition(code="V1", text="Niet delen met betrokkenen."),)
    here = town[POLITIE].snapshots.current()
    mute = {
        id_: replace(one, bindings=tuple(b for b in one.bindings if b.action != VOORWAARDEN))
        for id_, one in here.agreements.items()
    }
    await town[POLITIE].change(gate=standing(conditions=terms), agreements=mute)

    receipt = await hand_in(town, melding())
    await town.settle()

    assert receipt.held
    assert receipt.reasons == (
        "De voorwaarden van de doorlopende toestemming zijn de ontvanger niet te melden.",
    )
    assert await arrived(town) == []


@pytest.mark.parametrize(("said", "passes"), [("nee", True), ("ja", False)])
async def test_what_the_sender_says_in_the_message_counts_at_the_knooppunt(town, said, passes):
    """A police without an access point says it in extraElementen (domain 9.3)."""
    await with_gate(town, GateMode.HERE)
    await town[HUB].change(gate=towns.directory(POLITIE).gate)
    await without_rules(town)
    await hand_in(town, saying(melding(), onderzoek=said, wpgArtikel="8"))
    await town.settle()

    assert await arrived(town) == (["vtMeldingDi01"] if passes else [])
    assert await at_hub(town) is (State.DELIVERED if passes else State.HELD)


async def test_a_standing_approval_that_the_om_withdraws_ends_at_the_police(town):
    police, om = town[POLITIE], town[OM].gateway.deciding
    town.breaks.append(_down(POLITIE))
    first = await hand_in(town, melding())
    await hand_in(town, melding().replace(b"ref-1", b"ref-2"))
    await town.settle()

    await om.revoke(towns.STANDING.id, officer="anders", why="nieuw feit", holder=POLITIE)
    await town.settle()
    town.breaks.clear()
    town.clock.forward(hours=1)
    await town.settle()

    assert await police.store.holds.revoked() == {towns.STANDING.id}
    assert await state_of(town, first) is State.HELD
    assert "vtMeldingDi01" not in await arrived(town)


# --- a partial answer, and one in the place of another ----------------------------------


async def test_the_part_without_criminal_data_goes_and_the_rest_is_linked_to_it(town):
    part = await hand_in(town, melding())
    rest = melding(aanhouding="ja").replace(b"ref-1", b"ref-2")
    linked = await hand_in(town, rest, replace(FREE, deel_van="ref-1"))
    await town.settle()

    assert await state_of(town, part) is State.DELIVERED
    assert await state_of(town, linked) is State.HELD
    view = await town[POLITIE].store.reader.message(linked.id)
    assert view.message.aanlevering.deel_van == "ref-1"
    (asked,) = [
        m
        for m in await town[OM].store.reader.messages(party=None, before=None, limit=9)
        if m.kind == VERZOEK
    ]
    octets = await town[OM].store.payloads.get(asked.payload_id)
    assert read_verzoek(read_document(octets)).deel_van == "ref-1"


async def test_what_was_sent_back_is_replaced_by_a_reduced_one(town):
    receipt = await held(town)
    await decide(town, replace(REFUSE, outcome=Uitkomst.TERUG))

    reduced = melding().replace(b"ref-1", b"ref-2")
    again = await hand_in(town, reduced, replace(FREE, vervangt="ref-1"))
    await town.settle()

    assert await state_of(town, receipt) is State.WITHHELD
    assert await state_of(town, again) is State.DELIVERED


@pytest.mark.parametrize("said", [{"deel_van": "ref-9"}, {"vervangt": "ref-2"}])
async def test_a_link_to_what_was_never_handed_in_is_refused(town, said):
    with pytest.raises(PolicyViolation, match=r"aanlevering\.verwijzing"):
        await hand_in(town, melding().replace(b"ref-1", b"ref-2"), replace(FREE, **said))
