"""Handshakes in memory: no socket, no time."""

import ssl
import warnings
from datetime import UTC, datetime
from functools import cache

import pytest

from gateway.directory import Trust
from gateway.errors import CertificateRejected, Misconfigured
from gateway.keys.test_pki import TestPki
from gateway.outbound.tls import (
    KeyPair,
    PeerRejected,
    ReloadableContext,
    client_context,
    server_context,
)
from tests import pki
from tests.outbound.tls_files import pair

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@cache
def other_ca() -> TestPki:
    return TestPki(datetime.now(UTC), authority_bits=2048)


def shake(server: ssl.SSLContext, client: ssl.SSLContext, session=None):
    """Do a handshake in memory; return both ends, or raise what either side raised."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = client.wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [theirs, ours]
    while waiting:
        for end in tuple(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                continue
    with pytest.raises(ssl.SSLWantReadError):
        theirs.read(1)  # takes in what comes behind a handshake: tickets
    return theirs, ours


def talk(ours, theirs) -> bytes:
    """Send something over the connection that `shake` made."""
    theirs.write(b"nog steeds")
    return ours.read(100)


@pytest.fixture
def partner(tmp_path) -> KeyPair:
    return pair(tmp_path, pki.live_leaf(pki.POLITIE), "partner")


@pytest.fixture
def listener(tmp_path) -> ssl.SSLContext:
    own = pair(tmp_path, pki.live_leaf(pki.KNOOPPUNT), "own")
    return server_context(own, clients=pki.live().trust())


def caller(
    pair_: KeyPair | None,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    *,
    trust: Trust | None = None,
) -> ssl.SSLContext:
    """A partner's client, made without our own code."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = version
    context.load_verify_locations(cadata=b"".join((trust or pki.live().trust()).anchors))
    if pair_:
        context.load_cert_chain(pair_.certificate, pair_.key)
    return context


# --- a listener -----------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_a_partner_with_a_certificate_comes_in(listener, partner, version):
    _, ours = shake(ReloadableContext(listener), caller(partner, version))

    assert ours.getpeercert(binary_form=True) == partner.der()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_without_certificate_is_refused(listener, version):
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        shake(ReloadableContext(listener), caller(None, version))


def test_a_client_of_an_unknown_issuer_is_refused(listener, tmp_path):
    stranger = other_ca().issue(oin=pki.POLITIE, name="TEST Vreemd")
    client = caller(pair(tmp_path, stranger, "stranger"))

    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake(ReloadableContext(listener), client)


def test_tls_1_1_is_refused(listener, partner):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
    client.set_ciphers("ALL:@SECLEVEL=0")

    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        shake(ReloadableContext(listener), client)


@pytest.mark.parametrize("ciphers", ["ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES256-GCM-SHA384"])
def test_ciphers_without_aead_or_elliptic_exchange_are_refused(listener, partner, ciphers):
    client = caller(partner, ssl.TLSVersion.TLSv1_2)
    client.set_ciphers(ciphers)

    with pytest.raises(ssl.SSLError, match="NO_SHARED_CIPHER"):
        shake(ReloadableContext(listener), client)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_is_not_resumed(listener, partner, version):
    server, client = ReloadableContext(listener), caller(partner, version)
    first, _ = shake(server, client)

    second, ours = shake(server, client, first.session)

    assert not first.session.has_ticket
    assert not second.session_reused
    assert not ours.session_reused


def test_without_a_context_per_connection_a_session_would_be_resumed(listener, partner):
    """The control of the test above: options against tickets alone do not stop it."""
    client = caller(partner, ssl.TLSVersion.TLSv1_2)
    first, _ = shake(listener, client)

    second, _ = shake(listener, client, first.session)

    assert second.session_reused


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_of_a_removed_ca_is_refused_on_a_new_connection(tmp_path, partner, version):
    own = pair(tmp_path, pki.live_leaf(pki.KNOOPPUNT), "own")
    server = ReloadableContext(server_context(own, clients=pki.live().trust()))
    client = caller(partner, version)
    first, kept = shake(server, client)

    server.swap(server_context(own, clients=other_ca().trust()))

    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake(server, client, first.session)
    assert talk(kept, first) == b"nog steeds"


def test_a_renewed_certificate_is_shown_from_the_next_connection_on(tmp_path, listener, partner):
    renewed = pair(tmp_path, pki.live_leaf(pki.OM), "renewed")
    server, client = ReloadableContext(listener), caller(partner)

    server.swap(server_context(renewed, clients=pki.live().trust()))
    theirs, _ = shake(server, client)

    assert theirs.getpeercert(binary_form=True) == renewed.der()


def test_a_listener_for_back_ends_asks_no_certificate(tmp_path):
    own = pair(tmp_path, pki.live_leaf(pki.KNOOPPUNT), "own")

    _, ours = shake(ReloadableContext(server_context(own)), caller(None))

    assert ours.getpeercert(binary_form=True) is None


# --- a client -------------------------------------------------------------------------


def test_the_partners_certificate_is_judged_before_anything_is_sent(listener, partner):
    def refuse(_der: bytes) -> None:
        raise CertificateRejected("peer.certificate", "not the party")

    client = client_context(partner, servers=pki.live().trust(), check=refuse)

    with pytest.raises(PeerRejected) as refused:
        shake(ReloadableContext(listener), client)
    assert refused.value.error.code == "peer.certificate"


def test_the_check_gets_the_certificate_itself(listener, partner):
    seen: list[bytes] = []
    client = client_context(partner, servers=pki.live().trust(), check=seen.append)

    shake(ReloadableContext(listener), client)

    assert seen == [pki.live_leaf(pki.KNOOPPUNT).certificate]


def test_another_host_name_is_refused(tmp_path, partner):
    elsewhere = pki.live().issue(oin=pki.KNOOPPUNT, name="TEST Elders", hosts=("elders.test",))
    server = server_context(pair(tmp_path, elsewhere, "elsewhere"), clients=pki.live().trust())
    client = client_context(partner, servers=pki.live().trust(), check=lambda _der: None)

    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake(ReloadableContext(server), client)


def test_a_client_does_not_speak_tls_1_1_either(partner):
    client = client_context(partner, servers=pki.live().trust(), check=lambda _der: None)

    assert client.minimum_version is ssl.TLSVersion.TLSv1_2
    assert client.check_hostname
    assert client.verify_mode is ssl.CERT_REQUIRED


# --- files ----------------------------------------------------------------------------


def test_a_key_that_others_can_read_stops_the_start(partner):
    partner.key.chmod(0o640)

    with pytest.raises(Misconfigured) as refused:
        server_context(partner)
    assert refused.value.code == "keys.permissions"


def test_a_key_that_is_not_there_stops_the_start(partner):
    partner.key.unlink()

    with pytest.raises(Misconfigured) as refused:
        server_context(partner)
    assert refused.value.code == "keys.missing"


def test_a_key_with_a_passphrase_stops_the_start_without_asking(partner):
    from cryptography.hazmat.primitives import serialization as s

    key = s.load_pem_private_key(partner.key.read_bytes(), None)
    locked = key.private_bytes(
        s.Encoding.PEM, s.PrivateFormat.PKCS8, s.BestAvailableEncryption(b"geheim")
    )
    partner.key.write_bytes(locked)

    with pytest.raises(Misconfigured) as refused:
        server_context(partner)
    assert refused.value.code == "keys.passphrase"


def test_a_key_of_another_certificate_stops_the_start(tmp_path, partner):
    other = pair(tmp_path, pki.live_leaf(pki.OM), "other")

    with pytest.raises(Misconfigured) as refused:
        server_context(KeyPair(certificate=partner.certificate, key=other.key))
    assert refused.value.code == "tls.certificate"


def test_a_file_without_certificate_stops_the_start(partner):
    partner.certificate.write_text("geen certificaat")

    with pytest.raises(Misconfigured) as refused:
        partner.der()
    assert refused.value.code == "tls.certificate"


def test_no_anchors_let_nobody_in_rather_than_everybody(partner):
    with pytest.raises(Misconfigured) as refused:
        server_context(partner, clients=Trust(anchors=()))
    assert refused.value.code == "tls.anchors"
