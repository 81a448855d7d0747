"""What an XSD demands, in words for people: one entry per kind of constraint.

The texts know the rule and nothing of the document. Both judges use them: libxml2, whose own
messages print values, and xmlschema, which adds what the schema allows.
"""

from dataclasses import dataclass

from gateway.errors import Finding


@dataclass(frozen=True, slots=True)
class Constraint:
    """One kind of XSD constraint (XML Schema part 1 and 2, validation rules)."""

    code: str
    rule: str
    text: str
    remedy: str
    of_value: bool = False
    """Whether it judges a value, and not the structure."""

    def finding(self, path: str, *, allowed: str = "") -> Finding:
        """Tell that `path` breaks this; `allowed` is what the schema itself names."""
        remedy = f"{self.remedy} {allowed}".strip()
        return Finding(code=self.code, rule=self.rule, path=path, text=self.text, remedy=remedy)


def _value(code: str, rule: str, text: str, remedy: str) -> Constraint:
    return Constraint(f"schema.{code}", f"xsd.{rule}", text, remedy, of_value=True)


def _structure(code: str, rule: str, text: str, remedy: str) -> Constraint:
    return Constraint(f"schema.{code}", f"xsd.{rule}", text, remedy)


REQUIRED = _structure(
    "verplicht", "required", "Een verplicht element ontbreekt.", "Voeg het element toe."
)
UNEXPECTED = _structure(
    "element",
    "content",
    "Dit element hoort hier niet: er ontbreekt iets voor, het staat dubbel, op een verkeerde"
    " plaats of in een verkeerde naamruimte, of het koppelvlak kent het niet.",
    "Volg de volgorde en de aantallen van het koppelvlak.",
)
NAMESPACE = _structure(
    "naamruimte",
    "namespace",
    "De naam van dit element is goed, zijn naamruimte niet.",
    "Zet het element in de naamruimte die het koppelvlak ervoor heeft.",
)
TEXT = _structure(
    "tekst",
    "element-only",
    "Tussen de elementen staat losse tekst.",
    "Haal de tekst weg of zet haar in het juiste element.",
)
CHILDREN = _structure(
    "onderdelen",
    "simple-content",
    "Dit element heeft een waarde en mag geen andere elementen bevatten.",
    "Zet hier alleen de waarde.",
)
EMPTY = _structure(
    "leeg", "empty", "Dit element moet leeg zijn.", "Haal de inhoud van het element weg."
)
NIL = _structure(
    "nil",
    "nillable",
    "xsi:nil mag hier niet, of het element is dan niet leeg.",
    "Geef een waarde, of laat het element leeg als xsi:nil is toegestaan.",
)
TYPE = _structure(
    "type",
    "xsi-type",
    "xsi:type wijst een type aan dat hier niet mag.",
    "Laat xsi:type weg: het koppelvlak gebruikt het niet.",
)
ATTRIBUTE = _structure(
    "attribuut",
    "attribute",
    "Dit attribuut mag hier niet staan.",
    "Haal het attribuut weg, of controleer naam en naamruimte.",
)
ATTRIBUTE_REQUIRED = _structure(
    "attribuut.verplicht",
    "attribute-required",
    "Een verplicht attribuut ontbreekt.",
    "Voeg het attribuut toe, bijvoorbeeld StUF:entiteittype.",
)
ROOT = _structure(
    "wortel",
    "root",
    "Het hoofdelement hoort niet bij dit bericht.",
    "Controleer de naam en de naamruimte van het hoofdelement.",
)
UNKNOWN = _structure(
    "onbekend",
    "unknown",
    "Dit bericht bestaat niet in de afgesproken versie van het koppelvlak.",
    "Controleer welke versie met de ontvanger is afgesproken.",
)
FIXED = _value(
    "vast",
    "fixed",
    "De waarde ligt vast en is hier anders.",
    "Gebruik de vaste waarde.",
)
VALUE = _value(
    "waarde",
    "datatype",
    "De waarde heeft niet de juiste vorm, bijvoorbeeld letters in een getal of een datum.",
    "Gebruik de vorm van het koppelvlak; een datum is jjjjmmdd.",
)
ENUMERATION = _value(
    "keuzelijst",
    "enumeration",
    "De waarde staat niet in de keuzelijst.",
    "Kies een waarde uit de lijst; hoofdletters tellen mee.",
)
PATTERN = _value(
    "patroon",
    "pattern",
    "De waarde past niet in het patroon.",
    "Controleer lengte en tekens.",
)
LENGTH = _value(
    "lengte", "length", "De waarde heeft niet de vaste lengte.", "Vul precies zoveel tekens in."
)
TOO_SHORT = _value("kort", "minLength", "De waarde is te kort.", "Vul de waarde aan.")
TOO_LONG = _value("lang", "maxLength", "De waarde is te lang.", "Kort de waarde in.")
TOO_SMALL = _value("minimum", "minInclusive", "Het getal is te klein.", "Gebruik een groter getal.")
TOO_BIG = _value("maximum", "maxInclusive", "Het getal is te groot.", "Gebruik een kleiner getal.")
DIGITS = _value(
    "cijfers",
    "totalDigits",
    "Het getal heeft te veel cijfers.",
    "Gebruik minder cijfers; een datum heeft er acht.",
)
FRACTION = _value(
    "decimalen", "fractionDigits", "Het getal heeft te veel decimalen.", "Gebruik een heel getal."
)
OTHER = _structure(
    "ongeldig",
    "other",
    "Dit deel van het bericht voldoet niet aan het schema.",
    "Vergelijk het met het koppelvlak.",
)
