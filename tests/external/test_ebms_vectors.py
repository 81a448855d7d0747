"""Envelopes of another implementation: accepted, or refused for the one defect that they have."""

from html import escape

import pytest

from gateway.directory import Limits
from gateway.errors import Refused
from gateway.message import Manifest, MshRequest, Part, PartyRef
from gateway.wire import mime
from gateway.wire.ebms2.header import read

VALUES = {
    "uuid": "7f0c2e1e-6c4a-4c55-9d0e-1f5a3a1f0b11",
    "fromPartyId": "00000000000000000000",
    "toPartyId": "00000000000000000001",
    "fromRole": "DIGIPOORT",
    "toRole": "OVERHEID",
    "cpaId": "cpaStubEBF.rm.http.unsigned.sync",
    "service": "osb:afleveren:1.1$1.0",
    "action": "afleveren",
    "timestamp": "2026-11-24T12:00:00.000Z",
    "timeToLive": "2026-11-25T12:00:00.000Z",
    "refToMessageId": "0d5b6f3c",
}
ATTRIBUTES = {
    'th:eb:type="${partyType}"': 'eb:type="urn:osb:oin"',
    'th:eb:type="${serviceType}"': 'eb:type="urn:osb:services"',
    ' th:each="cid: ${cids}"': "",
    """th:xlink:href="${'cid:' + cid}\"""": 'xlink:href="cid:bijlage-1"',
}
PAYLOAD = Part("bijlage-1", "application/xml", b"<bijlage/>")

ACCEPTED = {
    "EbMSMessage",
    "EbMSMessageMissingDuplicateElimination",
    "EbMSMessageStatus",
    "EbMSMessageWithAttachments",
    "EbMSPing",
}
DEFECTS = {
    "EbMSMessageInvalidAckRequestedActor": ("header.actor", "//Header/AckRequested/@actor"),
    "EbMSMessageInvalidMessageHeaderVersion": (
        "header.version",
        "//Header/MessageHeader/@version",
    ),
    "EbMSMessageMissingFromPartyId": ("header.party", "//Header/MessageHeader/From/PartyId"),
    "EbMSMessageMissingManifest": ("header.manifest", "//Body/Manifest"),
    "EbMSMessageNextMshAckRequested": ("header.not_supported", "//Header/AckRequested"),
    "EbMSPingXXE": ("xml.doctype", "//Envelope"),
}


def filled(vectors, name):
    text = (vectors / "ebms2" / f"{name}.xml").read_text("utf-8")
    for placeholder, attribute in ATTRIBUTES.items():
        text = text.replace(placeholder, attribute)
    for placeholder, value in VALUES.items():
        text = text.replace(f"[[${{{placeholder}}}]]", escape(value))
    assert "${" not in text
    return text.encode()


def claimed(vectors, name, *parts):
    message = mime.join(filled(vectors, name), "root", parts, boundary="-=grens=-")
    return read(message.body, message.content_type, limits=Limits())


def refusal(vectors, name, *parts):
    with pytest.raises(Refused) as caught:
        claimed(vectors, name, *parts)
    return caught.value


def test_every_envelope_of_the_folder_is_tried(vectors):
    assert {path.stem for path in (vectors / "ebms2").glob("*.xml")} == ACCEPTED | DEFECTS.keys()


def test_a_message_with_attachments_is_accepted(vectors):
    message = claimed(vectors, "EbMSMessageWithAttachments", PAYLOAD)

    assert message.content == Manifest(content_ids=("bijlage-1",))
    assert message.parts == (PAYLOAD,)
    assert message.header.sender == PartyRef("00000000000000000000", "urn:osb:oin")
    assert (message.header.sender_role, message.header.receiver_role) == ("DIGIPOORT", "OVERHEID")
    assert (message.header.ack_requested, message.header.ack_signed) == (True, False)
    assert (message.header.duplicate_elimination, message.header.sync_reply) == (True, True)


def test_a_message_without_payload_is_accepted(vectors):
    assert claimed(vectors, "EbMSMessage").content == Manifest(content_ids=())


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("EbMSPing", MshRequest(action="Ping")),
        (
            "EbMSMessageStatus",
            MshRequest(action="StatusRequest", ref_to_message_id="0d5b6f3c@localhost"),
        ),
    ],
)
def test_a_request_to_the_msh_is_accepted(vectors, name, request_):
    message = claimed(vectors, name)

    assert message.content == request_
    assert message.header.sender_role is None


def test_a_missing_duplicate_elimination_is_left_to_the_agreement(vectors):
    assert not claimed(
        vectors, "EbMSMessageMissingDuplicateElimination"
    ).header.duplicate_elimination


@pytest.mark.parametrize("name", DEFECTS)
def test_the_one_defect_is_named_with_its_place(vectors, name):
    error = refusal(vectors, name, PAYLOAD)

    assert (error.code, error.where) == DEFECTS[name]
