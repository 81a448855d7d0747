"""Documents made from a shape, and changes to them. The same seed makes the same documents."""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field

from lxml import etree

from gateway.wire.stuf import BG, JZ, STUF, ZKN
from tests.external.shapes import Attribute, Occurrence, Particle, Shape

Element = etree._Element
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
KIND = f"{{{STUF}}}entiteittype"
PREFIXES = {
    "JZ": JZ,
    "StUF": STUF,
    "BG": BG,
    "ZKN": ZKN,
    "xsi": XSI[1:-1],
}
OFTEN, SELDOM = 0.6, 0.04


@dataclass
class Made:
    """A document and the shape of each of its elements."""

    root: Element
    shapes: dict[Element, Shape] = field(default_factory=dict)

    def copy(self) -> "Made":
        root = deepcopy(self.root)
        both = zip(self.root.iter("*"), root.iter("*"), strict=True)
        return Made(root, {new: self.shapes[old] for old, new in both if old in self.shapes})

    def octets(self) -> bytes:
        return etree.tostring(self.root)


class Maker:
    """Fills a shape at random: optional parts, repetition, boundary values, nil."""

    def __init__(
        self, dice: random.Random, *, often: float = OFTEN, seldom: float = SELDOM
    ) -> None:
        self._dice = dice
        self._often = often
        self._seldom = seldom

    def document(self, shape: Shape) -> Made:
        made = Made(etree.Element(shape.name, nsmap=PREFIXES))
        self._fill(made, made.root, shape)
        return made

    def _fill(self, made: Made, element: Element, shape: Shape) -> None:
        made.shapes[element] = shape
        for one in shape.attributes:
            if one.required or self._dice.random() < self._seldom * 2:
                element.set(one.name, one.fixed or self._pick(one.values.good))
        if shape.nillable and self._dice.random() < self._seldom:
            element.set(f"{XSI}nil", self._pick(("true", "1")))
        elif shape.values is not None:
            element.text = self._value(shape)
        elif shape.content is not None:
            self._particle(made, element, shape.content)

    def _value(self, shape: Shape) -> str:
        """Return a value that fits; where none can, one that does not."""
        if shape.values is None:
            raise AssertionError
        return self._pick(shape.values.good or shape.values.bad)

    def _pick(self, among: tuple[str, ...]) -> str:
        return among[self._dice.randrange(len(among))]

    def _times(self, low: int, high: int | None) -> int:
        if low == 0 and self._dice.random() >= self._often:
            return 0
        times = max(low, 1)
        while (high is None or times < high) and self._dice.random() < self._seldom * 3:
            times += 1
        return times

    def _particle(self, made: Made, parent: Element, particle: Particle) -> None:
        for _ in range(self._times(particle.low, particle.high)):
            if particle.model == "any":
                etree.SubElement(parent, f"{{{BG}}}vrij").text = "x"
            elif particle.model == "choice":
                self._part(made, parent, self._dice.choice(particle.parts))
            else:
                for part in particle.parts:
                    self._part(made, parent, part)

    def _part(self, made: Made, parent: Element, part: Occurrence | Particle) -> None:
        if isinstance(part, Particle):
            self._particle(made, parent, part)
            return
        if not (part.low or part.shape.values is None or part.shape.values.good):
            return  # nothing fits in it; it is tried among the limits
        for _ in range(self._times(part.low, part.high)):
            self._fill(made, etree.SubElement(parent, part.shape.name), part.shape)


# --- changes: each breaks something in place, or leaves the document as it is ---------------

Change = Callable[[Made, Element, random.Random], None]


def drop(_made: Made, element: Element, _dice: random.Random) -> None:
    if (parent := element.getparent()) is not None:
        parent.remove(element)


def double(_made: Made, element: Element, _dice: random.Random) -> None:
    if (parent := element.getparent()) is not None:
        parent.insert(parent.index(element), deepcopy(element))


def swap(_made: Made, element: Element, _dice: random.Random) -> None:
    if (following := element.getnext()) is not None:
        following.addnext(element)


def rename(_made: Made, element: Element, dice: random.Random) -> None:
    local, other = etree.QName(element).localname, dice.choice((JZ, STUF, BG, ZKN, "urn:x", ""))
    name = dice.choice((local, "onbekend"))
    element.tag = f"{{{other}}}{name}" if other else name


def add(_made: Made, element: Element, dice: random.Random) -> None:
    name = dice.choice(("onbekend", f"{{{STUF}}}extraElementen", str(element.tag)))
    element.insert(dice.randint(0, len(element)), etree.Element(name))


def wrong_value(made: Made, element: Element, dice: random.Random) -> None:
    shape = made.shapes.get(element)
    if shape is None or shape.values is None:
        element.text = dice.choice(("los", " "))
    else:
        element.text = dice.choice(shape.values.bad or ("é" * 5000,))


def nil(_made: Made, element: Element, dice: random.Random) -> None:
    element.set(f"{XSI}nil", dice.choice(("true", "false", "1", "onzin")))
    if dice.random() < 1 / 2:
        element.text = None
        element[:] = []


def own_type(_made: Made, element: Element, dice: random.Random) -> None:
    element.set(f"{XSI}type", dice.choice(("StUF:Onbekend", "geenType", "x:y")))


def without_attribute(_made: Made, element: Element, dice: random.Random) -> None:
    if keys := list(element.attrib):
        del element.attrib[dice.choice(keys)]


def other_attribute(made: Made, element: Element, dice: random.Random) -> None:
    """A wrong value of an attribute, one that has no place here, or one of no namespace.

    Another kind of entity is a difference of its own: here it is only too long.
    """
    known = made.shapes[element].attributes if element in made.shapes else ()
    if known and dice.random() < 1 / 2:
        one = dice.choice(known)
        wrong = ("a" * 31,) if one.name == KIND else one.values.bad or ("é" * 5000,)
        element.set(one.name, dice.choice(wrong))
        return
    name = dice.choice(("noValue", "exact", "scope", "sleutelVerzendend", "naam", "bestandsnaam"))
    place = dice.choice(("", f"{{{STUF}}}"))
    element.set(f"{place}{name}", dice.choice(("geenWaarde", "true", "alles", "x")))


CHANGES: dict[str, Change] = {
    one.__name__: one
    for one in (
        drop,
        double,
        swap,
        rename,
        add,
        wrong_value,
        nil,
        own_type,
        without_attribute,
        other_attribute,
    )
}


def changed(made: Made, dice: random.Random) -> tuple[Made, str]:
    """Return a copy with one change, seldom two, and what was changed where."""
    copy, told = made.copy(), []
    for _ in range(2 if dice.random() < 1 / 8 else 1):
        element = dice.choice(list(copy.root.iter("*")))
        name = dice.choice(list(CHANGES))
        told.append(f"{name} {element.tag}")
        CHANGES[name](copy, element, dice)
    return copy, ", ".join(told)


# --- limits: every value of every element and attribute, one at a time ----------------------


def filled(shape: Shape, branch: int) -> Made:
    """Return a document with everything in it once; of each choice the branch of this number."""
    made = Made(etree.Element(shape.name, nsmap=PREFIXES))
    _fill(made, made.root, shape, branch)
    return made


def _fill(made: Made, element: Element, shape: Shape, branch: int) -> None:
    made.shapes[element] = shape
    for one in shape.attributes:
        element.set(one.name, one.fixed or one.values.good[0])
    if shape.values is not None:
        if shape.values.good:
            element.text = shape.values.good[0]
        else:
            element.set(f"{XSI}nil", "true")
    elif shape.content is not None:
        _particle(made, element, shape.content, branch)


def _particle(made: Made, parent: Element, particle: Particle, branch: int) -> None:
    parts = particle.parts
    if particle.model == "choice":
        parts = (parts[branch % len(parts)],)
    for part in parts:
        if isinstance(part, Particle):
            _particle(made, parent, part, branch)
        else:
            _fill(made, etree.SubElement(parent, part.shape.name), part.shape, branch)


def limits(made: Made, other: Made) -> Iterator[str]:
    """Put each value of either shape in its place, yield what was put, and restore it.

    `made` is changed in place; `other` is the same document by the other schema, so that a
    limit that only one of them has is met as well.
    """
    for (element, shape), twin in zip(made.shapes.items(), other.shapes.values(), strict=True):
        if shape.values is not None and twin.values is not None:
            before, nils = element.text, element.attrib.pop(f"{XSI}nil", None)
            for text in _union(
                shape.values.good, shape.values.bad, twin.values.good, twin.values.bad
            ):
                element.text = text
                yield f"{element.tag} = {text[:30]!r} of {len(text)}"
            element.text = before
            if nils:
                element.set(f"{XSI}nil", nils)
        yield from _attribute_limits(element, shape, twin)


def _attribute_limits(element: Element, shape: Shape, twin: Shape) -> Iterator[str]:
    theirs = {one.name: one for one in twin.attributes}
    for one in shape.attributes:
        before = element.attrib.pop(one.name)
        yield f"{element.tag} without {one.name}"
        for text in () if one.name == KIND else _values(one, theirs.get(one.name)):
            element.set(one.name, text)
            yield f"{element.tag}/@{one.name} = {text[:30]!r} of {len(text)}"
        element.set(one.name, before)


def _values(one: Attribute, other: Attribute | None) -> tuple[str, ...]:
    more = (other.values.good, other.values.bad) if other else ()
    return _union(one.values.good, one.values.bad, *more)


def _union(*sets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for one in sets for value in one))
