"""Envelopes written as text are, octet by octet, those that are built as trees."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.directory import MSH_SERVICE
from gateway.errors import Malformed, PolicyViolation, SignatureInvalid
from gateway.message import Acknowledgment, Header, PartyRef, Reference
from gateway.security.algorithms import C14N_EXCLUSIVE, DIGIKOPPELING, SHA256
from gateway.security.c14n import canonicalize
from gateway.security.dsig import leave_out_next, verify_envelope
from gateway.security.dsig_make import serialize, sign_envelope
from gateway.security.dsig_plain import sign_plain, verify_plain
from gateway.wire import xml
from gateway.wire.ebms2 import header as tree
from gateway.wire.ebms2 import plain, plain_read, signals
from gateway.wire.ebms2.header import read_envelope
from tests.pki import leaf
from tests.sealing import ALICE, agreement, keys, signal_header, signing
from tests.sealing import header as user_header

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


@settings(deadline=None)
@given(header=HEADERS, content_ids=CONTENT_IDS)
def test_a_user_message_is_the_same_as_text_and_as_tree(header, content_ids):
    assert_same(plain.user_message(header, content_ids), tree.user_message(header, content_ids))


@settings(deadline=None)
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


# --- reading what we write ------------------------------------------------------------


def read_by_parser(octets):
    """Return (header, content) as the parser finds them, None when it refuses."""
    try:
        return read_envelope(xml.parse(octets))
    except (Malformed, PolicyViolation):
        return None


def sign(written, parts):
    signer = keys().signer(signing().certificate)
    return sign_plain(written, parts, signing=signing(), signer=signer).envelope


def assert_read_as_by_parser(octets):
    found = plain_read.read(octets)
    assert found is None or (found.header, found.content) == read_by_parser(octets)
    return found


@settings(deadline=None)
@given(header=HEADERS, content_ids=CONTENT_IDS)
def test_any_user_message_is_read_as_the_parser_reads_it(header, content_ids):
    assert_read_as_by_parser(sign(plain.user_message(header, content_ids), {}))


@settings(deadline=None)
@given(header=HEADERS, ack=ACKNOWLEDGMENTS, own=st.booleans())
def test_any_acknowledgment_is_read_as_the_parser_reads_it(header, ack, own):
    if own:
        header = replace(header, service=MSH_SERVICE, action="Acknowledgment")

    assert_read_as_by_parser(sign(plain.acknowledgment(header, ack), {}))


def usual_message(**changes):
    agreed = agreement("osb-rm-e")
    written = plain.user_message(user_header(agreed, **changes), ("part@a",))
    return sign(written, {"part@a": b"octets"})


def usual_acknowledgment():
    references = (Reference("", SHA256, b"a" * 32), Reference("cid:p@a", SHA256, b"b" * 32))
    return sign(plain.acknowledgment(HEADER, replace(ACK, references=references)), {})


USUAL = (usual_message, usual_acknowledgment)


@pytest.mark.parametrize("make", USUAL)
def test_the_usual_messages_need_no_parser(make):
    assert assert_read_as_by_parser(make()) is not None


@pytest.mark.parametrize("make", USUAL)
@settings(deadline=None)
@given(data=st.data())
def test_a_changed_message_is_read_as_the_parser_reads_it_or_by_the_parser(make, data):
    octets = make()
    at = data.draw(st.integers(0, len(octets)))
    drop = data.draw(st.integers(0, 4))
    put = data.draw(st.sampled_from([b"", b" ", b"<", b">", b"x", b"0", b"&#65;", b"<!-- -->"]))

    assert_read_as_by_parser(octets[:at] + put + octets[at + drop :])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</soap:Header>", b"<a:x xmlns:a='u'/></soap:Header>"),
        (b"<ds:Signature>", b"<!-- --><ds:Signature>"),
        (b"</ds:SignedInfo>", b"</ds:SignedInfo> "),
        (b"</soap:Body>", b"<eb:Manifest/></soap:Body>"),
        (b"<eb:From>", b"<eb:From ><eb:PartyId>1</eb:PartyId></eb:From><eb:From>"),
        (b"VERZENDER", b" VERZENDER"),
        (b"VERZENDER", b"VER&#90;ENDER"),
        (b"?>\n", b"?>"),
        (b"</soap:Envelope>", b"</soap:Envelope>\n"),
        (b"Z</eb:Timestamp>", b"+00:00</eb:Timestamp>"),
        (b".000Z", b".0000001Z"),
        (b"#sha256", b"#sha1"),
    ],
)
def test_what_we_would_not_write_is_left_to_the_parser_or_says_the_same(old, new):
    octets = usual_message()
    assert old in octets

    assert_read_as_by_parser(octets.replace(old, new))


def verified_by(verify, *arguments, **options):
    try:
        return verify(*arguments, **options)
    except SignatureInvalid:
        return None


VALUE = re.compile(rb"(?<=<ds:SignatureValue>).")
DIGEST = re.compile(rb"(?<=<ds:DigestValue>).")


@pytest.mark.parametrize(
    "parts", [{"part@a": b"octets"}, {"part@a": b"other"}, {}, {"b": b"octets"}]
)
@pytest.mark.parametrize("named", ["sign", "tls"])
@pytest.mark.parametrize(
    "policy",
    [
        DIGIKOPPELING,
        replace(DIGIKOPPELING, digests=frozenset()),
        replace(DIGIKOPPELING, signatures=frozenset()),
        replace(DIGIKOPPELING, canonicalizations=frozenset()),
        replace(DIGIKOPPELING, minimum_rsa_bits=4096),
    ],
)
@pytest.mark.parametrize(
    "change",
    [
        lambda octets: octets,
        lambda octets: octets.replace(b"<eb:CPAId>c", b"<eb:CPAId>d"),
        lambda octets: VALUE.sub(b"A", octets),
        lambda octets: DIGEST.sub(b"A", octets),
    ],
    ids=["as it is", "header", "value", "digest"],
)
def test_verification_without_a_parser_is_that_with_one(change, policy, named, parts):
    octets = change(usual_message())
    options = {"policy": policy, "certificates": (leaf(ALICE, named).certificate,)}
    found = plain_read.read(octets)

    assert found is not None
    assert verify_plain(found, parts, **options) == verified_by(
        verify_envelope, xml.parse(octets), parts, **options
    )


def test_a_changed_digest_algorithm_is_not_verified():
    found = plain_read.read(usual_message().replace(b"xmlenc#sha256", b"xmlenc#sha512"))
    options = {"policy": DIGIKOPPELING, "certificates": (signing().certificate,)}

    assert verify_plain(found, {"part@a": b"octets"}, **options) is None


@pytest.mark.parametrize(("length", "read"), [(512, True), (513, False)])
def test_an_id_that_no_column_holds_is_refused_both_ways(length, read):
    """PostgreSQL took no more than 512: the partner got 503 for ever."""
    header = user_header(agreement(), message_id="m" * length)
    parts = {"inhoud": b"octets"}
    found = plain.user_message(header, tuple(parts))
    octets = sign(found, parts)

    assert (plain_read.read(octets) is not None) is read
    if not read:
        with pytest.raises(Malformed):
            read_envelope(xml.parse(octets, where="//Envelope"))
