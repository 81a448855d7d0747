"""Faults in the ebMS header that its sender signed."""

from datetime import timedelta
from typing import Any

from lxml import etree

from gateway.directory import Limits
from tests.flow import bad_input as bad
from tests.flow.bad_input import add, cut, text
from tests.flow.town import NOW, VT
from tests.vectors.kinds import Error, Fault, vector
from tests.vectors.paths import ACK, DATA, HEADER, MANIFEST, MESSAGE
from tests.vectors.topics import Topic


def at(**span: int) -> Any:
    return NOW + timedelta(**span)


def rename(**header: Any) -> dict[str, Any]:
    return {"header": header}


WHERE = "//Header/MessageHeader"
_EB = f"{{{bad.NS['eb']}}}"


def without_type(tree: bad.Tree) -> None:
    del bad.one(tree, f"{MESSAGE}/eb:Service").attrib[f"{_EB}type"]


def nor_uri(tree: bad.Tree) -> None:
    without_type(tree)
    bad.one(tree, f"{MESSAGE}/eb:Service").text = "corv"


def version_without_namespace(tree: bad.Tree) -> None:
    element = bad.one(tree, MESSAGE)
    element.set("version", element.attrib.pop(f"{_EB}version"))


HEADERS = (
    vector(
        "no_cpa_id",
        Topic.HEADER_FORM,
        "header.missing",
        Fault(),
        unsigned=cut(f"{MESSAGE}/eb:CPAId"),
    ),
    vector("no_message_header", Topic.HEADER_FORM, "header.missing", Fault(), signed=cut(MESSAGE)),
    vector(
        "version_1",
        Topic.HEADER_FORM,
        "header.version",
        Fault(),
        unsigned=lambda t: bad.one(t, MESSAGE).set(f"{{{bad.NS['eb']}}}version", "1.0"),
        says="version 1.0",
    ),
    vector(
        "two_party_ids",
        Topic.HEADER_FORM,
        "header.party",
        Fault(),
        unsigned=add(f"{MESSAGE}/eb:From", f'<eb:PartyId eb:type="urn:osb:oin">{VT}</eb:PartyId>'),
    ),
    vector(
        "no_role",
        Topic.ROLE,
        "header.role",
        Fault(),
        unsigned=cut(f"{MESSAGE}/eb:From/eb:Role"),
        says="From without Role",
    ),
    vector(
        "ack_requested_of_next_msh",
        Topic.NEXT_ACTOR,
        "header.not_supported",
        Fault(),
        signed=lambda t: bad.one(t, ACK).set(
            f"{{{bad.NS['soap']}}}actor", "urn:oasis:names:tc:ebxml-msg:actor:nextMSH"
        ),
    ),
    vector(
        "message_order",
        Topic.HEADER_FORM,
        "header.not_supported",
        Fault(),
        unsigned=add(
            HEADER,
            '<eb:MessageOrder eb:version="2.0" soap:mustUnderstand="1">'
            "<eb:SequenceNumber>1</eb:SequenceNumber></eb:MessageOrder>",
        ),
        says="MessageOrder",
    ),
    vector(
        "must_understand_unknown",
        Topic.HEADER_FORM,
        "header.must_understand",
        Fault(),
        unsigned=add(HEADER, '<x:y xmlns:x="urn:x" soap:mustUnderstand="1"/>'),
        says="a header block that must be understood and is not known",
    ),
    vector(
        "unknown_ebms_block",
        Topic.HEADER_FORM,
        "header.unknown",
        Fault(),
        unsigned=add(HEADER, "<eb:Via/>"),
        says="a header block of ebMS that does not exist",
    ),
    vector(
        "timestamp_no_moment",
        Topic.HEADER_FORM,
        "header.timestamp",
        Fault(),
        unsigned=text(f"{DATA}/eb:Timestamp", "yesterday"),
        says="a Timestamp that is no moment",
    ),
    vector(
        "timestamp_without_zone",
        Topic.SKEW,
        "header.timestamp",
        Fault(),
        unsigned=text(f"{DATA}/eb:Timestamp", "2026-11-24T09:00:00"),
        says="a Timestamp without a zone",
    ),
    vector(
        "time_to_live_passed",
        Topic.TTL,
        "ttl.expired",
        Error("TimeToLiveExpired", "//Header/MessageHeader/MessageData/TimeToLive"),
        at=timedelta(hours=1),
        says="it comes at the moment of its TimeToLive",
    ),
    vector(
        "timestamp_in_future",
        Topic.SKEW,
        "header.timestamp",
        Error("ValueNotRecognized", "//Header/MessageHeader/MessageData/Timestamp"),
        **rename(timestamp=at(minutes=6)),
        says="a Timestamp six minutes ahead",
    ),
    vector(
        "comment_in_value",
        Topic.ODD_PLACES,
        "header.value",
        Fault(),
        signed=lambda t: bad.one(t, f"{DATA}/eb:MessageId").append(etree.Comment("x")),
    ),
    vector(
        "acknowledgment_on_board",
        Topic.HEADER_FORM,
        "header.bundled",
        Fault(),
        unsigned=add(HEADER, '<eb:Acknowledgment eb:version="2.0"/>'),
        says="an Acknowledgment bundled with a message",
    ),
    vector(
        "envelope_too_large",
        Topic.OVERSIZE,
        "header.size",
        Fault(),
        hub=lambda: {"limits": Limits(header_bytes=2_000)},
    ),
    vector(
        "role_of_another",
        Topic.ROLE,
        "header.inconsistent",
        Error("Inconsistent", "//Header/MessageHeader/From/Role"),
        **rename(sender_role="OM"),
    ),
    vector(
        "ack_not_requested",
        Topic.AGREED,
        "header.inconsistent",
        Error("Inconsistent", "//Header/AckRequested"),
        unsigned=cut(ACK),
        says="no acknowledgement is asked for, though that was agreed",
    ),
    vector(
        "ack_unsigned_requested",
        Topic.DOWNGRADE,
        "header.inconsistent",
        Error("Inconsistent", "//Header/AckRequested/@signed"),
        **rename(ack_signed=False),
    ),
    vector(
        "duplicates_not_eliminated",
        Topic.AGREED,
        "header.inconsistent",
        Error("Inconsistent", "//Header/MessageHeader/DuplicateElimination"),
        unsigned=cut(f"{MESSAGE}/eb:DuplicateElimination"),
        says="no DuplicateElimination, though that was agreed",
    ),
    vector(
        "sync_reply_not_agreed",
        Topic.AGREED,
        "header.inconsistent",
        Error("Inconsistent", "//Header/SyncReply"),
        **rename(sync_reply=True),
        says="SyncReply, though that was not agreed",
    ),
    vector(
        "no_party_id",
        Topic.HEADER_FORM,
        "header.party",
        Fault(),
        unsigned=cut(f"{MESSAGE}/eb:From/eb:PartyId"),
    ),
    vector(
        "no_service_type",
        Topic.SERVICE,
        "header.inconsistent",
        Error("Inconsistent", f"{WHERE}/Service/@type"),
        unsigned=without_type,
        says="Service without the type of the CPA",
    ),
    vector(
        "service_is_no_uri_and_has_no_type",
        Topic.HEADER_FORM,
        "header.service",
        Fault(),
        unsigned=nor_uri,
    ),
    vector(
        "service_of_other_type",
        Topic.SERVICE,
        "header.inconsistent",
        Error("Inconsistent", f"{WHERE}/Service/@type"),
        **rename(service_type="other"),
    ),
    vector(
        "role_of_another_receiver",
        Topic.ROLE,
        "header.inconsistent",
        Error("Inconsistent", f"{WHERE}/To/Role"),
        **rename(receiver_role="OM"),
    ),
    vector(
        "time_to_live_is_the_timestamp",
        Topic.TTL,
        "ttl.expired",
        Error("TimeToLiveExpired", f"{WHERE}/MessageData/TimeToLive"),
        **rename(time_to_live=NOW),
        says="TimeToLive is the Timestamp itself",
    ),
    vector(
        "message_without_payload",
        Topic.CID_MISSING,
        "mime.missing_part",
        Error("MimeProblem", "//Body/Manifest"),
        unsigned=cut(MANIFEST),
        parts=lambda _parts: (),
        more="without a payload there is neither Manifest nor part",
    ),
    vector(
        "ack_requested_for_the_next",
        Topic.NEXT_ACTOR,
        "header.actor",
        Fault(),
        signed=lambda t: bad.one(t, ACK).set(f"{{{bad.NS['soap']}}}actor", bad.NEXT),
    ),
    vector(
        "version_without_namespace",
        Topic.NAMESPACES,
        "header.version",
        Fault(),
        unsigned=version_without_namespace,
        says="eb:version without its namespace",
    ),
    vector(
        "header_of_other_namespace",
        Topic.NAMESPACES,
        "header.must_understand",
        Fault(),
        unsigned=lambda t: setattr(bad.one(t, MESSAGE), "tag", "{urn:other}MessageHeader"),
    ),
    vector(
        "action_of_a_signal",
        Topic.ACTION,
        "agreement.action",
        Error("ValueNotRecognized", f"{WHERE}/Action"),
        says="a user message with the action of a signal",
        **rename(action="Acknowledgment"),
    ),
    vector(
        "id_turns_direction",
        Topic.HEADER_FORM,
        "header.value",
        Fault(),
        says="a mark in the MessageId turns the direction of writing",
        **rename(message_id="melding\u202e-1@politie.example"),
    ),
    vector(
        "id_with_invisible_space",
        Topic.HEADER_FORM,
        "header.value",
        Fault(),
        **rename(message_id="melding\u200b-1@politie.example"),
    ),
)
