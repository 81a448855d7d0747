"""What the console proves with that it is itself, to an OpenID provider: a key or a secret."""

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.errors import Misconfigured
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
    try:
        with path.open("rb") as file:
            octets = file.read(MOST)
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except OSError as error:
        raise Misconfigured(
            "keys.missing", "De sleutel of het geheim is niet te lezen.", where=str(path)
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Misconfigured(
            "keys.permissions",
            "Sleutelbestand is leesbaar voor anderen; zet de rechten op 0600.",
            where=str(path),
        )
    return octets


def _unfit(text: str, path: Path) -> Misconfigured:
    return Misconfigured("console.oidc", text, where=str(path))
