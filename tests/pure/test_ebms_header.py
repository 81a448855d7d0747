"""The ebMS 2.0 header: read strictly, built so that it reads the same."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directory import MSH_SERVICE, Limits
from gateway.errors import Malformed, PolicyViolation, Refused
from gateway.message import (
    Acknowledgment,
    EbmsError,
    ErrorList,
    Manifest,
    MessageStatus,
    MshAnswer,
    MshRequest,
    Part,
    PartyRef,
    Reference,
)
from gateway.wire import mime
from gateway.wire.ebms2.header import read
from tests.headers import AT, PLAIN

LIMITS = Limits()
XML = "text/xml; charset=UTF-8"
PAYLOAD = Part("p1@x", "application/xml", b"<p/>")

HEADER = PLAIN

ENVELOPE = """\
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:eb="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"
 xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
 xmlns:x="urn:x">
 <soap:Header>
  <eb:MessageHeader eb:version="2.0" soap:mustUnderstand="1">
   <eb:From><eb:PartyId eb:type="urn:osb:oin">00000001000000000001</eb:PartyId>{role_a}</eb:From>
   <eb:To><eb:PartyId eb:type="urn:osb:oin">00000001000000000002</eb:PartyId>{role_b}</eb:To>
   <eb:CPAId>cpa_a_b_1</eb:CPAId>
   <eb:ConversationId>conversation-1</eb:ConversationId>
   {service}
   <eb:Action>{action}</eb:Action>
   <eb:MessageData>
    <eb:MessageId>m1@a</eb:MessageId>
    <eb:Timestamp>2026-11-24T12:00:00.000Z</eb:Timestamp>{data}
   </eb:MessageData>{more}
  </eb:MessageHeader>{blocks}
 </soap:Header>
 <soap:Body>{body}</soap:Body>
</soap:Envelope>"""

USER = {
    "role_a": "<eb:Role>Melder</eb:Role>",
    "role_b": "<eb:Role>Knooppunt</eb:Role>",
    "service": '<eb:Service eb:type="urn:osb:services">jz</eb:Service>',
    "action": "vtMeldingDi01",
    "data": "",
    "more": "",
    "blocks": "",
    "body": '<eb:Manifest eb:version="2.0"><eb:Reference xlink:href="cid:p1"/></eb:Manifest>',
}
SIGNAL = {
    **dict.fromkeys(USER, ""),
    "service": f"<eb:Service>{MSH_SERVICE}</eb:Service>",
    "action": "Acknowledgment",
}
ACKNOWLEDGMENT = (
    '<eb:Acknowledgment eb:version="2.0" soap:mustUnderstand="1">'
    "<eb:Timestamp>2026-11-24T12:00:01Z</eb:Timestamp>"
    "<eb:RefToMessageId>m0@b</eb:RefToMessageId>"
    '<eb:From><eb:PartyId eb:type="urn:osb:oin">00000001000000000001</eb:PartyId></eb:From>'
    '<ds:Reference URI=""><ds:DigestMethod Algorithm="urn:d"/>'
    "<ds:DigestValue>YWJj\r\nZGVm</ds:DigestValue></ds:Reference></eb:Acknowledgment>"
)
ERRORS = (
    '<eb:ErrorList eb:version="2.0" soap:mustUnderstand="1" eb:highestSeverity="Error">'
    '<eb:Error eb:errorCode="MimeProblem" eb:severity="Error" eb:location="cid:p1">'
    '<eb:Description xml:lang="en">no such part</eb:Description></eb:Error></eb:ErrorList>'
)
EMPTY = '<eb:ErrorList eb:version="2.0" soap:mustUnderstand="1" eb:highestSeverity="Error"/>'
ASKED = '<eb:AckRequested eb:version="2.0" soap:mustUnderstand="1" eb:signed="{}" soap:actor="{}"/>'
TO_PARTY = "urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH"
NEXT_MSH = "urn:oasis:names:tc:ebxml-msg:actor:nextMSH"
SYNC = '<eb:SyncReply eb:version="2.0" soap:mustUnderstand="1" soap:actor="{}"/>'
NEXT = "http://schemas.xmlsoap.org/soap/actor/next"


def envelope(template=USER, **changes):
    return ENVELOPE.format(**{**template, **changes})


def read_text(text):
    claimed = read(text.encode(), XML, limits=LIMITS)
    return claimed.header, claimed.content


def refusal(text):
    with pytest.raises(Refused) as caught:
        read_text(text)
    return caught.value


# --- reading what is right --------------------------------------------------------------


def test_a_user_message_is_read():
    header, content = read_text(envelope())

    assert header == HEADER
    assert content == Manifest(content_ids=("p1",))


def test_the_flags_of_reliable_messaging_are_read():
    blocks = SYNC.format(NEXT) + ASKED.format("true", TO_PARTY)
    header, _ = read_text(envelope(more="<eb:DuplicateElimination/>", blocks=blocks))

    assert (header.duplicate_elimination, header.ack_requested, header.ack_signed) == (True,) * 3
    assert header.sync_reply


def test_an_acknowledgment_without_actor_or_signature_is_asked():
    block = '<eb:AckRequested eb:version="2.0" soap:mustUnderstand="1" eb:signed="0"/>'
    header, _ = read_text(envelope(blocks=block))

    assert (header.ack_requested, header.ack_signed) == (True, False)


def test_an_acknowledgment_is_read_with_its_digests():
    header, content = read_text(envelope(SIGNAL, blocks=ACKNOWLEDGMENT))

    assert (header.sender_role, header.service_type) == (None, None)
    assert content == Acknowledgment(
        timestamp=AT + timedelta(seconds=1),
        ref_to_message_id="m0@b",
        sender=HEADER.sender,
        references=(Reference("", "urn:d", b"abcdef"),),
    )


def test_a_message_error_is_read():
    data = "<eb:RefToMessageId>m0@b</eb:RefToMessageId>"
    header, content = read_text(envelope(SIGNAL, action="MessageError", data=data, blocks=ERRORS))

    assert header.ref_to_message_id == "m0@b"
    assert content == ErrorList(
        highest_severity="Error",
        errors=(EbmsError("MimeProblem", "Error", "cid:p1", "no such part"),),
    )


def test_requests_to_the_msh_are_read():
    status = (
        '<eb:StatusRequest eb:version="2.0"><eb:RefToMessageId>m0@b</eb:RefToMessageId>'
        "</eb:StatusRequest>"
    )

    assert read_text(envelope(SIGNAL, action="Ping"))[1] == MshRequest(action="Ping")
    assert read_text(envelope(SIGNAL, action="StatusRequest", body=status))[1] == MshRequest(
        action="StatusRequest", ref_to_message_id="m0@b"
    )


STATUS = (
    '<eb:StatusResponse eb:version="2.0" eb:messageStatus="Received">'
    "<eb:RefToMessageId>m0@b</eb:RefToMessageId>"
    "<eb:Timestamp>2026-11-24T12:00:00Z</eb:Timestamp></eb:StatusResponse>"
)
ASKED_STATUS = (
    '<eb:StatusRequest eb:version="2.0"><eb:RefToMessageId>m0@b</eb:RefToMessageId>'
    "</eb:StatusRequest>"
)


def test_answers_of_the_msh_are_read():
    _, content = read_text(envelope(SIGNAL, action="StatusResponse", body=STATUS))

    assert read_text(envelope(SIGNAL, action="Pong"))[1] == MshAnswer(action="Pong")
    assert content == MshAnswer(
        action="StatusResponse",
        about="m0@b",
        status=MessageStatus.RECEIVED,
        received_at=datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        ("StatusRequest", "", "header.missing"),
        ("StatusResponse", "", "header.missing"),
        ("StatusRequest", STATUS, "header.body"),
        ("StatusResponse", ASKED_STATUS, "header.body"),
        ("Pong", STATUS, "header.body"),
        ("Ping", ASKED_STATUS, "header.body"),
        ("StatusRequest", ASKED_STATUS * 2, "header.body"),
        ("StatusRequest", ASKED_STATUS.replace("2.0", "1.0"), "header.version"),
        ("StatusRequest", ASKED_STATUS.replace("m0@b", ""), "header.missing"),
        ("StatusRequest", ASKED_STATUS.replace("m0@b", "m" * 513), "header.value"),
        ("StatusResponse", STATUS.replace("Received", "Gezien"), "header.value"),
        ("StatusResponse", STATUS.replace(' eb:messageStatus="Received"', ""), "header.missing"),
        ("StatusResponse", STATUS.replace("00Z", "00"), "header.timestamp"),
    ],
)
def test_what_is_asked_and_answered_of_a_message_is_read_strictly(action, body, code):
    assert refusal(envelope(SIGNAL, action=action, body=body)).code == code


def test_extensions_that_need_not_be_understood_are_ignored():
    more = "<eb:Description xml:lang='nl'>tekst</eb:Description><x:Extra/>"
    blocks = '<x:Trace/><x:Other soap:mustUnderstand="0"/><ds:Signature soap:mustUnderstand="1"/>'

    assert read_text(envelope(more=more, blocks=blocks)) == read_text(envelope())


def test_a_party_may_be_a_uri_without_type():
    header, _ = read_text(
        envelope().replace(' eb:type="urn:osb:oin"', "").replace(">0000", ">urn:")
    )

    assert header.sender == PartyRef("urn:0001000000000001", "")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T12:00:00Z", AT),
        (" 2026-11-24T12:00:00.25Z\n", AT + timedelta(milliseconds=250)),
        ("2026-11-24T12:00:00.123456789Z", AT + timedelta(microseconds=123456)),
        ("2026-11-24T13:00:00+01:00", AT),
    ],
)
def test_moments_are_read_in_utc(text, moment):
    header, _ = read_text(envelope().replace("2026-11-24T12:00:00.000Z", text))

    assert header.timestamp == moment
    assert header.timestamp.tzinfo is UTC


# --- refusing what is wrong -------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T12:00:00",
        "2026-11-24",
        "2026-11-24 12:00:00Z",
        "20261124T120000Z",
        "2026-W48-2T12:00:00Z",
        "2026-11-24T12:00:00,5Z",
        "2026-02-30T12:00:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T12:00:00.Z",
        "2026-11-24T12:00:00+99:00",
        "0001-01-01T00:00:00+01:00",
        "٢٠٢٦-11-24T12:00:00Z",
        "nu",
    ],
)
def test_a_moment_without_zone_or_of_another_form_is_refused(text):
    error = refusal(envelope().replace("2026-11-24T12:00:00.000Z", text))

    assert error.code == "header.timestamp"
    assert error.where == "//Header/MessageHeader/MessageData/Timestamp"


SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
MANIFEST = USER["body"]


@pytest.mark.parametrize(
    ("old", "new", "code", "where"),
    [
        ("http://schemas.xmlsoap.org/soap/envelope/", SOAP_12, "soap.envelope", "//Envelope"),
        ("<soap:Body>", "<soap:Header/><soap:Body>", "soap.envelope", "//Envelope"),
        ("</soap:Body>", "</soap:Body><soap:Body/>", "soap.envelope", "//Envelope"),
        ("</soap:Body>", "</soap:Body><x:After/>", "soap.envelope", "//Envelope"),
        (
            'eb:version="2.0" soap',
            'eb:version="1.0" soap',
            "header.version",
            "MessageHeader/@version",
        ),
        ('eb:version="2.0" soap', 'version="2.0" soap', "header.version", "MessageHeader/@version"),
        ('Manifest eb:version="2.0"', "Manifest", "header.version", "//Body/Manifest/@version"),
        ("<eb:MessageHeader ", '<eb:MessageHeader soap:actor="urn:x" ', "header.actor", "/@actor"),
        ("<eb:CPAId>cpa_a_b_1</eb:CPAId>", "", "header.missing", "/CPAId"),
        ("cpa_a_b_1", " ", "header.missing", "/CPAId"),
        ("cpa_a_b_1", "cpa<!-- -->_a_b_1", "header.value", "/CPAId"),
        ("cpa_a_b_1", "cpa\n_a_b_1", "header.value", "/CPAId"),
        ("cpa_a_b_1", "c" * 1001, "header.value", "/CPAId"),
        ("<eb:CPAId>", "<eb:CPAId>x</eb:CPAId><eb:CPAId>", "header.duplicate", "/CPAId"),
        (
            "<eb:MessageData>",
            "<eb:MessageData/><eb:MessageData>",
            "header.duplicate",
            "/MessageData",
        ),
        ("<eb:MessageId>", "<eb:Via/><eb:MessageId>", "header.unknown", "/MessageData"),
        ("<eb:To>", "<eb:To><eb:Via/>", "header.unknown", "/To"),
        ("<eb:Role>Melder</eb:Role>", "", "header.role", "/From/Role"),
        ("<eb:Role>Knooppunt</eb:Role>", "", "header.role", "/To/Role"),
        ("<eb:Role>", "<eb:Role>x</eb:Role><eb:Role>", "header.duplicate", "/Role"),
        (' eb:type="urn:osb:oin">00000001000000000001', ">1", "header.party", "/From/PartyId"),
        ("</eb:PartyId>", "</eb:PartyId><eb:PartyId>urn:x</eb:PartyId>", "header.party", "PartyId"),
        (' eb:type="urn:osb:services"', "", "header.service", "/Service"),
        ('eb:type="urn:osb:services"', 'eb:type=""', "header.missing", "/Service/@type"),
        ("cid:p1", "http://elders/p1", "header.manifest", "//Body/Manifest/Reference"),
        ("cid:p1", "cid:", "header.missing", "//Body/Manifest/Reference/@href"),
        ('<eb:Reference xlink:href="cid:p1"/>', "", "header.manifest", "//Body/Manifest"),
        (
            "<eb:Reference ",
            '<eb:Reference xlink:href="cid:p1"/><eb:Reference ',
            "header.manifest",
            "",
        ),
        (MANIFEST, MANIFEST * 2, "header.body", "//Body"),
        (MANIFEST, "<x:Document/>", "header.body", "//Body"),
    ],
)
def test_one_defect_is_refused_with_its_place(old, new, code, where):
    text = envelope()
    assert old in text

    error = refusal(text.replace(old, new))

    assert error.code == code
    assert error.where.startswith("//")
    assert error.where.endswith(where)


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ('<x:Security soap:mustUnderstand="1"/>', "header.must_understand"),
        ('<x:Security soap:mustUnderstand="true"/>', "header.must_understand"),
        ('<x:Security soap:mustUnderstand="1" soap:actor="urn:x"/>', "header.must_understand"),
        ("<eb:TraceHeaderList/>", "header.unknown"),
        (ASKED.format("true", "urn:elders"), "header.actor"),
        (ASKED.format("ja", TO_PARTY), "header.value"),
        (ASKED.format("", TO_PARTY), "header.missing"),
        (ASKED.format("true", TO_PARTY) * 2, "header.duplicate"),
        (SYNC.format(NEXT) * 2, "header.duplicate"),
        (SYNC.format("urn:elders"), "header.actor"),
        (SYNC.format(NEXT).replace("2.0", "1.0"), "header.version"),
        (ACKNOWLEDGMENT, "header.bundled"),
        (ERRORS, "header.bundled"),
    ],
)
def test_a_header_block_that_does_not_fit_is_refused(blocks, code):
    assert refusal(envelope(blocks=blocks)).code == code


@pytest.mark.parametrize(
    "blocks",
    [
        ASKED.format("true", NEXT_MSH),
        '<eb:MessageOrder eb:version="2.0" soap:mustUnderstand="1"/>',
    ],
)
def test_what_digikoppeling_leaves_out_is_not_supported(blocks):
    error = refusal(envelope(blocks=blocks))

    assert isinstance(error, PolicyViolation)
    assert error.code == "header.not_supported"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"action": "Onbekend"}, "header.action"),
        ({}, "header.missing"),
        ({"action": "MessageError"}, "header.missing"),
        ({"action": "MessageError", "blocks": ACKNOWLEDGMENT + ERRORS}, "header.bundled"),
        ({"action": "Ping", "blocks": ACKNOWLEDGMENT}, "header.bundled"),
        ({"action": "Ping", "body": MANIFEST}, "header.body"),
        ({"blocks": ACKNOWLEDGMENT, "body": MANIFEST}, "header.body"),
        ({"blocks": ACKNOWLEDGMENT.replace("YWJj", "*")}, "header.reference"),
        ({"blocks": ACKNOWLEDGMENT.replace(' URI=""', "")}, "header.reference"),
        ({"blocks": ACKNOWLEDGMENT.replace("YWJj", "YWJj<!-- -->")}, "header.reference"),
        (
            {"blocks": ACKNOWLEDGMENT.replace("soap:must", 'soap:actor="u" soap:must')},
            "header.actor",
        ),
        (
            {"action": "MessageError", "blocks": ERRORS.replace('eb:severity="Error"', "")},
            "header.missing",
        ),
        ({"action": "MessageError", "blocks": ERRORS.replace('"Error"', '"Erg"')}, "header.value"),
        ({"action": "MessageError", "blocks": EMPTY}, "header.missing"),
    ],
)
def test_a_signal_that_does_not_fit_is_refused(changes, code):
    error = refusal(envelope(SIGNAL, **changes))

    assert error.code == code


def test_a_large_envelope_is_refused_before_it_is_parsed():
    with pytest.raises(Malformed) as caught:
        read(b"<" * 101, XML, limits=Limits(header_bytes=100))

    assert caught.value.code == "header.size"


def test_parts_without_a_manifest_are_refused():
    message = mime.join(envelope(body="").encode(), "root", (PAYLOAD,), boundary="b")

    with pytest.raises(Malformed) as caught:
        read(message.body, message.content_type, limits=LIMITS)

    assert caught.value.code == "header.manifest"


def test_errors_never_hold_a_value():
    secret = "geheim"
    text = envelope(action=secret, blocks=ASKED.format(secret, TO_PARTY)).replace("cpa_a", secret)

    assert secret not in str(refusal(text))


# --- garbage ---------------------------------------------------------------------------

PIECES = [
    *("<soap:Header>", "</soap:Header>", "<soap:Body/>", "<eb:From/>", "<x:y/>", "<!-- -->", "é"),
    *("<eb:MessageHeader eb:version='2.0'>", "</eb:MessageHeader>", "<eb:Timestamp>"),
    *("<eb:PartyId>urn:x</eb:PartyId>", "<eb:Service>urn:x</eb:Service>"),
    *(MANIFEST, ERRORS, ACKNOWLEDGMENT),
]


def family(text):
    """Part of the code before the dot, or `read`."""
    try:
        read_text(text)
    except Refused as error:
        return error.code.partition(".")[0]
    return "read"


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.integers(0, 3000))
def test_garbage_is_refused_or_read_and_nothing_else(garbage, at):
    whole = envelope()
    texts = (whole[:at] + garbage + whole[at:], whole[:at] + garbage, garbage)

    assert {family(text) for text in texts} <= {"read", "xml", "soap", "header"}
