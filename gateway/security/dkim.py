"""DKIM (RFC 6376; RFC 8463 for Ed25519): our domain answers for each mail that leaves.

A mail that is passed on keeps this proof, where SPF loses its own: without it a DMARC policy of
ours makes the next server refuse what is true.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FIELDS = (
    *("from", "to", "date", "subject", "message-id", "in-reply-to", "mime-version"),
    *("content-type", "content-transfer-encoding", "content-disposition"),
    *("disposition-notification-to", "auto-submitted"),
    *("sender", "reply-to", "cc"),
)
"""What is signed, there or not, beside all else that is there: nobody can add one of these, so
that nobody turns an answer aside. What servers add is theirs."""

_LINE = 72
_EMPTY_END = re.compile(rb"(?:\r\n)*\Z")
_FOLDED = re.compile(r"\r\n(?=[ \t])")
_BLANKS = re.compile(r"[ \t]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimKey:
    """A key of our domain; what verifies it stands in DNS."""

    domain: str
    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def name(self) -> str:
        """Return where it is published."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def published(self) -> str:
        """Return `p=` of its record, in base64."""
        public = self.private.public_key()
        if isinstance(self.private, Ed25519PrivateKey):
            return _text(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
        return _text(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @property
    def kind(self) -> str:
        """Return `k=` of its record."""
        return "ed25519" if isinstance(self.private, Ed25519PrivateKey) else "rsa"

    def sign(self, signed: bytes) -> bytes:
        """Return the signature over what was put together."""
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(sha256(signed).digest())  # RFC 8463, 3
        return self.private.sign(signed, padding.PKCS1v15(), hashes.SHA256())


def signed_by(keys: Iterable[DkimKey], mail: bytes, at: datetime) -> bytes:
    """Return the mail (whole, CRLF) with a signature of each key above it."""
    head, _, body = mail.partition(b"\r\n\r\n")
    named = _relaxed(head.decode("latin-1"))
    digest = sha256(_EMPTY_END.sub(b"\r\n", body, count=1)).digest()
    return b"".join(_signature(key, named, digest, at) for key in keys) + mail


def _signature(key: DkimKey, named: dict[str, list[str]], body: bytes, at: datetime) -> bytes:
    fields = tuple(dict.fromkeys((*FIELDS, *named)))
    tags = {
        "v": "1",
        "a": f"{key.kind}-sha256",
        "c": "relaxed/simple",
        "d": key.domain,
        "s": key.selector,
        "t": str(int(at.timestamp())),
        # Once more than it is there: one that is added would be signed, and is not.
        "h": ":".join(name for name in fields for _ in (*named.get(name, ()), "none")),
        "bh": _text(body),
    }
    text = "; ".join(f"{tag}={value}" for tag, value in tags.items()) + "; b="
    lines = [f"{name}:{value}" for name in fields for value in reversed(named.get(name, []))]
    signed = "\r\n".join((*lines, f"dkim-signature:{text}"))
    return _folded(f"DKIM-Signature: {text}", _text(key.sign(signed.encode("latin-1"))))


def _relaxed(head: str) -> dict[str, list[str]]:
    """Return the fields as RFC 6376, 3.4.2 writes them, by name."""
    found: dict[str, list[str]] = {}
    for line in _FOLDED.sub("", head).split("\r\n"):
        name, _, value = line.partition(":")
        found.setdefault(name.rstrip(" \t").lower(), []).append(_BLANKS.sub(" ", value).strip(" "))
    return found


def _folded(field: str, signature: str) -> bytes:
    """Break the field at its blanks, and the signature anywhere: neither is part of what counts."""
    lines = [""]
    for word in field.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= _LINE:
            lines.append("")
        lines[-1] += word if not lines[-1] else f" {word}"
    signed = [signature[at : at + _LINE] for at in range(0, len(signature), _LINE)]
    return ("\r\n ".join((*lines, *signed)) + "\r\n").encode("ascii")


def _text(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
