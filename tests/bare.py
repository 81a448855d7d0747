"""A document for the schema alone: its envelope is not read."""

from lxml import etree

from gateway.message import Stuurgegevens
from gateway.wire.stuf import Document
from gateway.wire.xml import parse


def bare(octets: bytes) -> Document:
    """Return the document with an empty envelope: what stands there need not be readable."""
    tree = parse(octets)
    name = etree.QName(tree)
    return Document(
        octets=octets,
        tree=tree,
        sha256="",
        name=name.localname,
        namespace=name.namespace or "",
        stuurgegevens=Stuurgegevens(
            berichtcode="",
            zender=None,
            ontvanger=None,
            referentienummer="",
            tijdstip_bericht="",
        ),
    )
