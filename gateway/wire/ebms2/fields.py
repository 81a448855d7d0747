"""Small strict readers: one element, one value, one moment.

`where` is the place of an element in ebMS form (`//Header/MessageHeader`); errors name the
element or what is below it, and never hold a value.
"""

import re
from datetime import UTC, datetime

from lxml import etree

from gateway.errors import Malformed
from gateway.message import PartyRef
from gateway.wire.ebms2.names import VERSION, eb, soap
from gateway.wire.xml import local

VALUE_LENGTH = 1_000
"""Characters of one value: ids and names are far shorter, the database is not asked."""
ID_LENGTH = 512
"""Characters of an id that is stored: no more than its column holds."""

_EB_ANY = eb("*")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,12}))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)


class Fields:
    """The ebMS children of one element, looked through once."""

    __slots__ = ("_found", "where")

    def __init__(self, parent: etree._Element, where: str) -> None:
        """Take the element at `where`."""
        self.where = where
        self._found: dict[str, list[etree._Element]] = {}
        for child in parent.iterchildren(_EB_ANY):
            self._found.setdefault(local(child), []).append(child)

    def only(self, allowed: frozenset[str]) -> None:
        """Refuse ebMS elements that the parent does not have (`header.unknown`).

        Elements in other namespaces are extensions: ignored (DK-ebMS2, ebMS version).
        """
        if not self._found.keys() <= allowed:
            raise Malformed("header.unknown", "an ebMS element is not known here", where=self.where)

    def every(self, name: str) -> list[etree._Element]:
        """Return all children of that name, in order."""
        return self._found.get(name, [])

    def maybe(self, name: str) -> etree._Element | None:
        """Return the child, or None; raise Malformed `header.duplicate` for a second one."""
        found = self._found.get(name)
        if found is None:
            return None
        if len(found) > 1:
            where = f"{self.where}/{name}"
            raise Malformed("header.duplicate", f"{name} occurs twice", where=where)
        return found[0]

    def one(self, name: str) -> etree._Element:
        """Return the only child of that name; raise Malformed `header.missing`, `.duplicate`."""
        found = self.maybe(name)
        if found is None:
            where = f"{self.where}/{name}"
            raise Malformed("header.missing", f"{name} is missing", where=where)
        return found

    def text(self, name: str) -> str:
        """Return the value of the only child of that name."""
        return value(self.one(name), f"{self.where}/{name}")

    def identity(self, name: str) -> str:
        """Return the value of the only child of that name, which is stored as an id."""
        found = self.text(name)
        if len(found) > ID_LENGTH:
            where = f"{self.where}/{name}"
            raise Malformed("header.value", "an id is too long", where=where)
        return found

    def maybe_text(self, name: str) -> str | None:
        """Return the value of the child, or None when there is no such child."""
        found = self.maybe(name)
        return value(found, f"{self.where}/{name}") if found is not None else None

    def moment(self, name: str) -> datetime:
        """Return the xs:dateTime in the only child of that name, in UTC.

        A moment without zone could be hours off: it is refused (Malformed
        `header.timestamp`). Fractions beyond the microsecond are cut.
        """
        return _moment(self.text(name), f"{self.where}/{name}")

    def maybe_moment(self, name: str) -> datetime | None:
        """Return the moment, or None when there is no such child."""
        found = self.maybe_text(name)
        return _moment(found, f"{self.where}/{name}") if found is not None else None


def value(element: etree._Element, where: str) -> str:
    """Return the text of the element at `where`, white space around it removed.

    A comment or child inside is refused: two readers could see two values.
    """
    if len(element):
        raise Malformed("header.value", "a value holds markup", where=where)
    return checked((element.text or "").strip(" \t\r\n"), where)


def checked(text: str, where: str) -> str:
    """Return the text of an id, name or attribute; raise Malformed `header.value`, `.missing`.

    What nobody can see (controls, marks that turn the direction of writing, spaces of no width)
    would let two ids look the same.
    """
    if not text:
        raise Malformed("header.missing", "a value is empty", where=where)
    if len(text) > VALUE_LENGTH or not text.isprintable():
        raise Malformed("header.value", "a value is too long or can not be shown", where=where)
    return text


def attribute(element: etree._Element, name: str, where: str) -> str:
    """Return an ebMS attribute (they are qualified) of the element at `where`."""
    return checked(element.get(eb(name), ""), f"{where}/@{name}")


def maybe_attribute(element: etree._Element, name: str, where: str) -> str | None:
    """Return an ebMS attribute, or None when it is not there; empty is refused."""
    found = element.get(eb(name))
    return checked(found, f"{where}/@{name}") if found is not None else None


def check_version(element: etree._Element, where: str) -> None:
    """Raise Malformed `header.version` unless the element says version 2.0."""
    if element.get(eb("version")) != VERSION:
        raise Malformed("header.version", "version is not 2.0", where=f"{where}/@version")


def check_actor(element: etree._Element, allowed: frozenset[str | None], where: str) -> None:
    """Raise Malformed `header.actor` unless soap:actor is one of those; None = absent.

    What another actor may read can lie outside the signature.
    """
    if element.get(soap("actor")) not in allowed:
        raise Malformed("header.actor", "actor is not that of this block", where=f"{where}/@actor")


def boolean(element: etree._Element, name: str, where: str) -> bool:
    """Return an xs:boolean attribute; raise Malformed `header.value`."""
    found = attribute(element, name, where)
    if found not in {"true", "1", "false", "0"}:
        raise Malformed("header.value", "not a boolean", where=f"{where}/@{name}")
    return found in {"true", "1"}


def is_uri(text: str) -> bool:
    """Tell whether the text has the form of a URI with a scheme."""
    return _URI.fullmatch(text) is not None


def _moment(text: str, where: str) -> datetime:
    match = _MOMENT.fullmatch(text)
    if match is None or match[3] is None:
        raise Malformed("header.timestamp", "not a date and time with a zone", where=where)
    fraction = (match[2] or "").ljust(6, "0")[:6]
    try:
        return datetime.fromisoformat(f"{match[1]}.{fraction}{match[3]}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed("header.timestamp", "not a moment of the calendar", where=where) from None


def party(side: Fields) -> PartyRef:
    """Return the only PartyId of a From or To; raise Malformed `header.party`.

    It has a type, or is a URI (ebMS 2.0, 3.1.1.1).
    """
    ids = side.every("PartyId")
    place = f"{side.where}/PartyId"
    if len(ids) != 1:
        raise Malformed("header.party", "exactly one PartyId is expected", where=place)
    identity = value(ids[0], place)
    kind = maybe_attribute(ids[0], "type", place)
    if kind is None and not is_uri(identity):
        raise Malformed("header.party", "PartyId has no type and is no URI", where=place)
    return PartyRef(identity, kind or "")
