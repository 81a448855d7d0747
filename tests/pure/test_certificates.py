import subprocess
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalogue import Role
from gateway.directory import Party, Trust
from gateway.errors import CertificateRejected, GatewayError, Misconfigured, RevocationUnknown
from gateway.message import Oin
from gateway.security.certificates import TrustStore, Usage, acts_for, oin_of, thumbprint
from gateway.security.revocation import read_lists
from tests import pki
from tests.pki import AT, POLITIE, leaf

DAY = timedelta(days=1)
FLAGS = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def key_usage(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{flag: flag in uses for flag in FLAGS})


USES = key_usage("digital_signature", "key_encipherment")
CA_USES = key_usage("key_cert_sign", "crl_sign")
POINT = x509.UniformResourceIdentifier("http://crl.example/a.crl")


def der(thing) -> bytes:
    return thing.public_bytes(serialization.Encoding.DER)


@cache
def ec_key(_: str = "") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def subject(name: str, oin: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if oin:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, oin))
    return x509.Name(parts)


@dataclass(frozen=True)
class Ca:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    def issue(  # what can be wrong with a certificate, each by name
        self,
        key=None,
        *,
        name: x509.Name | None = None,
        extensions: Iterable[x509.ExtensionType] = (USES,),
        critical: bool = False,
        period: tuple[datetime, datetime] = (AT - DAY, AT + DAY),
    ) -> x509.Certificate:
        issuer = self.certificate.subject
        return certificate(
            name or subject("leaf", POLITIE),
            issuer,
            (key or rsa_key()).public_key(),
            self.key,
            extensions=(
                *extensions,
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
            ),
            critical=critical,
            period=period,
        )

    def crl(
        self,
        *serials: int,
        period: tuple[datetime, datetime] = (AT - DAY, AT + DAY),
        scope: x509.IssuingDistributionPoint | None = None,
        extensions: Iterable[x509.ExtensionType] = (),
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(period[0])
            .next_update(period[1])
        )
        for extension in (*extensions, *((scope,) if scope else ())):
            builder = builder.add_extension(extension, critical=True)
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(AT)
            builder = builder.add_revoked_certificate(entry.build())
        return der(builder.sign(key or self.key, hashes.SHA256()))


def certificate(
    name,
    issuer,
    public,
    signer,
    *,
    extensions,
    critical=False,
    period=None,
):
    begin, end = period or (AT - DAY, AT + 3650 * DAY)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for extension in extensions:
        must = critical or isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
        builder = builder.add_extension(extension, critical=must)
    return builder.sign(signer, hashes.SHA256())


def authority(
    name: str, parent: Ca | None = None, *, uses=CA_USES, extra=(), key=None, **options
) -> Ca:
    key = key or ec_key(name)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    extensions = [x509.BasicConstraints(ca=True, path_length=None), uses, identifier, *extra]
    if parent is not None:
        key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(parent.key.public_key())
        extensions.append(key_id)
    issuer = parent.certificate.subject if parent else subject(name)
    signer = parent.key if parent else key
    made = certificate(
        subject(name), issuer, key.public_key(), signer, extensions=extensions, **options
    )
    return Ca(made, key)


@cache
def root() -> Ca:
    return authority("root")


@cache
def middle() -> Ca:
    return authority("middle", root())


def store(*crls: bytes, issuing: Ca | None = None) -> TrustStore:
    """Trust root and the issuing CA; without lists, take good ones."""
    ca = issuing or middle()
    lists = crls or (root().crl(), ca.crl())
    return TrustStore(
        Trust(anchors=(der(root().certificate),), intermediates=(der(ca.certificate),), crls=lists)
    )


def refusal(octets: bytes, usage: Usage = Usage.SIGN, at: datetime = AT, trust=None) -> str:
    with pytest.raises(GatewayError) as refused:
        (trust or store()).judge(octets, usage, at)
    return refused.value.code


# --- good -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "usages"),
    [
        ("tls", {Usage.TLS_CLIENT, Usage.TLS_SERVER, Usage.SIGN}),
        ("sign", {Usage.SIGN, Usage.DOCUMENT, Usage.MAIL_SIGN}),
        ("encrypt", {Usage.ENCRYPT, Usage.MAIL_ENCRYPT}),
    ],
)
def test_a_certificate_is_good_for_its_own_use_only(kind, usages):
    trust = TrustStore(pki.trust())
    octets = leaf(POLITIE, kind).certificate

    for usage in Usage:
        if usage in usages:
            assert trust.judge(octets, usage, AT).oin == POLITIE
        else:
            assert refusal(octets, usage, trust=trust) == "certificate.usage"


def test_identity_tells_who_and_until_when():
    octets = leaf(POLITIE, "sign").certificate

    identity = TrustStore(pki.trust()).judge(octets, Usage.SIGN, AT)

    assert identity.thumbprint == thumbprint(octets)
    assert identity.oin == oin_of(octets) == POLITIE
    assert f"serialNumber={POLITIE}" in identity.subject
    assert identity.not_after == x509.load_der_x509_certificate(octets).not_valid_after_utc


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_elliptic_keys_sign_but_do_not_encrypt(curve):
    octets = der(middle().issue(ec.generate_private_key(curve)))

    assert store().judge(octets, Usage.SIGN, AT)
    assert refusal(octets, Usage.ENCRYPT) == "certificate.weak_key"


def test_an_elliptic_key_for_agreement_encrypts_mail():
    octets = der(middle().issue(ec_key("leaf"), extensions=(key_usage("key_agreement"),)))

    assert store().judge(octets, Usage.MAIL_ENCRYPT, AT)
    assert refusal(octets, Usage.MAIL_SIGN) == "certificate.usage"


@pytest.mark.parametrize(
    ("extended", "good"),
    [(Eku.EMAIL_PROTECTION, True), (Eku.ANY_EXTENDED_KEY_USAGE, True), (Eku.CLIENT_AUTH, False)],
)
def test_mail_wants_a_certificate_for_mail(extended, good):
    extensions = (key_usage("digital_signature"), x509.ExtendedKeyUsage([extended]))
    octets = der(middle().issue(extensions=extensions))

    if good:
        assert store().judge(octets, Usage.MAIL_SIGN, AT)
    else:
        assert refusal(octets, Usage.MAIL_SIGN) == "certificate.usage"


# --- bad ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"", "certificate.malformed"),
        (b"\x30\x03\x02\x01\x00", "certificate.malformed"),
        (pki.expired().certificate, "certificate.expired"),
        (pki.not_yet_valid().certificate, "certificate.not_yet_valid"),
        (pki.unknown_issuer().certificate, "certificate.untrusted"),
        (pki.weak().certificate, "certificate.weak_key"),
    ],
)
def test_bad_leaf_is_refused(octets, code):
    assert refusal(octets, trust=TrustStore(pki.trust())) == code


def test_revoked_leaf_is_refused():
    found, trust = pki.revoked()

    assert refusal(found.certificate, trust=TrustStore(trust)) == "certificate.revoked"


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.BrainpoolP256R1()),
        ec.generate_private_key(ec.SECP224R1()),
    ],
)
def test_other_kinds_of_keys_are_refused(key):
    for usage in Usage:
        assert refusal(der(middle().issue(key)), usage) == "certificate.weak_key"


@pytest.mark.parametrize(
    ("extensions", "usage"),
    [
        ((), Usage.SIGN),
        ((), Usage.ENCRYPT),
        ((CA_USES,), Usage.SIGN),
        ((USES,), Usage.TLS_CLIENT),
        ((USES,), Usage.TLS_SERVER),
        ((USES, x509.ExtendedKeyUsage([Eku.SERVER_AUTH])), Usage.TLS_CLIENT),
        ((USES, x509.ExtendedKeyUsage([Eku.CLIENT_AUTH])), Usage.TLS_SERVER),
        ((USES, x509.ExtendedKeyUsage([Eku.ANY_EXTENDED_KEY_USAGE])), Usage.TLS_CLIENT),
        ((USES, x509.ExtendedKeyUsage([Eku.EMAIL_PROTECTION])), Usage.TLS_CLIENT),
        ((USES, x509.ExtendedKeyUsage([Eku.OCSP_SIGNING])), Usage.SIGN),
        ((USES, x509.ExtendedKeyUsage([Eku.TIME_STAMPING])), Usage.ENCRYPT),
    ],
)
def test_certificate_for_another_use_is_refused(extensions, usage):
    octets = der(middle().issue(extensions=extensions))

    assert refusal(octets, usage) in {"certificate.usage", "certificate.untrusted"}


@pytest.mark.parametrize(
    "name",
    [
        subject("none"),
        subject("short", "123"),
        subject("letters", "0000000100000000000a"),
        x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, c * 20) for c in "12"]),
    ],
)
def test_certificate_without_an_oin_is_refused(name):
    octets = der(middle().issue(name=name))

    assert refusal(octets) == "certificate.oin"
    with pytest.raises(CertificateRejected) as refused:
        oin_of(octets)
    assert refused.value.code == "certificate.oin"


def sha1_instead(octets: bytes, signed: bytes) -> bytes:
    """Return certificate or list with an RSA signature over SHA-1 instead of SHA-256."""
    sha256, sha1 = (bytes.fromhex(f"2a864886f70d0101{n}") for n in ("0b", "05"))
    value = rsa_key().sign(signed.replace(sha256, sha1), padding.PKCS1v15(), hashes.SHA1())
    return octets.replace(sha256, sha1)[: -len(value)] + value


def test_certificate_signed_with_sha1_is_refused():
    ca = authority("rsa", root(), key=rsa_key())
    good = ca.issue()
    bad = sha1_instead(der(good), good.tbs_certificate_bytes)
    trust = store(issuing=ca)

    assert trust.judge(der(good), Usage.SIGN, AT)
    assert refusal(bad, trust=trust) == "certificate.untrusted"


def test_list_signed_with_sha1_is_no_list():
    ca = authority("rsa", root(), key=rsa_key())
    good = ca.crl()
    bad = sha1_instead(good, x509.load_der_x509_crl(good).tbs_certlist_bytes)

    assert store(root().crl(), good, issuing=ca).judge(der(ca.issue()), Usage.SIGN, AT)
    with pytest.raises(RevocationUnknown):
        store(root().crl(), bad, issuing=ca).judge(der(ca.issue()), Usage.SIGN, AT)


def test_unknown_critical_extension_is_refused():
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")

    assert refusal(der(middle().issue(extensions=(USES, odd), critical=True))) == (
        "certificate.untrusted"
    )


def test_authority_is_no_leaf():
    assert refusal(der(middle().certificate)) == "certificate.untrusted"


def test_leaf_does_not_issue():
    key = ec_key("leaf")
    false_ca = Ca(middle().issue(key), key)
    octets = der(false_ca.issue())
    trust = TrustStore(
        Trust(
            anchors=(der(root().certificate),),
            intermediates=(der(middle().certificate), der(false_ca.certificate)),
            crls=(root().crl(), middle().crl(), false_ca.crl()),
        )
    )

    assert refusal(octets, trust=trust) == "certificate.untrusted"


def test_authority_for_another_use_can_not_vouch():
    only_server = authority("server", root(), extra=(x509.ExtendedKeyUsage([Eku.SERVER_AUTH]),))
    both = x509.ExtendedKeyUsage([Eku.SERVER_AUTH, Eku.CLIENT_AUTH])
    octets = der(only_server.issue(extensions=(USES, both)))
    trust = store(issuing=only_server)

    assert trust.judge(octets, Usage.TLS_SERVER, AT)
    assert refusal(octets, Usage.TLS_CLIENT, trust=trust) == "certificate.usage"


def test_expired_authority_can_not_vouch():
    old = authority("old", root(), period=(AT - 9 * DAY, AT - DAY))
    octets = der(old.issue(period=(AT - 5 * DAY, AT + DAY)))

    assert refusal(octets, trust=store(issuing=old)) == "certificate.untrusted"


def test_without_anchors_nobody_is_trusted():
    octets = leaf(POLITIE, "sign").certificate

    assert refusal(octets, trust=TrustStore(Trust(anchors=()))) == "certificate.untrusted"


def test_an_anchor_is_trusted_as_it_is():
    """A self-signed certificate counts where an operator makes it an anchor: in test only."""
    key = ec_key("self")
    name = subject("self", POLITIE)
    octets = der(certificate(name, name, key.public_key(), key, extensions=(USES,)))

    assert TrustStore(Trust(anchors=(octets,))).judge(octets, Usage.SIGN, AT).oin == POLITIE
    assert refusal(octets) == "certificate.untrusted"


def test_unreadable_anchor_stops_the_start():
    with pytest.raises(Misconfigured) as refused:
        TrustStore(Trust(anchors=(b"x",)))

    assert refused.value.code == "trust.malformed"


@settings(deadline=None)  # the first one makes the keys
@given(st.binary(max_size=100))
def test_rubbish_is_refused(octets):
    assert refusal(octets) == "certificate.malformed"


def test_a_signature_that_is_spelled_otherwise_is_refused():
    octets = bytearray(leaf(POLITIE, "sign").certificate)
    signature = x509.load_der_x509_certificate(bytes(octets)).signature
    octets[-len(signature) - 1] ^= 1

    for last in (octets[-1], octets[-1] & 0xFE):
        other = bytes(octets[:-1]) + bytes([last])
        with pytest.raises(CertificateRejected):
            TrustStore(pki.trust()).judge(other, Usage.SIGN, AT)


SERIAL_AT = 15
"""Where the serial number begins: behind two headers of four octets, the version and its own."""


@pytest.mark.parametrize("action", ["error", "ignore"])
def test_a_serial_number_that_is_not_positive_is_refused(action):
    octets = bytearray(leaf(POLITIE, "sign").certificate)
    octets[SERIAL_AT] |= 0x80

    with warnings.catch_warnings():
        warnings.simplefilter(action)
        assert refusal(bytes(octets)) == "certificate.malformed"


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_is_refused(bit):
    good = leaf(POLITIE, "sign").certificate
    trust = TrustStore(pki.trust())

    for at in range(len(good)):
        octets = bytearray(good)
        octets[at] ^= 1 << bit
        with pytest.raises(CertificateRejected):
            trust.judge(bytes(octets), Usage.SIGN, AT)


# --- the moment -----------------------------------------------------------------------


def test_what_was_good_is_judged_again_at_every_moment():
    trust = TrustStore(pki.trust())
    octets = leaf(POLITIE, "sign").certificate
    assert trust.judge(octets, Usage.SIGN, AT)

    assert refusal(octets, at=AT + 9999 * DAY, trust=trust) == "certificate.expired"
    assert refusal(octets, at=AT - 9 * DAY, trust=trust) == "certificate.not_yet_valid"
    assert trust.judge(octets, Usage.SIGN, AT)


def test_remembered_certificate_does_not_outlive_its_revocation_list():
    octets = der(middle().issue())
    trust = store(root().crl(), middle().crl(period=(AT - DAY, AT + DAY / 2)))
    assert trust.judge(octets, Usage.SIGN, AT)

    assert refusal(octets, at=AT + DAY / 2, trust=trust) == "certificate.revocation_unknown"


# --- revocation -----------------------------------------------------------------------

USER_ONLY = {"only_contains_user_certs": True}
AUTHORITY_ONLY = {"only_contains_ca_certs": True}


def scope(**fields) -> x509.IssuingDistributionPoint:
    base = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**{**base, **fields})


def of_nobody(octets: bytes) -> bytes:
    """Return a list in whose issuer a name is no text; that is read late."""
    name = x509.load_der_x509_crl(octets).issuer.public_bytes()
    return octets.replace(name, name[:-1] + b"\xa0")


UNUSABLE = {
    "issuer": lambda: of_nobody(middle().crl()),
    "other key": lambda: middle().crl(key=ec_key("other")),
    "delta": lambda: middle().crl(extensions=(x509.DeltaCRLIndicator(1),)),
    "indirect": lambda: middle().crl(scope=scope(indirect_crl=True)),
    "some reasons": lambda: middle().crl(
        scope=scope(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}))
    ),
    "attributes": lambda: middle().crl(scope=scope(only_contains_attribute_certs=True)),
    "authorities": lambda: middle().crl(scope=scope(**AUTHORITY_ONLY)),
    "other point": lambda: middle().crl(scope=scope(full_name=[POINT])),
    "stale": lambda: middle().crl(period=(AT - 2 * DAY, AT)),
    "future": lambda: middle().crl(period=(AT + DAY, AT + 2 * DAY)),
    "rubbish": lambda: b"rubbish",
    "of the root": lambda: root().crl(),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_without_a_usable_list_of_its_issuer_nothing_is_known(name):
    octets = der(middle().issue())

    with pytest.raises(RevocationUnknown):
        store(root().crl(), UNUSABLE[name]()).judge(octets, Usage.SIGN, AT)


def test_lists_of_all_authorities_are_needed():
    octets = der(middle().issue())

    with pytest.raises(RevocationUnknown):
        store(middle().crl()).judge(octets, Usage.SIGN, AT)
    with pytest.raises(RevocationUnknown):
        store(middle().crl(), root().crl(scope=scope(**USER_ONLY))).judge(octets, Usage.SIGN, AT)


def test_revoked_authority_takes_its_leaves_with_it():
    octets = der(middle().issue())
    trust = store(root().crl(middle().certificate.serial_number), middle().crl())

    assert refusal(octets, trust=trust) == "certificate.revoked"


def test_list_of_an_authority_that_may_not_sign_lists_is_no_list():
    silent = authority("silent", root(), uses=key_usage("key_cert_sign"))
    octets = der(silent.issue())

    with pytest.raises(RevocationUnknown):
        store(root().crl(), silent.crl(), issuing=silent).judge(octets, Usage.SIGN, AT)


@pytest.mark.parametrize("fields", [USER_ONLY, {"full_name": [POINT]}])
def test_list_of_its_own_scope_counts(fields):
    point = x509.DistributionPoint([POINT], None, None, None)
    found = middle().issue(extensions=(USES, x509.CRLDistributionPoints([point])))
    good = store(root().crl(), middle().crl(scope=scope(**fields)))
    bad = store(root().crl(), middle().crl(found.serial_number, scope=scope(**fields)))

    assert good.judge(der(found), Usage.SIGN, AT)
    assert refusal(der(found), trust=bad) == "certificate.revoked"


def test_the_newest_list_counts_and_revoked_stays_revoked_when_it_is_stale():
    found = middle().issue()
    old = middle().crl(period=(AT - 3 * DAY, AT + DAY))
    new = middle().crl(found.serial_number, period=(AT - 2 * DAY, AT - DAY))

    assert refusal(der(found), trust=store(root().crl(), new, old)) == "certificate.revoked"
    assert refusal(der(found), trust=store(root().crl(), old, new)) == "certificate.revoked"


def test_authority_of_the_same_name_revokes_nothing_of_the_other():
    """A renewed key under the same name: each has its own list."""
    twin = Ca(middle().certificate, ec_key("twin"))
    found = middle().issue()
    trust = store(root().crl(), middle().crl(), twin.crl(found.serial_number))

    assert trust.judge(der(found), Usage.SIGN, AT)


# --- who may act for whom -------------------------------------------------------------


@pytest.mark.parametrize(
    ("party_id", "mandates", "may"),
    [
        (POLITIE, (), True),
        (f"{POLITIE}_T", (), True),
        (f"{POLITIE}_OTA", (), True),
        (f"{POLITIE}_X", (), False),
        (f"{POLITIE}_T_T", (), False),
        (pki.OM, (), False),
        (pki.OM, (Oin(POLITIE),), True),
        (POLITIE[:-1], (), False),
    ],
)
def test_holder_acts_for_itself_and_by_mandate(party_id, mandates, may):
    identity = TrustStore(pki.trust()).judge(leaf(POLITIE, "sign").certificate, Usage.SIGN, AT)
    party = Party(oin=Oin(party_id), name="", role=Role.POLITIE, local=False, mandates=mandates)

    assert acts_for(identity, party) is may


# --- another implementation -----------------------------------------------------------


def openssl_accepts(folder: Path, octets: bytes, trust: Trust) -> bool:
    names = {"root": trust.anchors, "middle": trust.intermediates, "leaf": (octets,)}
    for name, ders in names.items():
        pems = (x509.load_der_x509_certificate(d) for d in ders)
        text = b"".join(p.public_bytes(serialization.Encoding.PEM) for p in pems)
        (folder / f"{name}.pem").write_bytes(text)
    lists = (x509.load_der_x509_crl(d) for d in trust.crls)
    crls = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in lists)
    (folder / "crls.pem").write_bytes(crls)
    command = [
        *("openssl", "verify", "-x509_strict", "-crl_check_all", "-auth_level", "2"),
        *("-attime", str(int(AT.timestamp()))),
        *("-CAfile", "root.pem", "-untrusted", "middle.pem", "-CRLfile", "crls.pem", "leaf.pem"),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return done.returncode == 0


ORACLE = {
    "good": lambda: (leaf(POLITIE, "sign").certificate, pki.trust()),
    "expired": lambda: (pki.expired().certificate, pki.trust()),
    "early": lambda: (pki.not_yet_valid().certificate, pki.trust()),
    "stranger": lambda: (pki.unknown_issuer().certificate, pki.trust()),
    "weak": lambda: (pki.weak().certificate, pki.trust()),
    "revoked": lambda: (pki.revoked()[0].certificate, pki.revoked()[1]),
    "no lists": lambda: (leaf(POLITIE, "sign").certificate, replace(pki.trust(), crls=())),
    "one list": lambda: (
        leaf(POLITIE, "sign").certificate,
        replace(pki.trust(), crls=pki.trust().crls[1:]),
    ),
}


@pytest.mark.parametrize("name", ORACLE)
def test_openssl_judges_the_same(name, tmp_path):
    octets, trust = ORACLE[name]()

    try:
        ours = bool(TrustStore(trust).judge(octets, Usage.SIGN, AT))
    except (CertificateRejected, RevocationUnknown):
        ours = False

    assert openssl_accepts(tmp_path, octets, trust) is ours
    assert ours is (name == "good")


def test_a_file_whose_list_has_no_readable_issuer_is_none():
    with pytest.raises(ValueError, match="asn1"):
        read_lists(of_nobody(middle().crl()))
