"""CMS envelopes: AuthEnvelopedData (RFC 5083, 5084) with AES-256-GCM, for any recipient.

EnvelopedData with AES-256-CBC only where that is agreed by name: it has no tag, so that what was
changed on its way is found by the signature inside alone. What is neither made nor agreed is not
read at all, and whatever fails looks the same from outside.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7

from gateway.errors import DecryptionFailed, PolicyViolation, TooLarge
from gateway.security.smime.ber import definite, joined
from gateway.security.smime.der import (
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    NotDer,
    Reader,
    encode,
    oid,
    only,
    tagged,
)
from gateway.security.smime.recipients import KEY_BYTES, Encryption, Keys, unwrap, wrap

_NONCE_BYTES = 12
_TAG_BYTES = 16
_BLOCK_BYTES = 16
_WRAPPING_BYTES = 64 * 1024
"""Around the content of a message, all recipients included."""
_STREAMED = 8
"""One octet in so many may be the head of a piece."""

_CONTENT = tagged(0, constructed=False)
_PIECES = tagged(0)
_VERSION_0, _VERSION_2 = (encode(INTEGER, bytes((n,))) for n in (0, 2))
_ENVELOPED = oid("1.2.840.113549.1.7.3")
_AUTH_ENVELOPED = oid("1.2.840.113549.1.9.16.1.23")
_DATA = oid("1.2.840.113549.1.7.1")
_AES256_CBC = oid("2.16.840.1.101.3.4.1.42")
_AES256_GCM = oid("2.16.840.1.101.3.4.1.46")
_VERSIONS = {
    _AUTH_ENVELOPED: frozenset({_VERSION_0}),
    _ENVELOPED: frozenset({_VERSION_0, _VERSION_2}),
}
_TAG_SIZE = encode(INTEGER, bytes((_TAG_BYTES,)))


# --- encrypt --------------------------------------------------------------------------


def encrypt(
    content: bytes,
    certificates: Iterable[bytes],
    *,
    maximum: int,
    random: Callable[[int], bytes],
    encryption: Encryption = Encryption.GCM,
) -> bytes:
    """Return the DER of a ContentInfo that only the holders of the certificates can read.

    `maximum` is in octets of content; `random` gives that many unpredictable octets. Raises
    TooLarge `smime.too_large` before anything is made, PolicyViolation `encryption.key` for a
    certificate that can not be encrypted for, or when there is none. The caller has judged the
    certificates.
    """
    if len(content) > maximum:
        raise _too_large()
    key = random(KEY_BYTES)
    recipients = [wrap(key, certificate, encryption) for certificate in certificates]
    if not recipients:
        raise PolicyViolation("encryption.key", "there is nobody to encrypt for")
    if encryption is Encryption.GCM:
        return _authenticated(recipients, key, random(_NONCE_BYTES), content)
    return _unsafe(recipients, key, random(_BLOCK_BYTES), content)


def _authenticated(recipients: list[bytes], key: bytes, nonce: bytes, content: bytes) -> bytes:
    sealed = AESGCM(key).encrypt(nonce, content, None)
    parameters = encode(SEQUENCE, encode(OCTET_STRING, nonce), _TAG_SIZE)
    enveloped = encode(
        SEQUENCE,
        _VERSION_0,
        encode(SET, *sorted(recipients)),
        _encrypted(encode(SEQUENCE, _AES256_GCM, parameters), sealed[:-_TAG_BYTES]),
        encode(OCTET_STRING, sealed[-_TAG_BYTES:]),
    )
    return encode(SEQUENCE, _AUTH_ENVELOPED, encode(tagged(0), enveloped))


def _unsafe(recipients: list[bytes], key: bytes, start: bytes, content: bytes) -> bytes:
    padder, cipher = PKCS7(_BLOCK_BYTES * 8).padder(), _cbc(key, start).encryptor()
    padded = padder.update(content) + padder.finalize()
    sealed = cipher.update(padded) + cipher.finalize()
    algorithm = encode(SEQUENCE, _AES256_CBC, encode(OCTET_STRING, start))
    simple = all(one[0] == SEQUENCE for one in recipients)
    enveloped = encode(
        SEQUENCE,
        _VERSION_0 if simple else _VERSION_2,
        encode(SET, *sorted(recipients)),
        _encrypted(algorithm, sealed),
    )
    return encode(SEQUENCE, _ENVELOPED, encode(tagged(0), enveloped))


def _encrypted(algorithm: bytes, sealed: bytes) -> bytes:
    return encode(SEQUENCE, _DATA, algorithm, encode(_CONTENT, sealed))


def _cbc(key: bytes, start: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES256(key), modes.CBC(start))


# --- decrypt --------------------------------------------------------------------------


def decrypt(
    octets: bytes,
    ours: Iterable[bytes],
    keys: Keys,
    *,
    maximum: int,
    encryption: Encryption = Encryption.GCM,
) -> bytes:
    """Return the content of a ContentInfo (BER) that was encrypted for one of our certificates.

    `maximum` is in octets of content. Raises TooLarge `smime.too_large` before anything is
    read; Misconfigured `keys.missing` for a certificate of `ours` without a key; else
    DecryptionFailed `decryption.failed`, whatever is wrong: who tries cannot tell form from
    algorithm, recipient, key or tag.
    """
    if len(octets) > maximum + maximum // _STREAMED + _WRAPPING_BYTES:
        raise _too_large()
    try:
        found = _read(definite(octets), encryption)
        if len(found.sealed) > maximum + _BLOCK_BYTES:
            raise _too_large()
        return found.opened(unwrap(found.recipients, ours, keys, encryption))
    except (NotDer, InvalidTag, DecryptionFailed) as exc:
        raise _failed() from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class _Enveloped:
    """What an envelope says, algorithms checked."""

    authenticated: bool
    recipients: bytes
    start: bytes
    """Nonce of GCM, first block of CBC."""
    sealed: bytes
    """Cipher text, with the tag of GCM."""

    def opened(self, key: bytes) -> bytes:
        """Return the content; raise InvalidTag, NotDer."""
        if self.authenticated:
            return AESGCM(key).decrypt(self.start, self.sealed, None)
        cipher, unpadder = _cbc(key, self.start).decryptor(), PKCS7(_BLOCK_BYTES * 8).unpadder()
        try:
            padded = cipher.update(self.sealed) + cipher.finalize()
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError as exc:
            raise NotDer from exc


def _read(octets: bytes, encryption: Encryption) -> _Enveloped:
    info = only(octets, SEQUENCE)
    kind = info.element()
    authenticated = kind == _AUTH_ENVELOPED
    if not authenticated and (kind != _ENVELOPED or encryption is Encryption.GCM):
        raise NotDer
    enveloped = only(info.last(tagged(0)), SEQUENCE)
    if enveloped.element() not in _VERSIONS[kind]:
        raise NotDer
    recipients = enveloped.take(SET)
    content = enveloped.inside(SEQUENCE)
    content.expect(_DATA)
    algorithm = content.inside(SEQUENCE)
    start = _nonce(algorithm) if authenticated else _first_block(algorithm)
    sealed = _sealed(content)
    tag = enveloped.take(OCTET_STRING) if authenticated else b""
    enveloped.finish()
    if authenticated and len(tag) != _TAG_BYTES:
        raise NotDer
    return _Enveloped(
        authenticated=authenticated, recipients=recipients, start=start, sealed=sealed + tag
    )


def _nonce(algorithm: Reader) -> bytes:
    algorithm.expect(_AES256_GCM)
    parameters = Reader(algorithm.last(SEQUENCE))
    nonce = parameters.take(OCTET_STRING)
    parameters.expect(_TAG_SIZE)
    parameters.finish()
    if len(nonce) != _NONCE_BYTES:
        raise NotDer
    return nonce


def _first_block(algorithm: Reader) -> bytes:
    algorithm.expect(_AES256_CBC)
    block = algorithm.last(OCTET_STRING)
    if len(block) != _BLOCK_BYTES:
        raise NotDer
    return block


def _sealed(content: Reader) -> bytes:
    """Return the cipher text, which those that stream give in pieces."""
    if content.next_is(_PIECES):
        return joined(content.last(_PIECES))
    return content.last(_CONTENT)


def _failed() -> DecryptionFailed:
    return DecryptionFailed("decryption.failed", "message can not be decrypted")


def _too_large() -> TooLarge:
    return TooLarge("smime.too_large", "message is too large for e-mail")
