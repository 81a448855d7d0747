"""Digests and signature values of XML Signature, by algorithm URI."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from gateway.errors import Misconfigured, SignatureInvalid
from gateway.security.algorithms import (
    ECDSA_SHA256,
    ECDSA_SHA384,
    PSS_SALT,
    RSA_PSS_SHA256,
    RSA_SHA1,
    RSA_SHA256,
    RSA_SHA384,
    RSA_SHA512,
    SHA1,
    SHA256,
    SHA384,
    SHA512,
)

_DIGESTS: dict[str, str] = {
    SHA1: "sha1",  # by exception: whoever asks has asked the policy
    SHA256: "sha256",
    SHA384: "sha384",
    SHA512: "sha512",
}
_RSA: dict[str, hashes.HashAlgorithm] = {
    RSA_SHA256: hashes.SHA256(),
    RSA_SHA384: hashes.SHA384(),
    RSA_SHA512: hashes.SHA512(),
}
_VERIFIED: dict[str, hashes.HashAlgorithm] = _RSA | {
    RSA_SHA1: hashes.SHA1(),  # noqa: S303 - by exception; nothing is signed with it
}
_ECDSA: dict[str, hashes.HashAlgorithm] = {
    ECDSA_SHA256: hashes.SHA256(),
    ECDSA_SHA384: hashes.SHA384(),
}
_PKCS1V15 = padding.PKCS1v15()
_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), PSS_SALT)


def digest(octets: bytes, algorithm: str) -> bytes:
    """Return the digest by its XMLDSig URI; raise SignatureInvalid `signature.algorithm`."""
    name = _DIGESTS.get(algorithm)
    if name is None:
        raise SignatureInvalid("signature.algorithm", "digest algorithm is not supported")
    return hashlib.new(name, octets, usedforsecurity=False).digest()


def verify_value(key: PublicKeyTypes, value: bytes, data: bytes, *, algorithm: str) -> None:
    """Check an XMLDSig signature value; raise SignatureInvalid.

    `signature.value` when it does not verify, `signature.algorithm` when the algorithm is
    not one of this kind of key.
    """
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm in _VERIFIED:
            key.verify(value, data, _PKCS1V15, _VERIFIED[algorithm])
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm in _ECDSA:
            key.verify(_der(value, key.curve), data, ec.ECDSA(_ECDSA[algorithm]))
        else:
            raise SignatureInvalid("signature.algorithm", "algorithm does not fit the key")
    except InvalidSignature as exc:
        raise SignatureInvalid("signature.value", "signature value does not verify") from exc


def sign_value(key: PrivateKeyTypes, data: bytes, *, algorithm: str) -> bytes:
    """Return the signature value (ECDSA: r||s); raise Misconfigured `keys.algorithm`."""
    if isinstance(key, rsa.RSAPrivateKey) and algorithm in _RSA:
        return key.sign(data, _PKCS1V15, _RSA[algorithm])
    if isinstance(key, rsa.RSAPrivateKey) and algorithm == RSA_PSS_SHA256:
        return key.sign(data, _PSS, hashes.SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm in _ECDSA:
        return _raw(key.sign(data, ec.ECDSA(_ECDSA[algorithm])), key.curve)
    raise Misconfigured("keys.algorithm", "signature algorithm does not fit the key")


def _width(curve: ec.EllipticCurve) -> int:
    return (curve.key_size + 7) // 8


def _der(value: bytes, curve: ec.EllipticCurve) -> bytes:
    """XMLDSig writes r and s side by side at full width (XMLDSig 1.1, 6.4.3)."""
    width = _width(curve)
    if len(value) != 2 * width:
        raise InvalidSignature
    return encode_dss_signature(
        int.from_bytes(value[:width], "big"), int.from_bytes(value[width:], "big")
    )


def _raw(der: bytes, curve: ec.EllipticCurve) -> bytes:
    r, s = decode_dss_signature(der)
    width = _width(curve)
    return r.to_bytes(width, "big") + s.to_bytes(width, "big")
