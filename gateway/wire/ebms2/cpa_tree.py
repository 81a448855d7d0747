"""Reading the elements of a CPA: names, references, moments, durations, certificates.

Errors name the place in the document and never a value of it.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from cryptography import x509
from lxml import etree

from gateway.errors import Malformed
from gateway.wire.ebms2.names import ds
from gateway.wire.xml import path_of, value

CPP = "http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd"

VALUE_LENGTH = 1_000
"""Characters of one name, id or URL."""
RETRIES = 10_000
"""More is a mistake."""

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,12})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_N = r"(?:([0-9]{1,9})%s)?"
_DURATION = re.compile(
    "P"
    + "".join(_N % unit for unit in "YMD")
    + "(?:T"
    + "".join(_N % unit for unit in "HM")
    + r"(?:([0-9]{1,9}(?:\.[0-9]{1,6})?)S)?)?"
)
_UNITS = (
    timedelta(days=365),
    timedelta(days=30),
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(seconds=1),
)
_DIGITS = re.compile(r"[0-9]{1,9}")


def cpp(name: str) -> str:
    """Return the name in the CPPA namespace, as lxml writes it."""
    return f"{{{CPP}}}{name}"


def malformed(code: str, text: str, at: etree._Element, below: str = "") -> Malformed:
    """Return the error, placed at the element or at something below it."""
    return Malformed(f"cpa.{code}", text, where=path_of(at) + (f"/{below}" if below else ""))


def maybe(parent: etree._Element, path: str) -> etree._Element | None:
    """Return the first element at a path of CPPA names (`A/B`), or None."""
    return parent.find("/".join(cpp(step) for step in path.split("/")))


def need(parent: etree._Element, path: str) -> etree._Element:
    """Return the first element at the path; raise Malformed `cpa.missing`."""
    found = maybe(parent, path)
    if found is None:
        raise malformed("missing", "Een verplicht element ontbreekt.", parent, path)
    return found


def text(element: etree._Element) -> str:
    """Return the text, without white space around it; raise Malformed `cpa.value`."""
    found = value(element).strip()
    if not 0 < len(found) <= VALUE_LENGTH:
        raise malformed("value", "De inhoud ontbreekt of is te lang.", element)
    return found


def maybe_attribute(element: etree._Element, name: str) -> str | None:
    """Return an attribute (they are qualified in a CPA), or None."""
    found = element.get(cpp(name))
    if found is not None and len(found) > VALUE_LENGTH:
        raise malformed("value", "Een waarde is te lang.", element, f"@{name}")
    return found.strip() if found is not None else None


def attribute(element: etree._Element, name: str) -> str:
    """Return an attribute; raise Malformed `cpa.missing`."""
    found = maybe_attribute(element, name)
    if not found:
        raise malformed("missing", "Een verplicht attribuut ontbreekt.", element, f"@{name}")
    return found


def index(parent: etree._Element, name: str, key: str) -> Mapping[str, etree._Element]:
    """Return the children of that name by their id; raise Malformed `cpa.duplicate`."""
    found: dict[str, etree._Element] = {}
    for child in parent.findall(cpp(name)):
        id_ = attribute(child, key)
        if id_ in found:
            raise malformed("duplicate", "Een id komt twee keer voor.", child, f"@{key}")
        found[id_] = child
    return MappingProxyType(found)


def look_up(found: Mapping[str, etree._Element], id_: str, at: etree._Element) -> etree._Element:
    """Return the element that `at` refers to; raise Malformed `cpa.reference`."""
    if id_ not in found:
        raise malformed("reference", "De verwijzing komt nergens uit.", at)
    return found[id_]


def flag(element: etree._Element, name: str) -> bool | None:
    """Return an xs:boolean attribute, None when absent; raise Malformed `cpa.value`."""
    match maybe_attribute(element, name):
        case None:
            return None
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            raise malformed("value", "De waarde is geen boolean.", element, f"@{name}")


def number(element: etree._Element) -> int:
    """Return a count of retries; raise Malformed `cpa.value`."""
    found = text(element)
    if not _DIGITS.fullmatch(found) or int(found) > RETRIES:
        raise malformed("value", "Het aantal is geen getal of te groot.", element)
    return int(found)


def moment(element: etree._Element) -> datetime:
    """Return an xs:dateTime in UTC; without a zone it is taken to be UTC already.

    Raises Malformed `cpa.moment`.
    """
    found = text(element)
    try:
        read = datetime.fromisoformat(found if _MOMENT.fullmatch(found) else "")
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise malformed("moment", "Dit is geen datum en tijd.", element) from None


def duration(element: etree._Element) -> timedelta:
    """Return an xs:duration; a year counts for 365 days, a month for 30.

    Raises Malformed `cpa.duration`, also for a negative one.
    """
    found = text(element)
    match = _DURATION.fullmatch(found)
    if match is None or not any(match.groups()) or found.endswith("T"):
        raise malformed("duration", "Dit is geen tijdsduur.", element)
    try:
        parts = zip(match.groups(), _UNITS, strict=True)
        return sum((float(n or 0) * unit for n, unit in parts), timedelta())
    except OverflowError:
        raise malformed("duration", "De tijdsduur is te lang.", element) from None


def certificate(element: etree._Element) -> bytes:
    """Return the (first) certificate of a `Certificate`, DER; raise Malformed `cpa.certificate`."""
    found = element.find(f"{ds('KeyInfo')}/{ds('X509Data')}/{ds('X509Certificate')}")
    try:
        encoded = "".join(value(found).split()) if found is not None else ""
        der = base64.b64decode(encoded, validate=True)
        x509.load_der_x509_certificate(der)
    except (ValueError, binascii.Error):
        raise malformed("certificate", "Het certificaat is niet leesbaar.", element) from None
    return der


_BY_STRENGTH = ("256-gcm", "128-gcm", "sha512", "sha384", "sha256", "256-cbc", "128-cbc")


def algorithms(parent: etree._Element, name: str) -> tuple[str, ...]:
    """Return the W3C URIs that are offered, each the `w3c` attribute or else the text."""
    need(parent, name)
    return tuple(maybe_attribute(e, "w3c") or text(e) for e in parent.findall(cpp(name)))


def strongest(offered: Sequence[str]) -> str:
    """Return the strongest of what is offered; the first of what is equal, or not known."""

    def rank(uri: str) -> int:
        ends = (n for n, end in enumerate(_BY_STRENGTH) if uri.endswith(end))
        return next(ends, len(_BY_STRENGTH))

    return min(offered, key=rank)
