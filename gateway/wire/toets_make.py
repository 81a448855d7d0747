"""Makes the messages of the OM gate. A decision is signed afterwards, inside the document."""

from binascii import b2a_base64
from collections.abc import Iterable
from datetime import UTC, datetime

from lxml import etree

from gateway.wire.stuf import STUF, TOETS, add_address, as_xml
from gateway.wire.tijd import tijdstip
from gateway.wire.toets import (
    BESLUIT,
    INTREKKING,
    MOST_REASONS,
    VERZOEK,
    VOORWAARDEN,
    Besluit,
    Intrekking,
    Officier,
    Reden,
    Stuur,
    Verzoek,
    Voorwaarde,
    Voorwaarden,
)

_PREFIX = "bgt"
_EMPTY, _OPEN, _CLOSE = b"<bgt:inhoud/>", b"<bgt:inhoud>", b"</bgt:inhoud>"
"""The element of the payload. No text holds it: a `<` in a text is escaped."""
_WORD, _NAME, _REASON, _PATH = 64, 128, 500, 1024
"""Characters, as the schema has them."""


def make_verzoek(verzoek: Verzoek, stuur: Stuur) -> bytes:
    """Return the document, UTF-8.

    Texts of the reasons are cut to what the schema allows, and of more than `MOST_REASONS` the
    first are named: a request that the schema refuses would leave the message held for good.
    """
    root, body = _begin(VERZOEK, "verzoek", stuur)
    _add(body, "identificatie", verzoek.identificatie)
    _add(body, "soort", verzoek.soort)
    _add(body, "versie", verzoek.versie)
    _add(body, "referentienummer", verzoek.referentienummer)
    ontvanger = _add(body, "ontvanger")
    _add(ontvanger, "organisatie", verzoek.ontvanger)
    _some(ontvanger, "applicatie", verzoek.ontvanger_applicatie)
    _some(body, "zaak", verzoek.zaak)
    _add(body, "sha256", verzoek.sha256)
    _add(body, "omvang", str(len(verzoek.inhoud)))
    _add(body, "inhoud")
    _some(body, "tabelversie", verzoek.tabelversie)
    for reden in verzoek.redenen[:MOST_REASONS]:
        _add_reden(body, reden)
    asker = _add(body, "aanvrager")
    _add(asker, "systeem", verzoek.systeem[:_NAME])
    _some(asker, "gebruiker", verzoek.gebruiker[:_NAME])
    if verzoek.acuut is not None:
        _add(body, "acuut", _flag(verzoek.acuut))
    _add(body, "termijn", _moment(verzoek.termijn))
    _some(body, "deelVan", verzoek.deel_van)
    _some(body, "vervangt", verzoek.vervangt)
    return _filled(_octets(root), verzoek.inhoud)


def _filled(document: bytes, octets: bytes) -> bytes:
    """Put the payload into its element. No tree holds it: that would be three more copies."""
    before, empty, after = document.partition(_EMPTY)
    if not empty:
        raise AssertionError("the element of the payload is not where it was put")
    return b"".join((before, _OPEN, b2a_base64(octets, newline=False), _CLOSE, after))


def make_besluit(besluit: Besluit, stuur: Stuur) -> bytes:
    """Return the document without its signature."""
    root, body = _begin(BESLUIT, "besluit", stuur)
    _add(body, "identificatie", besluit.identificatie)
    _add(body, "verzoek", besluit.verzoek)
    _add(body, "sha256", besluit.sha256)
    for ontvanger in besluit.ontvangers:
        _add(body, "ontvanger", ontvanger)
    _add(body, "uitkomst", besluit.uitkomst)
    _add(body, "grond", besluit.grond)
    _some(body, "teMelden", besluit.te_melden)
    _add_voorwaarden(body, besluit.voorwaarden)
    _add_officier(body, "officier", besluit.officier)
    if besluit.tweede is not None:
        _add_officier(body, "tweedeOfficier", besluit.tweede)
    _some(body, "tabelversie", besluit.tabelversie)
    _add(body, "genomenOp", _moment(besluit.genomen_op))
    _add(body, "geldigTot", _moment(besluit.geldig_tot))
    _add(body, "bekend", _flag(besluit.bekend))
    return _octets(root)


def make_intrekking(intrekking: Intrekking, stuur: Stuur) -> bytes:
    """Return the document without its signature."""
    root, body = _begin(INTREKKING, "intrekking", stuur)
    _add(body, "identificatie", intrekking.identificatie)
    _add(body, intrekking.doel, intrekking.betreft)
    _add(body, "grond", intrekking.grond)
    if intrekking.officier is not None:
        _add_officier(body, "officier", intrekking.officier)
    _add(body, "genomenOp", _moment(intrekking.genomen_op))
    return _octets(root)


def make_voorwaarden(voorwaarden: Voorwaarden, stuur: Stuur) -> bytes:
    """Return the document."""
    root, body = _begin(VOORWAARDEN, "voorwaarden", stuur)
    _add(body, "identificatie", voorwaarden.identificatie)
    _add(body, "soort", voorwaarden.soort)
    _add(body, "referentienummer", voorwaarden.referentienummer)
    _add(body, "sha256", voorwaarden.sha256)
    _add_voorwaarden(body, voorwaarden.voorwaarden)
    _add(body, "geheimhouding", voorwaarden.geheimhouding)
    return _octets(root)


def _begin(kind: str, name: str, stuur: Stuur) -> tuple[etree._Element, etree._Element]:
    root = etree.Element(f"{{{TOETS}}}{kind}", nsmap={_PREFIX: TOETS, "StUF": STUF})
    head = _add(root, "stuurgegevens")
    etree.SubElement(head, f"{{{STUF}}}berichtcode").text = "Di01"
    add_address(head, "zender", stuur.zender)
    add_address(head, "ontvanger", stuur.ontvanger)
    etree.SubElement(head, f"{{{STUF}}}referentienummer").text = as_xml(stuur.referentienummer)
    etree.SubElement(head, f"{{{STUF}}}tijdstipBericht").text = tijdstip(stuur.at)
    if stuur.cross_refnummer:
        etree.SubElement(head, f"{{{STUF}}}crossRefnummer").text = as_xml(stuur.cross_refnummer)
    etree.SubElement(head, f"{{{STUF}}}functie").text = kind
    return root, _add(root, name)


def _add(parent: etree._Element, name: str, text: str = "") -> etree._Element:
    element = etree.SubElement(parent, f"{{{TOETS}}}{name}")
    if text:
        element.text = as_xml(text)
    return element


def _some(parent: etree._Element, name: str, text: str) -> None:
    if text:
        _add(parent, name, text)


def _add_reden(body: etree._Element, reden: Reden) -> None:
    element = _add(body, "reden")
    _add(element, "regel", reden.regel[:_WORD])
    _some(element, "categorie", reden.categorie[:_WORD])
    _add(element, "toestemming", reden.toestemming)
    _some(element, "pad", reden.pad[:_PATH])
    _add(element, "tekst", reden.tekst[:_REASON])
    _some(element, "wpgArtikel", reden.wpg_artikel[:_WORD])


def _add_voorwaarden(body: etree._Element, voorwaarden: Iterable[Voorwaarde]) -> None:
    for one in voorwaarden:
        element = _add(body, "voorwaarde")
        _add(element, "code", one.code)
        _add(element, "tekst", one.tekst)
        _add(element, "aanvaarding", _flag(one.aanvaarding))


def _add_officier(body: etree._Element, name: str, officier: Officier) -> None:
    element = _add(body, name)
    _add(element, "identificatie", officier.identificatie)
    _add(element, "naam", officier.naam)
    _add(element, "functie", officier.functie)
    _add(element, "mandaat", officier.mandaat)
    _add(element, "parket", officier.parket)


def _flag(value: bool) -> str:  # noqa: FBT001 - one value, written as XML says it
    return "true" if value else "false"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _octets(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
