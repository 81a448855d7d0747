import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import DecryptionFailed, TooLarge
from gateway.security.smime.der import INTEGER, OCTET_STRING, NotDer, Reader, encode
from gateway.security.smime.enveloped import decrypt, encrypt
from gateway.security.smime.recipients import RECIPIENTS, Encryption
from tests.pki import leaf
from tests.sealing import ALICE, BOB, keys, octets_from

CONTENT = b"Content-Type: text/plain\r\n\r\nZorg\r\n"
MAXIMUM = 4096
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
KEY, NONCE = octets_from(7)(32), b"nonce of 12."


def made(content: bytes = CONTENT, **given) -> bytes:
    certificates = (leaf(BOB, "encrypt").certificate,)
    return encrypt(content, certificates, maximum=MAXIMUM, random=octets_from(), **given)


def opened(octets: bytes, oin: str = BOB, **given) -> bytes:
    ours = (leaf(oin, "encrypt").certificate,)
    return decrypt(octets, ours, keys(), maximum=MAXIMUM, **given)


def der(*, before: bytes = b"", **changes: bytes) -> bytes:
    """Build the message element by element, one of them other than it should be."""
    whole = Reader(Reader(made()).take(0x30))
    kind = whole.element()
    body = Reader(Reader(whole.take(0xA0)).take(0x30))
    version, recipients = body.element(), body.take(0x31)
    content, mac = Reader(body.take(0x30)), body.take(0x04)
    data, algorithm, cipher = content.element(), content.element(), content.take(0x80)
    ours = Reader(Reader(recipients).take(0x30))
    found = {
        "kind": kind,
        "version": version,
        "rid_version": ours.element(),
        "rid": ours.element(),
        "transport": ours.element(),
        "wrapped": ours.take(0x04),
        "data": data,
        "algorithm": algorithm,
        "cipher": cipher,
        "mac": mac,
        "attributes": b"",
    } | changes
    one = encode(
        0x30,
        *(found[name] for name in ("rid_version", "rid", "transport")),
        encode(0x04, found["wrapped"]),
    )
    enveloped = encode(
        0x30,
        found["version"],
        encode(0x31, found.get("recipients", before + one)),
        encode(0x30, found["data"], found["algorithm"], encode(0x80, found["cipher"])),
        found["attributes"],
        encode(0x04, found["mac"]),
    )
    return encode(0x30, found["kind"], encode(0xA0, enveloped))


def wrapped(key: bytes, scheme: padding.AsymmetricPadding = OAEP) -> bytes:
    certificate = keys().decrypter(leaf(BOB, "encrypt").certificate)
    return certificate._key.public_key().encrypt(key, scheme)


def gcm(nonce: bytes = NONCE, *size: bytes) -> bytes:
    return encode(
        0x30,
        bytes.fromhex("060960864801650304012e"),
        encode(0x30, encode(OCTET_STRING, nonce), *size),
    )


SEALED = AESGCM(KEY).encrypt(NONCE, CONTENT, None)
WITH_SHORT_KEY = AESGCM(KEY[:16]).encrypt(NONCE, CONTENT, None)
PKCS1 = encode(0x30, bytes.fromhex("06092a864886f70d010101"), b"\x05\x00")
CBC = encode(0x30, bytes.fromhex("060960864801650304012a"), encode(0x04, bytes(16)))
ENVELOPED = bytes.fromhex("06092a864886f70d010703")
SIGNED = bytes.fromhex("06092a864886f70d010702")
OTHER = encode(0xA2, b"")
"""A recipient by a key that was agreed on before."""

HOSTILE = {
    "plain_enveloped_data": lambda: der(kind=ENVELOPED),
    "signed_data": lambda: der(kind=SIGNED),
    "signed_data_inside": lambda: der(data=SIGNED),
    "cbc": lambda: der(algorithm=CBC),
    "tag_of_12_octets": lambda: der(
        wrapped=wrapped(KEY),
        algorithm=gcm(NONCE, encode(INTEGER, b"\x0c")),
        cipher=SEALED[:-16],
        mac=SEALED[-16:-4],
    ),
    "tag_of_default_size": lambda: der(
        wrapped=wrapped(KEY), algorithm=gcm(), cipher=SEALED[:-16], mac=SEALED[-16:-4]
    ),
    "tag_truncated": lambda: der(mac=SEALED[-16:-4]),
    "tag_empty": lambda: der(mac=b""),
    "nonce_empty": lambda: der(algorithm=gcm(b"", encode(INTEGER, b"\x10"))),
    "pkcs1_named": lambda: der(transport=PKCS1, wrapped=wrapped(KEY, padding.PKCS1v15())),
    "pkcs1_as_oaep": lambda: der(wrapped=wrapped(KEY, padding.PKCS1v15())),
    "other_key": lambda: der(wrapped=wrapped(KEY)),
    "short_key": lambda: der(
        wrapped=wrapped(KEY[:16]),
        algorithm=gcm(NONCE, encode(INTEGER, b"\x10")),
        cipher=WITH_SHORT_KEY[:-16],
        mac=WITH_SHORT_KEY[-16:],
    ),
    "attributes_outside_the_tag": lambda: der(attributes=encode(0xA1, b"")),
    "no_recipient": lambda: der(recipients=b""),
    "we_twice": lambda: der(before=our_recipient()),
    "too_many_recipients": lambda: der(before=OTHER * RECIPIENTS),
    "behind_the_end": lambda: made() + b"\x00",
    "length_that_never_ends": lambda: b"\x30\x80" + made()[4:],
    "too_deep": lambda: b"\x30\x80" * 2000 + b"\x00\x00" * 2000,
    "cbc_without_exception": lambda: made(encryption=Encryption.UNSAFE_CBC),
    "empty": lambda: b"",
}


def our_recipient() -> bytes:
    whole = Reader(Reader(made()).take(0x30))
    whole.element()
    enveloped = Reader(Reader(whole.take(0xA0)).take(0x30))
    enveloped.element()
    return enveloped.take(0x31)


def test_what_was_encrypted_is_read_by_its_recipient():
    assert opened(made()) == CONTENT
    assert opened(der()) == CONTENT


def test_a_message_for_others_too_is_read():
    assert opened(der(before=OTHER)) == CONTENT


@pytest.mark.parametrize("case", HOSTILE)
def test_whatever_is_wrong_the_answer_is_the_same(case):
    with pytest.raises(DecryptionFailed) as caught:
        opened(HOSTILE[case]())

    assert (caught.value.code, str(caught.value)) == answer_to_another()


def answer_to_another() -> tuple[str, str]:
    with pytest.raises(DecryptionFailed) as caught:
        opened(made(), ALICE)
    return caught.value.code, str(caught.value)


def test_an_answer_has_the_registered_code():
    assert answer_to_another()[0] == "decryption.failed"


def test_too_large_is_refused_before_anything_is_made():
    def no_dice(_size: int) -> bytes:
        raise AssertionError

    with pytest.raises(TooLarge) as caught:
        encrypt(b"12345", (leaf(BOB, "encrypt").certificate,), maximum=4, random=no_dice)

    assert caught.value.code == "smime.too_large"


@pytest.mark.parametrize("size", [MAXIMUM + 1, MAXIMUM * 100])
def test_too_large_is_refused_before_the_key_is_used(size):
    octets = der(cipher=bytes(size), wrapped=b"")

    with pytest.raises(TooLarge) as caught:
        opened(octets)

    assert caught.value.code == "smime.too_large"


@settings(deadline=None)
@given(st.data())
def test_a_flipped_bit_is_refused(data):
    octets = bytearray(made())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(DecryptionFailed):
        opened(bytes(octets))


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 500))
def test_garbage_gives_our_error(garbage, at):
    octets = made()

    with pytest.raises(DecryptionFailed):
        opened(garbage)
    with pytest.raises(DecryptionFailed):
        opened(octets[:at] + garbage + b"\x00" + octets[at:])


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 65536])
def test_der_is_read_as_it_was_written(size):
    reader = Reader(encode(OCTET_STRING, bytes(size)))

    assert reader.take(OCTET_STRING) == bytes(size)
    reader.finish()


@pytest.mark.parametrize(
    "octets", ["", "04", "0401", "048101aa", "04820080", "0480", "048500000000", "1f0100", "0201aa"]
)
def test_other_spellings_are_not_der(octets):
    with pytest.raises(NotDer):
        Reader(bytes.fromhex(octets)).take(OCTET_STRING)
