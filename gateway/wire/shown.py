"""A message as a person reads it: labels in words, dates and codes in words, passages marked.

It is made from the document itself, so that nothing of it is left out: what has no label of its own
is called by its element's name.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from lxml import etree

from gateway.errors import GatewayError
from gateway.wire.stuf import STUF, read_stored, value_of
from gateway.wire.xml import beside_root, local

XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
LONG = 120
"""Characters from which a value is a text rather than a word."""
LONGEST = 20_000
"""Characters of one value on a page: more is a document, to be looked at by itself."""
MOST = 5_000
"""Elements on a page."""
LABELS = 2_000
"""Names whose words are remembered; the schemas have some hundreds."""
COMMENT = "Commentaar in het bericht"
STRAY = "Losse tekst"
_HEAD = "stuurgegevens"
_METADATA = frozenset({"entiteittype", "functie", "verwerkingssoort", "noValue", "nil"})
_PREFIX = re.compile(r"^[a-z]{3}\.")
_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "eMail": "E-mail",
        "inp.bsn": "BSN",
        "bsn": "BSN",
        "jeugzorgrol": "Rol in de jeugdzorg",
        "object": "Melding",
        "betreft": "Betreft",
        "aoa.postcode": "Postcode",
        "aoa.huisnummer": "Huisnummer",
        "aoa.huisletter": "Huisletter",
        "gor.openbareRuimteNaam": "Straat",
        "wpl.woonplaatsNaam": "Woonplaats",
        "indicatieSASHIngevuld": "SASH ingevuld",
        "identificatieVtMelding": "Nummer van de melding",
    }
)
_SPELLED: Mapping[str, str] = MappingProxyType({"geinformeerd": "geïnformeerd"})
"""Words that the name of an element can not write."""
_QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "VT-001": "hulpverlening die er al is",
        "VT-002": "huisverbod",
        "VT-003": "aanhouding",
        "VT-004": "aangifte",
        "VT-005": "eergerelateerd geweld",
        "VT-006": "registraties",
        "VT-007": "een kind jonger dan twaalf als verdachte",
    }
)
_CODES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "geslachtsaanduiding": MappingProxyType({"M": "man", "V": "vrouw", "O": "onbekend"}),
        "vraagCode": _QUESTIONS,
    }
)
_NO_VALUE: Mapping[str, str] = MappingProxyType(
    {
        "geenWaarde": "geen waarde",
        "waardeOnbekend": "onbekend",
        "nietOndersteund": "niet ondersteund",
        "nietGeautoriseerd": "niet geautoriseerd",
        "vastgesteldOnbekend": "vastgesteld onbekend",
    }
)
_MONTHS = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"]
_DATES = (4, 6, 8)
_TIMES = (12, 14, 17)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One element, with what is in it."""

    label: str
    path: str
    value: str
    notes: Sequence[str]
    """What its attributes say."""
    marks: Sequence[int]
    """Numbers (from 1) of the places that are this one."""
    parts: Sequence["Shown"]

    @property
    def long(self) -> bool:
        return len(self.value) > LONG or "\n" in self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole message."""

    root: Shown
    head: Shown | None
    """The stuurgegevens, apart: they say how it travels."""
    elsewhere: Sequence[int]
    """Numbers of the places that were not found in it."""
    whole: bool
    """Whether all of it is here; otherwise it must be read as a file."""

    @property
    def first(self) -> int:
        """Return the number of the first place that is marked; 0 = none is."""
        return next((part.marks[0] for part in _every(self.root) if part.marks), 0)


def show(octets: bytes, places: Sequence[str] = ()) -> Document | None:
    """Return the message for a person; None when it can not be read as one.

    `places` are paths of what is marked, as `path_of` writes them. It takes as long as the
    message is large: call it on a thread.
    """
    try:
        tree = read_stored(octets).tree
    except GatewayError:
        return None
    numbers: dict[str, list[int]] = {}
    for number, place in enumerate(places, start=1):
        numbers.setdefault(_element(place), []).append(number)
    showing = _Showing(numbers=numbers, left=MOST)
    root = tree.getroottree().getroot()
    shown = showing.element(root, f"/{local(root)}")
    beside = tuple(_beside(COMMENT, node.text or "") for node in beside_root(tree))
    shown = replace(shown, parts=(*beside, *shown.parts))
    head = next((part for part in shown.parts if part.path.endswith(f"/{_HEAD}")), None)
    found = {number for part in _every(shown) for number in part.marks}
    return Document(
        root=shown,
        head=head,
        elsewhere=[n for n in range(1, len(places) + 1) if n not in found],
        whole=showing.left > 0 and not showing.cut,
    )


def _element(path: str) -> str:
    """Return the path of the element that a place is in: an attribute is part of it."""
    return path.partition("/@")[0]


def _every(shown: Shown) -> Iterator[Shown]:
    yield shown
    for part in shown.parts:
        yield from _every(part)


@dataclass(slots=True, kw_only=True)
class _Showing:
    """One walk through a message."""

    numbers: Mapping[str, Sequence[int]]
    left: int
    """Elements that may still be shown."""
    cut: bool = False
    """A text was too long for a page."""

    def element(self, element: etree._Element, path: str) -> Shown:
        self.left -= 1
        elements = any(isinstance(child.tag, str) for child in element)
        name = local(element)
        return Shown(
            label=label(name),
            path=path,
            value="" if elements else self._short(_value(name, element)),
            notes=tuple(_notes(element)),
            marks=tuple(self.numbers.get(path, ())),
            parts=tuple(self._parts(element, path, elements=elements)),
        )

    def _parts(self, element: etree._Element, path: str, *, elements: bool) -> Iterator[Shown]:
        """Yield what is in it, in its order: also what no system reads, for it leaves as well."""
        if elements and (element.text or "").strip():
            yield _beside(STRAY, self._short(element.text or ""))
        for child, step in _steps(element):
            if self.left <= 0:
                return
            if step:
                yield self.element(child, f"{path}/{step}")
            else:
                yield _beside(COMMENT, self._short(child.text or ""))
            if elements and (child.tail or "").strip():
                yield _beside(STRAY, self._short(child.tail or ""))

    def _short(self, text: str) -> str:
        if len(text) <= LONGEST:
            return text
        self.cut = True
        return f"{text[:LONGEST]} …"


def _steps(element: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Yield what is in it, each element with its step as `path_of` writes it.

    Asked of each by itself, that counts the siblings again and again.
    """
    children = [(child, local(child) if isinstance(child.tag, str) else "") for child in element]
    names = [name for _, name in children]
    same = Counter(names) if len(set(names)) < len(names) else {}
    seen: Counter[str] = Counter()
    for child, name in children:
        if name and same.get(name, 1) > 1:
            seen[name] += 1
            yield child, f"{name}[{seen[name]}]"
        else:
            yield child, name


def _beside(called: str, text: str) -> Shown:
    return Shown(label=called, path="", value=text.strip(), notes=(), marks=(), parts=())


@lru_cache(maxsize=LABELS)
def label(name: str) -> str:
    """Return what an element is called: its own words, or its name taken apart."""
    if name in _LABELS:
        return _LABELS[name]
    words = _CAPITALS.split(_PREFIX.sub("", name))
    return " ".join(
        word if word.isupper() and len(word) > 1 else _SPELLED.get(word.lower(), word.lower())
        for word in words
    ).capitalize()


def _value(name: str, element: etree._Element) -> str:
    text = value_of(element)
    if not text:
        return _NO_VALUE.get(element.get(f"{{{STUF}}}noValue", ""), "–")
    words = _CODES.get(name, {}).get(text)
    if words is not None:
        return f"{words} ({text})"
    if name.lower().startswith(("datum", "geboortedatum", "tijdstip")) or name.endswith("datum"):
        return _moment(text)
    return text


def _moment(text: str) -> str:
    """Return StUF digits as a date with its time; anything else as it is."""
    if not (text.isascii() and text.isdigit()) or len(text) not in {*_DATES, *_TIMES}:
        return text
    parts = [text[6:8].lstrip("0"), _month(text[4:6]), text[:4]]
    day = " ".join(part for part in parts if part)
    return f"{day}, {text[8:10]}:{text[10:12]}" if len(text) in _TIMES else day


def _month(digits: str) -> str:
    number = int(digits or 0)
    return _MONTHS[number - 1] if 1 <= number <= len(_MONTHS) else digits


def _notes(element: etree._Element) -> Iterator[str]:
    """Yield what attributes say that a person must see; those that only steer are left out."""
    if element.get(XSI_NIL) in {"true", "1"} and value_of(element):
        yield "nil"
    for name, value in element.attrib.items():
        plain = str(name).rpartition("}")[2]
        if plain == "indOnvolledigeDatum":
            if value != "V":
                yield f"onvolledige datum ({value})"
        elif plain not in _METADATA:
            yield f"{plain}: {value}"
