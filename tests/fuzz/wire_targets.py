"""XML, MIME and the envelope of ebMS, as anybody may send them."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from lxml import etree

from gateway.directory import MSH_SERVICE, Limits
from gateway.errors import GatewayError, Malformed, PolicyViolation
from gateway.message import (
    Acknowledgment,
    ErrorList,
    Header,
    Manifest,
    MessageStatus,
    MshAnswer,
    MshRequest,
    Part,
    PartyRef,
    Reference,
)
from gateway.security.algorithms import C14N_EXCLUSIVE, SHA256
from gateway.security.c14n import canonicalize
from gateway.wire import mime, xml
from gateway.wire.ebms2 import plain, services, signals
from gateway.wire.ebms2.cpa_spec import PROFILES
from gateway.wire.ebms2.header import Claimed, read, read_envelope, user_message
from tests.fuzz.changes import CANARY, octets_changed
from tests.fuzz.choices import Choices
from tests.fuzz.target import Broken, Target
from tests.fuzz.tree_changes import xml_changed
from tests.pki import AT
from tests.sealing import agreement, sealed, send, signal_header

LIMITS = Limits()
VECTORS = Path(__file__).parents[1] / "vectors"
_BOUNDARY = "=_0123456789abcdef"
_SMALL = xml.XmlLimits(octets=1 << 20, depth=16, nodes=300, attributes_per_element=8)


# --- XML ------------------------------------------------------------------------------


def read_xml(octets: bytes) -> None:
    """What is built at once is what two passes build."""
    root = xml.parse(octets, limits=_SMALL)
    try:
        slowly = xml._in_two_passes(octets, limits=_SMALL, where="")
    except Malformed as error:
        raise Broken("two passes refuse what one takes in") from error
    if etree.tostring(root) != etree.tostring(slowly):
        raise Broken("two passes build another document")
    xml.beside_root(root)
    for element in root.iter(etree.Element):
        path = xml.path_of(element)
        if not path.endswith(tuple("]" + xml.local(element)[-1:])):
            raise Broken("path does not lead to the element")
        xml.text_of(element, f"{xml.local(element)}/x")
        _ = xml.value(element), xml.namespace(element)


def xml_seeds() -> Iterator[bytes]:
    yield b'<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- a --><a:b xmlns:a="urn:a" c="d">e</a:b>'
    yield b"\xef\xbb\xbf<a><![CDATA[<]]>&#13;&amp;<?p q?><b/><b/></a><!-- z -->"
    yield b"<?xml version='1.0' encoding='us-ascii'?><a/>"
    yield b"<a" + b"".join(b' b%d="c"' % n for n in range(9)) + b"/>"
    yield b"<a>" * 17 + b"</a>" * 17
    yield b"<a>" + b"<b/>" * 301 + b"</a>"
    yield b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    yield b'<?x?><!-- <!DOCTYPE --><a b="<"/>'


# --- MIME -----------------------------------------------------------------------------


def take_apart(octets: bytes) -> None:
    """`octets`: the Content-Type on a line of its own, then the body."""
    kind, _, body = octets.partition(b"\n")
    root, parts = mime.split(
        body, kind.decode("utf-8", "surrogateescape").strip("\r"), limits=LIMITS
    )
    if any(_BOUNDARY.encode() in part.octets for part in (root, *parts)):
        return
    plain_parts = tuple(replace(part, content_type="application/xml") for part in parts)
    again = mime.join(root.octets, root.content_id or "root", plain_parts, boundary=_BOUNDARY)
    found, others = mime.split(again.body, again.content_type, limits=LIMITS)
    if (found.octets, others) != (root.octets, plain_parts):
        raise Broken("put together again it is another message")


def package_seeds() -> Iterator[bytes]:
    for profile in PROFILES:
        sent = send(agreement(profile))
        yield f"{sent.content_type}\n".encode() + sent.body
    yield from (vector for vector in _vectors() if b"multipart" in vector.partition(b"\n")[0])
    two = (Part("a@x", "text/plain", b"a"), Part("b@x", "text/plain", b"b=3D\r\n"))
    sent = mime.join(b"<a/>", "r@x", two, boundary="b")
    encoded = sent.body.replace(
        b"text/plain\r\n", b"text/plain;\r\n x=y\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    )
    yield b'Multipart/Related; Type="text/xml"; BOUNDARY=b\n' + encoded
    yield b"text/xml\n<a/>"


@cache
def _vectors() -> tuple[bytes, ...]:
    """Return the vectors that are written out, as this target takes them."""
    found = []
    for path in sorted(VECTORS.glob("*.txt")):
        head, _, body = path.read_bytes().partition(b"\n\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\n"))
        if fields.get(b"line-ends") == b"crlf":
            body = body.replace(b"\n", b"\r\n")
        found.append(fields[b"content-type"] + b"\n" + body)
    return tuple(found)


def package_changed(octets: bytes, choices: Choices) -> bytes:
    """Change a line, or the octets: what MIME is made of."""
    lines = octets.split(b"\r\n")
    one, other = choices.number(len(lines)), choices.number(len(lines))
    match choices.number(5):
        case 0:
            lines[one] = octets_changed(lines[one], choices)
        case 1:
            lines.insert(one, lines[other])
        case 2:
            del lines[one]
        case 3:
            lines[one] += choices.one(_LINES)
        case _:
            return octets_changed(octets, choices)
    return b"\r\n".join(lines)


_LINES = (
    *(b";", b"\r\n", b"\r\n x=y", b"--", b'; charset="x"', b"; charset=us-ascii", b" "),
    *(b"\r\nContent-Transfer-Encoding: base64", b"\r\nContent-Transfer-Encoding: x", b"\r\n\r\n"),
    *(b"\r\nContent-ID: <a@x>", b"\r\nContent-Type: text/plain", b"\xff", b"=\r\n", b"\n"),
    b"\r\nContent-Transfer-Encoding: quoted-printable",
)


# --- the envelope ---------------------------------------------------------------------


def read_header(octets: bytes) -> None:
    """What is read is what stands there, and an answer to it can be written and read."""
    try:
        claimed = read(octets, "text/xml", limits=LIMITS)
    except GatewayError as error:
        _refuse(error)
        raise
    try:
        slowly = read_envelope(xml.parse(octets))
    except GatewayError as error:
        raise Broken("what was read without a tree has none") from error
    if (claimed.header, claimed.content) != slowly:
        raise Broken("without a tree something else is read")
    _write_again(claimed)
    _answer(claimed.header)
    if isinstance(claimed.content, ErrorList):
        _keep(claimed.content)


def _keep(errors: ErrorList) -> None:
    """What a partner says of an error is kept in our own words only."""
    for error in errors.errors:
        kept = signals.known_code(error.code), signals.known_location(error.location)
        if any(CANARY in one for one in kept):
            raise Broken("words of a partner are taken over")


def _cut(header: Header) -> Header:
    """Moments are written to the millisecond."""
    moments = {"timestamp": header.timestamp, "time_to_live": header.time_to_live}
    return replace(
        header,
        **{
            name: at and at.replace(microsecond=at.microsecond // 1000 * 1000)
            for name, at in moments.items()
        },
    )


def _read_again(envelope: etree._Element) -> Claimed:
    return read(etree.tostring(envelope), "text/xml", limits=LIMITS)


def _write_again(claimed: Claimed) -> None:
    if not isinstance(claimed.content, Manifest):
        return
    cids = claimed.content.content_ids
    written = user_message(claimed.header, cids)
    again = _read_again(written)
    if (again.header, again.content) != (_cut(claimed.header), claimed.content):
        raise Broken("written again it says something else")
    as_text = plain.user_message(claimed.header, cids)
    if as_text is not None and as_text.canonical != canonicalize(written, C14N_EXCLUSIVE):
        raise Broken("written as a text it is another envelope")


def _answer(header: Header) -> None:
    """Answer as the pipeline does: what came in is in the answer."""
    answer = Header(
        sender=header.receiver,
        receiver=header.sender,
        cpa_id=header.cpa_id,
        conversation_id=header.conversation_id,
        service=MSH_SERVICE,
        action="Acknowledgment",
        message_id="answer@x",
        timestamp=AT,
        ref_to_message_id=header.message_id,
    )
    ack = Acknowledgment(
        timestamp=AT,
        ref_to_message_id=header.message_id,
        sender=header.receiver,
        references=(Reference("", SHA256, b"\0" * 32),),
    )
    written = signals.acknowledgment(answer, ack)
    as_text = plain.acknowledgment(answer, ack)
    if as_text is not None and as_text.canonical != canonicalize(written, C14N_EXCLUSIVE):
        raise Broken("written as a text it is another acknowledgement")
    answers = [(ack, written)]
    for content in (MshAnswer(action="Pong"), _status(header.message_id, MessageStatus.RECEIVED)):
        head = replace(answer, action=content.action)
        answers.append((content, services.answer(head, content)))
    for content, envelope in answers:
        if _read_again(envelope).content != content:
            raise Broken("an answer says something else than was answered")


def _status(about: str, status: MessageStatus) -> MshAnswer:
    return MshAnswer(action="StatusResponse", about=about, status=status, received_at=AT)


def _refuse(error: GatewayError) -> None:
    told = ErrorList(highest_severity="Error", errors=(signals.ebms_error(error),))
    head = signal_header("MessageError")
    if _read_again(signals.message_error(head, told)).header != head:
        raise Broken("the answer to a refusal says something else")
    etree.fromstring(signals.soap_fault(error))


def envelope_seeds() -> Iterator[bytes]:
    yield from (sealed(agreement(profile)).envelope for profile in PROFILES)
    reference = Reference("", SHA256, b"\1" * 32)
    ack = Acknowledgment(
        timestamp=AT,
        ref_to_message_id="message-1@alice.example",
        sender=PartyRef("00000099000000000009"),
        references=(reference,),
    )
    yield etree.tostring(signals.acknowledgment(signal_header("Acknowledgment"), ack))
    refused = signals.ebms_error(PolicyViolation("header.inconsistent", "", where="//Header"))
    errors = ErrorList(highest_severity="Error", errors=(refused, refused))
    yield etree.tostring(signals.message_error(signal_header("MessageError"), errors))
    asked = MshRequest(action="StatusRequest", ref_to_message_id="message-1@alice.example")
    for request in (MshRequest(action="Ping"), asked):
        head = signal_header(request.action, sync_reply=True)
        yield etree.tostring(services.request(head, request))
    for status in MessageStatus:
        answered = _status("message-1@alice.example", status)
        yield etree.tostring(services.answer(signal_header("StatusResponse"), answered))
    yield from (v.partition(b"\n")[2] for v in _vectors() if b"multipart" not in v[:200])


# --- the table ------------------------------------------------------------------------

_XML = (Malformed, ("xml.",))

TARGETS = (
    Target(name="xml", run=read_xml, seeds=xml_seeds, raises=(_XML,), change=xml_changed),
    Target(
        name="mime",
        run=take_apart,
        seeds=package_seeds,
        raises=((Malformed, ("mime.",)),),
        change=package_changed,
        share=2,
    ),
    Target(
        name="header",
        run=read_header,
        seeds=envelope_seeds,
        raises=(
            _XML,
            (Malformed, ("mime.", "soap.envelope", "header.")),
            (PolicyViolation, ("header.not_supported",)),
        ),
        change=xml_changed,
        share=2,
    ),
)
