"""Envelopes written as text, without a tree, where no value needs escaping.

The canonical octets are written first. What travels is the same text with the namespaces
declared on the root and empty elements in their short form: octet by octet what the trees of
`header.user_message` and `signals.acknowledgment` give.
"""

import re
from base64 import b64encode
from dataclasses import dataclass

from gateway.message import Acknowledgment, Header, PartyRef, Reference
from gateway.wire.ebms2.build import stamp
from gateway.wire.ebms2.names import DS, EB, NEXT, NSMAP, SOAP, TO_PARTY, VERSION, XLINK

_PLAIN = re.compile(r"[ !#-%'-;=?-~]*")
"""Printable ASCII that stands for itself in text and attributes."""

_DECLARED = "".join(f' xmlns:{prefix}="{name}"' for prefix, name in NSMAP.items())
_ROOT = f'<soap:Envelope xmlns:soap="{SOAP}">'
_XMLNS_EB = f' xmlns:eb="{EB}"'
_XMLNS_DS = f' xmlns:ds="{DS}"'
_XMLNS_XLINK = f' xmlns:xlink="{XLINK}"'
_UNDERSTOOD = 'soap:mustUnderstand="1"'
_TRAVELS = (
    (_XMLNS_EB, ""),
    (_XMLNS_DS, ""),
    (_XMLNS_XLINK, ""),
    ("></eb:DuplicateElimination>", "/>"),
    ("></eb:AckRequested>", "/>"),
    ("></eb:Reference>", "/>"),
    ("></ds:DigestMethod>", "/>"),
    ("<soap:Body></soap:Body>", "<soap:Body/>"),
    (_ROOT, f"<?xml version='1.0' encoding='UTF-8'?>\n<soap:Envelope{_DECLARED}>"),
)
_SYNC_REPLY = f'<eb:SyncReply soap:actor="{NEXT}" {_UNDERSTOOD} eb:version="{VERSION}"/>'
_END_OF_HEADER = "</soap:Header>"
_END_OF_FIRST = "</eb:MessageHeader>"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainEnvelope:
    """An unsigned envelope: a signature goes between `head` and `tail`."""

    canonical: bytes
    """Exclusive C14N of all that a signature covers."""
    head: bytes
    """As it travels, up to the end of the SOAP Header."""
    tail: bytes


def is_plain(*values: str) -> bool:
    """Tell whether the values can be written into XML as they are."""
    return all(_PLAIN.fullmatch(value) for value in values)


def user_message(header: Header, content_ids: tuple[str, ...]) -> PlainEnvelope | None:
    """Return the envelope of a user message; None when a value needs escaping."""
    if not _is_plain(header) or not content_ids or not is_plain(*content_ids):
        return None
    asked = _ack_requested(header) if header.ack_requested else ""
    references = "".join(
        f'<eb:Reference{_XMLNS_XLINK} xlink:href="cid:{cid}" xlink:type="simple"></eb:Reference>'
        for cid in content_ids
    )
    manifest = f'<eb:Manifest{_XMLNS_EB} eb:version="{VERSION}">{references}</eb:Manifest>'
    return _envelope(header, asked, manifest)


def acknowledgment(header: Header, ack: Acknowledgment) -> PlainEnvelope | None:
    """Return the envelope of an Acknowledgment; None when a value needs escaping."""
    sender = ack.sender
    known = (sender.id, sender.type) if sender is not None else ()
    signed = (text for r in ack.references for text in (r.uri, r.digest_method))
    if not _is_plain(header) or not ack.ref_to_message_id:
        return None
    if not is_plain(ack.ref_to_message_id, *known, *signed) or not all(known[:1]):
        return None
    block = (
        f'<eb:Acknowledgment{_XMLNS_EB} soap:actor="{TO_PARTY}" {_UNDERSTOOD}'
        f' eb:version="{VERSION}"><eb:Timestamp>{stamp(ack.timestamp)}</eb:Timestamp>'
        f"<eb:RefToMessageId>{ack.ref_to_message_id}</eb:RefToMessageId>"
        f"{_party('From', sender, None) if sender is not None else ''}"
        f"{''.join(_reference(one) for one in ack.references)}</eb:Acknowledgment>"
    )
    return _envelope(header, block, "")


def _is_plain(header: Header) -> bool:
    """Empty elements are left to the tree, which has its own way to write them."""
    needed = (
        *(header.sender.id, header.receiver.id, header.cpa_id, header.conversation_id),
        *(header.service, header.action, header.message_id),
    )
    others = (
        *(header.sender.type, header.receiver.type, header.sender_role, header.receiver_role),
        *(header.service_type, header.ref_to_message_id),
    )
    return all(needed) and is_plain(*needed, *(other or "" for other in others))


def _envelope(header: Header, block: str, body: str) -> PlainEnvelope:
    canonical = (
        f"{_ROOT}<soap:Header>{_message_header(header)}{block}</soap:Header>"
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )
    text = canonical
    for one, other in _TRAVELS:
        text = text.replace(one, other)
    if header.sync_reply:
        text = text.replace(_END_OF_FIRST, _END_OF_FIRST + _SYNC_REPLY)
    head, end, tail = text.partition(_END_OF_HEADER)
    return PlainEnvelope(
        canonical=canonical.encode("ascii"),
        head=head.encode("ascii"),
        tail=(end + tail).encode("ascii"),
    )


def _message_header(header: Header) -> str:
    reference, lives = header.ref_to_message_id, header.time_to_live
    return (
        f'<eb:MessageHeader{_XMLNS_EB} {_UNDERSTOOD} eb:version="{VERSION}">'
        f"{_party('From', header.sender, header.sender_role)}"
        f"{_party('To', header.receiver, header.receiver_role)}"
        f"<eb:CPAId>{header.cpa_id}</eb:CPAId>"
        f"<eb:ConversationId>{header.conversation_id}</eb:ConversationId>"
        f"<eb:Service{_type(header.service_type)}>{header.service}</eb:Service>"
        f"<eb:Action>{header.action}</eb:Action>"
        f"<eb:MessageData><eb:MessageId>{header.message_id}</eb:MessageId>"
        f"<eb:Timestamp>{stamp(header.timestamp)}</eb:Timestamp>"
        f"{f'<eb:RefToMessageId>{reference}</eb:RefToMessageId>' if reference else ''}"
        f"{f'<eb:TimeToLive>{stamp(lives)}</eb:TimeToLive>' if lives is not None else ''}"
        "</eb:MessageData>"
        f"{_DUPLICATES if header.duplicate_elimination else ''}{_END_OF_FIRST}"
    )


_DUPLICATES = "<eb:DuplicateElimination></eb:DuplicateElimination>"


def _party(side: str, ref: PartyRef, role: str | None) -> str:
    told = f"<eb:Role>{role}</eb:Role>" if role else ""
    return f"<eb:{side}><eb:PartyId{_type(ref.type)}>{ref.id}</eb:PartyId>{told}</eb:{side}>"


def _type(kind: str | None) -> str:
    return f' eb:type="{kind}"' if kind else ""


def _ack_requested(header: Header) -> str:
    signed = "true" if header.ack_signed else "false"
    return (
        f'<eb:AckRequested{_XMLNS_EB} soap:actor="{TO_PARTY}" {_UNDERSTOOD}'
        f' eb:signed="{signed}" eb:version="{VERSION}"></eb:AckRequested>'
    )


def _reference(reference: Reference) -> str:
    digest = b64encode(reference.digest).decode("ascii")
    return (
        f'<ds:Reference{_XMLNS_DS} URI="{reference.uri}">'
        f'<ds:DigestMethod Algorithm="{reference.digest_method}"></ds:DigestMethod>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>"
    )
