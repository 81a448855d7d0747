"""The key of the console: marks on forms and cursors, and seals on what must not be readable."""

import base64
import contextlib
import os
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import Misconfigured
from gateway.private_file import read_private

OCTETS = 32
_NONCE = 12


class ConsoleKey:
    """32 octets in a file of its own; every use has a key that is derived from them."""

    def __init__(self, octets: bytes) -> None:
        """Take the octets of the file."""
        self._octets = octets

    def mark(self, purpose: str, text: str) -> str:
        """Return HMAC-SHA256 of the text under the key of this purpose, URL-safe."""
        made = hmac.HMAC(self._derived(f"mark {purpose}"), hashes.SHA256())
        made.update(text.encode())
        return base64.urlsafe_b64encode(made.finalize()).rstrip(b"=").decode()

    def seal(self, what: str, octets: bytes) -> bytes:
        """Encrypt with AES-256-GCM; it opens only as the same `what`."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, octets, what.encode())

    def open(self, what: str, sealed: bytes) -> bytes:
        """Return what was sealed; raises Misconfigured `console.key` under another key."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], what.encode())
        except (InvalidTag, ValueError) as error:
            raise Misconfigured(
                "console.key", "Dit is niet met deze sleutel van de console verzegeld."
            ) from error

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(self._derived("seal"))

    def _derived(self, use: str) -> bytes:
        info = f"berichtengateway console {use}".encode()
        return HKDF(algorithm=hashes.SHA256(), length=OCTETS, salt=None, info=info).derive(
            self._octets
        )

    def __repr__(self) -> str:
        """Show nothing of it but a thumbprint."""
        return f"ConsoleKey({sha256(self._octets).hexdigest()[:8]})"


def load_console_key(path: Path, *, make: bool) -> ConsoleKey:
    """Read the key; with `make` one that is missing is made, mode 0600.

    Raises Misconfigured `keys.missing`, `keys.permissions`, `console.key`.
    """
    if make and not path.exists():
        _make(path)
    text = read_private(path, what="De sleutel van de console", most=4 * OCTETS)
    try:
        octets = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        octets = b""
    if len(octets) != OCTETS:
        raise Misconfigured(
            "console.key", "De sleutel van de console is geen 32 octetten.", where=str(path)
        )
    return ConsoleKey(octets)


def _make(path: Path) -> None:
    """Make it exclusively: of two processes one makes it, and both read that one."""
    text = base64.b64encode(os.urandom(OCTETS)) + b"\n"
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - the descriptor has its mode already
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)  # all of it, or nothing
        fresh.unlink(missing_ok=True)
    except OSError as error:
        raise Misconfigured(
            "keys.missing", "De sleutel van de console is niet te maken.", where=str(path)
        ) from error
