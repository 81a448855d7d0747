"""StUF documents: the envelope (stuurgegevens), and the answers Bv01 and Fo01.

Only the envelope is read here. Whether a document keeps its schema is `schema.py`; whether
it keeps the rules of the koppelvlak is `gateway.rules.business`.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from lxml import etree

from gateway.errors import Malformed
from gateway.message import Address, Fault, Stuurgegevens
from gateway.wire.fout import Fout, fout_for
from gateway.wire.stuf_ids import conversation_id, message_id, ref_message_id
from gateway.wire.tijd import tijdstip
from gateway.wire.xml import DEFAULT, XmlLimits, local, parse

__all__ = [
    "ANSWERS",
    "BG",
    "JZ",
    "STUF",
    "TOETS",
    "ZKN",
    "Document",
    "Fout",
    "add_address",
    "as_xml",
    "bv01",
    "case_of",
    "conversation_id",
    "fo01",
    "fout_for",
    "message_id",
    "read_document",
    "ref_message_id",
    "value_of",
]

JZ = "http://www.stufstandaarden.nl/koppelvlak/jz0100"
_VERSIONED = re.compile(r"http://www\.stufstandaarden\.nl/koppelvlak/jz[0-9]{4}")
"""A later version of the koppelvlak; whether it is known here, the catalogue says."""
STUF = "http://www.egem.nl/StUF/StUF0301"
BG = "http://www.egem.nl/StUF/sector/bg/0310"
ZKN = "http://www.egem.nl/StUF/sector/zkn/0310"
TOETS = "urn:berichtengateway:toets:1"
"""Our own messages, about the gate."""

ANSWERS = frozenset({"Bv01Bericht", "Fo01Bericht"})

_ORGANISATIE, _NAAM, _GEBRUIKER, _NUMMER = 200, 50, 100, 40
_NAMELESS = "onbekend"
"""For an applicatie that is not known: the schema asks for at least three characters."""
_SHORTEST_APPLICATIE = 3
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STUF_ANY = f"{{{STUF}}}*"
_Parts = dict[str, list[etree._Element]]  # noqa: SLF001 - lxml names its element type so
_string = etree.XPath("string()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed document with its envelope. `octets` are those that came, never rewritten."""

    octets: bytes
    tree: etree._Element
    sha256: str
    """Hex, over `octets` (domain 9.1.8)."""
    name: str
    """Local name of the root, which is also the ebMS Action."""
    namespace: str
    stuurgegevens: Stuurgegevens


def read_document(octets: bytes, *, limits: XmlLimits = DEFAULT) -> Document:
    """Parse a document and read its stuurgegevens.

    Zender and ontvanger may be without organisatie on Bv01 and Fo01 only; they are None then.
    Raises Malformed: `stuf.root`, `stuf.stuurgegevens` (an element is missing, empty, stands
    there twice, or holds more than text), and those of `xml.parse`.
    """
    tree = parse(octets, limits=limits)
    root = etree.QName(tree)
    namespace = root.namespace or ""
    if namespace not in {STUF, TOETS} and not _VERSIONED.fullmatch(namespace):
        raise Malformed("stuf.root", "Het bericht staat niet in een bekende namespace.")
    return Document(
        octets=octets,
        tree=tree,
        sha256=sha256(octets).hexdigest(),
        name=root.localname,
        namespace=namespace,
        stuurgegevens=_Envelope(tree, root).read(),
    )


def read_stored(octets: bytes) -> Document:
    """Read what was let in before: its own size is the limit. Raises as `read_document`."""
    return read_document(octets, limits=XmlLimits(octets=len(octets)))


def value_of(element: etree._Element) -> str:
    """Return all text in the element, trimmed; comments neither count nor split it."""
    if not len(element):
        return (element.text or "").strip()
    return str(_string(element)).strip()


_CASE = ("identificatieVtMelding", "verzoekidentificatie", "uwIdentificatie", "identificatie")
"""What names a case, the best first: an answer repeats what the question was known by."""
_LONGEST_CASE = 256


def case_of(document: Document) -> str:
    """Return what the case of the message is known by (domain 9.2.4); empty when it says nothing.

    Looked for in the first `object` and the elements right below it; else it is the
    crossRefnummer. A request to the OM says it itself, the other messages of the gate say
    nothing. What is longer than 256 characters names nothing.
    """
    if document.namespace == TOETS:
        zaak = document.tree.find(f"{{{TOETS}}}verzoek/{{{TOETS}}}zaak")
        named = "" if zaak is None else value_of(zaak)
        return named if len(named) <= _LONGEST_CASE else ""
    body = next((e for e in document.tree.iterchildren("{*}object")), None)
    if body is not None:
        for name in _CASE:
            for element in (body.find(f"{{*}}{name}"), body.find(f"{{*}}*/{{*}}{name}")):
                value = "" if element is None else value_of(element)
                if 0 < len(value) <= _LONGEST_CASE:
                    return value
    return document.stuurgegevens.cross_refnummer


_CODE = re.compile(r"[A-Za-z0-9.-]{1,7}")
_PLACES = frozenset({"client", "server"})


def fault_of(document: Document) -> Fault | None:
    """Return code and place of a Fo01, without its texts; None for any other message."""
    if document.name != "Fo01Bericht":
        return None
    code = document.tree.findtext("{*}body/{*}code", "").strip()
    place = document.tree.findtext("{*}body/{*}plek", "").strip()
    return Fault(
        code=code if _CODE.fullmatch(code) else "", place=place if place in _PLACES else ""
    )


class _Envelope:
    """Reads stuurgegevens by exact names.

    One of each, and nothing but text in it: two, or a comment inside, would be read two ways.
    """

    def __init__(self, tree: etree._Element, root: etree.QName) -> None:
        self._path = f"/{root.localname}"
        self._answer = root.namespace == STUF and root.localname in ANSWERS
        found = list(tree.iterchildren(f"{{{root.namespace}}}stuurgegevens"))
        head = self._only(found, "stuurgegevens")
        if head is None:
            raise self._missing("stuurgegevens")
        self._path += "/stuurgegevens"
        self._head = _by_name(head)

    def read(self) -> Stuurgegevens:
        return Stuurgegevens(
            berichtcode=self._needed("berichtcode"),
            zender=self._address("zender"),
            ontvanger=self._address("ontvanger"),
            referentienummer=self._needed("referentienummer"),
            tijdstip_bericht=self._needed("tijdstipBericht"),
            cross_refnummer=self._value(self._head, "crossRefnummer"),
            functie=self._value(self._head, "functie"),
        )

    def _address(self, name: str) -> Address | None:
        element = self._only(self._head.get(name, []), name)
        parts = {} if element is None else _by_name(element)
        organisatie = self._value(parts, "organisatie")
        if not organisatie:
            if self._answer:
                return None
            raise self._missing(f"{name}/organisatie")
        return Address(
            organisatie=organisatie,
            applicatie=self._value(parts, "applicatie"),
            administratie=self._value(parts, "administratie"),
            gebruiker=self._value(parts, "gebruiker"),
        )

    def _needed(self, name: str) -> str:
        value = self._value(self._head, name)
        if not value:
            raise self._missing(name)
        return value

    def _value(self, parts: _Parts, name: str) -> str:
        element = self._only(parts.get(name, []), name)
        if element is None:
            return ""
        if len(element):
            text = "Een element van de stuurgegevens bevat meer dan tekst."
            raise Malformed("stuf.stuurgegevens", text, where=f"{self._path}/{name}")
        return (element.text or "").strip()

    def _only(self, found: list[etree._Element], name: str) -> etree._Element | None:
        if len(found) > 1:
            text = "Een element van de stuurgegevens staat er meer dan eens."
            raise Malformed("stuf.stuurgegevens", text, where=f"{self._path}/{name}")
        return found[0] if found else None

    def _missing(self, name: str) -> Malformed:
        text = "Een element van de stuurgegevens ontbreekt of is leeg."
        return Malformed("stuf.stuurgegevens", text, where=f"{self._path}/{name}")


def _by_name(parent: etree._Element) -> _Parts:
    """Return the children in the namespace of StUF, by local name."""
    parts: _Parts = {}
    for child in parent.iterchildren(_STUF_ANY):
        parts.setdefault(local(child), []).append(child)
    return parts


# --- answers --------------------------------------------------------------------------


def bv01(
    *,
    zender: Address,
    ontvanger: Address,
    referentienummer: str,
    cross_refnummer: str,
    at: datetime,
) -> bytes:
    """Return a Bv01Bericht (functional acknowledgement), UTF-8, valid against its schema.

    What is longer than the schema allows is cut; an organisatie that is empty is left out.
    """
    root = _answer("Bv01", zender, ontvanger, (referentienummer, cross_refnummer), at)
    return _octets(root)


def fo01(
    *,
    zender: Address,
    ontvanger: Address,
    referentienummer: str,
    cross_refnummer: str,
    at: datetime,
    fout: Fout,
) -> bytes:
    """Return a Fo01Bericht (functional error), UTF-8, valid against its schema. See `bv01`."""
    root = _answer("Fo01", zender, ontvanger, (referentienummer, cross_refnummer), at)
    body = _add(root, "body")
    _add(body, "code", fout.code)
    _add(body, "plek", fout.plek)
    _add(body, "omschrijving", fout.omschrijving)
    if fout.details:
        _add(body, "details", fout.details)
    return _octets(root)


def renumbered(octets: bytes, referentienummer: str, at: datetime) -> bytes:
    """Return a document that is known to be one under another number, made at this moment; UTF-8.

    What it says stays as it is; the octets of what surrounds that do not.
    """
    tree = parse(octets, limits=XmlLimits(octets=len(octets)))
    (head,) = tree.iterchildren(f"{{{etree.QName(tree).namespace}}}stuurgegevens")
    parts = _by_name(head)
    for name, text in (("referentienummer", referentienummer), ("tijdstipBericht", tijdstip(at))):
        (element,) = parts[name]
        element.text = text
    return etree.tostring(tree.getroottree(), xml_declaration=True, encoding="UTF-8")


def _answer(
    berichtcode: str,
    zender: Address,
    ontvanger: Address,
    numbers: tuple[str, str],
    at: datetime,
) -> etree._Element:
    root = etree.Element(f"{{{STUF}}}{berichtcode}Bericht", nsmap={"StUF": STUF})
    head = _add(root, "stuurgegevens")
    _add(head, "berichtcode", berichtcode)
    add_address(head, "zender", zender)
    add_address(head, "ontvanger", ontvanger)
    _add(head, "referentienummer", numbers[0][:_NUMMER])
    _add(head, "tijdstipBericht", tijdstip(at))
    _add(head, "crossRefnummer", numbers[1][:_NUMMER])
    return root


def add_address(head: etree._Element, name: str, address: Address) -> None:
    """Add a zender or ontvanger; what is longer than the schema allows is cut."""
    element = _add(head, name)
    if address.organisatie:
        _add(element, "organisatie", address.organisatie[:_ORGANISATIE])
    known = len(address.applicatie) >= _SHORTEST_APPLICATIE
    _add(element, "applicatie", address.applicatie[:_NAAM] if known else _NAMELESS)
    if address.administratie:
        _add(element, "administratie", address.administratie[:_NAAM])
    if address.gebruiker:
        _add(element, "gebruiker", address.gebruiker[:_GEBRUIKER])


def _add(parent: etree._Element, name: str, text: str = "") -> etree._Element:
    element = etree.SubElement(parent, f"{{{STUF}}}{name}")
    if text:
        element.text = as_xml(text)
    return element


def as_xml(text: str) -> str:
    """Return a text that may come from a back-end; what XML can not hold is a question mark."""
    return _NOT_XML.sub("?", text)


def _octets(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
