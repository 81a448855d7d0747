from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Misconfigured, SignatureInvalid
from gateway.keys.keystore import SoftwareSigner
from gateway.security.algorithms import RSA_PSS_SHA256
from gateway.security.smime.der import INTEGER, NULL, OCTET_STRING, SEQUENCE, SET, encode, oid, only
from gateway.security.smime.signed import sign, verify
from tests.pki import AT, KNOOPPUNT, POLITIE, leaf, weak
from tests.sealing import load_key
from tests.smime import on_curve, rsa_signer, signer_of

CONTENT = b"Content-Type: text/plain\r\n\r\nZorg\r\n"
CERTIFICATE = leaf(POLITIE, "sign").certificate
OTHER = leaf(KNOOPPUNT, "sign").certificate
SHA1 = encode(SEQUENCE, oid("1.3.14.3.2.26"), NULL)
SHA256 = encode(SEQUENCE, oid("2.16.840.1.101.3.4.2.1"))
SHA512 = encode(SEQUENCE, oid("2.16.840.1.101.3.4.2.3"))
SHA1_WITH_RSA = encode(SEQUENCE, oid("1.2.840.113549.1.1.5"), NULL)
SHA256_WITH_RSA = encode(SEQUENCE, oid("1.2.840.113549.1.1.11"), NULL)
DATA = oid("1.2.840.113549.1.7.1")
SIGNED = oid("1.2.840.113549.1.7.2")
ENVELOPED = oid("1.2.840.113549.1.7.3")
COMPRESSED = oid("1.2.840.113549.1.9.16.1.9")
PSS = "1.2.840.113549.1.1.10"


def pss(digest_name: bytes, mask_name: bytes, salt: bytes = b"\x20") -> bytes:
    mask = encode(SEQUENCE, oid("1.2.840.113549.1.1.8"), mask_name)
    parameters = (
        encode(0xA0, digest_name),
        encode(0xA1, mask),
        encode(0xA2, encode(INTEGER, salt)),
    )
    return encode(SEQUENCE, oid(PSS), encode(SEQUENCE, *parameters))


PSS_DEFAULTS = encode(SEQUENCE, oid("1.2.840.113549.1.1.10"), encode(SEQUENCE))


def made(content: bytes = CONTENT) -> bytes:
    return sign(content, rsa_signer(), at=AT)


def attributes(**changes: bytes) -> bytes:
    """Return signed attributes, some of them other than they should be."""
    found = {
        "1.2.840.113549.1.9.3": changes.get("type", DATA),
        "1.2.840.113549.1.9.4": changes.get("digest", digest(CONTENT)),
    }
    if "time" in changes:
        found["1.2.840.113549.1.9.5"] = changes["time"]
    if "certificate" in changes:
        found["1.2.840.113549.1.9.16.2.47"] = changes["certificate"]
    pairs = [encode(SEQUENCE, oid(name), encode(SET, value)) for name, value in found.items()]
    return b"".join(sorted(pairs)) + changes.get("more", b"")


def digest(content: bytes) -> bytes:
    made_of = hashes.Hash(hashes.SHA256())
    made_of.update(content)
    return encode(OCTET_STRING, made_of.finalize())


def der(*, signer: SoftwareSigner | None = None, infos: int = 1, **changes: bytes) -> bytes:
    """Build the message element by element, one of them other than it should be."""
    signer = signer or rsa_signer()
    whole = only(made(), SEQUENCE)
    kind = whole.element()
    body = only(whole.last(0xA0), SEQUENCE)
    version, digests, content = body.element(), body.element(), body.element()
    certificates, info = body.element(), only(body.last(SET), SEQUENCE)
    found = {
        "kind": kind,
        "version": version,
        "digests": digests,
        "content": content,
        "certificates": certificates,
        "info_version": info.element(),
        "name": info.element(),
        "digest": info.element(),
        "attributes": info.take(0xA0),
        "algorithm": info.element(),
        "unsigned": b"",
    } | changes
    data = encode(SET, found["attributes"])
    value = found.get("value", signer.sign(data, algorithm=RSA_PSS_SHA256))
    parts = ("info_version", "name", "digest")
    one = encode(
        SEQUENCE,
        *(found[part] for part in parts),
        found.get("attributes_element", encode(0xA0, found["attributes"])),
        found["algorithm"],
        encode(OCTET_STRING, value),
        found["unsigned"],
    )
    fields = ("version", "digests", "content", "certificates")
    signed = encode(SEQUENCE, *(found[part] for part in fields), encode(SET, one * infos))
    return encode(SEQUENCE, found["kind"], encode(0xA0, signed))


def content(kind: bytes, octets: bytes = CONTENT) -> bytes:
    return encode(SEQUENCE, kind, encode(0xA0, encode(OCTET_STRING, octets)))


def pkcs1(attributes_: bytes, hash_: hashes.HashAlgorithm) -> bytes:
    key = load_key(leaf(POLITIE, "sign").key)
    return key.sign(encode(SET, attributes_), padding.PKCS1v15(), hash_)


def names(certificate: bytes) -> bytes:
    """Return the name of a certificate as a signature gives it."""
    info = only(sign(CONTENT, signer_of(of(certificate)), at=AT), SEQUENCE)
    info.element()
    body = only(info.last(0xA0), SEQUENCE)
    for _ in range(4):
        body.element()
    fields = only(body.last(SET), SEQUENCE)
    fields.element()
    return fields.element()


def of(certificate: bytes):
    return next(
        one for oin in (POLITIE, KNOOPPUNT) if (one := leaf(oin, "sign")).certificate == certificate
    )


def certificate_id(octets: bytes) -> bytes:
    return encode(SEQUENCE, encode(SEQUENCE, encode(SEQUENCE, digest(octets))))


TWICE = encode(SEQUENCE, oid("1.2.840.113549.1.9.4"), encode(SET, digest(CONTENT)))
TWO_VALUES = encode(SEQUENCE, oid("1.2.3.4"), encode(SET, NULL, NULL))

HOSTILE = {
    "enveloped_data": ("form", lambda: der(kind=ENVELOPED)),
    "compressed_data": ("form", lambda: der(kind=COMPRESSED)),
    "signed_inside_signed": ("form", lambda: der(content=content(SIGNED, made()))),
    "enveloped_inside_signed": ("form", lambda: der(content=content(ENVELOPED))),
    "without_content": ("form", lambda: der(content=encode(SEQUENCE, DATA))),
    "without_attributes": ("form", lambda: der(attributes_element=b"")),
    "attributes_empty": ("form", lambda: der(attributes=b"")),
    "attribute_twice": ("form", lambda: der(attributes=attributes(more=TWICE))),
    "attribute_of_two_values": ("form", lambda: der(attributes=attributes(more=TWO_VALUES))),
    "too_many_attributes": (
        "form",
        lambda: der(
            attributes=attributes(
                more=b"".join(
                    encode(SEQUENCE, oid(f"1.2.3.{n}"), encode(SET, NULL)) for n in range(40)
                )
            )
        ),
    ),
    "type_of_something_else": ("form", lambda: der(attributes=attributes(type=SIGNED))),
    "time_that_does_not_exist": (
        "form",
        lambda: der(attributes=attributes(time=encode(0x17, b"261350000000Z"))),
    ),
    "time_in_words": ("form", lambda: der(attributes=attributes(time=encode(0x17, b"vandaag")))),
    "behind_the_end": ("form", lambda: made() + b"\x00"),
    "empty": ("form", lambda: b""),
    "version_of_another_name": ("form", lambda: der(info_version=b"\x02\x01\x03")),
    "nobody": ("missing", lambda: der(infos=0)),
    "signed_twice": ("multiple", lambda: der(infos=2)),
    "other_certificate": ("certificate", lambda: der(name=names(OTHER))),
    "names_another_certificate": (
        "certificate",
        lambda: der(attributes=attributes(certificate=certificate_id(OTHER))),
    ),
    "other_content": ("digest", lambda: der(content=content(DATA, b"iets anders"))),
    "digest_of_other_content": (
        "digest",
        lambda: der(attributes=attributes(digest=digest(b"iets anders"))),
    ),
    "digest_that_is_short": (
        "digest",
        lambda: der(attributes=attributes(digest=encode(OCTET_STRING, b""))),
    ),
    "key_of_another": (
        "value",
        lambda: der(signer=signer_of(leaf(KNOOPPUNT, "sign"))),
    ),
    "value_empty": ("value", lambda: der(value=b"")),
    "signature_over_the_content_itself": (
        "value",
        lambda: der(value=rsa_signer().sign(CONTENT, algorithm=RSA_PSS_SHA256)),
    ),
    "sha1": ("algorithm", lambda: der(digest=SHA1)),
    "sha1_signs": (
        "algorithm",
        lambda: der(
            algorithm=SHA1_WITH_RSA,
            attributes=attributes(),
            value=pkcs1(attributes(), hashes.SHA1()),
        ),
    ),
    "pss_with_sha1": ("algorithm", lambda: der(algorithm=pss(SHA1, SHA256))),
    "pss_with_another_digest": ("algorithm", lambda: der(algorithm=pss(SHA512, SHA256))),
    "pss_with_a_mask_by_sha1": ("algorithm", lambda: der(algorithm=pss(SHA256, SHA1))),
    "pss_with_salt_beyond_the_key": (
        "value",
        lambda: der(algorithm=pss(SHA256, SHA256, b"\x7f\xff")),
    ),
    "pss_with_salt_without_end": (
        "algorithm",
        lambda: der(algorithm=pss(SHA256, SHA256, b"\x7f" * 9)),
    ),
    "pss_by_default_is_sha1": ("form", lambda: der(algorithm=PSS_DEFAULTS)),
    "two_digests": ("algorithm", lambda: der(digest=SHA512, attributes=long_attributes())),
    "ecdsa_of_an_rsa_key": (
        "algorithm",
        lambda: der(algorithm=encode(SEQUENCE, oid("1.2.840.10045.4.3.2"))),
    ),
}


def long_attributes() -> bytes:
    made_of = hashes.Hash(hashes.SHA512())
    made_of.update(CONTENT)
    return attributes(digest=encode(OCTET_STRING, made_of.finalize()))


def code_of(octets: bytes, certificates=(CERTIFICATE,), **given) -> str:
    with pytest.raises(SignatureInvalid) as caught:
        verify(octets, certificates, **given)
    return caught.value.code


def test_what_was_signed_is_read():
    verified = verify(made(), (OTHER, CERTIFICATE))

    assert verified.content == CONTENT
    assert verified.certificate == CERTIFICATE
    assert verified.signed_at == AT


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_ecdsa_signs_too(curve):
    found = on_curve(curve=curve)

    octets = sign(CONTENT, signer_of(found), at=AT)

    assert verify(octets, (found.certificate,)).content == CONTENT
    assert code_of(octets) == "signature.certificate"


def test_the_same_elements_give_the_same_message():
    assert verify(der(), (CERTIFICATE,)).content == CONTENT


def test_the_certificates_of_authorities_go_along():
    octets = sign(CONTENT, rsa_signer(), at=AT, chain=(leaf(POLITIE, "sign").issuer,))

    assert leaf(POLITIE, "sign").issuer in octets
    assert verify(octets, (CERTIFICATE,)).content == CONTENT


def test_rsa_with_pkcs1_is_read():
    found = attributes()
    octets = der(attributes=found, algorithm=SHA256_WITH_RSA, value=pkcs1(found, hashes.SHA256()))

    assert verify(octets, (CERTIFICATE,)).signed_at is None


def test_unsigned_attributes_are_passed_over():
    assert verify(der(unsigned=encode(0xA1, TWO_VALUES)), (CERTIFICATE,)).content == CONTENT


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), b"491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), b"20500101000000Z"),
    ],
)
def test_a_moment_has_its_century(moment, written):
    octets = sign(CONTENT, rsa_signer(), at=moment)

    assert written in octets
    assert verify(octets, (CERTIFICATE,)).signed_at == moment


@pytest.mark.parametrize("case", HOSTILE)
def test_refused(case):
    code, build = HOSTILE[case]

    assert code_of(build()) == f"signature.{code}"


def test_nobody_is_known():
    assert code_of(made(), ()) == "signature.certificate"


def test_a_weak_key_does_not_count():
    octets = sign(CONTENT, signer_of(weak()), at=AT)

    assert code_of(octets, (weak().certificate,)) == "signature.algorithm"


def test_content_is_inside_or_beside_and_not_both():
    detached = der(content=encode(SEQUENCE, DATA))

    assert verify(detached, (CERTIFICATE,), beside=CONTENT).content == CONTENT
    assert code_of(detached, beside=b"iets anders") == "signature.digest"
    assert code_of(made(), beside=CONTENT) == "signature.form"


@settings(deadline=None)
@given(st.data())
def test_a_flipped_bit_is_refused_or_changes_nothing(data):
    octets = bytearray(made())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    try:
        verified = verify(bytes(octets), (CERTIFICATE,))
    except SignatureInvalid:
        return
    assert (verified.content, verified.certificate, verified.signed_at) == (
        CONTENT,
        CERTIFICATE,
        AT,
    )


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 500))
def test_garbage_gives_our_error(garbage, at):
    octets = made()

    code_of(garbage)
    code_of(octets[:at] + garbage + b"\x00" + octets[at:])


def test_a_key_that_can_not_sign_mail_is_ours_to_mend():
    class Ed25519:
        certificate = ed25519()

    with pytest.raises(Misconfigured) as caught:
        sign(CONTENT, Ed25519(), at=AT)

    assert caught.value.code == "keys.algorithm"


def ed25519() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding

    key = Ed25519PrivateKey.generate()
    name = x509.Name([])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(AT)
        .not_valid_after(AT.replace(year=2027))
        .sign(key, None)
        .public_bytes(Encoding.DER)
    )
