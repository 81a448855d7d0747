"""What MSHs ask each other: Ping and Pong, StatusRequest and StatusResponse (ebMS 2.0, 7 and 8)."""

from lxml import etree

from gateway.message import Header, MshAnswer, MshRequest
from gateway.wire.ebms2 import build
from gateway.wire.ebms2.build import Envelope
from gateway.wire.ebms2.names import eb


def request(header: Header, asked: MshRequest) -> etree._Element:
    """Return the unsigned envelope of a Ping, or of a StatusRequest about a message."""
    envelope = build.new_envelope(header)
    if header.sync_reply:
        build.sync_reply(envelope.header)
    if asked.ref_to_message_id is not None:
        _about(envelope, asked.action, asked.ref_to_message_id)
    return envelope.root


def answer(header: Header, answered: MshAnswer) -> etree._Element:
    """Return the unsigned envelope of a Pong, or of a StatusResponse.

    The moment at which a message was received is cut to milliseconds.
    """
    envelope = build.new_envelope(header)
    if answered.status is not None:
        element = _about(envelope, answered.action, answered.about)
        element.set(eb("messageStatus"), answered.status)
        if answered.received_at is not None:
            build.leaf(element, "Timestamp", build.stamp(answered.received_at))
    return envelope.root


def _about(envelope: Envelope, name: str, message_id: str) -> etree._Element:
    element = build.body_block(envelope.body, name)
    build.leaf(element, "RefToMessageId", message_id)
    return element
