"""CMS AuthEnvelopedData (RFC 5083, 5084): AES-256-GCM, its key by RSA-OAEP with SHA-256.

One recipient per message that is made; of a message that is opened, ours is looked up. What is
neither made nor agreed (EnvelopedData, CBC, PKCS#1 v1.5, a short tag) is not read at all, and
whatever fails looks the same from outside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import DecryptionFailed, PolicyViolation, TooLarge
from gateway.security.algorithms import Decrypter, Oaep
from gateway.security.certificates import REMEMBERED, load
from gateway.security.smime.der import (
    INTEGER,
    NULL,
    OCTET_STRING,
    SEQUENCE,
    SET,
    NotDer,
    Reader,
    encode,
    issuer_and_serial,
    oid,
    only,
    tagged,
)

RECIPIENTS = 64
"""That are looked at in a message of somebody else."""

_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_WRAPPING_BYTES = 64 * 1024
"""Around the content of a message, all recipients included."""

_CONTENT = tagged(0, constructed=False)
_VERSION_0 = encode(INTEGER, b"\x00")
_AUTH_ENVELOPED = oid("1.2.840.113549.1.9.16.1.23")
_DATA = oid("1.2.840.113549.1.7.1")
_AES256_GCM = oid("2.16.840.1.101.3.4.1.46")
_RSAES_OAEP = oid("1.2.840.113549.1.1.7")
_MGF1 = oid("1.2.840.113549.1.1.8")
_SHA256 = oid("2.16.840.1.101.3.4.2.1")
_TAG_SIZE = encode(INTEGER, bytes((_TAG_BYTES,)))


def _key_transport(digest: bytes, mgf: bytes) -> bytes:
    parameters = encode(
        SEQUENCE,
        encode(tagged(0), encode(SEQUENCE, _SHA256, digest)),
        encode(tagged(1), encode(SEQUENCE, _MGF1, encode(SEQUENCE, _SHA256, mgf))),
    )
    return encode(SEQUENCE, _RSAES_OAEP, parameters)


_WRITTEN_TRANSPORT = _key_transport(b"", b"")
_TRANSPORTS = frozenset(_key_transport(one, two) for one in (b"", NULL) for two in (b"", NULL))
"""SHA-256 has no parameters, or NULL (RFC 4055, 2.1)."""
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


# --- encrypt --------------------------------------------------------------------------


def encrypt(
    content: bytes, certificate: bytes, *, maximum: int, random: Callable[[int], bytes]
) -> bytes:
    """Return the DER of a ContentInfo that only the holder of the certificate can read.

    `maximum` is in octets of content; `random` gives that many unpredictable octets. Raises
    TooLarge `smime.too_large`, PolicyViolation `encryption.key` for a certificate without an
    RSA key, before anything is made. The caller has judged the certificate.
    """
    if len(content) > maximum:
        raise _too_large()
    recipient = _recipient(certificate)
    key, nonce = random(_KEY_BYTES), random(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, content, None)
    transported = encode(
        SEQUENCE,
        _VERSION_0,
        recipient.name,
        _WRITTEN_TRANSPORT,
        encode(OCTET_STRING, recipient.key.encrypt(key, _OAEP)),
    )
    cipher = encode(SEQUENCE, _AES256_GCM, encode(SEQUENCE, encode(OCTET_STRING, nonce), _TAG_SIZE))
    enveloped = encode(
        SEQUENCE,
        _VERSION_0,
        encode(SET, transported),
        encode(SEQUENCE, _DATA, cipher, encode(_CONTENT, sealed[:-_TAG_BYTES])),
        encode(OCTET_STRING, sealed[-_TAG_BYTES:]),
    )
    return encode(SEQUENCE, _AUTH_ENVELOPED, encode(tagged(0), enveloped))


@dataclass(frozen=True, slots=True)
class _Recipient:
    """What the certificate of a recipient gives each of its messages."""

    key: rsa.RSAPublicKey
    name: bytes
    """IssuerAndSerialNumber."""


@lru_cache(maxsize=REMEMBERED)
def _recipient(der: bytes) -> _Recipient:
    public = load(der).public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise PolicyViolation("encryption.key", "encryption certificate has no RSA key")
    return _Recipient(public, issuer_and_serial(der))


# --- decrypt --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Enveloped:
    """What an AuthEnvelopedData says to us, algorithms checked."""

    wrapped: bytes
    nonce: bytes
    sealed: bytes
    """Cipher text and tag."""


def decrypt(octets: bytes, decrypter: Decrypter, *, maximum: int) -> bytes:
    """Return the content of a ContentInfo (DER) that was encrypted for us.

    `maximum` is in octets of content. Raises TooLarge `smime.too_large` before anything is
    read, else DecryptionFailed `decryption.failed`, whatever is wrong: who tries cannot tell
    form from algorithm, recipient, key or tag.
    """
    if len(octets) > maximum + _WRAPPING_BYTES:
        raise _too_large()
    try:
        found = _read(octets, issuer_and_serial(decrypter.certificate))
        if len(found.sealed) > maximum + _TAG_BYTES:
            raise _too_large()
        cipher = AESGCM(_unwrapped(found.wrapped, decrypter))
        return cipher.decrypt(found.nonce, found.sealed, None)
    except (NotDer, InvalidTag, DecryptionFailed) as exc:
        raise _failed() from exc


def _unwrapped(wrapped: bytes, decrypter: Decrypter) -> bytes:
    key = decrypter.unwrap(wrapped, oaep=Oaep())
    if len(key) != _KEY_BYTES:
        raise _failed()
    return key


def _read(octets: bytes, name: bytes) -> _Enveloped:
    info = only(octets, SEQUENCE)
    info.expect(_AUTH_ENVELOPED)
    enveloped = only(info.last(tagged(0)), SEQUENCE)
    enveloped.expect(_VERSION_0)
    wrapped = _wrapped(enveloped.take(SET), name)
    content = enveloped.inside(SEQUENCE)
    tag = enveloped.last(OCTET_STRING)
    content.expect(_DATA)
    nonce = _nonce(content.take(SEQUENCE))
    cipher = content.last(_CONTENT)
    if len(tag) != _TAG_BYTES:
        raise NotDer
    return _Enveloped(wrapped=wrapped, nonce=nonce, sealed=cipher + tag)


def _wrapped(recipients: bytes, name: bytes) -> bytes:
    """Return the key that was wrapped for us; there is exactly one."""
    reader, ours = Reader(recipients), []
    for _ in range(RECIPIENTS):
        if not reader.more:
            break
        element = reader.element()
        if _is_for(element, name):
            ours.append(element)
    reader.finish()
    if len(ours) != 1:
        raise NotDer
    recipient = only(ours[0], SEQUENCE)
    recipient.expect(_VERSION_0)
    recipient.expect(name)
    if recipient.element() not in _TRANSPORTS:
        raise NotDer
    return recipient.last(OCTET_STRING)


def _is_for(recipient: bytes, name: bytes) -> bool:
    """Tell whether it is a KeyTransRecipientInfo with this IssuerAndSerialNumber."""
    if recipient[0] != SEQUENCE:
        return False
    fields = only(recipient, SEQUENCE)
    fields.element()  # version
    return fields.element() == name


def _nonce(algorithm: bytes) -> bytes:
    reader = Reader(algorithm)
    reader.expect(_AES256_GCM)
    parameters = Reader(reader.last(SEQUENCE))
    nonce = parameters.take(OCTET_STRING)
    parameters.expect(_TAG_SIZE)
    parameters.finish()
    if len(nonce) != _NONCE_BYTES:
        raise NotDer
    return nonce


def _failed() -> DecryptionFailed:
    return DecryptionFailed("decryption.failed", "message can not be decrypted")


def _too_large() -> TooLarge:
    return TooLarge("smime.too_large", "message is too large for e-mail")
