"""Which officer may decide on a request, and is the decision a whole one? Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.config import OfficerSettings
from gateway.directory import Directory
from gateway.errors import PolicyViolation
from gateway.rules.deciding import LONGEST, RELEASES
from gateway.wire.stuf import as_xml
from gateway.wire.tijd import civil
from gateway.wire.toets import Officier, Uitkomst, Voorwaarde

MOST_WORDS = 2_000
"""Characters of a ground."""
MOST_CONDITIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an officer decides."""

    outcome: Uitkomst
    ground: str
    """Statutory ground and considerations; stays with the OM but for its first line."""
    told: str = ""
    """What the sender may be told; must be there when it is not released."""
    conditions: tuple[Voorwaarde, ...] = ()
    valid_until: datetime | None = None
    known: bool = False
    """The receiver may be told that something was withheld (domain 9.1.6)."""


def officer(directory: Directory, id_: str, *, at: datetime) -> OfficerSettings:
    """Return the officer, with a mandate today.

    Raises PolicyViolation `toets.officier.onbekend`, `toets.officier.mandaat`.
    """
    found = next((one for one in directory.officers if one.id == id_), None)
    if found is None:
        raise PolicyViolation("toets.officier.onbekend", "Deze officier is hier niet bekend.")
    if not in_office(found, at):
        raise PolicyViolation("toets.officier.mandaat", "Het mandaat van deze officier geldt niet.")
    return found


def in_office(found: OfficerSettings, at: datetime) -> bool:
    """Tell whether the mandate holds on this day (Dutch calendar)."""
    day = civil(at).date()
    return found.van <= day and (found.tot is None or day <= found.tot)


def as_told(found: OfficerSettings) -> Officier:
    """Return an officer as the documents of the gate name it."""
    return Officier(
        identificatie=found.id,
        naam=found.naam,
        functie=found.functie,
        mandaat=found.mandaat,
        parket=found.parket,
    )


def check_parket(found: OfficerSettings, parket: str, directory: Directory) -> None:
    """Own parket, one that this one stands in for, or piket; raises PolicyViolation."""
    settings = directory.deciding
    if not parket or found.parket == parket or found.id in settings.piket:
        return
    for one in settings.parketten:
        if one.naam == parket and found.parket in one.waarneming:
            return
    text = "Dit verzoek ligt bij een ander parket, en de officier neemt daar niet waar."
    raise PolicyViolation("toets.officier.parket", text)


def check_eyes(found: OfficerSettings, asker: str) -> None:
    """Who asks does not decide; raises PolicyViolation `toets.vier_ogen`."""
    if asker.casefold() in {found.id.casefold(), found.naam.casefold()}:
        raise PolicyViolation("toets.vier_ogen", "Wie vraagt, beslist niet.")


def check_second(first: OfficerSettings, second: OfficerSettings) -> None:
    """Who decides does not confirm, under another id either; raises PolicyViolation."""
    if {first.id.casefold(), first.naam.casefold()} & {
        second.id.casefold(),
        second.naam.casefold(),
    }:
        raise PolicyViolation("toets.vier_ogen", "Wie beslist, bevestigt niet.")


def needs_second(categories: Iterable[str], outcome: Uitkomst, directory: Directory) -> bool:
    """Tell whether a second officer confirms: a release of data of such a category."""
    return outcome in RELEASES and bool(set(categories) & set(directory.deciding.tweede_officier))


def checked(wish: Wish, directory: Directory, *, at: datetime) -> datetime:
    """Return until when the decision is valid; raises PolicyViolation `toets.besluit.*`."""
    _words(wish)
    _conditions(wish)
    until = wish.valid_until or at + timedelta(hours=directory.deciding.besluit_uren)
    if not at < until <= at + LONGEST:
        raise _wrong("duur", "Een besluit geldt tot een moment binnen 31 dagen.")
    return until


def _words(wish: Wish) -> None:
    if not wish.ground.strip():
        raise _wrong("grond", "Een besluit noemt zijn grond.")
    if wish.outcome not in RELEASES and not wish.told.strip():
        raise _wrong("melding", "Noem de grond die de afzender mag weten.")
    if max(len(wish.ground), len(wish.told)) > MOST_WORDS:
        raise _wrong("grond", f"Een grond heeft ten hoogste {MOST_WORDS} tekens.")
    if not (_writable(wish.ground) and _writable(wish.told)):
        raise _wrong("grond", "Een grond heeft geen stuurtekens.")


def _conditions(wish: Wish) -> None:
    conditional = wish.outcome is Uitkomst.ONDER_VOORWAARDEN
    if conditional != bool(wish.conditions) or len(wish.conditions) > MOST_CONDITIONS:
        raise _wrong("voorwaarden", "Voorwaarden horen bij vrijgeven onder voorwaarden.")
    if len({one.code for one in wish.conditions}) < len(wish.conditions):
        raise _wrong("voorwaarden", "Elke voorwaarde heeft een eigen code.")
    words = [text for one in wish.conditions for text in (one.code, one.tekst)]
    if not all(text.strip() and _writable(text) for text in words):
        raise _wrong(
            "voorwaarden", "Een voorwaarde heeft een code en een tekst, zonder stuurtekens."
        )


def _writable(text: str) -> bool:
    """Tell whether the signed document says exactly this: XML holds every character."""
    return as_xml(text) == text


def _wrong(what: str, text: str) -> PolicyViolation:
    return PolicyViolation(f"toets.besluit.{what}", text)
