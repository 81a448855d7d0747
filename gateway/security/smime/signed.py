"""CMS SignedData (RFC 5652, 5; RFC 8551): one signer, RSA-PSS or ECDSA, SHA-256.

What is made has the signed attributes contentType, messageDigest, signingTime and
signingCertificateV2. Of what others made, RSA with PKCS#1 v1.5 and the longer digests of SHA-2 are
read too (RFC 8551, 2.1 and 2.2), and the content may stand beside it. Certificates and lists in
the message are not looked at: the certificates that may have signed come from the caller.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.errors import SignatureInvalid
from gateway.security.algorithms import Signer
from gateway.security.smime.ber import definite
from gateway.security.smime.der import (
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    NotDer,
    Reader,
    encode,
    oid,
    only,
    tagged,
)
from gateway.security.smime.naming import BY_KEY, issuer_and_serial, names_of
from gateway.security.smime.signatures import (
    SHA256,
    SHA256_NAME,
    Digest,
    digest_named,
    sign_value,
    verify_value,
)

ATTRIBUTES = 32
"""Signed attributes that are looked at."""

_SIGNED_DATA = oid("1.2.840.113549.1.7.2")
_DATA = oid("1.2.840.113549.1.7.1")
_CONTENT_TYPE = oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = oid("1.2.840.113549.1.9.4")
_SIGNING_TIME = oid("1.2.840.113549.1.9.5")
_SIGNING_CERTIFICATE_V2 = oid("1.2.840.113549.1.9.16.2.47")
_VERSION_1 = encode(INTEGER, b"\x01")
_VERSION_3 = encode(INTEGER, b"\x03")
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18
_UTC_TIME_ENDS = 2050
_TIME = re.compile(rb"[0-9]{12}(?:[0-9]{2})?Z")


# --- sign -------------------------------------------------------------------------------


def sign(content: bytes, signer: Signer, *, at: datetime, chain: Iterable[bytes] = ()) -> bytes:
    """Return the DER of a ContentInfo with the content in it, signed at `at` (aware).

    `chain`: DER of the authorities that a mail program is given beside the certificate.
    Raises Misconfigured `keys.algorithm` for a key that is neither RSA nor on a curve.
    """
    certificate = signer.certificate
    attributes = _attributes(content, certificate, at)
    algorithm, value = sign_value(encode(SET, attributes), signer)
    info = encode(
        SEQUENCE,
        _VERSION_1,
        issuer_and_serial(certificate),
        SHA256_NAME,
        encode(tagged(0), attributes),
        algorithm,
        encode(OCTET_STRING, value),
    )
    signed = encode(
        SEQUENCE,
        _VERSION_1,
        encode(SET, SHA256_NAME),
        encode(SEQUENCE, _DATA, encode(tagged(0), encode(OCTET_STRING, content))),
        encode(tagged(0), *sorted((certificate, *chain))),
        encode(SET, info),
    )
    return encode(SEQUENCE, _SIGNED_DATA, encode(tagged(0), signed))


def _attributes(content: bytes, certificate: bytes, at: datetime) -> bytes:
    """Return the signed attributes in the order of DER: a SET OF is sorted."""
    certificate_id = encode(SEQUENCE, encode(OCTET_STRING, SHA256.of(certificate)))
    made = (
        (_CONTENT_TYPE, _DATA),
        (_MESSAGE_DIGEST, encode(OCTET_STRING, SHA256.of(content))),
        (_SIGNING_TIME, _time(at)),
        (_SIGNING_CERTIFICATE_V2, encode(SEQUENCE, encode(SEQUENCE, certificate_id))),
    )
    return b"".join(sorted(encode(SEQUENCE, name, encode(SET, value)) for name, value in made))


def _time(at: datetime) -> bytes:
    """RFC 5652, 11.3: UTCTime until 2049."""
    moment = at.astimezone(UTC)
    if moment.year < _UTC_TIME_ENDS:
        return encode(_UTC_TIME, f"{moment:%y%m%d%H%M%SZ}".encode())
    return encode(_GENERALIZED_TIME, f"{moment:%Y%m%d%H%M%SZ}".encode())


# --- verify -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What the holder of one of the certificates signed, and nobody beside him."""

    content: bytes
    certificate: bytes
    """DER, one of those that were given."""
    signed_at: datetime | None
    """As the signer says; None when he does not."""


def verify(
    octets: bytes, certificates: Iterable[bytes], *, beside: bytes | None = None
) -> Verified:
    """Return what was signed by exactly one signer, who holds one of the certificates (DER).

    `beside` is the content that stands beside a signature without one. Whether the certificate
    may be used is for the caller to judge. Raises SignatureInvalid: `signature.form` for what is
    not such a SignedData, `.missing`, `.multiple`, `.certificate` for a signer who is none of
    them, `.algorithm`, `.digest` for other content than was signed, `.value`.
    """
    try:
        return _verify(definite(octets), tuple(certificates), beside)
    except NotDer as exc:
        raise SignatureInvalid("signature.form", "signature of the mail is not readable") from exc


def _verify(octets: bytes, certificates: tuple[bytes, ...], beside: bytes | None) -> Verified:
    # (1) One signer, over plain data that is either inside or beside, never both.
    content, infos = _take_apart(octets, beside)
    info = _signer_info(_one(infos))
    # (2) A certificate that the caller knows, not one that came along.
    certificate = _certificate_of(info.name, certificates)
    # (3) What the attributes say is true of the content and the certificate.
    attributes = _read_attributes(info.attributes)
    _check(attributes, content, certificate, info.digest)
    # (4) The attributes are what was signed.
    verify_value(
        info.value,
        encode(SET, info.attributes),
        algorithm=info.algorithm,
        digest=info.digest,
        certificate=certificate,
    )
    return Verified(content=content, certificate=certificate, signed_at=_signed_at(attributes))


def _take_apart(octets: bytes, beside: bytes | None) -> tuple[bytes, Reader]:
    """Return the content and the SignerInfos."""
    info = only(octets, SEQUENCE)
    info.expect(_SIGNED_DATA)
    signed = only(info.last(tagged(0)), SEQUENCE)
    signed.take(INTEGER)
    signed.take(SET)  # digest algorithms: each signer names its own again
    encapsulated = signed.inside(SEQUENCE)
    encapsulated.expect(_DATA)
    if encapsulated.more is (beside is not None):
        raise NotDer
    content = beside
    if content is None:
        content = Reader(encapsulated.last(tagged(0))).last(OCTET_STRING)
    for unread in (tagged(0), tagged(1)):  # certificates, revocation lists
        if signed.next_is(unread):
            signed.take(unread)
    return content, Reader(signed.last(SET))


def _one(infos: Reader) -> Reader:
    if not infos.more:
        raise SignatureInvalid("signature.missing", "nobody signed the mail")
    first = infos.inside(SEQUENCE)
    if infos.more:
        raise SignatureInvalid("signature.multiple", "more than one signed the mail")
    return first


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignerInfo:
    name: bytes
    """IssuerAndSerialNumber, or `[0]` with a key identifier."""
    digest: Digest
    attributes: bytes
    algorithm: bytes
    value: bytes


def _signer_info(fields: Reader) -> _SignerInfo:
    version, name = fields.element(), fields.element()
    if (version, name[0]) not in {(_VERSION_1, SEQUENCE), (_VERSION_3, BY_KEY)}:
        raise NotDer
    info = _SignerInfo(
        name=name,
        digest=digest_named(fields.element()),
        attributes=fields.take(tagged(0)),
        algorithm=fields.element(),
        value=fields.take(OCTET_STRING),
    )
    if fields.more:  # unsigned attributes: a time stamp, say
        fields.last(tagged(1))
    return info


def _certificate_of(name: bytes, certificates: tuple[bytes, ...]) -> bytes:
    for certificate in certificates:
        if name in names_of(certificate):
            return certificate
    raise SignatureInvalid("signature.certificate", "signer has none of the agreed certificates")


# --- attributes -------------------------------------------------------------------------


def _read_attributes(octets: bytes) -> dict[bytes, bytes]:
    """Return the value of each attribute; there is one of each, with one value."""
    reader, found = Reader(octets), dict[bytes, bytes]()
    for _ in range(ATTRIBUTES):
        if not reader.more:
            break
        fields = reader.inside(SEQUENCE)
        name, values = fields.element(), Reader(fields.last(SET))
        value = values.element()
        values.finish()
        if name in found:
            raise NotDer
        found[name] = value
    reader.finish()
    return found


def _check(
    attributes: dict[bytes, bytes], content: bytes, certificate: bytes, digest: Digest
) -> None:
    if attributes.get(_CONTENT_TYPE) != _DATA:
        raise NotDer
    if attributes.get(_MESSAGE_DIGEST) != encode(OCTET_STRING, digest.of(content)):
        raise SignatureInvalid("signature.digest", "content is not what was signed")
    named = attributes.get(_SIGNING_CERTIFICATE_V2)
    if named is not None and not _names(named, certificate):
        raise SignatureInvalid("signature.certificate", "signature names another certificate")


def _names(attribute: bytes, certificate: bytes) -> bool:
    """Tell whether the first ESSCertIDv2 (RFC 5035, 4) is that of the certificate."""
    first = only(attribute, SEQUENCE).inside(SEQUENCE).inside(SEQUENCE)
    digest = digest_named(first.element()) if first.next_is(SEQUENCE) else SHA256
    return first.take(OCTET_STRING) == digest.of(certificate)


def _signed_at(attributes: dict[bytes, bytes]) -> datetime | None:
    value = attributes.get(_SIGNING_TIME)
    if value is None:
        return None
    short = value[0] == _UTC_TIME
    text = Reader(value).last(_UTC_TIME if short else _GENERALIZED_TIME)
    if len(text) != (13 if short else 15) or not _TIME.fullmatch(text):
        raise NotDer
    if short:  # 1950 to 2049: RFC 5280, 4.1.2.5.1
        text = (b"19" if text >= b"5" else b"20") + text
    try:
        return datetime.strptime(text.decode(), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as exc:
        raise NotDer from exc
