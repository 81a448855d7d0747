from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from gateway.directory import Trust
from gateway.errors import CertificateRejected, Misconfigured, RevocationUnknown
from gateway.keys.keystore import FileKeyring
from gateway.keys.test_pki import CRL_LIFE, Leaf, LeafUsage, TestPki
from gateway.security.certificates import TrustStore, Usage
from tests import pki

USES = {
    # PKIoverheid parties often have one certificate: digitalSignature signs messages too.
    "tls": {Usage.TLS_CLIENT, Usage.TLS_SERVER, Usage.SIGN},
    # Without extended use, so for mail as well.
    "sign": {Usage.SIGN, Usage.DOCUMENT, Usage.MAIL_SIGN},
    "encrypt": {Usage.ENCRYPT, Usage.MAIL_ENCRYPT},
}


def judged(leaf: Leaf, usage: Usage = Usage.SIGN, trust: Trust | None = None, at=pki.AT) -> str:
    """Return `good`, or the code of the refusal."""
    try:
        identity = TrustStore(trust or pki.trust()).judge(leaf.certificate, usage, at)
    except (CertificateRejected, RevocationUnknown) as refusal:
        return refusal.code
    return "good" if identity.oin == leaf.oin else "wrong oin"


@pytest.mark.parametrize("usage", LeafUsage)
@pytest.mark.parametrize("wanted", Usage)
def test_leaf_is_good_for_its_own_use_only(usage, wanted):
    expected = "good" if wanted in USES[usage] else "certificate.usage"

    assert judged(pki.leaf(pki.POLITIE, usage), wanted) == expected


@pytest.mark.parametrize(
    ("leaf", "code"),
    [
        (pki.expired, "certificate.expired"),
        (pki.not_yet_valid, "certificate.not_yet_valid"),
        (pki.unknown_issuer, "certificate.untrusted"),
        (pki.weak, "certificate.weak_key"),
    ],
)
def test_bad_leaf_is_bad_for_one_reason(leaf, code):
    assert judged(leaf()) == code


def test_revoked_leaf_is_on_the_list():
    leaf, trust = pki.revoked()

    assert judged(leaf, trust=trust) == "certificate.revoked"


def test_leaf_can_be_revoked_later():
    own = TestPki(pki.AT, authority_bits=2048)
    leaf = own.issue(oin=pki.OM, name="TEST OM", usage="sign")
    before = own.trust()
    own.revoke(leaf, at=pki.AT)

    assert judged(leaf, trust=before) == "good"
    assert judged(leaf, trust=own.trust()) == "certificate.revoked"


def test_lists_end():
    late = pki.AT + CRL_LIFE + timedelta(days=1)

    assert judged(pki.leaf(pki.OM, "sign"), at=late) == "certificate.revocation_unknown"


def test_leaf_without_oin_can_be_made():
    leaf = pki.pki().issue(oin="", name="TEST Zonder", usage="sign")

    assert judged(leaf) == "certificate.oin"


def test_names_are_those_of_the_hierarchy():
    leaf = x509.load_der_x509_certificate(pki.leaf(pki.POLITIE, "sign").certificate)
    root = x509.load_der_x509_certificate(pki.pki().root)
    said = {a.oid: a.value for a in leaf.subject}

    assert said[NameOID.SERIAL_NUMBER] == pki.POLITIE
    assert said[NameOID.ORGANIZATION_NAME] == "TEST Politie"
    assert "TEST Staat der Nederlanden Private Root CA" in root.subject.rfc4514_string()
    key = leaf.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 2048


def test_hosts_are_in_the_tls_certificate():
    leaf = pki.pki().issue(oin=pki.OM, name="TEST OM", hosts=("om.example", "10.0.0.1"))
    certificate = x509.load_der_x509_certificate(leaf.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["om.example"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]


def test_written_keys_serve_the_keyring_and_are_the_owners_alone(tmp_path):
    leaf = pki.leaf(pki.POLITIE, "sign")
    leaf.write(tmp_path / "keys", "sign")

    assert FileKeyring(tmp_path / "keys").signer(leaf.certificate).certificate == leaf.certificate
    assert (tmp_path / "keys" / "sign.key").stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten(tmp_path):
    leaf = pki.leaf(pki.POLITIE, "sign")
    leaf.write(tmp_path, "sign")
    with pytest.raises(Misconfigured) as caught:
        leaf.write(tmp_path, "sign")

    assert caught.value.code == "init.exists"
