import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.cpa_rules import CpaRule
from gateway.directory import SyncReply
from gateway.errors import Malformed, Misconfigured, UnknownAgreement
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import PROFILES, CpaAction, make_cpa
from gateway.wire.ebms2.cpa_tree import cpp, duration
from gateway.wire.ebms2.duration import iso_duration
from tests import pki
from tests.cpas import SERVICE, party, spec

GOOD = make_cpa(spec())

lengths = st.integers(1, 10**13).map(lambda n: timedelta(microseconds=n))


def changed(old: str, new: str, *, times: int = 1, cpa: bytes = GOOD) -> bytes:
    """Replace by regular expression, and be sure that something was there."""
    text, count = re.subn(old, new, cpa.decode(), count=times)
    assert count
    return text.encode()


def without(name: str, cpa: bytes = GOOD) -> bytes:
    root = etree.fromstring(cpa)
    found = root.findall(f".//{cpp(name)}")
    assert found
    for element in found:
        element.getparent().remove(element)
    return etree.tostring(root)


def code_of(cpa: bytes) -> str:
    with pytest.raises(Malformed) as caught:
        read_cpa(cpa)
    return caught.value.code


# --- what was asked is what is read ---------------------------------------------------


def unwise(wanted):
    """Yield what can not be wise in what was asked."""
    if wanted.reliable and wanted.retries * wanted.retry_interval > timedelta(hours=24):
        yield CpaRule.TOO_LATE
    if not wanted.reliable and wanted.sync_reply is not SyncReply.NONE:
        yield CpaRule.SYNC_BEST_EFFORT


@given(
    profile=st.sampled_from(PROFILES),
    retries=st.integers(1, 50),
    interval=lengths,
    sync=st.sampled_from((SyncReply.NONE, SyncReply.SIGNALS)),
)
@settings(max_examples=60, deadline=None)
def test_reading_a_made_cpa_gives_what_was_asked(profile, retries, interval, sync):
    wanted = spec(profile=profile, retries=retries, retry_interval=interval, sync_reply=sync)
    agreement = read_cpa(make_cpa(wanted))
    a, b = wanted.parties

    assert {one.rule for one in agreement.remarks} == set(unwise(wanted))
    assert (agreement.cpa_id, agreement.start, agreement.end) == (
        wanted.cpa_id,
        wanted.start,
        wanted.end,
    )
    assert [p.id for p in agreement.parties] == [a.oin, b.oin]
    said = {(b.sender.id, b.service, b.service_type, b.action) for b in agreement.bindings}
    assert said == {
        (p.oin, s.service, s.service_type, s.action) for p in wanted.parties for s in p.sends
    }
    for binding in agreement.bindings:
        sender, receiver = (a, b) if binding.sender.id == a.oin else (b, a)
        channel = binding.channel
        reliable, signed = "rm" in profile, not profile.endswith(("be", "rm"))
        assert (binding.sender_role, binding.receiver_role) == (sender.role, receiver.role)
        assert channel.profile == profile
        assert channel.endpoint == receiver.endpoint
        assert channel.client_certificate == sender.client
        assert channel.server_certificate == receiver.server
        assert channel.sync_reply is sync
        assert channel.duplicate_elimination is reliable
        assert channel.ack_signed is (reliable and signed)
        if reliable:
            assert (channel.retries, channel.retry_interval) == (retries, interval)
            assert channel.persist_duration == wanted.persist_duration
        if signed:
            assert channel.signing.certificate == sender.sign
            assert channel.signing.signature_algorithm == wanted.signature_algorithm
            assert channel.signing.digest_algorithm == wanted.digest_algorithm
        if profile.endswith("-e"):
            assert channel.encryption.certificate == receiver.encrypt
            assert channel.encryption.algorithm == wanted.encryption_algorithm


def test_signals_go_to_the_other_party_and_are_signed_by_their_sender():
    agreement = read_cpa(GOOD)
    politie, knooppunt = spec().parties
    channel = agreement.signals[politie.oin]

    assert channel.endpoint == knooppunt.endpoint
    assert channel.signing.certificate == politie.sign
    assert not channel.ack_requested
    assert channel.encryption is None


def test_signals_of_an_unsigned_agreement_are_not_signed():
    agreement = read_cpa(make_cpa(spec(profile="osb-rm")))

    assert all(channel.signing is None for channel in agreement.signals.values())


def test_default_is_the_modern_profile():
    channel = read_cpa(GOOD).bindings[0].channel

    assert channel.profile == "osb-rm-e"
    assert channel.signing.digest_algorithm.endswith("xmlenc#sha256")
    assert channel.encryption.algorithm.endswith("xmlenc11#aes256-gcm")
    assert channel.ack_signed
    assert channel.persist_duration >= (1 + channel.retries) * channel.retry_interval


def test_agreement_finds_a_binding_by_sender_service_and_action():
    agreement = read_cpa(GOOD)

    assert agreement.binding(pki.POLITIE, SERVICE, "vtMeldingDi01").receiver.id == pki.KNOOPPUNT
    with pytest.raises(UnknownAgreement):
        agreement.binding(pki.KNOOPPUNT, SERVICE, "vtMeldingDi01")


def test_a_party_may_send_in_several_services():
    other = party(pki.POLITIE, "politie", "vtMeldingDi01")
    more = replace(other, sends=(*other.sends, CpaAction(service="TEST:oud:1.0.7", action="x")))
    agreement = read_cpa(make_cpa(spec(parties=(more, spec().parties[1]))))

    assert {b.service for b in agreement.find(pki.POLITIE, "x")} == {"TEST:oud:1.0.7"}


@given(lengths)
def test_durations_survive_writing_and_reading(length):
    element = etree.Element("d")
    element.text = iso_duration(length)

    assert duration(element) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT5M", timedelta(minutes=5)),
        ("P1D", timedelta(days=1)),
        ("PT10800S", timedelta(hours=3)),
        ("PT0.5S", timedelta(seconds=0.5)),
        ("P1Y2M3DT4H5M6S", timedelta(days=365 + 60 + 3, hours=4, minutes=5, seconds=6)),
        ("P0D", timedelta(0)),
    ],
)
def test_durations_are_read(text, length):
    element = etree.Element("d")
    element.text = text

    assert duration(element) == length


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "5M", "-PT5M", "PT5", "P1H", "P999999999Y"]
)
def test_what_is_no_duration_is_refused(text):
    assert code_of(changed("<tns:RetryInterval>[^<]*", f"<tns:RetryInterval>{text}")) in {
        "cpa.duration",
        "cpa.value",
    }


# --- read as it is --------------------------------------------------------------------


def test_action_is_matched_by_name_when_no_counterpart_is_named():
    assert read_cpa(without("OtherPartyActionBinding")) == read_cpa(GOOD)


def test_action_that_the_other_does_not_receive_does_not_count():
    cpa = without("CanReceive", without("OtherPartyActionBinding"))
    agreement = read_cpa(cpa)

    assert agreement.bindings == ()
    assert any(
        remark.rule is CpaRule.ONE_SIDED and "vtMeldingDi01" in remark.where
        for remark in agreement.remarks
    )


def test_missing_optional_elements_are_no_trouble():
    cpa = GOOD
    for name in ("ReliableMessaging", "PersistDuration", "TransportSender", "Comment"):
        cpa = without(name, cpa) if name != "Comment" else cpa
    channel = read_cpa(cpa).bindings[0].channel

    assert (channel.retries, channel.retry_interval) == (0, timedelta(0))
    assert channel.persist_duration == timedelta(days=5)
    assert channel.client_certificate is None


def test_reliable_messaging_without_numbers_has_those_of_digikoppeling():
    channel = read_cpa(without("Retries", without("RetryInterval"))).bindings[0].channel

    assert (channel.retries, channel.retry_interval) == (8, timedelta(hours=3))


def test_silent_characteristics_leave_signing_and_encryption_to_the_doc_exchange():
    cpa = changed(
        ' tns:is(NonRepudiationRequired|Confidential|Authenticated|TamperProof)="[^"]*"',
        "",
        times=0,
    )

    assert read_cpa(cpa).bindings[0].channel.profile == "osb-rm-e"


def test_characteristics_that_say_no_count_and_give_a_warning():
    cpa = changed('tns:isConfidential="[^"]*"', 'tns:isConfidential="transient"', times=0)
    agreement = read_cpa(cpa)

    assert agreement.bindings[0].channel.profile == "osb-rm-s"
    assert CpaRule.ENCRYPTED_IN_VAIN in {remark.rule for remark in agreement.remarks}


@pytest.mark.parametrize("name", ["SenderNonRepudiation", "ReceiverDigitalEnvelope"])
def test_security_that_is_asked_but_not_set_up_is_refused(name):
    assert code_of(without(name)) in {"cpa.signing", "cpa.encryption"}


def test_signed_acknowledgements_are_signed_as_messages_when_the_signal_channel_says_nothing():
    root = etree.fromstring(GOOD)
    for exchange in root.findall(f".//{cpp('DocExchange')}"):
        if exchange.get(cpp("docExchangeId")).endswith("best-effort"):
            for binding in exchange:
                binding[:] = []
    agreement = read_cpa(etree.tostring(root))

    assert agreement.signals[pki.POLITIE].signing.certificate == spec().parties[0].sign


def test_an_override_for_acknowledgments_beats_the_default_channel():
    root = etree.fromstring(GOOD)
    party_info = root.find(cpp("PartyInfo"))
    override = etree.SubElement(party_info, cpp("OverrideMshActionBinding"))
    override.set(cpp("action"), "Acknowledgment")
    override.set(cpp("channelId"), "party1-channel-message")
    default = read_cpa(GOOD).signals[pki.POLITIE]

    overridden = read_cpa(etree.tostring(root)).signals[pki.POLITIE]

    assert default.persist_duration == timedelta(0)
    assert overridden.persist_duration > timedelta(0)


def test_endpoint_for_messages_is_preferred_over_one_for_errors():
    cpa = changed(
        '(<tns:Endpoint tns:uri="https://knooppunt.example/ebms") tns:type="allPurpose"/>',
        '<tns:Endpoint tns:uri="https://f.example" tns:type="error"/>\\1 tns:type="request"/>',
    )
    channel = read_cpa(cpa).binding(pki.POLITIE, SERVICE, "vtMeldingDi01").channel

    assert channel.endpoint == "https://knooppunt.example/ebms"


def test_moment_without_zone_is_utc():
    cpa = changed("<tns:Start>[^<]*", "<tns:Start>2026-01-02T03:04:05.5")

    assert read_cpa(cpa).start == datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)


# --- refusals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("CollaborationProtocolAgreement", "CollaborationProtocolProfile", "cpa.root"),
        ("<tns:Start>[^<]*", "<tns:Start>yesterday", "cpa.moment"),
        ("<tns:Start>[^<]*", "<tns:Start>2026-02-30T00:00:00Z", "cpa.moment"),
        ("<tns:Start>[^<]*", "<tns:Start>2028-01-01T00:00:00Z", "cpa.period"),
        ("<tns:Retries>[^<]*", "<tns:Retries>-1", "cpa.value"),
        ("<tns:Retries>[^<]*", "<tns:Retries>99999", "cpa.value"),
        ("<tns:ChannelId>[^<]*", "<tns:ChannelId>nowhere", "cpa.reference"),
        ("<tns:OtherPartyActionBinding>[^<]*", "<tns:OtherPartyActionBinding>x", "cpa.reference"),
        ('transportId="party1-transport"', 'transportId="elsewhere"', "cpa.reference"),
        ('(SigningCertificateRef tns:certId)="[^"]*"', '\\1="none"', "cpa.reference"),
        (
            'channelId="party1-channel-message"',
            'channelId="party1-channel-signal"',
            "cpa.duplicate",
        ),
        (f"({pki.KNOOPPUNT})</tns:PartyId>", f"{pki.POLITIE}</tns:PartyId>", "cpa.parties"),
        ("<ds:X509Certificate>", "<ds:X509Certificate>AAAA", "cpa.certificate"),
        ("<ds:X509Certificate>", "<ds:X509Certificate>é", "cpa.certificate"),
        ('tns:cpaid="[^"]*"', "", "cpa.missing"),
        ('syncReplyMode="none"', 'syncReplyMode="maybe"', "cpa.value"),
        ('ackRequested="always"', 'ackRequested="maybe"', "cpa.value"),
        ('isNonRepudiationRequired="true"', 'isNonRepudiationRequired="yes"', "cpa.value"),
        ("<tns:Service [^<]*<", "<tns:Service><", "cpa.value"),
        ('cpaid="', f'cpaid="{"x" * 2000}', "cpa.value"),
    ],
)
def test_broken_cpa_is_refused_by_code(old, new, code):
    times = 0 if code == "cpa.root" else 1

    assert code_of(changed(old, new, times=times)) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Start", "cpa.missing"),
        ("Status", "cpa.missing"),
        ("PartyInfo", "cpa.parties"),
        ("PartyId", "cpa.missing"),
        ("Role", "cpa.missing"),
        ("ChannelId", "cpa.missing"),
        ("MessagingCharacteristics", "cpa.missing"),
        ("BusinessTransactionCharacteristics", "cpa.missing"),
        ("Endpoint", "cpa.endpoint"),
        ("SigningCertificateRef", "cpa.missing"),
        ("EncryptionCertificateRef", "cpa.missing"),
        ("DocExchange", "cpa.reference"),
    ],
)
def test_cpa_without_a_needed_element_is_refused(name, code):
    assert code_of(without(name)) == code


def test_refusal_tells_the_place_and_no_value():
    with pytest.raises(Malformed) as caught:
        read_cpa(changed("<tns:End>[^<]*", "<tns:End>geheim"))

    assert caught.value.where == "/CollaborationProtocolAgreement/End"
    assert "geheim" not in str(caught.value)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_cpa_is_refused_or_read_and_nothing_else(data):
    root = etree.fromstring(GOOD)
    elements = list(root.iter())
    victim = data.draw(st.sampled_from(elements))
    match data.draw(st.sampled_from(("drop", "text", "attribute"))):
        case "drop" if victim is not root:
            victim.getparent().remove(victim)
        case "attribute" if victim.attrib:
            name = data.draw(st.sampled_from(sorted(victim.attrib)))
            victim.set(name, data.draw(st.text("abc:-1 ", max_size=5)))
        case _:
            victim.text = data.draw(st.text("PT1 -:Zé<&", max_size=12))
    with suppress(Malformed):
        read_cpa(etree.tostring(root))


# --- making ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"profile": "osb-xx"}, "cpa.profile"),
        ({"cpa_id": "a/b"}, "cpa.id"),
        ({"cpa_id": ""}, "cpa.id"),
        ({"end": pki.AT}, "cpa.period"),
        ({"retries": -1}, "cpa.retries"),
        ({"persist": timedelta(days=-1)}, "cpa.retries"),
        ({"parties": (spec().parties[0],) * 2}, "cpa.parties"),
        ({"parties": tuple(replace(p, sends=()) for p in spec().parties)}, "cpa.actions"),
        ({"parties": tuple(replace(p, sign=None) for p in spec().parties)}, "cpa.certificate"),
        ({"parties": tuple(replace(p, encrypt=None) for p in spec().parties)}, "cpa.certificate"),
        ({"parties": tuple(replace(p, role="a b") for p in spec().parties)}, "cpa.names"),
        ({"parties": tuple(replace(p, name=" ") for p in spec().parties)}, "cpa.names"),
        ({"parties": tuple(replace(p, sends=p.sends * 2) for p in spec().parties)}, "cpa.actions"),
    ],
)
def test_what_can_not_be_agreed_is_not_made(changes, code):
    with pytest.raises(Misconfigured) as caught:
        make_cpa(spec(**changes))

    assert caught.value.code == code


def test_unsigned_profile_needs_no_certificates_for_messages():
    bare = tuple(replace(p, sign=None, encrypt=None) for p in spec().parties)

    assert read_cpa(make_cpa(spec(profile="osb-rm", parties=bare))).remarks == ()
