import re
from base64 import b64decode, b64encode
from dataclasses import replace
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.directory import Encryption
from gateway.errors import DecryptionFailed, PolicyViolation
from gateway.message import Part, Payload
from gateway.security import ciphers, xenc
from gateway.security.algorithms import (
    AES128_GCM,
    AES256_GCM,
    DIGIKOPPELING,
    RSA_OAEP,
    RSA_OAEP_MGF1P,
    AlgorithmPolicy,
)
from gateway.security.xenc import decrypt_part, encrypt_part, is_encrypted
from gateway.wire import xml
from tests.pki import leaf
from tests.sealing import ALICE, BOB, keys, octets_from

XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
PLAIN = b'<?xml version="1.0"?>\r\n<secret/>'
HASHES = {
    "sha1": (hashes.SHA1(), "http://www.w3.org/2000/09/xmldsig#sha1"),
    "sha256": (hashes.SHA256(), f"{XENC}sha256"),
    "sha384": (hashes.SHA384(), "http://www.w3.org/2001/04/xmldsig-more#sha384"),
    "sha512": (hashes.SHA512(), f"{XENC}sha512"),
}


def bob() -> bytes:
    return leaf(BOB, "encrypt").certificate


def encrypt(octets: bytes = PLAIN, algorithm: str = AES256_GCM) -> Part:
    return encrypt_part(
        Payload(content_id="payload-1@alice.example", octets=octets),
        Encryption(algorithm=algorithm, certificate=bob()),
        media_type="application/xml",
        random=octets_from(),
    )


def decrypt(part: Part, *, policy: AlgorithmPolicy = DIGIKOPPELING, oin: str = BOB) -> bytes:
    decrypter = keys().decrypter(leaf(oin, "encrypt").certificate)
    return decrypt_part(part, decrypter, policy=policy).octets


def refusal(part: Part, **options) -> DecryptionFailed:
    with pytest.raises(DecryptionFailed) as refused:
        decrypt(part, **options)
    return refused.value


def changed(old: str, new: str, *, count: int = 0) -> Part:
    octets, changes = re.subn(old.encode(), new.encode(), encrypt().octets, count=count)
    assert changes, old
    return Part("payload-1@alice.example", "application/xml", octets)


def foreign(*, transport: str, digest: str | None, mgf: str | None, inside: str = "") -> Part:
    """Return a part as other implementations spell it; None leaves the element out."""
    key, nonce = bytes(32), bytes(12)
    oaep = padding.OAEP(padding.MGF1(HASHES[mgf or "sha1"][0]), HASHES[digest or "sha1"][0], None)
    public = x509.load_der_x509_certificate(bob()).public_key()
    wrapped = b64encode(public.encrypt(key, oaep)).decode()
    cipher = b64encode(nonce + AESGCM(key).encrypt(nonce, PLAIN, None)).decode()
    methods = (f'<d:DigestMethod Algorithm="{HASHES[digest][1]}"/>' if digest else "") + (
        f'<f:MGF xmlns:f="{XENC11}" Algorithm="{XENC11}mgf1{mgf}"/>' if mgf else ""
    )
    octets = f"""<EncryptedData xmlns="{XENC}" Id="7b0e no id" Type="{XENC}Element">
      <EncryptionMethod Algorithm="{AES256_GCM}"/>
      <d:KeyInfo xmlns:d="http://www.w3.org/2000/09/xmldsig#"><EncryptedKey>
        <EncryptionMethod Algorithm="{transport}">{methods}{inside}</EncryptionMethod>
        <CipherData><CipherValue>{wrapped[:64]}&#13;
{wrapped[64:]}</CipherValue></CipherData></EncryptedKey></d:KeyInfo>
      <CipherData><CipherValue>{cipher}</CipherValue></CipherData>
    </EncryptedData>"""
    return Part("x", "application/xml", octets.encode())


@pytest.mark.parametrize("algorithm", [AES128_GCM, AES256_GCM])
@pytest.mark.parametrize("octets", [PLAIN, b"", bytes(range(256)) * 100])
def test_what_we_encrypt_decrypts_to_the_same_octets(algorithm, octets):
    assert decrypt(encrypt(octets, algorithm)) == octets


def test_the_part_has_the_form_that_partners_expect():
    root = xml.parse(encrypt().octets)

    assert root.tag == f"{{{XENC}}}EncryptedData"
    assert root.get("MimeType") == "application/xml"
    assert root.get("Type") == f"{XENC}Element"
    assert root.get("Id") == "_payload-1_alice.example"
    assert BOB in root.findtext(".//{*}EncryptedKey/{*}KeyInfo/{*}KeyName", "")
    assert is_encrypted(encrypt())


def test_names_in_the_certificate_can_not_break_the_document():
    odd = Payload(content_id='a"<&>b', octets=PLAIN)
    how = Encryption(algorithm=AES256_GCM, certificate=bob())

    part = encrypt_part(odd, how, media_type='x/"<y', random=octets_from())

    assert xml.parse(part.octets).get("MimeType") == 'x/"<y'
    assert decrypt(part) == PLAIN


@pytest.mark.parametrize(
    ("transport", "digest", "mgf"),
    [
        (RSA_OAEP_MGF1P, None, None),
        (RSA_OAEP_MGF1P, "sha1", None),
        (RSA_OAEP_MGF1P, "sha256", None),
        (RSA_OAEP_MGF1P, "sha512", None),
        (RSA_OAEP, None, None),
        (RSA_OAEP, "sha256", None),
        (RSA_OAEP, "sha256", "sha256"),
        (RSA_OAEP, "sha384", "sha384"),
        (RSA_OAEP, "sha512", "sha1"),
    ],
)
def test_both_spellings_of_oaep_are_read(transport, digest, mgf):
    assert decrypt(foreign(transport=transport, digest=digest, mgf=mgf)) == PLAIN


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("xmlenc11#aes256-gcm", "xmlenc11#aes192-gcm", "decryption.algorithm"),
        (f"{XENC11}aes256-gcm", f"{XENC}aes256-cbc", "decryption.algorithm"),
        (f"{XENC11}rsa-oaep", f"{XENC}rsa-1_5", "decryption.algorithm"),
        ("mgf1sha256", "mgf1sha224", "decryption.algorithm"),
        (f"{XENC}sha256", f"{XENC}ripemd160", "decryption.algorithm"),
        ("xenc:EncryptedKey", "xenc:OtherKey", "decryption.form"),
        ("<xenc:CipherData>.*?</xenc:CipherData>", "", "decryption.form"),
        ("<xenc:CipherValue>", "<xenc:CipherValue>%", "decryption.form"),
        ("(<xenc:EncryptionMethod [^>]*/>)", r"\1\1", "decryption.form"),
        ("(<xenc:EncryptedKey>.*</xenc:EncryptedKey>)", r"\1\1", "decryption.form"),
        ("(<ds:DigestMethod[^>]*/>)", r"\1\1", "decryption.form"),
        ("xenc:EncryptedData", "xenc:Other", "decryption.not_encrypted"),
        ("^", "x", "decryption.not_encrypted"),
        ("<xenc:EncryptedData ", "<!DOCTYPE x><xenc:EncryptedData ", "decryption.not_encrypted"),
    ],
)
def test_other_forms_and_algorithms_are_refused(old, new, code):
    assert refusal(changed(old, new)).code == code


@pytest.mark.parametrize("field", ["ciphers", "key_transports"])
def test_empty_policy_allows_nothing(field):
    values = {name: getattr(DIGIKOPPELING, name) for name in DIGIKOPPELING.__slots__}
    policy = AlgorithmPolicy(**{**values, field: frozenset()})

    assert refusal(encrypt(), policy=policy).code == "decryption.algorithm"


def test_a_label_is_refused():
    label = f'<OAEPparams xmlns="{XENC}">eA==</OAEPparams>'
    part = foreign(transport=RSA_OAEP, digest="sha256", mgf="sha256", inside=label)

    assert refusal(part).code == "decryption.algorithm"


def test_plain_part_is_refused():
    plain = Part("x", "application/xml", PLAIN)

    assert refusal(plain).code == "decryption.not_encrypted"
    assert not is_encrypted(plain)


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (b"<EncryptedData/>", True),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a --><!-- > -->\n<x:EncryptedData >", True),
        (b"<a><x:EncryptedData/></a>", False),
        (b"<!-- <EncryptedData/> --><a/>", False),
        (b"<EncryptedDataSet/>", False),
        (b"<!--" * 2000, False),
        (b"", False),
    ],
)
def test_an_encrypted_part_is_known_by_its_root(octets, found):
    assert is_encrypted(Part("x", "application/xml", octets)) is found


def values_of(part: Part) -> list[bytes]:
    return [b64decode(v) for v in re.findall(rb"CipherValue>([^<]+)<", part.octets)]


def with_values(wrapped: bytes, cipher: bytes) -> Part:
    new = iter((b64encode(wrapped), b64encode(cipher)))
    octets = re.sub(
        rb"CipherValue>[^<]+<", lambda _: b"CipherValue>" + next(new) + b"<", encrypt().octets
    )
    return Part("x", "application/xml", octets)


def wrapped_for_bob(key: bytes) -> bytes:
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return x509.load_der_x509_certificate(bob()).public_key().encrypt(key, oaep)


def flipped(octets: bytes, at: int) -> bytes:
    changed = bytearray(octets)
    changed[at] ^= 1
    return bytes(changed)


@cache
def failing() -> dict[str, Part]:
    """Return parts of which another step fails, each for a reason of its own."""
    wrapped, cipher = values_of(encrypt())
    nonce = bytes(12)
    for_stand_in = nonce + AESGCM(bytes(32)).encrypt(nonce, PLAIN, None)
    return {
        "wrapped key changed": with_values(flipped(wrapped, -1), cipher),
        "wrapped key too short": with_values(wrapped[:-1], cipher),
        "wrapped key of no octets that count": with_values(bytes(len(wrapped)), cipher),
        "content key of another size": with_values(wrapped_for_bob(bytes(16)), cipher),
        "content key of no size": with_values(wrapped_for_bob(b""), cipher),
        "nonce changed": with_values(wrapped, flipped(cipher, 0)),
        "cipher changed": with_values(wrapped, flipped(cipher, 14)),
        "tag changed": with_values(wrapped, flipped(cipher, -1)),
        "tag truncated": with_values(wrapped, cipher[:-1]),
        "made for the stand-in": with_values(flipped(wrapped, -1), for_stand_in),
        "other hash of OAEP": changed("mgf1sha256", "mgf1sha1"),
        "other cipher": changed("aes256-gcm", "aes128-gcm"),
    }


@pytest.mark.parametrize("name", failing())
def test_whichever_step_fails_answer_and_work_are_the_same(monkeypatch, name):
    """Operations are counted: of time only the machine could tell."""
    part, other = failing()[name], refusal(encrypt(), oin=ALICE)
    work: list[str] = []
    decrypter = keys().decrypter(bob())

    class Counting:
        certificate = bob()

        def unwrap(self, wrapped, *, oaep, size):
            work.append("unwrap")
            return decrypter.unwrap(wrapped, oaep=oaep, size=size)

    class CountingCipher:
        def __init__(self, key):
            work.append("cipher")
            self.real = AESGCM(key)

        def decrypt(self, nonce, octets, also):
            work.append("decrypt")
            return self.real.decrypt(nonce, octets, also)

    monkeypatch.setattr(ciphers, "AESGCM", CountingCipher)
    with pytest.raises(DecryptionFailed) as refused:
        decrypt_part(part, Counting(), policy=DIGIKOPPELING)

    assert (str(refused.value), refused.value.where) == (str(other), other.where)
    assert refused.value.code == "decryption.failed"
    assert work == ["unwrap", "cipher", "decrypt"]


def test_a_cipher_without_a_tag_looks_the_same_and_touches_no_key():
    wrapped, _ = values_of(encrypt())

    class Untouched:
        certificate = bob()

        def unwrap(self, wrapped, *, oaep, size):
            raise AssertionError

    for length in (0, 12, 27):
        part = with_values(wrapped, bytes(length))
        with pytest.raises(DecryptionFailed) as refused:
            decrypt_part(part, Untouched(), policy=DIGIKOPPELING)
        assert str(refused.value) == str(refusal(encrypt(), oin=ALICE))


@cache
def sample() -> bytes:
    return encrypt().octets


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_flipped_bit_never_gives_other_octets(data):
    octets = bytearray(sample())
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= 1 << data.draw(st.integers(0, 7))

    try:
        found = decrypt(Part("x", "application/xml", bytes(octets)))
    except DecryptionFailed:
        return
    assert found == PLAIN


@pytest.mark.parametrize("algorithm", [f"{XENC}aes256-cbc", f"{XENC}tripledes-cbc", ""])
def test_forbidden_cipher_is_not_used_even_when_agreed(algorithm):
    with pytest.raises(PolicyViolation) as refused:
        encrypt(algorithm=algorithm)

    assert refused.value.code == "encryption.algorithm"


# --- what we write is read without a parser -------------------------------------------


def outcome(read, octets):
    try:
        return read(octets, DIGIKOPPELING)
    except DecryptionFailed:
        return None


@pytest.mark.parametrize("algorithm", [AES128_GCM, AES256_GCM])
def test_what_we_write_is_read_as_the_parser_reads_it(algorithm):
    octets = encrypt(algorithm=algorithm).octets

    assert xenc._read_written(octets, DIGIKOPPELING) == xenc._read(octets, DIGIKOPPELING)


@settings(deadline=None)
@given(
    at=st.integers(0, 2_000),
    put=st.sampled_from(
        [b"", b"<", b"&", b'"', b" ", b"=", b"A", b"\xff", b"\n", b"<!-- -->", b"]]>"]
    ),
    drop=st.integers(0, 3),
)
def test_what_is_read_without_a_parser_the_parser_reads_the_same(at, put, drop):
    octets = encrypt().octets
    changed = octets[: at % len(octets)] + put + octets[at % len(octets) + drop :]
    written = xenc._read_written(changed, DIGIKOPPELING)

    assert written is None or written == outcome(xenc._read, changed)


@pytest.mark.parametrize(
    "policy",
    [
        replace(DIGIKOPPELING, ciphers=frozenset({AES128_GCM})),
        replace(DIGIKOPPELING, key_transports=frozenset({RSA_OAEP_MGF1P})),
    ],
)
def test_the_policy_counts_for_what_we_write(policy):
    assert xenc._read_written(encrypt().octets, policy) is None
    assert refusal(encrypt(), policy=policy).code == "decryption.algorithm"
