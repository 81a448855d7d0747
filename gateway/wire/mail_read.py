"""Mail (RFC 5322, MIME) as it is taken apart: strictly, and within bounds of every kind.

Nothing is unpacked but the transfer encodings, which make nothing larger: what is zipped stays so.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.errors import Malformed, TooLarge
from gateway.wire.mime import MediaType, boundary_of, media_type, spans, unbase64

_BLANK = b"\r\n\r\n"
_FOLD = re.compile(r"\r\n(?=[ \t])")
_NAME = re.compile(r"[!-9;-~]{1,100}")
_PLAIN = frozenset({"", "7bit", "8bit", "binary"})
_ONE_ADDRESS = re.compile(r"(?:[^<>]*<([^<>\s]+)>|([^<>\s,;]+))")
_ADDRESS = re.compile(r"[^<>\s,;:\"()@]{1,64}@[^<>\s,;:\"()@]{1,255}")
_ONE_ID = re.compile(r"<([!-;=?-~]{1,250})>")
_DEFAULT_TYPE = "text/plain; charset=us-ascii"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLimits:
    """Bounds on one mail."""

    octets: int = 50_000_000
    """Of the whole of it, and of all that is in it after decoding."""
    head_octets: int = 65_536
    """Of the fields of one entity."""
    fields: int = 500
    """Of one entity."""
    parts: int = 100
    """In all, those that hold others included."""
    depth: int = 8


@dataclass(frozen=True, slots=True)
class Head:
    """The fields of an entity, in order, names in lower case."""

    fields: tuple[tuple[str, str], ...]

    def one(self, name: str) -> str:
        """Return the value of a field, empty without; raise Malformed `smime.field` for two."""
        found = [value for known, value in self.fields if known == name]
        if len(found) > 1:
            raise Malformed("smime.field", "a field stands there twice", where=name)
        return found[0] if found else ""

    @property
    def kind(self) -> MediaType:
        """Return the Content-Type; raise Malformed `mime.content_type`, `smime.field`."""
        return media_type(self.one("content-type") or _DEFAULT_TYPE)

    @property
    def is_attached(self) -> bool:
        return self.one("content-disposition").lower().startswith("attachment")

    @property
    def filename(self) -> str:
        """Return what the sender calls it, unchecked; empty when that can not be read."""
        # The parameters of a disposition are written as those of a type are.
        try:
            given = media_type(f"x/{self.one('content-disposition')}").parameters
        except Malformed:
            given = {}
        return given.get("filename") or self.kind.parameters.get("name", "")

    def address(self, name: str) -> str:
        """Return the one address in a field; empty without, or when there is not exactly one."""
        found = _ONE_ADDRESS.fullmatch(self.one(name))
        return (found[1] or found[2]) if found else ""

    def addresses(self, name: str) -> list[str]:
        """Return all that looks like an address in a field."""
        return _ADDRESS.findall(self.one(name))

    def id(self, name: str) -> str:
        """Return the one id in a field, without `<>`; empty when there is not exactly one."""
        found = _ONE_ID.fullmatch(self.one(name))
        return found[1] if found else ""

    def last_id(self, name: str) -> str:
        """Return the last of the ids in a field, without `<>`; empty when there is none."""
        found = _ONE_ID.fullmatch(self.one(name).rpartition(" ")[2].strip())
        return found[1] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A head with what is below it, not decoded."""

    head: Head
    body: bytes

    def decoded(self) -> bytes:
        """Return the octets of a single entity; raise Malformed `mime.transfer_encoding`."""
        match self.head.one("content-transfer-encoding").lower():
            case "base64":
                return unbase64(self.body)
            case "quoted-printable":
                return binascii.a2b_qp(self.body)
            case encoding if encoding in _PLAIN:
                return self.body
        raise Malformed("mime.transfer_encoding", "Content-Transfer-Encoding is not supported")


def read_entity(octets: bytes, *, limits: MailLimits) -> Entity:
    """Return head and body, neither taken apart any further.

    Raises TooLarge `smime.too_large`, Malformed `smime.head` for fields that are not readable, too
    many or too long, or that do not end in CRLF.
    """
    if len(octets) > limits.octets:
        raise TooLarge("smime.too_large", "mail is larger than may come in")
    if octets.startswith(b"\r\n"):
        return Entity(head=Head(()), body=octets[2:])
    end = octets.find(_BLANK, 0, limits.head_octets)
    if end < 0:
        raise _bad_head()
    return Entity(head=_head(octets[:end], limits), body=octets[end + len(_BLANK) :])


def _head(octets: bytes, limits: MailLimits) -> Head:
    text = _FOLD.sub("", octets.decode("utf-8", "replace"))
    lines = text.split("\r\n", limits.fields)
    if len(lines) > limits.fields or re.search(r"[\r\n\0]", "".join(lines)):
        raise _bad_head()
    return Head(tuple(map(_field, lines)))


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name = name.rstrip(" \t")
    if not colon or not _NAME.fullmatch(name):
        raise _bad_head()
    return name.lower(), value.strip(" \t")


def _bad_head() -> Malformed:
    return Malformed("smime.head", "fields of the mail are not readable, too many or too long")


def raw_parts(entity: Entity, *, limits: MailLimits) -> Iterator[bytes]:
    """Yield the octets of the parts of a multipart, heads included."""
    encoding = entity.head.one("content-transfer-encoding").lower()
    if encoding not in _PLAIN:
        raise Malformed("mime.transfer_encoding", "a multipart is encoded")
    for number, (begin, end) in enumerate(spans(entity.body, boundary_of(entity.head.kind))):
        if number >= limits.parts:
            raise _too_many()
        yield entity.body[begin:end]


def is_automatic(head: Head) -> bool:
    """Tell whether it says that a program wrote it by itself (RFC 3834, 5)."""
    return head.one("auto-submitted").partition(";")[0].strip().lower() not in {"", "no"}


def is_multipart(kind: MediaType) -> bool:
    """Tell whether it holds parts."""
    return kind.name.startswith("multipart/")


def entities(entity: Entity, *, limits: MailLimits) -> Iterator[Entity]:
    """Yield the entity and all that are in it, in order, those that hold parts before them.

    Raises as `read_entity` and `raw_parts`; Malformed `smime.parts` for too many or too deep.
    """
    waiting, left = [(entity, limits.depth)], limits.parts
    while waiting:
        one, depth = waiting.pop()
        left -= 1
        if left < 0 or depth == 0:
            raise _too_many()
        yield one
        if is_multipart(one.head.kind):
            inside = (read_entity(raw, limits=limits) for raw in raw_parts(one, limits=limits))
            waiting += reversed([(part, depth - 1) for part in inside])


def _too_many() -> Malformed:
    return Malformed("smime.parts", "mail has too many parts, or they are too deep")
