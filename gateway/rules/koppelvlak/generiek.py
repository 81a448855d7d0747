"""Rules about the generieke melding and its outcome."""

from collections.abc import Iterator, Mapping

from gateway.catalogue import Role
from gateway.errors import Severity
from gateway.rules.koppelvlak.case import Case, Filled, below
from gateway.rules.koppelvlak.rule import Each, Rule
from gateway.wire.xml import path_of, text_of, value

_MELDING = frozenset({"meldingGeneriekDi01"})
_OUTCOME = frozenset({"uitkomstMeldingGeneriekDi01"})
_SITUATION = "object/betreft/gerelateerde"
_MISADDRESSED = "VT-99"
_CASE = "ZVH-01"
_REROUTE = "object/routerenNaarInstantie"

_TAKES: Mapping[str, frozenset[Role]] = {
    "VT": frozenset({Role.VEILIG_THUIS}),
    "ZVH": frozenset({Role.GEMEENTE}),
}
"""Kind of report → who takes it in. NAZ, niet-acute zorg, has no role of its own here."""


# --- the report -----------------------------------------------------------------------


def _not_informed_without_reason(_case: Case, one: Filled) -> bool:
    parent = one.element.getparent()
    silent = parent is not None and not text_of(parent, "redenNietGeinformeerd")
    return one.text == "Nee" and silent


def _informed_with_reason(_case: Case, one: Filled) -> bool:
    parent = one.element.getparent()
    return parent is not None and text_of(parent, "indicatieGeinformeerd") == "Ja"


def _period(_case: Case, one: Filled) -> bool:
    begin, end = (next(below(one.element, name), None) for name in _PERIOD)
    if begin is None or end is None:
        return False
    first, last = Filled(_PERIOD[0], begin).moment, Filled(_PERIOD[1], end).moment
    return first is not None and last is not None and first > last


_PERIOD = ("datumtijdBegin", "datumtijdEinde")


def _incident_without_moment(case: Case) -> Iterator[str]:
    for incident in case.found(f"{_SITUATION}/kent/gerelateerde"):
        if (
            not text_of(incident, "datumTijd")
            and next(below(incident, "periodeVanTot"), None) is None
        ):
            yield path_of(incident)


def _question_of_another_kind(case: Case) -> Iterator[str]:
    """VT-003 is asked in a report of the kind VT."""
    kind = case.text("object/soortmeldingCode")
    for code in case.found(f"{_SITUATION}/vraagAntwoord/vraagCode"):
        if kind and value(code).strip().partition("-")[0] != kind:
            yield path_of(code)


def _question_twice(case: Case) -> Iterator[str]:
    seen: set[str] = set()
    for code in case.found(f"{_SITUATION}/vraagAntwoord/vraagCode"):
        text = value(code).strip()
        if text in seen:
            yield path_of(code)
        seen.add(text)


def _kind_for_receiver(case: Case) -> Iterator[str]:
    fitting = _TAKES.get(case.text("object/soortmeldingCode"))
    role = case.role("ontvanger")
    if fitting is not None and role is not None and role not in fitting:
        yield f"/{case.document.name}/object/soortmeldingCode"


# --- the outcome ----------------------------------------------------------------------


def _status_of_another_kind(case: Case) -> Iterator[str]:
    """A status VT-… is of a report of the kind VT; for NAZ no list is public."""
    kind, status = case.text("object/soortmeldingCode"), case.text("object/statuscode")
    if kind in _TAKES and status.partition("-")[0] != kind:
        yield f"/{case.document.name}/object/statuscode"


def _nowhere_to_go(case: Case) -> Iterator[str]:
    misaddressed = case.text("object/statuscode") == _MISADDRESSED
    if misaddressed and not case.text(f"{_REROUTE}/identificatie"):
        yield f"/{case.document.name}/{_REROUTE}"


def _rerouted_all_the_same(case: Case) -> Iterator[str]:
    rerouted = next(case.found(_REROUTE), None) is not None
    if rerouted and case.text("object/statuscode") != _MISADDRESSED:
        yield f"/{case.document.name}/{_REROUTE}"


def _rerouted_to_nobody(case: Case) -> Iterator[str]:
    """The right recipient is a party that is known here, and not the one that sends back."""
    oin = case.text(f"{_REROUTE}/identificatie")
    zender = case.head.zender
    back = zender is not None and oin == zender.organisatie
    if oin and (back or case.directory.party(oin) is None):
        yield f"/{case.document.name}/{_REROUTE}/identificatie"


def _case_without_number(case: Case) -> Iterator[str]:
    taken_up = case.text("object/statuscode") == _CASE
    if taken_up and not case.text("object/casus/registratienummer"):
        yield f"/{case.document.name}/object/casus"


RULES = (
    Rule(
        id="JZ-050",
        code="regel.informering.reden",
        check=Each(names=("indicatieGeinformeerd",), broken=_not_informed_without_reason),
        text="Iemand is niet geïnformeerd, en er staat niet bij waarom.",
        remedy="Vul redenNietGeinformeerd in.",
        ground="Seed 3.6.5: decisions and considerations on informing are recorded",
        messages=_MELDING,
    ),
    Rule(
        id="JZ-051",
        code="regel.informering.tegenspraak",
        check=Each(names=("redenNietGeinformeerd",), broken=_informed_with_reason),
        text="Iemand is geïnformeerd, maar er staat een reden bij waarom niet.",
        remedy="Haal redenNietGeinformeerd weg, of zet indicatieGeinformeerd op Nee.",
        ground="Seed 3.6.5",
        messages=_MELDING,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-052",
        code="regel.periode.volgorde",
        check=Each(names=("periodeVanTot",), broken=_period),
        text="De periode eindigt voor zij begint.",
        remedy="Controleer datumtijdBegin en datumtijdEinde.",
        ground="XSD 1.0.9, periodeVanTot",
        messages=_MELDING,
    ),
    Rule(
        id="JZ-053",
        code="regel.incident.tijd",
        check=_incident_without_moment,
        text="Bij het incident staat niet wanneer het was.",
        remedy="Vul datumTijd of periodeVanTot in.",
        ground="XSD 1.0.9: a moment or a period",
        messages=_MELDING,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-054",
        code="regel.vraag.soort",
        check=_question_of_another_kind,
        text="Deze vraag hoort bij een andere soort melding.",
        remedy="Gebruik vragen waarvan de code begint met de code van soortmeldingCode.",
        ground="XSD 1.0.9, the list of vraagCode",
        messages=_MELDING,
    ),
    Rule(
        id="JZ-055",
        code="regel.vraag.herhaald",
        check=_question_twice,
        text="Deze vraag is meer dan eens beantwoord.",
        remedy="Zet alles in één antwoord.",
        ground="Two answers to one question contradict each other unseen",
        messages=_MELDING,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-056",
        code="regel.melding.ontvanger",
        check=_kind_for_receiver,
        text="Deze soort melding is niet voor deze ontvanger.",
        remedy="Controleer soortmeldingCode en ontvanger: VT is voor Veilig Thuis, ZVH voor een "
        "zorg- en veiligheidshuis.",
        ground="XSD 1.0.9, soortmeldingCode",
        messages=_MELDING,
    ),
    Rule(
        id="JZ-060",
        code="regel.status.soort",
        check=_status_of_another_kind,
        text="Deze status hoort bij een andere soort melding.",
        remedy="Gebruik een statuscode die begint met de code van soortmeldingCode.",
        ground="XSD 1.0.9, the list of statuscode",
        messages=_OUTCOME,
    ),
    Rule(
        id="JZ-061",
        code="regel.routering.ontbreekt",
        check=_nowhere_to_go,
        text="De melding was onjuist geadresseerd, maar er staat niet bij waar zij heen moet.",
        remedy="Vul routerenNaarInstantie in als de juiste ontvanger bekend is.",
        ground="XSD 1.0.9: VT-99 with routerenNaarInstantie",
        messages=_OUTCOME,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-062",
        code="regel.routering.onnodig",
        check=_rerouted_all_the_same,
        text="Er staat een andere ontvanger in, maar de melding was niet onjuist geadresseerd.",
        remedy="Haal routerenNaarInstantie weg, of gebruik statuscode VT-99.",
        ground="XSD 1.0.9: VT-99 with routerenNaarInstantie",
        messages=_OUTCOME,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-063",
        code="regel.routering.onbekend",
        check=_rerouted_to_nobody,
        text="De instantie waar de melding heen moet is hier niet bekend, of is de zender zelf.",
        remedy="Zoek het OIN van de juiste ontvanger op.",
        ground="Municipal mergers: OINs that are no more",
        messages=_OUTCOME,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-064",
        code="regel.casus.nummer",
        check=_case_without_number,
        text="De melding is een casus geworden, maar het registratienummer ontbreekt.",
        remedy="Vul casus in.",
        ground="XSD 1.0.9: ZVH-01 is a case",
        messages=_OUTCOME,
        severity=Severity.WARN,
    ),
)
