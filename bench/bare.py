"""The cryptography that a message can not do without, and nothing beside it.

RSA-2048 with SHA-256 for signatures, RSA-OAEP for the content key, AES-256-GCM for the
content, SHA-256 for the digests. No XML, no MIME, no base64, no judgement of certificates.
"""

import os
from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.keys.test_pki import Leaf
from tests.sealing import load_key

_SIGNATURE = padding.PKCS1v15()
_HASH = hashes.SHA256()
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_ENVELOPE = b"x" * 5_000
"""As large as a signed envelope: it is digested as well."""
_INFO = b"x" * 1_000
"""As large as SignedInfo."""


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A content key under RSA and the content under that key."""

    wrapped: bytes
    nonce: bytes
    content: bytes


class Bare:
    """The two halves of one message, with the keys of two leaves."""

    def __init__(self, sign: Leaf, encrypt: Leaf) -> None:
        self._signing: rsa.RSAPrivateKey = load_key(sign.key)
        self._decrypting: rsa.RSAPrivateKey = load_key(encrypt.key)
        self._verifying = _public(sign)
        self._encrypting = _public(encrypt)

    def sign(self, payload: bytes) -> bytes:
        """Digest payload and envelope, and sign."""
        _digest(payload)
        return self._signing.sign(_INFO, _SIGNATURE, _HASH)

    def verify(self, payload: bytes, signature: bytes) -> None:
        """Digest payload and envelope, and verify."""
        _digest(payload)
        self._verifying.verify(signature, _INFO, _SIGNATURE, _HASH)

    def encrypt(self, payload: bytes) -> Encrypted:
        """Encrypt under a fresh key, and wrap that."""
        key, nonce = os.urandom(32), os.urandom(12)
        wrapped = self._encrypting.encrypt(key, _OAEP)
        return Encrypted(wrapped, nonce, AESGCM(key).encrypt(nonce, payload, None))

    def decrypt(self, encrypted: Encrypted) -> bytes:
        """Unwrap the key, and decrypt."""
        key = self._decrypting.decrypt(encrypted.wrapped, _OAEP)
        return AESGCM(key).decrypt(encrypted.nonce, encrypted.content, None)


class BareHop:
    """What a hub can not do without, for one message that it receives and passes on."""

    def __init__(self, sender: Bare, hub: Bare, payload: bytes) -> None:
        """Take the pair sender to hub, and the pair hub to receiver."""
        self._sender, self._hub, self._payload = sender, hub, payload
        self._signature, self._encrypted = sender.sign(payload), sender.encrypt(payload)
        self._acknowledgment = sender.sign(b"")

    def __call__(self) -> None:
        """Open and acknowledge, sign and encrypt, verify the receiver's Acknowledgment."""
        self._sender.verify(self._sender.decrypt(self._encrypted), self._signature)
        self._hub.sign(b"")
        self._hub.sign(self._payload)
        self._hub.encrypt(self._payload)
        self._sender.verify(b"", self._acknowledgment)


def _public(leaf: Leaf) -> rsa.RSAPublicKey:
    key = x509.load_der_x509_certificate(leaf.certificate).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def _digest(payload: bytes) -> None:
    sha256(payload).digest()
    sha256(_ENVELOPE).digest()
