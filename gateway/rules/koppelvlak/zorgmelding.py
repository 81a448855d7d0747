"""Rules about the old zorgmelding, one document with the people around it, and its answer."""

from collections.abc import Iterator

from lxml import etree

from gateway.errors import Severity
from gateway.rules.koppelvlak.case import Case, Filled, below
from gateway.rules.koppelvlak.rule import Rule
from gateway.rules.values import years_between
from gateway.wire.xml import path_of, text_of

_REPORT = frozenset({"zorgmeldingDi01"})
_ANSWER = frozenset({"zorgmeldingTerugkoppelingDi01"})
_CLIENT = "object/heeftBetrekkingOp"
_CONCERNED = "object/heeftAlsBelanghebbende"
_PERSON = "gerelateerde/natuurlijkPersoon"
_ACTION = "Vervolgactie nodig"
_OF_AGE = 18


def _nameless(case: Case) -> Iterator[str]:
    for path in (_CLIENT, _CONCERNED):
        for one in case.found(path):
            person = next(below(one, _PERSON), None)
            if person is None or not text_of(person, "geslachtsnaam"):
                yield path_of(one)


def _of_age(case: Case) -> Iterator[str]:
    for birth in case.found(f"{_CLIENT}/{_PERSON}/geboortedatum"):
        known = Filled("geboortedatum", birth).date
        age = years_between(known, case.today) if known else None
        if age is not None and age >= _OF_AGE:
            yield path_of(birth)


def _client_is_concerned(case: Case) -> Iterator[str]:
    """A child that is its own belanghebbende: the parent was meant."""
    clients = {_bsn(one) for one in case.found(_CLIENT)} - {""}
    for one in case.found(_CONCERNED):
        if _bsn(one) in clients:
            yield path_of(one)


def _bsn(about: etree._Element) -> str:
    return text_of(about, f"{_PERSON}/inp.bsn")


def _nobody_acts(case: Case) -> Iterator[str]:
    if case.text("object/resultaat/omschrijving") != _ACTION:
        return
    if next(case.found(_CONCERNED), None) is None:
        yield f"/{case.document.name}/{_CONCERNED}"


def _unreachable(case: Case) -> Iterator[str]:
    for one in case.found(_CONCERNED):
        ways = ("telefoonnummer", "emailadres")
        if not any(text_of(one, f"heeftAlsAanspreekpunt/{way}") for way in ways):
            yield path_of(one)


RULES = (
    Rule(
        id="JZ-090",
        code="regel.zorgmelding.leeg",
        check=_nameless,
        text="Van deze persoon staat er geen naam.",
        remedy="Vul geslachtsnaam in, of laat de persoon weg.",
        ground="Complaint of 2017: empty betrokkenen in the reports of the police",
        messages=_REPORT,
    ),
    Rule(
        id="JZ-091",
        code="regel.zorgmelding.kind",
        check=_of_age,
        text="Het kind van deze zorgmelding is volwassen.",
        remedy="Zet het kind bij heeftBetrekkingOp en de volwassene bij heeftAlsBelanghebbende.",
        ground="Complaint of 2017: the child in the wrong role",
        messages=_REPORT,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-092",
        code="regel.zorgmelding.rol",
        check=_client_is_concerned,
        text="Het kind staat ook bij de belanghebbenden.",
        remedy="Zet bij heeftAlsBelanghebbende de ouder of opvoeder.",
        ground="Complaint of 2017: the child in the wrong role",
        messages=_REPORT,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-093",
        code="regel.vervolgactie.wie",
        check=_nobody_acts,
        text="Er is een vervolgactie nodig, maar niet gezegd wie haar oppakt.",
        remedy="Vul heeftAlsBelanghebbende in.",
        ground="Bijlage 2, outcomes B to E",
        messages=_ANSWER,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-094",
        code="regel.vervolgactie.contact",
        check=_unreachable,
        text="Er staat niet bij hoe degene die verder gaat te bereiken is.",
        remedy="Vul in heeftAlsAanspreekpunt een telefoonnummer of e-mailadres in.",
        ground="Bijlage 2, outcomes B to E",
        messages=_ANSWER,
        severity=Severity.WARN,
    ),
)
