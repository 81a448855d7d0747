"""Mail (RFC 5322, MIME) as it is put together: fields that are what they should be, and parts.

Every part is base64, so that no octet of it can pass for a boundary, a field or the end.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256

from gateway.errors import PolicyViolation
from gateway.wire.mail_body import Body

CRLF = "\r\n"
OF_AN_ENTITY = ("Content-Type", "Content-Transfer-Encoding", "Content-Disposition")

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_ADDRESS = re.compile(rf"(?=.{{1,254}}\Z)(?=[^@]{{1,64}}@){_LOCAL}@{_DOMAIN}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_VALUE = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")
_MIXED, _ALTERNATIVE, _REPORT = "=_bericht", "=_lezen", "=_melding"
"""They can not occur in base64, nor at the begin of a field."""
_DIGITS = 32
_LINE = 76
"""RFC 2045, 6.8."""


def is_address(text: str) -> bool:
    """Tell whether it is an address without a name, in ASCII (RFC 5321, 4.1.2, unquoted)."""
    return _ADDRESS.fullmatch(text) is not None


def message_id_of(ebms_message_id: str, *, recipient: str, domain: str) -> str:
    """Return the Message-ID (without `<>`) of the mail that carries an ebMS message.

    The same for every attempt; nothing of the message or of the recipient can be read from it.
    """
    told = f"{ebms_message_id}\n{recipient.casefold()}".encode(errors="surrogatepass")
    return f"{sha256(told).hexdigest()[:_DIGITS]}@{domain}"


def fields(given: Mapping[str, str]) -> str:
    """Return a head; those without a value are left out.

    Raises PolicyViolation `smime.header` for what would begin a line, or is no field at all.
    """
    return "".join(
        f"{name}: {_checked(name, value)}{CRLF}" for name, value in given.items() if value
    )


def _checked(name: str, value: str) -> str:
    if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
        raise PolicyViolation(
            "smime.header", "a field of the mail can not have this value", where=name
        )
    return value


def date(at: datetime) -> str:
    """Return a moment (aware) as mail writes it."""
    return format_datetime(at.astimezone(UTC))


def entity(head: Mapping[str, str], octets: bytes, *, kind: str, name: str = "") -> bytes:
    """Return one entity in base64, an attachment when it has a name; raises as `fields`."""
    disposition = f'attachment; filename="{name}"' if name else ""
    own = dict(zip(OF_AN_ENTITY, (kind, "base64", disposition), strict=True))
    text = fields({**head, **own})
    return (text + CRLF).encode("ascii") + _base64(octets)


def _base64(octets: bytes) -> bytes:
    text = b64encode(octets)
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)] or [b""]
    return b"\r\n".join((*lines, b""))


def letter(head: Mapping[str, str], body: Body, payload: bytes, *, name: str) -> bytes:
    """Return an entity with a body for a person and the payload (XML) attached; raises `fields`."""
    reading = _multipart(
        {},
        "alternative",
        _ALTERNATIVE,
        entity({}, body.text.encode(), kind="text/plain; charset=utf-8"),
        entity({}, body.html.encode(), kind="text/html; charset=utf-8"),
    )
    attached = entity({}, payload, kind=f'application/xml; name="{name}"', name=name)
    return _multipart(head, "mixed", _MIXED, reading, attached)


def report(text: str, told: Mapping[str, str], *, kind: str) -> bytes:
    """Return a `multipart/report` (RFC 6522): text for a person, fields for a program.

    `kind` is that of the report: `disposition-notification`. Raises as `fields`.
    """
    reading = entity({}, text.encode(), kind="text/plain; charset=utf-8")
    # Not in base64: RFC 8098, 3.1 forbids it, and fields can hold no boundary.
    own = f"Content-Type: message/{kind}{CRLF}{CRLF}{fields(told)}"
    named = f"report; report-type={kind}"
    return _multipart({}, named, _REPORT, reading, own.encode("ascii"))


def _multipart(head: Mapping[str, str], kind: str, boundary: str, *parts: bytes) -> bytes:
    text = fields({**head, "Content-Type": f'multipart/{kind}; boundary="{boundary}"'}) + CRLF
    delimiter = f"--{boundary}"
    lines = b"".join((delimiter + CRLF).encode() + part for part in parts)
    return text.encode("ascii") + lines + f"{delimiter}--{CRLF}".encode()
