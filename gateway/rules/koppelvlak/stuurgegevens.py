"""Rules about the envelope: who sends what to whom, and in answer to what."""

from collections.abc import Iterator
from functools import partial

from gateway.errors import Severity
from gateway.rules.koppelvlak.case import Case, Filled
from gateway.rules.koppelvlak.rule import Check, Each, Rule
from gateway.rules.values import is_oin
from gateway.wire.toets import BETWEEN_GATEWAYS, GATEWAY

_ANSWERING = frozenset({"ucobDi01", "uciDi01"})
"""Messages with content that name, like Bv01 and Fo01, the message that they answer."""


# --- who ------------------------------------------------------------------------------


def _zender_is_sender(case: Case) -> Iterator[str]:
    """The party of the connection is the zender, or acts for it (domain 9.2.1)."""
    address, party = case.head.zender, case.party("zender")
    if address is None or address.organisatie == case.sender:
        return
    if party is None or case.sender not in party.mandates:
        yield case.path("zender/organisatie")


def _is_known(name: str) -> Check:
    """Make the check that zender or ontvanger, where given, is a party of the directory."""

    def check(case: Case) -> Iterator[str]:
        if name in case.addresses and case.party(name) is None:
            yield case.path(f"{name}/organisatie")

    return check


def _has_applicatie(name: str, case: Case) -> Iterator[str]:
    """The applicatie is one of the party's.

    Not for answers: a gateway answers under its own name, to what it may not have read.
    """
    party = case.party(name)
    if party is None or case.kind.answer:
        return
    if case.kind.name in BETWEEN_GATEWAYS and case.addresses[name].applicatie == GATEWAY:
        return  # no system of a party: the gateway itself
    if case.addresses[name].applicatie not in party.applicaties:
        yield case.path(f"{name}/applicatie")


def _no_oin(_case: Case, one: Filled) -> bool:
    return not is_oin(one.text)


def _direction(case: Case) -> Iterator[str]:
    """The catalogue lets a party of this role send this message to one of that role."""
    zender, ontvanger = case.role("zender"), case.role("ontvanger")
    if zender and ontvanger and not case.kind.permits(zender, ontvanger):
        yield case.path("ontvanger/organisatie")


def _one_applicatie(case: Case) -> Iterator[str]:
    """Within an organisation, zender and ontvanger differ (domain 1.8)."""
    zender, ontvanger = case.head.zender, case.head.ontvanger
    if zender is None or ontvanger is None:
        return
    if (zender.organisatie, zender.applicatie) == (ontvanger.organisatie, ontvanger.applicatie):
        yield case.path("ontvanger/applicatie")


# --- what -----------------------------------------------------------------------------


def _functie(case: Case) -> Iterator[str]:
    """`functie` is the name of the message; answers have none."""
    wanted = "" if case.kind.answer else case.kind.name
    if case.head.functie != wanted:
        yield case.path("functie")


def _berichtcode(case: Case) -> Iterator[str]:
    """The code stands in the name: vtMelding*Di01*, *Bv01*Bericht."""
    name = case.kind.name
    wanted = name.removesuffix("Bericht") if case.kind.answer else name[-4:]
    if case.head.berichtcode != wanted:
        yield case.path("berichtcode")


def _cross_reference(case: Case) -> Iterator[str]:
    """An answer names what it answers."""
    answers = case.kind.answer or case.kind.name in _ANSWERING
    if answers and not case.head.cross_refnummer:
        yield case.path("crossRefnummer")


def _refers_to_itself(case: Case) -> Iterator[str]:
    if case.head.cross_refnummer == case.head.referentienummer:
        yield case.path("crossRefnummer")


def _tijdstip_exists(case: Case) -> Iterator[str]:
    if case.moment is None:
        yield case.path("tijdstipBericht")


def _tijdstip_future(case: Case) -> Iterator[str]:
    """`tijdstipBericht` is not later than the clocks may differ."""
    moment = case.moment
    if moment is not None and moment > case.at + case.directory.limits.clock_skew:
        yield case.path("tijdstipBericht")


RULES = (
    Rule(
        id="JZ-001",
        code="regel.zender.organisatie",
        check=_zender_is_sender,
        text="De zender is niet de partij die het bericht aanbiedt.",
        remedy="Zet het OIN van de aanbiedende partij in zender/organisatie, of leg een "
        "machtiging vast.",
        ground="Digikoppeling: the certificate, the envelope and the document name one party",
        fixed=True,
    ),
    Rule(
        id="JZ-002",
        code="regel.ontvanger.onbekend",
        check=_is_known("ontvanger"),
        text="De ontvanger is hier niet bekend.",
        remedy="Controleer het OIN in ontvanger/organisatie.",
        ground="Routing by the stuurgegevens",
        fixed=True,
    ),
    Rule(
        id="JZ-007",
        code="regel.oin.vorm",
        check=Each(names=("organisatie", "oinNummer"), broken=_no_oin),
        text="Dit is geen OIN: het moeten 20 cijfers zijn.",
        remedy="Zoek het OIN op in het COR (Centraal OIN-register).",
        ground="OIN-stelsel, chapter 6",
    ),
    Rule(
        id="JZ-008",
        code="regel.zender.applicatie",
        check=partial(_has_applicatie, "zender"),
        text="De applicatie van de zender is hier niet bekend.",
        remedy="Gebruik de naam die met het knooppunt is afgesproken.",
        ground="The answer goes back to this applicatie",
        fixed=True,
    ),
    Rule(
        id="JZ-009",
        code="regel.ontvanger.applicatie",
        check=partial(_has_applicatie, "ontvanger"),
        text="De applicatie van de ontvanger is hier niet bekend.",
        remedy="Gebruik de naam die de ontvanger heeft opgegeven.",
        ground="One postvak per applicatie: in another, nobody looks",
        fixed=True,
    ),
    Rule(
        id="JZ-010",
        code="regel.richting",
        check=_direction,
        text="De zender mag dit bericht niet aan deze partij sturen.",
        remedy="Controleer de ontvanger, of gebruik het bericht dat voor deze partij bedoeld is.",
        ground="Catalogue: who sends what to whom",
        fixed=True,
    ),
    Rule(
        id="JZ-011",
        code="regel.functie",
        check=_functie,
        text="De functie is niet de naam van het bericht.",
        remedy="Zet in functie de naam van het bericht; laat het element weg in Bv01 en Fo01.",
        ground="StUF, stuurgegevens",
    ),
    Rule(
        id="JZ-012",
        code="regel.berichtcode",
        check=_berichtcode,
        text="De berichtcode past niet bij het bericht.",
        remedy="Gebruik de code waarop de naam van het bericht eindigt.",
        ground="StUF, stuurgegevens",
    ),
    Rule(
        id="JZ-013",
        code="regel.kruisverwijzing",
        check=_cross_reference,
        text="Het antwoord noemt niet het bericht waarop het antwoordt.",
        remedy="Zet het referentienummer van dat bericht in crossRefnummer.",
        ground="StUF, stuurgegevens: Bv01, Fo01, ucob and uci have a crossRefnummer",
    ),
    Rule(
        id="JZ-014",
        code="regel.applicatie.gelijk",
        check=_one_applicatie,
        text="Zender en ontvanger zijn dezelfde applicatie van dezelfde organisatie.",
        remedy="Geef zender en ontvanger elk een eigen applicatienaam.",
        ground="Practice: answers get lost between the two",
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-016",
        code="regel.tijdstip.bestaat",
        check=_tijdstip_exists,
        text="Het tijdstip van het bericht bestaat niet.",
        remedy="Schrijf jjjjmmdd, of jjjjmmdduummss in Nederlandse tijd.",
        ground="StUF, stuurgegevens",
    ),
    Rule(
        id="JZ-017",
        code="regel.tijdstip.toekomst",
        check=_tijdstip_future,
        text="Het tijdstip van het bericht ligt in de toekomst.",
        remedy="Zet de klok van het systeem gelijk; gebruik Nederlandse tijd.",
        ground="`limits.clock_skew_seconds`",
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-018",
        code="regel.zender.onbekend",
        check=_is_known("zender"),
        text="De zender is hier niet bekend.",
        remedy="Controleer het OIN in zender/organisatie.",
        ground="Routing by the stuurgegevens",
        fixed=True,
    ),
    Rule(
        id="JZ-019",
        code="regel.kruisverwijzing.zelf",
        check=_refers_to_itself,
        text="Het bericht verwijst met crossRefnummer naar zichzelf.",
        remedy="Geef het bericht een eigen referentienummer; zet in crossRefnummer dat van het "
        "bericht waarop het antwoordt.",
        ground="StUF, stuurgegevens",
    ),
)
