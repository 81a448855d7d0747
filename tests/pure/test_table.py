"""The table that comes with the program, on documents as the politie makes them."""

import random
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from gateway.catalogue import Role
from gateway.config_gate import Mode
from gateway.directory import Gate, Party, StandingApproval
from gateway.installation import load_catalogue, load_table, share
from gateway.message import Aanlevering, Oin
from gateway.rules.approval import Ground, Hold, Released, pass_or_hold
from gateway.rules.classification import classify
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import read_document
from tests.filling import filled, parts
from tests.parties import AT, CONFIRMATION

POLITIE, VT = Oin("00000004003214345001"), Oin("00000004003214345002")
FREE = Aanlevering(acuut=False, onderzoek=False, wpg_artikel="8")
VERSION = {"zorgmeldingDi01": "1.0.6"}
V, G, U, C, M = (
    "vtMeldingDi01",
    "meldingGeneriekDi01",
    "ucobDi01",
    "uciDi01",
    "zorgmeldingDi01",
)
STANDING_ONLY = ("bekendheid", "eergerelateerd geweld", "12-minner", "document")
S = "object/betreft/gerelateerde/"
ASKED = f"{S}vraagAntwoord/"
PERSON = f"{S}heeftBetrokken/"
KNOWN = "object/heeftBetrekkingOp/indicatieBekend"
ANSWER = "object/heeftBetrekkingOp/specifiekeVraag/antwoord"


def version_of(name: str) -> str:
    return VERSION.get(name, "1.0.9")


@cache
def the_table():
    return load_table(share("config") / "classification.toml")


@cache
def the_catalogue():
    return load_catalogue(share("config") / "catalogue.toml")


@cache
def the_schemas():
    return SchemaSet.load(share("schemas"), the_catalogue())


@cache
def example(name: str) -> bytes:
    """An ordinary message: of a victim, answered with no, without attachments."""
    octets = (share("schemas") / version_of(name) / "examples" / f"{name}.xml").read_bytes()
    return filled(octets, version_of(name), ORDINARY.get(name, {}))


ORDINARY = {
    G: {
        "object/heeftBetrekkingOp/hoedanigheid": "002",
        f"{ASKED}vraagCode": "VT-001",
        f"{ASKED}antwoord": "Het gezin krijgt ambulante hulp.",
    },
    U: {KNOWN: "N"},
}


def made(name: str, texts: dict[str, str]):
    document = read_document(filled(example(name), version_of(name), texts))
    assert the_schemas().validate(document, version=version_of(name)) == ()
    return document


def reasons(name: str, texts: dict[str, str]):
    document = made(name, texts)
    return classify(document, FREE, version=version_of(name), table=the_table()).reasons


def found(name, texts):
    return {
        (r.category, r.wpg_artikel, r.mode is Mode.STANDING, r.path.removeprefix(f"/{name}/"))
        for r in reasons(name, texts)
    }


# --- what counts ----------------------------------------------------------------------

FREE_TEXTS = {
    V: (
        "object/omschrijvingIncident",
        "object/locatieIncident",
        f"{S}omschrijvingZorgelijkeSituatie",
        f"{S}aanvullendeInformatie",
        f"{S}bestaandeHulpverlening",
        f"{S}tijdelijkHuisverbod",
        f"{PERSON}aanvullendeInformatieBetrokkenPersoon",
        f"{PERSON}overigeZorgMinderjarige",
    ),
    G: (
        f"{S}omschrijvingZorgelijkeSituatie",
        f"{S}nadereOmschrijving",
        "object/redenMelding/omschrijving",
        "object/verzoekOmschrijving",
        "object/overigeInformatie/omschrijving",
    ),
    C: ("object/toelichtendeInformatie/omschrijving",),
    M: ("object/omschrijving",),
}
TELLING = (
    "De verdachte is naar het bureau gebracht.",
    "Vader is vannacht aangehouden.",
    "Zie het proces-verbaal van 12 november.",
    "Hij heeft een strafblad.",
    "Man zit in voorlopige hechtenis.",
    "Eerder veroordeeld voor mishandeling.",
    "De officier van justitie is ingelicht.",
    "Strafrechtelijke  afdoening volgt.",
    "VERDACHTEN zijn bekend.",
)
DATA = [
    *((V, {f"{S}aanhouding": text}, "aanhouding", "8", False) for text in (
        "Ja", "Ja, ter plaatse", "Vader, om 22.10 uur", "Heterdaad", "Op afspraak ontboden",
        "J", "nee, nog niet", "onbekend",
    )),
    *((V, {f"{S}aangifte": text}, "aangifte", "8", False) for text in (
        "Ja", "Moeder doet aangifte", "Ambtshalve", "Volgt", "onbekend", "geen, wel melding",
        "Nog niet", "wens tot aangifte",
    )),
    *((V, {f"{S}relevanteRegistratie": text}, "registratie", "13", False) for text in (
        "Mishandeling 2024", "Bedreiging, 2 keer", "Huiselijk geweld 2023-2025", "Zie BVH",
        "Wapenbezit", "Zeden", "Drugs",
    )),
    *((V, {f"{S}eergerelateerdGeweld": text}, "eergerelateerd geweld", "8", True) for text in (
        "Ja", "Mogelijk", "Familie dreigt met verstoting", "onbekend",
    )),
    *((G, {f"{ASKED}vraagCode": code, f"{ASKED}antwoord": text}, category, article, standing)
      for code, category, article, standing in (
          ("VT-003", "aanhouding", "8", False),
          ("VT-004", "aangifte", "8", False),
          ("VT-006", "registratie", "13", False),
          ("VT-005", "eergerelateerd geweld", "8", True),
          ("VT-007", "12-minner", "8", True),
          ("NAZ-001", "onbekende vraag", "", False),
          ("NAZ-002", "onbekende vraag", "", False),
          ("ZVH-001", "onbekende vraag", "", False),
      )
      for text in ("Ja", "Ja, zie toelichting", "onbekend")),
    (G, {"object/heeftBetrekkingOp/hoedanigheid": "001"}, "verdachte", "8", False),
    (G, {"object/overigeInformatie/omschrijving": "Zie ook", "object/overigeInformatie/url":
         "https://politie.example/dossier"}, "verwijzing", "", False),
    (U, {KNOWN: "J"}, "bekendheid", "", True),
    *((C, {ANSWER: text}, "antwoord", "13", False) for text in (
        "Ja, twee eerdere meldingen", "3", "Wapen in huis", "Zedenregistratie in 2019",
        "Twee incidenten", "mogelijk",
    )),
    *((name, {path: "Bekend is: " + TELLING[n % len(TELLING)]}, "vrije tekst", "", False)
      for name, paths in FREE_TEXTS.items() for n, path in enumerate(paths)),
    *((V, {"object/omschrijvingIncident": text}, "vrije tekst", "", False) for text in TELLING),
]  # fmt: skip
NOTHING = [
    *((V, {f"{S}{element}": text})
      for element in ("aangifte", "eergerelateerdGeweld")
      for text in ("Nee", "nee ", "Geen", "n.v.t.")),
    *((G, {f"{ASKED}vraagCode": code, f"{ASKED}antwoord": text})
      for code in ("VT-003", "VT-004", "VT-005", "VT-006", "VT-007") for text in ("Nee", "geen")),
    *((G, {"object/heeftBetrekkingOp/hoedanigheid": code})
      for code in ("002", "003", "004", "005")),
    *((V, {"object/omschrijvingIncident": text}) for text in (
        "Ruzie tussen ouders over de omgangsregeling.",
        "Kind vertelt op school dat het niet naar huis durft.",
        "Buren horen geschreeuw; moeder wil hulp.",
        "Verdacht stil huishouden, gordijnen dicht.",
        "De aangehoudene voorwerpen zijn speelgoed.",
        "Straf van vader: een week geen scherm.",
        "Moeder wil geen aangifte doen.",
    )),
    (U, {KNOWN: "N"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "texts", "category", "article", "standing"), DATA)
def test_what_counts_has_its_reason_article_and_place(name, texts, category, article, standing):
    path = list(texts)[-1]
    mine = [one for one in found(name, texts) if one[0] == category]

    assert (category, article, standing, path) in {
        (c, a, s, _without_numbers(p)) for c, a, s, p in mine
    }


def _without_numbers(path: str) -> str:
    return "/".join(step.partition("[")[0] for step in path.split("/"))


@pytest.mark.parametrize(("name", "texts"), NOTHING)
def test_what_says_nothing_criminal_is_no_reason(name, texts):
    assert reasons(name, texts) == ()


def test_there_are_enough_cases():
    assert len(DATA) + len(NOTHING) >= 100
    assert {rule.category for rule in the_table().rules} == (
        {case[2] for case in DATA} | {"bijlage", "document"}
    )


def test_a_document_inside_is_unclear():
    (of_answer,) = [r for r in reasons(C, {}) if r.category == "bijlage"]
    (of_report,) = reasons(M, {})

    assert (of_answer.unclear, of_answer.mode) == (True, Mode.INDIVIDUAL)
    assert (of_report.unclear, of_report.mode) == (True, Mode.STANDING)


def test_a_term_is_never_told():
    (reason,) = reasons(V, {"object/omschrijvingIncident": "De verdachte woont hier."})

    assert "opsporing" in reason.text
    assert "verdachte" not in reason.text.casefold()


# --- what the table says of every element ---------------------------------------------

PLAIN = (
    "identificatie", "verzoekidentificatie", "datum", "startdatum", "registratiedatum",
    "creatiedatum", "gerelateerde/naam", "organisatorischeEenheid", "natuurlijkPersoon",
    "vestiging", "nummer", "Nummer", "rsin", "vraagCode", "specifiekeVraag/code", "leefgebiedCode",
    "jeugzorgrol", "betrokkenheidRelatie", "soortmeldingCode", "dct.omschrijving", "indicatie",
    "SASHniveau", "datumTijd", "datumtijd", "wijzeVanInformering", "contactgegevens",
    "heeftBetrokken/gerelateerde/", "isGeinformeerdAan/gerelateerde/", "instantiecode",
    "extraElement", "stuurgegevens", "identificatieVtMelding",
)  # fmt: skip
"""Numbers, dates, codes of the koppelvlak, who somebody is and where he can be reached."""


@pytest.mark.parametrize("name", [V, G, U, C, M])
def test_every_element_of_what_the_politie_sends_is_thought_about(name):
    ruled = {rule.path for rule in the_table().rules if rule.message == name}
    known = parts(name, version_of(name))

    assert ruled <= known.keys()
    left = {
        path
        for path, part in known.items()
        if part.value and path not in ruled and not any(word in path for word in PLAIN)
    }
    assert left == set()


def test_every_message_of_the_catalogue_is_named():
    table, catalogue = the_table(), the_catalogue()

    for kind in catalogue.kinds.values():
        assert kind.name in table.exempt or table.knows(kind.name, kind.version), kind


# --- a gate that holds everything is as wrong as one that holds nothing ----------------

SENTENCES = (
    "Ouders maken vaak ruzie over geld.",
    "Het kind slaapt slecht en komt moe op school.",
    "Buren hoorden geschreeuw en belden de politie.",
    "Moeder zegt de opvoeding niet meer aan te kunnen.",
    "Er stond nauwelijks eten in de kast.",
    "De woning was vervuild.",
    "Vader was onder invloed van alcohol.",
    "Broers vechten; de jongste is bang.",
    "De kinderen waren alleen thuis.",
    "Oma vangt de kinderen op.",
    "Het gezin is pas verhuisd en kent niemand.",
    "Moeder heeft een blauwe plek en wil er niet over praten.",
    "De huisarts is op de hoogte.",
    "Er zijn zorgen over de ongeboren baby.",
    "De jongen van veertien loopt weg van huis.",
    "Partners gaan uit elkaar en spreken elkaar niet.",
)


def ordinary(n: int):
    """An ordinary melding, answer or generic melding; another for each number."""
    dice = random.Random(n)
    story = " ".join(dice.sample(SENTENCES, dice.randint(1, 4)))
    name = (V, V, V, G, U)[n % 5]
    if name == U:
        return name, {}
    if name == G:
        more = {f"{S}nadereOmschrijving": dice.choice(SENTENCES)}
        return name, {f"{S}omschrijvingZorgelijkeSituatie": story, **more}
    more = {
        f"{S}aangifte": dice.choice(("Nee", "Geen", "n.v.t.")),
        f"{S}bestaandeHulpverlening": dice.choice(("Wijkteam", "Onbekend", "Huisarts")),
    }
    return name, {
        "object/omschrijvingIncident": story,
        f"{S}omschrijvingZorgelijkeSituatie": dice.choice(SENTENCES),
        **(more if dice.random() < 0.5 else {}),
    }


def gate(**changes) -> Gate:
    approval = StandingApproval(
        id="DT-1",
        agreement="samenwerkingsafspraken",
        given_by="mr. Fictie, officier van justitie",
        ground="convenant",
        messages=frozenset({V, G, U, C, M}),
        receivers=frozenset({VT}),
        wpg_artikelen=frozenset({"8", "13"}),
        valid_from=AT - timedelta(days=1),
        valid_until=AT + timedelta(days=1),
    )
    word = replace(CONFIRMATION, table_version=the_table().version)
    return Gate(table=the_table(), approvals=(replace(approval, **changes),), confirmation=word)


def decide(name, texts, given: Gate) -> Released | Hold:
    document = made(name, texts)
    verdict = classify(document, FREE, version=version_of(name), table=given.table)
    return pass_or_hold(
        verdict,
        sender=_party(POLITIE, Role.POLITIE),
        receiver=_party(VT, Role.VEILIG_THUIS),
        kind=the_catalogue().find(name, version_of(name)),
        gate=given,
        payload_sha256=document.sha256,
        at=AT,
    )


def _party(oin: Oin, role: Role) -> Party:
    return Party(oin=oin, name=str(role), role=role, local=role is Role.POLITIE, applicaties=())


def test_two_hundred_ordinary_messages_pass_under_the_standing_approval():
    held = [n for n in range(200) if isinstance(decide(*ordinary(n), gate()), Hold)]
    texts = {made(*ordinary(n)).sha256 for n in range(200)}

    assert held == []
    assert len(texts) > 150
    assert decide(*ordinary(0), gate()).ground == Ground.STANDING


@pytest.mark.parametrize(("name", "texts", "category", "article", "standing"), DATA)
def test_nothing_that_counts_passes_under_an_approval_without_categories(
    name, texts, category, article, standing
):
    assert isinstance(decide(name, texts, gate()), Hold)


@pytest.mark.parametrize(("name", "texts", "category", "article", "standing"), DATA)
def test_only_what_is_standing_passes_under_an_approval_with_every_category(
    name, texts, category, article, standing
):
    every = frozenset(rule.category for rule in the_table().rules)
    decision = decide(name, texts, gate(categories=every))

    assert isinstance(decision, Released) is (standing and name != C)


def test_a_category_is_covered_for_its_article_only():
    texts = {f"{S}eergerelateerdGeweld": "Ja"}
    given = gate(categories=frozenset({"eergerelateerd geweld"}))

    assert isinstance(decide(V, texts, given), Released)
    narrow = gate(categories=frozenset({"eergerelateerd geweld"}), wpg_artikelen=frozenset({"13"}))
    assert isinstance(decide(V, texts, narrow), Hold)


@pytest.mark.parametrize("category", STANDING_ONLY)
def test_what_no_approval_covers_is_told_to_the_officer(category):
    texts = {
        "bekendheid": (U, {KNOWN: "J"}),
        "eergerelateerd geweld": (V, {f"{S}eergerelateerdGeweld": "Ja"}),
        "12-minner": (G, {f"{ASKED}vraagCode": "VT-007", f"{ASKED}antwoord": "Ja"}),
        "document": (M, {}),
    }
    hold = decide(*texts[category], gate())

    assert isinstance(hold, Hold)
    assert category in {reason.category for reason in hold.reasons}
