"""Fictional documents for the demo, made from the examples beside the schemas."""

from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from gateway.installation import share
from gateway.wire.xml import parse

VERSION = "1.0.9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Who, and with which system."""

    oin: str
    applicatie: str


def document(
    name: str,
    *,
    zender: Address,
    ontvanger: Address,
    referentienummer: str,
    zaak: str,
    at: datetime,
) -> bytes:
    """Return the example `name` with these stuurgegevens and this case number."""
    path = share("schemas") / VERSION / "examples" / f"{name}.xml"
    root = parse(path.read_bytes())
    _set(root, "organisatie", zender.oin, ontvanger.oin)
    _set(root, "applicatie", zender.applicatie, ontvanger.applicatie)
    _set(root, "referentienummer", referentienummer)
    _set(root, "tijdstipBericht", at.strftime("%Y%m%d%H%M%S"))
    _set(root, "identificatieVtMelding", zaak)
    _set(root, "oinNummer", zender.oin)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def without(octets: bytes, name: str) -> bytes:
    """Return the document without its first element `name`: it breaks the schema."""
    root = parse(octets)
    found = next(root.iter(f"{{*}}{name}"))
    parent = found.getparent()
    if parent is not None:
        parent.remove(found)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _set(root: etree._Element, name: str, *values: str) -> None:
    for element, value in zip(root.iter(f"{{*}}{name}"), values, strict=False):
        element.text = value
