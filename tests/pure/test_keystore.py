from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from gateway.errors import Misconfigured
from gateway.keys.keystore import FileKeyring
from gateway.security.algorithms import ECDSA_SHA256, RSA_SHA256, Oaep, UnsafePkcs1
from gateway.security.primitives import verify_value
from tests.pki import KNOOPPUNT, POLITIE, leaf


def folder_with(path: Path, **files: bytes) -> Path:
    for name, octets in files.items():
        file = path / name.replace("_", ".")
        file.write_bytes(octets)
        file.chmod(0o600)
    return path


def refusal(folder: Path) -> Misconfigured:
    with pytest.raises(Misconfigured) as refused:
        FileKeyring(folder)
    return refused.value


def test_key_is_found_by_its_certificate_whatever_the_file_is_called(tmp_path):
    sign, encrypt = leaf(POLITIE, "sign"), leaf(POLITIE, "encrypt")
    ring = FileKeyring(folder_with(tmp_path, a_pem=encrypt.key, b_key=sign.key))

    signer = ring.signer(sign.certificate)

    assert signer.certificate == sign.certificate
    value = signer.sign(b"data", algorithm=RSA_SHA256)
    public = x509.load_der_x509_certificate(sign.certificate).public_key()
    verify_value(public, value, b"data", algorithm=RSA_SHA256)
    assert ring.holds(sign.certificate)
    assert not ring.holds(leaf(KNOOPPUNT, "sign").certificate)


@pytest.mark.parametrize("oaep", [Oaep(), Oaep(digest="sha1", mgf="sha1"), Oaep(mgf="sha1")])
def test_decrypter_unwraps_what_was_wrapped_for_its_certificate(tmp_path, oaep):
    mine = leaf(POLITIE, "encrypt")
    ring = FileKeyring(folder_with(tmp_path, a_key=mine.key))
    functions = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}
    wrapped = (
        x509.load_der_x509_certificate(mine.certificate)
        .public_key()
        .encrypt(
            b"k" * 32,
            padding.OAEP(padding.MGF1(functions[oaep.mgf]), functions[oaep.digest], None),
        )
    )
    decrypter = ring.decrypter(mine.certificate)

    assert decrypter.unwrap(wrapped, oaep=oaep, size=32) == b"k" * 32


@pytest.mark.parametrize("oaep", [Oaep(), UnsafePkcs1()])
@pytest.mark.parametrize("wrapped", [b"", bytes(256), b"\1" * 256, b"\1" * 255])
def test_what_is_wrapped_wrongly_gives_a_random_key_of_the_right_size(tmp_path, oaep, wrapped):
    mine = leaf(POLITIE, "encrypt")
    decrypter = FileKeyring(folder_with(tmp_path, a_key=mine.key)).decrypter(mine.certificate)

    found = [decrypter.unwrap(wrapped, oaep=oaep, size=size) for size in (16, 24, 32, 32)]

    assert [len(key) for key in found] == [16, 24, 32, 32]
    assert found[2] != found[3]


@pytest.mark.parametrize("size", [16, 31, 33])
def test_a_key_of_another_size_is_none(tmp_path, size):
    mine = leaf(POLITIE, "encrypt")
    decrypter = FileKeyring(folder_with(tmp_path, a_key=mine.key)).decrypter(mine.certificate)
    public = x509.load_der_x509_certificate(mine.certificate).public_key()
    wrapped = public.encrypt(b"k" * 32, padding.PKCS1v15())

    assert decrypter.unwrap(wrapped, oaep=UnsafePkcs1(), size=32) == b"k" * 32
    assert b"kkkk" not in decrypter.unwrap(wrapped, oaep=UnsafePkcs1(), size=size)


def test_missing_key_is_our_own_mistake(tmp_path):
    ring = FileKeyring(folder_with(tmp_path, a_key=leaf(POLITIE, "sign").key))

    for find in (ring.signer, ring.decrypter):
        with pytest.raises(Misconfigured) as refused:
            find(leaf(KNOOPPUNT, "sign").certificate)
        assert refused.value.code == "keys.missing"


def test_key_signs_only_with_algorithms_of_its_kind(tmp_path):
    mine = leaf(POLITIE, "sign")
    ring = FileKeyring(folder_with(tmp_path, a_key=mine.key))

    with pytest.raises(Misconfigured) as refused:
        ring.signer(mine.certificate).sign(b"data", algorithm=ECDSA_SHA256)

    assert refused.value.code == "keys.algorithm"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_key_that_others_can_read_stops_the_start(tmp_path, mode):
    folder_with(tmp_path, a_key=leaf(POLITIE, "sign").key)
    (tmp_path / "a.key").chmod(mode)

    refused = refusal(tmp_path)

    assert refused.code == "keys.permissions"
    assert refused.where.endswith("a.key")


def test_certificates_and_other_files_beside_the_keys_do_not_matter(tmp_path):
    mine = leaf(POLITIE, "sign")
    folder_with(tmp_path, a_key=mine.key, a_pem=mine.pem, README_md=b"PRIVATE KEY-----")
    (tmp_path / "a.pem").chmod(0o644)
    (tmp_path / "folder.key").mkdir()

    assert FileKeyring(tmp_path).holds(mine.certificate)


@pytest.mark.parametrize(
    "octets",
    [
        b"-----BEGIN PRIVATE KEY-----\nrubbish\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n-----END ENCRYPTED PRIVATE KEY-----\n",
    ],
)
def test_unreadable_key_stops_the_start(tmp_path, octets):
    assert refusal(folder_with(tmp_path, a_key=octets)).code == "keys.unreadable"


def test_key_with_a_passphrase_stops_the_start(tmp_path):
    key = serialization.load_pem_private_key(leaf(POLITIE, "sign").key, None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )

    assert refusal(folder_with(tmp_path, a_key=locked)).code == "keys.unreadable"


def test_missing_folder_stops_the_start(tmp_path):
    assert refusal(tmp_path / "none").code == "keys.folder"
