"""Rules about numbers, dates and addresses of any message."""

from urllib.parse import urlsplit

from gateway.rules.koppelvlak.case import Case, Filled
from gateway.rules.koppelvlak.onderzoek import is_unborn
from gateway.rules.koppelvlak.rule import Each, Rule
from gateway.rules.values import passes_elfproef

DATES = (
    "datumMelding",
    "datumIncident",
    "datumGeinformeerd",
    "geboortedatum",
    "startdatum",
    "registratiedatum",
    "creatiedatum",
    "einddatum",
    "datumStatusGezet",
    "datum",
)
MOMENTS = ("datumTijdMelding", "datumTijd", "datumtijdBegin", "datumtijdEinde")
_LINKS = ("url", "link")
_SCHEMES = frozenset({"http", "https"})


def _bsn(_case: Case, one: Filled) -> bool:
    return not passes_elfproef(one.text)


def _no_date(_case: Case, one: Filled) -> bool:
    return one.date is None


def _no_moment(_case: Case, one: Filled) -> bool:
    return one.moment is None


def _date_to_come(case: Case, one: Filled) -> bool:
    """An incident and a birth lie in the past, by the Dutch calendar.

    Of an unborn client the expected birth may be given.
    """
    known = one.date
    return (
        known is not None and known > case.today_digits[: len(known)] and not is_unborn(one.element)
    )


def _moment_to_come(case: Case, one: Filled) -> bool:
    moment = one.moment
    return moment is not None and moment > case.at + case.directory.limits.clock_skew


def _no_web_address(_case: Case, one: Filled) -> bool:
    """Whoever reads the message clicks on it: no script, no file, no name with a password."""
    try:
        parts = urlsplit(one.text)
    except ValueError:
        return True
    return parts.scheme not in _SCHEMES or not parts.hostname or "@" in parts.netloc


RULES = (
    Rule(
        id="JZ-003",
        code="regel.bsn.elfproef",
        check=Each(names=("bsn", "inp.bsn"), broken=_bsn),
        text="Dit burgerservicenummer voldoet niet aan de elfproef.",
        remedy="Controleer het nummer bij de bron, of laat het weg als het niet bekend is.",
        ground="Logisch ontwerp BSN",
    ),
    Rule(
        id="JZ-004",
        code="regel.datum.bestaat",
        check=Each(names=DATES, broken=_no_date),
        text="Deze datum bestaat niet.",
        remedy="Schrijf jjjjmmdd; geef een onbekend deel aan met indOnvolledigeDatum.",
        ground="StUF, dates",
    ),
    Rule(
        id="JZ-005",
        code="regel.datum.toekomst",
        check=Each(names=("datumIncident", "geboortedatum"), broken=_date_to_come),
        text="Deze datum ligt in de toekomst.",
        remedy="Controleer de datum. Geef bij een ongeboren kind de gegevens van de moeder.",
        ground="An incident has been, a person in the message is born; Bijlage 2, note",
    ),
    Rule(
        id="JZ-020",
        code="regel.moment.bestaat",
        check=Each(names=MOMENTS, broken=_no_moment),
        text="Dit tijdstip bestaat niet.",
        remedy="Schrijf jjjjmmdd, of jjjjmmdduummss in Nederlandse tijd.",
        ground="StUF, moments",
    ),
    Rule(
        id="JZ-021",
        code="regel.moment.toekomst",
        check=Each(names=MOMENTS, broken=_moment_to_come),
        text="Dit tijdstip ligt in de toekomst.",
        remedy="Controleer het tijdstip en de klok van het systeem; gebruik Nederlandse tijd.",
        ground="An incident and its report have been",
    ),
    Rule(
        id="JZ-022",
        code="regel.link.vorm",
        check=Each(names=_LINKS, broken=_no_web_address),
        text="Dit is geen webadres dat veilig te openen is.",
        remedy="Gebruik een volledig adres met https:// en zonder gebruikersnaam of wachtwoord.",
        ground="Whoever reads the message opens the link",
    ),
)
