"""`openssl cms` and our S/MIME envelopes and signatures, in both directions."""

from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest

from gateway.errors import DecryptionFailed, SignatureInvalid
from gateway.keys.test_pki import pem
from gateway.security.certificates import TrustStore
from gateway.security.smime import open_mail
from gateway.security.smime.enveloped import decrypt, encrypt
from gateway.security.smime.recipients import Encryption
from gateway.security.smime.signed import sign, verify
from gateway.wire.mail_make import entity
from tests.pki import AT, leaf, live, live_leaf, pki
from tests.sealing import ALICE, BOB, Keys, octets_from
from tests.smime import (
    ALICE_ADDRESS,
    BOB_ADDRESS,
    alice,
    bob,
    document,
    mailbox,
    on_curve,
    sealed,
    signer_of,
    to,
    write,
)
from tests.smime import opened as mail_opened
from tests.smime import openssl_cms as cms

CONTENT = b"Content-Type: text/plain\r\n\r\nZorg\r\n" * 120
MAXIMUM = 10_000
OAEP = ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256")


SIGNERS = {
    "RSA": lambda: leaf(ALICE, "sign"),
    "P-256": lambda: on_curve(ALICE, "sign", "P-256"),
    "P-384": lambda: on_curve(ALICE, "sign", "P-384"),
}


def files(folder: Path, oin: str) -> tuple[str, str]:
    return write(folder, leaf(oin, "encrypt"), oin)


RECIPIENTS = {
    "RSA": lambda: leaf(BOB, "encrypt"),
    "P-256": lambda: on_curve(BOB, "encrypt", "P-256"),
    "P-384": lambda: on_curve(BOB, "encrypt", "P-384"),
}
KDF = ("-keyopt", "ecdh_kdf_md:sha256")
CBC = Encryption.UNSAFE_CBC
PKCS1 = Encryption.UNSAFE_CBC_PKCS1


def opened(octets: bytes, found=None, encryption: Encryption = Encryption.GCM) -> bytes:
    found = found or leaf(BOB, "encrypt")
    return decrypt(
        octets, (found.certificate,), Keys(found), maximum=MAXIMUM, encryption=encryption
    )


@pytest.mark.parametrize("encryption", Encryption)
@pytest.mark.parametrize("kind", RECIPIENTS)
def test_openssl_decrypts_what_we_encrypt(tmp_path, kind, encryption):
    found = RECIPIENTS[kind]()
    certificate, key = write(tmp_path, found, "bob")
    octets = encrypt(
        CONTENT,
        (leaf(ALICE, "encrypt").certificate, found.certificate),
        maximum=MAXIMUM,
        random=octets_from(),
        encryption=encryption,
    )

    shown = cms("-decrypt", "-inform", "DER", "-recip", certificate, "-inkey", key, octets=octets)

    assert shown == CONTENT


@pytest.mark.parametrize("streamed", [(), ("-stream",)], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("cipher", "encryption"), [("-aes-256-gcm", Encryption.GCM), ("-aes-256-cbc", CBC)]
)
@pytest.mark.parametrize("kind", RECIPIENTS)
def test_we_decrypt_what_openssl_encrypts(tmp_path, kind, cipher, encryption, streamed):
    found = RECIPIENTS[kind]()
    for_alice = ("-recip", files(tmp_path, ALICE)[0], *OAEP)
    for_bob = ("-recip", write(tmp_path, found, "bob")[0], *(OAEP if kind == "RSA" else KDF))

    octets = cms(
        "-encrypt", "-outform", "DER", cipher, *streamed, *for_alice, *for_bob, octets=CONTENT
    )

    assert opened(octets, found, encryption) == CONTENT


def test_old_key_transport_is_read_by_exception(tmp_path):
    found = leaf(BOB, "encrypt")
    recipient = ("-recip", write(tmp_path, found, "bob")[0], "-keyid")

    octets = cms("-encrypt", "-outform", "DER", "-aes-256-cbc", *recipient, octets=CONTENT)

    assert opened(octets, found, PKCS1) == CONTENT


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


@pytest.mark.parametrize("kind", SIGNERS)
def test_openssl_verifies_what_we_sign(tmp_path, kind):
    found = SIGNERS[kind]()
    root = tmp_path / "root.pem"
    root.write_bytes(pem(pki().root))
    octets = sign(CONTENT, signer_of(found), at=AT, chain=(found.issuer,))

    moment = str(int(AT.timestamp()))
    shown = cms(
        *("-verify", "-inform", "DER", "-cades", "-CAfile", str(root), "-attime", moment),
        *("-purpose", "any"),
        octets=octets,
    )

    assert shown == CONTENT


@pytest.mark.parametrize(
    "options",
    [
        ("-md", "sha256", "-keyopt", "rsa_padding_mode:pss"),
        ("-md", "sha512", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"),
        ("-md", "sha256", "-cades"),
        ("-md", "sha384", "-keyid"),
    ],
    ids=["PSS", "PSS with SHA-512", "PKCS#1 v1.5", "by key identifier"],
)
def test_we_verify_what_openssl_signs(tmp_path, options):
    found = leaf(ALICE, "sign")

    octets = signed_by_openssl(tmp_path, found, *options)

    assert verify(octets, (found.certificate,)).content == CONTENT


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_we_verify_ecdsa_of_openssl(tmp_path, curve):
    found = on_curve(ALICE, "sign", curve)

    octets = signed_by_openssl(tmp_path, found, "-md", "sha384")

    assert verify(octets, (found.certificate,)).content == CONTENT


@pytest.mark.parametrize(
    ("options", "code"),
    [(("-md", "sha1"), "algorithm"), (("-md", "sha256", "-noattr"), "form")],
    ids=["SHA-1", "no attributes"],
)
def test_what_openssl_signs_weakly_is_refused(tmp_path, options, code):
    found = leaf(ALICE, "sign")
    octets = signed_by_openssl(tmp_path, found, *options)

    with pytest.raises(SignatureInvalid) as caught:
        verify(octets, (found.certificate,))

    assert caught.value.code == f"signature.{code}"


def test_we_verify_what_openssl_streams(tmp_path):
    found = leaf(ALICE, "sign")

    octets = signed_by_openssl(tmp_path, found, "-md", "sha256", "-stream")

    assert octets[1] == 0x80
    assert verify(octets, (found.certificate,)).content == CONTENT


def signed_by_openssl(folder: Path, found, *options: str) -> bytes:
    certificate, key = write(folder, found, "signer")
    signer = ("-signer", certificate, "-inkey", key)
    return cms("-sign", "-nodetach", "-outform", "DER", *signer, *options, octets=CONTENT)


# --- whole mails ------------------------------------------------------------------------


@pytest.mark.parametrize("encryption", Encryption)
def test_openssl_decrypts_and_verifies_our_mail(tmp_path, encryption):
    certificate, key = write(tmp_path, bob(), "bob")
    root = tmp_path / "root.pem"
    root.write_bytes(pem(pki().root))
    mail = sealed(to=to(encryption=encryption), chain=(leaf(ALICE, "sign").issuer,))

    signed = cms("-decrypt", "-recip", certificate, "-inkey", key, octets=mail.octets)
    moment = str(int(AT.timestamp()))
    shown = cms(
        *("-verify", "-CAfile", str(root), "-attime", moment, "-purpose", "any"), octets=signed
    )

    assert shown == mail_opened(mail.octets, mailbox(alice(encryption=encryption))).content
    assert message_from_bytes(shown).get_payload(1).get_payload(decode=True) == document()


@pytest.mark.parametrize("apart", [("-nodetach",), ()], ids=["opaque", "in the clear"])
def test_we_read_a_mail_of_openssl(tmp_path, apart):
    found = live_leaf(ALICE, "sign")
    certificate, key = write(tmp_path, found, "alice")
    content = entity({}, document(), kind="application/xml", name="bericht.xml")
    signer = ("-signer", certificate, "-inkey", key, "-keyopt", "rsa_padding_mode:pss")

    signed = cms("-sign", *signer, "-md", "sha256", "-crlfeol", *apart, octets=content)
    mail = cms(
        *("-encrypt", "-aes-256-gcm", "-crlfeol", "-from", ALICE_ADDRESS, "-to", BOB_ADDRESS),
        *("-recip", write(tmp_path, bob(), "bob")[0], *OAEP),
        octets=signed,
    )

    box = mailbox(alice(certificates=(found.certificate,)))
    shown = open_mail(crlf(mail), box, trust=TrustStore(live().trust()), at=datetime.now(UTC))
    assert shown.payloads == (document(),)


def crlf(mail: bytes) -> bytes:
    """Return the mail as SMTP brings it: openssl writes the lines of its machine."""
    return mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
