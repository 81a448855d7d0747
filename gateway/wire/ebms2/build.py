"""Building envelopes: every prefix on the root, no white space, in schema order."""

from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from gateway.message import Header, PartyRef
from gateway.wire.ebms2.names import NEXT, NSMAP, VERSION, eb, soap


@dataclass(frozen=True, slots=True)
class Envelope:
    """A SOAP 1.1 envelope under construction."""

    root: etree._Element
    header: etree._Element
    body: etree._Element


def new_envelope(header: Header) -> Envelope:
    """Return an envelope that holds `eb:MessageHeader` and an empty Body."""
    root = etree.Element(soap("Envelope"), nsmap=NSMAP)
    envelope = Envelope(
        root, etree.SubElement(root, soap("Header")), etree.SubElement(root, soap("Body"))
    )
    _message_header(envelope.header, header)
    return envelope


# Attributes are set in the order of C14N: what travels differs from what is digested in the
# place of its namespace declarations only.


def block(
    parent: etree._Element, name: str, *, actor: str = "", **attributes: str
) -> etree._Element:
    """Append a header block of version 2.0 that must be understood; `attributes` are ebMS ones."""
    element = etree.SubElement(parent, eb(name))
    if actor:
        element.set(soap("actor"), actor)
    element.set(soap("mustUnderstand"), "1")
    for key, text in sorted({**attributes, "version": VERSION}.items()):
        element.set(eb(key), text)
    return element


def sync_reply(parent: etree._Element) -> None:
    """Append SyncReply: the answer is wanted on the same connection (ebMS 2.0, 4.3)."""
    block(parent, "SyncReply", actor=NEXT)


def body_block(parent: etree._Element, name: str) -> etree._Element:
    """Append an element of version 2.0."""
    element = etree.SubElement(parent, eb(name))
    element.set(eb("version"), VERSION)
    return element


def leaf(parent: etree._Element, name: str, text: str) -> etree._Element:
    """Append an element with text."""
    element = etree.SubElement(parent, eb(name))
    element.text = text
    return element


def party(parent: etree._Element, name: str, ref: PartyRef, role: str | None = None) -> None:
    """Append From or To."""
    side = etree.SubElement(parent, eb(name))
    _typed(leaf(side, "PartyId", ref.id), ref.type)
    if role:
        leaf(side, "Role", role)


def stamp(at: datetime) -> str:
    """Return the moment in UTC, cut to milliseconds, with `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _typed(element: etree._Element, kind: str | None) -> None:
    if kind:
        element.set(eb("type"), kind)


def _message_header(parent: etree._Element, header: Header) -> None:
    element = block(parent, "MessageHeader")
    party(element, "From", header.sender, header.sender_role)
    party(element, "To", header.receiver, header.receiver_role)
    leaf(element, "CPAId", header.cpa_id)
    leaf(element, "ConversationId", header.conversation_id)
    _typed(leaf(element, "Service", header.service), header.service_type)
    leaf(element, "Action", header.action)
    _message_data(element, header)
    if header.duplicate_elimination:
        etree.SubElement(element, eb("DuplicateElimination"))


def _message_data(parent: etree._Element, header: Header) -> None:
    data = etree.SubElement(parent, eb("MessageData"))
    leaf(data, "MessageId", header.message_id)
    leaf(data, "Timestamp", stamp(header.timestamp))
    if header.ref_to_message_id:
        leaf(data, "RefToMessageId", header.ref_to_message_id)
    if header.time_to_live is not None:
        leaf(data, "TimeToLive", stamp(header.time_to_live))
