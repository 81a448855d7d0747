"""The rules of the koppelvlak beyond its XSD, as one table.

The schema was checked before. Rules look at the whole document and all of them are tried;
a finding tells where, never what stood there.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from gateway.catalogue import MessageKind
from gateway.directory import Directory
from gateway.errors import Finding, Severity
from gateway.message import Oin
from gateway.rules import checks
from gateway.rules.checks import Case, Check
from gateway.wire.stuf import Document

SHOWN_PER_RULE = 20
"""A rule that is broken more often is told this many times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table. Ids and codes are stable; at most 7 characters for an id."""

    id: str
    code: str
    check: Check
    text: str
    remedy: str
    severity: Severity = Severity.REFUSE


RULES = (
    Rule(
        id="JZ-001",
        code="regel.zender.organisatie",
        check=checks.zender_is_sender,
        text="De zender is niet de partij die het bericht aanbiedt.",
        remedy="Zet het OIN van de aanbiedende partij in zender/organisatie, of leg een "
        "machtiging vast.",
    ),
    Rule(
        id="JZ-002",
        code="regel.ontvanger.onbekend",
        check=checks.is_known("ontvanger"),
        text="De ontvanger is hier niet bekend.",
        remedy="Controleer het OIN in ontvanger/organisatie.",
    ),
    Rule(
        id="JZ-003",
        code="regel.bsn.elfproef",
        check=checks.bsn,
        text="Dit burgerservicenummer voldoet niet aan de elfproef.",
        remedy="Controleer het nummer bij de bron, of laat het weg als het niet bekend is.",
    ),
    Rule(
        id="JZ-004",
        code="regel.datum.bestaat",
        check=checks.dates_exist,
        text="Deze datum bestaat niet.",
        remedy="Schrijf jjjjmmdd; geef een onbekend deel aan met indOnvolledigeDatum.",
    ),
    Rule(
        id="JZ-005",
        code="regel.datum.toekomst",
        check=checks.not_in_future,
        text="Deze datum ligt in de toekomst.",
        remedy="Controleer de datum.",
    ),
    Rule(
        id="JZ-006",
        code="regel.datum.volgorde",
        check=checks.report_after_incident,
        text="De datum van de melding ligt voor die van het incident.",
        remedy="Controleer datumMelding en datumIncident.",
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-007",
        code="regel.oin.vorm",
        check=checks.oin_form,
        text="Dit is geen OIN: het moeten 20 cijfers zijn.",
        remedy="Zoek het OIN op in het COR (Centraal OIN-register).",
    ),
    Rule(
        id="JZ-008",
        code="regel.zender.applicatie",
        check=checks.has_applicatie("zender"),
        text="De applicatie van de zender is hier niet bekend.",
        remedy="Gebruik de naam die met het knooppunt is afgesproken.",
    ),
    Rule(
        id="JZ-009",
        code="regel.ontvanger.applicatie",
        check=checks.has_applicatie("ontvanger"),
        text="De applicatie van de ontvanger is hier niet bekend.",
        remedy="Gebruik de naam die de ontvanger heeft opgegeven.",
    ),
    Rule(
        id="JZ-010",
        code="regel.richting",
        check=checks.direction,
        text="De zender mag dit bericht niet aan deze partij sturen.",
        remedy="Controleer de ontvanger, of gebruik het bericht dat voor deze partij bedoeld is.",
    ),
    Rule(
        id="JZ-011",
        code="regel.functie",
        check=checks.functie,
        text="De functie is niet de naam van het bericht.",
        remedy="Zet in functie de naam van het bericht; laat het element weg in Bv01 en Fo01.",
    ),
    Rule(
        id="JZ-012",
        code="regel.berichtcode",
        check=checks.berichtcode,
        text="De berichtcode past niet bij het bericht.",
        remedy="Gebruik de code waarop de naam van het bericht eindigt.",
    ),
    Rule(
        id="JZ-013",
        code="regel.kruisverwijzing",
        check=checks.cross_reference,
        text="Het antwoord noemt niet het bericht waarop het antwoordt.",
        remedy="Zet het referentienummer van dat bericht in crossRefnummer.",
    ),
    Rule(
        id="JZ-014",
        code="regel.applicatie.gelijk",
        check=checks.one_applicatie,
        text="Zender en ontvanger zijn dezelfde applicatie van dezelfde organisatie.",
        remedy="Geef zender en ontvanger elk een eigen applicatienaam.",
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-015",
        code="regel.informering",
        check=checks.informed,
        text="Er staat niet bij wie geïnformeerd is, en niet waarom niemand.",
        remedy="Vul isGeinformeerdAan per persoon, of anders informering.",
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-016",
        code="regel.tijdstip.bestaat",
        check=checks.tijdstip_exists,
        text="Het tijdstip van het bericht bestaat niet.",
        remedy="Schrijf jjjjmmdd, of jjjjmmdduummss in Nederlandse tijd.",
    ),
    Rule(
        id="JZ-017",
        code="regel.tijdstip.toekomst",
        check=checks.tijdstip_future,
        text="Het tijdstip van het bericht ligt in de toekomst.",
        remedy="Zet de klok van het systeem gelijk; gebruik Nederlandse tijd.",
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-018",
        code="regel.zender.onbekend",
        check=checks.is_known("zender"),
        text="De zender is hier niet bekend.",
        remedy="Controleer het OIN in zender/organisatie.",
    ),
)


def check(
    document: Document,
    *,
    kind: MessageKind,
    directory: Directory,
    sender: Oin,
    at: datetime,
    only_warn: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """Return every finding, in the order of the table.

    `sender` is the authenticated party. Rules whose id is in `only_warn` let the message
    pass with a warning: for the time in which a partner gets used to them (domain 9.4).
    """
    case = Case(document=document, kind=kind, directory=directory, sender=sender, at=at)
    return tuple(
        _finding(rule, path, Severity.WARN if rule.id in only_warn else rule.severity)
        for rule in RULES
        for path in islice(rule.check(case), SHOWN_PER_RULE)
    )


def _finding(rule: Rule, path: str, severity: Severity) -> Finding:
    return Finding(
        code=rule.code,
        rule=rule.id,
        path=path,
        text=rule.text,
        remedy=rule.remedy,
        severity=severity,
    )
