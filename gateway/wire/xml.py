"""Reading XML that strangers wrote.

Two passes. The first streams through the document and builds nothing: it refuses a DTD and
holds depth, nodes and attributes to their bounds. Only then is the tree built, with
libxml2's own bounds lifted, since they would refuse a text of more than 10 MB.

A document whose octets alone show that it has no DTD and not too many nodes or attributes is built
at once; only its depth is looked at afterwards. Where they leave the least doubt, the two passes
decide.

Messages of libxml2 are never passed on: they print values of the document.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NoReturn

from lxml import etree

from gateway.errors import Malformed


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlLimits:
    """Bounds on one document."""

    octets: int = 35_000_000
    """Size of the document (domain: a decrypted payload of 35 MB)."""
    depth: int = 64
    """Elements within elements; the root is 1."""
    nodes: int = 2_000_000
    """Elements, comments and processing instructions together."""
    attributes_per_element: int = 64
    """Attributes and namespace declarations together."""


DEFAULT = XmlLimits()
SMALL_OCTETS = 128_000
"""libxml2 reads a larger document without its own bounds on the length of a text."""

_ENCODINGS = frozenset({b"utf-8", b"us-ascii"})
_BOM = b"\xef\xbb\xbf"
_DECLARATION = re.compile(rb"<\?xml[ \t\r\n]([^>]*)\?>")
_VERSION = re.compile(rb"[ \t\r\n]*version[ \t\r\n]*=[ \t\r\n]*[\"']1\.0[\"']")
_ENCODING = re.compile(rb"[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*[\"']([^\"']*)[\"']")
# Possessive: linear in the size of the prolog, whatever stands there.
_BEFORE_ROOT = re.compile(rb"(?:[ \t\r\n]++|<!--(?>.*?-->)|<\?(?>.*?\?>))*+", re.DOTALL)


class _Scan:
    """Target of the first pass: counts, keeps nothing."""

    def __init__(self, limits: XmlLimits, where: str) -> None:
        self._limits = limits
        self._where = where
        self._depth = 0
        self._nodes = 0

    def _refuse(self, code: str, text: str) -> NoReturn:
        raise Malformed(code, text, where=self._where)

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > self._limits.nodes:
            self._refuse("xml.nodes", "Het document heeft te veel elementen.")

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        self._refuse("xml.doctype", "Het document heeft een DTD.")

    def start(self, _tag: str, attributes: dict[str, str], nsmap: dict[str, str]) -> None:
        self._count()
        self._depth += 1
        if self._depth > self._limits.depth:
            self._refuse("xml.depth", "Het document is te diep genest.")
        if len(attributes) + len(nsmap) > self._limits.attributes_per_element:
            self._refuse("xml.attributes", "Een element heeft te veel attributen.")

    def end(self, _tag: str) -> None:
        self._depth -= 1

    def comment(self, _text: str) -> None:
        self._count()

    def pi(self, _target: str, _data: str | None) -> None:
        self._count()

    def close(self) -> None:
        """Nothing was built."""


def parse(octets: bytes, *, limits: XmlLimits = DEFAULT, where: str = "") -> etree._Element:
    """Return the root element of a document in UTF-8 (or US-ASCII) without a DTD.

    Nothing is normalised away: comments, processing instructions and CDATA stay. Raises
    Malformed: `xml.size`, `xml.encoding`, `xml.doctype`, `xml.depth`, `xml.nodes`,
    `xml.attributes`, `xml.malformed`; `where` names the document in the error.
    """
    if len(octets) > limits.octets:
        raise Malformed("xml.size", "Het document is te groot.", where=where)
    _check_prolog(octets, where)
    root = _at_once(octets, limits)
    return _in_two_passes(octets, limits=limits, where=where) if root is None else root


def _in_two_passes(octets: bytes, *, limits: XmlLimits, where: str) -> etree._Element:
    try:
        etree.fromstring(octets, _scanner(limits, where))
        return etree.fromstring(octets, _builder(huge=True))
    except etree.XMLSyntaxError as exc:
        line, column = exc.position
        raise Malformed(
            "xml.malformed",
            f"Dit is geen goed gevormde XML: regel {line}, kolom {column}.",
            where=where,
            position=(line, column),
        ) from None  # the cause prints values of the document


def _at_once(octets: bytes, limits: XmlLimits) -> etree._Element | None:
    """Return the root of a document within its bounds; None when in doubt.

    The depth of what is built is bounded by libxml2 as well: 256, and 2048 for a large one.
    """
    if not _is_shallow(octets, limits):
        return None
    try:
        root = etree.fromstring(octets, _builder(huge=len(octets) > SMALL_OCTETS))
    except etree.XMLSyntaxError:
        return None
    has_dtd = root.getroottree().docinfo.internalDTD is not None
    return None if has_dtd or _deeper(limits.depth)(root) else root


def _is_shallow(octets: bytes, limits: XmlLimits) -> bool:
    """Tell whether octets can hold neither a DTD nor too many nodes or attributes.

    Every node has a `<`, which stands in no attribute; every attribute has a `=`.
    """
    if b"<!DOCTYPE" in octets or octets.count(b"<") > limits.nodes:
        return False
    most = limits.attributes_per_element
    return octets.count(b"=") <= most or b"=" * (most + 1) not in octets.translate(None, _OTHERS)


_OTHERS: Final = bytes(set(range(256)) - set(b"<="))
"""What is neither: without it, the equals signs behind one `<` stand side by side."""


@lru_cache(maxsize=16)
def _deeper(depth: int) -> etree.XPath:
    """Return the test whether a document has elements below that depth."""
    return etree.XPath(f"boolean({'/*' * (depth + 1)})")


# The encoding is given to all, so that libxml2 reads the octets as the prolog check did.


def _scanner(limits: XmlLimits, where: str) -> Any:
    return etree.XMLParser(  # type: ignore[call-overload]  # its target knows no nsmap
        target=_Scan(limits, where),
        encoding="UTF-8",
        huge_tree=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
    )


def _builder(*, huge: bool) -> etree.XMLParser[etree._Element]:
    return etree.XMLParser(
        encoding="UTF-8",
        huge_tree=huge,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        collect_ids=False,
        remove_comments=False,
        remove_pis=False,
        strip_cdata=False,
    )


def _check_prolog(octets: bytes, where: str) -> None:
    """Refuse another encoding, and a DTD before libxml2 sees it."""
    start = len(_BOM) if octets.startswith(_BOM) else 0
    if octets[start : start + 1] in {b"\xff", b"\xfe"} or b"\0" in octets[start : start + 4]:
        raise Malformed("xml.encoding", "Het document is niet in UTF-8.", where=where)
    declaration = _DECLARATION.match(octets, start)
    if declaration and _VERSION.match(declaration[1]) is None:
        # Of XML 1.1 other readers know other line ends and characters.
        raise Malformed("xml.malformed", "Het document is niet in XML 1.0.", where=where)
    named = _ENCODING.search(b" " + declaration[1]) if declaration else None
    if named and named[1].lower() not in _ENCODINGS:
        raise Malformed("xml.encoding", "Het document is niet in UTF-8.", where=where)
    if named and named[1].lower() == b"us-ascii" and not octets.isascii():
        raise Malformed(
            "xml.encoding", "Het document is niet in de codering die het noemt.", where=where
        )
    before = _BEFORE_ROOT.match(octets, start)
    end = before.end() if before else start
    if octets.startswith(b"<!DOCTYPE", end):
        raise Malformed("xml.doctype", "Het document heeft een DTD.", where=where)


def local(element: etree._Element) -> str:
    """Return the name without its namespace; empty for a comment or processing instruction."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace(element: etree._Element) -> str:
    """Return the namespace of the name; empty when it has none."""
    tag = element.tag
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag.startswith("{") else ""


def children(element: etree._Element) -> Iterator[etree._Element]:
    """Return the child elements, without comments and processing instructions."""
    return element.iterchildren("*")


def value(element: etree._Element) -> str:
    """Return the character data directly in the element, comments left out."""
    if not len(element):
        return element.text or ""
    return (element.text or "") + "".join(child.tail or "" for child in element)


def text_of(element: etree._Element, path: str) -> str:
    """Return the stripped text at a path of local names (`a/b/c`); empty when it is not there.

    Of elements that repeat, the first counts.
    """
    found = element.find(steps(path))
    return value(found).strip() if found is not None else ""


@lru_cache(maxsize=512)
def steps(path: str) -> str:
    """Return a path of local names as lxml finds it, whatever the namespaces."""
    return "/".join(f"{{*}}{step}" for step in path.split("/"))


def beside_root(tree: etree._Element) -> list[etree._Element]:
    """Return comments and processing instructions before and after the root element."""
    root = tree.getroottree().getroot()
    before = list(root.itersiblings(etree.Comment, etree.PI, preceding=True))
    return [*reversed(before), *root.itersiblings(etree.Comment, etree.PI)]


def path_of(element: etree._Element) -> str:
    """Return the path from the root: local names, positions only where siblings share the name.

    For example `/vtMeldingDi01/object/heeftBetrokken[2]/jeugzorgrol`.
    """
    chain = [element, *element.iterancestors()]
    return "".join(f"/{_step(step)}" for step in reversed(chain))


def _step(element: etree._Element) -> str:
    name = local(element)
    before = sum(1 for _ in element.itersiblings(f"{{*}}{name}", preceding=True))
    if not before and next(element.itersiblings(f"{{*}}{name}"), None) is None:
        return name
    return f"{name}[{before + 1}]"
