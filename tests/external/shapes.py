"""What a schema allows, as plain values from which documents can be made.

xmlschema reads the XSD; a shape keeps what a generator needs: order and number of elements,
attributes, and for each value examples that the schema allows and examples that it does not.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import xmlschema
from xmlschema.validators import (
    XsdAnyElement,
    XsdAtomicRestriction,
    XsdComplexType,
    XsdElement,
    XsdGroup,
    XsdSimpleType,
)

XS = "{http://www.w3.org/2001/XMLSchema}"

PATTERNS = {
    r"[0-9]{8,17}": (
        ("12345678", "12345678901234567"),
        ("1234567", "123456789012345678", "2026111x"),
    ),
    r"[0-9]{9}": (("999990019", "000000000"), ("99999001", "9999900190", "99999001x")),
    r"[0-9]{10}": (("1234567890",), ("123456789", "12345678901")),
    r"[0-9]{17}": (("12345678901234567",), ("1234567890123456", "123456789012345678")),
    r"[0-9]{20}": (("00000001821002193000",), ("0000000182100219300", "000000018210021930000")),
    r"[0-9]{1,4}": (("0", "9999", "0001"), ("12345", "-1", "1x")),
    r"[1-9][0-9]{3}[A-Z]{0,2}": (
        ("9999", "9999Z", "9999ZZ"),
        ("0999ZZ", "9999 ZZ", "9999ZZZ", "9999zz"),
    ),
    r"[a-zA-Z]": (("a", "Z"), ("ab", "1", "")),
    r"[a-zA-Z0-9]{0,4}": (("", "bis", "A1b2"), ("abcde", "a b", "é")),
}
"""Every pattern that a schema uses, with values that fit and values that just do not."""

PRIMITIVES = {
    "string": (("", "x", " é\n<&", "a" * 3000), ()),
    "token": (("x", "a b", ""), ()),
    "decimal": (("20261117", "0", "-1", "+5", " 7 ", "1.0"), ("", "x", "1e3", "2026-11-17")),
    "integer": (("0", "-1", "+5", "007"), ("", "x", "1.5")),
    "nonNegativeInteger": (("0", "+5", "12"), ("", "-1", "x")),
    "positiveInteger": (("1", "+5", "12", "007"), ("", "0", "-1", "x", "1.0")),
    "boolean": (("true", "false", "0", "1"), ("", "ja", "TRUE")),
    "base64Binary": (("", "SGFsbG8=", " SGFs\nbG8= "), ("S", "SGFsbG8", "SGFsbG8*", "é")),
}
"""Per primitive type: values that it takes, values that it does not."""


@dataclass(frozen=True)
class Values:
    """Examples for one simple type."""

    good: tuple[str, ...]
    bad: tuple[str, ...]


@dataclass(frozen=True)
class Attribute:
    """One attribute of an element."""

    name: str
    required: bool
    fixed: str | None
    values: Values


@dataclass
class Shape:
    """One element: with values, or with particles (which a recursive type may fill later)."""

    name: str
    nillable: bool
    attributes: tuple[Attribute, ...]
    values: Values | None
    type: str
    """The type by its prefixed name; empty when it has none."""
    content: "Particle | None" = None


@dataclass(frozen=True)
class Particle:
    """A sequence or choice of elements and particles, or (`any`) free content."""

    model: str
    low: int
    high: int | None
    parts: tuple["Occurrence | Particle", ...] = ()


@dataclass(frozen=True)
class Occurrence:
    """An element and how often it may stand here."""

    shape: Shape
    low: int
    high: int | None


@dataclass
class Grammar:
    """Reads the global elements of one schema into shapes."""

    schema: xmlschema.XMLSchema10
    _values: dict[int, Values] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Grammar":
        return cls(xmlschema.XMLSchema10(str(path)))

    def shape(self, name: str) -> Shape:
        """Return the shape of a global element, by its qualified name."""
        return self._element(self.schema.maps.elements[name])

    def _element(self, element: XsdElement) -> Shape:
        kind = element.type
        simple = kind if kind.is_simple() else kind.content if kind.has_simple_content() else None
        shape = Shape(
            name=element.name,
            nillable=bool(element.nillable),
            attributes=tuple(self._attributes(kind)),
            values=self._fixed(element, simple) if simple is not None else None,
            type=kind.prefixed_name or "",
        )
        if simple is None:
            shape.content = self._group(kind.content)
        return shape

    def _fixed(self, element: XsdElement, simple: XsdSimpleType) -> Values:
        if element.fixed is None:
            return self._of(simple)
        return Values((element.fixed,), (f"{element.fixed}x", ""))

    def _attributes(self, kind: XsdComplexType | XsdSimpleType) -> Iterator[Attribute]:
        for name, one in getattr(kind, "attributes", {}).items():
            if name is not None:
                yield Attribute(name, one.use == "required", one.fixed, self._of(one.type))

    def _group(self, group: XsdGroup) -> Particle:
        parts: list[Occurrence | Particle] = []
        for part in group:
            if isinstance(part, XsdGroup):
                parts.append(self._group(part))
            elif isinstance(part, XsdAnyElement):
                parts.append(Particle("any", part.min_occurs, part.max_occurs))
            else:
                parts.append(Occurrence(self._element(part), part.min_occurs, part.max_occurs))
        return Particle(group.model, group.min_occurs, group.max_occurs, tuple(parts))

    def _of(self, kind: XsdSimpleType) -> Values:
        if id(kind) not in self._values:
            self._values[id(kind)] = values(kind)
        return self._values[id(kind)]


def values(kind: XsdSimpleType) -> Values:
    """Return examples on both sides of every limit of a simple type.

    What the limits suggest is tried on the type itself, so that a value stands on the right
    side. An unknown pattern or primitive raises KeyError: then the tables want a line.
    """
    tried = dict.fromkeys(value for one in _derivation(kind) for value in _suggested(one))
    good = tuple(value for value in tried if kind.text_is_valid(value))
    return Values(good, tuple(value for value in tried if value not in good))


def _derivation(kind: XsdSimpleType) -> Iterator[XsdSimpleType]:
    """Yield the type and what it restricts, down to the primitive."""
    one: XsdSimpleType | XsdComplexType | None = kind
    while one is not None and one.name != f"{XS}anySimpleType":
        if isinstance(one, XsdComplexType):
            one = one.content
        yield one
        if (one.name or "").startswith(XS):
            return
        one = one.base_type


def _suggested(kind: XsdSimpleType) -> Iterable[str]:
    if (kind.name or "").startswith(XS):
        good, bad = PRIMITIVES[kind.name.removeprefix(XS)]
        yield from (*good, *bad)
        return
    for name, facet in (kind.facets if isinstance(kind, XsdAtomicRestriction) else {}).items():
        match (name or "").removeprefix(XS):
            case "enumeration":
                listed = facet.enumeration
                yield from (*listed, f"{listed[0]}x", listed[0].swapcase(), f" {listed[-1]} ", "")
            case "pattern":
                for pattern in facet.regexps:
                    yield from (value for side in PATTERNS[pattern] for value in side)
            case "length" | "minLength" | "maxLength":
                size = facet.value
                yield from ("a" * n for n in (size - 1, size, size + 1) if n >= 0)
                yield "é" * size
            case "totalDigits" | "maxInclusive":
                limit = facet.value if name == f"{XS}maxInclusive" else 10**facet.value - 1
                yield from (str(limit), str(limit + 1))
            case "fractionDigits":
                yield "1.5"
