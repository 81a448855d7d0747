"""What a message consists of, read from its XSD: one row per element."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import xmlschema
from xmlschema.validators import XsdAttribute, XsdElement, XsdGroup, XsdType

from gateway.wire.stuf import BG, JZ, STUF, TOETS, ZKN

_METADATA = frozenset(
    {
        "aantalVoorkomens", "aardAantal", "exact", "indOnvolledigeDatum", "noValue", "scope",
        "sleutelGegevensbeheer", "sleutelOntvangend", "sleutelSynchronisatie",
        "sleutelVerzendend", "verwerkingssoort",
    }
)  # fmt: skip
"""Attributes that StUF puts everywhere and that say nothing about the message."""
DS = "http://www.w3.org/2000/09/xmldsig#"
PREFIXES = {"JZ": JZ, "StUF": STUF, "BG": BG, "ZKN": ZKN, "bgt": TOETS, "ds": DS}
"""As the examples write them; a document may choose others."""
_PREFIX = {namespace: prefix for prefix, namespace in PREFIXES.items()}
_DEEPEST = 40
_UNBOUNDED = "n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One element, with all that the schema says about it."""

    path: str
    """Local names below the root."""
    spelled: str
    """The same with prefixes: which namespace each of them is in."""
    cardinality: str
    """`1`, `0..1`, `1..n`."""
    choice: bool
    """Whether it is one of several that exclude each other."""
    nillable: bool
    value: str
    """Kind and limits of the value; empty where there are only elements."""
    allowed: tuple[str, ...]
    """The list of values, where there is one."""
    attributes: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A root element."""

    meaning: str
    """What the XSD says about the whole message."""
    parts: tuple[Part, ...]


def read(schema: Path, name: str) -> Message:
    """Read the root element `name` of an entry XSD. Nothing is fetched."""
    xsd = xmlschema.XMLSchema10(str(schema), allow="sandbox", defuse="always", use_fallback=False)
    root = next(one for one in xsd.elements.values() if one.local_name == name)
    notes = [text for one in xsd.annotations for text in _texts(one)]
    return Message(meaning=notes[0] if notes else "", parts=tuple(_below(root, None, 0)))


def _below(element: XsdElement, above: Part | None, depth: int) -> Iterator[Part]:
    content = getattr(element.type, "content", None)
    if not isinstance(content, XsdGroup) or depth > _DEEPEST:
        return
    for child, least, most, choice in _particles(content, 1, 1, choice=False):
        part = _part(child, above, least, most, choice=choice)
        yield part
        yield from _below(child, part, depth + 1)


def _particles(
    group: XsdGroup, least: int, most: int | None, *, choice: bool
) -> Iterator[tuple[XsdElement, int, int | None, bool]]:
    """Yield elements with how often they can be there, all groups around them counted."""
    least *= group.min_occurs
    most = None if most is None or group.max_occurs is None else most * group.max_occurs
    excluding = choice or (group.model == "choice" and len(group) > 1)
    least = 0 if excluding else least
    for one in group:
        if isinstance(one, XsdGroup):
            yield from _particles(one, least, most, choice=excluding)
        elif isinstance(one, XsdElement):
            top = None if most is None or one.max_occurs is None else most * one.max_occurs
            yield one, least * one.min_occurs, top, excluding


def _part(
    element: XsdElement, above: Part | None, least: int, most: int | None, *, choice: bool
) -> Part:
    simple = _simple(element.type)
    name = str(element.local_name)
    return Part(
        path=f"{above.path}/{name}" if above else name,
        spelled=(f"{above.spelled}/" if above else "") + _spelled(element.name, name),
        cardinality=_cardinality(least, most),
        choice=choice,
        nillable=bool(element.nillable),
        value=_value(element, simple) if simple is not None else "",
        allowed=tuple(str(v) for v in getattr(simple, "enumeration", None) or ()),
        attributes=tuple(_attributes(element)),
        meaning=_meaning(element),
    )


def _spelled(name: str, local: str) -> str:
    """Return the name with the prefix of its namespace; an unknown one as it is."""
    namespace = name[1:].partition("}")[0] if name.startswith("{") else ""
    prefix = _PREFIX.get(namespace)
    return f"{prefix}:{local}" if prefix else name


def _cardinality(least: int, most: int | None) -> str:
    top = _UNBOUNDED if most is None else str(most)
    return top if str(least) == top else f"{least}..{top}"


def _simple(kind: XsdType) -> XsdType | None:
    if kind.is_simple():
        return kind
    return getattr(kind, "content", None) if kind.has_simple_content() else None


def _value(element: XsdElement, simple: XsdType) -> str:
    if element.fixed is not None:
        return f"fixed: {element.fixed}"
    words = [_base(simple), *_limits(simple)]
    return ", ".join(word for word in words if word)


def _base(simple: XsdType) -> str:
    primitive = getattr(simple, "primitive_type", None)
    name = str(getattr(primitive, "local_name", None) or "")
    named = {"string": "text", "base64Binary": "base64", "anyURI": "address", "decimal": "number"}
    return named.get(name, name)


def _limits(simple: XsdType) -> Iterator[str]:
    bounds = _bounds(simple)
    exact, least, most = (bounds.get(k) for k in ("length", "minLength", "maxLength"))
    unit = "octets" if _base(simple) == "base64" else "characters"
    if exact or (least and least == most):
        yield f"{exact or least} {unit}"
    elif most:
        yield f"{least} to {most} {unit}" if least else f"at most {most} {unit}"
    elif least:
        yield f"at least {least} {unit}"
    for facet, words in (
        ("totalDigits", "at most {} digits"),
        ("minInclusive", "at least {}"),
        ("maxInclusive", "at most {}"),
    ):
        if facet in bounds:
            yield words.format(bounds[facet])
    patterns = getattr(simple, "patterns", None)
    if patterns is not None:
        yield " or ".join(f"`{pattern}`" for pattern in patterns.regexps)


def _bounds(simple: XsdType) -> dict[str, str]:
    """Return the facets of a type and of those that it restricts; the narrowest counts."""
    found: dict[str, str] = {}
    kind: XsdType | None = simple
    while kind is not None:
        for name, facet in getattr(kind, "facets", {}).items():
            bound = getattr(facet, "value", None)
            if name and bound is not None:
                found.setdefault(name.rpartition("}")[2], str(bound))
        kind = kind.base_type
    return found


def _attributes(element: XsdElement) -> Iterator[str]:
    for name, attribute in element.attributes.items():
        if name is None or not isinstance(attribute, XsdAttribute):
            continue
        if attribute.use == "required" or attribute.local_name not in _METADATA:
            yield _attribute(attribute)


def _attribute(attribute: XsdAttribute) -> str:
    fixed = f" = {attribute.fixed}" if attribute.fixed is not None else ""
    optional = "" if attribute.use == "required" else "?"
    return f"@{_spelled(str(attribute.name), str(attribute.local_name))}{optional}{fixed}"


def _meaning(element: XsdElement) -> str:
    for one in (element.annotation, element.type.annotation):
        texts = list(_texts(one)) if one is not None else []
        if texts:
            return texts[0]
    return ""


def _texts(annotation: object) -> Iterator[str]:
    for one in getattr(annotation, "documentation", ()):
        text = " ".join("".join(one.itertext()).split())
        if text:
            yield text
