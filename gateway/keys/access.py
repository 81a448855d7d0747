"""The files behind OAuth: our own signing keys, and which JWTs were used already.

Both are shared by every process of an installation. A used JWT is an empty file, named by a
digest and made exclusively: whoever makes it first was first, on one machine or several.
"""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.errors import Misconfigured, Unavailable, Untrusted
from gateway.private_file import read_private
from gateway.security.jwt import LONGEST_LIFE, Assertion, TokenKey

MOST_USED = 100_000
"""Files at once; a client that passes this is not taking its tokens as it should."""
KEPT = LONGEST_LIFE + timedelta(hours=1)
"""By the time of the file; longer than need be, because clocks of machines differ."""


def load_token_keys(paths: Iterable[Path]) -> tuple[TokenKey, ...]:
    """Read our keys; raise Misconfigured `keys.missing`, `.permissions`, `oauth.key`."""
    return tuple(TokenKey(_load(path)) for path in paths)


def _load(path: Path) -> ec.EllipticCurvePrivateKey:
    octets = read_private(path)
    try:
        key = load_pem_private_key(octets, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Misconfigured(
            "oauth.key", "Geen privésleutel op P-256, als PEM zonder wachtwoord.", where=str(path)
        )
    return key


@dataclass(slots=True)
class UsedAssertions:
    """Remembers each JWT until it has expired; blocking, so call it on a thread."""

    folder: Path
    most: int = MOST_USED
    _swept: datetime | None = field(default=None, init=False)

    def use(self, assertion: Assertion, at: datetime) -> None:
        """Return the first time only.

        Raises Untrusted `oauth.replay`; Unavailable `oauth.used` when it can not be remembered.
        """
        told = f"{assertion.client}\n{assertion.jti}".encode(errors="surrogatepass")
        name = sha256(told).hexdigest()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep(at)
            first = _make(self.folder / name)
        except OSError as exc:
            raise Unavailable("oauth.used", "used assertions can not be remembered") from exc
        if not first:
            raise Untrusted("oauth.replay", "Deze JWT (jti) is al eens gebruikt.")

    def _sweep(self, at: datetime) -> None:
        """Remove what has expired, now and then; raise Unavailable when it is full."""
        if self._swept is not None and at - self._swept < KEPT:
            return
        before = (at - KEPT).timestamp()
        left = 0
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process was first
                if path.stat().st_mtime < before:
                    path.unlink()
                else:
                    left += 1
        if left >= self.most:
            raise Unavailable("oauth.used", "too many assertions are remembered")
        self._swept = at


def _make(path: Path) -> bool:
    """Make an empty file; False when it was there."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True
