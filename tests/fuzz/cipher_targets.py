"""One encrypted part, and the ciphers."""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256

from gateway.directory import Encryption
from gateway.errors import DecryptionFailed
from gateway.message import Part, Payload
from gateway.security import algorithms as a
from gateway.security import xenc
from gateway.security.algorithms import DIGIKOPPELING, Oaep, UnsafePkcs1
from gateway.security.ciphers import CIPHERS
from gateway.security.xenc import decrypt_part, encrypt_part
from tests import pki
from tests.fuzz.choices import Choices
from tests.fuzz.open_targets import lenient
from tests.fuzz.target import Broken, Target
from tests.fuzz.tree_changes import xml_changed
from tests.sealing import BOB, DOCUMENT, octets_from
from tests.weak import part, sealed_by


class FixedKeys:
    """Unwraps to a key that follows from what was wrapped: a cipher text is good in every run."""

    certificate = b""

    def unwrap(self, wrapped: bytes, *, oaep: Oaep | UnsafePkcs1, size: int) -> bytes:
        return sha256(wrapped).digest()[:size]


def decrypt_any(octets: bytes) -> None:
    """`octets` are the part. It is read alike by the short way and by the long one."""
    part = Part("payload@x", "application/xml", octets)
    for policy in (DIGIKOPPELING, lenient()):
        shortly = xenc._read_written(octets, policy)
        if shortly is not None and shortly != xenc._read(octets, policy):
            raise Broken("without a parser another cipher text is read")
    xenc.is_encrypted(part)
    found = decrypt_part(part, FixedKeys(), policy=lenient())
    if found.cipher in {a.AES128_GCM, a.AES256_GCM} and found.octets != DOCUMENT:
        raise Broken("a cipher text with a tag was opened that nobody made")


def encrypted_seeds() -> Iterator[bytes]:
    key = sha256(_WRAPPED).digest()
    for cipher in CIPHERS:
        for transport in (a.RSA_OAEP, a.RSA_OAEP_MGF1P, a.RSA_15):
            fitting = key[: CIPHERS[cipher].key_bytes]
            sealed = sealed_by(cipher, fitting, DOCUMENT)
            made = part(
                "payload@x", cipher=cipher, transport=transport, wrapped=_WRAPPED, sealed=sealed
            )
            yield made.octets
    encryption = Encryption(
        algorithm=a.AES256_GCM, certificate=pki.leaf(BOB, "encrypt").certificate
    )
    payload = Payload(content_id="payload@x", octets=DOCUMENT)
    written = encrypt_part(payload, encryption, media_type="a/b", random=octets_from())
    values = (_WRAPPED, sealed_by(a.AES256_GCM, key, DOCUMENT))
    pieces = re.split(rb"(?<=CipherValue>)[^<]+(?=</)", written.octets)
    yield b"".join((pieces[0], b64encode(values[0]), pieces[1], b64encode(values[1]), pieces[2]))
    yield DOCUMENT


_WRAPPED = b"\x5a" * 256


def decipher(octets: bytes) -> None:
    """What was enciphered is deciphered; what was not gives octets or one answer."""
    choices = Choices(octets)
    cipher = CIPHERS[choices.one(sorted(CIPHERS))]
    key, start = sha256(choices.octets(1)).digest()[: cipher.key_bytes], bytes(cipher.start_bytes)
    content = choices.rest()
    made = cipher.encrypt(key, start, content)
    if not cipher.fits(len(made)) or cipher.decrypt(key, made) != content:
        raise Broken("what was enciphered is not deciphered")
    if cipher.fits(len(content)):
        cipher.decrypt(key, content)


# --- the table ------------------------------------------------------------------------

_DECRYPTION = (DecryptionFailed, ("decryption.",))

TARGETS = (
    Target(
        name="encrypted",
        run=decrypt_any,
        seeds=encrypted_seeds,
        raises=(_DECRYPTION,),
        change=xml_changed,
    ),
    Target(
        name="ciphers",
        run=decipher,
        seeds=lambda: (bytes((n, 0)) + b"a" * 48 for n in range(len(CIPHERS))),
        raises=((DecryptionFailed, ("decryption.failed",)),),
    ),
)
