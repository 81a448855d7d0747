"""What an MSH says by itself: Acknowledgment, MessageError, and the SOAP Fault."""

import base64
from collections.abc import Mapping

from lxml import etree

from gateway.errors import (
    DecryptionFailed,
    DuplicateConflict,
    Expired,
    GatewayError,
    Malformed,
    NoRoute,
    PeerUnreachable,
    Refused,
    UnknownAgreement,
    Untrusted,
)
from gateway.message import Acknowledgment, EbmsError, ErrorList, Header, Reference
from gateway.wire.ebms2 import build
from gateway.wire.ebms2.names import ERROR_CONTEXT, NSMAP, TO_PARTY, XML, ds, eb, soap

# The first that fits counts: code, then class, then the family of the code.
_BY_CODE: Mapping[str, str] = {
    "header.version": "ValueNotRecognized",
    "header.action": "ValueNotRecognized",
    "header.actor": "ValueNotRecognized",
    "header.timestamp": "ValueNotRecognized",
    "header.party": "Inconsistent",
    "header.service": "Inconsistent",
    "header.role": "Inconsistent",
    "header.inconsistent": "Inconsistent",
    "header.bundled": "Inconsistent",
    "header.not_supported": "NotSupported",
    "header.must_understand": "NotSupported",
    "header.unknown": "NotSupported",
    "header.manifest": "MimeProblem",
    "agreement.signals": "Unknown",
    "peer.oin": "SecurityFailure",
}
_BY_CLASS: tuple[tuple[type[GatewayError], str], ...] = (
    (Untrusted, "SecurityFailure"),
    (Expired, "TimeToLiveExpired"),
    (NoRoute, "DeliveryFailure"),
    (PeerUnreachable, "DeliveryFailure"),
    (UnknownAgreement, "ValueNotRecognized"),
    (DuplicateConflict, "Inconsistent"),
)
_BY_FAMILY: Mapping[str, str] = {"mime": "MimeProblem", "xml": "OtherXml", "soap": "OtherXml"}

_MESSAGE = "//Header/MessageHeader"
_LOCATIONS: Mapping[str, str] = {
    "agreement.party": f"{_MESSAGE}/From/PartyId",
    "agreement.action": f"{_MESSAGE}/Action",
    "agreement": f"{_MESSAGE}/CPAId",
    "ttl": f"{_MESSAGE}/MessageData/TimeToLive",
    "duplicate": f"{_MESSAGE}/MessageData/MessageId",
    "signature": "//Header/Signature",
    "certificate": "//Header/Signature",
    "mime": "//Body/Manifest",
}


def acknowledgment(header: Header, ack: Acknowledgment) -> etree._Element:
    """Return the unsigned envelope of an Acknowledgment (ebMS 2.0, 6.3.2).

    `ack.references` are the digests of the message that is acknowledged.
    """
    envelope = build.new_envelope(header)
    element = build.block(envelope.header, "Acknowledgment", actor=TO_PARTY)
    build.leaf(element, "Timestamp", build.stamp(ack.timestamp))
    build.leaf(element, "RefToMessageId", ack.ref_to_message_id)
    if ack.sender is not None:
        build.party(element, "From", ack.sender)
    for reference in ack.references:
        _reference(element, reference)
    return envelope.root


def _reference(parent: etree._Element, reference: Reference) -> None:
    element = etree.SubElement(parent, ds("Reference"), URI=reference.uri)
    etree.SubElement(element, ds("DigestMethod"), Algorithm=reference.digest_method)
    digest = etree.SubElement(element, ds("DigestValue"))
    digest.text = base64.b64encode(reference.digest).decode("ascii")


def message_error(header: Header, errors: ErrorList) -> etree._Element:
    """Return the unsigned envelope of a MessageError (ebMS 2.0, 4.2.3)."""
    envelope = build.new_envelope(header)
    element = build.block(envelope.header, "ErrorList", highestSeverity=errors.highest_severity)
    for error in errors.errors:
        _error(element, error)
    return envelope.root


def _error(parent: etree._Element, error: EbmsError) -> None:
    element = etree.SubElement(parent, eb("Error"))
    element.set(eb("codeContext"), ERROR_CONTEXT)
    element.set(eb("errorCode"), error.code)
    element.set(eb("severity"), error.severity)
    if error.location:
        element.set(eb("location"), error.location)
    if error.text:
        build.leaf(element, "Description", error.text).set(f"{{{XML}}}lang", "en")


def ebms_error(error: GatewayError) -> EbmsError:
    """Return what the peer is told: a code of ebMS 2.0, 4.2.3.4, a place, a bland text."""
    return EbmsError(
        code=_code(error), severity="Error", location=_location(error), text=error.public
    )


def _code(error: GatewayError) -> str:
    if error.code in _BY_CODE and not isinstance(error, Untrusted):
        return _BY_CODE[error.code]
    for kind, code in _BY_CLASS:
        if isinstance(error, kind):
            return code
    default = "OtherXml" if isinstance(error, Malformed) else "Unknown"
    return _BY_FAMILY.get(error.code.partition(".")[0], default)


def _location(error: GatewayError) -> str:
    family = error.code.partition(".")[0]
    if isinstance(error, DecryptionFailed) and error.part:
        return f"cid:{error.part}"  # ebMS 2.0, 4.2.3.2.6
    return error.where or _LOCATIONS.get(error.code) or _LOCATIONS.get(family) or _MESSAGE


def soap_fault(error: GatewayError) -> bytes:
    """Return a SOAP 1.1 Fault: Client for what the peer must change, else Server.

    It says no more than the class of the error.
    """
    root = etree.Element(soap("Envelope"), nsmap=NSMAP)
    fault = etree.SubElement(etree.SubElement(root, soap("Body")), soap("Fault"))
    side = "Client" if isinstance(error, Refused) else "Server"
    etree.SubElement(fault, "faultcode").text = f"soap:{side}"
    etree.SubElement(fault, "faultstring").text = error.public
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


_CODES = frozenset(
    {
        "ValueNotRecognized",
        "NotSupported",
        "Inconsistent",
        "OtherXml",
        "DeliveryFailure",
        "TimeToLiveExpired",
        "SecurityFailure",
        "MimeProblem",
        "Unknown",
    }
)
_PLACES = frozenset(
    {
        "Envelope",
        "Header",
        "Body",
        "MessageHeader",
        "From",
        "To",
        "PartyId",
        "Role",
        "CPAId",
        "ConversationId",
        "Service",
        "Action",
        "MessageData",
        "MessageId",
        "Timestamp",
        "RefToMessageId",
        "TimeToLive",
        "DuplicateElimination",
        "AckRequested",
        "SyncReply",
        "MessageOrder",
        "Signature",
        "Manifest",
        "Reference",
        "ErrorList",
        "Acknowledgment",
        "StatusRequest",
        "StatusResponse",
        "@type",
        "@version",
        "@signed",
        "@actor",
        "@href",
        "@messageStatus",
    }
)


def known_code(code: str) -> str:
    """Return the error code of a partner, or Unknown: free words are not taken over."""
    name = code.rpartition(":")[2]
    return name if name in _CODES else "Unknown"


def known_location(location: str) -> str:
    """Return a location made of known names only, `cid:` for a part, else nothing."""
    if location.startswith("cid:"):
        return "cid:"
    steps = [step.rpartition(":")[2] for step in location.split("/") if step]
    return "//" + "/".join(steps) if steps and set(steps) <= _PLACES else ""
