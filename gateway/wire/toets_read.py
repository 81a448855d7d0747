"""Reads the messages of the OM gate. Whether what they say counts is a rule."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from lxml import etree

from gateway.errors import Malformed
from gateway.message import Oin
from gateway.wire.base64_text import unbase64
from gateway.wire.stuf import TOETS, Document, value_of
from gateway.wire.toets import (
    BESLUIT,
    INTREKKING,
    VERZOEK,
    VOORWAARDEN,
    Besluit,
    Doel,
    Intrekking,
    Officier,
    Reden,
    Uitkomst,
    Verzoek,
    Voorwaarde,
    Voorwaarden,
)

_LONGEST = 2_000
"""Characters of the longest text in any of these messages."""
_MOST = 500
"""Elements of one name, when reading: the schema allows fewer."""


E = TypeVar("E", bound=StrEnum)


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
    text = body.some("inhoud", longest=sys.maxsize)
    try:
        octets = unbase64(text)
    except ValueError:
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
