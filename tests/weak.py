"""What a partner sends, made without the code that reads it; and its exceptions."""

import hashlib
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from lxml import etree

from gateway.config_algorithms import Weakness
from gateway.directory import AlgorithmException, Party
from gateway.message import Part
from gateway.security.algorithms import (
    AES128_CBC,
    AES128_GCM,
    AES256_CBC,
    AES256_GCM,
    C14N_EXCLUSIVE,
    RSA_15,
    RSA_OAEP_MGF1P,
    TRIPLE_DES,
)
from gateway.security.c14n import canonicalize, cut
from tests.pki import AT
from tests.sealing import load_key

XENC = "http://www.w3.org/2001/04/xmlenc#"
DS = "http://www.w3.org/2000/09/xmldsig#"
KEYS = {
    AES128_CBC: bytes(range(16)),
    AES256_CBC: bytes(range(32)),
    TRIPLE_DES: bytes(range(24)),
    AES256_GCM: b"\x42" * 32,
}
HASHES = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
PADDINGS = {RSA_15: padding.PKCS1v15(), RSA_OAEP_MGF1P: OAEP}


def block_of(cipher: str) -> int:
    return 8 if cipher == TRIPLE_DES else 16


def padded(octets: bytes, block: int) -> bytes:
    """The padding of XML Encryption: any octets, then how many there are."""
    size = block - len(octets) % block
    return octets + b"\xa5" * (size - 1) + bytes([size])


def raw_cbc(cipher: str, key: bytes, whole_blocks: bytes) -> bytes:
    """Return start and cipher text of what is padded already."""
    start = b"\x11" * block_of(cipher)
    make = TripleDES if cipher == TRIPLE_DES else AES
    encryptor = Cipher(make(key), modes.CBC(start)).encryptor()
    return start + encryptor.update(whole_blocks) + encryptor.finalize()


def sealed_by(cipher: str, key: bytes, octets: bytes) -> bytes:
    if cipher in {AES128_GCM, AES256_GCM}:
        return bytes(12) + AESGCM(key).encrypt(bytes(12), octets, None)
    return raw_cbc(cipher, key, padded(octets, block_of(cipher)))


def wrapped_by(transport: str, certificate: bytes, key: bytes) -> bytes:
    public = x509.load_der_x509_certificate(certificate).public_key()
    return public.encrypt(key, PADDINGS[transport])


def part(cid: str, *, cipher: str, transport: str, wrapped: bytes, sealed: bytes) -> Part:
    octets = f"""<EncryptedData xmlns="{XENC}" Type="{XENC}Element">
      <EncryptionMethod Algorithm="{cipher}"/>
      <d:KeyInfo xmlns:d="{DS}"><EncryptedKey><EncryptionMethod Algorithm="{transport}"/>
        <CipherData><CipherValue>{b64encode(wrapped).decode()}</CipherValue></CipherData>
      </EncryptedKey></d:KeyInfo>
      <CipherData><CipherValue>{b64encode(sealed).decode()}</CipherValue></CipherData>
    </EncryptedData>"""
    return Part(cid, "application/xml", octets.encode())


def encrypted(cid: str, octets: bytes, certificate: bytes, *, cipher: str, transport: str) -> Part:
    key = KEYS[cipher]
    return part(
        cid,
        cipher=cipher,
        transport=transport,
        wrapped=wrapped_by(transport, certificate, key),
        sealed=sealed_by(cipher, key, octets),
    )


def signed_again(envelope: bytes, octets: bytes, key: bytes, *, by: str, digests: str) -> bytes:
    """Return a signed envelope with one payload, signed again by the key (PEM).

    `by` and `digests` are URIs of the signature and of both digests.
    """
    tree, bare = etree.fromstring(envelope), etree.fromstring(envelope)
    cut(bare.find(f".//{{{DS}}}Signature"))
    info = tree.find(f".//{{{DS}}}SignedInfo")
    info.find(f"{{{DS}}}SignatureMethod").set("Algorithm", by)
    covered = (canonicalize(bare, C14N_EXCLUSIVE), octets)
    for reference, what in zip(info.findall(f"{{{DS}}}Reference"), covered, strict=True):
        reference.find(f"{{{DS}}}DigestMethod").set("Algorithm", digests)
        value = hashlib.new(digests.rpartition("#")[2], what).digest()
        reference.find(f"{{{DS}}}DigestValue").text = b64encode(value).decode()
    value = _signature(load_key(key), canonicalize(info, C14N_EXCLUSIVE), by)
    tree.find(f".//{{{DS}}}SignatureValue").text = b64encode(value).decode()
    return etree.tostring(tree)


def _signature(key, octets: bytes, by: str) -> bytes:
    hash_ = HASHES[by.rpartition("-")[2]]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        width = key.curve.key_size // 8
        pair = decode_dss_signature(key.sign(octets, ec.ECDSA(hash_)))
        return b"".join(number.to_bytes(width, "big") for number in pair)
    return key.sign(octets, padding.PKCS1v15(), hash_)


def allowing(party: Party, *what: Weakness, until: datetime | None = None) -> Party:
    """Return the party with these exceptions; without an end they last ten days."""
    ends = until or AT + timedelta(days=10)
    given = tuple(
        AlgorithmException(what=w, reason="adapter wordt vervangen", until=ends) for w in what
    )
    return replace(party, exceptions=given)
