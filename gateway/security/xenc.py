"""Encrypted payload parts: XML Encryption of a whole MIME part.

The part becomes `application/xml` with one xenc:EncryptedData whose EncryptedKey stands
inside KeyInfo (the form of the Digikoppeling adapters in use). AES-GCM and RSA-OAEP only
(DK-SEC ENC001-004); what the document names is checked against the policy, and every
cryptographic failure looks the same from outside.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from gateway.directory import Encryption
from gateway.errors import DecryptionFailed, Malformed, PolicyViolation
from gateway.message import Part, Payload
from gateway.security.algorithms import (
    AES128_GCM,
    AES256_GCM,
    DIGIKOPPELING,
    MGF1_SHA1,
    MGF1_SHA256,
    RSA_OAEP,
    RSA_OAEP_MGF1P,
    SHA1,
    SHA256,
    SHA384,
    SHA512,
    AlgorithmPolicy,
    Decrypter,
    Oaep,
)
from gateway.security.certificates import REMEMBERED, distinguished_name, load
from gateway.security.primitives import unbase64
from gateway.wire import xml

XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
DS = "http://www.w3.org/2000/09/xmldsig#"
ELEMENT = f"{XENC}Element"

_KEY_BYTES = {AES128_GCM: 16, AES256_GCM: 32}
_NONCE_BYTES = 12
_TAG_BYTES = 16
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
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]")

_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<xenc:EncryptedData xmlns:xenc="{XENC}" Id={id} MimeType={media_type} Type="{ELEMENT}">\
<xenc:EncryptionMethod Algorithm={algorithm}/>\
<ds:KeyInfo xmlns:ds="{DS}"><xenc:EncryptedKey>\
<xenc:EncryptionMethod Algorithm="{RSA_OAEP}">\
<ds:DigestMethod Algorithm="{SHA256}"/>\
<xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="{MGF1_SHA256}"/>\
</xenc:EncryptionMethod>\
<ds:KeyInfo><ds:KeyName>{key_name}</ds:KeyName></ds:KeyInfo>\
<xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData>\
</xenc:EncryptedKey></ds:KeyInfo>\
<xenc:CipherData><xenc:CipherValue>"""
_END = b"</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"


# --- encrypt --------------------------------------------------------------------------


def encrypt_part(
    payload: Payload,
    encryption: Encryption,
    *,
    media_type: str,
    random: Callable[[int], bytes],
) -> Part:
    """Encrypt for the certificate of the agreement, with a key of its own.

    `random` gives that many unpredictable octets. Raises PolicyViolation
    `encryption.algorithm` for a cipher that DK-SEC forbids, `encryption.key` for a
    certificate without an RSA key. The caller has judged the certificate.
    """
    size = _KEY_BYTES.get(encryption.algorithm)
    if size is None or encryption.algorithm not in DIGIKOPPELING.ciphers:
        raise PolicyViolation("encryption.algorithm", "agreed cipher is forbidden")
    recipient = _recipient(encryption.certificate)
    key, nonce = random(size), random(_NONCE_BYTES)
    head = _DOCUMENT.format(
        **_NAMES,
        id=quoteattr(f"_{_NO_NAME.sub('_', payload.content_id)}"),
        media_type=quoteattr(media_type),
        algorithm=quoteattr(encryption.algorithm),
        key_name=recipient.key_name,
        wrapped=b64encode(recipient.key.encrypt(key, _OAEP)).decode("ascii"),
    )
    cipher = nonce + AESGCM(key).encrypt(nonce, payload.octets, None)
    octets = b"".join((head.encode(), b64encode(cipher), _END))
    return Part(payload.content_id, "application/xml", octets)


_NAMES = {
    "XENC": XENC,
    "XENC11": XENC11,
    "DS": DS,
    "ELEMENT": ELEMENT,
    "RSA_OAEP": RSA_OAEP,
    "SHA256": SHA256,
    "MGF1_SHA256": MGF1_SHA256,
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
    text = re.escape(_DOCUMENT.format(**_NAMES, **{name: f"%{name}%" for name in _SLOTS}))
    for name, slot in _SLOTS.items():
        text = text.replace(re.escape(f"%{name}%"), slot)
    return re.compile(text.encode())


_WRITTEN = _pattern()
"""The head of a part that `encrypt_part` made."""


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
    oaep: Oaep
    wrapped: bytes
    cipher: bytes


_WRITTEN_OAEP = Oaep(digest=_OAEP_DIGESTS[SHA256], mgf=_MGFS[MGF1_SHA256])


def is_encrypted(part: Part) -> bool:
    """Tell whether the root of the part is an EncryptedData, without parsing it."""
    return _ROOT.match(part.octets, 0, _SNIFFED) is not None


def decrypt_part(part: Part, decrypter: Decrypter, *, policy: AlgorithmPolicy) -> Payload:
    """Return the octets that the sender encrypted.

    Raises DecryptionFailed: `decryption.not_encrypted`, `decryption.form`,
    `decryption.algorithm`, and `decryption.failed` for whatever goes wrong with key or
    cipher text: after the same work, so that nobody learns which step it was.
    """
    found = _read_written(part.octets, policy) or _read(part.octets, policy)
    nonce, rest = found.cipher[:_NONCE_BYTES], found.cipher[_NONCE_BYTES:]
    if len(rest) < _TAG_BYTES:
        raise _failed()  # whoever sent it knows: no key was touched
    key, is_key = _content_key(found, decrypter)
    try:
        octets = AESGCM(key).decrypt(nonce, rest, None)
    except InvalidTag as exc:
        raise _failed() from exc
    if not is_key:
        raise _failed()  # it was made for the stand-in
    return Payload(content_id=part.content_id, octets=octets)


def _content_key(found: _Encrypted, decrypter: Decrypter) -> tuple[bytes, bool]:
    """Return the content key and True; a stand-in of its size and False where there is none."""
    size = _KEY_BYTES[found.algorithm]
    try:
        key = decrypter.unwrap(found.wrapped, oaep=found.oaep)
    except DecryptionFailed:
        key = b""
    return (key, True) if len(key) == size else (bytes(size), False)


def _failed() -> DecryptionFailed:
    return DecryptionFailed("decryption.failed", "part can not be decrypted")


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
    return _Encrypted(algorithm=algorithm, oaep=_WRITTEN_OAEP, wrapped=wrapped, cipher=cipher)


def _is_allowed(algorithm: str, policy: AlgorithmPolicy) -> bool:
    return algorithm in policy.ciphers and algorithm in _KEY_BYTES


def _read(octets: bytes, policy: AlgorithmPolicy) -> _Encrypted:
    data = _parse(octets)
    algorithm = _method(data).get("Algorithm", "")
    if not _is_allowed(algorithm, policy):
        raise DecryptionFailed("decryption.algorithm", "cipher is not allowed")
    key = _one(_one(data, DS, "KeyInfo"), XENC, "EncryptedKey")
    return _Encrypted(
        algorithm=algorithm,
        oaep=_oaep(_method(key), policy),
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
    try:
        return unbase64(element.text or "")
    except ValueError as exc:
        raise DecryptionFailed("decryption.form", "CipherValue is not base64") from exc


def _oaep(method: etree._Element, policy: AlgorithmPolicy) -> Oaep:
    """Read the hashes; SHA-1 is the default of XML Encryption 1.1, 5.5.2, for both."""
    algorithm = method.get("Algorithm", "")
    if algorithm not in policy.key_transports or algorithm not in {RSA_OAEP, RSA_OAEP_MGF1P}:
        raise DecryptionFailed("decryption.algorithm", "key transport is not allowed")
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
