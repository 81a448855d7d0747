"""How CMS names digests and signatures (RFC 5754, 4056, 5753), and whether a value verifies."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gateway.errors import Misconfigured, SignatureInvalid
from gateway.security.algorithms import ECDSA_SHA256, PSS_SALT, RSA_PSS_SHA256, Signer
from gateway.security.certificates import REMEMBERED, load_agreed, strong_key
from gateway.security.smime.der import (
    INTEGER,
    NULL,
    SEQUENCE,
    Reader,
    encode,
    oid,
    only,
    tagged,
)

_RSA = oid("1.2.840.113549.1.1.1")
_PSS = oid("1.2.840.113549.1.1.10")
_MGF1 = oid("1.2.840.113549.1.1.8")
_SALT_OCTETS = 2
"""Of the number that says how long a salt is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One of SHA-2, by all that names it."""

    oid: bytes
    of: Callable[[bytes], bytes]
    hash: hashes.HashAlgorithm
    rsa: bytes
    """`sha…WithRSAEncryption`."""
    ecdsa: bytes
    """AlgorithmIdentifier of `ecdsa-with-SHA…`: it has no parameters."""


def _digest(name: str, hash_: hashes.HashAlgorithm, number: int) -> Digest:
    return Digest(
        oid=oid(f"2.16.840.1.101.3.4.2.{number}"),
        of=lambda octets: hashlib.new(name, octets).digest(),
        hash=hash_,
        rsa=oid(f"1.2.840.113549.1.1.{10 + number}"),
        ecdsa=encode(SEQUENCE, oid(f"1.2.840.10045.4.3.{1 + number}")),
    )


SHA256 = _digest("sha256", hashes.SHA256(), 1)
_DIGESTS = (
    SHA256,
    _digest("sha384", hashes.SHA384(), 2),
    _digest("sha512", hashes.SHA512(), 3),
)
_BY_NAME = {
    encode(SEQUENCE, digest.oid, parameters): digest
    for digest in _DIGESTS
    for parameters in (b"", NULL)
}
"""AlgorithmIdentifier of a digest, its parameters absent or NULL (RFC 5754, 2)."""
SHA256_NAME = encode(SEQUENCE, SHA256.oid)
_WRITTEN = {
    RSA_PSS_SHA256: encode(
        SEQUENCE,
        _PSS,
        encode(
            SEQUENCE,
            encode(tagged(0), SHA256_NAME),
            encode(tagged(1), encode(SEQUENCE, _MGF1, SHA256_NAME)),
            encode(tagged(2), encode(INTEGER, bytes((PSS_SALT,)))),
        ),
    ),
    ECDSA_SHA256: SHA256.ecdsa,
}


def digest_named(algorithm: bytes) -> Digest:
    """Return the digest of an AlgorithmIdentifier; SignatureInvalid `signature.algorithm`."""
    found = _BY_NAME.get(algorithm)
    if found is None:
        raise _bad_algorithm()
    return found


def sign_value(data: bytes, signer: Signer) -> tuple[bytes, bytes]:
    """Return the AlgorithmIdentifier and the value: RSA-PSS or ECDSA, with SHA-256.

    Raises Misconfigured `keys.algorithm` for a key that can do neither.
    """
    algorithm = _algorithm_for(signer.certificate)
    value = signer.sign(data, algorithm=algorithm)
    if algorithm == ECDSA_SHA256:
        value = _as_der(value)
    return _WRITTEN[algorithm], value


@lru_cache(maxsize=REMEMBERED)
def _algorithm_for(certificate: bytes) -> str:
    match load_agreed(certificate).public_key():
        case rsa.RSAPublicKey():
            return RSA_PSS_SHA256
        case ec.EllipticCurvePublicKey():
            return ECDSA_SHA256
        case _:
            raise Misconfigured("keys.algorithm", "signing mail needs an RSA or EC key")


def _as_der(value: bytes) -> bytes:
    """CMS writes r and s as DER (RFC 5753, 7.2), a Signer gives them side by side."""
    half = len(value) // 2
    r, s = (int.from_bytes(part, "big") for part in (value[:half], value[half:]))
    return encode_dss_signature(r, s)


def verify_value(
    value: bytes, data: bytes, *, algorithm: bytes, digest: Digest, certificate: bytes
) -> None:
    """Return when the holder of the certificate signed the data, with this digest.

    Raises SignatureInvalid `signature.algorithm`, `signature.value`; NotDer.
    """
    key = load_agreed(certificate).public_key()
    if not strong_key(key):
        raise _bad_algorithm()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(value, data, _padding(algorithm, digest), digest.hash)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm == digest.ecdsa:
            key.verify(value, data, ec.ECDSA(digest.hash))
        else:
            raise _bad_algorithm()
    except InvalidSignature as exc:
        raise SignatureInvalid("signature.value", "signature of the mail does not verify") from exc


def _padding(algorithm: bytes, digest: Digest) -> padding.AsymmetricPadding:
    fields = only(algorithm, SEQUENCE)
    name = fields.element()
    if name in {_RSA, digest.rsa}:
        fields.expect(NULL)
        fields.finish()
        return padding.PKCS1v15()
    if name != _PSS:
        raise _bad_algorithm()
    return _pss(Reader(fields.last(SEQUENCE)), digest)


def _pss(parameters: Reader, digest: Digest) -> padding.PSS:
    """What is left out means SHA-1 or a salt for it (RFC 4055, 3.1): nothing may be."""
    if digest_named(parameters.take(tagged(0))) is not digest:
        raise _bad_algorithm()
    mask = only(parameters.take(tagged(1)), SEQUENCE)
    mask.expect(_MGF1)
    if digest_named(mask.element()) is not digest:
        raise _bad_algorithm()
    salt = Reader(parameters.last(tagged(2))).last(INTEGER)
    if len(salt) > _SALT_OCTETS:
        raise _bad_algorithm()
    return padding.PSS(padding.MGF1(digest.hash), int.from_bytes(salt, "big"))


def _bad_algorithm() -> SignatureInvalid:
    return SignatureInvalid("signature.algorithm", "mail is signed with what is weak or unknown")
