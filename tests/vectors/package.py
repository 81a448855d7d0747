"""Faults in the MIME package around a right message."""

from collections.abc import Callable
from dataclasses import replace

from gateway.message import Part, WireMessage
from tests.flow import bad_input as bad
from tests.flow.bad_input import cut, swap
from tests.vectors.kinds import Error, Fault, vector
from tests.vectors.paths import MANIFEST
from tests.vectors.topics import Topic


def content_type(old: str, new: str) -> Callable[[WireMessage], WireMessage]:
    def change(message: WireMessage) -> WireMessage:
        assert old in message.content_type
        return replace(message, content_type=message.content_type.replace(old, new))

    return change


def body(old: str, new: str) -> Callable[[WireMessage], WireMessage]:
    return lambda message: replace(message, body=swap(old, new)(message.body))


def one_more(content_id: str, times: int = 1) -> Callable[[tuple[Part, ...]], tuple[Part, ...]]:
    extra = tuple(Part(content_id.format(n=n), "application/xml", b"<more/>") for n in range(times))
    return lambda parts: (*parts, *extra)


def exchanged(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    first, second = parts
    return (
        replace(first, content_id=second.content_id),
        replace(second, content_id=first.content_id),
    )


def cut_behind(mark: bytes) -> Callable[[WireMessage], WireMessage]:
    """Break the body off there."""

    def change(message: WireMessage) -> WireMessage:
        head, found, _ = message.body.partition(mark)
        assert found
        return replace(message, body=head + found)

    return change


def payload_first(message: WireMessage) -> WireMessage:
    empty, envelope, payload, end = message.body.split(b"--=_b")
    kind = message.content_type.replace('start="<envelope@politie.example>"; ', "")
    assert kind != message.content_type
    return replace(message, body=b"--=_b".join((empty, payload, envelope, end)), content_type=kind)


PART_ID = "Content-ID: <payload@politie.example>"

MIME = (
    vector(
        "no_boundary",
        Topic.CONTENT_TYPE,
        "mime.boundary",
        Fault(),
        wire=content_type('boundary="=_b"; ', ""),
        says="the Content-Type names no boundary",
    ),
    vector(
        "other_boundary",
        Topic.CONTENT_TYPE,
        "mime.boundary",
        Fault(),
        wire=content_type("=_b", "=_c"),
        says="the Content-Type names another boundary than is used",
    ),
    vector(
        "cut_short",
        Topic.MIME_TRUNCATED,
        "mime.boundary",
        Fault(),
        wire=body("--=_b--", ""),
        says="the closing delimiter is missing",
    ),
    vector(
        "start_names_no_part",
        Topic.CONTENT_TYPE,
        "mime.start",
        Fault(),
        wire=content_type("envelope@", "other@"),
        says="start names a part that is not there",
    ),
    vector(
        "start_names_payload",
        Topic.MIME_REORDERED,
        "mime.content_type",
        Fault(),
        wire=content_type("envelope@politie.example", bad.CID),
        says="start names the payload, not the envelope",
    ),
    vector(
        "charset_latin1",
        Topic.CHARSET,
        "mime.charset",
        Fault(),
        wire=body("charset=UTF-8", "charset=latin1"),
        says="the charset of the envelope is latin1",
    ),
    vector(
        "multipart_mixed",
        Topic.CONTENT_TYPE,
        "mime.content_type",
        Fault(),
        wire=content_type("related", "mixed"),
        says="multipart/mixed in place of multipart/related",
    ),
    vector(
        "plain_xml_of_a_multipart",
        Topic.CONTENT_TYPE,
        "xml.malformed",
        Fault(),
        wire=lambda m: replace(m, content_type="text/xml"),
        says="text/xml is announced, a multipart comes",
    ),
    vector(
        "text_plain",
        Topic.CONTENT_TYPE,
        "mime.content_type",
        Fault(),
        wire=lambda m: replace(m, content_type="text/plain"),
        says="text/plain",
    ),
    vector(
        "no_content_type",
        Topic.CONTENT_TYPE,
        "mime.content_type",
        Fault(),
        wire=lambda m: replace(m, content_type=""),
    ),
    vector(
        "empty_body",
        Topic.MIME_TRUNCATED,
        "mime.boundary",
        Fault(),
        wire=lambda m: replace(m, body=b""),
        says="multipart is announced, nothing comes",
    ),
    vector(
        "duplicate_content_id",
        Topic.CID_DOUBLE,
        "mime.duplicate_cid",
        Fault(),
        parts=one_more(bad.CID),
        says="two parts with one Content-ID",
    ),
    vector(
        "too_many_parts", Topic.MIME_FORM, "mime.parts", Fault(), parts=one_more("more-{n}@x", 10)
    ),
    vector(
        "uuencoded",
        Topic.MIME_FORM,
        "mime.transfer_encoding",
        Fault(),
        wire=body(
            "Content-ID: <payload",
            "Content-Transfer-Encoding: x-uuencode\r\nContent-ID: <payload",
        ),
        says="a Content-Transfer-Encoding that is not known",
    ),
    vector(
        "missing_part",
        Topic.CID_MISSING,
        "mime.missing_part",
        Error("MimeProblem", "//Body/Manifest/Reference"),
        parts=lambda _parts: (),
        says="the part of the Manifest is not there",
    ),
    vector(
        "part_under_other_id",
        Topic.CID_MISSING,
        "mime.missing_part",
        Error("MimeProblem", "//Body/Manifest/Reference"),
        parts=lambda parts: (replace(parts[0], content_id="other@x"),),
        says="the part has another Content-ID than the Manifest says",
    ),
    vector(
        "unreferenced_part",
        Topic.CID_UNREFERENCED,
        "mime.unreferenced_part",
        Error("MimeProblem", "//Body/Manifest"),
        parts=one_more("more@x"),
        says="a part that the Manifest does not name",
    ),
    vector(
        "payload_without_manifest",
        Topic.CID_UNREFERENCED,
        "header.manifest",
        Fault(),
        signed=cut(MANIFEST),
        says="a payload, and no Manifest",
    ),
    vector(
        "cut_in_the_envelope",
        Topic.MIME_TRUNCATED,
        "mime.boundary",
        Fault(),
        wire=cut_behind(b"<eb:CPAId>"),
    ),
    vector(
        "cut_in_the_head_of_a_part",
        Topic.MIME_TRUNCATED,
        "mime.boundary",
        Fault(),
        wire=cut_behind(b"<payload@"),
    ),
    vector(
        "cut_in_the_payload",
        Topic.MIME_TRUNCATED,
        "mime.boundary",
        Fault(),
        wire=cut_behind(b"<xenc:CipherValue>"),
    ),
    vector(
        "payload_first",
        Topic.MIME_REORDERED,
        "mime.content_type",
        Fault(),
        says="the payload is the first part, and start does not say that the envelope is another",
        wire=payload_first,
    ),
    vector(
        "line_feeds_alone",
        Topic.MIME_FORM,
        "mime.boundary",
        Fault(),
        wire=lambda m: replace(m, body=m.body.replace(b"\r\n", b"\n")),
        says="lines end in a line feed alone",
    ),
    vector(
        "line_feed_in_a_part_header",
        Topic.MIME_FORM,
        "mime.part",
        Fault(),
        says="a lone line feed hides the Content-ID in another header",
        wire=body(PART_ID, f"X: y\n{PART_ID}"),
    ),
    vector(
        "space_before_the_colon",
        Topic.MIME_FORM,
        "mime.part",
        Fault(),
        wire=body(PART_ID, PART_ID.replace(":", " :")),
    ),
    vector(
        "part_header_in_latin1",
        Topic.CHARSET,
        "mime.part",
        Fault(),
        wire=lambda m: replace(
            m, body=m.body.replace(PART_ID.encode(), b"X: caf\xe9\r\n" + PART_ID.encode())
        ),
    ),
    vector(
        "charset_utf7",
        Topic.CHARSET,
        "mime.charset",
        Fault(),
        wire=body("charset=UTF-8", "charset=UTF-7"),
        says="the charset of the envelope is UTF-7",
    ),
    vector(
        "control_in_a_part_header",
        Topic.MIME_FORM,
        "mime.part",
        Fault(),
        wire=body(PART_ID, f"X: \x01\r\n{PART_ID}"),
        says="a control character in the head of a part",
    ),
)
