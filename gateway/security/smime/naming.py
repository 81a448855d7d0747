"""How CMS names a certificate (RFC 5652, 5.3 and 6.2): by issuer and number, or by its key."""

from functools import lru_cache

from cryptography import x509

from gateway.security.certificates import REMEMBERED, load_agreed
from gateway.security.extensions import extension
from gateway.security.smime.der import SEQUENCE, Reader, encode, tagged

BY_KEY = tagged(0, constructed=False)


@lru_cache(maxsize=REMEMBERED)
def issuer_and_serial(certificate: bytes) -> bytes:
    """Return IssuerAndSerialNumber of a certificate; raises NotDer.

    With the octets of the certificate, which a Name that is built again may lose.
    """
    fields = Reader(certificate).inside(SEQUENCE).inside(SEQUENCE)
    fields.take(tagged(0))  # version
    serial = fields.element()
    fields.take(SEQUENCE)  # signature algorithm
    return encode(SEQUENCE, fields.element(), serial)


@lru_cache(maxsize=REMEMBERED)
def key_identifier(certificate: bytes) -> bytes | None:
    """Return the identifier that the certificate gives its key; None without."""
    found = extension(load_agreed(certificate).extensions, x509.SubjectKeyIdentifier)
    return None if found is None else found.digest


def names_of(certificate: bytes) -> frozenset[bytes]:
    """Return what a signature, or a key that was transported, may call the certificate."""
    found = key_identifier(certificate)
    by_key = () if found is None else (encode(BY_KEY, found),)
    return frozenset((issuer_and_serial(certificate), *by_key))
