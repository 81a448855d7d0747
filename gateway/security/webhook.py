"""Signatures of webhooks in the form of Standard Webhooks (v1, HMAC-SHA256)."""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

from gateway.errors import Misconfigured

PREFIX = "whsec_"
LEAST, MOST = 24, 64
"""Octets of a secret."""


def read_secret(text: str, *, where: str) -> bytes:
    """Return the octets of `whsec_…` (base64), 24 to 64; raise Misconfigured `webhook.secret`.

    `where` names the file; of the content nothing is told.
    """
    stripped = text.strip()
    try:
        octets = b64decode(stripped.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if not stripped.startswith(PREFIX) or not LEAST <= len(octets) <= MOST:
        raise Misconfigured(
            "webhook.secret",
            f"Dit is geen geheim: whsec_ met base64 van {LEAST} tot {MOST} octetten.",
            where=where,
        )
    return octets


def write_secret(octets: bytes) -> str:
    """Return the text that `read_secret` reads."""
    return PREFIX + b64encode(octets).decode("ascii")


def sign(secrets: Sequence[bytes], *, id_: str, at: int, body: bytes) -> str:
    """Return the header webhook-signature: one signature per secret, so that both verify.

    `at` is the header webhook-timestamp, in seconds since 1970. Without a secret there is
    nothing to sign with: raises Misconfigured `webhook.secret`.
    """
    if not secrets:
        raise Misconfigured("webhook.secret", "Er is geen geheim om mee te ondertekenen.")
    content = f"{id_}.{at}.".encode("ascii") + body
    return " ".join(
        f"v1,{b64encode(hmac.digest(secret, content, sha256)).decode('ascii')}"
        for secret in secrets
    )
