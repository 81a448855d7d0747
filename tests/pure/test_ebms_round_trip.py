"""What is built reads the same, and damaged it is refused or read."""

from dataclasses import replace
from datetime import UTC, timedelta

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.directory import Limits
from gateway.errors import Refused
from gateway.message import Header, Manifest, Part, PartyRef
from gateway.wire import mime
from gateway.wire.ebms2.header import read, read_envelope, user_message
from tests.headers import AT, PLAIN

LIMITS = Limits()
PAYLOAD = Part("p1@x", "application/xml", b"<p/>")

HEADER = replace(
    PLAIN,
    service="urn:jz:1.0.9",
    time_to_live=AT + timedelta(days=1),
    duplicate_elimination=True,
    ack_requested=True,
    ack_signed=True,
)

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40)
PARTIES = st.builds(PartyRef, TEXT, TEXT) | TEXT.map(lambda text: PartyRef(f"urn:{text}", ""))
MOMENTS = st.datetimes(timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
HEADERS = st.builds(
    Header,
    sender=PARTIES,
    sender_role=TEXT,
    receiver=PARTIES,
    receiver_role=TEXT,
    cpa_id=TEXT,
    conversation_id=TEXT,
    service=TEXT.map("urn:{}".format),
    service_type=st.none() | TEXT,
    action=TEXT,
    message_id=TEXT,
    timestamp=MOMENTS,
    ref_to_message_id=st.none() | TEXT,
    time_to_live=st.none() | MOMENTS,
    duplicate_elimination=st.booleans(),
    ack_requested=st.booleans(),
    ack_signed=st.booleans(),
    sync_reply=st.booleans(),
).map(lambda header: replace(header, ack_signed=header.ack_signed and header.ack_requested))


@given(HEADERS, st.lists(st.binary(), max_size=3))
def test_what_was_built_reads_the_same(header, payloads):
    parts = tuple(Part(f"p{n}@x", "application/xml", octets) for n, octets in enumerate(payloads))
    cids = tuple(part.content_id for part in parts)
    root = etree.tostring(user_message(header, cids))
    message = mime.join(root, "root@x", parts, boundary="=grens=")

    claimed = read(message.body, message.content_type, limits=LIMITS)

    assert (claimed.header, claimed.content) == (header, Manifest(content_ids=cids))
    assert (claimed.root, claimed.parts) == (root, parts)
    assert read_envelope(claimed.tree) == (header, claimed.content)


def test_prefixes_stand_on_the_root_and_nothing_is_indented():
    root = user_message(HEADER, ("p1",))

    assert set(root.nsmap) == {"soap", "eb", "xlink", "ds"}
    assert b"\n" not in etree.tostring(root)
    assert [child.nsmap for child in root.iter()] == [root.nsmap] * len(list(root.iter()))


def test_header_blocks_come_in_the_agreed_order():
    header = replace(HEADER, sync_reply=True)
    names = [etree.QName(block).localname for block in user_message(header, ("p1",))[0]]

    assert names == ["MessageHeader", "SyncReply", "AckRequested"]


def family(octets, kind):
    """Part of the code before the dot, or `read`."""
    try:
        read(octets, kind, limits=LIMITS)
    except Refused as error:
        return error.code.partition(".")[0]
    return "read"


@given(st.binary(max_size=60), st.integers(0, 2500), st.integers(0, 60))
def test_damaged_octets_are_refused_or_read_and_nothing_else(garbage, at, length):
    root = etree.tostring(user_message(HEADER, ("p1@x",)))
    message = mime.join(root, "root", (PAYLOAD,), boundary="b")
    damaged = message.body[:at] + garbage + message.body[at + length :]

    found = family(damaged, message.content_type)

    assert found in {"read", "mime", "xml", "soap", "header"}
