"""Explaining a document that libxml2 refused: what the schema expected instead. Pure.

libxml2 has decided already; xmlschema only says more. It is about sixty times slower and was
not written for hostile input, so it runs as a program of its own that may be killed
(`python -m gateway.wire.explain`, see `gateway.explainer`). Texts come from the structured
attributes of its errors: names, limits and lists of the schema, never `reason`, never a value.

Protocol on stdin and stdout: frames of four octets length (big endian) and content. A request is
a JSON frame `{"schema": path, "max_errors": n}` and a frame with the document; an empty document
only compiles the schema. The answer is one JSON frame, a list of findings. A first empty list is
sent when the program is ready.
"""

import json
import resource
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import xmlschema
from lxml import etree
from xmlschema.validators import (
    XMLSchemaChildrenValidationError,
    XMLSchemaValidationError,
    XsdAttribute,
    XsdAttributeGroup,
    XsdElement,
    XsdEnumerationFacets,
    XsdGroup,
    XsdPatternFacets,
)
from xmlschema.validators import facets as xsd_facets

from gateway.errors import Finding, GatewayError
from gateway.wire import constraints as c
from gateway.wire.xml import local, parse, path_of

MAX_OCTETS: Final = 1_000_000
"""Larger documents are not explained: xmlschema takes about a second per megabyte."""
_MEMORY_OCTETS: Final = 1 << 30
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_SHOWN: Final = 30

_LIMITS: Final[dict[type, tuple[c.Constraint, str]]] = {
    xsd_facets.XsdLengthFacet: (c.LENGTH, "Het zijn er precies {}."),
    xsd_facets.XsdMinLengthFacet: (c.TOO_SHORT, "Ten minste {} tekens."),
    xsd_facets.XsdMaxLengthFacet: (c.TOO_LONG, "Ten hoogste {} tekens."),
    xsd_facets.XsdMinInclusiveFacet: (c.TOO_SMALL, "Ten minste {}."),
    xsd_facets.XsdMaxInclusiveFacet: (c.TOO_BIG, "Ten hoogste {}."),
    xsd_facets.XsdMinExclusiveFacet: (c.TOO_SMALL, "Meer dan {}."),
    xsd_facets.XsdMaxExclusiveFacet: (c.TOO_BIG, "Minder dan {}."),
    xsd_facets.XsdTotalDigitsFacet: (c.DIGITS, "Ten hoogste {} cijfers."),
    xsd_facets.XsdFractionDigitsFacet: (c.FRACTION, "Ten hoogste {} decimalen."),
}


def explain(octets: bytes, schema: Path, *, max_errors: int = 5) -> tuple[Finding, ...]:
    """Return the first findings on a document, with what the schema allows.

    Empty when the document is larger than 1 MB (MAX_OCTETS), can not be parsed, or when
    xmlschema finds nothing: then what libxml2 said stands.
    """
    if len(octets) > MAX_OCTETS:
        return ()
    try:
        root = parse(octets)
    except GatewayError:
        return ()
    source = xmlschema.XMLResource(cast("Any", root), allow="none", defuse="always")
    return tuple(islice(_findings(_schema(schema), source), max_errors))


def _schema(path: Path) -> xmlschema.XMLSchema10:
    """Return the schema as it stands there now: another pack may have come in the same place."""
    return _compiled(path, _stamp(path.parent))


def _stamp(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Tell the files of an entry apart from those that stood there before."""
    found = []
    for path in sorted(folder.rglob("*")):
        kept = path.stat()
        found.append((str(path), kept.st_ino, kept.st_ctime_ns, kept.st_size))
    return tuple(found)


@lru_cache(maxsize=64)
def _compiled(path: Path, _stamp: tuple[object, ...]) -> xmlschema.XMLSchema10:
    return xmlschema.XMLSchema10(str(path), allow="sandbox", defuse="always", use_fallback=False)


def _findings(schema: xmlschema.XMLSchema10, source: xmlschema.XMLResource) -> Iterator[Finding]:
    told = set()
    errors = schema.iter_errors(source, use_location_hints=False)
    while True:
        try:
            error = next(errors)
        except StopIteration:
            return
        except Exception:  # noqa: BLE001 - xmlschema raises KeyError on an unknown xsi:type, and more
            return
        for finding in _told(error):
            if finding not in told:
                told.add(finding)
                yield finding


def _told(error: XMLSchemaValidationError) -> Iterable[Finding]:
    element = error.elem
    if not etree.iselement(element):
        return ()
    if isinstance(error, XMLSchemaChildrenValidationError):
        return (_of_children(error, element),)
    validator = error.validator
    if isinstance(validator, XsdAttributeGroup):
        return _of_attributes(validator, element)
    if isinstance(validator, XsdAttribute):
        return (_of_fixed(validator, element),)
    return (_of_value(error, validator, element),)


def _of_children(error: XMLSchemaChildrenValidationError, parent: etree._Element) -> Finding:
    expected = [e for e in error.expected or () if isinstance(e, XsdElement)]
    child: Any = error.invalid_child
    elsewhere = _same_name(error.validator, child) if etree.iselement(child) else None
    if elsewhere is not None:
        return c.NAMESPACE.finding(path_of(child), allowed=elsewhere)
    present = {child.tag for child in parent}
    absent = [str(e.local_name) for e in expected if e.min_occurs and e.name not in present]
    path = path_of(parent)
    if absent:
        return c.REQUIRED.finding(f"{path}/{absent[0]}", allowed=_list("Verwacht: ", absent))
    if not etree.iselement(child):
        return c.REQUIRED.finding(path)
    names = [str(e.local_name) for e in expected]
    return c.UNEXPECTED.finding(path_of(child), allowed=_list("Hier kan: ", names))


def _same_name(group: object, child: etree._Element) -> str | None:
    """Return the namespace in which the schema has a child of that name here, and only there."""
    known = list(group.iter_elements()) if isinstance(group, XsdGroup) else []
    named = {str(e.name) for e in known if e.local_name == local(child)}
    if not named or child.tag in named:
        return None
    return f"Verwacht: {etree.QName(min(named)).namespace or 'geen'}."


def _of_attributes(group: XsdAttributeGroup, element: etree._Element) -> Iterable[Finding]:
    path = path_of(element)
    for name, attribute in group.items():
        if name and attribute.use == "required" and name not in element.attrib:
            allowed = f"Het gaat om {etree.QName(name).localname}."
            yield c.ATTRIBUTE_REQUIRED.finding(path, allowed=allowed)
    for key in element.attrib:
        name = str(key)
        if name not in group and not name.startswith(_XSI):
            yield c.ATTRIBUTE.finding(_attribute_path(path, name))


def _of_fixed(attribute: XsdAttribute, element: etree._Element) -> Finding:
    path = _attribute_path(path_of(element), str(attribute.name))
    return c.FIXED.finding(path, allowed=f"Die is: {attribute.fixed}.")


def _of_value(
    error: XMLSchemaValidationError, validator: object, element: etree._Element
) -> Finding:
    path = _value_path(error.obj, element)
    if isinstance(validator, XsdEnumerationFacets):
        values = [str(value) for value in validator.enumeration or ()]
        return c.ENUMERATION.finding(path, allowed=_list("Toegestaan: ", values))
    if isinstance(validator, XsdPatternFacets):
        return c.PATTERN.finding(path, allowed=_list("Patroon: ", validator.regexps))
    if limit := _LIMITS.get(type(validator)):
        constraint, sentence = limit
        value = getattr(validator, "value", None)
        return constraint.finding(path, allowed=sentence.format(value))
    return _of_structure(validator, element).finding(path)


def _of_structure(validator: object, element: etree._Element) -> c.Constraint:
    if isinstance(validator, xmlschema.validators.XsdGroup):
        return c.TEXT
    if not isinstance(validator, XsdElement):
        return c.VALUE
    if f"{_XSI}nil" in element.attrib:
        return c.NIL
    if f"{_XSI}type" in element.attrib:
        return c.TYPE
    return _of_element(validator, element)


def _of_element(validator: XsdElement, element: etree._Element) -> c.Constraint:
    if len(element):
        return c.CHILDREN
    return c.FIXED if validator.fixed is not None else c.OTHER


def _value_path(value: object, element: etree._Element) -> str:
    """Point at the attribute that holds the value, when the element itself does not."""
    path = path_of(element)
    if value == element.text or value is element:
        return path
    holders = [str(key) for key, held in element.attrib.items() if held == value]
    return _attribute_path(path, holders[0]) if holders else path


def _attribute_path(path: str, name: str) -> str:
    return f"{path}/@{etree.QName(name).localname}"


def _list(head: str, words: list[str]) -> str:
    rest = " …" if len(words) > _SHOWN else "."
    return head + "; ".join(words[:_SHOWN]) + rest if words else ""


# --- the program ----------------------------------------------------------------------


def read_frame(stream: BinaryIO) -> bytes | None:
    """Return the next frame, or None at the end of the stream."""
    head = stream.read(4)
    return stream.read(struct.unpack(">I", head)[0]) if len(head) == 4 else None  # noqa: PLR2004


def frame(content: bytes) -> bytes:
    """Return the content with its length in front."""
    return struct.pack(">I", len(content)) + content


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer requests until the source ends."""
    _answer(sink, ())
    while (head := read_frame(source)) is not None and (octets := read_frame(source)) is not None:
        request: dict[str, Any] = json.loads(head)
        _answer(sink, _handle(request, octets))


def _handle(request: dict[str, Any], octets: bytes) -> tuple[Finding, ...]:
    path = Path(request["schema"])
    with suppress(Exception):  # whatever went wrong, libxml2's findings stand
        if octets:
            return explain(octets, path, max_errors=request["max_errors"])
        _schema(path)
    return ()


def _answer(sink: BinaryIO, findings: tuple[Finding, ...]) -> None:
    sink.write(frame(json.dumps([asdict(finding) for finding in findings]).encode()))
    sink.flush()


_FORBIDDEN: Final = (
    "socket.", "subprocess.", "ctypes.", "os.system", "os.exec", "os.fork", "os.posix_spawn",
    "os.spawn", "pty.spawn",
)  # fmt: skip


def fence() -> None:
    """Take from this process what it does not need: network, other programs, files, dumps.

    It can not be undone. Raises PermissionError where something forbidden is tried.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_OCTETS, _MEMORY_OCTETS))
    sys.addaudithook(_hook)


def _hook(event: str, _arguments: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError("the explainer has no network and starts no programs")


if __name__ == "__main__":
    fence()
    serve(sys.stdin.buffer, sys.stdout.buffer)
