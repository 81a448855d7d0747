"""Envelopes for keys on a curve, for several, by exception; and as programs stream them."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import DecryptionFailed, Misconfigured, PolicyViolation
from gateway.security.smime.ber import DEPTH, PIECES, definite
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
from gateway.security.smime.enveloped import decrypt, encrypt
from gateway.security.smime.recipients import Encryption
from tests.pki import KNOOPPUNT, OM, POLITIE, leaf
from tests.sealing import Keys, octets_from
from tests.smime import on_curve

CONTENT = b"Content-Type: text/plain\r\n\r\nZorg\r\n" * 9
MAXIMUM = 4096
CBC, PKCS1 = Encryption.UNSAFE_CBC, Encryption.UNSAFE_CBC_PKCS1

RSA = leaf(KNOOPPUNT, "encrypt")
P256 = on_curve(POLITIE, "encrypt", "P-256")
P384 = on_curve(OM, "encrypt", "P-384")
KEYS = Keys(RSA, P256, P384)


def made(*found, **given) -> bytes:
    certificates = [one.certificate for one in found]
    return encrypt(CONTENT, certificates, maximum=MAXIMUM, random=octets_from(), **given)


def opened(octets: bytes, *found, **given) -> bytes:
    return decrypt(octets, [one.certificate for one in found], KEYS, maximum=MAXIMUM, **given)


def refused(octets: bytes, *found, **given) -> None:
    with pytest.raises(DecryptionFailed) as caught:
        opened(octets, *found, **given)

    assert caught.value.code == "decryption.failed"


@pytest.mark.parametrize("encryption", Encryption)
@pytest.mark.parametrize("found", [RSA, P256, P384], ids=["RSA", "P-256", "P-384"])
def test_each_kind_of_key_reads_each_kind_of_envelope(found, encryption):
    octets = made(found, encryption=encryption)

    assert opened(octets, found, encryption=encryption) == CONTENT


def test_each_recipient_reads_it_and_nobody_else():
    octets = made(RSA, P256)

    assert opened(octets, RSA) == CONTENT
    assert opened(octets, P256) == CONTENT
    assert opened(octets, P384, P256) == CONTENT
    refused(octets, P384)


def test_without_recipients_nothing_is_made():
    with pytest.raises(PolicyViolation) as caught:
        made()

    assert caught.value.code == "encryption.key"


def test_each_exception_is_agreed_by_name():
    refused(made(RSA, encryption=CBC), RSA)
    refused(made(RSA, encryption=PKCS1), RSA, encryption=CBC)

    assert opened(made(RSA), RSA, encryption=PKCS1) == CONTENT
    assert opened(made(RSA, encryption=CBC), RSA, encryption=PKCS1) == CONTENT


def test_a_key_that_is_not_here_is_ours_to_mend():
    with pytest.raises(Misconfigured) as caught:
        decrypt(made(RSA), [RSA.certificate], Keys(), maximum=MAXIMUM)

    assert caught.value.code == "keys.missing"


@pytest.mark.parametrize("at", [1, 20, -1])
def test_cbc_that_was_changed_reads_as_something_else_or_not_at_all(at):
    """So the signature inside decides; here only our own error may come out."""
    octets = bytearray(made(RSA, encryption=CBC))
    octets[-at] ^= 1

    with suppress(DecryptionFailed):
        assert opened(bytes(octets), RSA, encryption=CBC) != CONTENT


# --- agreement on a key -------------------------------------------------------------------


def agreement(**changes: bytes) -> bytes:
    """Return the envelope for P-256 with the one recipient built anew."""
    whole = only(made(P256), SEQUENCE)
    kind, body = whole.element(), only(whole.last(tagged(0)), SEQUENCE)
    version, recipient = body.element(), only(body.take(SET), tagged(1))
    rest = [body.element(), body.element()]
    names = ("version", "originator", "material", "algorithm", "keys")
    found = {name: recipient.element() for name in names if name != "material"}
    found = {"material": b""} | found | changes
    one = encode(tagged(1), *(found[name] for name in names))
    enveloped = encode(SEQUENCE, version, encode(SET, one), *rest)
    return encode(SEQUENCE, kind, encode(tagged(0), enveloped))


def originator(point: bytes, kind: str = "1.2.840.10045.2.1") -> bytes:
    key = encode(tagged(1), encode(SEQUENCE, oid(kind)), encode(3, b"\x00", point))
    return encode(tagged(0), key)


def algorithm(kdf: str, wrapping: str) -> bytes:
    return encode(SEQUENCE, oid(kdf), encode(SEQUENCE, oid(wrapping)))


SHA256_KDF, AES256_WRAP = "1.3.132.1.11.1", "2.16.840.1.101.3.4.1.45"
HOSTILE = {
    "version_of_transport": {"version": encode(INTEGER, b"\x00")},
    "point_at_infinity": {"originator": originator(b"\x00")},
    "point_off_the_curve": {"originator": originator(b"\x04" + b"\x01" * 64)},
    "point_of_another_curve": {"originator": originator(b"\x04" + b"\x01" * 96)},
    "no_point": {"originator": originator(b"")},
    "key_of_another_kind": {"originator": originator(b"\x00" * 32, "1.3.101.110")},
    "bits_that_are_no_octets": {
        "originator": encode(
            tagged(0),
            encode(tagged(1), encode(SEQUENCE, oid("1.2.840.10045.2.1")), encode(3, b"\x01\x00")),
        )
    },
    "kdf_with_sha1": {"algorithm": algorithm("1.3.133.16.840.63.0.2", AES256_WRAP)},
    "smaller_wrap": {"algorithm": algorithm(SHA256_KDF, "2.16.840.1.101.3.4.1.5")},
    "other_material": {"material": encode(tagged(1), encode(OCTET_STRING, b"anders"))},
    "nobody": {"keys": encode(SEQUENCE)},
}


def test_the_same_elements_give_the_same_envelope():
    assert opened(agreement(), P256) == CONTENT


@pytest.mark.parametrize("case", HOSTILE)
def test_an_agreement_that_is_not_as_it_should_be_is_refused(case):
    refused(agreement(**HOSTILE[case]), P256)


@settings(deadline=None)
@given(st.data())
def test_a_flipped_bit_is_refused(data):
    octets = bytearray(agreement())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    refused(bytes(octets), P256)


# --- as programs stream -------------------------------------------------------------------


def streamed(octets: bytes, piece: int = 7) -> bytes:
    """Return the envelope as a program writes it that does not know yet how long it will be."""
    whole = only(octets, SEQUENCE)
    kind, body = whole.element(), only(whole.last(tagged(0)), SEQUENCE)
    head = body.element() + body.element()
    content = body.inside(SEQUENCE)
    inside = content.element() + content.element()
    sealed = content.last(tagged(0, constructed=False))
    pieces = b"".join(
        encode(OCTET_STRING, sealed[at : at + piece]) for at in range(0, len(sealed), piece)
    )
    rest = body.element() if body.more else b""
    enveloped = unsaid(SEQUENCE, head + unsaid(SEQUENCE, inside + unsaid(0xA0, pieces)) + rest)
    return unsaid(SEQUENCE, kind + unsaid(0xA0, enveloped))


def unsaid(tag: int, contents: bytes) -> bytes:
    return bytes((tag, 0x80)) + contents + b"\x00\x00"


@pytest.mark.parametrize("encryption", Encryption)
def test_what_was_streamed_is_read(encryption):
    octets = streamed(made(RSA, encryption=encryption))

    assert opened(octets, RSA, encryption=encryption) == CONTENT


def test_an_octet_string_in_pieces_is_one():
    pieces = encode(OCTET_STRING, b"een") + unsaid(0x24, encode(OCTET_STRING, b"twee"))

    assert definite(unsaid(0x24, pieces)) == encode(OCTET_STRING, b"eentwee")


BAD_BER = {
    "no_end": b"\x30\x80" + encode(OCTET_STRING, b"x"),
    "end_too_soon": unsaid(0x30, b"") + b"\x00",
    "primitive_without_length": b"\x04\x80x\x00\x00",
    "integer_in_an_octet_string": unsaid(0x24, encode(INTEGER, b"x")),
    "too_deep": b"\x30\x80" * (DEPTH + 2) + b"\x00\x00" * (DEPTH + 2),
    "too_many_pieces": unsaid(0x24, encode(OCTET_STRING) * (PIECES + 1)),
    "length_longer_than_it_must": unsaid(0x30, b"\x04\x81\x01x"),
}


@pytest.mark.parametrize("case", BAD_BER)
def test_ber_that_is_none_or_too_much_is_refused(case):
    with pytest.raises(NotDer):
        definite(BAD_BER[case])


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_ber_is_read_or_refused(octets):
    for one in (octets, b"\x30\x80" + octets, unsaid(0x24, octets)):
        try:
            Reader(definite(one)).element()
        except NotDer:
            continue


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=5))
def test_der_comes_back_from_its_streamed_form(contents):
    pieces = b"".join(encode(OCTET_STRING, one) for one in contents)

    assert definite(unsaid(SEQUENCE, pieces)) == encode(SEQUENCE, pieces)
