"""Encrypted payload parts: XML Encryption of a whole MIME part.

The part becomes `application/xml` with one xenc:EncryptedData whose EncryptedKey stands
inside KeyInfo (the form of the Digikoppeling adapters in use). AES-GCM and RSA-OAEP (DK-SEC
ENC001-004), others where the policy has an exception; what the document names is checked
against the policy, and every cryptographic failure looks the same from outside.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from gateway.directory import Encryption
from gateway.errors import DecryptionFailed, Malformed, PolicyViolation
from gateway.message import Part, Payload
from gateway.security.algorithms import (
    DIGIKOPPELING,
    MGF1_SHA1,
    MGF1_SHA256,
    RSA_15,
    RSA_OAEP,
    RSA_OAEP_MGF1P,
    SHA1,
    SHA256,
    SHA384,
    SHA512,
    AlgorithmPolicy,
    Decrypter,
    Oaep,
    UnsafePkcs1,
)
from gateway.security.certificates import REMEMBERED, distinguished_name, load
from gateway.security.ciphers import CIPHERS, NEVER_MADE, failed
from gateway.wire import xml
from gateway.wire.base64_text import unbase64

XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
DS = "http://www.w3.org/2000/09/xmldsig#"
ELEMENT = f"{XENC}Element"

_OAEP_DIGESTS = {SHA1: "sha1", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}
_MGFS = {
    MGF1_SHA1: "sha1",
    MGF1_SHA256: "sha256",
    f"{XENC11}mgf1sha384": "sha384",
    f"{XENC11}mgf1sha512": "sha512",
}
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<\?[^>]*+>\s*+)?(?:<!--(?>.*?-->)\s*+)*+"
    rb"<(?:[\w.-]+:)?EncryptedData[\s/>]",
    re.DOTALL,
)
_SNIFFED = 4096
_READ_TRANSPORTS = frozenset({RSA_OAEP, RSA_OAEP_MGF1P, RSA_15})
_PADDINGS = {
    RSA_OAEP: padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
    RSA_15: padding.PKCS1v15(),
}
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]")

_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<xenc:EncryptedData xmlns:xenc="{XENC}" Id={id} MimeType={media_type} Type="{ELEMENT}">\
<xenc:EncryptionMethod Algorithm={algorithm}/>\
<ds:KeyInfo xmlns:ds="{DS}"><xenc:EncryptedKey>{transport}\
<ds:KeyInfo><ds:KeyName>{key_name}</ds:KeyName></ds:KeyInfo>\
<xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData>\
</xenc:EncryptedKey></ds:KeyInfo>\
<xenc:CipherData><xenc:CipherValue>"""
_TRANSPORTS = {
    RSA_OAEP: f'<xenc:EncryptionMethod Algorithm="{RSA_OAEP}">'
    f'<ds:DigestMethod Algorithm="{SHA256}"/>'
    f'<xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="{MGF1_SHA256}"/></xenc:EncryptionMethod>',
    RSA_15: f'<xenc:EncryptionMethod Algorithm="{RSA_15}"/>',
}
_END = b"</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"


# --- encrypt --------------------------------------------------------------------------


def encrypt_part(
    payload: Payload,
    encryption: Encryption,
    *,
    media_type: str,
    random: Callable[[int], bytes],
    policy: AlgorithmPolicy = DIGIKOPPELING,
) -> Part:
    """Encrypt for the certificate of the agreement, with a key of its own.

    `random` gives that many unpredictable octets. The key is wrapped by RSA-OAEP, by RSA-1.5
    only where the agreement names that and the policy has it. Raises PolicyViolation
    `encryption.algorithm` for a cipher that the policy does not have or that is never written
    (3DES), `encryption.key` for a certificate without an RSA key. The caller has judged the
    certificate.
    """
    if encryption.algorithm in NEVER_MADE or not _is_allowed(encryption.algorithm, policy):
        raise PolicyViolation("encryption.algorithm", "agreed cipher is forbidden")
    cipher, transport = CIPHERS[encryption.algorithm], made_transport(encryption, policy)
    recipient = _recipient(encryption.certificate)
    key, start = random(cipher.key_bytes), random(cipher.start_bytes)
    head = _DOCUMENT.format(
        **_NAMES,
        id=quoteattr(f"_{_NO_NAME.sub('_', payload.content_id)}"),
        media_type=quoteattr(media_type),
        algorithm=quoteattr(encryption.algorithm),
        transport=_TRANSPORTS[transport],
        key_name=recipient.key_name,
        wrapped=b64encode(recipient.key.encrypt(key, _PADDINGS[transport])).decode("ascii"),
    )
    value = b64encode(cipher.encrypt(key, start, payload.octets))
    octets = b"".join((head.encode(), value, _END))
    return Part(payload.content_id, "application/xml", octets)


def made_transport(encryption: Encryption, policy: AlgorithmPolicy) -> str:
    """Return how a key is wrapped for the receiver: the strongest that the agreement leaves."""
    wanted = encryption.key_transport
    return wanted if wanted == RSA_15 and wanted in policy.key_transports else RSA_OAEP


_NAMES = {
    "XENC": XENC,
    "DS": DS,
    "ELEMENT": ELEMENT,
}


_SLOTS = {
    "id": r'"_[A-Za-z0-9._-]*"',
    "media_type": r'"[A-Za-z0-9.+/-]+"',
    "algorithm": r'"([A-Za-z0-9:./#_-]+)"',
    "key_name": r"[ !#-%'-;=?-~]+",
    "wrapped": r"([A-Za-z0-9+/=]+)",
}
"""What `encrypt_part` fills in, where it stands for itself in XML."""


def _pattern() -> re.Pattern[bytes]:
    slots = {name: f"%{name}%" for name in _SLOTS}
    text = re.escape(_DOCUMENT.format(**_NAMES, transport=_TRANSPORTS[RSA_OAEP], **slots))
    for name, slot in _SLOTS.items():
        text = text.replace(re.escape(f"%{name}%"), slot)
    return re.compile(text.encode())


_WRITTEN = _pattern()
"""The head of a part that `encrypt_part` made, by the rules."""


@dataclass(frozen=True, slots=True)
class _Recipient:
    """What a certificate of an agreement gives every message that is encrypted for it."""

    key: rsa.RSAPublicKey
    key_name: str
    """Escaped."""


@lru_cache(maxsize=REMEMBERED)
def _recipient(der: bytes) -> _Recipient:
    certificate = load(der)
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise PolicyViolation("encryption.key", "encryption certificate has no RSA key")
    return _Recipient(public, escape(distinguished_name(certificate)))


# --- decrypt --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Encrypted:
    """What an EncryptedData says, algorithms checked."""

    algorithm: str
    transport: str
    oaep: Oaep | UnsafePkcs1
    wrapped: bytes
    cipher: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Decrypted:
    """What the sender encrypted, and by what."""

    octets: bytes
    cipher: str
    key_transport: str


_WRITTEN_OAEP = Oaep(digest=_OAEP_DIGESTS[SHA256], mgf=_MGFS[MGF1_SHA256])


def is_encrypted(part: Part) -> bool:
    """Tell whether the root of the part is an EncryptedData, without parsing it."""
    return _ROOT.match(part.octets, 0, _SNIFFED) is not None


def decrypt_part(part: Part, decrypter: Decrypter, *, policy: AlgorithmPolicy) -> Decrypted:
    """Return the octets that the sender encrypted.

    Raises DecryptionFailed: `decryption.not_encrypted`, `decryption.form`,
    `decryption.algorithm`, and `decryption.failed` for whatever goes wrong with key or
    cipher text: after the same work, so that nobody learns which step it was. A cipher without
    a tag fails in the verification of the signature over the octets, and nowhere before: a
    policy may have one only for what is signed.
    """
    found = _read_written(part.octets, policy) or _read(part.octets, policy)
    cipher = CIPHERS[found.algorithm]
    if not cipher.fits(len(found.cipher)):
        raise failed()  # whoever sent it knows: no key was touched
    key = decrypter.unwrap(found.wrapped, oaep=found.oaep, size=cipher.key_bytes)
    return Decrypted(
        octets=cipher.decrypt(key, found.cipher),
        cipher=found.algorithm,
        key_transport=found.transport,
    )


def _read_written(octets: bytes, policy: AlgorithmPolicy) -> _Encrypted | None:
    """Read a part that is exactly as `encrypt_part` writes it; None when in doubt."""
    head = _WRITTEN.match(octets)
    if head is None or not octets.endswith(_END) or RSA_OAEP not in policy.key_transports:
        return None
    algorithm = head[1].decode("ascii")
    if not _is_allowed(algorithm, policy):
        return None
    try:
        wrapped = b64decode(head[2], validate=True)
        cipher = b64decode(octets[head.end() : -len(_END)], validate=True)
    except ValueError:
        return None
    return _Encrypted(
        algorithm=algorithm,
        transport=RSA_OAEP,
        oaep=_WRITTEN_OAEP,
        wrapped=wrapped,
        cipher=cipher,
    )


def _is_allowed(algorithm: str, policy: AlgorithmPolicy) -> bool:
    return algorithm in policy.ciphers and algorithm in CIPHERS


def _read(octets: bytes, policy: AlgorithmPolicy) -> _Encrypted:
    data = _parse(octets)
    algorithm = _method(data).get("Algorithm", "")
    if not _is_allowed(algorithm, policy):
        raise DecryptionFailed("decryption.algorithm", "cipher is not allowed")
    key = _one(_one(data, DS, "KeyInfo"), XENC, "EncryptedKey")
    method = _method(key)
    return _Encrypted(
        algorithm=algorithm,
        transport=method.get("Algorithm", ""),
        oaep=_padding(method, policy),
        wrapped=_cipher_value(key),
        cipher=_cipher_value(data),
    )


def _parse(octets: bytes) -> etree._Element:
    """Parse the part. Its size is bounded already: by that of the wire."""
    try:
        root = xml.parse(octets, limits=xml.XmlLimits(octets=len(octets), depth=16, nodes=64))
    except Malformed as exc:
        raise DecryptionFailed("decryption.not_encrypted", "part is not encrypted") from exc
    if root.tag != f"{{{XENC}}}EncryptedData":
        raise DecryptionFailed("decryption.not_encrypted", "part is not encrypted")
    return root


def _one(parent: etree._Element, namespace: str, name: str) -> etree._Element:
    found = list(parent.iterchildren(f"{{{namespace}}}{name}"))
    if len(found) != 1:
        raise DecryptionFailed("decryption.form", "EncryptedData is not as expected")
    return found[0]


def _method(parent: etree._Element) -> etree._Element:
    return _one(parent, XENC, "EncryptionMethod")


def _cipher_value(parent: etree._Element) -> bytes:
    element = _one(_one(parent, XENC, "CipherData"), XENC, "CipherValue")
    if len(element):
        raise DecryptionFailed("decryption.form", "CipherValue holds more than text")
    try:
        return unbase64(element.text or "")
    except ValueError as exc:
        raise DecryptionFailed("decryption.form", "CipherValue is not base64") from exc


def _padding(method: etree._Element, policy: AlgorithmPolicy) -> Oaep | UnsafePkcs1:
    algorithm = method.get("Algorithm", "")
    if algorithm not in policy.key_transports or algorithm not in _READ_TRANSPORTS:
        raise DecryptionFailed("decryption.algorithm", "key transport is not allowed")
    return UnsafePkcs1() if algorithm == RSA_15 else _oaep(method, algorithm)


def _oaep(method: etree._Element, algorithm: str) -> Oaep:
    """Read the hashes; SHA-1 is the default of XML Encryption 1.1, 5.5.2, for both."""
    digest = _named(method, DS, "DigestMethod", SHA1)
    mgf = _named(method, XENC11, "MGF", MGF1_SHA1) if algorithm == RSA_OAEP else MGF1_SHA1
    label = method.findtext(f"{{{XENC}}}OAEPparams") or ""
    if digest not in _OAEP_DIGESTS or mgf not in _MGFS or label.strip():
        raise DecryptionFailed("decryption.algorithm", "OAEP parameters are not supported")
    return Oaep(digest=_OAEP_DIGESTS[digest], mgf=_MGFS[mgf])


def _named(method: etree._Element, namespace: str, name: str, default: str) -> str:
    found = method.findall(f"{{{namespace}}}{name}")
    if len(found) > 1:
        raise DecryptionFailed("decryption.form", "EncryptedData is not as expected")
    return found[0].get("Algorithm", "") if found else default
