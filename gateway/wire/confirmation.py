"""`toetsingskaderBevestiging`: the file in which an officer of the OM confirms the gate's rules.

No message: it stands beside the classification table and the standing approvals, and names both
by their hash. It counts only when signed, see `gateway.security.enveloped`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from gateway.errors import Malformed
from gateway.wire.stuf import TOETS
from gateway.wire.toets import Officier
from gateway.wire.xml import XmlLimits, parse

ROOT = f"{{{TOETS}}}toetsingskaderBevestiging"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"

TABLE = "classificatie"
APPROVALS = "toestemmingen"
"""Names of the files that are confirmed, whatever they are called on a disk."""

LIMITS = XmlLimits(octets=200_000, nodes=1_000)
MOST_FILES = 8
_LONGEST = 256
_OIN = re.compile(r"[0-9]{20}(_(?:O|T|A|OTA))?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]+")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_OFFICER = ("identificatie", "naam", "functie", "mandaat", "parket")
_BEFORE, _AFTER = (
    ("identificatie", "politie"),
    ("tabelversie", "officier", "genomenOp", "geldigTot"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bevestiging:
    """What the file says; nobody has judged its signature yet."""

    identificatie: str
    politie: str
    """PartyId of the police whose gate it is."""
    bestanden: tuple[tuple[str, str], ...]
    """Name and hex SHA-256 over the octets of each file, in order of name."""
    tabelversie: str
    officier: Officier
    genomen_op: datetime
    geldig_tot: datetime
    """End, not included. Both in UTC."""


def make_confirmation(confirmation: Bevestiging) -> bytes:
    """Return the document, UTF-8, still to be signed; moments to the microsecond."""
    root = etree.Element(ROOT, nsmap={None: TOETS})
    for name in _BEFORE:
        _add(root, name, getattr(confirmation, name))
    for name, sha256 in sorted(confirmation.bestanden):
        file = _add(root, "bestand")
        _add(file, "naam", name)
        _add(file, "sha256", sha256)
    _add(root, "tabelversie", confirmation.tabelversie)
    officer = _add(root, "officier")
    for name in _OFFICER:
        _add(officer, name, getattr(confirmation.officier, name))
    _add(root, "genomenOp", confirmation.genomen_op.astimezone(UTC).isoformat())
    _add(root, "geldigTot", confirmation.geldig_tot.astimezone(UTC).isoformat())
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add(parent: etree._Element, name: str, text: str = "") -> etree._Element:
    element = etree.SubElement(parent, f"{{{TOETS}}}{name}")
    if text:
        element.text = text
    return element


def read_confirmation(octets: bytes) -> Bevestiging:
    """Read a confirmation; its signature may stand behind it, unjudged.

    Raises Malformed `xml.*`, and `bevestiging.vorm` with the place of what is missing, too much,
    or not of its kind.
    """
    root = parse(octets, limits=LIMITS)
    if root.tag != ROOT:
        raise _wrong("/")
    body = [child for child in root if child.tag != SIGNATURE]
    files = body[len(_BEFORE) : -len(_AFTER)]
    if not 1 <= len(files) <= MOST_FILES:
        raise _wrong("bestand")
    expected = (*_BEFORE, *("bestand" for _ in files), *_AFTER)
    identification, police, *_ = parts = _children(body, expected, "/")
    version, officer, taken, until = parts[-len(_AFTER) :]
    return Bevestiging(
        identificatie=_text(identification),
        politie=_text(police, _OIN),
        bestanden=_files(files),
        tabelversie=_text(version),
        officier=_officer(officer),
        genomen_op=_moment(taken),
        geldig_tot=_moment(until),
    )


def _files(elements: list[etree._Element]) -> tuple[tuple[str, str], ...]:
    pairs = [_children(list(e), ("naam", "sha256"), "bestand") for e in elements]
    found = tuple(sorted((_text(name), _text(sha256, _SHA256)) for name, sha256 in pairs))
    if len({name for name, _ in found}) < len(found):
        raise _wrong("bestand/naam")
    return found


def _officer(element: etree._Element) -> Officier:
    values = [_text(e) for e in _children(list(element), _OFFICER, "officier")]
    return Officier(**dict(zip(_OFFICER, values, strict=True)))


def _children(
    found: list[etree._Element], names: tuple[str, ...], where: str
) -> list[etree._Element]:
    if tuple(e.tag for e in found) != tuple(f"{{{TOETS}}}{name}" for name in names):
        raise _wrong(where)
    return found


def _text(element: etree._Element, form: re.Pattern[str] = _PLAIN) -> str:
    text = (element.text or "").strip()
    if len(element) or len(text) > _LONGEST or not form.fullmatch(text):
        raise _wrong(str(etree.QName(element).localname))
    return text


def _moment(element: etree._Element) -> datetime:
    try:
        return datetime.fromisoformat(_text(element, _MOMENT)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(str(etree.QName(element).localname)) from None


def _wrong(where: str) -> Malformed:
    return Malformed(
        "bevestiging.vorm", "Dit is geen bevestiging van het toetsingskader.", where=where
    )
