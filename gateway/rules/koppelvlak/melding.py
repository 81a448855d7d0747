"""Rules about a vtMelding: what Veilig Thuis can not work with."""

from collections.abc import Iterator

from lxml import etree

from gateway.errors import Severity
from gateway.rules.koppelvlak.case import Case, Filled, below
from gateway.rules.koppelvlak.rule import Each, Rule
from gateway.rules.values import years_between
from gateway.wire.stuf import STUF
from gateway.wire.xml import path_of, text_of

_MELDING = frozenset({"vtMeldingDi01"})
_SITUATION = "object/betreft/gerelateerde"
_INVOLVED = f"{_SITUATION}/heeftBetrokken"
_CHILDREN = frozenset({"jeugdige", "kind"})
_GROWN_UP = frozenset(
    {
        "ouder met gezag",
        "ouder zonder gezag",
        "ouder, gezag niet benoemd",
        "ouder, niet juridisch",
        "opvoeder/verzorger",
        "stiefouder",
        "pleegouder",
        "grootouder",
        "voogd",
        "hulpverlener",
        "onderwijsgevende",
        "verpleegkundige, arts of medisch specialist",
        "overige professional",
    }
)
"""Roles that a child of under twelve can not have."""
_TWELVE = 12
_JEUGDIGE_UNTIL = 23
"""The Jeugdwet follows a jeugdige until the 23rd birthday at most."""


def _report_before_incident(case: Case) -> Iterator[str]:
    """The report is not dated before the incident, as far as both dates are known."""
    report, incident = _date(case, "object/datumMelding"), _date(case, "object/datumIncident")
    if report and incident and _before(report, incident):
        yield f"/{case.document.name}/object/datumMelding"


def _informed_before_incident(case: Case) -> Iterator[str]:
    incident = _date(case, "object/datumIncident")
    for element in case.found("object/isGeinformeerdAan/datumGeinformeerd"):
        told = Filled("datumGeinformeerd", element).date
        if told and incident and _before(told, incident):
            yield path_of(element)


def _date(case: Case, path: str) -> str | None:
    element = next(case.found(path), None)
    return Filled(path, element).date if element is not None else None


def _before(a: str, b: str) -> bool:
    known = min(len(a), len(b))
    return a[:known] < b[:known]


def _nobody_informed(case: Case) -> Iterator[str]:
    """Without isGeinformeerdAan, informering says why not."""
    if case.text("object/informering"):
        return
    if not any(_filled(one) for one in case.found("object/isGeinformeerdAan")):
        yield f"/{case.document.name}/object/informering"


def _filled(element: etree._Element) -> bool:
    return any((text or "").strip() for text in element.itertext("*"))


def _no_reaction(_case: Case, one: Filled) -> bool:
    parent = one.element.getparent()
    return one.text == "Ja" and parent is not None and not text_of(parent, "strekkingReactie")


def _sash(case: Case) -> Iterator[str]:
    given = case.text("object/indicatieSASHIngevuld") == "Ja"
    if given is not bool(case.text("object/SASHniveau")):
        yield f"/{case.document.name}/object/indicatieSASHIngevuld"


def _unreachable(case: Case) -> Iterator[str]:
    contact = "object/contactgegevensVerdiepingOpInfo"
    if not (case.text(f"{contact}/eMail") or case.text(f"{contact}/telefoonnummer")):
        yield f"/{case.document.name}/{contact}"


# --- the people involved --------------------------------------------------------------


def _nameless(case: Case) -> Iterator[str]:
    for one in case.found(_INVOLVED):
        if not text_of(one, "gerelateerde/geslachtsnaam") and not _said_unknown(one):
            yield path_of(one)


def _said_unknown(one: etree._Element) -> bool:
    """StUF has a way to say that there is a value which nobody knows."""
    found = one.find("{*}gerelateerde/{*}geslachtsnaam")
    return found is not None and found.get(f"{{{STUF}}}noValue") == "waardeOnbekend"


def _child_as_grown_up(case: Case) -> Iterator[str]:
    for one in case.found(_INVOLVED):
        if text_of(one, "jeugzorgrol") in _GROWN_UP:
            age = _age(case, one)
            if age is not None and age < _TWELVE:
                yield f"{path_of(one)}/jeugzorgrol"


def _grown_up_as_child(case: Case) -> Iterator[str]:
    for one in case.found(_INVOLVED):
        if text_of(one, "jeugzorgrol") == "jeugdige" and (_age(case, one) or 0) >= _JEUGDIGE_UNTIL:
            yield f"{path_of(one)}/jeugzorgrol"


def _no_young_child(case: Case, one: Filled) -> bool:
    """`overigeZorgMinderjarige` is about a child of under twelve."""
    involved = one.element.getparent()
    if involved is None:
        return False
    age = _age(case, involved)
    if age is None:
        return text_of(involved, "jeugzorgrol") not in _CHILDREN
    return age >= _TWELVE


def _age(case: Case, involved: etree._Element) -> int | None:
    """Return whole years; None when the birthday is not wholly known."""
    birth = next(below(involved, "gerelateerde/geboortedatum"), None)
    if birth is None:
        return None
    known = Filled("geboortedatum", birth).date
    return years_between(known, case.today) if known else None


RULES = (
    Rule(
        id="JZ-006",
        code="regel.datum.volgorde",
        check=_report_before_incident,
        text="De datum van de melding ligt voor die van het incident.",
        remedy="Controleer datumMelding en datumIncident.",
        ground="An incident is reported after it happened",
        messages=_MELDING,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-015",
        code="regel.informering",
        check=_nobody_informed,
        text="Er staat niet bij wie geïnformeerd is, en niet waarom niemand.",
        remedy="Vul isGeinformeerdAan per persoon, of anders informering.",
        ground="Seed 3.6.5: decisions on informing are recorded",
        messages=_MELDING,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-023",
        code="regel.betrokkene.leeg",
        check=_nameless,
        text="Van deze betrokkene staat er geen naam.",
        remedy="Vul geslachtsnaam in, of laat de betrokkene weg. Is de naam niet bekend, schrijf "
        "dat dan in geslachtsnaam.",
        ground="Complaint of 2017: empty betrokkenen in the reports of the police",
        messages=_MELDING,
    ),
    Rule(
        id="JZ-024",
        code="regel.rol.kind",
        check=_child_as_grown_up,
        text="Een kind jonger dan twaalf jaar heeft hier de rol van een volwassene.",
        remedy="Controleer rol en geboortedatum; een kind is jeugdige, kind, broer of zus.",
        ground="Complaint of 2017: the child in the wrong role",
        messages=_MELDING,
    ),
    Rule(
        id="JZ-025",
        code="regel.rol.jeugdige",
        check=_grown_up_as_child,
        text="De jeugdige is 23 jaar of ouder.",
        remedy="Controleer rol en geboortedatum; gebruik voor een volwassen kind de rol kind.",
        ground="Complaint of 2017: the child in the wrong role; Jeugdwet, age",
        messages=_MELDING,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-026",
        code="regel.zorg.minderjarige",
        check=Each(names=("overigeZorgMinderjarige",), broken=_no_young_child),
        text="overigeZorgMinderjarige staat bij iemand die geen kind jonger dan twaalf jaar is.",
        remedy="Zet deze zorg bij het kind, met zijn geboortedatum.",
        ground="XSD 1.0.9: the element is for a child of under twelve",
        messages=_MELDING,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-027",
        code="regel.sash",
        check=_sash,
        text="indicatieSASHIngevuld en SASHniveau spreken elkaar tegen.",
        remedy="Geef bij Ja het niveau; laat het bij Nee weg.",
        ground="XSD 1.0.9: the level belongs to a SASH that was filled in",
        messages=_MELDING,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-028",
        code="regel.contact.bereikbaar",
        check=_unreachable,
        text="Bij het contact voor verdieping staan geen e-mailadres en geen telefoonnummer.",
        remedy="Vul eMail of telefoonnummer in: Veilig Thuis moet kunnen doorvragen.",
        ground="Seed 3.3.1: Veilig Thuis asks further",
        messages=_MELDING,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-029",
        code="regel.informering.reactie",
        check=Each(names=("indicatieGereageerd",), broken=_no_reaction),
        text="Er is gereageerd, maar de strekking van de reactie staat er niet bij.",
        remedy="Vul strekkingReactie in, of zet indicatieGereageerd op Nee.",
        ground="Seed 3.6.5: decisions on informing are recorded",
        messages=_MELDING,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-030",
        code="regel.informering.datum",
        check=_informed_before_incident,
        text="De datum van informeren ligt voor die van het incident.",
        remedy="Controleer datumGeinformeerd en datumIncident.",
        ground="People are informed of a report after the incident",
        messages=_MELDING,
        severity=Severity.WARN,
    ),
)
