"""Judging a document by its XSD. libxml2 decides.

Findings are built from the kind of error and from the place in the document. libxml2's message
prints the value that is wrong, so it is never shown; only its fixed opening words are read, to
tell an attribute from an element.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from posixpath import normpath
from threading import Lock
from types import MappingProxyType
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

from lxml import etree

from gateway.catalogue import Catalogue, MessageKind
from gateway.errors import Finding, Misconfigured
from gateway.schemapack import Activation, Activations, SchemaPack
from gateway.wire import constraints as c
from gateway.wire.stuf import Document
from gateway.wire.xml import path_of

MAX_FINDINGS = 20
"""A document with more is told about the first ones only."""
_MAX_ERRORS = 3 * MAX_FINDINGS
_NO_ACTIVATIONS: Final = Activations()
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


class SchemaFault(Exception):
    """An XSD does not compile. `told` is the line and libxml2's name for it, never its text."""

    def __init__(self, told: str) -> None:
        """Take what may be shown."""
        super().__init__(told)
        self.told = told


@dataclass(frozen=True, slots=True)
class _Compiled:
    path: Path
    schema: etree.XMLSchema
    turn: Lock = field(default_factory=Lock)
    """One judgement at a time, as libxml2 wants it."""


_Key = tuple[str, str]
"""Digest of the files, and the entry within them."""


class SchemaSet:
    """The compiled XSDs of a catalogue and of the schema packs that are activated.

    Safe to share between threads. A pack judges a message when its activation is given;
    without one the XSD that the catalogue names does.
    """

    def __init__(
        self,
        kinds: Mapping[tuple[str, str], tuple[MessageKind, _Compiled]],
        packs: Mapping[tuple[str, str], _Compiled],
        compiled: Mapping[_Key, _Compiled],
    ) -> None:
        """Take kinds by (name, version) and packs by (name, entry); use `load`."""
        self._kinds = kinds
        self._packs = packs
        self.compiled = compiled
        """What a next set need not compile again, by digest and entry."""

    @classmethod
    def load(
        cls,
        folder: Path,
        catalogue: Catalogue,
        *,
        packs: Mapping[str, SchemaPack] = MappingProxyType({}),
        activations: Activations = _NO_ACTIVATIONS,
        before: "SchemaSet | None" = None,
    ) -> "SchemaSet":
        """Compile the entry XSD of every kind and of every activation.

        Nothing outside `folder` and the packs is read. What `before` has compiled from the same
        octets is not compiled again. Raises Misconfigured `schema.pack` when an XSD is missing,
        wrong, or points outside.
        """
        base = folder.resolve()
        work = _Work(before.compiled if before else {})
        files = _files(base)
        digest = _digest(files)
        kinds = {
            key: (kind, work.compiled(digest, files, kind.schema, base))
            for key, kind in catalogue.kinds.items()
            if kind.schema
        }
        found = {}
        for line in activations.lines:
            pack = packs[line.pack]
            found[line.pack, line.entry] = work.compiled(
                pack.digest, pack.files, line.entry, pack.folder
            )
        return cls(kinds, found, work.done)

    def entry(self, name: str, version: str, by: Activation | None = None) -> Path | None:
        """Return the path of the entry XSD, or None when there is no such message."""
        found = self._find(name, version, by)
        return found.path if found else None

    @property
    def entries(self) -> frozenset[tuple[str, Path]]:
        """All entry XSDs, each with a digest of the files that it is compiled from."""
        return frozenset((key[0], found.path) for key, found in self.compiled.items())

    def validate(
        self, document: Document, *, version: str, by: Activation | None = None
    ) -> tuple[Finding, ...]:
        """Return what the XSD of this message finds wrong: nothing, or at most 20 findings.

        `by` is the activation of the pack that judges; None = the XSD of the catalogue.
        """
        compiled = self._find(document.name, version, by)
        if compiled is None:
            return (c.UNKNOWN.finding(path_of(document.tree)),)
        if by is None and self._kinds[document.name, version][0].namespace != document.namespace:
            return (c.ROOT.finding(path_of(document.tree)),)
        with compiled.turn:
            root, errors = _judge(compiled.schema, document)
        return tuple(islice(_findings(root, errors), MAX_FINDINGS))

    def _find(self, name: str, version: str, by: Activation | None) -> _Compiled | None:
        if by is not None:
            return self._packs[by.pack, by.entry]
        kind = self._kinds.get((name, version))
        return kind[1] if kind else None


class _Work:
    """Compiles what was not compiled before."""

    def __init__(self, before: Mapping[_Key, _Compiled]) -> None:
        self._before = before
        self.done: dict[_Key, _Compiled] = {}

    def compiled(
        self, digest: str, files: Mapping[str, bytes], entry: str, folder: Path
    ) -> _Compiled:
        key, path = (digest, entry), folder / entry
        found = self.done.get(key) or self._before.get(key)
        if found is None or found.path != path:
            try:
                found = _Compiled(path, compile_xsd(files, entry, folder))
            except SchemaFault as fault:
                raise Misconfigured(
                    "schema.pack",
                    f"Het schema is niet te compileren ({fault.told}).",
                    where=str(path),
                ) from fault
        self.done[key] = found
        return found


def compile_xsd(files: Mapping[str, bytes], entry: str, folder: Path) -> etree.XMLSchema:
    """Compile an XSD that may refer to these files only; `folder` gives them their addresses.

    Raises SchemaFault.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    parser.resolvers.add(_Files(files, folder))
    try:
        return etree.XMLSchema(etree.parse((folder / entry).as_uri(), parser))
    except etree.LxmlError as error:
        raise SchemaFault(_fault(error)) from error
    except OSError as error:
        raise SchemaFault("ontbreekt of wijst naar buiten") from error


def _fault(error: etree.LxmlError) -> str:
    last = error.error_log.last_error
    return f"regel {last.line}, {last.type_name}" if last is not None else "ongeldig"


def _files(base: Path) -> dict[str, bytes]:
    """Return the XSDs of a folder; a link that leads out of it is left out."""
    return {
        path.relative_to(base).as_posix(): path.read_bytes()
        for path in sorted(base.rglob("*.xsd"))
        if path.is_file() and path.resolve().is_relative_to(base)
    }


def _digest(files: Mapping[str, bytes]) -> str:
    digest = sha256()
    for name, octets in files.items():
        for part in (name.encode(), octets):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


class _Files(etree.Resolver):
    """Hands libxml2 these files and refuses every other address."""

    def __init__(self, files: Mapping[str, bytes], folder: Path) -> None:
        self._files = files
        self._folder = folder

    def resolve(
        self, system_url: str | None, _public_id: str | None, context: object
    ) -> "etree._docloader._InputDocument":
        """Return the file, or raise OSError."""
        url = urlsplit(system_url or "")
        path = Path(normpath(unquote(url.path)))
        if url.scheme != "file" or not path.is_relative_to(self._folder):
            raise OSError("schema points outside its folder")
        octets = self._files.get(path.relative_to(self._folder).as_posix())
        if octets is None:
            raise OSError("schema is not there")
        return self.resolve_string(octets, context, base_url=system_url)


def _judge(
    schema: etree.XMLSchema, document: Document
) -> tuple[etree._Element, list[etree._LogEntry]]:
    """Return the first errors and the tree that their paths belong to.

    lxml works out a path for every error, and libxml2 counts siblings for a path: the time
    grows with the square of the number of errors. So a large document is first streamed, which
    makes no paths: one without an error is sound, one with many is judged by its beginning.
    """
    if len(document.octets) > _WHOLE_OCTETS:
        streamed = _streamed(schema, document.octets)
        if streamed.sound:
            return document.tree, []
        if streamed.beginning is not None and (errors := _errors(schema, streamed.beginning)):
            return streamed.beginning, errors
    return document.tree, _errors(schema, document.tree)


def _errors(schema: etree.XMLSchema, root: etree._Element) -> list[etree._LogEntry]:
    schema.validate(root)
    return list(schema.error_log.filter_from_errors())[:_MAX_ERRORS]


class _Nothing:
    """Parser target that builds nothing."""

    def close(self) -> None:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class _Streamed:
    """What came of judging octets without keeping them."""

    sound: bool = False
    beginning: etree._Element | None = None
    """The part up to enough errors, its elements closed; None when there are few."""


def _streamed(schema: etree.XMLSchema, octets: bytes) -> _Streamed:
    """Judge the octets of a document that was read before, so that they are well-formed."""
    parser = etree.XMLParser(
        target=cast("etree.ParserTarget[None]", _Nothing()),
        encoding="UTF-8",
        schema=schema,
        resolve_entities=False,
        no_network=True,
        huge_tree=True,
    )
    for start in range(0, len(octets), _FEED_OCTETS):
        end = start + _FEED_OCTETS
        parser.feed(octets[start:end])
        if len(parser.feed_error_log) >= _MAX_ERRORS:
            return _Streamed(beginning=_closed(octets[: octets.rfind(b">", 0, end) + 1]))
    return _Streamed(sound=_ends_well(parser))


def _ends_well(parser: Any) -> bool:
    """Close; what was missing at the end shows only then."""
    try:
        parser.close()
    except etree.LxmlError:
        return False
    return not parser.feed_error_log


def _closed(octets: bytes) -> etree._Element:
    parser = etree.XMLParser(
        encoding="UTF-8", recover=True, resolve_entities=False, no_network=True, huge_tree=True
    )
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
