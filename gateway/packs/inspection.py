"""What a set of XSDs refers to, and which messages it declares. Pure; compiles nothing."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from lxml import etree

from gateway.errors import Malformed, Misconfigured
from gateway.packs.limits import DEFAULT, PackLimits, shown
from gateway.schemapack import PackMessage
from gateway.wire.xml import XmlLimits, parse

XS = "http://www.w3.org/2001/XMLSchema"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_INCLUDING = (f"{{{XS}}}include", f"{{{XS}}}redefine", f"{{{XS}}}override")
_REFERRING = (*_INCLUDING, f"{{{XS}}}import")
_MESSAGE = re.compile(r"(?:[A-Za-z][A-Za-z0-9_-]*)?(?:D[iu]|Bv|Fo)[0-9]{2}(?:Bericht)?")
"""A StUF message by its berichtcode: vtMeldingDi01, Bv01Bericht, Fo03Bericht."""
_WORST = {
    "xml.doctype": (
        "pack.doctype",
        "Een XSD heeft een DTD (DOCTYPE), die van alles kan binnenhalen. Haal haar weg.",
    ),
    "xml.size": ("pack.size", "Een XSD is te groot."),
}
_UNREADABLE = (
    "pack.xml",
    "Een XSD is geen goede XML in UTF-8, of te diep of te groot van opzet. Controleer het bestand.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What stands in the XSDs."""

    messages: tuple[PackMessage, ...]
    """Declared at the top of an XSD; one name may stand in several."""
    tops: tuple[str, ...]
    """The XSDs that no other one includes: those that compile alone."""


def inspect(files: Mapping[str, bytes], limits: PackLimits = DEFAULT) -> Inspected:
    """Read the XSDs, by path.

    Raises Misconfigured: `pack.doctype`, `pack.xml`, `pack.root` (not an XSD),
    `pack.reference` (to something that is not in the pack).
    """
    roots = {path: _root(path, octets, limits) for path, octets in files.items()}
    included: dict[str, str] = {}
    for path, root in roots.items():
        for target, element in _references(path, root, files):
            if element.tag in _INCLUDING and target != path:
                included.setdefault(target, path)
    found = {
        PackMessage(name=name, namespace=namespace, entry=entry)
        for path in roots
        for name, namespace, entry in _messages(path, roots, included)
    }
    return Inspected(
        messages=tuple(sorted(found, key=lambda m: (m.name, m.entry))),
        tops=tuple(sorted(roots.keys() - included.keys())) or tuple(sorted(roots)),
    )


def _root(path: str, octets: bytes, limits: PackLimits) -> etree._Element:
    bounds = XmlLimits(octets=limits.file_bytes, nodes=limits.nodes)
    try:
        root = parse(octets, limits=bounds, where=path)
    except Malformed as error:
        code, text = _WORST.get(error.code, _UNREADABLE)
        raise Misconfigured(code, text, where=shown(path)) from error
    if root.tag != f"{{{XS}}}schema":
        raise Misconfigured(
            "pack.root",
            "Een bestand heet .xsd en is geen XML Schema. Haal het uit het pakket.",
            where=shown(path),
        )
    return root


def _references(
    path: str, root: etree._Element, files: Mapping[str, bytes]
) -> Iterator[tuple[str, etree._Element]]:
    """Yield the file that is referred to, with the element that does; refuse any other place."""
    for element in root.iter("*"):
        if element.get(f"{_XSI}schemaLocation") or element.get(f"{_XSI}noNamespaceSchemaLocation"):
            raise _outside(path, element)
        location = element.get("schemaLocation")
        if element.tag in _REFERRING and location is not None:
            yield _target(path, element, location, files), element


def _target(path: str, element: etree._Element, location: str, files: Mapping[str, bytes]) -> str:
    name = unquote(location)
    steps = name.split("/")
    target = posixpath.join(posixpath.dirname(path), name)
    # Below its own folder only: the explainer's sandbox ends there.
    if {"", "."} & set(steps) or target not in files:
        raise _outside(path, element)
    return target


def _outside(path: str, element: etree._Element) -> Misconfigured:
    return Misconfigured(
        "pack.reference",
        "Een XSD verwijst naar iets dat niet in het pakket staat, in dezelfde map of eronder. Er"
        " wordt niets opgehaald: neem het bestand op en verwijs ernaar met zijn naam.",
        where=f"{shown(path)}:{element.sourceline}",
    )


def _messages(
    path: str, roots: Mapping[str, etree._Element], included: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield name, namespace and the XSD to judge by: what includes it, where something does."""
    entry, seen = path, {path}
    while entry in included and included[entry] not in seen:
        entry = included[entry]
        seen.add(entry)
    namespace = roots[entry].get("targetNamespace") or ""
    for element in roots[path].iterchildren(f"{{{XS}}}element"):
        name = element.get("name") or ""
        if _MESSAGE.fullmatch(name):
            yield name, namespace, entry
