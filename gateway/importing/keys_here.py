"""The private key of a certificate, where this machine has it: it then goes through no browser."""

import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from gateway.installation import Installation
from gateway.keys.offered import private_part

_SPKI = Encoding.DER, PublicFormat.SubjectPublicKeyInfo


def key_of(installation: Installation, leaf: x509.Certificate) -> bytes | None:
    """Return the key in PEM; None where it is not here, or others can read it."""
    wanted = leaf.public_key().public_bytes(*_SPKI)
    for path in _files(installation):
        with suppress(OSError, ValueError, TypeError, UnsupportedAlgorithm):
            key = private_part(path.read_bytes())
            ours = not stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
            if key and ours and _public(key) == wanted:
                return key
    return None


def _public(key: bytes) -> bytes:
    return load_pem_private_key(key, password=None).public_key().public_bytes(*_SPKI)


def _files(installation: Installation) -> Iterator[Path]:
    """Yield where keys stand: of the listeners, and in the folder of keys."""
    listen = installation.settings.listen
    for listener in (listen.ebms, listen.api, listen.console, listen.portal):
        if listener is not None:
            yield installation.path(listener.key)
    folder = installation.path(installation.settings.paths.keys)
    if folder.is_dir():
        yield from sorted(p for p in folder.iterdir() if p.suffix in {".key", ".pem"})
