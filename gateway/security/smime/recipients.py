"""Recipients of CMS envelopes: the content key, wrapped for each of them (RFC 5652, 6.2).

RSA: OAEP with SHA-256 (RFC 3560). A key on a curve: ephemeral-static ECDH, the KDF of X9.63 and
AES-256 key wrap (RFC 5753). What else there is, SHA-1 in it, or a smaller key wrap, is not read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.errors import PolicyViolation
from gateway.security.algorithms import Agreer, Decrypter, Oaep, UnsafePkcs1
from gateway.security.certificates import REMEMBERED, load_agreed
from gateway.security.smime.der import (
    BIT_STRING,
    INTEGER,
    NULL,
    OCTET_STRING,
    SEQUENCE,
    NotDer,
    Reader,
    encode,
    oid,
    only,
    tagged,
)
from gateway.security.smime.naming import BY_KEY, issuer_and_serial, key_identifier, names_of

RECIPIENTS = 64
"""That are looked at in a message of somebody else."""
KEY_BYTES = 32
"""Of AES-256, for contents and for keys."""


class Encryption(StrEnum):
    """What is agreed with a partner; each can read all that stands above it too."""

    GCM = "aes-256-gcm"
    """AuthEnvelopedData, by RSA-OAEP or ECDH."""
    UNSAFE_CBC = "aes-256-cbc"
    """EnvelopedData without a tag. Only the signature inside proves that it is whole."""
    UNSAFE_CBC_PKCS1 = "aes-256-cbc-rsa-pkcs1"
    """The same, with RSA keys by PKCS#1 v1.5, for programs that know no OAEP."""


class Keys(Protocol):
    """Our private keys, by certificate (DER). Raises Misconfigured `keys.missing`."""

    def decrypter(self, certificate: bytes) -> Decrypter: ...
    def agreer(self, certificate: bytes) -> Agreer: ...


_SHA256 = oid("2.16.840.1.101.3.4.2.1")
_RSA = oid("1.2.840.113549.1.1.1")
_RSAES_OAEP = oid("1.2.840.113549.1.1.7")
_MGF1 = oid("1.2.840.113549.1.1.8")
_EC = oid("1.2.840.10045.2.1")
_AES256_WRAP = oid("2.16.840.1.101.3.4.1.45")
_VERSION_0, _VERSION_2, _VERSION_3 = (encode(INTEGER, bytes((n,))) for n in (0, 2, 3))
_AGREED = tagged(1)
_WRAP_BITS = encode(OCTET_STRING, (KEY_BYTES * 8).to_bytes(4, "big"))


def _oaep(digest: bytes, mgf: bytes) -> bytes:
    parameters = encode(
        SEQUENCE,
        encode(tagged(0), encode(SEQUENCE, _SHA256, digest)),
        encode(tagged(1), encode(SEQUENCE, _MGF1, encode(SEQUENCE, _SHA256, mgf))),
    )
    return encode(SEQUENCE, _RSAES_OAEP, parameters)


_OAEP = _oaep(b"", b"")
_OAEPS = frozenset(_oaep(one, two) for one in (b"", NULL) for two in (b"", NULL))
"""SHA-256 has no parameters, or NULL (RFC 4055, 2.1)."""
_PKCS1 = encode(SEQUENCE, _RSA, NULL)
_OAEP_PADDING = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_PKCS1_PADDING = padding.PKCS1v15()

_WRAPS = {encode(SEQUENCE, _AES256_WRAP, parameters) for parameters in (b"", NULL)}
_WRAP = encode(SEQUENCE, _AES256_WRAP)
_KDFS: dict[bytes, hashes.HashAlgorithm] = {
    oid("1.3.132.1.11.1"): hashes.SHA256(),
    oid("1.3.132.1.11.2"): hashes.SHA384(),
    oid("1.3.132.1.11.3"): hashes.SHA512(),
}
"""dhSinglePass-stdDH-sha…kdf-scheme."""
_KDF = next(iter(_KDFS))


# --- wrapping -----------------------------------------------------------------------------


def wrap(key: bytes, certificate: bytes, encryption: Encryption) -> bytes:
    """Return the RecipientInfo that gives the content key to the holder of the certificate.

    Raises PolicyViolation `encryption.key` for a certificate that has neither an RSA key nor one
    on a curve. The caller has judged the certificate.
    """
    recipient = _recipient(certificate)
    match recipient.key:
        case rsa.RSAPublicKey():
            return _transported(key, recipient.key, recipient.name, encryption)
        case ec.EllipticCurvePublicKey():
            return _agreed(key, recipient.key, recipient.name)
        case _:
            raise PolicyViolation("encryption.key", "key of the certificate can not encrypt")


@dataclass(frozen=True, slots=True)
class _Recipient:
    """What the certificate of a recipient gives each of its messages."""

    key: PublicKeyTypes
    name: bytes
    """IssuerAndSerialNumber."""


@lru_cache(maxsize=REMEMBERED)
def _recipient(der: bytes) -> _Recipient:
    return _Recipient(load_agreed(der).public_key(), issuer_and_serial(der))


def _transported(
    key: bytes, public: rsa.RSAPublicKey, name: bytes, encryption: Encryption
) -> bytes:
    old = encryption is Encryption.UNSAFE_CBC_PKCS1
    wrapped = public.encrypt(key, _PKCS1_PADDING if old else _OAEP_PADDING)
    return encode(
        SEQUENCE,
        _VERSION_0,
        name,
        _PKCS1 if old else _OAEP,
        encode(OCTET_STRING, wrapped),
    )


def _agreed(key: bytes, public: ec.EllipticCurvePublicKey, name: bytes) -> bytes:
    """The ephemeral key is of the library's own dice, and used once."""
    ephemeral = ec.generate_private_key(public.curve)
    secret = ephemeral.exchange(ec.ECDH(), public)
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    originator = encode(_AGREED, encode(SEQUENCE, _EC), encode(BIT_STRING, b"\x00", point))
    wrapped = aes_key_wrap(_wrapping_key(secret, _KDFS[_KDF], _WRAP, b""), key)
    return encode(
        _AGREED,
        _VERSION_3,
        encode(tagged(0), originator),
        encode(SEQUENCE, _KDF, _WRAP),
        encode(SEQUENCE, encode(SEQUENCE, name, encode(OCTET_STRING, wrapped))),
    )


def _wrapping_key(
    secret: bytes, hash_: hashes.HashAlgorithm, wrap_name: bytes, material: bytes
) -> bytes:
    """Derive with ECC-CMS-SharedInfo (RFC 5753, 7.2); `material` is the element of the ukm."""
    given = encode(tagged(0), material) if material else b""
    info = encode(SEQUENCE, wrap_name, given, encode(tagged(2), _WRAP_BITS))
    return X963KDF(hash_, KEY_BYTES, info).derive(secret)


# --- unwrapping ---------------------------------------------------------------------------


def unwrap(recipients: bytes, ours: Iterable[bytes], keys: Keys, encryption: Encryption) -> bytes:
    """Return the content key, for the first of our certificates (DER) that it is for.

    `recipients`: the contents of RecipientInfos. Raises NotDer for what is not for us, or twice,
    or not as the profile says; DecryptionFailed; Misconfigured `keys.missing`.
    """
    elements = _elements(recipients)
    for certificate in ours:
        names = _names(certificate)
        found = [element for element in elements if not names.isdisjoint(_named(element))]
        if len(found) > 1:
            raise NotDer
        if found and found[0][0] == SEQUENCE:
            key = _by_transport(found[0], keys.decrypter(certificate), encryption)
        elif found:
            key = _by_agreement(found[0], keys.agreer(certificate), names)
        else:
            continue
        if len(key) != KEY_BYTES:
            raise NotDer
        return key
    raise NotDer


def _elements(recipients: bytes) -> list[bytes]:
    reader, found = Reader(recipients), list[bytes]()
    while reader.more:
        found.append(reader.element())
        if len(found) > RECIPIENTS:
            raise NotDer
    return found


def _names(certificate: bytes) -> frozenset[bytes]:
    """Return what a message may call the certificate; an agreement names a key its own way."""
    found = key_identifier(certificate)
    agreed = () if found is None else (encode(tagged(0), encode(OCTET_STRING, found)),)
    return names_of(certificate).union(agreed)


def _named(recipient: bytes) -> list[bytes]:
    """Return whom it is for, as far as it is of a kind that is read."""
    if recipient[0] == SEQUENCE:
        fields = only(recipient, SEQUENCE)
        fields.element()  # version
        return [fields.element()]
    if recipient[0] == _AGREED:
        return [name for name, _wrapped in _read_agreement(recipient).wrapped]
    return []


def _by_transport(recipient: bytes, decrypter: Decrypter, encryption: Encryption) -> bytes:
    fields = only(recipient, SEQUENCE)
    version, name, algorithm = fields.element(), fields.element(), fields.element()
    if version != (_VERSION_2 if name[0] == BY_KEY else _VERSION_0):
        raise NotDer
    wrapped = fields.last(OCTET_STRING)
    if algorithm in _OAEPS:
        return decrypter.unwrap(wrapped, oaep=Oaep(), size=KEY_BYTES)
    if algorithm == _PKCS1 and encryption is Encryption.UNSAFE_CBC_PKCS1:
        return decrypter.unwrap(wrapped, oaep=UnsafePkcs1(), size=KEY_BYTES)
    raise NotDer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Agreement:
    """A KeyAgreeRecipientInfo."""

    originator: Reader
    material: bytes
    """Element of the ukm; empty without."""
    algorithm: Reader
    wrapped: list[tuple[bytes, bytes]]
    """For each recipient its name and its key."""


def _read_agreement(recipient: bytes) -> _Agreement:
    fields = only(recipient, _AGREED)
    fields.expect(_VERSION_3)
    originator = fields.inside(tagged(0))
    material = fields.take(tagged(1)) if fields.next_is(tagged(1)) else b""
    algorithm = fields.inside(SEQUENCE)
    keys, wrapped = Reader(fields.last(SEQUENCE)), list[tuple[bytes, bytes]]()
    while keys.more:
        one = keys.inside(SEQUENCE)
        wrapped.append((one.element(), one.last(OCTET_STRING)))
        if len(wrapped) > RECIPIENTS:
            raise NotDer
    return _Agreement(
        originator=originator, material=material, algorithm=algorithm, wrapped=wrapped
    )


def _by_agreement(recipient: bytes, agreer: Agreer, names: frozenset[bytes]) -> bytes:
    found = _read_agreement(recipient)
    kdf, wrap_name = _KDFS.get(found.algorithm.element()), found.algorithm.element()
    found.algorithm.finish()
    mine = [wrapped for name, wrapped in found.wrapped if name in names]
    if kdf is None or wrap_name not in _WRAPS or len(mine) != 1:
        raise NotDer
    secret = agreer.agree(_point(found.originator))
    wrapping = _wrapping_key(secret, kdf, wrap_name, found.material)
    try:
        return aes_key_unwrap(wrapping, mine[0])
    except InvalidUnwrap as exc:
        raise NotDer from exc


def _point(originator: Reader) -> bytes:
    """Return the ephemeral point; a curve that is named beside it is not needed."""
    key = Reader(originator.last(_AGREED))
    key.inside(SEQUENCE).expect(_EC)
    bits = key.last(BIT_STRING)
    if bits[:1] != b"\x00":
        raise NotDer
    return bits[1:]
