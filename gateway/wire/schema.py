"""Judging a document by its XSD. libxml2 decides.

Findings are built from the kind of error and from the place in the document. libxml2's message
prints the value that is wrong, so it is never shown; only its fixed opening words are read, to
tell an attribute from an element.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import cast
from urllib.parse import unquote, urlsplit

from lxml import etree

from gateway.catalogue import Catalogue, MessageKind
from gateway.errors import Finding, Misconfigured
from gateway.wire import constraints as c
from gateway.wire.stuf import Document
from gateway.wire.xml import path_of

MAX_FINDINGS = 20
"""A document with more is told about the first ones only."""
_MAX_ERRORS = 3 * MAX_FINDINGS
_WHOLE_OCTETS = 256_000
_FEED_OCTETS = 1 << 16

_T = etree.ErrorTypes
_CONSTRAINTS: Mapping[int, c.Constraint] = {
    _T.SCHEMAV_ELEMENT_CONTENT: c.UNEXPECTED,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_2_1: c.EMPTY,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_2_2: c.CHILDREN,
    _T.SCHEMAV_CVC_TYPE_3_1_2: c.CHILDREN,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_2_3: c.TEXT,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_3_2_1: c.ATTRIBUTE,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_3_2_2: c.ATTRIBUTE,
    _T.SCHEMAV_CVC_TYPE_3_1_1: c.ATTRIBUTE,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_4: c.ATTRIBUTE_REQUIRED,
    _T.SCHEMAV_CVC_AU: c.FIXED,
    _T.SCHEMAV_CVC_ELT_5_2_2_2_1: c.FIXED,
    _T.SCHEMAV_CVC_ELT_5_2_2_2_2: c.FIXED,
    _T.SCHEMAV_CVC_ELT_1: c.ROOT,
    _T.SCHEMAV_CVC_ELT_2: c.TYPE,
    _T.SCHEMAV_CVC_ELT_3_1: c.NIL,
    _T.SCHEMAV_CVC_ELT_3_2_1: c.NIL,
    _T.SCHEMAV_CVC_ELT_3_2_2: c.NIL,
    _T.SCHEMAV_CVC_ELT_4_1: c.TYPE,
    _T.SCHEMAV_CVC_ELT_4_2: c.TYPE,
    _T.SCHEMAV_CVC_ELT_4_3: c.TYPE,
    _T.SCHEMAV_CVC_DATATYPE_VALID_1_2_1: c.VALUE,
    _T.SCHEMAV_CVC_DATATYPE_VALID_1_2_2: c.VALUE,
    _T.SCHEMAV_CVC_DATATYPE_VALID_1_2_3: c.VALUE,
    _T.SCHEMAV_CVC_LENGTH_VALID: c.LENGTH,
    _T.SCHEMAV_CVC_MINLENGTH_VALID: c.TOO_SHORT,
    _T.SCHEMAV_CVC_MAXLENGTH_VALID: c.TOO_LONG,
    _T.SCHEMAV_CVC_PATTERN_VALID: c.PATTERN,
    _T.SCHEMAV_CVC_ENUMERATION_VALID: c.ENUMERATION,
    _T.SCHEMAV_CVC_MININCLUSIVE_VALID: c.TOO_SMALL,
    _T.SCHEMAV_CVC_MINEXCLUSIVE_VALID: c.TOO_SMALL,
    _T.SCHEMAV_CVC_MAXINCLUSIVE_VALID: c.TOO_BIG,
    _T.SCHEMAV_CVC_MAXEXCLUSIVE_VALID: c.TOO_BIG,
    _T.SCHEMAV_CVC_TOTALDIGITS_VALID: c.DIGITS,
    _T.SCHEMAV_CVC_FRACTIONDIGITS_VALID: c.FRACTION,
}
_ELEMENT = r"Element '(?:\{[^']*\})?[^'{}]+'"
_OF_ATTRIBUTE = re.compile(_ELEMENT + r", attribute '((?:\{[^']*\})?[^'{}]+)': ")
_INCOMPLETE = re.compile(_ELEMENT + r": Missing child element\(s\)\.")
_STEP = re.compile(r"([^\[\]]+)(\[[0-9]+\])?")


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: MessageKind
    path: Path
    schema: etree.XMLSchema


class SchemaSet:
    """The compiled XSDs of all messages of a catalogue.

    Safe to share between threads: one judgement at a time, as libxml2 wants it.
    """

    def __init__(self, entries: Mapping[tuple[str, str], _Entry]) -> None:
        """Take entries by (name, version); use `load`."""
        self._entries = entries
        self._lock = Lock()

    @classmethod
    def load(cls, folder: Path, catalogue: Catalogue) -> "SchemaSet":
        """Compile the entry XSD of every kind. Nothing outside `folder` is read.

        Raises Misconfigured `schema.pack` when an XSD is missing, wrong, or points outside.
        """
        base = folder.resolve()
        compiled: dict[Path, etree.XMLSchema] = {}
        entries = {}
        for key, kind in catalogue.kinds.items():
            path = base / kind.schema
            if path not in compiled:
                compiled[path] = _compile(path, base)
            entries[key] = _Entry(kind, path, compiled[path])
        return cls(entries)

    def entry(self, name: str, version: str) -> Path | None:
        """Return the path of the entry XSD, or None when there is no such message."""
        found = self._entries.get((name, version))
        return found.path if found else None

    def validate(self, document: Document, *, version: str) -> tuple[Finding, ...]:
        """Return what the XSD of this message finds wrong: nothing, or at most 20 findings."""
        entry = self._entries.get((document.name, version))
        if entry is None:
            return (c.UNKNOWN.finding(path_of(document.tree)),)
        if entry.kind.namespace != document.namespace:
            return (c.ROOT.finding(path_of(document.tree)),)
        with self._lock:
            root, errors = _judge(entry.schema, document)
        return tuple(islice(_findings(root, errors), MAX_FINDINGS))


def _compile(path: Path, folder: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    parser.resolvers.add(_Folder(folder))
    try:
        return etree.XMLSchema(etree.parse(path.as_uri(), parser))
    except (etree.LxmlError, OSError) as exc:
        raise Misconfigured("schema.pack", "schema can not be compiled", where=str(path)) from exc


class _Folder(etree.Resolver):
    """Hands libxml2 the files of one folder and refuses every other address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def resolve(
        self, system_url: str | None, _public_id: str | None, context: object
    ) -> "etree._docloader._InputDocument":
        """Return the file, or raise OSError."""
        url = urlsplit(system_url or "")
        path = Path(unquote(url.path)).resolve()
        if url.scheme != "file" or not path.is_relative_to(self._folder):
            raise OSError("schema points outside its folder")
        return self.resolve_string(path.read_bytes(), context, base_url=system_url)


def _judge(
    schema: etree.XMLSchema, document: Document
) -> tuple[etree._Element, list[etree._LogEntry]]:
    """Return the first errors and the tree that their paths belong to.

    lxml works out a path for every error, and libxml2 counts siblings for a path: the time
    grows with the square of the number of errors. So a large document is first streamed, which
    makes no paths, and one with many errors is judged by its beginning.
    """
    if len(document.octets) > _WHOLE_OCTETS:
        root = _beginning(schema, document.octets)
        if root is not None and (errors := _errors(schema, root)):
            return root, errors
    return document.tree, _errors(schema, document.tree)


def _errors(schema: etree.XMLSchema, root: etree._Element) -> list[etree._LogEntry]:
    schema.validate(root)
    return list(schema.error_log.filter_from_errors())[:_MAX_ERRORS]


class _Nothing:
    """Parser target that builds nothing."""

    def close(self) -> None:
        return


def _beginning(schema: etree.XMLSchema, octets: bytes) -> etree._Element | None:
    """Return the part up to enough errors, its elements closed; None when there are few."""
    parser = etree.XMLParser(
        target=cast("etree.ParserTarget[None]", _Nothing()),
        schema=schema,
        resolve_entities=False,
        no_network=True,
        huge_tree=True,
    )
    for start in range(0, len(octets), _FEED_OCTETS):
        end = start + _FEED_OCTETS
        parser.feed(octets[start:end])
        if len(parser.feed_error_log) >= _MAX_ERRORS:
            return _closed(octets[: octets.rfind(b">", 0, end) + 1])
    return None


def _closed(octets: bytes) -> etree._Element:
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=True)
    return etree.fromstring(octets, parser)


def _findings(root: etree._Element, errors: list[etree._LogEntry]) -> Iterator[Finding]:
    seen: set[str] = set()
    for error in errors:
        constraint, path = _told(root, error)
        # What follows on the same place is mostly the same defect, told by its value.
        if path in seen and constraint.of_value:
            continue
        seen.add(path)
        yield constraint.finding(path)


def _told(root: etree._Element, error: etree._LogEntry) -> tuple[c.Constraint, str]:
    element = _located(root, _path(error))
    path = path_of(element)
    constraint = _CONSTRAINTS.get(error.type, c.OTHER)
    if constraint is c.UNEXPECTED and _INCOMPLETE.match(error.message):
        return c.REQUIRED, path
    attribute = _OF_ATTRIBUTE.match(error.message)
    if attribute and attribute[1] in element.attrib:
        path = f"{path}/@{etree.QName(attribute[1]).localname}"
    return constraint, path


def _path(error: etree._LogEntry) -> str:
    try:
        return error.path or ""
    except UnicodeDecodeError:
        return ""  # libxml2 cut a long name in the middle of a character


def _located(root: etree._Element, path: str) -> etree._Element:
    """Find the element of libxml2's path: prefixed names, or `*[n]` for a default namespace.

    libxml2 cuts long names off: then the nearest ancestor that can be found is returned.
    """
    steps = [_STEP.fullmatch(step) for step in path.strip("/").split("/")]
    names = [_by_name(step[1], step[2] or "") for step in steps if step]
    while names:
        found: list[etree._Element] = root.getroottree().xpath("/" + "/".join(names))
        if found:
            return found[0]
        names.pop()
    return root


def _by_name(name: str, position: str) -> str:
    return f"*{position}" if name == "*" else f"*[name()='{name}']{position}"
