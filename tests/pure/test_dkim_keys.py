"""Keys that sign mail: what is too weak, or open to others, is not used."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.config_mail import EmailSettings
from gateway.errors import Misconfigured
from gateway.keys.dkim_keys import dkim_keys

FORM = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read(folder, octets, *, mode=0o600):
    path = folder / "dkim.pem"
    path.write_bytes(octets)
    path.chmod(mode)
    made = EmailSettings(
        domein="wij.example",
        afzender="b@wij.example",
        ehlo="uit.wij.example",
        dkim=[{"selector": "s1", "sleutel": Path("dkim.pem")}],
    )
    return dkim_keys(made, folder.joinpath)


def test_a_key_is_known_by_selector_and_domain(tmp_path):
    private = Ed25519PrivateKey.generate()
    (key,) = read(tmp_path, private.private_bytes(*FORM))

    assert key.name == "s1._domainkey.wij.example"
    assert key.private.public_key() == private.public_key()


@pytest.mark.parametrize(
    ("octets", "mode", "code"),
    [
        (b"geen sleutel", 0o600, "email.dkim_key"),
        (rsa.generate_private_key(65537, 1024).private_bytes(*FORM), 0o600, "email.dkim_key"),
        (ec.generate_private_key(ec.SECP256R1()).private_bytes(*FORM), 0o600, "email.dkim_key"),
        (Ed25519PrivateKey.generate().private_bytes(*FORM), 0o640, "keys.permissions"),
    ],
    ids=["no key", "short", "other kind", "open"],
)
def test_what_is_no_fit_key_stops_the_start(tmp_path, octets, mode, code):
    with pytest.raises(Misconfigured) as caught:
        read(tmp_path, octets, mode=mode)

    assert caught.value.code == code
    assert caught.value.where.endswith("dkim.pem")
