"""Envelopes written as text are, octet by octet, those that are built as trees."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import SignatureInvalid
from gateway.message import Acknowledgment, Header, PartyRef, Reference
from gateway.security.algorithms import C14N_EXCLUSIVE, SHA256
from gateway.security.c14n import canonicalize
from gateway.security.dsig import leave_out_next
from gateway.security.dsig_make import serialize, sign_envelope
from gateway.security.dsig_plain import sign_plain
from gateway.wire.ebms2 import header as tree
from gateway.wire.ebms2 import plain, signals
from tests.sealing import ALICE, keys, signal_header, signing

MOMENTS = st.integers(-(10**10), 10**11).map(lambda n: datetime.fromtimestamp(n / 1000, UTC))
PLAIN = "".join(chr(n) for n in range(0x20, 0x7F) if chr(n) not in '"&<>')
VALUES = st.text(PLAIN, min_size=1, max_size=30)
MAYBE = st.none() | st.just("") | VALUES
PARTIES = st.builds(PartyRef, VALUES, st.just("") | VALUES)
HEADERS = st.builds(
    Header,
    sender=PARTIES,
    receiver=PARTIES,
    cpa_id=VALUES,
    conversation_id=VALUES,
    service=VALUES,
    action=VALUES,
    message_id=VALUES,
    timestamp=MOMENTS,
    sender_role=MAYBE,
    receiver_role=MAYBE,
    service_type=MAYBE,
    ref_to_message_id=MAYBE,
    time_to_live=st.none() | MOMENTS,
    duplicate_elimination=st.booleans(),
    ack_requested=st.booleans(),
    ack_signed=st.booleans(),
    sync_reply=st.booleans(),
)
CONTENT_IDS = st.lists(VALUES, min_size=1, max_size=3, unique=True).map(tuple)
REFERENCES = st.lists(
    st.builds(Reference, st.just("") | VALUES, VALUES, st.binary(max_size=64)), max_size=3
).map(tuple)
ACKNOWLEDGMENTS = st.builds(
    Acknowledgment,
    timestamp=MOMENTS,
    ref_to_message_id=VALUES,
    sender=st.none() | PARTIES,
    references=REFERENCES,
)
SPECIAL = ('"', "&", "<", ">", "é", "\t", "\n", "\r", "\x7f", "\u2028", "😀")


def canonical(envelope):
    leave_out_next(envelope)
    return canonicalize(envelope, C14N_EXCLUSIVE)


def assert_same(written, built):
    assert written.head + written.tail == serialize(built)
    parts = {"part@a": b"octets"}
    signer = keys().signer(signing().certificate)
    assert sign_plain(written, parts, signing=signing(), signer=signer) == sign_envelope(
        built, parts, signing=signing(), signer=signer
    )
    assert written.canonical == canonical(built)


@given(header=HEADERS, content_ids=CONTENT_IDS)
def test_a_user_message_is_the_same_as_text_and_as_tree(header, content_ids):
    assert_same(plain.user_message(header, content_ids), tree.user_message(header, content_ids))


@given(header=HEADERS, ack=ACKNOWLEDGMENTS)
def test_an_acknowledgment_is_the_same_as_text_and_as_tree(header, ack):
    header = replace(header, ack_requested=False, sync_reply=False)

    assert_same(plain.acknowledgment(header, ack), signals.acknowledgment(header, ack))


FIELDS = (
    *("cpa_id", "conversation_id", "service", "action", "message_id"),
    *("sender_role", "receiver_role", "service_type", "ref_to_message_id"),
)
HEADER = signal_header("Acknowledgment")
ACK = Acknowledgment(timestamp=HEADER.timestamp, ref_to_message_id="m@a", sender=PartyRef("1"))


@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize("field", FIELDS)
def test_what_needs_escaping_in_the_header_is_left_to_the_tree(field, special):
    header = replace(HEADER, **{field: f"a{special}b"})

    assert plain.user_message(header, ("p@a",)) is None
    assert plain.acknowledgment(header, ACK) is None


@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize(
    "changes",
    [
        lambda text: {"sender": PartyRef(text)},
        lambda text: {"sender": PartyRef("1", text)},
        lambda text: {"ref_to_message_id": text},
        lambda text: {"references": (Reference(text, SHA256, b""),)},
        lambda text: {"references": (Reference("", text, b""),)},
    ],
)
def test_what_needs_escaping_in_an_acknowledgment_is_left_to_the_tree(changes, special):
    assert plain.acknowledgment(HEADER, replace(ACK, **changes(f"a{special}b"))) is None


@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_what_needs_escaping_in_a_party_is_left_to_the_tree(side, special):
    for party in (PartyRef(f"a{special}"), PartyRef("1", f"a{special}")):
        assert plain.user_message(replace(HEADER, **{side: party}), ("p@a",)) is None


@pytest.mark.parametrize("special", SPECIAL)
def test_what_needs_escaping_in_a_content_id_is_left_to_the_tree(special):
    written = plain.user_message(HEADER, ("p@a",))

    assert plain.user_message(HEADER, (f"p{special}@a",)) is None
    with pytest.raises(SignatureInvalid):
        sign_plain(
            written,
            {f"p{special}@a": b""},
            signing=signing(),
            signer=keys().signer(signing(ALICE).certificate),
        )


@pytest.mark.parametrize("field", ["cpa_id", "conversation_id", "service", "action", "message_id"])
def test_an_empty_value_is_left_to_the_tree(field):
    header = replace(HEADER, **{field: ""})

    assert plain.user_message(header, ("p@a",)) is None
    assert plain.acknowledgment(header, ACK) is None
    assert plain.acknowledgment(HEADER, replace(ACK, ref_to_message_id="")) is None
    assert plain.acknowledgment(HEADER, replace(ACK, sender=PartyRef(""))) is None


def test_a_message_without_payload_is_left_to_the_tree():
    assert plain.user_message(HEADER, ()) is None
