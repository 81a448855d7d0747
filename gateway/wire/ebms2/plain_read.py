"""Signed envelopes that are, octet by octet, what we would write ourselves.

The values are found by patterns, and the whole envelope is then written again from them. When
that gives the same octets, nothing stands there that was not found, and no parser is needed:
`header.read_envelope` would read the same. Everything else is left to the parser.
"""

import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime

from gateway.directory import MSH_SERVICE
from gateway.message import Acknowledgment, Header, Manifest, PartyRef, Reference
from gateway.wire.ebms2 import plain
from gateway.wire.ebms2.plain import PlainEnvelope
from gateway.wire.ebms2.plain_signature import TRANSFORMS, signature, signed_info


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainSigned:
    """A signed user message or Acknowledgment. Nothing here is proven."""

    header: Header
    content: Manifest | Acknowledgment
    envelope: PlainEnvelope
    references: tuple[Reference, ...]
    """Of the signature."""
    algorithm: str
    info: str
    """Canonical SignedInfo."""
    value: bytes
    certificate: bytes
    """DER, as KeyInfo holds it."""


# A value does not begin or end with a space and is no longer than the parser allows. Possessive:
# nothing is tried twice.
_V = r"([!#-%'-;=?-~][ !#-%'-;=?-~]{0,999}+)(?<! )"
_ID = _V.replace("999", "511")
_M = r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)"
_B = r"([A-Za-z0-9+/=]++)"
_PARTY = rf'<eb:PartyId eb:type="{_V}">{_V}</eb:PartyId>'
_ROLE = rf"(?:<eb:Role>{_V}</eb:Role>)?"
_HEADER = re.compile(
    rf"<eb:From>{_PARTY}{_ROLE}</eb:From><eb:To>{_PARTY}{_ROLE}</eb:To>"
    rf"<eb:CPAId>{_ID}</eb:CPAId><eb:ConversationId>{_ID}</eb:ConversationId>"
    rf'<eb:Service(?: eb:type="{_V}")?>{_V}</eb:Service><eb:Action>{_V}</eb:Action>'
    rf"<eb:MessageData><eb:MessageId>{_ID}</eb:MessageId><eb:Timestamp>{_M}</eb:Timestamp>"
    rf"(?:<eb:RefToMessageId>{_V}</eb:RefToMessageId>)?"
    rf"(?:<eb:TimeToLive>{_M}</eb:TimeToLive>)?</eb:MessageData>"
    r"(<eb:DuplicateElimination/>)?</eb:MessageHeader>(<eb:SyncReply )?"
)
_ASKED = re.compile(r'<eb:AckRequested [^<>]* eb:signed="(true|false)" ')
_MANIFEST = re.compile(rf'<eb:Reference xlink:href="cid:{_V}" ')
_ACKNOWLEDGED = re.compile(
    rf"<eb:Acknowledgment [^<>]*><eb:Timestamp>{_M}</eb:Timestamp>"
    rf"<eb:RefToMessageId>{_V}</eb:RefToMessageId>(?:<eb:From>{_PARTY}</eb:From>)?"
)
_METHOD = re.compile(rf'<ds:SignatureMethod Algorithm="{_V}"/>')
_REFERENCE = re.compile(
    rf'<ds:Reference URI="(?:{_V})?">(?:{re.escape(TRANSFORMS)})?'
    rf'<ds:DigestMethod Algorithm="{_V}"/><ds:DigestValue>{_B}</ds:DigestValue>'
)
_VALUE = re.compile(
    rf"<ds:SignatureValue>{_B}</ds:SignatureValue>"
    rf"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{_B}</ds:X509Certificate>"
)
_SIGNATURE = "<ds:Signature>"
_BODY = "</soap:Header>"


def read(octets: bytes) -> PlainSigned | None:
    """Return what the envelope says; None when it is not exactly as we would write it."""
    try:
        text = octets.decode("ascii")
        found = _read(text)
    except ValueError:
        return None
    return found if found is not None and _written(found) == text else None


def _written(found: PlainSigned) -> str:
    envelope = found.envelope
    text = signature(found.info, found.value, found.certificate)
    return f"{envelope.head.decode()}{text}{envelope.tail.decode()}"


def _read(text: str) -> PlainSigned | None:
    head, _, rest = text.partition(_SIGNATURE)
    signed, _, body = rest.partition(_BODY)
    header = _header(head)
    if header is None:
        return None
    content = _content(header, head, body)
    envelope = _envelope(header, content)
    method, value = _METHOD.search(signed), _VALUE.search(signed)
    if content is None or envelope is None or method is None or value is None:
        return None
    references = _references(signed)
    return PlainSigned(
        header=header,
        content=content,
        envelope=envelope,
        references=references,
        algorithm=method[1],
        info=signed_info(references, method[1]),
        value=b64decode(value[1], validate=True),
        certificate=b64decode(value[2], validate=True),
    )


def _header(head: str) -> Header | None:
    found = _HEADER.search(head)
    if found is None:
        return None
    asked = _ASKED.search(head, found.end())
    return Header(
        sender=PartyRef(found[2], found[1]),
        sender_role=found[3],
        receiver=PartyRef(found[5], found[4]),
        receiver_role=found[6],
        cpa_id=found[7],
        conversation_id=found[8],
        service=found[10],
        service_type=found[9],
        action=found[11],
        message_id=found[12],
        timestamp=datetime.fromisoformat(found[13]),
        ref_to_message_id=found[14],
        time_to_live=datetime.fromisoformat(found[15]) if found[15] else None,
        duplicate_elimination=found[16] is not None,
        ack_requested=asked is not None,
        ack_signed=asked is not None and asked[1] == "true",
        sync_reply=found[17] is not None,
    )


def _content(header: Header, head: str, body: str) -> Manifest | Acknowledgment | None:
    """What the parser would ask of it is asked here as well: roles, service, action."""
    if header.service == MSH_SERVICE:
        return _acknowledgment(head) if header.action == "Acknowledgment" else None
    complete = header.service_type and header.sender_role and header.receiver_role
    found = _MANIFEST.search(body)
    return Manifest(content_ids=(found[1],)) if complete and found is not None else None


def _acknowledgment(head: str) -> Acknowledgment | None:
    found = _ACKNOWLEDGED.search(head)
    if found is None:
        return None
    return Acknowledgment(
        timestamp=datetime.fromisoformat(found[1]),
        ref_to_message_id=found[2],
        sender=PartyRef(found[4], found[3]) if found[4] is not None else None,
        references=_references(head[found.end() :]),
    )


def _references(text: str) -> tuple[Reference, ...]:
    return tuple(
        Reference(one[1] or "", one[2], b64decode(one[3], validate=True))
        for one in _REFERENCE.finditer(text)
    )


def _envelope(header: Header, content: Manifest | Acknowledgment | None) -> PlainEnvelope | None:
    match content:
        case Manifest():
            return plain.user_message(header, content.content_ids)
        case Acknowledgment() if not header.ack_requested:
            return plain.acknowledgment(header, content)
        case _:
            return None
