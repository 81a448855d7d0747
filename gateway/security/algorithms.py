"""Algorithm URIs, the allow-list, and the two things a private key does."""

from dataclasses import dataclass, replace
from typing import Protocol

from gateway.wire.ebms2 import names

C14N_EXCLUSIVE = names.C14N_EXCLUSIVE
C14N_INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = names.ENVELOPED
XPATH = names.XPATH

SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
RSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
RSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
RSA_PSS_SHA256 = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
"""For mail; no agreement on messages names it."""
PSS_SALT = 32
"""Octets of its salt."""
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
ECDSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"

AES128_GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
AES256_GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
AES128_CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
AES256_CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
TRIPLE_DES = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"

RSA_OAEP_MGF1P = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
RSA_OAEP = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
RSA_15 = names.RSA_15
MGF1_SHA1 = "http://www.w3.org/2009/xmlenc11#mgf1sha1"
MGF1_SHA256 = "http://www.w3.org/2009/xmlenc11#mgf1sha256"
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
"""Inside OAEP, where it is not relied on for collision resistance. A digest only by exception."""
RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmPolicy:
    """What may be used; an empty set allows nothing (DK-SEC SIGN001-004, ENC001-004)."""

    signatures: frozenset[str]
    digests: frozenset[str]
    canonicalizations: frozenset[str]
    ciphers: frozenset[str]
    key_transports: frozenset[str]
    minimum_rsa_bits: int = 2048


DIGIKOPPELING = AlgorithmPolicy(
    signatures=frozenset({RSA_SHA256, RSA_SHA384, RSA_SHA512, ECDSA_SHA256, ECDSA_SHA384}),
    digests=frozenset({SHA256, SHA384, SHA512}),
    canonicalizations=frozenset({C14N_EXCLUSIVE, C14N_INCLUSIVE}),
    ciphers=frozenset({AES128_GCM, AES256_GCM}),
    key_transports=frozenset({RSA_OAEP_MGF1P, RSA_OAEP}),
)


def authenticated(policy: AlgorithmPolicy) -> AlgorithmPolicy:
    """Return the policy for what is not signed: no cipher without a tag."""
    return replace(policy, ciphers=policy.ciphers & DIGIKOPPELING.ciphers)


class Signer(Protocol):
    """A private key that signs. `certificate` is its certificate, DER."""

    @property
    def certificate(self) -> bytes: ...

    def sign(self, data: bytes, *, algorithm: str) -> bytes:
        """Return the XMLDSig signature value (ECDSA: r||s) over `data`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Oaep:
    """Hashes of RSA-OAEP, as hash names: `sha1`, `sha256`, `sha384`, `sha512`."""

    digest: str = "sha256"
    mgf: str = "sha256"


@dataclass(frozen=True, slots=True)
class UnsafePkcs1:
    """RSA PKCS#1 v1.5 in the place of OAEP: where an exception is on file."""


class Decrypter(Protocol):
    """A private RSA key that unwraps content keys."""

    @property
    def certificate(self) -> bytes: ...

    def unwrap(self, wrapped: bytes, *, oaep: Oaep | UnsafePkcs1, size: int) -> bytes:
        """Return the content key of `size` octets.

        What was wrapped wrongly, or is no key of that size, gives as many random octets
        instead: nobody learns here that it failed, and nobody knows a key that fits.
        """
        ...


class Agreer(Protocol):
    """A private key on a curve."""

    @property
    def certificate(self) -> bytes: ...

    def agree(self, point: bytes) -> bytes:
        """Return the shared secret of ECDH with an uncompressed point of the same curve.

        Raises DecryptionFailed for what is no such point.
        """
        ...
