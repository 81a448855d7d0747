"""Certificates, keys and octets for tests of secure e-mail."""

import subprocess
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.keys.keystore import SoftwareSigner
from gateway.keys.test_pki import Leaf
from tests.pki import NAMES, POLITIE, leaf, pki
from tests.sealing import load_key

CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}


@cache
def on_curve(oin: str = POLITIE, usage: str = "sign", curve: str = "P-256") -> Leaf:
    return pki().issue(oin=oin, name=NAMES[oin], usage=usage, curve=CURVES[curve])


def signer_of(found: Leaf) -> SoftwareSigner:
    return SoftwareSigner(found.certificate, load_key(found.key))


def rsa_signer() -> SoftwareSigner:
    return signer_of(leaf(POLITIE, "sign"))


def write(folder: Path, found: Leaf, name: str) -> tuple[str, str]:
    """Write certificate and key as PEM; return where."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    loaded = x509.load_der_x509_certificate(found.certificate)
    certificate.write_bytes(loaded.public_bytes(Encoding.PEM))
    key.write_bytes(found.key)
    return str(certificate), str(key)


def openssl_cms(*arguments: str, octets: bytes) -> bytes:
    command = ["openssl", "cms", "-binary", *arguments]
    return subprocess.run(command, input=octets, capture_output=True, check=True).stdout
