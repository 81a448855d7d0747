"""One-time codes by time (RFC 6238): six digits of SHA-1 over steps of 30 seconds."""

import hmac
import struct
from base64 import b32encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha1
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
SECRET_OCTETS = 20
"""RFC 4226 asks for 160 bits."""
DRIFT = 1
"""Steps before and after that count as well."""


def step_of(at: datetime) -> int:
    """Return the number of the step that a moment is in."""
    return int(at.timestamp()) // STEP_SECONDS


def code(secret: bytes, step: int) -> str:
    """Return the six digits of a step."""
    digest = hmac.digest(secret, struct.pack(">Q", step), sha1)
    offset = digest[-1] & 0xF
    number: int = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching(secret: bytes, given: str, at: datetime) -> int | None:
    """Return the step whose code this is, now or one step away; None = none of them.

    Spaces in what was given do not count. All steps are compared, so that time tells nothing.
    """
    digits = "".join(given.split())
    now = step_of(at)
    found = [
        step
        for step in _around(now)
        if hmac.compare_digest(code(secret, step).encode(), digits.encode())
    ]
    return found[-1] if found else None


def _around(step: int) -> Iterable[int]:
    return range(step - DRIFT, step + DRIFT + 1)


def shown(secret: bytes) -> str:
    """Return the secret as apps take it: base32, in groups of four."""
    text = b32encode(secret).decode()
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def uri(secret: bytes, *, login: str, issuer: str) -> str:
    """Return the otpauth address for a QR picture."""
    label = quote(f"{issuer}:{login}", safe="")
    query = urlencode(
        {"secret": b32encode(secret).decode(), "issuer": issuer, "digits": DIGITS}, quote_via=quote
    )
    return f"otpauth://totp/{label}?{query}"
