"""MIME multipart/related, as far as ebMS 2.0 uses it."""

import base64
import binascii
from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directory import Limits
from gateway.errors import Malformed
from gateway.message import Part
from gateway.wire.mime import XML, join, media_type, split

LIMITS = Limits(parts=3)
KIND = 'multipart/related; boundary="b"; type="text/xml"; start="<root>"'
ROOT = b"Content-Type: text/xml; charset=UTF-8\r\nContent-ID: <root>\r\n\r\n<root/>"
PAYLOAD = b"Content-Type: application/xml\r\nContent-ID: <p1>\r\n\r\n<p/>"


def body(*parts, boundary=b"b", preamble=b"", epilogue=b"\r\n"):
    lines = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return preamble + lines + b"--" + boundary + b"--" + epilogue


def refused(octets, kind=KIND):
    with pytest.raises(Malformed) as caught:
        split(octets, kind, limits=LIMITS)
    return caught.value.code


def other(octets, kind=KIND):
    _, (part,) = split(octets, kind, limits=LIMITS)
    return part


def test_root_and_parts_are_taken_apart():
    root, others = split(body(ROOT, PAYLOAD), KIND, limits=LIMITS)

    assert root == Part("root", "text/xml; charset=UTF-8", b"<root/>")
    assert others == (Part("p1", "application/xml", b"<p/>"),)


def test_plain_xml_is_a_root_without_parts():
    assert split(b"<root/>", XML, limits=LIMITS) == (Part("", XML, b"<root/>"), ())


def test_start_picks_the_root_wherever_it_stands():
    root, others = split(body(PAYLOAD, ROOT), KIND, limits=LIMITS)

    assert root.content_id == "root"
    assert [part.content_id for part in others] == ["p1"]


@pytest.mark.parametrize(
    "kind",
    [
        "Multipart/Related;boundary=b",
        "multipart/related; BOUNDARY=b; type=text/xml; start=root;",
        'multipart/related; start-info="text/xml"; boundary="\\b"; type="Text/XML"',
    ],
)
def test_parameters_may_be_quoted_or_not_in_any_order_and_case(kind):
    assert split(body(ROOT, PAYLOAD), kind, limits=LIMITS)[0].octets == b"<root/>"


def test_preamble_epilogue_and_padding_are_passed_over():
    octets = body(ROOT, PAYLOAD, preamble=b"hello\r\n", epilogue=b" \t\r\nbye")

    assert other(octets.replace(b"--b\r\n", b"--b  \r\n")).octets == b"<p/>"


def test_header_names_have_no_case_and_lines_may_be_folded():
    part = b"CONTENT-TYPE: application/xml;\r\n\tname=x\r\ncontent-id:\r\n <p1>\r\n\r\n<p/>"

    assert other(body(ROOT, part)) == Part("p1", "application/xml; name=x", b"<p/>")


@given(
    kind=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30),
    name=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=30),
)
def test_headers_as_we_write_them_say_what_they_say_in_another_order(kind, name):
    first, second = f"Content-Type: {kind}".encode(), f"Content-ID: <{name}>".encode()

    assert outcome(first + b"\r\n" + second) == outcome(second + b"\r\n" + first)


def outcome(head):
    try:
        return other(body(ROOT, head + b"\r\n\r\nx"))
    except Malformed as error:
        return error.code


def test_a_content_id_may_come_without_brackets():
    assert other(body(ROOT, b"Content-ID: p1\r\n\r\nx")).content_id == "p1"


@pytest.mark.parametrize("octets", [b"", b"\r\n", b"\r\n\r\n--x", b"a\nb\rc\0\xff--b"])
def test_octets_are_exact(octets):
    assert other(body(ROOT, b"Content-ID: <p1>\r\n\r\n" + octets)).octets == octets


@pytest.mark.parametrize("encoding", [b"binary", b"8bit", b"7BIT"])
def test_transfer_encodings_that_change_nothing_are_accepted(encoding):
    part = b"Content-ID: <p1>\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\nYQ=="

    assert other(body(ROOT, part)).octets == b"YQ=="


def test_base64_is_decoded():
    octets = bytes(range(256))
    part = b"Content-ID: <p1>\r\nContent-Transfer-Encoding: Base64\r\n\r\n"

    assert other(body(ROOT, part + base64.encodebytes(octets))).octets == octets


def quoted(octets: bytes) -> bytes:
    head = b"Content-ID: <p1>\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n"
    return body(ROOT, head + octets)


@pytest.mark.parametrize(
    ("written", "octets"),
    [
        (b"", b""),
        (b"a=3Db =C3=AB=\r\n c\td", b"a=b \xc3\xab c\td"),
        (b"a=3d\r\nb=20\r\n\r\nc=\r\nd", b"a=\r\nb \r\n\r\ncd"),
        (b"a=\r\n", b"a"),
        (b"=0D=0A=00=FF", b"\r\n\0\xff"),
        (
            binascii.b2a_qp(bytes(range(256)), istext=False).replace(b"\n", b"\r\n"),
            bytes(range(256)),
        ),
    ],
)
def test_quoted_printable_is_decoded(written, octets):
    assert other(quoted(written)).octets == octets


@pytest.mark.parametrize(
    "written",
    [
        b"a=",
        b"a= \r\nb",
        b"a=4",
        b"a=G0",
        b"a=\nb",
        b"a\nb",
        b"a\rb",
        b"a ",
        b"a\t\r\nb",
        b"\xe9",
        b"\0",
    ],
)
def test_quoted_printable_of_two_readings_is_refused(written):
    assert refused(quoted(written)) == "mime.transfer_encoding"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("", "mime.content_type"),
        ("text/plain", "mime.content_type"),
        ("multipart/mixed; boundary=b", "mime.content_type"),
        ("multipart/related; boundary=b; type=application/soap+xml", "mime.content_type"),
        ("multipart/related; boundary=b; boundary=c", "mime.content_type"),
        ('multipart/related; boundary="b', "mime.content_type"),
        ("multipart/related; boundary=b c", "mime.content_type"),
        ("multipart/related; boundary=b; =", "mime.content_type"),
        ("multipart/related", "mime.boundary"),
        ('multipart/related; boundary=""', "mime.boundary"),
        ('multipart/related; boundary="b "', "mime.boundary"),
        ("multipart/related; boundary=" + "b" * 71, "mime.boundary"),
        ("multipart/related; boundary=é", "mime.boundary"),
        ("multipart/related; boundary=c", "mime.boundary"),
        ("multipart/related; boundary=b; start=<elders>", "mime.start"),
        ("text/xml; charset=ISO-8859-1", "mime.charset"),
    ],
)
def test_a_content_type_that_does_not_fit_is_refused(kind, code):
    assert refused(body(ROOT, PAYLOAD), kind) == code


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"", "mime.boundary"),
        (b"--b", "mime.boundary"),
        (b"--b--", "mime.start"),
        (b"--b\r\n" + ROOT, "mime.boundary"),
        (b"--b\r\n" + ROOT + b"\r\n--b", "mime.boundary"),
        (b"--bx\r\n" + ROOT + b"\r\n--b--", "mime.boundary"),
        (body(ROOT, b"Content-ID: <p1>\r\n\r\n--b"), "mime.part"),
        (body(ROOT, epilogue=b"x"), "mime.boundary"),
        (body(ROOT, b"Content-ID: <p1>\r\n\r\nx\r\n--bc"), "mime.boundary"),
        (b"--b\r\n--b--\r\n", "mime.part"),
        (body(ROOT, b"<p/>"), "mime.part"),
        (body(ROOT, b"\r\n<p/>"), "mime.part"),
        (body(ROOT, b"Content-ID: <p1>\n\n<p/>"), "mime.part"),
        (body(ROOT, b"Content-ID : <p1>\r\n\r\n<p/>"), "mime.part"),
        (body(ROOT, b"Content-ID\r\n\r\n<p/>"), "mime.part"),
        (body(ROOT, b"Content-ID: <a>\r\nContent-ID: <b>\r\n\r\n<p/>"), "mime.part"),
        (body(ROOT, b"X: \xff\r\nContent-ID: <b>\r\n\r\n<p/>"), "mime.part"),
        (body(ROOT, b"X: " + b"x" * 9_000 + b"\r\nContent-ID: <b>\r\n\r\n<p/>"), "mime.part"),
        (body(ROOT, b"X: y\r\n\r\n<p/>"), "mime.content_id"),
        (body(ROOT, b"Content-ID: <a b>\r\n\r\n<p/>"), "mime.content_id"),
        (body(ROOT, b"Content-ID: <<a>>\r\n\r\n<p/>"), "mime.content_id"),
        (body(ROOT, PAYLOAD, PAYLOAD), "mime.duplicate_cid"),
        (body(ROOT, ROOT), "mime.duplicate_cid"),
        (body(ROOT.replace(b"text/xml", b"text/html")), "mime.content_type"),
        (body(ROOT.replace(b"UTF-8", b"UTF-16")), "mime.charset"),
        (body(b"Content-ID: <root>\r\n\r\n<root/>"), "mime.content_type"),
        (
            body(ROOT, b"Content-ID: <a>\r\nContent-Transfer-Encoding: base64\r\n\r\n=A=="),
            "mime.transfer_encoding",
        ),
        (
            body(ROOT, b"Content-ID: <a>\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\na"),
            "mime.transfer_encoding",
        ),
    ],
)
def test_a_body_that_does_not_fit_is_refused(octets, code):
    assert refused(octets) == code


def test_the_number_of_parts_is_bounded():
    parts = [b"Content-ID: <%d>\r\n\r\nx" % n for n in range(4)]

    assert len(split(body(ROOT, *parts[:3]), KIND, limits=LIMITS)[1]) == 3
    assert refused(body(ROOT, *parts)) == "mime.parts"


@pytest.mark.parametrize(("octets", "fits"), [(8_192, True), (8_193, False)])
def test_the_headers_of_a_part_are_bounded(octets, fits):
    start = b"Content-ID: <1>\r\nX-Filler: "
    octets_of_part = start + b"x" * (octets - len(start) - 4) + b"\r\n\r\nx"

    if fits:
        assert len(split(body(ROOT, octets_of_part), KIND, limits=LIMITS)[1]) == 1
    else:
        assert refused(body(ROOT, octets_of_part)) == "mime.part"


def test_joining_without_parts_is_plain_xml():
    message = join(b"<root/>", "root", (), boundary="b")

    assert (message.body, message.content_type) == (b"<root/>", "text/xml; charset=UTF-8")


def test_another_reader_sees_the_same_parts():
    message = join(b"<root/>", "r@x", (Part("p1", "application/xml", b"<p/>"),), boundary="-=u=-")
    head = f"Content-Type: {message.content_type}\r\n\r\n".encode()
    parts = message_from_bytes(head + message.body).get_payload()

    assert media_type(message.content_type).parameters == {
        "boundary": "-=u=-",
        "type": "text/xml",
        "start": "<r@x>",
        "start-info": "text/xml",
    }
    assert [part["Content-ID"] for part in parts] == ["<r@x>", "<p1>"]
    assert [part.get_payload(decode=True) for part in parts] == [b"<root/>", b"<p/>"]


CIDS = st.text(
    st.characters(codec="ascii", categories=["L", "N"], include_characters="@.-_"), min_size=1
)


@given(st.dictionaries(CIDS, st.binary(), max_size=3), st.binary())
def test_what_was_joined_is_split_into_the_same(parts, root):
    made = tuple(Part(f"p{cid}", "application/xml", octets) for cid, octets in parts.items())
    message = join(root, "root", made, boundary="=grens=")

    found, others = split(message.body, message.content_type, limits=LIMITS)

    assert (found.octets, others) == (root, made)


def code_of(octets, kind):
    """Code of the refusal, or `split`; what is split keeps its promises."""
    try:
        _, others = split(octets, kind, limits=LIMITS)
    except Malformed as error:
        return error.code
    assert all(part.content_id for part in others)
    return "split"


PIECES = [
    b"--b",
    b"--",
    b"\r\n",
    b"Content-ID: <a>",
    b"Content-Type: text/xml",
    b":",
    ROOT,
    PAYLOAD,
]


@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4)), max_size=12).map(b"".join)
)
def test_a_garbage_body_is_refused_or_split_and_nothing_else(octets):
    assert code_of(octets, KIND).startswith(("mime.", "split"))


WORDS = [
    "multipart/related",
    "text/xml",
    ";",
    "boundary",
    "=",
    '"',
    "b",
    "\\",
    " ",
    "charset",
    "utf-8",
]


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=2)), max_size=12).map("".join))
def test_a_garbage_content_type_is_refused_or_read_and_nothing_else(kind):
    assert code_of(body(ROOT), kind).startswith(("mime.", "split"))
