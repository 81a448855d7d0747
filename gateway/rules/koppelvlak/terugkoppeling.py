"""Rules about what Veilig Thuis answers to a vtMelding."""

from collections.abc import Iterator, Mapping

from lxml import etree

from gateway.errors import Severity
from gateway.rules.koppelvlak.case import Case
from gateway.rules.koppelvlak.rule import Rule
from gateway.wire.xml import text_of

_TERUGKOPPELING = frozenset({"vtTerugkoppelingDi01"})
_ASSESSED = "uitkomst veiligheidsbeoordeling"
_OUTCOMES: Mapping[str, frozenset[str]] = {
    "overdracht": frozenset({"overdracht"}),
    "afsluiting zonder overdracht": frozenset({"geen vervolgstappen nodig"}),
}
"""Which outcomes may stand beside a status other than the assessment itself."""
_KEPT = "vervolgstappen belegd bij VT"
_OTHERS = "overdracht"
_SITUATION = "object/naarAanleidingVan/gerelateerde/betreft/gerelateerde"


def _outcome_beside_status(case: Case) -> Iterator[str]:
    outcome, status = case.text("object/uitkomst"), case.text("object/status")
    if not outcome or status == _ASSESSED:
        return
    if outcome not in _OUTCOMES.get(status, frozenset()):
        yield f"/{case.document.name}/object/uitkomst"


def _assessed_without_outcome(case: Case) -> Iterator[str]:
    if case.text("object/status") == _ASSESSED and not case.text("object/uitkomst"):
        yield f"/{case.document.name}/object/uitkomst"


def _unnamed_melding(case: Case) -> Iterator[str]:
    path = "object/naarAanleidingVan/gerelateerde/identificatieVtMelding"
    if not case.text(path):
        yield f"/{case.document.name}/{path}"


def _nobody_in_charge(case: Case) -> Iterator[str]:
    """After a transfer it is said who keeps an eye on safety (Bijlage 2, D and E)."""
    if _OTHERS not in {case.text("object/uitkomst"), case.text("object/status")}:
        return
    named = f"{_SITUATION}/verantwoordelijkVoorZichtOpDeVeiligheidBelegdBij/gerelateerde/naam"
    if not case.text(named):
        yield f"/{case.document.name}/{named}"


def _unreachable(case: Case) -> Iterator[str]:
    """Whoever goes on can be reached (Bijlage 2, B to E)."""
    if case.text("object/uitkomst") not in {_KEPT, _OTHERS}:
        return
    contact = f"{_SITUATION}/contactgegevensVerantwoordelijkeOrganisatie"
    if not any(_reach(one) for one in case.found(contact)):
        yield f"/{case.document.name}/{contact}"


def _reach(contact: etree._Element) -> bool:
    return bool(text_of(contact, "eMail") or text_of(contact, "telefoonnummer"))


RULES = (
    Rule(
        id="JZ-031",
        code="regel.uitkomst.status",
        check=_outcome_beside_status,
        text="Deze uitkomst past niet bij de status.",
        remedy="Geef een uitkomst alleen bij de status uitkomst veiligheidsbeoordeling, of de "
        "uitkomst die hetzelfde zegt als de status.",
        ground="XSD 1.0.9, the lists of status and uitkomst; seed 3.3.3",
        messages=_TERUGKOPPELING,
    ),
    Rule(
        id="JZ-032",
        code="regel.uitkomst.ontbreekt",
        check=_assessed_without_outcome,
        text="De veiligheid is beoordeeld, maar de uitkomst ontbreekt.",
        remedy="Vul uitkomst in.",
        ground="Seed 3.3.3: the police hears the outcome",
        messages=_TERUGKOPPELING,
    ),
    Rule(
        id="JZ-033",
        code="regel.melding.onbekend",
        check=_unnamed_melding,
        text="De terugkoppeling noemt niet de melding waarop zij antwoordt.",
        remedy="Zet in identificatieVtMelding het kenmerk uit de melding (bij de politie het "
        "BVH-nummer).",
        ground="Bijlage 2, field 1: without it the police can not find the report",
        messages=_TERUGKOPPELING,
    ),
    Rule(
        id="JZ-034",
        code="regel.overdracht.aan",
        check=_nobody_in_charge,
        text="Er is overgedragen, maar niet gezegd wie nu zicht houdt op de veiligheid.",
        remedy="Vul de naam in bij verantwoordelijkVoorZichtOpDeVeiligheidBelegdBij.",
        ground="Bijlage 2, outcomes D and E",
        messages=_TERUGKOPPELING,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-035",
        code="regel.overdracht.contact",
        check=_unreachable,
        text="Er staat niet bij hoe degene die verder gaat te bereiken is.",
        remedy="Vul eMail of telefoonnummer in bij contactgegevensVerantwoordelijkeOrganisatie.",
        ground="Bijlage 2, outcomes B to E",
        messages=_TERUGKOPPELING,
        severity=Severity.WARN,
    ),
)
