"""Against CPAs of another implementation, and against the OASIS schema."""

from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

from gateway.directory import Agreement, SyncReply
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import PROFILES, make_cpa
from tests.cpas import spec

A, B = "00000000000000000000", "00000000000000000001"
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"


def read(vectors: Path, name: str) -> Agreement:
    return read_cpa((vectors / "cpa" / name).read_bytes())


@pytest.fixture(scope="module")
def schema(vectors: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(vectors / "xsd" / "cpp-cpa-2_0.xsd"))


@pytest.mark.parametrize(
    ("name", "profile", "ack_signed"),
    [
        ("cpaStubEBF.be.https.signed.xml", "osb-be-s", False),
        ("cpaStubEBF.rm.http.unsigned.xml", "osb-rm", False),
        ("cpaStubEBF.rm.https.signed-sha256.xml", "osb-rm-s", False),
        ("cpaStubEBF.rm.https.signed.ackSigned.xml", "osb-rm-s", True),
        ("cpaStubEBF.rm.https.signed.encrypted.xml", "osb-rm-e", False),
        ("cpaStubEBF.rm.https.signed.sync.xml", "osb-rm-s", False),
    ],
)
def test_profile_is_that_of_the_file_name(vectors, name, profile, ack_signed):
    agreement = read(vectors, name)

    assert agreement.cpa_id == name.removesuffix(".xml")
    assert [p.id for p in agreement.parties] == [A, B]
    assert sorted(
        (b.sender.id, b.sender_role, b.service, b.action) for b in agreement.bindings
    ) == [
        (A, "DIGIPOORT", "osb:aanleveren:1.1$1.0", "bevestigAanleveren"),
        (A, "DIGIPOORT", "osb:afleveren:1.1$1.0", "afleveren"),
        (B, "OVERHEID", "osb:aanleveren:1.1$1.0", "aanleveren"),
        (B, "OVERHEID", "osb:afleveren:1.1$1.0", "bevestigAfleveren"),
    ]
    for binding in agreement.bindings:
        assert binding.channel.profile == profile
        assert binding.channel.ack_signed is ack_signed
        assert binding.channel.duplicate_elimination is profile.startswith("osb-rm")


def test_message_goes_to_the_endpoint_of_the_receiver(vectors):
    agreement = read(vectors, "cpaStubEBF.rm.http.unsigned.xml")
    to_a = agreement.binding(B, "osb:aanleveren:1.1$1.0", "aanleveren").channel
    to_b = agreement.binding(A, "osb:afleveren:1.1$1.0", "afleveren").channel

    assert to_a.endpoint == "http://localhost:8888/ebms"
    assert to_b.endpoint == "http://localhost:8088/ebms"


def test_retries_are_those_of_the_sender(vectors):
    channel = read(vectors, "cpaStubEBF.rm.https.signed-sha256.xml").bindings[0].channel

    assert (channel.retries, channel.retry_interval) == (5, timedelta(minutes=5))
    assert channel.persist_duration == timedelta(minutes=30)


def test_best_effort_has_no_retries(vectors):
    assert read(vectors, "cpaStubEBF.be.https.signed.xml").bindings[0].channel.retries == 0


def test_sha1_is_read_as_it_is(vectors):
    agreement = read(vectors, "cpaStubEBF.rm.https.signed.ackSigned.xml")

    assert agreement.bindings[0].channel.signing.digest_algorithm == SHA1


def test_synchronous_answers_are_read(vectors):
    agreement = read(vectors, "cpaStubEBF.rm.https.signed.sync.xml")

    assert {b.channel.sync_reply for b in agreement.bindings} == {SyncReply.BOTH}


def test_payloads_are_encrypted_for_their_receiver(vectors):
    agreement = read(vectors, "cpaStubEBF.rm.https.signed.encrypted.xml")

    assert all(b.channel.encryption.algorithm.endswith("aes256-cbc") for b in agreement.bindings)


def test_one_cpa_can_hold_every_profile(vectors):
    agreement = read(vectors, "cpa-cv-https.xml")
    profiles = {
        b.service_type: b.channel.profile for b in agreement.bindings if b.action == "EchoRequest"
    }

    assert profiles == {
        "urn:cv:be:services": "osb-be",
        "urn:cv:be:signed:services": "osb-be-s",
        "urn:cv:be:encrypted:services": "osb-be-e",
        "urn:cv:rm:services": "osb-rm",
        "urn:cv:rm:signed:services": "osb-rm-s",
        "urn:cv:rm:encrypted:services": "osb-rm-e",
    }


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("sync", [SyncReply.NONE, SyncReply.SIGNALS])
def test_made_cpa_is_valid(schema, profile, sync):
    document = etree.fromstring(make_cpa(spec(profile=profile, sync_reply=sync)))
    schema.validate(document)

    assert [str(error) for error in schema.error_log] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_no_reference_of_a_made_cpa_is_open(schema, profile):
    """libxml2 does not check IDREF: every reference must be the id of something."""
    root = etree.fromstring(make_cpa(spec(profile=profile)))
    names = {etree.QName(n).localname: n for e in root.iter() for n in e.attrib}
    ids = {
        e.get(names[n])
        for e in root.iter()
        for n in ("id", "channelId", "transportId", "docExchangeId", "certId")
        if n in names and names[n] in e.attrib and not e.tag.endswith("Ref")
    }
    referring = {"ChannelId", "OtherPartyActionBinding"}
    texts = {e.text for e in root.iter() if etree.QName(e).localname in referring}
    attributes = {
        e.get(names[n])
        for e in root.iter()
        for n in ("idref", "packageId", "defaultMshChannelId", "defaultMshPackageId", "certId")
        if n in names and names[n] in e.attrib
    }

    assert texts | attributes <= ids
