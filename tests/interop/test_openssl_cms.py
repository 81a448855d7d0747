"""`openssl cms` and our S/MIME envelopes, in both directions."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import DecryptionFailed
from gateway.security.smime.enveloped import decrypt, encrypt
from tests.pki import leaf
from tests.sealing import ALICE, BOB, keys, octets_from

CONTENT = b"Content-Type: text/plain\r\n\r\nZorg\r\n" * 120
MAXIMUM = 10_000
OAEP = ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256")


def cms(*arguments: str, octets: bytes) -> bytes:
    command = ["openssl", "cms", "-binary", *arguments]
    return subprocess.run(command, input=octets, capture_output=True, check=True).stdout


def files(folder: Path, oin: str) -> tuple[str, str]:
    """Write the certificate and the key of a party; return where."""
    found = leaf(oin, "encrypt")
    certificate, key = folder / f"{oin}.crt", folder / f"{oin}.key"
    loaded = x509.load_der_x509_certificate(found.certificate)
    certificate.write_bytes(loaded.public_bytes(Encoding.PEM))
    key.write_bytes(found.key)
    return str(certificate), str(key)


def opened(octets: bytes) -> bytes:
    decrypter = keys().decrypter(leaf(BOB, "encrypt").certificate)
    return decrypt(octets, decrypter, maximum=MAXIMUM)


def test_openssl_decrypts_what_we_encrypt(tmp_path):
    certificate, key = files(tmp_path, BOB)
    octets = encrypt(
        CONTENT, leaf(BOB, "encrypt").certificate, maximum=MAXIMUM, random=octets_from()
    )

    shown = cms("-decrypt", "-inform", "DER", "-recip", certificate, "-inkey", key, octets=octets)

    assert shown == CONTENT


def test_we_decrypt_what_openssl_encrypts(tmp_path):
    for_bob = ("-recip", files(tmp_path, BOB)[0], *OAEP)
    for_alice = ("-recip", files(tmp_path, ALICE)[0], *OAEP)

    octets = cms(
        "-encrypt", "-outform", "DER", "-aes-256-gcm", *for_alice, *for_bob, octets=CONTENT
    )

    assert opened(octets) == CONTENT


@pytest.mark.parametrize(
    "options",
    [("-aes-256-cbc", True), ("-aes-128-gcm", True), ("-aes-256-gcm", False)],
    ids=["cbc", "short key", "PKCS#1 v1.5"],
)
def test_what_is_weaker_is_refused(tmp_path, options):
    cipher, with_oaep = options
    recipient = ("-recip", files(tmp_path, BOB)[0], *(OAEP if with_oaep else ()))
    octets = cms("-encrypt", "-outform", "DER", cipher, *recipient, octets=CONTENT)

    with pytest.raises(DecryptionFailed) as caught:
        opened(octets)

    assert caught.value.code == "decryption.failed"
