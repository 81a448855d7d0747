"""Keys by which our mail domain signs what leaves (DKIM)."""

from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.config_mail import EmailSettings
from gateway.errors import Misconfigured
from gateway.private_file import read_private
from gateway.security.dkim import DkimKey

_MOST = 16_384
_LEAST_BITS = 2048


def dkim_keys(settings: EmailSettings, path: Callable[[Path], Path]) -> tuple[DkimKey, ...]:
    """Return them as [[email.dkim]] names them; `path` makes a path of the settings absolute.

    Raises Misconfigured `keys.missing`, `keys.permissions`, `email.dkim_key`.
    """
    return tuple(
        DkimKey(
            domain=settings.domein,
            selector=one.selector,
            private=_read(path(one.sleutel)),
        )
        for one in settings.dkim
    )


def _read(path: Path) -> RSAPrivateKey | Ed25519PrivateKey:
    octets = read_private(path, what="De DKIM-sleutel", most=_MOST)
    try:
        key = load_pem_private_key(octets, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if isinstance(key, RSAPrivateKey) and key.key_size >= _LEAST_BITS:
        return key
    raise Misconfigured(
        "email.dkim_key",
        "De DKIM-sleutel is geen RSA van 2048 bits of meer en geen Ed25519, PEM zonder wachtwoord.",
        where=str(path),
    )
