"""Judging a document by its XSD, against reading it, and by libxml2 against xmlschema."""

from collections.abc import Iterator
from pathlib import Path

import xmlschema
from lxml import etree

from bench.measure import Figure, compare
from gateway.installation import load_catalogue, share
from gateway.wire import xml
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import read_document

NAME, VERSION = "vtMeldingDi01", "1.0.9"
EXAMPLE = Path(__file__).parent.parent / "tests" / "examples" / "volledig" / f"{NAME}.xml"


def figures() -> Iterator[Figure]:
    schemas = SchemaSet.load(share("schemas"), load_catalogue(share("config") / "catalogue.toml"))
    octets = EXAMPLE.read_bytes()
    document = read_document(octets)
    slow = xmlschema.XMLSchema(str(schemas.entry(NAME, VERSION)))
    assert schemas.validate(document, version=VERSION) == ()
    assert slow.is_valid(document.tree)

    def libxml2() -> None:
        schemas.validate(document, version=VERSION)

    yield compare(
        f"strict parse, XML of {len(octets) // 1024} KB",
        lambda: xml.parse(octets),
        "plain parse by lxml",
        lambda: etree.fromstring(octets),
    )
    yield compare("XSD by libxml2", libxml2, "strict parse", lambda: xml.parse(octets))
    yield compare(
        "XSD by xmlschema", lambda: slow.is_valid(document.tree), "XSD by libxml2", libxml2
    )
