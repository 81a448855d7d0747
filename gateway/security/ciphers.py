"""The block ciphers of XML Encryption: a content key, a start, and what they make of octets.

GCM has a tag and says itself whether something was changed. CBC and 3DES (XML Encryption 1.1,
5.2) have none: they count by exception only, what they give is proven by the signature over it,
and until that is verified nothing tells what went wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

from gateway.errors import DecryptionFailed
from gateway.security.algorithms import (
    AES128_CBC,
    AES128_GCM,
    AES256_CBC,
    AES256_GCM,
    TRIPLE_DES,
)


class BlockCipher(Protocol):
    """One algorithm."""

    @property
    def key_bytes(self) -> int: ...

    @property
    def start_bytes(self) -> int:
        """Octets in front of the cipher text: nonce or first block."""
        ...

    def fits(self, length: int) -> bool:
        """Tell whether start and cipher text may have that many octets together."""
        ...

    def encrypt(self, key: bytes, start: bytes, octets: bytes) -> bytes:
        """Return start and cipher text."""
        ...

    def decrypt(self, key: bytes, octets: bytes) -> bytes:
        """Return what was encrypted.

        GCM raises DecryptionFailed `decryption.failed`. The others give octets whatever
        happened: those of a wrong key or changed cipher text are not what was signed.
        """
        ...


def failed() -> DecryptionFailed:
    """Return the one answer to whatever goes wrong with a key or a cipher text."""
    return DecryptionFailed("decryption.failed", "part can not be decrypted")


@dataclass(frozen=True, slots=True)
class _Gcm:
    key_bytes: int

    @property
    def start_bytes(self) -> int:
        return _NONCE_BYTES

    def fits(self, length: int) -> bool:
        return length >= _NONCE_BYTES + _TAG_BYTES

    def encrypt(self, key: bytes, start: bytes, octets: bytes) -> bytes:
        return start + AESGCM(key).encrypt(start, octets, None)

    def decrypt(self, key: bytes, octets: bytes) -> bytes:
        try:
            rest = memoryview(octets)[_NONCE_BYTES:]  # no second copy of a large one
            return AESGCM(key).decrypt(octets[:_NONCE_BYTES], rest, None)
        except InvalidTag as exc:
            raise failed() from exc


@dataclass(frozen=True, slots=True)
class _Cbc:
    algorithm: Callable[[bytes], CipherAlgorithm]
    key_bytes: int
    block: int

    @property
    def start_bytes(self) -> int:
        return self.block

    def fits(self, length: int) -> bool:
        return length >= 2 * self.block and length % self.block == 0

    def encrypt(self, key: bytes, start: bytes, octets: bytes) -> bytes:
        padder = PKCS7(self.block * 8).padder()
        encryptor = self._cipher(key, start).encryptor()
        return b"".join(
            (
                start,
                encryptor.update(padder.update(octets)),
                encryptor.update(padder.finalize()),
                encryptor.finalize(),
            )
        )

    def decrypt(self, key: bytes, octets: bytes) -> bytes:
        decryptor = self._cipher(key, octets[: self.block]).decryptor()
        padded = decryptor.update(memoryview(octets)[self.block :]) + decryptor.finalize()
        # Only the last octet counts (5.2.2). A padding that is none is left on: whoever does
        # not know the key can not have signed what then comes out.
        pad = padded[-1] if 1 <= padded[-1] <= self.block else 0
        return padded[: len(padded) - pad]

    def _cipher(self, key: bytes, start: bytes) -> Cipher[modes.CBC]:
        return Cipher(self.algorithm(key), modes.CBC(start))


_NONCE_BYTES = 12
_TAG_BYTES = 16
CIPHERS: MappingProxyType[str, BlockCipher] = MappingProxyType(
    {
        AES128_GCM: _Gcm(16),
        AES256_GCM: _Gcm(32),
        AES128_CBC: _Cbc(AES, 16, 16),
        AES256_CBC: _Cbc(AES, 32, 16),
        TRIPLE_DES: _Cbc(TripleDES, 24, 8),
    }
)
"""Those that can be read, where a policy allows them."""
NEVER_MADE = frozenset({TRIPLE_DES})
"""Those that are read by exception and never written."""
