"""What is said about a change of table and approvals, in Dutch; the console has the English."""

from collections.abc import Mapping
from enum import StrEnum
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


class Effect(StrEnum):
    """What becomes of messages."""

    UNCLASSIFIED = "{what}: elk bericht wordt vastgehouden."
    CLASSIFIED = "{what}: niet meer elk bericht wordt vastgehouden; de regels beslissen."
    VERSION_GONE = "Versie {what} van het koppelvlak: elk bericht wordt vastgehouden."
    VERSION = (
        "Versie {what} van het koppelvlak: niet meer elk bericht wordt vastgehouden; de regels "
        "beslissen."
    )
    JUDGED = "{what}: wordt voortaan getoetst."
    EXEMPT = "{what}: gaat voortaan zonder toets."
    FREE_TEXT = "Ontvanger {what}: elke vrije tekst houdt een bericht vast."
    NO_FREE_TEXT = (
        "Ontvanger {what}: vrije tekst houdt alleen nog vast door een woord uit een lijst."
    )
    RULE = "{message} met {path}: een officier besluit (regel {rule})."
    RULE_STANDING = (
        "{message} met {path}: gaat alleen nog met een doorlopende toestemming (regel {rule})."
    )
    RULE_FREE_TEXT = "{message} met {path}: een woord uit een lijst houdt het vast (regel {rule})."
    RULE_GONE = "{message} met {path}: regel {rule} houdt het niet meer vast."
    RULE_INDIVIDUAL = (
        "{message} met {path}: een toestemming is niet meer genoeg, een officier besluit "
        "(regel {rule})."
    )
    RULE_NOW_STANDING = (
        "{message} met {path}: gaat met een doorlopende toestemming, zonder apart besluit "
        "(regel {rule})."
    )
    RULE_OTHER = "{message} met {path}: regel {rule} telt in andere gevallen dan eerst."
    WORDS = "Vrije tekst met een van deze woorden: {what} (lijst {list})."
    WORDS_GONE = "Vrije tekst met alleen een van deze woorden: {what} (lijst {list})."
    WORDS_RECEIVERS = "Woordenlijst {list} telt voor andere ontvangers dan eerst."
    APPROVAL = "{messages} aan {receivers}: gaat onder toestemming {id}, zonder apart besluit."
    APPROVAL_GONE = "{messages} aan {receivers}: niet meer onder toestemming {id}."
    MESSAGE_LESS = "Toestemming {id} geldt niet meer voor {what}."
    MESSAGE_MORE = "Toestemming {id} geldt nu ook voor {what}."
    RECEIVER_LESS = "Toestemming {id} geldt niet meer voor ontvanger {what}."
    RECEIVER_MORE = "Toestemming {id} geldt nu ook voor ontvanger {what}."
    ARTICLE_LESS = "Toestemming {id} geldt niet meer voor gegevens van artikel {what} Wpg."
    ARTICLE_MORE = "Toestemming {id} geldt nu ook voor gegevens van artikel {what} Wpg."
    CATEGORY_LESS = "Toestemming {id} dekt niet meer: {what}."
    CATEGORY_MORE = "Toestemming {id} dekt nu ook: {what}."
    APPROVAL_PERIOD = "Toestemming {id} geldt van {since} tot {until}."
    VERSIONS = "Voor sommige berichten gelden andere versies van het koppelvlak."
    EXCEPTIONS = "Wat onder artikel 9 of 10 valt, wordt in andere gevallen geweigerd dan eerst."
