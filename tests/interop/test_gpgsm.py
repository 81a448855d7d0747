"""`gpgsm` (GnuPG) and our S/MIME, in both directions; what it writes has neither OAEP nor GCM."""

import os
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from gateway.keys.test_pki import Leaf, pem
from gateway.security.smime import MailLimits
from gateway.security.smime.enveloped import decrypt, encrypt
from gateway.security.smime.recipients import Encryption
from gateway.security.smime.signed import sign, verify
from gateway.wire.mail_make import entity
from gateway.wire.mail_read import read_entity
from tests.pki import AT, KNOOPPUNT, POLITIE, leaf, pki
from tests.sealing import Keys, load_key, octets_from
from tests.smime import (
    alice,
    document,
    mail_of,
    mailbox,
    on_curve,
    opened,
    sealed,
    signer_of,
    to,
)

CONTENT = b"Content-Type: text/plain\r\n\r\nZorg\r\n" * 400
MAXIMUM = 40_000
OLD = Encryption.UNSAFE_CBC_PKCS1
LIMITS = MailLimits()
PASSPHRASE = b"niet geheim"
ALICE, BOB = leaf(POLITIE, "sign"), leaf(KNOOPPUNT, "encrypt")


class Gpgsm:
    """A home of its own, in which the test hierarchy is trusted and two keys are known."""

    def __init__(self, home: Path) -> None:
        self._home = home
        (home / "gpg-agent.conf").write_text(
            "s2k-count 1024\n"
        )  # else it measures, and keys are slow
        (home / "trustlist.txt").write_text(f"{fingerprint(pki().root)} S relax\n")
        for name, authority in (("root", pki().root), ("issuing", pki().issuing)):
            self.run("--import", self.write(f"{name}.pem", pem(authority)))
        for name, found in (("alice", ALICE), ("bob", BOB)):
            self.run("--import", self.write(f"{name}.p12", p12(found)))

    def run(self, *arguments: str) -> bytes:
        """Return what it writes; the clock stands at the moment of the hierarchy."""
        clock = ("--faked-system-time", f"{AT:%Y%m%dT%H%M%S}")
        secret = ("--pinentry-mode", "loopback", "--passphrase-fd", "0")
        command = (
            "gpgsm",
            "--batch",
            "--disable-crl-checks",
            "--disable-dirmngr",
            *clock,
            *secret,
            *arguments,
        )
        done = subprocess.run(
            command,
            input=PASSPHRASE + b"\n",
            capture_output=True,
            check=False,
            env=self._environment,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def write(self, name: str, octets: bytes) -> str:
        (self._home / name).write_bytes(octets)
        return str(self._home / name)

    def stop(self) -> None:
        subprocess.run(["gpgconf", "--kill", "all"], env=self._environment, check=True)

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "GNUPGHOME": str(self._home)}


def fingerprint(certificate: bytes) -> str:
    return sha1(certificate).hexdigest()


def p12(found: Leaf) -> bytes:
    """The only kind that it imports."""
    old = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(1000)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())
        .build(PASSPHRASE)
    )
    certificate = x509.load_der_x509_certificate(found.certificate)
    return pkcs12.serialize_key_and_certificates(None, load_key(found.key), certificate, None, old)


@pytest.fixture(scope="module")
def gpgsm() -> Iterator[Gpgsm]:
    # Its sockets stand in its home, and the path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="g") as home:
        made = Gpgsm(Path(home))
        yield made
        made.stop()


@pytest.mark.parametrize(
    "found", [ALICE, on_curve(POLITIE, "sign")], ids=["RSA-PSS", "ECDSA P-256"]
)
def test_it_verifies_what_we_sign(gpgsm, found):
    octets = sign(CONTENT, signer_of(found), at=AT, chain=(found.issuer,))
    shown = gpgsm.write("shown", b"")

    gpgsm.run("--yes", "--output", shown, "--verify", gpgsm.write("signed", octets))

    assert Path(shown).read_bytes() == CONTENT


def test_we_verify_what_it_signs(gpgsm):
    user = ("--local-user", fingerprint(ALICE.certificate))

    octets = gpgsm.run(*user, "--digest-algo", "SHA256", "--sign", gpgsm.write("plain", CONTENT))

    assert verify(octets, (ALICE.certificate,)).content == CONTENT


def test_we_verify_what_it_signs_apart(gpgsm):
    user = ("--local-user", fingerprint(ALICE.certificate))

    octets = gpgsm.run(*user, "--detach-sign", gpgsm.write("plain", CONTENT))

    assert verify(octets, (ALICE.certificate,), beside=CONTENT).content == CONTENT


def test_it_decrypts_what_we_encrypt_by_exception(gpgsm):
    octets = encrypt(
        CONTENT, (BOB.certificate,), maximum=MAXIMUM, random=octets_from(), encryption=OLD
    )

    assert gpgsm.run("--decrypt", gpgsm.write("sealed", octets)) == CONTENT


def test_we_decrypt_what_it_encrypts_by_exception(gpgsm):
    to = ("--recipient", fingerprint(BOB.certificate), "--cipher-algo", "AES256")

    octets = gpgsm.run(*to, "--encrypt", gpgsm.write("plain", CONTENT))

    ours = (BOB.certificate,)
    assert decrypt(octets, ours, Keys(BOB), maximum=MAXIMUM, encryption=OLD) == CONTENT


def test_it_reads_our_mail_by_exception(gpgsm):
    mail = sealed(to=to(BOB, encryption=OLD), chain=(ALICE.issuer,))
    envelope = read_entity(mail.octets, limits=LIMITS).decoded()

    inside = gpgsm.run("--decrypt", gpgsm.write("sealed", envelope))
    signed, shown = read_entity(inside, limits=LIMITS).decoded(), gpgsm.write("shown", b"")
    gpgsm.run("--yes", "--output", shown, "--verify", gpgsm.write("signed", signed))

    assert b64encode(document())[:60] in Path(shown).read_bytes()


def test_we_read_its_mail_by_exception(gpgsm):
    content = entity({}, document(), kind="application/xml")
    user = ("--local-user", fingerprint(ALICE.certificate), "--digest-algo", "SHA256")
    to_bob = ("--recipient", fingerprint(BOB.certificate), "--cipher-algo", "AES256")

    signed = gpgsm.run(*user, "--sign", gpgsm.write("plain", content))
    inside = entity({}, signed, kind="application/pkcs7-mime; smime-type=signed-data")
    envelope = gpgsm.run(*to_bob, "--encrypt", gpgsm.write("inside", inside))

    found = opened(mail_of(envelope), mailbox(alice(encryption=OLD)))
    assert found.payloads == (document(),)
    assert found.signed_at == AT
