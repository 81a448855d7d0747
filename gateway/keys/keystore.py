"""Private keys in PEM files, found by the certificate that they belong to."""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from gateway.errors import DecryptionFailed, Misconfigured
from gateway.security.algorithms import Agreer, Decrypter, Oaep, Signer, UnsafePkcs1
from gateway.security.certificates import load
from gateway.security.primitives import sign_value

_SUFFIXES = frozenset({".pem", ".key"})
_PRIVATE = b"PRIVATE KEY-----"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - inside OAEP only, where collisions do not matter
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, slots=True)
class SoftwareSigner:
    """Signs with a key in memory."""

    certificate: bytes
    _key: PrivateKeyTypes

    def sign(self, data: bytes, *, algorithm: str) -> bytes:
        """Return the signature value; raise Misconfigured `keys.algorithm`."""
        return sign_value(self._key, data, algorithm=algorithm)


@dataclass(frozen=True, slots=True)
class SoftwareDecrypter:
    """Unwraps content keys with a key in memory."""

    certificate: bytes
    _key: rsa.RSAPrivateKey

    def unwrap(self, wrapped: bytes, *, oaep: Oaep | UnsafePkcs1, size: int) -> bytes:
        """Return the content key of `size` octets, random ones where there is none."""
        stand_in = secrets.token_bytes(size)
        try:
            key = self._key.decrypt(wrapped, _padding(oaep))
        except ValueError:
            key = b""
        return key if len(key) == size else stand_in


def _padding(oaep: Oaep | UnsafePkcs1) -> padding.AsymmetricPadding:
    if isinstance(oaep, UnsafePkcs1):
        return padding.PKCS1v15()
    return padding.OAEP(padding.MGF1(_HASHES[oaep.mgf]), _HASHES[oaep.digest], None)


@dataclass(frozen=True, slots=True)
class SoftwareAgreer:
    """Agrees on secrets with a key in memory."""

    certificate: bytes
    _key: ec.EllipticCurvePrivateKey

    def agree(self, point: bytes) -> bytes:
        """Return the shared secret; raise DecryptionFailed `decryption.failed`."""
        try:
            public = ec.EllipticCurvePublicKey.from_encoded_point(self._key.curve, point)
            return self._key.exchange(ec.ECDH(), public)
        except ValueError as exc:
            raise DecryptionFailed("decryption.failed", "part can not be decrypted") from exc


class FileKeyring:
    """All `*.pem` and `*.key` files of a folder that hold a private key (PKCS#8, PKCS#1, SEC 1).

    A file with a private key must be readable by its owner alone. Keys with a passphrase
    are refused: there is nobody to type it when the service starts.
    """

    def __init__(self, folder: Path) -> None:
        """Read the keys; raise Misconfigured `keys.folder`, `.permissions`, `.unreadable`."""
        if not folder.is_dir():
            raise Misconfigured(
                "keys.folder", "folder of private keys is missing", where=str(folder)
            )
        self._keys: dict[bytes, PrivateKeyTypes] = {}
        self._found: dict[bytes, PrivateKeyTypes] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix in _SUFFIXES and path.is_file():
                self._add(path)

    def signer(self, certificate: bytes) -> Signer:
        """Return the key of the certificate; raise Misconfigured `keys.missing`."""
        return SoftwareSigner(certificate, self._find(certificate))

    def decrypter(self, certificate: bytes) -> Decrypter:
        """Return the key of the certificate; raise Misconfigured `keys.missing`, `.algorithm`."""
        key = self._find(certificate)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise Misconfigured("keys.algorithm", "decryption needs an RSA key")
        return SoftwareDecrypter(certificate, key)

    def agreer(self, certificate: bytes) -> Agreer:
        """Return the key of the certificate; raise Misconfigured `keys.missing`, `.algorithm`."""
        key = self._find(certificate)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Misconfigured("keys.algorithm", "agreement on a key needs one on a curve")
        return SoftwareAgreer(certificate, key)

    def holds(self, certificate: bytes) -> bool:
        """Tell whether the key of the certificate is here."""
        return _public(load(certificate).public_key()) in self._keys

    def _find(self, certificate: bytes) -> PrivateKeyTypes:
        """Look up by the certificate (of an agreement, so there are few), else by its key."""
        found = self._found.get(certificate)
        if found is not None:
            return found
        public = _public(load(certificate).public_key())
        try:
            key = self._found[certificate] = self._keys[public]
        except KeyError:
            raise Misconfigured("keys.missing", "no private key for this certificate") from None
        return key

    def _add(self, path: Path) -> None:
        octets = _read(path)
        if octets is None:
            return
        try:
            key = serialization.load_pem_private_key(octets, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise Misconfigured(
                "keys.unreadable", "not an unencrypted PEM private key", where=str(path)
            ) from exc
        self._keys[_public(key.public_key())] = key


class ReloadableKeyring:
    """The keyring of a process that outlives its keys: what is swapped in last counts."""

    def __init__(self, current: FileKeyring) -> None:
        """Start with `current`."""
        self._current = current

    def swap(self, fresh: FileKeyring) -> None:
        """Use `fresh` from the next look-up on; who has a signer keeps it."""
        self._current = fresh

    def signer(self, certificate: bytes) -> Signer:
        """Return as `FileKeyring.signer`."""
        return self._current.signer(certificate)

    def decrypter(self, certificate: bytes) -> Decrypter:
        """Return as `FileKeyring.decrypter`."""
        return self._current.decrypter(certificate)

    def agreer(self, certificate: bytes) -> Agreer:
        """Return as `FileKeyring.agreer`."""
        return self._current.agreer(certificate)

    def holds(self, certificate: bytes) -> bool:
        """Tell whether the key of the certificate is here."""
        return self._current.holds(certificate)


def _read(path: Path) -> bytes | None:
    """Return the octets of a file with a private key, None for any other file."""
    with path.open("rb") as file:
        octets = file.read()
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    if _PRIVATE not in octets:
        return None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Misconfigured(
            "keys.permissions", "private key is readable by others: chmod 600", where=str(path)
        )
    return octets


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
