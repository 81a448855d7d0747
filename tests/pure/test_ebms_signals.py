"""What an MSH says by itself, and the words it has for a refusal."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.directory import MSH_SERVICE, Limits
from gateway.errors import (
    CertificateRejected,
    DecryptionFailed,
    DuplicateConflict,
    Expired,
    Finding,
    GatewayError,
    Malformed,
    Misconfigured,
    NoRoute,
    PeerUnreachable,
    PolicyViolation,
    RevocationUnknown,
    SchemaViolation,
    SignatureInvalid,
    StoreUnavailable,
    TooLarge,
    UnknownAgreement,
)
from gateway.message import (
    Acknowledgment,
    EbmsError,
    ErrorList,
    Header,
    MessageStatus,
    MshAnswer,
    MshRequest,
    PartyRef,
    Reference,
)
from gateway.wire.ebms2 import services
from gateway.wire.ebms2.header import read
from gateway.wire.ebms2.signals import acknowledgment, ebms_error, message_error, soap_fault

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"


def header_of(action):
    return Header(
        sender=PartyRef("00000001000000000002"),
        receiver=PartyRef("00000001000000000001"),
        cpa_id="cpa_a_b_1",
        conversation_id="conversation-1",
        service=MSH_SERVICE,
        action=action,
        message_id="s1@b",
        timestamp=AT,
        ref_to_message_id="m1@a",
    )


def read_again(envelope):
    claimed = read(etree.tostring(envelope), "text/xml; charset=UTF-8", limits=Limits())
    return claimed.header, claimed.content


@given(
    st.lists(
        st.builds(Reference, st.sampled_from(["", "cid:p1@x"]), st.just("urn:d"), st.binary())
    ),
    st.none() | st.just(PartyRef("00000001000000000002")),
)
def test_an_acknowledgment_reads_the_same(references, sender):
    ack = Acknowledgment(
        timestamp=AT, ref_to_message_id="m1@a", sender=sender, references=tuple(references)
    )

    assert read_again(acknowledgment(header_of("Acknowledgment"), ack)) == (
        header_of("Acknowledgment"),
        ack,
    )


@pytest.mark.parametrize(
    "error",
    [
        EbmsError("MimeProblem", "Error", "cid:p1@x", "message is malformed"),
        EbmsError("DeliveryFailure", "Warning", "", ""),
    ],
)
def test_a_message_error_reads_the_same(error):
    errors = ErrorList(highest_severity=error.severity, errors=(error, error))

    assert read_again(message_error(header_of("MessageError"), errors)) == (
        header_of("MessageError"),
        errors,
    )


@pytest.mark.parametrize(
    "asked",
    [MshRequest(action="Ping"), MshRequest(action="StatusRequest", ref_to_message_id="m0@b")],
)
@pytest.mark.parametrize("sync", [False, True])
def test_a_request_to_the_msh_reads_the_same(asked, sync):
    header = replace(header_of(asked.action), ref_to_message_id=None, sync_reply=sync)

    assert read_again(services.request(header, asked)) == (header, asked)


ANSWERS = (
    MshAnswer(action="Pong"),
    *(
        MshAnswer(action="StatusResponse", about="m0@b", status=status, received_at=at)
        for status, at in zip(MessageStatus, (None, None, AT, AT, AT), strict=True)
    ),
)


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_of_the_msh_reads_the_same(answer):
    header = header_of(answer.action)

    assert read_again(services.answer(header, answer)) == (header, answer)


def of_part(error: DecryptionFailed) -> DecryptionFailed:
    error.part = "p"
    return error


@pytest.mark.parametrize(
    ("error", "code", "location"),
    [
        (Malformed("header.version", "x"), "ValueNotRecognized", "//Header/MessageHeader"),
        (Malformed("header.party", "x", where="//a"), "Inconsistent", "//a"),
        (Malformed("header.must_understand", "x"), "NotSupported", "//Header/MessageHeader"),
        (PolicyViolation("header.not_supported", "x", where="//a"), "NotSupported", "//a"),
        (PolicyViolation("header.inconsistent", "x", where="//a"), "Inconsistent", "//a"),
        (Malformed("header.value", "x", where="//a"), "OtherXml", "//a"),
        (Malformed("header.manifest", "x", where="//a"), "MimeProblem", "//a"),
        (Malformed("xml.doctype", "x"), "OtherXml", "//Header/MessageHeader"),
        (Malformed("soap.envelope", "x"), "OtherXml", "//Header/MessageHeader"),
        (Malformed("mime.missing_part", "x"), "MimeProblem", "//Body/Manifest"),
        (SignatureInvalid("signature.digest", "x"), "SecurityFailure", "//Header/Signature"),
        (SignatureInvalid("header.version", "x"), "SecurityFailure", "//Header/MessageHeader"),
        (CertificateRejected("certificate.usage", "x"), "SecurityFailure", "//Header/Signature"),
        (of_part(DecryptionFailed("decryption.failed", "x")), "SecurityFailure", "cid:p"),
        (PolicyViolation("peer.oin", "x", where="//a"), "SecurityFailure", "//a"),
        (
            Expired("ttl.expired", "x"),
            "TimeToLiveExpired",
            "//Header/MessageHeader/MessageData/TimeToLive",
        ),
        (
            UnknownAgreement("agreement.unknown", "x"),
            "ValueNotRecognized",
            "//Header/MessageHeader/CPAId",
        ),
        (
            UnknownAgreement("agreement.signals", "x"),
            "Unknown",
            "//Header/MessageHeader/CPAId",
        ),
        (
            UnknownAgreement("agreement.action", "x"),
            "ValueNotRecognized",
            "//Header/MessageHeader/Action",
        ),
        (
            DuplicateConflict("duplicate.message_id", "x"),
            "Inconsistent",
            "//Header/MessageHeader/MessageData/MessageId",
        ),
        (NoRoute("route.unknown", "x"), "DeliveryFailure", "//Header/MessageHeader"),
        (PeerUnreachable("peer.down", "x"), "DeliveryFailure", "//Header/MessageHeader"),
        (TooLarge("payload.size", "x"), "Unknown", "//Header/MessageHeader"),
        (RevocationUnknown("certificate.revocation_unknown", "x"), "Unknown", "//Header/Signature"),
        (GatewayError("wat.dan.ook", "x"), "Unknown", "//Header/MessageHeader"),
    ],
)
def test_every_refusal_has_an_ebms_code_and_a_place(error, code, location):
    found = ebms_error(error)

    assert (found.code, found.severity, found.location) == (code, "Error", location)


def test_the_peer_learns_only_the_class_of_failure():
    finding = Finding(code="schema.x", rule="r", path="/geheim", text="geheim")
    errors = [SchemaViolation((finding,)), SignatureInvalid("signature.digest", "geheim")]

    assert [ebms_error(error).text for error in errors] == [error.public for error in errors]
    assert b"geheim" not in b"".join(soap_fault(error) for error in errors)


@pytest.mark.parametrize(
    ("error", "side"),
    [
        (Malformed("xml.malformed", "x"), "Client"),
        (UnknownAgreement("agreement.unknown", "x"), "Client"),
        (StoreUnavailable("store.full", "x"), "Server"),
        (Misconfigured("keys.missing", "x"), "Server"),
    ],
)
def test_a_soap_fault_says_whose_turn_it_is(error, side):
    root = etree.fromstring(soap_fault(error))
    fault = root.find(f"{SOAP}Body/{SOAP}Fault")

    assert fault.findtext("faultcode") == f"soap:{side}"
    assert fault.findtext("faultstring") == error.public
    assert root.nsmap["soap"] == SOAP.strip("{}")
