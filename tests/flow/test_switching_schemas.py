"""Schema packs in running installations: from a moment on, per partner, two versions beside."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.cli.demo.documents import Address, document
from gateway.errors import PeerUnreachable, SchemaViolation
from gateway.installation_packs import with_activated
from gateway.packs.shelf import Shelf
from gateway.schemapack import Activations
from tests import packs
from tests.flow.test_melding import PLAIN, hand_in, melding, waiting
from tests.flow.town import APPLICATIE, HALT, HUB, NOW, POLITIE, SERVICE, VT, build, directory

HOUR = timedelta(hours=1)
OTHER, OTHER_SERVICE = "1.0.7", "jz:corv:1.0.7"


@pytest.fixture(scope="module")
def shelved(tmp_path_factory):
    """Packs `strict` (the built-in XSDs), `longer`, and `other`: longer under another version."""
    folder = tmp_path_factory.mktemp("shelf")
    shelf = Shelf(folder / "packs")
    strict = packs.folder(folder / "strict", packs.own())
    longer = packs.folder(folder / "longer", packs.longer_phone())
    return {
        "strict": packs.installed(shelf, "strict", strict),
        "longer": packs.installed(shelf, "longer", longer),
        "other": packs.installed(shelf, "other", longer, OTHER),
    }


def longer(reference, zender=POLITIE):
    """A melding that only the pack `longer` takes."""
    octets = document(
        "vtMeldingDi01",
        zender=Address(oin=zender, applicatie=APPLICATIE[zender]),
        ontvanger=Address(oin=VT, applicatie=APPLICATIE[VT]),
        referentienummer=reference,
        zaak="PL0000-2026000001",
        at=NOW,
    )
    return packs.with_longer_phone(octets)


async def activated(town, shelved, *lines, at=()):
    """Give every installation, or those named, these activations."""
    for oin in at or town.installations:
        await town[oin].change(packs=shelved, activations=Activations(lines))


async def handed_in(town, oin, octets):
    return await town[oin].gateway.hand_in(octets, PLAIN, town[oin].backend)


async def came(town):
    """Reference numbers of what came for Veilig Thuis."""
    return {item.message.referentienummer for item in await waiting(town)}


async def answer_to(town, oin, reference):
    return (await town[oin].message(reference)).message.answer


async def test_a_hand_in_is_judged_by_the_new_pack_from_its_moment_on(town, shelved):
    moment = town.clock.at + HOUR
    await activated(town, shelved, packs.activation(shelved["longer"], since=moment))
    with pytest.raises(SchemaViolation) as caught:
        await hand_in(town, longer("ref-1"))
    epoch = town[POLITIE].snapshots.current().epoch
    town.clock.forward(hours=1)

    await hand_in(town, longer("ref-2"))
    await town.settle()

    assert caught.value.code == "schema.lang"
    assert town[POLITIE].snapshots.current().epoch == epoch
    assert await came(town) == {"ref-2"}


async def test_what_comes_in_is_judged_by_the_new_pack_from_its_moment_on(town, shelved):
    new = packs.activation(shelved["longer"], since=NOW)
    await activated(town, shelved, new, at=(POLITIE, VT))
    later = packs.activation(shelved["longer"], since=town.clock.at + HOUR)
    await activated(town, shelved, packs.activation(shelved["strict"]), later, at=(HUB,))

    await hand_in(town, longer("ref-1"))
    await town.settle()
    town.clock.forward(hours=1)
    await hand_in(town, longer("ref-2"))
    await town.settle()

    assert await answer_to(town, POLITIE, "ref-1") == "Fo01Bericht"
    assert await came(town) == {"ref-2"}


async def test_what_was_taken_in_just_before_is_not_judged_again(town, shelved):
    """Its acknowledgement was lost, and it comes again after the moment."""
    await activated(town, shelved, packs.activation(shelved["longer"]))
    moment = town.clock.at + timedelta(seconds=5)
    strict = packs.activation(shelved["strict"], since=moment)
    await activated(town, shelved, packs.activation(shelved["longer"]), strict, at=(HUB,))
    posted = []

    async def lose_the_answers(me, endpoint, message):
        """Both the one in the connection and the acknowledgement that follows."""
        if me == POLITIE:
            posted.append(town.clock.at < moment)
            if len(posted) == 1:
                await town.carry(me, endpoint.party, message)
                town.clock.at = moment
                raise PeerUnreachable("peer.unreachable", "the answer is lost")
        if endpoint.party == POLITIE and len(posted) == 1:
            raise PeerUnreachable("peer.unreachable", "the acknowledgement is lost")

    town.breaks.append(lose_the_answers)
    await hand_in(town, longer("ref-1"))
    await town.settle()
    for _ in range(3):
        town.clock.forward(seconds=30)
        await town.settle()

    assert posted[:2] == [True, False]
    assert await came(town) == {"ref-1"}
    assert await answer_to(town, POLITIE, "ref-1") == ""


async def test_a_partner_may_be_judged_by_a_pack_of_its_own(tmp_path, shelved):
    town = await build(tmp_path, parties=(POLITIE, HALT, HUB, VT))
    everywhere = packs.activation(shelved["longer"])
    await activated(town, shelved, everywhere, at=(POLITIE, HALT, VT))
    await activated(town, shelved, replace(everywhere, partner=POLITIE), at=(HUB,))

    await handed_in(town, POLITIE, longer("ref-1"))
    await handed_in(town, HALT, longer("ref-2", HALT))
    await town.settle()

    assert await came(town) == {"ref-1"}
    assert await answer_to(town, HALT, "ref-2") == "Fo01Bericht"
    await town.close()


async def test_a_hand_in_is_judged_by_the_pack_of_the_leg_it_takes(town, shelved):
    """The politie hands in for Veilig Thuis; its agreement is with the knooppunt."""
    longer_for = packs.activation(shelved["longer"], partner=VT)
    await activated(town, shelved, longer_for, at=(POLITIE,))
    with pytest.raises(SchemaViolation):
        await hand_in(town, longer("ref-1"))
    await activated(town, shelved, replace(longer_for, partner=HUB), at=(POLITIE,))

    receipt = await hand_in(town, longer("ref-2"))

    assert receipt.fresh


def two_services(me, profile, terms):
    """Halt speaks the other version, Veilig Thuis both."""
    base = directory(me, profile, terms)
    changed = {id_: _services(agreement) for id_, agreement in base.agreements.items()}
    return replace(base, agreements=changed, services={**base.services, OTHER_SERVICE: OTHER})


def _services(agreement):
    others = tuple(replace(b, service=OTHER_SERVICE) for b in agreement.bindings)
    parties = {party.id for party in agreement.parties}
    if HALT in parties:
        return replace(agreement, bindings=others)
    if VT in parties:
        return replace(agreement, bindings=(*agreement.bindings, *others))
    return agreement


@pytest.mark.parametrize(
    "activated_too",
    [("Bv01Bericht", "Fo01Bericht"), ()],
    ids=["answers of the pack", "answers of the house"],
)
async def test_two_versions_live_side_by_side(tmp_path, shelved, activated_too):
    town = await build(tmp_path, parties=(POLITIE, HALT, HUB, VT), directories=two_services)
    lines = Activations(
        tuple(
            packs.activation(shelved["other"], name) for name in ("vtMeldingDi01", *activated_too)
        )
    )
    for oin in town.installations:
        catalogue = with_activated(town[oin].snapshots.current().catalogue, lines, shelved)
        await town[oin].change(packs=shelved, activations=lines, catalogue=catalogue)

    await handed_in(town, HALT, longer("ref-halt", HALT))
    await handed_in(town, POLITIE, melding("ref-politie"))
    with pytest.raises(SchemaViolation):
        await handed_in(town, POLITIE, longer("ref-lang"))
    await town.settle()
    items = await waiting(town)
    for item in items:
        await town[VT].gateway.confirm(item.delivery, town[VT].backend)
    await town.settle()

    assert {item.message.referentienummer for item in items} == {"ref-halt", "ref-politie"}
    assert await answer_to(town, HALT, "ref-halt") == "Bv01Bericht"
    assert await answer_to(town, POLITIE, "ref-politie") == "Bv01Bericht"
    assert SERVICE in town[HUB].snapshots.current().services


async def test_a_refusal_is_explained_by_the_pack_that_refused(town, shelved):
    await activated(town, shelved, packs.activation(shelved["longer"]))
    octets = melding("ref-1").replace(b">0880000000<", b">" + b"9" * 81 + b"<")

    with pytest.raises(SchemaViolation) as caught:
        await hand_in(town, octets)

    (finding,) = caught.value.findings
    assert "80" in finding.remedy
    assert "999" not in repr(finding)
