from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.config import Canonical
from gateway.directory import Agreement, Encryption, SyncReply, Trust
from gateway.errors import (
    CertificateRejected,
    DecryptionFailed,
    Expired,
    GatewayError,
    IllegalTransition,
    Malformed,
    PolicyViolation,
    Refused,
    RevocationUnknown,
    SignatureInvalid,
    TooLarge,
    UnknownAgreement,
)
from gateway.message import (
    Acknowledgment,
    EbmsError,
    ErrorList,
    Oin,
    Part,
    PartyRef,
    Payload,
    WireMessage,
)
from gateway.rules import approval
from gateway.security import seal
from gateway.security.algorithms import (
    AES256_GCM,
    C14N_EXCLUSIVE,
    C14N_INCLUSIVE,
    DIGIKOPPELING,
)
from gateway.security.certificates import TrustStore
from gateway.security.open import Opened, open_message
from gateway.wire import mime
from gateway.wire.ebms2 import header as wire
from gateway.wire.ebms2 import signals
from tests import pki
from tests.pki import AT, leaf
from tests.sealing import (
    ALICE,
    BOB,
    DOCUMENT,
    LIMITS,
    agreement,
    header,
    keys,
    octets_from,
    on_the_wire,
    open_wire,
    payload,
    sealed,
    send,
    signal_header,
    signing,
    trust,
)

PROFILES = ["osb-be", "osb-rm", "osb-be-s", "osb-rm-s", "osb-be-e", "osb-rm-e"]


@pytest.mark.parametrize("octets", [DOCUMENT, b"", b"<soap:Envelope/>"])
def test_what_is_no_envelope_of_ours_never_travels_as_one(octets):
    """A row of the database says which stored octets are the envelope."""
    for travel in (seal.wire_signal, lambda o: on_the_wire(agreement(), o)):
        with pytest.raises(GatewayError) as caught:
            travel(octets)
        assert caught.value.code == "payload.tampered"


def refusal(message: WireMessage, agreed: Agreement, **options) -> GatewayError:
    with pytest.raises(GatewayError) as refused:
        open_wire(message, agreed, **options)
    return refused.value


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_sealed_opens_to_the_same(profile):
    agreed = agreement(profile)
    assert agreed.bindings[0].channel.profile == profile

    opened = open_wire(send(agreed), agreed)

    assert opened.header == header(agreed)
    assert opened.payloads == (payload(),)
    assert opened.binding == agreed.bindings[0]
    assert opened.sender == PartyRef(ALICE)
    assert (opened.signer is not None) == profile.endswith(("-s", "-e"))
    assert opened.references == sealed(agreed).references


@pytest.mark.parametrize("plain", [True, False])
def test_for_a_partner_that_reads_nothing_else_it_is_signed_with_inclusive_c14n(plain):
    """Written as text or as a tree: both open again, here and at whoever reads inclusive alone."""
    agreed = agreement(signing=signing(canonical=Canonical.INCLUSIVE))
    changes = {} if plain else {"conversation_id": "a & b"}
    made = sealed(agreed, **changes)

    named = [e.get("Algorithm") for e in etree.fromstring(made.envelope).iter("{*}Transform")]
    (method,) = etree.fromstring(made.envelope).iter("{*}CanonicalizationMethod")

    assert (named[-1], method.get("Algorithm")) == (C14N_INCLUSIVE, C14N_INCLUSIVE)
    only = replace(DIGIKOPPELING, canonicalizations=frozenset({C14N_INCLUSIVE}))
    for policy in (DIGIKOPPELING, only):
        opened = open_wire(on_the_wire(agreed, made.envelope), agreed, policy=policy)
        assert opened.references == made.references
    neither = replace(DIGIKOPPELING, canonicalizations=frozenset({C14N_EXCLUSIVE}))
    refused = refusal(on_the_wire(agreed, made.envelope), agreed, policy=neither)
    assert refused.code == "signature.algorithm"


def test_a_signal_for_such_a_partner_is_signed_so_too():
    opened = open_wire(acknowledgment(signed=True, canonical=Canonical.INCLUSIVE), agreement())

    assert opened.signer.oin == BOB
    assert C14N_INCLUSIVE.encode() in opened.envelope
    assert C14N_EXCLUSIVE.encode() not in opened.envelope


def test_signer_is_the_sender():
    opened = open_wire(send(agreement()), agreement())

    assert opened.signer is not None
    assert opened.signer.oin == ALICE


def test_envelope_is_kept_as_received():
    envelope = sealed(agreement()).envelope

    assert open_wire(on_the_wire(agreement(), envelope), agreement()).envelope == envelope


def test_every_attempt_is_encrypted_anew_over_the_same_envelope():
    agreed = agreement()
    envelope = sealed(agreed).envelope
    first, second = (
        seal.encrypt_message(
            envelope,
            (payload(),),
            channel=agreed.bindings[0].channel,
            random=octets_from(seed),
            boundary="=_b",
        )
        for seed in (1, 100)
    )

    assert first.body != second.body
    assert open_wire(first, agreed).references == open_wire(second, agreed).references


# --- (1) parties ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": PartyRef("00000099000000000055")},
        {"receiver": PartyRef(ALICE)},
        {"sender": PartyRef(ALICE, "urn:other")},
        {"cpa_id": "cpa-2"},
    ],
)
def test_strangers_to_the_agreement_are_refused(changes):
    refused = refusal(send(agreement(), **changes), agreement())

    assert isinstance(refused, UnknownAgreement)
    assert refused.code == "agreement.party"


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "other"},
        {"service": "urn:other"},
        {"sender": PartyRef(BOB), "receiver": PartyRef(ALICE)},
    ],
)
def test_what_was_not_agreed_is_refused(changes):
    refused = refusal(send(agreement(), **changes), agreement())

    assert isinstance(refused, UnknownAgreement)
    assert refused.code == "agreement.action"


# --- (2) the header is as agreed ------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"sender_role": "ANDER"}, "//Header/MessageHeader/From/Role"),
        ({"receiver_role": "ANDER"}, "//Header/MessageHeader/To/Role"),
        ({"service_type": "urn:other"}, "//Header/MessageHeader/Service/@type"),
        ({"ack_requested": False, "ack_signed": False}, "//Header/AckRequested"),
        ({"ack_signed": False}, "//Header/AckRequested/@signed"),
        ({"duplicate_elimination": False}, "//Header/MessageHeader/DuplicateElimination"),
        ({"sync_reply": True}, "//Header/SyncReply"),
    ],
)
def test_header_other_than_agreed_is_refused(changes, where):
    refused = refusal(send(agreement(), **changes), agreement())

    assert isinstance(refused, PolicyViolation)
    assert (refused.code, refused.where) == ("header.inconsistent", where)


def test_sync_reply_that_was_agreed_must_come():
    agreed = agreement(sync_reply=SyncReply.SIGNALS)

    assert open_wire(send(agreed), agreed).header.sync_reply
    assert refusal(send(agreed, sync_reply=False), agreed).where == "//Header/SyncReply"


# --- (3) manifest and parts -----------------------------------------------------------


def repacked(agreed: Agreement, change: Callable[[tuple[Part, ...]], tuple[Part, ...]]):
    message = send(agreed)
    root, parts = mime.split(message.body, message.content_type, limits=LIMITS)
    return mime.join(root.octets, "root", change(parts), boundary="=_b")


def test_missing_part_is_refused():
    agreed = agreement()

    refused = refusal(repacked(agreed, lambda _: ()), agreed)

    assert isinstance(refused, Malformed)
    assert refused.code == "mime.missing_part"


def test_part_by_another_name_is_refused():
    agreed = agreement()

    message = repacked(agreed, lambda parts: (replace(parts[0], content_id="other"),))

    assert refusal(message, agreed).code == "mime.missing_part"


def test_part_outside_the_manifest_is_refused():
    agreed = agreement()

    message = repacked(agreed, lambda parts: (*parts, replace(parts[0], content_id="other")))

    assert refusal(message, agreed).code == "mime.unreferenced_part"


def test_message_without_payload_is_refused():
    agreed = agreement("osb-rm")
    envelope = seal.serialize(wire.user_message(header(agreed), ()))

    assert refusal(seal.wire_signal(envelope), agreed).code == "mime.missing_part"


# --- (4) encryption -------------------------------------------------------------------


def test_plain_part_where_encryption_was_agreed_is_refused():
    signed, encrypted = agreement("osb-rm-s"), agreement("osb-rm-e")

    refused = refusal(send(signed), encrypted)

    assert isinstance(refused, DecryptionFailed)
    assert refused.code == "decryption.not_encrypted"


def test_encrypted_part_where_none_was_agreed_is_refused():
    signed, encrypted = agreement("osb-rm-s"), agreement("osb-rm-e")

    refused = refusal(send(encrypted), signed)

    assert isinstance(refused, DecryptionFailed)
    assert refused.code == "decryption.unexpected"


def test_part_for_another_key_is_refused():
    for_alice = Encryption(algorithm=AES256_GCM, certificate=leaf(ALICE, "encrypt").certificate)
    message = send(agreement(encryption=for_alice))

    assert refusal(message, agreement()).code == "decryption.failed"


def test_payload_over_the_limit_is_refused():
    agreed = agreement()
    message = send(agreed)
    claimed = wire.read(message.body, message.content_type, limits=LIMITS)
    small = replace(LIMITS, payload_bytes=len(DOCUMENT) - 1)

    with pytest.raises(TooLarge) as refused:
        open_message(claimed, agreed, trust=trust(), keyring=keys(), limits=small, at=AT)

    assert refused.value.code == "payload.too_large"


# --- (5) signature --------------------------------------------------------------------


def test_unsigned_message_where_signing_was_agreed_is_refused():
    unsigned = agreement("osb-rm-e", signing=None)

    refused = refusal(send(unsigned), agreement("osb-rm-e"))

    assert isinstance(refused, SignatureInvalid)
    assert refused.code == "signature.missing"


def test_signature_where_none_was_agreed_is_refused():
    refused = refusal(send(agreement("osb-rm-e")), agreement("osb-rm-e", signing=None))

    assert refused.code == "signature.unexpected"


def test_other_payload_under_the_same_signature_is_refused():
    agreed = agreement()
    message = on_the_wire(agreed, sealed(agreed).envelope, DOCUMENT + b" ")

    assert refusal(message, agreed).code == "signature.digest"


def test_signature_of_another_message_is_refused():
    agreed = agreement()
    other = sealed(agreed, message_id="other@alice.example").envelope
    swapped = sealed(agreed).envelope.replace(b"message-1@alice", b"message-2@alice")

    assert refusal(on_the_wire(agreed, swapped), agreed).code == "signature.digest"
    assert open_wire(on_the_wire(agreed, other), agreed).header.message_id.startswith("other")


# --- (6) signer -----------------------------------------------------------------------


def signed_by(certificate: bytes) -> Agreement:
    return agreement("osb-rm-s", signing=replace(signing(), certificate=certificate))


def test_signer_of_another_party_is_refused_even_when_agreed():
    agreed = signed_by(leaf(BOB, "sign").certificate)

    refused = refusal(send(agreed), agreed)

    assert isinstance(refused, CertificateRejected)
    assert refused.code == "certificate.party"


def test_holder_of_a_mandate_may_sign():
    agreed = signed_by(leaf(BOB, "sign").certificate)
    message = send(agreed)
    claimed = wire.read(message.body, message.content_type, limits=LIMITS)

    opened = open_message(
        claimed,
        agreed,
        trust=trust(),
        keyring=keys(),
        limits=LIMITS,
        at=AT,
        mandates=frozenset({Oin(BOB)}),
    )

    assert opened.signer is not None
    assert opened.signer.oin == BOB


def test_certificate_for_another_use_does_not_sign():
    agreed = signed_by(leaf(ALICE, "encrypt").certificate)

    assert refusal(send(agreed), agreed).code == "certificate.usage"


def test_certificate_of_tomorrow_or_yesterday_does_not_sign():
    agreed = agreement("osb-rm-s")
    message = send(agreed, time_to_live=None)

    assert refusal(message, agreed, at=AT + timedelta(days=9999)).code == "certificate.expired"
    assert refusal(message, agreed, at=AT - timedelta(days=9)).code == "certificate.not_yet_valid"


def test_without_revocation_list_nothing_is_known():
    agreed = agreement()
    message = send(agreed)
    claimed = wire.read(message.body, message.content_type, limits=LIMITS)
    blind = TrustStore(replace(pki.trust(), crls=()))

    with pytest.raises(RevocationUnknown):
        open_message(claimed, agreed, trust=blind, keyring=keys(), limits=LIMITS, at=AT)


def test_without_anchors_nobody_is_trusted():
    agreed = agreement()
    message = send(agreed)
    claimed = wire.read(message.body, message.content_type, limits=LIMITS)
    nobody = TrustStore(Trust(anchors=()))

    with pytest.raises(CertificateRejected) as refused:
        open_message(claimed, agreed, trust=nobody, keyring=keys(), limits=LIMITS, at=AT)

    assert refused.value.code == "certificate.untrusted"


# --- (7) the header once more ---------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"vtMeldingDi01<", b"vtMeldingDi01<!-- x -->Extra<"),
        (b"message-1@alice.example<", b"message-1<!-- x -->@alice.example<"),
        (b"<eb:Action>", b"<eb:Action><!-- x -->"),
    ],
)
def test_comment_in_a_name_does_not_change_what_was_signed(old, new):
    """Comments are not signed: a reader that stops at one reads something else."""
    agreed = agreement("osb-rm-s")
    message = on_the_wire(agreed, sealed(agreed).envelope.replace(old, new))

    try:
        opened = open_wire(message, agreed)
    except Refused:
        return
    assert opened.header == header(agreed)


# --- (8) time -------------------------------------------------------------------------


def test_message_after_its_time_to_live_is_refused():
    agreed = agreement()
    message = send(agreed, time_to_live=AT + timedelta(seconds=1))

    assert open_wire(message, agreed)
    refused = refusal(message, agreed, at=AT + timedelta(seconds=1))
    assert isinstance(refused, Expired)
    assert refused.code == "ttl.expired"


def test_message_from_the_future_is_refused_beyond_the_skew():
    agreed = agreement()

    assert open_wire(send(agreed, timestamp=AT + LIMITS.clock_skew), agreed)
    late = send(agreed, timestamp=AT + LIMITS.clock_skew + timedelta(seconds=1))
    assert refusal(late, agreed).code == "header.timestamp"


# --- signals --------------------------------------------------------------------------


def acknowledgment(
    *, signed: bool, by: str = BOB, canonical: Canonical = Canonical.EXCLUSIVE, **changes
) -> WireMessage:
    envelope = signals.acknowledgment(
        signal_header("Acknowledgment", **changes),
        Acknowledgment(
            timestamp=AT,
            ref_to_message_id="message-1@alice.example",
            sender=PartyRef(BOB),
            references=sealed(agreement()).references,
        ),
    )
    how = signing(by, canonical=canonical) if signed else None
    signer = keys().signer(how.certificate) if how else None
    return seal.wire_signal(seal.sign_signal(envelope, signing=how, signer=signer))


def test_signed_acknowledgment_names_its_signer_and_what_was_received():
    opened = open_wire(acknowledgment(signed=True), agreement())

    assert opened.signer is not None
    assert opened.signer.oin == BOB
    assert opened.binding is None
    assert opened.payloads == ()
    assert isinstance(opened.content, Acknowledgment)
    assert opened.content.references == sealed(agreement()).references


def test_unsigned_signal_opens_without_signer():
    opened = open_wire(acknowledgment(signed=False), agreement())

    assert opened.signer is None
    assert opened.references == ()


def test_signal_signed_by_another_is_refused():
    assert refusal(acknowledgment(signed=True, by=ALICE), agreement()).code == (
        "signature.certificate"
    )


def test_digests_in_a_signed_acknowledgment_can_not_be_changed():
    message = acknowledgment(signed=True)
    digest = b"http://www.w3.org/2001/04/xmlenc#sha256"
    body = message.body.replace(digest, digest.replace(b"256", b"512"), 1)
    assert body != message.body

    assert refusal(replace(message, body=body), agreement()).code == "signature.digest"


def test_nobody_asks_to_acknowledge_a_signal():
    message = acknowledgment(signed=False)
    asked = (
        b'</eb:MessageHeader><eb:AckRequested eb:version="2.0" soap:mustUnderstand="1" '
        b'eb:signed="false"/>'
    )
    body = message.body.replace(b"</eb:MessageHeader>", asked)

    assert refusal(replace(message, body=body), agreement()).where == "//Header/AckRequested"


def test_message_error_opens():
    error = EbmsError("SecurityFailure", "Error", "//Header/Signature", "no")
    envelope = signals.message_error(
        signal_header("MessageError"), ErrorList(highest_severity="Error", errors=(error,))
    )
    how = signing(BOB)
    octets = seal.sign_signal(envelope, signing=how, signer=keys().signer(how.certificate))

    opened = open_wire(seal.wire_signal(octets), agreement())

    assert isinstance(opened.content, ErrorList)
    assert opened.signer is not None


# --- the seal -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payloads",
    [(), (payload(b"<other/>"),), (payload(), Payload(content_id="two", octets=b""))],
)
def test_only_the_released_payload_is_sealed(payloads):
    agreed = agreement()
    way = agreed.bindings[0].channel
    signer = keys().signer(signing().certificate)

    with pytest.raises(IllegalTransition):
        seal.sign_message(
            approval.own(sha256(DOCUMENT).hexdigest()),
            header(agreed),
            payloads,
            channel=way,
            signer=signer,
        )


def test_nothing_is_sealed_unsigned_where_signing_was_agreed():
    agreed = agreement()
    released = approval.own(sha256(DOCUMENT).hexdigest())
    way = agreed.bindings[0].channel

    with pytest.raises(IllegalTransition):
        seal.sign_message(released, header(agreed), (payload(),), channel=way, signer=None)
    with pytest.raises(IllegalTransition):
        seal.sign_signal(wire.user_message(header(agreed), ()), signing=signing(), signer=None)


# --- the property ---------------------------------------------------------------------


def content_of(opened: Opened) -> tuple[object, ...]:
    return opened.header, opened.content, opened.payloads, opened.references, opened.signer


@cache
def sample(profile: str) -> tuple[WireMessage, tuple[object, ...]]:
    message = send(agreement(profile))
    return message, content_of(open_wire(message, agreement(profile)))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["osb-rm-s", "osb-rm-e"]), st.data())
def test_a_flipped_bit_never_gives_other_content(profile, data):
    message, expected = sample(profile)
    body = bytearray(message.body)
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    try:
        opened = open_wire(replace(message, body=bytes(body)), agreement(profile))
    except Refused:
        return
    assert content_of(opened) == expected


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2000))
def test_any_octets_cross_unchanged(octets):
    agreed = agreement()

    assert open_wire(send(agreed, octets), agreed).payloads == (payload(octets),)
