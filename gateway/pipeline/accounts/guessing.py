"""Which passwords may be chosen: by length and by how soon they are guessed (NIST SP 800-63B).

No rules on kinds of characters: they make passwords alike. What is leaked or common is found by
zxcvbn, offline: its lists, and words that a guesser of this system begins with.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from threading import Lock
from typing import Any

from zxcvbn import zxcvbn

from gateway.errors import PolicyViolation

LEAST, MOST = 12, 128
GUESSES = 10**10
"""What is found in fewer is refused: a word with a year and a sign is."""
_JUDGED = 20
"""Characters that are looked at: what is strong so far stays so.

What is made to be slow takes 0.1 s at 20, 5 s at 72: every reading of `4` and `@` is tried.
"""
_HERE = (
    *("wachtwoord", "welkom", "geheim", "inloggen", "toegang", "beheerder", "operator", "officier"),
    *("compliance", "berichten", "gateway", "berichtengateway", "console", "koppeling", "corv"),
    *("politie", "justitie", "openbaar", "ministerie", "veilig", "thuis", "veiligthuis"),
    *("nederland", "lente", "voorjaar", "zomer", "herfst", "najaar", "winter"),
    *("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september"),
    *("oktober", "november", "december", "maandag", "dinsdag", "woensdag", "donderdag"),
    *("vrijdag", "zaterdag", "zondag"),
)
"""Words of this system and of Dutch habit; the lists of zxcvbn are English."""
_ALONE = Lock()
"""The library keeps the words of a call in a table that all calls share."""


class Objection(StrEnum):
    """Why a password may not be chosen, in Dutch; the console says it in English as well."""

    LENGTH = "Een wachtwoord heeft 12 tot 128 tekens."
    COMMON = (
        "Dit wachtwoord is of lijkt op een wachtwoord dat veel voorkomt of is gelekt. "
        "Kies een ander."
    )
    NEAR = (
        "Dit wachtwoord lijkt op uw gebruikersnaam of op een woord dat bij dit systeem past. "
        "Kies een ander."
    )
    PATTERN = (
        "Dit wachtwoord is een herhaling, een reeks, een rij toetsen of een datum. Kies een ander."
    )
    EASY = "Dit wachtwoord is te gemakkelijk te raden. Kies een ander."


def check(password: str, login: str) -> None:
    """Raise PolicyViolation `console.wachtwoord`, with the reason, for one that may not be chosen.

    Takes up to a fifth of a second: call it off the loop.
    """
    objection = _objection(password, login)
    if objection is not None:
        raise PolicyViolation("console.wachtwoord", objection)


def _objection(password: str, login: str) -> Objection | None:
    if not LEAST <= len(password) <= MOST:
        return Objection.LENGTH
    with _ALONE:
        found = zxcvbn(password[:_JUDGED], user_inputs=[*_parts(login), *_HERE])
    return _why(found["sequence"]) if found["guesses"] < GUESSES else None


def _parts(login: str) -> Iterator[str]:
    yield login
    yield from re.split(r"[^a-z0-9]+", login.lower())


def _why(sequence: Sequence[Mapping[str, Any]]) -> Objection:
    """Tell by its longest part, which is what made it easy."""
    longest = max(sequence, key=lambda match: len(match["token"]))
    match longest["pattern"]:
        case "dictionary" if longest["dictionary_name"] == "user_inputs":
            return Objection.NEAR
        case "dictionary":
            return Objection.COMMON
        case "bruteforce":
            return Objection.EASY
        case _:
            return Objection.PATTERN
