"""HTTP requests around a right message, each with one fault in the HTTP itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.vectors.topics import Topic

Octets = Callable[[bytes], bytes]
ACTION = b'SOAPAction: "ebXML"\r\n'
HOST = b"Host: hub.example\r\n"
CHUNKED = b"Transfer-Encoding: chunked"
MOST = 200_000
"""Octets of a body that the hub takes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    name: str
    topic: Topic
    status: int
    code: str
    """Empty where there is no HTTP request: the status is all that is said."""
    change: Octets
    """Of the whole request, head and body."""
    says: str = ""
    """What is wrong, where the name does not tell."""


def request(
    name: str, status: int, code: str, change: Octets, *, topic: Topic = Topic.HTTP, says: str = ""
) -> Request:
    return Request(name=name, topic=topic, status=status, code=code, change=change, says=says)


def swap(old: bytes, new: bytes) -> Octets:
    def change(octets: bytes) -> bytes:
        assert old in octets
        return octets.replace(old, new, 1)

    return change


def more(line: bytes) -> Octets:
    """Make the change that adds a line to the head."""
    return swap(HOST, HOST + line + b"\r\n")


def length(change: Callable[[int], str]) -> Octets:
    def made(octets: bytes) -> bytes:
        found = re.search(rb"Content-Length: (\d+)", octets)
        assert found
        return octets.replace(found[0], f"Content-Length: {change(int(found[1]))}".encode(), 1)

    return made


def in_chunks(octets: bytes, *, size: bytes = b"", end: bytes = b"0\r\n\r\n") -> bytes:
    """Send the body in one chunk."""
    head, _, body = octets.partition(b"\r\n\r\n")
    head = re.sub(rb"Content-Length: \d+", CHUNKED, head)
    return b"".join((head, b"\r\n\r\n", size or b"%x" % len(body), b"\r\n", body, b"\r\n", end))


SOAP_ACTION = "header.soapaction"
CODING = "request.content_encoding"

TABLE = (
    request("soap_action_missing", 400, SOAP_ACTION, swap(ACTION, b""), topic=Topic.SOAP_ACTION),
    request(
        "soap_action_of_another",
        400,
        SOAP_ACTION,
        swap(b'"ebXML"', b'"other"'),
        topic=Topic.SOAP_ACTION,
    ),
    request(
        "soap_action_empty", 400, SOAP_ACTION, swap(b'"ebXML"', b'""'), topic=Topic.SOAP_ACTION
    ),
    request(
        "soap_action_twice",
        400,
        SOAP_ACTION,
        more(b'SOAPAction: "other"'),
        topic=Topic.SOAP_ACTION,
    ),
    request(
        "content_type_twice",
        400,
        "",
        more(b"Content-Type: text/xml"),
        topic=Topic.CONTENT_TYPE,
    ),
    request(
        "content_type_folded",
        400,
        "",
        swap(b"; type=", b";\r\n type="),
        topic=Topic.CONTENT_TYPE,
        says="the value goes on in the next line (RFC 9112, 5.2)",
    ),
    request(
        "compressed",
        415,
        CODING,
        more(b"Content-Encoding: gzip"),
        says="Content-Encoding: gzip",
    ),
    request(
        "compressed_says_one_of_two_headers",
        415,
        CODING,
        more(b"Content-Encoding: identity\r\nContent-Encoding: gzip"),
        says="two Content-Encodings, one of them gzip",
    ),
    request(
        "compressed_in_transfer",
        415,
        CODING,
        lambda o: in_chunks(o).replace(CHUNKED, b"Transfer-Encoding: gzip, chunked"),
        says="Transfer-Encoding: gzip, chunked",
    ),
    request(
        "announced_too_large",
        413,
        "size.wire",
        length(lambda _n: f"{MOST + 1}"),
        says="a Content-Length over the limit",
    ),
    request(
        "length_too_long",
        408,
        "request.timeout",
        length(lambda n: f"{n + 100}"),
        says="the body ends before the Content-Length",
    ),
    request(
        "length_too_short",
        400,
        "",
        length(lambda n: f"{n - 100}"),
        says="the body goes on behind the Content-Length",
    ),
    request(
        "length_twice",
        400,
        "",
        more(b"Content-Length: 5"),
        says="two Content-Lengths",
    ),
    request(
        "length_is_a_list",
        400,
        "",
        length(lambda n: f"{n}, {n}"),
        says="a Content-Length with a comma",
    ),
    request(
        "length_has_a_sign",
        400,
        "",
        length(lambda n: f"+{n}"),
        says="a Content-Length with a plus sign",
    ),
    request(
        "length_and_chunks",
        400,
        "",
        lambda o: in_chunks(more(b"Content-Length: 5")(o)),
        says="Content-Length and Transfer-Encoding",
    ),
    request(
        "chunks_not_last",
        400,
        "",
        lambda o: in_chunks(o).replace(CHUNKED, b"Transfer-Encoding: chunked, identity"),
        says="Transfer-Encoding: chunked, identity",
    ),
    request(
        "chunks_by_another_name",
        400,
        "",
        lambda o: in_chunks(o).replace(CHUNKED, b"Transfer-Encoding: xchunked"),
        says="Transfer-Encoding: xchunked",
    ),
    request("chunk_of_no_size", 400, "", lambda o: in_chunks(o, size=b"zz")),
    request("chunk_longer_than_it_says", 400, "", lambda o: in_chunks(o, size=b"10")),
    request("no_last_chunk", 408, "request.timeout", lambda o: in_chunks(o, end=b"")),
    request("space_before_colon", 400, "", swap(b"SOAPAction:", b"SOAPAction :")),
    request("line_feed_alone", 400, "", swap(HOST, HOST.replace(b"\r\n", b"\n"))),
    request("carriage_return_alone", 400, "", swap(HOST, b"Host: hub\rX: y\r\n")),
    request("nul_in_a_header", 400, "", swap(b"hub.example", b"hub\0example")),
    request("no_host", 400, "", swap(HOST, b"")),
    request("two_hosts", 400, "", more(HOST.strip())),
    request("header_too_long", 400, "", more(b"X: " + b"x" * 9_000)),
    request("too_many_headers", 400, "", more(b"\r\n".join(b"X%d: y" % n for n in range(200)))),
    request("method_in_lower_case", 400, "", swap(b"POST", b"post")),
    request("other_method", 405, "", swap(b"POST", b"PUT")),
    request("other_path", 404, "", swap(b"/ebms", b"/other")),
)
