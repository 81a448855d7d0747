"""What may be put in place as a certificate, key, authority or list, and what may not."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.errors import CertificateRejected, GatewayError, Misconfigured, RevocationUnknown
from gateway.installation import load_directory, load_installation
from gateway.keys import placing
from gateway.keys.keystore import FileKeyring
from gateway.keys.offered import Offered, Target, guess, read
from gateway.keys.placing import Places, place
from gateway.keys.renewal import Checked, Judge
from gateway.keys.renewal_texts import TEXTS
from gateway.keys.test_pki import TestPki, pem
from gateway.outbound.tls import KeyPair, server_context
from tests import pki
from tests.installations import installed

LATER = pki.AT + timedelta(hours=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return installed(tmp_path_factory.mktemp("renewal") / "politie")


@pytest.fixture(scope="module")
def directory(folder):
    return load_directory(load_installation(folder), epoch=0)


def offer(leaf, *, key=True) -> Offered:
    return read(leaf.pem, leaf.key if key else None, where="aangeboden.pem")


def check(directory, offered, target, **given) -> Checked:
    return Judge(directory=directory, now=pki.AT, **given).check(offered, target)


def refused(directory, offered, target, **given) -> str:
    with pytest.raises(GatewayError) as caught:
        check(directory, offered, target, **given)
    assert caught.value.text
    return caught.value.code


@pytest.mark.parametrize("usage", ["tls", "sign", "encrypt"])
def test_a_good_certificate_passes_and_says_what_it_is_for(directory, usage):
    offered = offer(pki.leaf(pki.POLITIE, usage))
    target = guess(offered)
    checked = check(directory, offered, target)

    assert target is {"tls": Target.TLS, "sign": Target.SIGN, "encrypt": Target.ENCRYPT}[usage]
    assert checked.chain == (pki.leaf(pki.POLITIE, usage).certificate, pki.pki().issuing)
    assert checked.warnings == ()


def test_the_chain_is_filled_up_from_the_trusted_authorities(directory):
    leaf = pki.leaf(pki.POLITIE, "tls")
    alone = read(pem(leaf.certificate), leaf.key, where="x")

    assert check(directory, alone, Target.TLS).chain == (leaf.certificate, pki.pki().issuing)


def test_issuers_in_front_of_the_leaf_and_a_key_inside_the_file_are_understood(directory):
    leaf = pki.leaf(pki.POLITIE, "tls")
    turned = read(pem(leaf.issuer) + leaf.key + pem(leaf.certificate), None, where="x")

    assert check(directory, turned, Target.TLS).offered.der == leaf.certificate


BAD_LEAVES = {
    "certs.expired": pki.expired,
    "certs.untrusted": pki.unknown_issuer,
    "certs.weak_key": pki.weak,
    "certs.party": lambda: pki.leaf(pki.OM, "sign"),
    "certs.oin": lambda: pki.pki().issue(oin="", name="TEST Zonder", usage="sign"),
    "certs.usage": lambda: pki.leaf(pki.POLITIE, "encrypt"),
}


@pytest.mark.parametrize("code", BAD_LEAVES)
def test_a_certificate_that_would_not_work_is_refused(directory, code):
    assert refused(directory, offer(BAD_LEAVES[code]()), Target.SIGN) == code


def test_a_revoked_one_and_one_without_a_fresh_list_are_told_apart(directory):
    leaf, trust = pki.revoked()
    knowing = replace(directory, trust=trust)
    stale = replace(directory, trust=replace(directory.trust, crls=()))

    assert refused(knowing, offer(leaf), Target.SIGN) == "certs.revoked"
    with pytest.raises(RevocationUnknown) as unknown:
        check(stale, offer(pki.leaf(pki.POLITIE, "sign")), Target.SIGN)
    assert unknown.value.code == "certs.revocation_unknown"


def test_what_is_valid_later_can_wait_for_an_agreement_but_not_on_a_listener(directory):
    for usage, target in (("sign", Target.SIGN), ("encrypt", Target.ENCRYPT)):
        assert check(directory, offer(pki.not_yet_valid(usage)), target).warnings
    assert refused(directory, offer(pki.not_yet_valid("tls")), Target.TLS) == "certs.not_yet_valid"


@pytest.mark.parametrize("days", [1, 90])
def test_what_is_valid_later_is_judged_by_the_lists_of_now(directory, days):
    """Also when those have long been replaced by then."""
    later = TestPki(pki.AT, authority_bits=2048)
    knowing = replace(directory, trust=later.trust())
    begin = pki.AT + timedelta(days=days)

    def leaf(**given):
        return offer(
            later.issue(oin=pki.POLITIE, name="TEST Later", usage="sign", not_before=begin, **given)
        )

    assert check(knowing, leaf(), Target.SIGN).warnings
    revoked = leaf(revoked=True)
    knowing = replace(directory, trust=later.trust())
    assert refused(knowing, revoked, Target.SIGN) == "certs.revoked"
    stale = replace(later.trust(), crls=later.crls(next_update=pki.AT - timedelta(minutes=1)))
    assert refused(replace(directory, trust=stale), leaf(), Target.SIGN) == (
        "certs.revocation_unknown"
    )


def test_a_mandate_lets_another_organisation_hold_the_certificate(directory):
    me = directory.parties[directory.me]
    mandated = dict(directory.parties) | {directory.me: replace(me, mandates=(pki.OM,))}

    checked = check(
        replace(directory, parties=mandated), offer(pki.leaf(pki.OM, "sign")), Target.SIGN
    )

    assert checked.offered.der == pki.leaf(pki.OM, "sign").certificate


def locked(key: bytes) -> bytes:
    return load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"geheim")
    )


def test_the_key_must_be_there_fit_and_be_readable(directory):
    leaf, other = pki.leaf(pki.POLITIE, "sign"), pki.leaf(pki.POLITIE, "tls")
    cases = {
        "certs.key_missing": read(leaf.pem, None, where="x"),
        "certs.key_mismatch": read(leaf.pem, other.key, where="x"),
        "certs.key_unreadable": read(leaf.pem, locked(leaf.key), where="x"),
    }

    for code, offered in cases.items():
        assert refused(directory, offered, Target.SIGN) == code
    with pytest.raises(CertificateRejected) as no_key:
        read(leaf.pem, leaf.pem, where="x")
    assert no_key.value.code == "certs.key_missing"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"geheim",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
        b"\x30\x82\x01\x00" + bytes(64),
    ],
)
def test_rubbish_is_refused_without_repeating_it(octets):
    with pytest.raises(CertificateRejected) as caught:
        read(octets, None, where="x")

    assert caught.value.code == "certs.unreadable"
    assert "geheim" not in str(caught.value)


def test_two_leaves_in_one_file_are_refused(directory):
    two = read(
        pki.leaf(pki.POLITIE, "sign").pem + pki.leaf(pki.POLITIE, "tls").pem,
        pki.leaf(pki.POLITIE, "sign").key,
        where="x",
    )

    assert refused(directory, two, Target.SIGN) == "certs.several"


def test_a_file_for_another_purpose_is_refused(directory):
    crl = read(pki.pki().crls()[1], None, where="x")

    assert refused(directory, crl, Target.TLS) == "certs.kind"
    assert refused(directory, offer(pki.leaf()), Target.CRL) == "certs.kind"
    assert refused(directory, offer(pki.leaf()), Target.ANCHOR) == "certs.several"


# --- a back-end listener, partners ------------------------------------------------------


def test_a_back_end_listener_may_have_a_certificate_of_another_authority(directory):
    assert check(directory, offer(pki.unknown_issuer("tls")), Target.API).target is Target.API
    assert refused(directory, offer(pki.expired("tls")), Target.API) == "certs.expired"
    assert refused(directory, offer(pki.weak("tls")), Target.API) == "certs.weak_key"
    mail = pki.leaf(pki.POLITIE, "sign")
    assert check(directory, offer(mail), Target.API)  # without an extended use every use is open


def test_a_partner_is_judged_by_who_it_is(directory):
    hub = offer(pki.leaf(pki.KNOOPPUNT, "sign"), key=False)
    own = offer(pki.leaf(pki.POLITIE, "sign"), key=False)
    strange = offer(
        pki.pki().issue(oin="00000099000000000077", name="TEST Vreemd", usage="sign"), key=False
    )

    assert check(directory, hub, Target.PARTNER).target is Target.PARTNER
    assert refused(directory, own, Target.PARTNER) == "certs.party_unknown"
    assert refused(directory, strange, Target.PARTNER) == "certs.party_unknown"


# --- authorities and lists --------------------------------------------------------------


def authority(subject: str, *, issuer=None, ca=True, weak=False) -> tuple[x509.Certificate, object]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    above, signer = issuer or (None, key)
    use = x509.KeyUsage(*(position in {5, 6} and ca for position in range(9)))
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if above is None else above.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(pki.AT - timedelta(days=1))
        .not_valid_after(pki.AT + timedelta(days=900))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(use, critical=True)
    )
    return builder.sign(signer, hashes.SHA256()), key


def of(certificate: x509.Certificate) -> Offered:
    return read(certificate.public_bytes(Encoding.PEM), None, where="x")


def test_an_anchor_needs_its_thumbprint_from_elsewhere(directory):
    root, _ = authority("TEST Nieuwe Root")
    print_ = sha256(root.public_bytes(Encoding.DER)).hexdigest()
    colons = ":".join(print_[i : i + 2] for i in range(0, 64, 2)).upper()

    assert guess(of(root)) is Target.ANCHOR
    for wrong in ("", "0" * 64):
        code = refused(directory, of(root), Target.ANCHOR, fingerprint=wrong)
        assert code == "certs.anchor_unconfirmed"
    assert check(directory, of(root), Target.ANCHOR, fingerprint=colons)


def test_an_authority_is_what_an_anchor_vouches_for(directory):
    root = authority("TEST Root")
    below, _ = authority("TEST Onder", issuer=root)
    no_authority, _ = authority("TEST Blad", issuer=root, ca=False)
    knowing = replace(
        directory,
        trust=replace(directory.trust, anchors=(root[0].public_bytes(Encoding.DER),)),
    )

    assert guess(of(below)) is Target.INTERMEDIATE
    assert check(knowing, of(below), Target.INTERMEDIATE)
    assert refused(directory, of(below), Target.INTERMEDIATE) == "certs.untrusted"
    assert refused(knowing, of(below), Target.ANCHOR, fingerprint="x") == "certs.not_self_signed"
    assert refused(knowing, of(no_authority), Target.INTERMEDIATE) == "certs.several"


def list_(**given) -> Offered:
    return read(pki.pki().crls(**given)[1], None, where="x")


def test_a_newer_list_of_a_known_authority_passes_and_an_older_does_not(directory):
    assert check(directory, list_(at=LATER), Target.CRL)
    older = list_(at=pki.AT - timedelta(days=2), next_update=pki.AT + timedelta(days=1))
    assert refused(directory, older, Target.CRL) == "certs.crl_older"


def two_lists() -> bytes:
    return b"".join(
        x509.load_der_x509_crl(der).public_bytes(Encoding.PEM) for der in pki.pki().crls(at=LATER)
    )


def test_a_file_with_two_lists_is_read_for_both_and_not_taken_for_one(tmp_path, directory):
    folder = installed(tmp_path / "politie")
    lists = folder / "trust" / "crls"
    for path in lists.iterdir():
        path.unlink()
    (lists / "beide.pem").write_bytes(two_lists())

    found = load_directory(load_installation(folder), epoch=0).trust.crls

    assert found == pki.pki().crls(at=LATER)
    with pytest.raises(CertificateRejected, match=r"certs\.several_lists"):
        read(two_lists(), None, where="x")


@pytest.mark.parametrize("cut", [40, -40])
def test_a_file_with_lists_of_which_one_is_cut_short_is_refused(tmp_path, cut):
    folder = installed(tmp_path / "politie")
    whole = two_lists()
    (folder / "trust" / "crls" / "beide.pem").write_bytes(whole[:cut] if cut < 0 else whole[cut:])

    with pytest.raises(Misconfigured, match=r"trust\.invalid"):
        load_directory(load_installation(folder), epoch=0)


def test_a_list_that_is_stale_strange_or_partial_is_refused(directory):
    strange = read(TestPki(pki.AT, authority_bits=2048).crls()[1], None, where="x")
    stale = list_(at=LATER - timedelta(days=1), next_update=pki.AT - timedelta(minutes=1))
    root, key = authority("TEST Root")
    delta = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.subject)
        .last_update(pki.AT)
        .next_update(LATER)
        .add_extension(x509.DeltaCRLIndicator(1), critical=True)
        .sign(key, hashes.SHA256())
    )
    partial = read(delta.public_bytes(Encoding.DER), None, where="x")

    assert refused(directory, strange, Target.CRL) == "certs.crl_issuer"
    assert refused(directory, stale, Target.CRL) == "certs.crl_stale"
    assert refused(directory, partial, Target.CRL) == "certs.crl_kind"


def test_every_refusal_says_what_to_do():
    for code, text in TEXTS.items():
        assert text.endswith("."), code
        assert len(text) > 30, code


# --- putting it in place ----------------------------------------------------------------


@pytest.fixture
def places(tmp_path):
    folder = installed(tmp_path / "politie")
    keys, trust = folder / "keys", folder / "trust"
    return Places(
        keys=keys,
        anchors=trust / "anchors",
        intermediates=trust / "intermediates",
        crls=trust / "crls",
        tls=(keys / "tls.pem", keys / "tls.key"),
        api=None,
    )


@pytest.fixture(scope="module")
def renewed():
    return pki.pki().issue(oin=pki.POLITIE, name="TEST Vernieuwd", usage="tls")


def files(places) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in places.keys.iterdir()}


def test_a_pair_is_replaced_and_the_old_one_stays_beside_it(directory, places, renewed):
    before = files(places)
    placed = place(check(directory, offer(renewed), Target.TLS), places, pki.AT)

    certificate, key = places.tls
    assert server_context(KeyPair(certificate=certificate, key=key))
    assert key.stat().st_mode & 0o777 == 0o600
    assert {p.name for p in placed.kept} == {
        "tls.key.20261124T120000Z.oud",
        "tls.pem.20261124T120000Z.oud",
    }
    for path in placed.kept:
        assert path.read_bytes() == before[path.name.removesuffix(".20261124T120000Z.oud")]
    assert not any(name.endswith(".new") for name in files(places))
    assert FileKeyring(places.keys)


def test_both_in_one_file_is_one_file(directory, places, renewed):
    one = places.keys / "tls.key"
    place(check(directory, offer(renewed), Target.TLS), replace(places, tls=(one, one)), pki.AT)

    assert server_context(KeyPair(certificate=one, key=one))
    assert one.stat().st_mode & 0o777 == 0o600


def test_a_disk_that_fails_half_way_leaves_everything_as_it_was(
    directory, places, renewed, monkeypatch
):
    """The second rename is the one that fails: nothing but the system can make that happen."""
    before = files(places)
    real, calls = placing.Path.replace, []

    def fail_once(self, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device", str(target))
        return real(self, target)

    monkeypatch.setattr(placing.Path, "replace", fail_once)
    with pytest.raises(GatewayError) as caught:
        place(check(directory, offer(renewed), Target.TLS), places, pki.AT)

    assert caught.value.code == "certs.not_written"
    after = {n: o for n, o in files(places).items() if not n.endswith(".oud")}
    assert after == before


def test_a_signing_key_comes_beside_the_present_one(directory, places):
    fresh = pki.pki().issue(oin=pki.POLITIE, name="TEST Vernieuwd", usage="sign")
    before = files(places)
    place(check(directory, offer(fresh), Target.SIGN), places, pki.AT)

    keyring = FileKeyring(places.keys)
    assert keyring.holds(fresh.certificate)
    assert keyring.holds(pki.leaf(pki.POLITIE, "sign").certificate)
    assert before.items() <= files(places).items()


def test_a_list_takes_the_place_of_the_one_before_in_its_own_form(directory, places):
    old = places.crls / "issuing.crl"
    crl = x509.load_der_x509_crl(old.read_bytes())
    old.unlink()
    (places.crls / "uitgever.pem").write_bytes(crl.public_bytes(Encoding.PEM))

    for hours in (1, 2):
        fresh = list_(at=pki.AT + timedelta(hours=hours))
        place(check(directory, fresh, Target.CRL), places, pki.AT)

    names = sorted(path.name for path in places.crls.iterdir())
    assert names == ["root.crl", "uitgever.pem", "uitgever.pem.vorig"]
    now = x509.load_pem_x509_crl((places.crls / "uitgever.pem").read_bytes())
    assert now.last_update_utc > crl.last_update_utc + timedelta(hours=1)


def test_an_authority_gets_a_file_of_its_own(directory, places):
    root, _ = authority("TEST Nieuwe Root: G4")
    print_ = sha256(root.public_bytes(Encoding.DER)).hexdigest()
    placed = place(check(directory, of(root), Target.ANCHOR, fingerprint=print_), places, pki.AT)

    assert [p.name for p in placed.written] == [f"test-nieuwe-root-g4-{print_[:8]}.pem"]
    assert len(list(places.anchors.iterdir())) == 2


def test_a_certificate_of_the_console_goes_to_its_listener(directory, places, renewed, tmp_path):
    files = (tmp_path / "console.pem", tmp_path / "console.key")
    checked = check(directory, offer(renewed), Target.CONSOLE)

    placed = place(checked, replace(places, console=files), pki.AT)

    assert set(placed.written) == set(files)
    assert x509.load_pem_x509_certificates(files[0].read_bytes())[0] == checked.offered.leaf
    assert files[1].stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("target", [Target.API, Target.CONSOLE, Target.PORTAL])
def test_a_listener_that_is_not_there_takes_no_certificate(directory, places, renewed, target):
    with pytest.raises(GatewayError) as caught:
        place(check(directory, offer(renewed), target), places, pki.AT)

    assert caught.value.code == "certs.no_listener"


def test_a_key_without_protection_is_made_private(directory, places, renewed):
    plain = load_pem_private_key(renewed.key, None).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    offered = read(renewed.pem, plain, where="x")
    place(check(directory, offered, Target.TLS), places, pki.AT)

    assert places.tls[1].stat().st_mode & 0o077 == 0


def test_a_list_does_not_take_the_place_of_a_file_that_holds_others_too(directory, places):
    for path in places.crls.iterdir():
        path.unlink()
    both = places.crls / "beide.pem"
    both.write_bytes(two_lists())

    placed = place(check(directory, list_(at=LATER), Target.CRL), places, pki.AT)

    assert both.read_bytes() == two_lists()
    assert placed.kept == ()
    assert len(list(places.crls.iterdir())) == 2
