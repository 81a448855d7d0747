"""Rules about the verzoek tot onderzoek and what the Raad tells about it."""

from collections.abc import Iterator, Mapping

from lxml import etree

from gateway.errors import Severity
from gateway.rules.koppelvlak.case import Case, Filled, below
from gateway.rules.koppelvlak.rule import Rule
from gateway.wire.xml import path_of, text_of, value

UNBORN = "Client (ongeboren kind)"

_REQUEST = frozenset({"vtoDi01"})
_NOTICE = frozenset({"notificatieDi01"})
_CLIENT = "object/heeftBetrekkingOp"
_PERSON = "gerelateerde/natuurlijkPersoon"
_KIND = "object/heeftRelevant/gerelateerde/dct.omschrijving"
_THE_REQUEST, _HISTORY = "Verzoek tot onderzoek RvdK", "Gezinsgeschiedenis"
_REACHED: Mapping[str, frozenset[str]] = {
    "Intake afgerond": frozenset({"Verzoek tot onderzoek afgewezen"}),
    "Onderzoek afgerond": frozenset({"Geen rekest Kinderbescherming"}),
    "Zaak afgerond": frozenset({"Maatregel opgelegd", "Geen maatregel opgelegd"}),
}
"""Status → results that it may bring."""


def is_unborn(element: etree._Element) -> bool:
    """Tell whether an element stands in what is said of an unborn client."""
    return any(text_of(parent, "omschrijving") == UNBORN for parent in _clients_around(element))


def _clients_around(element: etree._Element) -> Iterator[etree._Element]:
    return element.iterancestors("{*}heeftBetrekkingOp")


def _documents(case: Case, kind: str) -> Iterator[etree._Element]:
    return (one for one in case.found(_KIND) if value(one).strip() == kind)


def _one_request(case: Case) -> Iterator[str]:
    requests = _documents(case, _THE_REQUEST)
    if next(requests, None) is None:
        yield f"/{case.document.name}/object/heeftRelevant"
    yield from map(path_of, requests)


def _one_history(case: Case) -> Iterator[str]:
    histories = _documents(case, _HISTORY)
    next(histories, None)
    yield from map(path_of, histories)


def _unborn_without_mother(case: Case) -> Iterator[str]:
    unborn = next(
        (one for one in case.found(_CLIENT) if text_of(one, "omschrijving") == UNBORN), None
    )
    if unborn is not None and not any(map(_is_mother, case.found("object/heeftAlsBelanghebbende"))):
        yield path_of(unborn)


def _is_mother(concerned: etree._Element) -> bool:
    """A woman who can be found: by BSN or by name and birthday."""
    person = next(below(concerned, _PERSON), None)
    if person is None or text_of(person, "geslachtsaanduiding") == "M":
        return False
    named = text_of(person, "geslachtsnaam") and text_of(person, "geboortedatum")
    return bool(text_of(person, "inp.bsn") or named)


def _unborn_with_bsn(case: Case) -> Iterator[str]:
    for bsn in case.found(f"{_CLIENT}/{_PERSON}/inp.bsn"):
        if value(bsn).strip() and is_unborn(bsn):
            yield path_of(bsn)


def _result_beside_status(case: Case) -> Iterator[str]:
    result = case.text("object/resultaat/omschrijving")
    fitting = _REACHED.get(case.text("object/heeft/gerelateerde/omschrijving"))
    if result and fitting is not None and result not in fitting:
        yield f"/{case.document.name}/object/resultaat/omschrijving"


def _closed_without_result(case: Case) -> Iterator[str]:
    closed = case.text("object/heeft/gerelateerde/omschrijving") == "Zaak afgerond"
    if closed and not case.text("object/resultaat/omschrijving"):
        yield f"/{case.document.name}/object/resultaat"


def _without_their_mark(case: Case) -> Iterator[str]:
    if not case.text("object/kenmerk/kenmerk"):
        yield f"/{case.document.name}/object/kenmerk"


def _ended_before_it_began(case: Case) -> Iterator[str]:
    dates = [next(case.found(f"object/{name}"), None) for name in ("startdatum", "einddatum")]
    begin, end = (Filled("", one).date if one is not None else None for one in dates)
    if begin and end:
        known = min(len(begin), len(end))
        if end[:known] < begin[:known]:
            yield f"/{case.document.name}/object/einddatum"


RULES = (
    Rule(
        id="JZ-070",
        code="regel.vto.verzoek",
        check=_one_request,
        text="Er moet precies één document Verzoek tot onderzoek RvdK bij staan.",
        remedy="Geef één document dct.omschrijving Verzoek tot onderzoek RvdK, en de andere hun "
        "eigen soort.",
        ground="Rule A9.1 of the koppelvlak",
        messages=_REQUEST,
    ),
    Rule(
        id="JZ-071",
        code="regel.vto.gezinsgeschiedenis",
        check=_one_history,
        text="Er staat meer dan één document Gezinsgeschiedenis bij.",
        remedy="Voeg de geschiedenis samen tot één document.",
        ground="Rule A9.3 of the koppelvlak",
        messages=_REQUEST,
    ),
    Rule(
        id="JZ-072",
        code="regel.ongeboren.moeder",
        check=_unborn_without_mother,
        text="Bij een ongeboren kind ontbreken de gegevens van de moeder.",
        remedy="Zet de moeder bij heeftAlsBelanghebbende, met BSN, of met naam en geboortedatum.",
        ground="Seed, Bijlage 2, note: with an unborn child the mother's data are given",
        messages=_REQUEST,
    ),
    Rule(
        id="JZ-073",
        code="regel.ongeboren.bsn",
        check=_unborn_with_bsn,
        text="Een ongeboren kind heeft nog geen burgerservicenummer.",
        remedy="Zet het BSN van de moeder bij de moeder, in heeftAlsBelanghebbende.",
        ground="The answer would be filed under the mother",
        messages=_REQUEST | _NOTICE,
    ),
    Rule(
        id="JZ-074",
        code="regel.resultaat.status",
        check=_result_beside_status,
        text="Dit resultaat past niet bij de status.",
        remedy="Controleer resultaat en status: een maatregel wordt pas bekend als de zaak is "
        "afgerond.",
        ground="XSD, the lists of status and resultaat",
        messages=_NOTICE,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-075",
        code="regel.resultaat.ontbreekt",
        check=_closed_without_result,
        text="De zaak is afgerond, maar het resultaat ontbreekt.",
        remedy="Vul resultaat in.",
        ground="XSD, the lists of status and resultaat",
        messages=_NOTICE,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-076",
        code="regel.kenmerk.verzoeker",
        check=_without_their_mark,
        text="Het kenmerk van de verzoeker ontbreekt.",
        remedy="Zet in kenmerk de identificatie van het verzoek tot onderzoek.",
        ground="Complaint: notifications could not be matched to their request",
        messages=_NOTICE,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-077",
        code="regel.zaak.periode",
        check=_ended_before_it_began,
        text="De zaak eindigt voor zij begint.",
        remedy="Controleer startdatum en einddatum.",
        ground="XSD, startdatum and einddatum",
        messages=_NOTICE,
        severity=Severity.WARN,
    ),
)
