"""Rules about the documents in a message: base64 in `inhoud`, with a name."""

import binascii
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from unicodedata import normalize

from lxml import etree

from gateway.errors import Severity
from gateway.rules.koppelvlak.case import Case, Filled
from gateway.rules.koppelvlak.rule import Each, Rule
from gateway.wire.base64_text import unbase64
from gateway.wire.stuf import STUF
from gateway.wire.xml import path_of

MOST_OCTETS = 21_000_000
"""All documents of a vtoDi01 together, decoded (domain 1.7)."""

_DOCUMENTS = ("inhoud",)
_WITH_DOCUMENTS = frozenset({"vtoDi01", "uciDi01", "zorgmeldingDi01"})
_REQUEST = frozenset({"vtoDi01"})
_NAME = f"{{{STUF}}}bestandsnaam"
_TYPE = "contentType"
_LONGEST_NAME = 255
_NAME_CHARACTERS = re.compile(r"[^\W_][\w .,()&+'-]*", re.UNICODE)
_HEAD = 64
"""Characters of base64 that show how a document begins."""

_BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    "pdf": (b"%PDF-",),
    "docx": (b"PK\x03\x04",),
    "xlsx": (b"PK\x03\x04",),
    "odt": (b"PK\x03\x04",),
    "doc": (b"\xd0\xcf\x11\xe0",),
    "xls": (b"\xd0\xcf\x11\xe0",),
    "rtf": (b"{\\rtf",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "png": (b"\x89PNG",),
    "tif": (b"II*\x00", b"MM\x00*"),
    "tiff": (b"II*\x00", b"MM\x00*"),
    "txt": (),
}
"""Extension → how such a file begins; empty = anyhow."""
_TYPES = {
    "application/pdf": {"pdf"},
    "application/msword": {"doc"},
    "application/rtf": {"rtf"},
    "text/plain": {"txt"},
    "image/jpeg": {"jpg", "jpeg"},
    "image/png": {"png"},
    "image/tiff": {"tif", "tiff"},
}
"""Media type → extensions that fit; of others nothing is said."""


def name_of(element: etree._Element) -> str:
    """Return the bestandsnaam of a document, as it stands; empty when it has none."""
    return element.get(_NAME, "")


def _nameless(_case: Case, one: Filled) -> bool:
    return not name_of(one.element).strip()


def _bad_name(_case: Case, one: Filled) -> bool:
    """A name that no file system and no mail program can misread."""
    name = name_of(one.element)
    if not name:
        return False
    composed = normalize("NFC", name)  # a name may come with its accents apart
    fits = len(name) <= _LONGEST_NAME and _NAME_CHARACTERS.fullmatch(composed)
    return not fits or name[-1] in " ." or ".." in name


def _no_base64(_case: Case, one: Filled) -> bool:
    """The schema says so too, where the pack gives the element its type."""
    try:
        return not unbase64(one.text)
    except ValueError:
        return True


def _extension(one: Filled) -> str:
    return PurePosixPath(name_of(one.element).lower()).suffix.removeprefix(".")


def _strange_kind(_case: Case, one: Filled) -> bool:
    return bool(name_of(one.element)) and _extension(one) not in _BEGINNINGS


def _other_content(_case: Case, one: Filled) -> bool:
    beginnings = _BEGINNINGS.get(_extension(one), ())
    return bool(beginnings) and not _head(one.text).startswith(beginnings)


def _head(text: str) -> bytes:
    head = "".join(text[: 2 * _HEAD].split())[:_HEAD]
    try:
        return binascii.a2b_base64(head[: len(head) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


def _other_type(_case: Case, one: Filled) -> bool:
    named = [v for k, v in one.element.attrib.items() if etree.QName(k).localname == _TYPE]
    fitting = _TYPES.get(str(named[0]).partition(";")[0].strip().lower()) if named else None
    return fitting is not None and bool(_extension(one)) and _extension(one) not in fitting


def _too_much(case: Case) -> Iterator[str]:
    """All documents together; told at the first that passes the limit."""
    total = 0
    for element in case.document.tree.iter("{*}inhoud"):
        total += _octets(Filled("inhoud", element).text)
        if total > MOST_OCTETS:
            yield path_of(element)
            return


def _octets(text: str) -> int:
    """Return how many octets base64 holds, without decoding it."""
    white = sum(text.count(c) for c in " \t\n\r")
    padding = len(text) - len(text.rstrip("="))
    return (len(text) - white) * 3 // 4 - padding


RULES = (
    Rule(
        id="JZ-080",
        code="regel.document.naam",
        check=Each(names=_DOCUMENTS, broken=_nameless, empty=True, attribute="bestandsnaam"),
        text="Dit document heeft geen bestandsnaam.",
        remedy="Vul het attribuut StUF:bestandsnaam, met een extensie.",
        ground="Rule A9.6 of the koppelvlak",
        messages=_WITH_DOCUMENTS,
    ),
    Rule(
        id="JZ-081",
        code="regel.document.naam.tekens",
        check=Each(names=_DOCUMENTS, broken=_bad_name, empty=True, attribute="bestandsnaam"),
        text="De bestandsnaam heeft tekens of een begin die niet mogen.",
        remedy="Begin met een letter of cijfer; gebruik verder letters, cijfers, spaties en "
        ". , ( ) & + ' _ -; eindig niet met een spatie of punt.",
        ground="Rule A9.6 of the koppelvlak; the list of characters is not public: what every "
        "file system takes",
        messages=_WITH_DOCUMENTS,
    ),
    Rule(
        id="JZ-082",
        code="regel.document.omvang",
        check=_too_much,
        text="De documenten zijn samen groter dan 21 MB.",
        remedy="Maak de documenten kleiner of verdeel ze over meer berichten; verstuur ze niet "
        "langs een onbeveiligde weg.",
        ground="Koppelvlak 1.0.2: 21 MB net, 21,000,000 octets decoded",
        messages=_REQUEST,
    ),
    Rule(
        id="JZ-083",
        code="regel.document.inhoud",
        check=Each(names=_DOCUMENTS, broken=_no_base64, empty=True),
        text="De inhoud van dit document is leeg of geen base64.",
        remedy="Zet het hele bestand als base64 in inhoud.",
        ground="StUF-bindingen: documents are base64 in the message",
        messages=_WITH_DOCUMENTS,
    ),
    Rule(
        id="JZ-084",
        code="regel.document.soort",
        check=Each(names=_DOCUMENTS, broken=_strange_kind, empty=True, attribute="bestandsnaam"),
        text="Dit is geen soort bestand die ontvangers verwachten.",
        remedy="Gebruik bij voorkeur pdf; verder docx, doc, odt, rtf, txt, xlsx, xls, jpg, png "
        "of tif.",
        ground="The list of the koppelvlak is not public; the forum speaks of PDF",
        messages=_WITH_DOCUMENTS,
        severity=Severity.WARN,
    ),
    Rule(
        id="JZ-085",
        code="regel.document.extensie",
        check=Each(names=_DOCUMENTS, broken=_other_content),
        text="De inhoud van dit bestand is iets anders dan de extensie zegt.",
        remedy="Controleer het bestand en zijn naam.",
        ground="A program that is named report.pdf",
        messages=_WITH_DOCUMENTS,
    ),
    Rule(
        id="JZ-086",
        code="regel.document.type",
        check=Each(names=_DOCUMENTS, broken=_other_type, empty=True, attribute="contentType"),
        text="Het mediatype past niet bij de extensie van de bestandsnaam.",
        remedy="Geef beide dezelfde soort, bijvoorbeeld application/pdf en .pdf.",
        ground="Two programs would open one file differently",
        messages=_WITH_DOCUMENTS,
        severity=Severity.WARN,
    ),
)
