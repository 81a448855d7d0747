"""The OASIS schemas as oracle: whatever the gateway emits is valid against them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

from gateway.directory import MSH_SERVICE
from gateway.errors import Malformed, SignatureInvalid, StoreUnavailable
from gateway.message import (
    Acknowledgment,
    ErrorList,
    Header,
    MessageStatus,
    MshAnswer,
    MshRequest,
    PartyRef,
    Reference,
)
from gateway.wire.ebms2 import services
from gateway.wire.ebms2.header import user_message
from gateway.wire.ebms2.signals import acknowledgment, ebms_error, message_error, soap_fault
from tests.headers import AT, PLAIN

SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
MESSAGE = replace(
    PLAIN,
    ref_to_message_id="m0@b",
    time_to_live=AT + timedelta(days=1),
    duplicate_elimination=True,
    ack_requested=True,
    ack_signed=True,
    sync_reply=True,
)
SIGNAL = Header(
    sender=MESSAGE.receiver,
    receiver=MESSAGE.sender,
    cpa_id="cpa_a_b_1",
    conversation_id="conversation-1",
    service=MSH_SERVICE,
    action="Acknowledgment",
    message_id="s1@b",
    timestamp=AT,
    ref_to_message_id="m1@a",
)
BEST_EFFORT = replace(
    MESSAGE,
    sender=PartyRef("urn:x:a", ""),
    service="urn:x:jz",
    service_type=None,
    ref_to_message_id=None,
    time_to_live=None,
    duplicate_elimination=False,
    ack_requested=False,
    sync_reply=False,
)
DIGESTS = (Reference("", SHA256, b"\0" * 32), Reference("cid:p1@x", SHA256, b"\1" * 32))
REFUSALS = (
    ebms_error(Malformed("mime.missing_part", "x", where="cid:p1@x")),
    ebms_error(SignatureInvalid("signature.digest", "x")),
)
ENVELOPES = {
    "message": user_message(MESSAGE, ("p1@x", "p2@x")),
    "best effort": user_message(BEST_EFFORT, ("p1@x",)),
    "without payload": user_message(MESSAGE, ()),
    "acknowledgment": acknowledgment(
        SIGNAL, Acknowledgment(timestamp=AT, ref_to_message_id="m1@a")
    ),
    "acknowledgment with digests": acknowledgment(
        SIGNAL,
        Acknowledgment(
            timestamp=AT, ref_to_message_id="m1@a", sender=MESSAGE.receiver, references=DIGESTS
        ),
    ),
    "message error": message_error(
        replace(SIGNAL, action="MessageError"),
        ErrorList(highest_severity="Error", errors=REFUSALS),
    ),
    "ping": services.request(
        replace(SIGNAL, action="Ping", ref_to_message_id=None, sync_reply=True),
        MshRequest(action="Ping"),
    ),
    "pong": services.answer(replace(SIGNAL, action="Pong"), MshAnswer(action="Pong")),
    "status request": services.request(
        replace(SIGNAL, action="StatusRequest", ref_to_message_id=None),
        MshRequest(action="StatusRequest", ref_to_message_id="m0@b"),
    ),
    **{
        f"status {status}": services.answer(
            replace(SIGNAL, action="StatusResponse"),
            MshAnswer(
                action="StatusResponse",
                about="m0@b",
                status=status,
                received_at=AT if status is MessageStatus.RECEIVED else None,
            ),
        )
        for status in MessageStatus
    },
    "client fault": etree.fromstring(soap_fault(Malformed("xml.doctype", "x"))),
    "server fault": etree.fromstring(soap_fault(StoreUnavailable("store.full", "x"))),
}


@pytest.fixture(scope="session")
def oasis(vectors: Path) -> etree.XMLSchema:
    """The header schema; it brings in SOAP 1.1, XMLDSig, XLink, all from the same folder."""
    return etree.XMLSchema(etree.parse(vectors / "xsd" / "msg-header-2_0.xsd"))


@pytest.mark.parametrize("name", ENVELOPES)
def test_what_is_emitted_is_valid(oasis, name):
    octets = etree.tostring(ENVELOPES[name])

    assert oasis.validate(etree.fromstring(octets)), oasis.error_log


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("message", b"<eb:CPAId>cpa_a_b_1</eb:CPAId>", b""),
        ("message", b' eb:signed="true"', b""),
        ("message", b' xlink:href="cid:p1@x"', b""),
        ("acknowledgment", b"12:00:00.000Z</eb:Timestamp><eb:RefToMessageId>m1@a</eb:RefTo", b""),
        ("acknowledgment with digests", b"<ds:DigestMethod", b"<ds:DigestMethode"),
        ("message error", b'eb:severity="Error"', b'eb:severity="Erg"'),
        ("status request", b">m0@b<", b"><eb:x/><"),
        ("status Received", b'eb:messageStatus="Received"', b'eb:messageStatus="Gezien"'),
        ("client fault", b"<faultstring>", b"<faultactor/><faultstring>"),
    ],
)
def test_the_oracle_sees_a_defect_in_every_block(oasis, name, old, new):
    octets = etree.tostring(ENVELOPES[name])
    damaged = octets.replace(old, new)
    tree = etree.fromstring(damaged, etree.XMLParser(recover=True))

    assert damaged != octets
    assert not oasis.validate(tree)
