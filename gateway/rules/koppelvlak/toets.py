"""Rules about the messages of the OM gate: what is asked, decided, withdrawn and laid down.

Whether a decision answers a request of ours is for `rules/deciding.py`; here a message is held
against itself.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256

from lxml import etree

from gateway.catalogue import Role
from gateway.errors import Severity
from gateway.rules.koppelvlak.case import Case, below
from gateway.rules.koppelvlak.rule import Rule
from gateway.wire.base64_text import unbase64
from gateway.wire.stuf import ANSWERS, value_of
from gateway.wire.toets import BESLUIT, INTREKKING, KINDS, VERZOEK, VOORWAARDEN
from gateway.wire.xml import path_of, text_of

LONGEST_TERM = timedelta(days=31)
"""Nobody waits longer for a decision."""

_REQUEST = frozenset({VERZOEK})
_DECISION = frozenset({BESLUIT})
_WITHDRAWAL = frozenset({INTREKKING})
_BODIES = {
    VERZOEK: "verzoek",
    BESLUIT: "besluit",
    INTREKKING: "intrekking",
    VOORWAARDEN: "voorwaarden",
}
_WITH_CONDITIONS = "vrijgevenOnderVoorwaarden"
_REFUSALS = frozenset({"nietVrijgeven", "terugNaarAfzender"})
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


def _body(case: Case) -> str:
    return _BODIES[case.document.name]


def _at(case: Case, path: str) -> Iterator[etree._Element]:
    """Yield the elements at a path below the body."""
    return case.found(f"{_body(case)}/{path}")


def _text(case: Case, path: str) -> str:
    return case.text(f"{_body(case)}/{path}")


def _moment(case: Case, path: str) -> datetime | None:
    """Return a moment of the body; None for one that the schema would not have let pass."""
    try:
        moment = datetime.fromisoformat(_text(case, path))
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _blank(*paths: str) -> Callable[[Case], Iterator[str]]:
    """Make the check that what stands there is more than white space."""

    def check(case: Case) -> Iterator[str]:
        for path in paths:
            yield from (path_of(e) for e in _at(case, path) if not value_of(e))

    return check


# --- the payload in a request ---------------------------------------------------------


def _payload(case: Case) -> bytes | None:
    """Return the octets, None for what is no base64 (libxml2 passes over strange characters)."""
    for element in _at(case, "inhoud"):
        try:
            return unbase64(value_of(element))
        except ValueError:
            return None
    return None


def _unreadable(case: Case) -> Iterator[str]:
    if not _payload(case):
        yield from map(path_of, _at(case, "inhoud"))


def _other_digest(case: Case) -> Iterator[str]:
    octets = _payload(case)
    if octets and sha256(octets).hexdigest() != _text(case, "sha256"):
        yield from map(path_of, _at(case, "sha256"))


def _other_size(case: Case) -> Iterator[str]:
    octets = _payload(case)
    if octets and str(len(octets)) != _text(case, "omvang"):
        yield from map(path_of, _at(case, "omvang"))


# --- what is asked --------------------------------------------------------------------


def _term_passed(case: Case) -> Iterator[str]:
    term = _moment(case, "termijn")
    if term is not None and term <= case.at:
        yield from map(path_of, _at(case, "termijn"))


def _term_too_long(case: Case) -> Iterator[str]:
    term = _moment(case, "termijn")
    if term is None or term - case.at > LONGEST_TERM:
        yield from map(path_of, _at(case, "termijn"))


def _to_the_om_itself(case: Case) -> Iterator[str]:
    """The OM needs no decision on what it receives (Wpg 16).

    Nor by roles: what is held is for anyone but the OM that is asked, so that OM can decide.
    """
    asked = case.head.ontvanger
    if asked is not None and asked.organisatie == _text(case, "ontvanger/organisatie"):
        yield from map(path_of, _at(case, "ontvanger/organisatie"))


def _never_held(case: Case) -> Iterator[str]:
    """No message of the gate and no answer is ever held."""
    if _text(case, "soort") in KINDS | ANSWERS:
        yield from map(path_of, _at(case, "soort"))


def _linked_to_itself(case: Case) -> Iterator[str]:
    own = _text(case, "referentienummer")
    for name in ("deelVan", "vervangt"):
        yield from (path_of(e) for e in _at(case, name) if value_of(e) == own)


# --- what is decided ------------------------------------------------------------------


def _over_before_it_begins(case: Case) -> Iterator[str]:
    taken, until = _moment(case, "genomenOp"), _moment(case, "geldigTot")
    if taken is None or until is None or until <= taken:
        yield from map(path_of, _at(case, "geldigTot"))


def _in_the_future(case: Case) -> Iterator[str]:
    taken = _moment(case, "genomenOp")
    if taken is not None and taken > case.at + case.directory.limits.clock_skew:
        yield from map(path_of, _at(case, "genomenOp"))


def _refused_without_a_word(case: Case) -> Iterator[str]:
    if _text(case, "uitkomst") in _REFUSALS and not _text(case, "teMelden"):
        yield from map(path_of, _at(case, "uitkomst"))


def _without_conditions(case: Case) -> Iterator[str]:
    if _text(case, "uitkomst") == _WITH_CONDITIONS and next(_at(case, "voorwaarde"), None) is None:
        yield from map(path_of, _at(case, "uitkomst"))


def _conditions_to_nothing(case: Case) -> Iterator[str]:
    if _text(case, "uitkomst") != _WITH_CONDITIONS:
        yield from map(path_of, _at(case, "voorwaarde"))


def _twice(path: str, case: Case) -> Iterator[str]:
    """Yield the second of two with the same text, and those after it."""
    seen: set[str] = set()
    for element in _at(case, path):
        text = value_of(element).casefold()
        if text in seen:
            yield path_of(element)
        seen.add(text)


def _one_pair_of_eyes(case: Case) -> Iterator[str]:
    first = _text(case, "officier/identificatie").casefold()
    for second in _at(case, "tweedeOfficier"):
        if text_of(second, "identificatie").casefold() == first:
            yield from map(path_of, below(second, "identificatie"))


# --- what is withdrawn ----------------------------------------------------------------


def _by_nobody(case: Case) -> Iterator[str]:
    if case.role("zender") is Role.OM and next(_at(case, "officier"), None) is None:
        yield f"/{case.document.name}/intrekking"


def _unsigned(case: Case) -> Iterator[str]:
    if case.role("zender") is Role.OM and case.document.tree.find(_SIGNATURE) is None:
        yield f"/{case.document.name}"


_OF_THE_OM = ("besluit", "toestemming")
_OF_THE_ASKER = ("verzoek",)


def _of_another(case: Case) -> Iterator[str]:
    """Each withdraws what is its own; a knooppunt asks and, where it was set so, decides."""
    others = {Role.POLITIE: _OF_THE_OM, Role.OM: _OF_THE_ASKER}
    role = case.role("zender")
    for name in others.get(role, ()) if role else ():
        yield from map(path_of, _at(case, name))


RULES = (
    Rule(
        id="BGT-001",
        code="regel.toets.inhoud",
        check=_unreadable,
        text="De inhoud is leeg of geen base64.",
        remedy="Zet de octetten van de payload als base64 in inhoud, zonder andere tekens.",
        ground="The OM decides on exactly the octets that are held (domain 9.1.2)",
        messages=_REQUEST,
        fixed=True,
    ),
    Rule(
        id="BGT-002",
        code="regel.toets.sha256",
        check=_other_digest,
        text="De hash is niet die van de inhoud.",
        remedy="Bereken de SHA-256 over de octetten van de payload, niet over de base64.",
        ground="The hash is over the octets of the payload (domain 9.1.8)",
        messages=_REQUEST,
        fixed=True,
    ),
    Rule(
        id="BGT-003",
        code="regel.toets.omvang",
        check=_other_size,
        text="De omvang is niet die van de inhoud.",
        remedy="Tel de octetten van de payload, niet de tekens van de base64.",
        ground="The OM decides on exactly the octets that are held (domain 9.1.2)",
        messages=_REQUEST,
        fixed=True,
    ),
    Rule(
        id="BGT-004",
        code="regel.toets.termijn.voorbij",
        check=_term_passed,
        text="De termijn waarbinnen een besluit zin heeft, is al voorbij.",
        remedy="Vraag eerder, of overleg met het OM of een besluit nog nodig is.",
        ground="The hold has its own clock; a refusal would leave the message held for good",
        messages=_REQUEST,
        severity=Severity.WARN,
    ),
    Rule(
        id="BGT-005",
        code="regel.toets.termijn.lang",
        check=_term_too_long,
        text="De termijn ligt meer dan 31 dagen vooruit.",
        remedy="Geef de termijn van de zender: 24 uur, 72 uur of 5 dagen.",
        ground="The hold has its own clock inside the term of the sender",
        messages=_REQUEST,
    ),
    Rule(
        id="BGT-006",
        code="regel.toets.ontvanger",
        check=_to_the_om_itself,
        text="De ontvanger is het OM dat moet beslissen: daarvoor is geen toets nodig.",
        remedy="Vraag alleen een besluit over wat de politie aan anderen dan dit OM verstrekt.",
        ground="Seed 1.4 f; Wpg 16 (domain 9.1.1)",
        messages=_REQUEST,
    ),
    Rule(
        id="BGT-007",
        code="regel.toets.soort",
        check=_never_held,
        text="Over dit soort bericht wordt niet besloten.",
        remedy="Noem het bericht dat wordt vastgehouden, niet een bericht van de toets zelf.",
        ground="The messages of the gate itself are exempt (domain 9.1.1)",
        messages=_REQUEST | {VOORWAARDEN},
    ),
    Rule(
        id="BGT-008",
        code="regel.toets.verwijzing",
        check=_linked_to_itself,
        text="Het bericht verwijst naar zichzelf.",
        remedy="Noem het referentienummer van het andere bericht, of laat het element weg.",
        ground="A partial answer is linked to what it is part of",
        messages=_REQUEST,
    ),
    Rule(
        id="BGT-020",
        code="regel.toets.geldig",
        check=_over_before_it_begins,
        text="Het besluit eindigt voordat het begint.",
        remedy="Zet in geldigTot een later moment dan in genomenOp.",
        ground="A decision has its time",
        messages=_DECISION,
        fixed=True,
    ),
    Rule(
        id="BGT-021",
        code="regel.toets.moment",
        check=_in_the_future,
        text="Dit is genomen op een moment dat nog moet komen.",
        remedy="Zet de klok van het systeem gelijk.",
        ground="`limits.clock_skew_seconds`",
        messages=_DECISION | _WITHDRAWAL,
    ),
    Rule(
        id="BGT-022",
        code="regel.toets.grond",
        check=_blank("grond"),
        text="Er is geen grond.",
        remedy="Noem de grond, bijvoorbeeld een paragraaf van de Aanwijzing.",
        ground="Aanwijzing Wpg 15.5.1; Wjsg 39j",
        messages=_DECISION | _WITHDRAWAL,
        fixed=True,
    ),
    Rule(
        id="BGT-023",
        code="regel.toets.te_melden",
        check=_refused_without_a_word,
        text="Een weigering zonder grond die de afzender mag weten.",
        remedy="Vul teMelden, neutraal als dat nodig is.",
        ground="Aanwijzing Wpg 8.2, 15.5.1: a refusal is told as soon as possible",
        messages=_DECISION,
        fixed=True,
    ),
    Rule(
        id="BGT-024",
        code="regel.toets.voorwaarde.ontbreekt",
        check=_without_conditions,
        text="Er wordt onder voorwaarden vrijgegeven, zonder voorwaarde.",
        remedy="Noem ten minste een voorwaarde, of geef vrij zonder voorwaarden.",
        ground="Whoever decides says under which conditions",
        messages=_DECISION,
        fixed=True,
    ),
    Rule(
        id="BGT-025",
        code="regel.toets.voorwaarde.zinloos",
        check=_conditions_to_nothing,
        text="Bij deze uitkomst horen geen voorwaarden.",
        remedy="Laat de voorwaarden weg, of kies vrijgevenOnderVoorwaarden.",
        ground="A condition that nobody is told protects nobody",
        messages=_DECISION,
        fixed=True,
    ),
    Rule(
        id="BGT-026",
        code="regel.toets.voorwaarde.dubbel",
        check=partial(_twice, "voorwaarde/code"),
        text="Deze code van een voorwaarde staat er twee keer.",
        remedy="Geef elke voorwaarde een eigen code.",
        ground="The receiver accepts a condition by its code (domain 9.1.7)",
        messages=_DECISION | {VOORWAARDEN},
    ),
    Rule(
        id="BGT-027",
        code="regel.toets.voorwaarde.leeg",
        check=_blank("voorwaarde/code", "voorwaarde/tekst"),
        text="Deze voorwaarde zegt niets.",
        remedy="Geef elke voorwaarde een code en een tekst.",
        ground="The receiver must know what he accepts (domain 9.1.7)",
        messages=_DECISION | {VOORWAARDEN},
    ),
    Rule(
        id="BGT-028",
        code="regel.toets.vier_ogen",
        check=_one_pair_of_eyes,
        text="De tweede officier is dezelfde als de eerste.",
        remedy="Laat een andere officier het besluit bevestigen.",
        ground="Four eyes, per category",
        messages=_DECISION,
        fixed=True,
    ),
    Rule(
        id="BGT-029",
        code="regel.toets.ontvanger.dubbel",
        check=partial(_twice, "ontvanger"),
        text="Deze ontvanger staat er twee keer.",
        remedy="Noem elke ontvanger een keer.",
        ground="A decision is for each receiver that it names",
        messages=_DECISION,
        severity=Severity.WARN,
    ),
    Rule(
        id="BGT-040",
        code="regel.toets.intrekking.officier",
        check=_by_nobody,
        text="De intrekking van het OM noemt geen officier.",
        remedy="Noem de officier die intrekt, met mandaat.",
        ground="Who decides is on record: name, function, mandate",
        messages=_WITHDRAWAL,
        fixed=True,
    ),
    Rule(
        id="BGT-041",
        code="regel.toets.intrekking.ondertekening",
        check=_unsigned,
        text="De intrekking van het OM is niet ondertekend.",
        remedy="Zet de handtekening van het OM in het document.",
        ground="What the OM says is signed inside the document: the legs are signed by the hub",
        messages=_WITHDRAWAL,
        fixed=True,
    ),
    Rule(
        id="BGT-042",
        code="regel.toets.intrekking.partij",
        check=_of_another,
        text="De zender kan dit niet intrekken.",
        remedy="De politie trekt een verzoek in; het OM een besluit of doorlopende toestemming.",
        ground="Each withdraws what is its own",
        messages=_WITHDRAWAL,
        fixed=True,
    ),
    Rule(
        id="BGT-050",
        code="regel.toets.geheimhouding",
        check=_blank("geheimhouding"),
        text="De melding van de geheimhouding is leeg.",
        remedy="Noem de plicht die op de gegevens rust (Wpg 7 lid 2).",
        ground="Wpg 7 lid 2; Bpg 4:8; seed 1.4 i",
        messages=frozenset({VOORWAARDEN}),
    ),
)
