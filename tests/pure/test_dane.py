"""TLSA records and recorded policies against what a server shows. No network."""

import hashlib
from datetime import timedelta

import pytest

from gateway.errors import CertificateRejected, TransportUnproved
from gateway.security.dane import Shown, Tlsa, match_dane, match_recorded, spki, usable
from tests.outbound.mail_certificates import DAY, NOW, authority, bare, record_of, server

MX = "mx.partner.example"


def shown(held, *names: str, at=NOW) -> Shown:
    return Shown(chain=held.chain, at=at, names=names or (MX,))


# --- which records count --------------------------------------------------------------


def test_usages_of_the_public_pki_mean_nothing_for_smtp():
    held = server(MX)

    with pytest.raises(TransportUnproved) as caught:
        usable([held.tlsa(0), held.tlsa(1)])

    assert caught.value.code == "dane.unusable"


def test_no_record_at_all_is_said_as_such():
    with pytest.raises(TransportUnproved) as caught:
        usable([])

    assert caught.value.code == "dane.none"


@pytest.mark.parametrize(
    "record",
    [
        Tlsa(3, 1, 1, b"\0" * 31),
        Tlsa(3, 1, 2, b"\0" * 32),
        Tlsa(3, 2, 1, b"\0" * 32),
        Tlsa(3, 1, 3, b"\0" * 32),
        Tlsa(4, 1, 1, b"\0" * 32),
        Tlsa(3, 1, 0, b""),
        Tlsa(255, 1, 1, b"\0" * 32),
    ],
)
def test_record_with_a_number_or_length_that_means_nothing_does_not_count(record):
    good = server(MX).tlsa(3)

    assert usable([record, good]) == (good,)


def test_who_publishes_the_stronger_digest_is_held_to_it():
    held, other = server(MX), server(MX, issuer="other")

    assert usable([other.tlsa(3, 1, 1), held.tlsa(3, 1, 2)]) == (held.tlsa(3, 1, 2),)


def test_digests_are_compared_within_one_usage_and_selector():
    held = server(MX)
    records = [held.tlsa(3, 1, 2), held.tlsa(3, 0, 1), held.tlsa(2, 1, 1)]

    assert set(usable(records)) == set(records)


# --- the server's own key (3) ---------------------------------------------------------


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_own_key_matches_whatever_else_stands_in_the_certificate(selector, matching):
    held = bare()
    record = held.tlsa(3, selector, matching)

    match = match_dane([record], shown(held))

    assert match.record == str(record)
    assert match.name == ""


def test_another_key_does_not_match_and_is_told_by_its_fingerprint():
    with pytest.raises(CertificateRejected) as caught:
        match_dane([server(MX).tlsa(3)], shown(server(MX, issuer="other")))

    assert caught.value.code == "dane.mismatch"
    assert hashlib.sha256(server(MX, issuer="other").der).hexdigest() in caught.value.text


def test_record_of_the_own_key_does_not_match_an_authority_in_the_chain():
    with pytest.raises(CertificateRejected) as caught:
        match_dane([authority().tlsa(3)], shown(server(MX)))

    assert caught.value.code == "dane.mismatch"


def test_one_record_of_several_is_enough():
    held = server(MX)

    assert match_dane([bare().tlsa(3), held.tlsa(3)], shown(held)).record == str(held.tlsa(3))


# --- an authority (2) -----------------------------------------------------------------


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_authority_that_is_shown_counts_with_the_name(selector, matching):
    record = authority().tlsa(2, selector, matching)

    match = match_dane([record], shown(server(MX)))

    assert match.record == str(record)
    assert match.name == MX


def test_authority_that_stands_in_the_record_need_not_be_shown():
    held = server(MX)
    alone = Shown(chain=held.chain[:1], at=NOW, names=(MX,))

    assert match_dane([authority().tlsa(2, 0, 0)], alone).name == MX
    with pytest.raises(CertificateRejected) as caught:
        match_dane([authority().tlsa(2, 0, 1)], alone)
    assert caught.value.code == "dane.mismatch"


def test_certificate_of_the_domain_counts_as_well_as_of_the_host():
    held = server("partner.example")

    match = match_dane([authority().tlsa(2)], shown(held, MX, "partner.example"))

    assert match.name == "partner.example"


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (server("elders.example"), "certificate.host"),
        (server(MX, before=-40 * DAY, after=-DAY), "certificate.expired"),
        (server(MX, before=DAY), "certificate.not_yet_valid"),
    ],
)
def test_under_an_authority_name_and_period_count(held, code):
    with pytest.raises(CertificateRejected) as caught:
        match_dane([authority().tlsa(2)], shown(held))

    assert caught.value.code == code


def test_authority_beside_the_chain_does_not_help():
    held = server(MX, issuer="other")
    chain = (held.der, authority().der)

    with pytest.raises(CertificateRejected) as caught:
        match_dane([authority().tlsa(2)], Shown(chain=chain, at=NOW, names=(MX,)))

    assert caught.value.code == "certificate.untrusted"


def test_of_two_authorities_the_one_that_issued_counts():
    held = server(MX, issuer="other")
    chain = (held.der, authority().der, authority("other").der)
    records = [authority().tlsa(2), authority("other").tlsa(2)]

    match = match_dane(records, Shown(chain=chain, at=NOW, names=(MX,)))

    assert match.record == str(authority("other").tlsa(2))


# --- a recorded policy ----------------------------------------------------------------


def test_recorded_authority_counts_with_the_name():
    match = match_recorded([authority().der], frozenset(), shown(server(MX)))

    assert match.record == f"ca {hashlib.sha256(authority().der).hexdigest()}"
    assert match.name == MX


def test_recorded_key_counts_without_a_path():
    held = server(MX, issuer="nobody knows")
    key = hashlib.sha256(spki(held.certificate)).hexdigest()

    assert match_recorded([], frozenset({key}), shown(held)).record == f"key {key}"


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (server(MX, before=-40 * DAY, after=-DAY), "certificate.expired"),
        (server("elders.example"), "certificate.host"),
        (server(MX, issuer="other"), "certificate.untrusted"),
    ],
)
def test_recorded_policy_refuses(held, code):
    with pytest.raises(CertificateRejected) as caught:
        match_recorded([authority().der], frozenset(), shown(held))

    assert caught.value.code == code


def test_recorded_key_of_an_expired_certificate_does_not_count():
    held = server(MX, before=-40 * DAY, after=-DAY)
    key = hashlib.sha256(spki(held.certificate)).hexdigest()

    with pytest.raises(CertificateRejected) as caught:
        match_recorded([], frozenset({key}), shown(held))

    assert caught.value.code == "certificate.expired"


def test_policy_of_keys_only_trusts_no_other_key():
    with pytest.raises(CertificateRejected) as caught:
        match_recorded([], frozenset({"0" * 64}), shown(server(MX)))

    assert caught.value.code == "pin.mismatch"


# --- names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "good"),
    [
        ("*.partner.example", MX, True),
        ("*.partner.example", "a.mx.partner.example", False),
        ("*.partner.example", "partner.example", False),
        ("MX.Partner.Example", MX, True),
        ("m*.partner.example", MX, False),
    ],
)
def test_wildcard_stands_for_one_whole_label(pattern, name, good):
    held = server(pattern)
    key = frozenset({hashlib.sha256(spki(held.certificate)).hexdigest()})

    if good:
        assert match_recorded([], key, shown(held, name)).name == name
    else:
        with pytest.raises(CertificateRejected) as caught:
            match_recorded([], key, shown(held, name))
        assert caught.value.code == "certificate.host"


@pytest.mark.parametrize("name", ["mx.\x1b[2Jexample", "mx.example\r\nregel", "a" * 300])
def test_what_a_stranger_writes_in_a_certificate_is_not_told_on(name):
    held = server("elders.example", name)

    with pytest.raises(CertificateRejected) as caught:
        match_recorded([authority().der], frozenset(), shown(held))

    assert caught.value.text == "certificate is of elders.example"


@pytest.mark.parametrize("chain", [(), (b"\x30\x03\x02\x01\x01",), (server(MX).der,) * 9])
def test_chain_that_is_none_is_refused(chain):
    with pytest.raises(CertificateRejected) as caught:
        match_dane([server(MX).tlsa(3)], Shown(chain=chain, at=NOW, names=(MX,)))

    assert caught.value.code == "certificate.malformed"


def test_expiry_counts_at_the_moment_that_is_given():
    late = NOW + timedelta(days=31)

    with pytest.raises(CertificateRejected) as caught:
        match_recorded([authority().der], frozenset(), shown(server(MX), at=late))

    assert caught.value.code == "certificate.expired"


def test_record_of_another_certificate_with_the_same_key_matches_by_key_only():
    held = server(MX)
    record = record_of(authority().certificate, 3, 0, 1)

    with pytest.raises(CertificateRejected):
        match_dane([record], shown(held))
