"""What is said about a change of table and approvals, in Dutch; the console has the English."""

from collections.abc import Mapping
from types import MappingProxyType

NEW: Mapping[str, str] = MappingProxyType(
    {
        "regels": "Regel {id} is nieuw: {what}.",
        "termen": "Woordenlijst {id} is nieuw: {what}.",
        "toestemmingen": "Toestemming {id} is nieuw: {what}.",
        "uitzonderingen": "Uitzondering {id} is nieuw: {what}.",
    }
)
GONE: Mapping[str, str] = MappingProxyType(
    {
        "regels": "Regel {id} vervalt: {what}.",
        "termen": "Woordenlijst {id} vervalt: {what}.",
        "toestemmingen": "Toestemming {id} vervalt: {what}.",
        "uitzonderingen": "Uitzondering {id} vervalt: {what}.",
    }
)
MORE: Mapping[str, str] = MappingProxyType(
    {
        "koppelvlak": "De tabel geldt nu ook voor versie {what} van het koppelvlak.",
        "berichten": "De tabel deelt nu ook in: {what}.",
        "vrijgesteld": "Nu ook zonder toets: {what}.",
        "vrije_tekst": "Vrije tekst telt nu ook voor: {what}.",
    }
)
LESS: Mapping[str, str] = MappingProxyType(
    {
        "koppelvlak": "Van het koppelvlak niet meer ingedeeld, dus vastgehouden: versie {what}.",
        "berichten": "Niet meer ingedeeld, dus altijd vastgehouden: {what}.",
        "vrijgesteld": "Niet meer zonder toets: {what}.",
        "vrije_tekst": "Vrije tekst telt niet meer voor: {what}.",
    }
)
VALUE: Mapping[str, str] = MappingProxyType(
    {
        "versie": "De tabel krijgt versie {new}; dat was {old}.",
        "versies": "Berichten met een eigen versie van het koppelvlak: {new}; dat was {old}.",
    }
)
CHANGED = "{id}: {name} wordt “{new}”; dat was “{old}”"
ADDED = "{id}: bij {name} komt erbij {what}."
TAKEN = "{id}: bij {name} vervalt {what}."
ORDER = "{id}: {name} staat in een andere volgorde."
TEXTS = (
    *(text for texts in (NEW, GONE, MORE, LESS, VALUE) for text in texts.values()),
    *(CHANGED, ADDED, TAKEN, ORDER),
)
