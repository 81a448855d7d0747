"""Rules about Check op Bekendheid and casusinformatie: vcob, ucob, vci, uci."""

from collections.abc import Iterator, Mapping

from gateway.catalogue import Role
from gateway.errors import Severity
from gateway.rules.koppelvlak.case import Case, below
from gateway.rules.koppelvlak.rule import Rule
from gateway.wire.xml import path_of, text_of, value

_REQUESTS = frozenset({"vcobDi01", "vciDi01"})
_CASE_ANSWER = frozenset({"uciDi01"})
_CASE_REQUEST = frozenset({"vciDi01"})
_CASE_INFORMATION = frozenset({"vciDi01", "uciDi01"})
_CONVERSATION = _REQUESTS | {"ucobDi01", "uciDi01"}
_PERSON = "heeftBetrekkingOp/gerelateerde/natuurlijkPersoon"

_ASKS: Mapping[str, frozenset[Role]] = {
    "02": frozenset({Role.OM, Role.POLITIE, Role.RVDK, Role.RECLASSERING}),
    "03": frozenset({Role.OM}),
    "04": frozenset({Role.GEMEENTE}),
    "05": frozenset({Role.VEILIG_THUIS}),
}
"""Who may call himself so. 01, Landelijk Raadpleger, may be anybody."""
_REASONS: Mapping[str, frozenset[str]] = {
    "01": frozenset({"01", "05"}),
    "02": frozenset({"01", "05"}),
    "03": frozenset({"01", "04"}),
    "04": frozenset({"01", "04"}),
    "06": frozenset({"01", "02", "03"}),
}
"""Reason → who asks for it. 05, radicalisering, may be anybody's."""


def _asker(case: Case) -> Iterator[str]:
    fitting = _ASKS.get(case.text("object/soortVerzoeker"))
    role = case.role("zender")
    if fitting is not None and role is not None and role not in fitting:
        yield f"/{case.document.name}/object/soortVerzoeker"


def _reason(case: Case) -> Iterator[str]:
    fitting = _REASONS.get(case.text("object/redenVerzoek/code"))
    asker = case.text("object/soortVerzoeker")
    if fitting is not None and asker and asker not in fitting:
        yield f"/{case.document.name}/object/redenVerzoek/code"


def _hardly_a_person(case: Case) -> Iterator[str]:
    for person in case.found(f"object/{_PERSON}"):
        if not any(
            text_of(person, name) for name in ("inp.bsn", "anp.identificatie", "geboortedatum")
        ):
            yield path_of(person)


def _asked_twice(case: Case) -> Iterator[str]:
    """Within one person (vci: the document, uci: one object) a question stands once."""
    for about in case.found("object"):
        seen: set[str] = set()
        for path in ("specifiekeVraag/code", "heeftBetrekkingOp/specifiekeVraag/code"):
            for code in below(about, path):
                text = value(code).strip()
                if text in seen:
                    yield path_of(code)
                seen.add(text)


def _unknown_but_told(case: Case) -> Iterator[str]:
    for about in case.found("object"):
        if text_of(about, "heeftBetrekkingOp/indicatieBekend") not in {"N", "Nee"}:
            continue
        told = ("heeftBetrekkingOp/specifiekeVraag", "heeftRelevant")
        if any(next(below(about, path), None) is not None for path in told):
            yield f"{path_of(about)}/heeftBetrekkingOp/indicatieBekend"


def _answers_itself(case: Case) -> Iterator[str]:
    for about in case.found("object"):
        own = text_of(about, "identificatie")
        if own and own == text_of(about, "verzoekidentificatie"):
            yield f"{path_of(about)}/identificatie"


RULES = (
    Rule(
        id="JZ-040",
        code="regel.verzoeker.soort",
        check=_asker,
        text="De soort verzoeker past niet bij de organisatie die het verzoek doet.",
        remedy="Kies in soortVerzoeker de code van de eigen organisatie.",
        ground="XSD 1.0.9, soortVerzoeker; CoB is asked in one's own task",
        messages=_REQUESTS,
    ),
    Rule(
        id="JZ-041",
        code="regel.verzoek.reden",
        check=_reason,
        text="De reden van het verzoek past niet bij de soort verzoeker.",
        remedy="Kies in redenVerzoek een reden die bij soortVerzoeker hoort.",
        ground="XSD 1.0.9, redenVerzoek; goal-binding (seed 1.4 h)",
        messages=_REQUESTS,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-042",
        code="regel.persoon.kenmerken",
        check=_hardly_a_person,
        text="Alleen met een naam is deze persoon niet zeker te vinden.",
        remedy="Vul ook BSN, vreemdelingennummer of geboortedatum in.",
        ground="A person of the same name must not be taken for this one",
        messages=_CONVERSATION,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-043",
        code="regel.vraag.dubbel",
        check=_asked_twice,
        text="Deze vraag staat er meer dan eens.",
        remedy="Stel of beantwoord elke vraag één keer.",
        ground="Two answers to one question contradict each other unseen",
        messages=_CASE_INFORMATION,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-044",
        code="regel.bekend.antwoord",
        check=_unknown_but_told,
        text="De persoon is niet bekend, maar er staan antwoorden of documenten bij.",
        remedy="Zet indicatieBekend op J, of haal antwoorden en documenten weg: controleer of zij "
        "over deze persoon gaan.",
        ground="Data of somebody else may have slipped in",
        messages=_CASE_ANSWER,
    ),
    Rule(
        id="JZ-045",
        code="regel.verzoek.identificatie",
        check=_answers_itself,
        text="Het antwoord heeft dezelfde identificatie als het verzoek.",
        remedy="Geef het antwoord een eigen identificatie; zet in verzoekidentificatie die van "
        "het verzoek.",
        ground="The case is found by verzoekidentificatie",
        messages=frozenset({"ucobDi01", "uciDi01"}),
        severity=Severity.WARN,
    ),
)
