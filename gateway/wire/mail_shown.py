"""A mail that nobody proved anything of, as a person may look at it: text, and a list of files.

Nothing is interpreted: HTML stays a file, links are text, and what can not be seen (control
characters, marks that turn the direction of writing) is shown as a sign of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header

from gateway.errors import Malformed, Refused
from gateway.wire.mail_read import Entity, Head, MailLimits, entities, is_multipart, read_entity

LONGEST_FIELD = 300
"""Characters of a field."""
LONGEST_TEXT = 50_000
"""Characters of text on a page; all of it is in the file."""
_CHARSETS = frozenset({"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})
_HIDDEN = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPart:
    """A part that is no text, or not the first."""

    n: int
    """Its place, from 1."""
    name: str
    """As the sender called it; empty = he did not."""
    kind: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMail:
    """What can be seen of it. All of it is only what somebody wrote."""

    sender: str
    subject: str
    date: str
    text: str
    whole: bool
    """False: the text is longer than what is shown."""
    parts: tuple[ShownPart, ...]
    readable: bool = True
    """False: it can not be taken apart; only the file is there."""


def show_mail(octets: bytes, limits: MailLimits) -> ShownMail:
    """Return what a person may see of a mail; never raises."""
    try:
        head = read_entity(octets, limits=limits).head
        singles = list(_singles(octets, limits))
    except Refused:
        return ShownMail(
            sender="", subject="", date="", text="", whole=False, parts=(), readable=False
        )
    first = next((one for one in singles if _is_text(one)), None)
    text = "" if first is None else _text(first)
    return ShownMail(
        sender=_field(head, "from"),
        subject=_field(head, "subject"),
        date=_field(head, "date"),
        text=seen(text[:LONGEST_TEXT]),
        whole=len(text) <= LONGEST_TEXT,
        parts=tuple(_part(n, one) for n, one in enumerate(singles, 1) if one is not first),
    )


def part_of(octets: bytes, n: int, limits: MailLimits) -> tuple[str, bytes]:
    """Return media type and octets of the part with this number.

    Raises Malformed `smime.parts` when there is none, and what reading a mail raises.
    """
    for place, one in enumerate(_singles(octets, limits), 1):
        if place == n:
            return one.head.kind.name, one.decoded()
    raise Malformed("smime.parts", "the mail has no such part")


def seen(text: str) -> str:
    """Return text without what can not be seen; a line may end."""
    plain = text.replace("\r\n", "\n").replace("\t", " ")
    return "".join(c if c.isprintable() or c == "\n" else _HIDDEN for c in plain)


def _singles(octets: bytes, limits: MailLimits) -> Iterator[Entity]:
    for one in entities(read_entity(octets, limits=limits), limits=limits):
        if not is_multipart(one.head.kind):
            yield one


def _is_text(one: Entity) -> bool:
    try:
        return one.head.kind.name == "text/plain" and not one.head.is_attached
    except Malformed:  # it says more than once how it is meant
        return False


def _text(one: Entity) -> str:
    charset = one.head.kind.parameters.get("charset", "us-ascii").lower()
    try:
        return one.decoded().decode(charset if charset in _CHARSETS else "us-ascii", "replace")
    except Malformed:
        return ""


def _part(n: int, one: Entity) -> ShownPart:
    try:
        size = len(one.decoded())
    except Malformed:
        size = len(one.body)
    name = seen(_decoded(one.head.filename[:LONGEST_FIELD]))
    return ShownPart(n=n, name=name.replace("\n", " "), kind=one.head.kind.name, size=size)


def _field(head: Head, name: str) -> str:
    found = " | ".join(value for known, value in head.fields if known == name)
    return seen(_decoded(found[:LONGEST_FIELD])).replace("\n", " ")


def _decoded(text: str) -> str:
    """Return what an encoded word says (RFC 2047); the text itself where it is none."""
    try:
        return str(make_header(decode_header(text)))[:LONGEST_FIELD]
    except (MessageError, LookupError, ValueError):
        return text
