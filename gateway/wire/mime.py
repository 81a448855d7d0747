"""MIME multipart/related, as far as ebMS 2.0 uses it, strictly and within bounds."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.directory import Limits
from gateway.errors import Malformed
from gateway.message import Part, WireMessage

XML = "text/xml; charset=UTF-8"

_HEADER_OCTETS = 8_192
_CRLF = b"\r\n"
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TYPE = re.compile(r"[a-z0-9.+\-]+/[a-z0-9.+\-]+")
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_PARAMETER = re.compile(
    r';[ \t]*([!#$%&\'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;\s"]+)[ \t]*'
)
_QUOTED_PAIR = re.compile(r"\\(.)")
_CONTENT_ID = re.compile(r"<([!-;=?-~]{1,512})>|([!-;=?-~]{1,512})")
_USUAL_HEAD = re.compile(
    rb"Content-Type: ([!-~][ -~]{0,999}+)(?<! )\r\nContent-ID: <([!-;=?-~]{1,512})>"
)
"""The head of a part as `join` writes it."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FOLD = re.compile(r"\r\n[ \t]+")
_QUOTED_PRINTABLE = re.compile(rb"(?:[!-<>-~]|[ \t]++(?!\r\n|\Z)|=[0-9A-Fa-f]{2}|=?\r\n)*+")
_PLAIN = frozenset({"", "7bit", "8bit", "binary"})
_CHARSETS = frozenset({"utf-8", "us-ascii"})


@dataclass(frozen=True, slots=True)
class MediaType:
    """A parsed Content-Type: the name and the keys of the parameters in lower case."""

    name: str
    parameters: dict[str, str]


def media_type(text: str) -> MediaType:
    """Parse a Content-Type (RFC 2045, 5.1); raise Malformed `mime.content_type`."""
    name, semicolon, rest = text.partition(";")
    name = name.strip().lower()
    if not _TYPE.fullmatch(name):
        raise Malformed("mime.content_type", "Content-Type is not readable")
    return MediaType(name, _parameters((semicolon + rest).rstrip("; \t")))


def _parameters(tail: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    end = 0
    while end < len(tail):
        match = _PARAMETER.match(tail, end)
        if match is None or match[1].lower() in parameters:
            raise Malformed("mime.content_type", "Content-Type has unreadable parameters")
        raw = match[2]
        quoted = raw.startswith('"')
        parameters[match[1].lower()] = _QUOTED_PAIR.sub(r"\1", raw[1:-1]) if quoted else raw
        end = match.end()
    return parameters


# --- taking apart ---------------------------------------------------------------------


def split(body: bytes, content_type: str, *, limits: Limits) -> tuple[Part, tuple[Part, ...]]:
    """Return the root part (the SOAP envelope) and the other parts, in order.

    A plain `text/xml` body is a root part without others. Octets are exact; base64 and
    quoted-printable are decoded. At most `limits.parts` parts beside the root. Raises Malformed:
    `mime.content_type`, `mime.boundary`, `mime.start`, `mime.part`, `mime.parts`,
    `mime.charset`, `mime.content_id`, `mime.duplicate_cid`, `mime.transfer_encoding`
    (RFC 2046, 5.1; RFC 2387).
    """
    outer = media_type(content_type)
    if outer.name == "text/xml":
        _check_root(outer)
        return Part("", content_type, body), ()
    if outer.name != "multipart/related":
        raise Malformed("mime.content_type", "Content-Type is not multipart/related or text/xml")
    if outer.parameters.get("type", "text/xml").lower() != "text/xml":
        raise Malformed("mime.content_type", "type of the root part is not text/xml")
    parts: list[Part] = []
    for begin, end in spans(body, boundary_of(outer)):
        if len(parts) > limits.parts:
            raise Malformed("mime.parts", "message has too many parts")
        parts.append(_part(body, begin, end))
    return _root_first(parts, outer.parameters.get("start", ""))


def boundary_of(kind: MediaType) -> bytes:
    """Return the boundary of a multipart; raise Malformed `mime.boundary`."""
    boundary = kind.parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise Malformed("mime.boundary", "boundary is missing or not valid")
    return boundary.encode("ascii")


def spans(body: bytes, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the parts begin and end. The CRLF before a delimiter belongs to it.

    The delimiter must not occur inside a part: where it stands, its line must be complete.
    Raises Malformed `mime.boundary`, `mime.part`.
    """
    delimiter = _CRLF + b"--" + boundary
    first = 0 if body.startswith(delimiter[2:]) else body.find(delimiter) + 2
    if first == 1:
        raise Malformed("mime.boundary", "boundary does not occur")
    begin = _behind(body, first + len(delimiter) - 2)
    while begin:
        # From the CRLF of the delimiter line: the next delimiter may use the same one.
        end = body.find(delimiter, begin - 2)
        if end < begin:
            code = "mime.boundary" if end < 0 else "mime.part"
            raise Malformed(code, "a part has no end" if end < 0 else "a part is empty")
        yield begin, end
        begin = _behind(body, end + len(delimiter))


def _behind(body: bytes, at: int) -> int:
    """Return where the delimiter line ends and a part begins; 0 behind the last delimiter."""
    closing = body.startswith(b"--", at)
    start = at + 2 if closing else at
    end = body.find(_CRLF, start, start + 256)
    line = body[start : end if end >= 0 else start + 256]
    if line.strip(b" \t") or (end < 0 and not closing):
        raise Malformed("mime.boundary", "a delimiter line is not complete")
    return 0 if closing else end + 2


def _part(body: bytes, begin: int, end: int) -> Part:
    blank = body.find(_CRLF + _CRLF, begin, min(end, begin + _HEADER_OCTETS))
    if blank < 0:
        raise Malformed("mime.part", "a part has no headers, or no end of them")
    octets = body[blank + 4 : end]
    usual = _USUAL_HEAD.fullmatch(body, begin, blank)
    if usual is not None:
        return Part(usual[2].decode("ascii"), usual[1].decode("ascii"), octets)
    headers = _headers(body[begin:blank])
    encoding = headers.get("content-transfer-encoding", "").lower()
    if encoding == "base64":
        octets = unbase64(octets)
    elif encoding == "quoted-printable":
        octets = _unquoted(octets)
    elif encoding not in _PLAIN:
        raise Malformed("mime.transfer_encoding", "Content-Transfer-Encoding is not supported")
    kind = headers.get("content-type", "application/octet-stream")
    return Part(_content_id(headers.get("content-id", "")), kind, octets)


def _headers(head: bytes) -> dict[str, str]:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("mime.part", "part headers are not readable") from None
    headers: dict[str, str] = {}
    for line in _FOLD.sub(" ", text).split("\r\n"):
        name, colon, text = line.partition(":")
        key = name.lower()
        if not colon or not _NAME.fullmatch(name) or key in headers or _CONTROL.search(text):
            raise Malformed("mime.part", "part headers are not readable")
        headers[key] = text.strip(" \t")
    return headers


def _content_id(text: str) -> str:
    """Return a Content-ID without angle brackets; empty when there is none."""
    if not text:
        return ""
    match = _CONTENT_ID.fullmatch(text)
    if match is None:
        raise Malformed("mime.content_id", "a Content-ID is not readable")
    return match[1] or match[2]


def unbase64(octets: bytes) -> bytes:
    """Decode a base64 body; raise Malformed `mime.transfer_encoding`."""
    try:
        return base64.b64decode(octets.translate(None, b"\r\n \t"), validate=True)
    except binascii.Error:
        raise Malformed("mime.transfer_encoding", "base64 is not valid") from None


def _unquoted(octets: bytes) -> bytes:
    """Decode quoted-printable (RFC 2045, 6.7).

    What readers mend in different ways is refused: white space at the end of a line, a lone
    CR or LF, an octet that should have been quoted.
    """
    if _QUOTED_PRINTABLE.fullmatch(octets) is None:
        raise Malformed("mime.transfer_encoding", "quoted-printable is not valid")
    return binascii.a2b_qp(octets)


def _root_first(parts: list[Part], start: str) -> tuple[Part, tuple[Part, ...]]:
    wanted = start.strip().removeprefix("<").removesuffix(">")
    root = next((part for part in parts if wanted in {"", part.content_id}), None)
    if root is None:
        raise Malformed("mime.start", "start names a part that is not there")
    others = tuple(part for part in parts if part is not root)
    if not all(part.content_id for part in others):
        raise Malformed("mime.content_id", "a part has no Content-ID")
    if len({part.content_id for part in parts}) != len(parts):
        raise Malformed("mime.duplicate_cid", "two parts have the same Content-ID")
    if root.content_type != XML:
        _check_root(media_type(root.content_type))
    return root, others


def _check_root(kind: MediaType) -> None:
    if kind.name != "text/xml":
        raise Malformed("mime.content_type", "root part is not text/xml")
    if kind.parameters.get("charset", "utf-8").lower() not in _CHARSETS:
        raise Malformed("mime.charset", "charset is not UTF-8")


# --- putting together -----------------------------------------------------------------


def join(root: bytes, root_cid: str, parts: tuple[Part, ...], *, boundary: str) -> WireMessage:
    """Return the HTTP body: multipart/related, or plain text/xml when there are no parts.

    Content-IDs come without angle brackets. `boundary` is the caller's chance: it must not
    occur in any part. No Content-Transfer-Encoding is used (Digikoppeling, MIME).
    """
    if not parts:
        return WireMessage(body=root, content_type=XML)
    delimiter = b"--" + boundary.encode("ascii")
    chunks: list[bytes] = []
    for part in (Part(root_cid, XML, root), *parts):
        head = f"Content-Type: {part.content_type}\r\nContent-ID: <{part.content_id}>\r\n\r\n"
        chunks += [delimiter, _CRLF, head.encode("utf-8"), part.octets, _CRLF]
    chunks += [delimiter, b"--", _CRLF]
    kind = (
        f'multipart/related; boundary="{boundary}"; type="text/xml"; '
        f'start="<{root_cid}>"; start-info="text/xml"'
    )
    return WireMessage(body=b"".join(chunks), content_type=kind)
