import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Severity
from gateway.installation import load_catalogue, share
from gateway.message import Oin
from gateway.rules import business
from gateway.rules.values import is_oin, known_part, passes_elfproef
from gateway.wire.stuf import read_document
from tests.parties import (
    AT,
    BV01,
    EXAMPLES,
    FO01,
    HUB,
    MELDING,
    OM,
    POLITIE,
    STRANGER,
    TERUGKOPPELING,
    VT,
    changed,
    directory,
    document,
    kind,
)

HERE = directory(HUB)
WHOLE = load_catalogue(share("config") / "catalogue.toml")
digits8 = st.integers(1, 99_999_999).map("{:08d}".format)


def findings(doc, *, kind=MELDING, sender=POLITIE, here=HERE, at=AT):
    return business.check(doc, kind=kind, directory=here, sender=sender, at=at)


def broken(doc, **options):
    return {(f.rule, f.path): f.severity for f in findings(doc, **options)}


# --- the table ------------------------------------------------------------------------


def test_ids_and_codes_are_unique_and_fit_a_foutcode():
    ids = [rule.id for rule in business.RULES]

    assert len(set(ids)) == len(ids)
    assert len({rule.code for rule in business.RULES}) == len(ids)
    assert all(re.fullmatch(r"(JZ|BGT)-[0-9]{3}", id_) for id_ in ids)
    assert ids == sorted(ids)
    assert all(rule.code.startswith("regel.") for rule in business.RULES)


def test_every_rule_says_what_to_do():
    assert all(rule.text.endswith(".") and rule.remedy.endswith(".") for rule in business.RULES)


@pytest.mark.parametrize(
    ("name", "kind", "sender"),
    [
        ("vtMeldingDi01", MELDING, POLITIE),
        ("vtMeldingDi01-aanhouding", MELDING, POLITIE),
        ("vtTerugkoppelingDi01", TERUGKOPPELING, VT),
        ("Bv01Bericht", BV01, VT),
        ("Fo01Bericht", FO01, VT),
    ],
)
def test_examples_keep_every_rule(name, kind, sender):
    assert findings(document(name), kind=kind, sender=sender) == ()


OF_PARTIES = re.compile(r"/\w+/stuurgegevens/(zender|ontvanger)/(organisatie|applicatie)")


@pytest.mark.parametrize("folder", [".", "volledig"])
@pytest.mark.parametrize(("name", "version"), WHOLE.kinds)
def test_every_example_keeps_the_rules_of_content(name, version, folder):
    """Who the parties are is for another directory than that of the tests.

    A full example fills elements that exclude each other: that may be worth a warning.
    """
    doc = read_document((EXAMPLES / folder / f"{name}.xml").read_bytes())
    sender = Oin(doc.stuurgegevens.zender.organisatie)
    found = findings(doc, kind=WHOLE.find(name, version), sender=sender)

    here = [f for f in found if not OF_PARTIES.fullmatch(f.path)]
    assert [f for f in here if f.severity is Severity.REFUSE or folder == "."] == []


def test_finding_tells_code_text_and_remedy_but_no_value():
    (found,) = findings(document(inp__bsn="123456789"))[:1]

    assert found.code == "regel.bsn.elfproef"
    assert "123456789" not in found.text + found.remedy + found.path


def test_findings_per_rule_are_bounded():
    person = "<BG:inp.bsn>999990019</BG:inp.bsn>"
    doc = changed(person, "<BG:inp.bsn>123456789</BG:inp.bsn>" * 50)

    assert len(findings(doc)) == business.SHOWN_PER_RULE


# --- who ------------------------------------------------------------------------------

ZENDER = "/vtMeldingDi01/stuurgegevens/zender/organisatie"
ONTVANGER = "/vtMeldingDi01/stuurgegevens/ontvanger/organisatie"


def test_zender_is_the_party_of_the_connection():
    assert broken(document(), sender=VT) == {("JZ-001", ZENDER): Severity.REFUSE}


def test_recorded_mandate_lets_another_party_send():
    parties = {p.oin: p for p in HERE.parties.values()}
    parties[POLITIE] = replace(parties[POLITIE], mandates=(OM,))
    here = replace(HERE, parties=parties)

    assert broken(document(), sender=OM, here=here) == {}
    assert ("JZ-001", ZENDER) in broken(document(), sender=VT, here=here)


def test_unknown_zender_is_refused_even_when_it_is_the_sender():
    doc = changed(POLITIE, STRANGER)

    assert ("JZ-018", ZENDER) in broken(doc, sender=STRANGER)


def test_unknown_ontvanger_is_refused():
    assert broken(changed(VT, STRANGER)) == {("JZ-002", ONTVANGER): Severity.REFUSE}


def test_applicaties_are_known_names():
    zender = broken(changed(">BVH<", ">Anders<"))
    ontvanger = broken(changed(">VTregistratie<", ">Anders<"))

    assert zender == {("JZ-008", "/vtMeldingDi01/stuurgegevens/zender/applicatie"): Severity.REFUSE}
    assert ontvanger == {
        ("JZ-009", "/vtMeldingDi01/stuurgegevens/ontvanger/applicatie"): Severity.REFUSE
    }


def test_gateway_may_answer_under_its_own_name():
    doc = changed(">VTregistratie<", ">Berichtengateway<", "Bv01Bericht")

    assert broken(doc, kind=BV01, sender=VT) == {}


def test_role_may_send_only_what_the_catalogue_permits():
    other = kind("vtMeldingDi01")

    assert broken(document(), kind=other) == {("JZ-010", ONTVANGER): Severity.REFUSE}


def test_oin_has_twenty_digits():
    oin = "/vtTerugkoppelingDi01/object/isUitgevoerdDoor/gerelateerde/oinNummer"

    doc = document("vtTerugkoppelingDi01", oinNummer="1234")

    assert broken(doc, kind=TERUGKOPPELING, sender=VT) == {("JZ-007", oin): Severity.REFUSE}
    assert ("JZ-007", ZENDER) in broken(changed(POLITIE, "12"), sender=Oin("12"))


def test_one_applicatie_at_both_ends_is_worth_a_warning():
    doc = document(organisatie=POLITIE, applicatie="BVH")

    path = "/vtMeldingDi01/stuurgegevens/ontvanger/applicatie"
    assert broken(doc)[("JZ-014", path)] is Severity.WARN


def test_answer_without_parties_breaks_no_rule_about_them():
    doc = changed(f"<StUF:organisatie>{VT}</StUF:organisatie>", "", "Bv01Bericht")

    assert broken(doc, kind=BV01, sender=VT) == {}


# --- the envelope ---------------------------------------------------------------------


def test_functie_is_the_name_of_the_message():
    assert broken(document(functie="vtTerugkoppelingDi01")) == {
        ("JZ-011", "/vtMeldingDi01/stuurgegevens/functie"): Severity.REFUSE
    }


def test_berichtcode_fits_the_message():
    doc = document("Bv01Bericht", berichtcode="Fo01")

    assert broken(document(berichtcode="Bv01")) == {
        ("JZ-012", "/vtMeldingDi01/stuurgegevens/berichtcode"): Severity.REFUSE
    }
    assert ("JZ-012", "/Bv01Bericht/stuurgegevens/berichtcode") in broken(doc, kind=BV01, sender=VT)


def test_answer_names_what_it_answers():
    doc = document("Fo01Bericht", crossRefnummer="")

    assert broken(doc, kind=FO01, sender=VT) == {
        ("JZ-013", "/Fo01Bericht/stuurgegevens/crossRefnummer"): Severity.REFUSE
    }


def test_moment_of_the_message_exists():
    assert broken(document(tijdstipBericht="20261332")) == {
        ("JZ-016", "/vtMeldingDi01/stuurgegevens/tijdstipBericht"): Severity.REFUSE
    }


def test_moment_in_the_future_is_worth_a_warning():
    early = findings(document(tijdstipBericht="20261118093015"), at=AT - timedelta(days=1))

    assert [(f.rule, f.severity) for f in early] == [("JZ-017", Severity.WARN)]


# --- the contents ---------------------------------------------------------------------


def test_every_bsn_is_tested_wherever_it_stands():
    paths = [f.path for f in findings(document(inp__bsn="999990018"))]

    assert len(paths) == 4
    assert any("staatInRelatieTot" in path for path in paths)
    assert any("heeftBetrokken[2]" in path for path in paths)


def test_bsn_behind_a_comment_is_tested_too():
    doc = changed(">999990019<", "><!-- x -->123456789<")

    assert [f.rule for f in findings(doc)] == ["JZ-003"]


@pytest.mark.parametrize("name", ["datumMelding", "datumIncident", "geboortedatum"])
def test_date_that_does_not_exist_is_refused(name):
    found = findings(document(**{name: "20260230"}))

    assert [f.rule for f in found] == ["JZ-004"]
    assert found[0].path.endswith(name)


def test_unknown_part_of_a_date_says_nothing():
    doc = changed('indOnvolledigeDatum="V">20170304', 'indOnvolledigeDatum="D">20170300')

    assert findings(doc) == ()


def test_today_is_the_dutch_day():
    late = AT.replace(hour=23, minute=30)
    doc = document(datumIncident="20261119", datumMelding="20261119", datumGeinformeerd="20261119")

    assert findings(doc, at=late) == ()
    assert [f.rule for f in findings(doc, at=AT)] == ["JZ-005"]


def test_birth_in_the_future_is_refused_as_far_as_it_is_known():
    date = 'indOnvolledigeDatum="V">20170304'
    year = changed(date, 'indOnvolledigeDatum="M">20270000')
    this_year = changed(date, 'indOnvolledigeDatum="M">20260000')

    assert [f.rule for f in findings(year)] == ["JZ-005"]
    assert findings(this_year) == ()


def test_report_before_the_incident_is_worth_a_warning():
    dates = {"datumIncident": "20261118", "datumGeinformeerd": "20261118"}

    found = findings(document(datumMelding="20261117", **dates))

    assert [(f.rule, f.severity) for f in found] == [("JZ-006", Severity.WARN)]


def test_nobody_informed_needs_a_word_about_it():
    text = document().octets.decode()
    end = "</JZ:isGeinformeerdAan>"
    informed = text[text.index("<JZ:isGeinformeerdAan") : text.index(end) + len(end)]
    why = "<JZ:informering>Niet mogelijk</JZ:informering>"

    silent, said = findings(changed(informed, "")), findings(changed(informed, why))

    assert [(f.rule, f.severity) for f in silent] == [("JZ-015", Severity.WARN)]
    assert said == ()


# --- numbers and dates ----------------------------------------------------------------


@given(digits8)
def test_exactly_one_last_digit_completes_a_bsn_or_none_does(first):
    fitting = [d for d in range(10) if passes_elfproef(f"{first}{d}")]
    rest = sum((9 - i) * int(c) for i, c in enumerate(first)) % 11

    assert fitting == ([] if rest == 10 else [rest])


@given(digits8, st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(first, place, shift):
    bsns = [b for b in (f"{first}{d}" for d in range(10)) if passes_elfproef(b)]
    for bsn in bsns:
        wrong = str((int(bsn[place]) + shift) % 10)

        assert not passes_elfproef(bsn[:place] + wrong + bsn[place + 1 :])


@given(digits8, st.integers(0, 7))
def test_two_neighbours_exchanged_are_always_noticed(first, place):
    bsns = [b for b in (f"{first}{d}" for d in range(10)) if passes_elfproef(b)]
    for bsn in bsns:
        a, b = bsn[place], bsn[place + 1]

        assert a == b or not passes_elfproef(bsn[:place] + b + a + bsn[place + 2 :])


@pytest.mark.parametrize(
    "text", ["", "000000000", "99999001", "9999900190", "99999001x", "٩٩٩٩٩٠٠١٩"]
)
def test_what_is_no_bsn_fails_the_elfproef(text):
    assert not passes_elfproef(text)


def test_oin_is_judged_by_its_form():
    assert is_oin(POLITIE)
    assert not any(is_oin(t) for t in ["", POLITIE[1:], f"{POLITIE}0", f"{POLITIE}\n", "x" * 20])


@given(st.dates())
def test_every_day_of_the_calendar_exists(day):
    text = f"{day:%Y%m%d}".rjust(8, "0")

    assert known_part(text) == text
    assert known_part(text, "D") == text[:6]
    assert known_part(text, "M") == text[:4]
    assert known_part(text, "J") == ""


@pytest.mark.parametrize(
    ("text", "incomplete"),
    [
        ("20260230", ""),
        ("20261301", ""),
        ("00000101", ""),
        ("2026010", ""),
        ("+2026010", ""),
        ("020260101", ""),
        ("20261300", "D"),
        ("2026", "D"),
        ("202x", "M"),
    ],
)
def test_date_off_the_calendar_does_not_exist(text, incomplete):
    assert known_part(text, incomplete) is None
