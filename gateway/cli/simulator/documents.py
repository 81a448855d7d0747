"""Fictional documents of the players: examples that ship with the schemas, filled in.

Every document that is meant to be right keeps its schema; `Maker` looks before it hands one out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

from lxml import etree

from gateway.catalogue import Catalogue, MessageKind
from gateway.cli.simulator.fields import fields
from gateway.cli.simulator.script import Leugen
from gateway.errors import Finding, Misconfigured, SchemaViolation
from gateway.installation import share
from gateway.message import Address
from gateway.wire import stuf
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import Document, read_document
from gateway.wire.tijd import civil, tijdstip
from gateway.wire.xml import parse

BELONGS: Mapping[str, str] = {
    "vtMeldingDi01": "vtTerugkoppelingDi01",
    "vcobDi01": "ucobDi01",
    "vciDi01": "uciDi01",
    "meldingGeneriekDi01": "uitkomstMeldingGeneriekDi01",
    "zorgmeldingDi01": "zorgmeldingTerugkoppelingDi01",
    "vtoDi01": "notificatieDi01",
}
"""Which message answers which, in substance."""

CASE = (
    "identificatieVtMelding",
    "verzoekidentificatie",
    "uwIdentificatie",
    "kenmerk",
    "identificatie",
)
"""Elements that name the case, the first one there is; the last is that of a question only."""
_TODAY = ("datumMelding", "datumIncident", "datumGeinformeerd")
_NOTHING = "geen-zaak"
_PERSON = "object/heeftBetrekkingOp/gerelateerde/natuurlijkPersoon"
_WHO = ("inp.bsn", "geslachtsnaam")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A document to send."""

    name: str
    version: str
    octets: bytes
    referentienummer: str
    on: str = ""
    """Referentienummer of the message that it answers."""
    told: str = ""
    """What could not be done as asked, in Dutch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to make."""

    name: str
    version: str
    zender: Address
    ontvanger: Address
    at: datetime
    request: Document | None = None
    """The message that is answered."""
    texts: Mapping[str, str] = field(default_factory=dict)
    case: str | None = None
    """How a message of one's own names its case; None = a new one."""
    lie: Leugen = Leugen.GEEN
    referentienummer: str | None = None
    """None = a new one."""
    checked: bool = True
    """False: it is handed out even when the fields break the schema."""


class Maker:
    """Makes documents of the catalogue."""

    def __init__(self, catalogue: Catalogue, schemas: SchemaSet, folder: Path) -> None:
        """`folder` holds the schemas; examples that it lacks are those of the gateway."""
        self._catalogue = catalogue
        self._schemas = schemas
        self._folders = (folder, share("schemas"))

    def kind(self, name: str) -> MessageKind | None:
        """Return the newest version of a message for which there is an example."""
        for version in reversed(self._catalogue.versions(name)):
            if self._example(name, version) is not None:
                return self._catalogue.find(name, version)
        return None

    def make(self, order: Order) -> Made:
        """Return the document, wrong in the way that the order asks for and in no other.

        Raises Misconfigured `simulator.example` (no example of this message),
        `simulator.field` (it has no such field), SchemaViolation when the fields break the schema.
        """
        path = self._example(order.name, order.version)
        if path is None:
            raise Misconfigured(
                "simulator.example", "Van dit bericht is er geen voorbeeld.", where=order.name
            )
        root = parse(path.read_bytes())
        reference = order.referentienummer or str(uuid4())
        _address(root, order, reference)
        _case(root, order)
        _texts(root, order)
        if order.checked:
            self._judge(root, order.version)
        told = lie(root, order.lie)
        on = order.request.stuurgegevens.referentienummer if order.request is not None else ""
        return Made(
            name=order.name,
            version=order.version,
            octets=_octets(root),
            referentienummer=reference,
            on=on,
            told=told,
        )

    def findings(self, document: Document, version: str) -> tuple[Finding, ...]:
        """Return what the schema finds wrong."""
        return self._schemas.validate(document, version=version)

    def _judge(self, root: etree._Element, version: str) -> None:
        found = self._schemas.validate(read_document(_octets(root)), version=version)
        if found:
            raise SchemaViolation(found)

    def _example(self, name: str, version: str) -> Path | None:
        for folder in self._folders:
            path = folder / version / "examples" / f"{name}.xml"
            if path.is_file():
                return path
        return None


class _Receipt(TypedDict):
    zender: Address
    ontvanger: Address
    referentienummer: str
    cross_refnummer: str
    at: datetime


def receipt(
    request: Document, *, version: str, at: datetime, fout: stuf.Fout | None, wrong: Leugen
) -> Made:
    """Return the Bv01 on a document of this version, or the Fo01 where `fout` says why."""
    head, reference = request.stuurgegevens, str(uuid4())
    nobody = Address(organisatie="")
    facts = _Receipt(
        zender=head.ontvanger or nobody,
        ontvanger=head.zender or nobody,
        referentienummer=reference,
        cross_refnummer=head.referentienummer,
        at=at,
    )
    root = parse(stuf.bv01(**facts) if fout is None else stuf.fo01(**facts, fout=fout))
    told = lie(root, wrong)
    return Made(
        name="Bv01Bericht" if fout is None else "Fo01Bericht",
        version=version,
        octets=_octets(root),
        referentienummer=reference,
        on=head.referentienummer,
        told=told,
    )


# --- filling in -----------------------------------------------------------------------


def _address(root: etree._Element, order: Order, reference: str) -> None:
    for name, address in (("zender", order.zender), ("ontvanger", order.ontvanger)):
        _set(root, f"stuurgegevens/{name}/organisatie", address.organisatie)
        _set(root, f"stuurgegevens/{name}/applicatie", address.applicatie)
    _set(root, "stuurgegevens/referentienummer", reference)
    _set(root, "stuurgegevens/tijdstipBericht", tijdstip(order.at)[:14])
    if order.request is not None:
        answered = order.request.stuurgegevens.referentienummer
        _set(root, "stuurgegevens/crossRefnummer", answered)
    today = f"{civil(order.at):%Y%m%d}"
    for element in root.iter(*(f"{{*}}{name}" for name in _TODAY)):
        element.text = today
    for element in root.iter("{*}oinNummer"):
        element.text = order.zender.organisatie


def _case(root: etree._Element, order: Order) -> None:
    """Answer about the case that was asked about; a message of one's own gets a new case."""
    if order.request is None:
        for element in _case_elements(root)[:1]:
            element.text = order.case or f"SIM-{uuid4().hex[:12].upper()}"
        return
    asked = case_of(order.request.tree)
    for element in _references(root) if asked else ():
        element.text = asked
    _person(root, order.request.tree)


def case_of(root: etree._Element) -> str:
    """Return how a message names its case; empty when it names none."""
    return next((stuf.value_of(e) for e in _case_elements(root)), "")


def _person(root: etree._Element, asked: etree._Element) -> None:
    """Answer about the person who was asked about."""
    there, here = fields(asked, _PERSON), fields(root, _PERSON)
    if not there or not here:
        return
    for name in _WHO:
        known = [stuf.value_of(e) for e in fields(there[0], name)]
        for element in fields(here[0], name):
            if known:
                element.text = known[0]
            else:
                here[0].remove(element)


def _case_elements(root: etree._Element) -> list[etree._Element]:
    for name in CASE:
        found = [e for e in root.iter(f"{{*}}{name}") if not len(e) and stuf.value_of(e)]
        if found:
            return found
    return []


def _references(root: etree._Element) -> list[etree._Element]:
    """Return the elements in which an answer names the case of the question."""
    return [e for name in CASE[:-1] for e in root.iter(f"{{*}}{name}") if not len(e)]


def _texts(root: etree._Element, order: Order) -> None:
    for path, text in order.texts.items():
        if not _set(root, path, text):
            raise Misconfigured(
                "simulator.field",
                "Het voorbeeld heeft dit veld niet.",
                where=f"{order.name}/{path}",
            )


def _set(root: etree._Element, path: str, text: str) -> bool:
    """Fill in the first element there; False when there is none."""
    found = fields(root, path)
    if not found:
        return False
    found[0].text = text
    return True


def _octets(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


# --- lying ----------------------------------------------------------------------------


def lie(root: etree._Element, kind: Leugen) -> str:
    """Make the document wrong; return in Dutch why that could not be done, empty when it was.

    A wrong signature is the business of whoever seals.
    """
    match kind:
        case Leugen.SCHEMA:
            etree.SubElement(root, f"{{{etree.QName(root).namespace}}}hoortHierNiet").text = "x"
        case Leugen.KRUISVERWIJZING:
            if not _set(root, "stuurgegevens/crossRefnummer", str(uuid4())):
                return "dit bericht heeft geen kruisverwijzing"
        case Leugen.ZAAK:
            elements = _references(root)
            for element in elements:
                element.text = f"{_NOTHING}-{uuid4().hex[:8]}"
            if not elements:
                return "dit bericht noemt geen zaak"
        case Leugen.GEEN | Leugen.HANDTEKENING:
            pass
    return ""


def other_content(octets: bytes) -> bytes:
    """Return the same message with another moment: other content under one referentienummer."""
    root = parse(octets)
    for element in fields(root, "stuurgegevens/tijdstipBericht"):
        text = element.text or ""
        element.text = text[:-1] + ("1" if text.endswith("0") else "0")
    return _octets(root)
