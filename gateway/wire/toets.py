"""The messages of the OM gate, in the gateway's own namespace: read and made.

The envelope (stuurgegevens) is that of StUF, so that they travel like any other message. What the
OM decides is signed inside the document (`security/enveloped.py`): the signatures of the legs are
those of the hub.
"""

import sys
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from lxml import etree

from gateway.directory import Limits
from gateway.errors import Malformed
from gateway.message import Address, Oin
from gateway.wire.stuf import STUF, TOETS, Document, add_address, as_xml, value_of
from gateway.wire.tijd import tijdstip

VERSION = "toets-1"
"""Version of the koppelvlak in the catalogue and in [diensten]."""
SERVICE = "urn:berichtengateway:toets:1"
"""eb:Service that agreements use for these messages, unless they name another."""

VERZOEK = "opsporingsbelangVerzoekDi01"
BESLUIT = "opsporingsbelangBesluitDi01"
INTREKKING = "opsporingsbelangIntrekkingDi01"
VOORWAARDEN = "verstrekkingsvoorwaardenDi01"
BETWEEN_GATEWAYS = frozenset({VERZOEK, BESLUIT, INTREKKING})
KINDS = BETWEEN_GATEWAYS | {VOORWAARDEN}
GATEWAY = "Berichtengateway"
"""`applicatie` of what the gateway itself sends and is sent."""

MOST_REASONS = 200
"""A request names no more: with the payload before him an officer needs no full list."""
_AROUND = 2_000_000
"""Octets of a request beside its payload; 200 reasons at their longest are 1.8 million."""
_LONGEST = 2_000
"""Characters of the longest text in any of these messages."""
_MOST = 500
"""Elements of one name, when reading: the schema allows fewer."""

E = TypeVar("E", bound=StrEnum)


def limit_for(action: str, limits: Limits) -> int:
    """Return how many octets a decrypted document may have; `action` is the eb:Action.

    A request to the OM carries a whole payload as base64, so it may be larger than any payload:
    `limits.payload_bytes` by four thirds, and 2 MB around it.
    """
    if action != VERZOEK:
        return limits.payload_bytes
    return -(-limits.payload_bytes // 3) * 4 + _AROUND


class Uitkomst(StrEnum):
    """What the OM decides."""

    VRIJGEVEN = "vrijgeven"
    ONDER_VOORWAARDEN = "vrijgevenOnderVoorwaarden"
    NIET = "nietVrijgeven"
    TERUG = "terugNaarAfzender"
    """Reduce and send again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuur:
    """What the gateway puts into the stuurgegevens."""

    zender: Address
    ontvanger: Address
    referentienummer: str
    at: datetime
    cross_refnummer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Officier:
    """Who decided."""

    identificatie: str
    naam: str
    functie: str
    mandaat: str
    parket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voorwaarde:
    """A condition to what is released."""

    code: str
    tekst: str
    aanvaarding: bool
    """No system can enforce it: the receiver must accept it first (domain 9.1.7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reden:
    """Why it is held; never a value of the message."""

    regel: str
    pad: str
    tekst: str
    toestemming: str
    """`individueel` or `doorlopend`: what the table asks for."""
    categorie: str = ""
    wpg_artikel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verzoek:
    """The question to the OM, with the octets that are held."""

    identificatie: str
    soort: str
    versie: str
    referentienummer: str
    ontvanger: Oin
    sha256: str
    inhoud: bytes = field(repr=False)
    tabelversie: str
    termijn: datetime
    systeem: str
    """Back-end that handed it in."""
    ontvanger_applicatie: str = ""
    gebruiker: str = ""
    zaak: str = ""
    redenen: tuple[Reden, ...] = ()
    acuut: bool | None = None
    deel_van: str = ""
    vervangt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Besluit:
    """The decision. It counts only with the signature inside its document."""

    identificatie: str
    verzoek: str
    sha256: str
    ontvangers: tuple[Oin, ...]
    uitkomst: Uitkomst
    grond: str
    """Statutory ground."""
    officier: Officier
    tabelversie: str
    genomen_op: datetime
    geldig_tot: datetime
    te_melden: str = ""
    """What the sender may be told."""
    voorwaarden: tuple[Voorwaarde, ...] = ()
    tweede: Officier | None = None
    bekend: bool = False
    """The receiver may be told that something was withheld (domain 9.1.6)."""


class Doel(StrEnum):
    """What an Intrekking ends."""

    BESLUIT = "besluit"
    VERZOEK = "verzoek"
    TOESTEMMING = "toestemming"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrekking:
    """Something is over: a decision or standing approval (by the OM), a request (by the asker)."""

    identificatie: str
    doel: Doel
    betreft: str
    """Its identificatie."""
    grond: str
    genomen_op: datetime
    officier: Officier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Voorwaarden:
    """Under which conditions a message was provided; they never enter its payload (9.1.7)."""

    identificatie: str
    soort: str
    referentienummer: str
    sha256: str
    voorwaarden: tuple[Voorwaarde, ...]
    geheimhouding: str
    """Notice of Wpg 7 lid 2 and Bpg 4:8."""


# --- reading --------------------------------------------------------------------------


def read_verzoek(document: Document) -> Verzoek:
    """Return what is asked. Raises Malformed `toets.form`, `toets.inhoud`.

    Whether `sha256` and `omvang` are those of the octets is a rule, not a matter of reading.
    """
    body = _Body(document, VERZOEK, "verzoek")
    ontvanger, asker = body.within("ontvanger"), body.within("aanvrager")
    return Verzoek(
        identificatie=body.text("identificatie"),
        soort=body.text("soort"),
        versie=body.text("versie"),
        referentienummer=body.text("referentienummer"),
        ontvanger=Oin(ontvanger.text("organisatie")),
        ontvanger_applicatie=ontvanger.some("applicatie"),
        zaak=body.some("zaak"),
        sha256=body.text("sha256"),
        inhoud=_octets_of(body),
        tabelversie=body.some("tabelversie"),
        redenen=tuple(_reden(one) for one in body.each("reden")),
        systeem=asker.text("systeem"),
        gebruiker=asker.some("gebruiker"),
        acuut=body.flag("acuut"),
        termijn=body.moment("termijn"),
        deel_van=body.some("deelVan"),
        vervangt=body.some("vervangt"),
    )


def read_besluit(document: Document) -> Besluit:
    """Return the decision; its signature is another matter. Raises Malformed `toets.form`."""
    body = _Body(document, BESLUIT, "besluit")
    second = body.find("tweedeOfficier")
    return Besluit(
        identificatie=body.text("identificatie"),
        verzoek=body.text("verzoek"),
        sha256=body.text("sha256"),
        ontvangers=tuple(Oin(one.own) for one in body.each("ontvanger")),
        uitkomst=body.word("uitkomst", Uitkomst),
        grond=body.text("grond"),
        te_melden=body.some("teMelden"),
        voorwaarden=tuple(_voorwaarde(one) for one in body.each("voorwaarde")),
        officier=_officier(body.within("officier")),
        tweede=None if second is None else _officier(second),
        tabelversie=body.some("tabelversie"),
        genomen_op=body.moment("genomenOp"),
        geldig_tot=body.moment("geldigTot"),
        bekend=body.flag("bekend") or False,
    )


def read_intrekking(document: Document) -> Intrekking:
    """Return what is over. Raises Malformed `toets.form`."""
    body = _Body(document, INTREKKING, "intrekking")
    found = [doel for doel in Doel if body.some(doel)]
    if len(found) != 1:
        raise body.wrong("intrekking")
    officer = body.find("officier")
    return Intrekking(
        identificatie=body.text("identificatie"),
        doel=found[0],
        betreft=body.text(found[0]),
        grond=body.text("grond"),
        genomen_op=body.moment("genomenOp"),
        officier=None if officer is None else _officier(officer),
    )


def read_voorwaarden(document: Document) -> Voorwaarden:
    """Return the conditions. Raises Malformed `toets.form`."""
    body = _Body(document, VOORWAARDEN, "voorwaarden")
    return Voorwaarden(
        identificatie=body.text("identificatie"),
        soort=body.text("soort"),
        referentienummer=body.text("referentienummer"),
        sha256=body.text("sha256"),
        voorwaarden=tuple(_voorwaarde(one) for one in body.each("voorwaarde")),
        geheimhouding=body.text("geheimhouding"),
    )


class _Body:
    """Reads the children of one element, in our namespace; each at most once, unless `each`."""

    def __init__(
        self, document: Document, kind: str, name: str, element: etree._Element | None = None
    ) -> None:
        self._document, self._kind = document, kind
        self._path = f"/{kind}/{name}"
        if element is None:
            if (document.namespace, document.name) != (TOETS, kind):
                raise self.wrong("")
            found = list(document.tree.iterchildren(f"{{{TOETS}}}{name}"))
            if len(found) != 1:
                raise self.wrong("")
            element = found[0]
        self._element = element

    @property
    def own(self) -> str:
        return value_of(self._element)

    def each(self, name: str) -> list["_Body"]:
        children = self._element.iterchildren(f"{{{TOETS}}}{name}")
        found = list(islice(children, _MOST + 1))
        if len(found) > _MOST:
            raise self.wrong(name)
        return [_Body(self._document, self._kind, name, element) for element in found]

    def find(self, name: str) -> "_Body | None":
        found = self.each(name)
        if len(found) > 1:
            raise self.wrong(name)
        return found[0] if found else None

    def within(self, name: str) -> "_Body":
        found = self.find(name)
        if found is None:
            raise self.wrong(name)
        return found

    def some(self, name: str, *, longest: int = _LONGEST) -> str:
        found = self.find(name)
        value = "" if found is None else found.own
        if len(value) > longest:
            raise self.wrong(name)
        return value

    def text(self, name: str) -> str:
        value = self.some(name)
        if not value:
            raise self.wrong(name)
        return value

    def flag(self, name: str) -> bool | None:
        value = self.some(name)
        if value not in {"", "true", "false", "0", "1"}:
            raise self.wrong(name)
        return value in {"true", "1"} if value else None

    def moment(self, name: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text(name))
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.wrong(name) from error
        raise self.wrong(name)

    def word(self, name: str, words: type[E]) -> E:
        try:
            return words(self.text(name))
        except ValueError as error:
            raise self.wrong(name) from error

    def wrong(self, name: str) -> Malformed:
        where = f"{self._path}/{name}" if name else self._path
        text = "Een element ontbreekt, staat er meer dan eens of is niet te lezen."
        return Malformed("toets.form", text, where=where)


def _octets_of(body: _Body) -> bytes:
    """Of 35 MB of octets the base64 is 47 MB: without white space nothing of it is copied."""
    text = body.some("inhoud", longest=sys.maxsize)
    try:
        octets = a2b_base64("".join(text.split()), strict_mode=True)
    except (NotBase64, ValueError):
        octets = b""
    if not octets:
        raise Malformed(
            "toets.inhoud", "De inhoud is leeg of geen base64.", where=f"/{VERZOEK}/verzoek/inhoud"
        )
    return octets


def _reden(one: _Body) -> Reden:
    return Reden(
        regel=one.text("regel"),
        categorie=one.some("categorie"),
        toestemming=one.text("toestemming"),
        pad=one.some("pad"),
        tekst=one.text("tekst"),
        wpg_artikel=one.some("wpgArtikel"),
    )


def _voorwaarde(one: _Body) -> Voorwaarde:
    return Voorwaarde(
        code=one.text("code"),
        tekst=one.text("tekst"),
        aanvaarding=one.flag("aanvaarding") or False,
    )


def _officier(one: _Body) -> Officier:
    return Officier(
        identificatie=one.text("identificatie"),
        naam=one.text("naam"),
        functie=one.text("functie"),
        mandaat=one.text("mandaat"),
        parket=one.text("parket"),
    )


# --- making ---------------------------------------------------------------------------

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
