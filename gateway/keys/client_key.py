"""What the console proves with that it is itself, to an OpenID provider: a key or a secret."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.errors import Misconfigured
from gateway.private_file import read_private
from gateway.security.jwt import algorithm

MOST = 16_384
"""Octets of either file."""


def read_client_key(path: Path) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    """Return the key; raises Misconfigured `keys.*`, `console.oidc`."""
    octets = _read(path)
    try:
        key = load_pem_private_key(octets, password=None)
        algorithm(key.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm, Misconfigured) as error:
        raise _unfit("De sleutel is geen P-256 of RSA van 2048 bits, PEM.", path) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise _unfit("De sleutel is geen P-256 of RSA van 2048 bits, PEM.", path)
    return key


def read_client_secret(path: Path) -> str:
    """Return the secret, without the end of its line; raises Misconfigured as above."""
    try:
        text = _read(path).decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise _unfit("Het geheim is geen gewone tekst.", path) from error
    if not text or not text.isprintable():
        raise _unfit("Het geheim is leeg of meer dan één regel.", path)
    return text


def _read(path: Path) -> bytes:
    return read_private(path, what="De sleutel of het geheim", most=MOST)


def _unfit(text: str, path: Path) -> Misconfigured:
    return Misconfigured("console.oidc", text, where=str(path))
