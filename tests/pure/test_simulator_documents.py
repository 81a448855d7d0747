"""What the players of `gateway simulator` make, recognise and refuse."""

from datetime import UTC, datetime

import pytest

from gateway.catalogue import Direction
from gateway.cli.simulator.documents import (
    BELONGS,
    Maker,
    Order,
    case_of,
    other_content,
    receipt,
)
from gateway.cli.simulator.fields import fields
from gateway.cli.simulator.recognise import Recogniser
from gateway.cli.simulator.script import (
    Dubbel,
    Leugen,
    Ontvangst,
    PartnerReactie,
    PartnerRegel,
    Storing,
    read_partner_script,
)
from gateway.cli.simulator.seals import break_signature
from gateway.errors import Misconfigured, SchemaViolation
from gateway.installation import load_catalogue, share
from gateway.message import Address
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import read_document, value_of

CATALOGUE = load_catalogue(share("config") / "catalogue.toml")
SCHEMAS = SchemaSet.load(share("schemas"), CATALOGUE)
MAKER = Maker(CATALOGUE, SCHEMAS, share("schemas"))
AT = datetime(2030, 6, 1, 12, tzinfo=UTC)
POLITIE = Address(organisatie="00000099000000000001", applicatie="BVH")
VT = Address(organisatie="00000099000000000002", applicatie="VTregistratie")
PAIRS = sorted(
    (question, answer)
    for question, answer in BELONGS.items()
    if CATALOGUE.versions(question) and CATALOGUE.versions(answer)
)
MELDING, TERUG = "vtMeldingDi01", "vtTerugkoppelingDi01"


def order(name, **facts):
    kind = MAKER.kind(name)
    given = {"zender": POLITIE, "ontvanger": VT, "at": AT, **facts}
    return Order(name=name, version=kind.version, **given)


def made(name, **facts):
    return read_document(MAKER.make(order(name, **facts)).octets)


def text(document, path):
    return [value_of(e) for e in fields(document.tree, path)]


def codes(document):
    return [f.code for f in MAKER.findings(document, CATALOGUE.versions(document.name)[-1])]


# --- right ----------------------------------------------------------------------------


def test_catalogue_has_the_pair_that_every_set_up_needs():
    assert (MELDING, TERUG) in PAIRS


@pytest.mark.parametrize(("question", "answer"), PAIRS)
def test_question_and_answer_keep_their_schema_and_name_each_other(question, answer):
    asked = made(question)
    answered = made(answer, request=asked, zender=VT, ontvanger=POLITIE)

    assert codes(asked) == codes(answered) == []
    assert answered.stuurgegevens.zender == VT
    assert answered.stuurgegevens.ontvanger == POLITIE
    if fields(answered.tree, "stuurgegevens/crossRefnummer"):
        assert answered.stuurgegevens.cross_refnummer == asked.stuurgegevens.referentienummer


@pytest.mark.parametrize("name", sorted({n for n, _ in CATALOGUE.kinds} - {"Bv01Bericht"}))
def test_every_message_of_the_catalogue_can_be_made(name):
    assert codes(made(name)) == []


@pytest.mark.parametrize(("question", "answer"), PAIRS)
def test_answer_names_the_case_that_was_asked_about(question, answer):
    asked = made(question, case="ZAAK-1")
    answered = made(answer, request=asked, zender=VT, ontvanger=POLITIE)

    assert case_of(asked.tree) == "ZAAK-1"
    assert "ZAAK-1" in {value_of(e) for e in answered.tree.iter("{*}*") if not len(e)}


def test_terugkoppeling_names_the_melding_that_it_answers():
    melding = made(MELDING)
    case = text(melding, "object/identificatieVtMelding")

    answer = made(TERUG, request=melding)

    place = "object/naarAanleidingVan/gerelateerde/identificatieVtMelding"
    assert text(answer, place) == case
    assert case[0].startswith("SIM-")


def test_two_meldingen_are_two_messages_on_two_cases():
    one, other = made(MELDING), made(MELDING)

    assert one.stuurgegevens.referentienummer != other.stuurgegevens.referentienummer
    path = "object/identificatieVtMelding"
    assert text(one, path) != text(other, path)


def test_outcome_is_what_the_script_says():
    answer = made(TERUG, request=made(MELDING), texts={"object/status": "overdracht"})

    assert text(answer, "object/status") == ["overdracht"]


def test_melding_is_dated_today():
    assert text(made(MELDING), "object/datumIncident") == ["20300601"]


# --- wrong ----------------------------------------------------------------------------


def test_field_that_the_example_lacks_is_told_by_its_path():
    with pytest.raises(Misconfigured) as caught:
        made(TERUG, texts={"object/bestaatNiet": "x"})

    assert caught.value.code == "simulator.field"
    assert caught.value.where == f"{TERUG}/object/bestaatNiet"


def test_message_without_example_is_told_by_its_name():
    wanted = Order(name="nietsDi01", version="1.0.9", zender=POLITIE, ontvanger=VT, at=AT)

    with pytest.raises(Misconfigured) as caught:
        MAKER.make(wanted)

    assert caught.value.code == "simulator.example"


def test_outcome_that_breaks_the_schema_is_not_handed_out():
    with pytest.raises(SchemaViolation):
        made(TERUG, texts={"object/status": "bestaat niet"})


def test_back_end_may_hand_out_what_breaks_the_schema():
    document = made(MELDING, texts={"object/datumMelding": "gisteren"}, checked=False)

    assert codes(document) != []


@pytest.mark.parametrize(("question", "answer"), PAIRS)
def test_lie_about_the_schema_breaks_it(question, answer):
    document = made(answer, request=made(question), lie=Leugen.SCHEMA)

    assert codes(document) != []


def test_lie_about_the_case_keeps_the_schema():
    melding = made(MELDING)
    answer = made(TERUG, request=melding, lie=Leugen.ZAAK)

    place = "object/naarAanleidingVan/gerelateerde/identificatieVtMelding"
    assert codes(answer) == []
    assert text(answer, place) != text(melding, "object/identificatieVtMelding")


def test_lie_about_the_reference_of_a_receipt():
    melding = made(MELDING)
    bv01 = receipt(melding, version="1.0.9", at=AT, fout=None, wrong=Leugen.KRUISVERWIJZING)

    document = read_document(bv01.octets)
    assert codes(document) == []
    assert document.stuurgegevens.cross_refnummer != melding.stuurgegevens.referentienummer
    assert bv01.told == ""


def test_lie_that_a_message_has_no_room_for_is_told():
    told = MAKER.make(order(TERUG, request=made(MELDING), lie=Leugen.KRUISVERWIJZING)).told
    bv01 = receipt(made(MELDING), version="1.0.9", at=AT, fout=None, wrong=Leugen.ZAAK)

    assert told == "dit bericht heeft geen kruisverwijzing"
    assert bv01.told == "dit bericht noemt geen zaak"


def test_other_content_has_the_same_reference_and_keeps_the_schema():
    octets = MAKER.make(order(MELDING)).octets
    one, other = read_document(octets), read_document(other_content(octets))

    assert one.sha256 != other.sha256
    assert one.stuurgegevens.referentienummer == other.stuurgegevens.referentienummer
    assert codes(other) == []


def test_broken_signature_differs_in_one_character():
    body = b"<ds:SignatureValue>ABCD</ds:SignatureValue>"

    assert break_signature(body) == b"<ds:SignatureValue>BBCD</ds:SignatureValue>"


# --- which rule -----------------------------------------------------------------------

FIELD = "object/identificatieVtMelding"


def rules(*given, **standard):
    made_rules = tuple(PartnerRegel(**one) for one in given)
    return Recogniser(PartnerReactie(**standard), made_rules)


def melding(case="GEWOON"):
    return made(MELDING, texts={FIELD: case})


def test_without_rules_everything_is_right():
    name, plan = rules().plan(melding())

    assert name == ""
    assert plan == PartnerReactie()
    assert (plan.ontvangst, plan.leugen, plan.storing, plan.dubbel) == (
        Ontvangst.BV01,
        Leugen.GEEN,
        Storing.GEEN,
        Dubbel.GEEN,
    )


def test_rule_fits_on_message_and_field():
    found = rules(
        {"naam": "ander bericht", "bericht": "vcob*"},
        {"naam": "ander veld", "veld": "object/isErNiet"},
        {"naam": "hoofdletters", "veld": FIELD, "waarde": "laat*"},
        {"naam": "andere zaak", "zaak": "VROEGER*"},
        {"naam": "ander veld dan zaak", "zaak": "LAAT*", "veld": "object/isErNiet"},
        {"naam": "deze", "bericht": "vtMelding*", "veld": FIELD, "waarde": "LAAT*"},
        {"naam": "te laat", "veld": FIELD},
    )

    assert found.plan(melding("LAAT-7"))[0] == "deze"
    assert found.plan(melding("VROEG"))[0] == "te laat"


def test_rule_for_the_second_time_counts_what_fits():
    found = rules({"naam": "tweede", "zaak": "LAAT*", "keer": 2})

    names = [found.plan(melding(case))[0] for case in ("LAAT", "VROEG", "LAAT", "LAAT")]
    assert names == ["", "", "tweede", ""]


def test_rule_changes_only_what_it_says():
    found = rules({"ontvangst": "fo01"}, wacht=3, fout_code="StUF001")

    name, plan = found.plan(melding())
    assert name == "regel 1"
    assert (plan.ontvangst, plan.wacht, plan.fout_code) == (Ontvangst.FO01, 3, "StUF001")


@pytest.mark.parametrize(
    "script",
    [
        "[standaard]\nwaht = 3",
        "[[regels]]\nontvangst = 'misschien'",
        "[[regels]]\nveld = '/object'",
        "[[regels]]\nkeer = 0",
        "[[stuur]]\naantal = 3",
        "[standaard]\nwacht = -1",
        "[standaard]\nfout_code = 'te lang voor StUF'",
    ],
)
def test_script_with_a_mistake_stops_the_start(script):
    with pytest.raises(Misconfigured) as caught:
        read_partner_script(script.encode(), where="script.toml")

    assert caught.value.code == "config.invalid"


def test_every_answer_of_the_table_may_go_back():
    """Where the catalogue has both, whoever may ask may be answered."""
    for question, answer in PAIRS:
        asked = MAKER.kind(question).directions
        answered = MAKER.kind(answer).directions
        assert {Direction(d.receiver, d.sender) for d in asked} & answered, question
