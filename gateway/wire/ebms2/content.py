"""What a message carries: a Manifest, an Acknowledgment, an ErrorList, an MSH request."""

import base64
from collections.abc import Mapping

from lxml import etree

from gateway.directory import MSH_SERVICE
from gateway.errors import Malformed
from gateway.message import (
    Acknowledgment,
    Content,
    EbmsError,
    ErrorList,
    Header,
    Manifest,
    MessageStatus,
    MshAnswer,
    MshRequest,
    PartyRef,
    Reference,
)
from gateway.wire.ebms2 import fields
from gateway.wire.ebms2.fields import Fields
from gateway.wire.ebms2.names import TO_PARTY, ds, eb, xlink
from gateway.wire.xml import children

Blocks = Mapping[str, etree._Element]  # noqa: SLF001 - lxml names its element type so
"""The ebMS blocks of the SOAP Header, by local name."""

MESSAGE = "//Header/MessageHeader"
_MANIFEST = "//Body/Manifest"
_ACKNOWLEDGMENT = "//Header/Acknowledgment"
_ERROR = "//Header/ErrorList/Error"
_SEVERITIES = frozenset({"Error", "Warning"})
_STATUS = {"StatusRequest": "StatusRequest", "StatusResponse": "StatusResponse"}
_ACTIONS = frozenset({"Acknowledgment", "MessageError", "Ping", "Pong", *_STATUS})
_CARRIES = {"Acknowledgment": "Acknowledgment", "MessageError": "ErrorList"}


def read_content(header: Header, blocks: Blocks, body: etree._Element) -> Content:
    """Read what belongs to the service and action of the header, and refuse anything else."""
    own = header.service == MSH_SERVICE
    if own and header.action not in _ACTIONS:
        raise Malformed("header.action", "action is not one of the MSH", where=f"{MESSAGE}/Action")
    signal = _CARRIES.get(header.action) if own else None
    _check_bundling(signal, blocks)
    if not own:
        return _user(header, body)
    if signal is None:
        return _request(header, body)
    _check_body(body, None)
    if signal not in blocks:
        raise Malformed("header.missing", f"{signal} is missing", where=f"//Header/{signal}")
    return (
        _acknowledgment(blocks[signal]) if signal == "Acknowledgment" else _errors(blocks[signal])
    )


def _check_bundling(signal: str | None, blocks: Blocks) -> None:
    """A signal travels alone (DK-ebMS2, acknowledgements: standalone, never bundled)."""
    for name in ("Acknowledgment", "ErrorList"):
        if name in blocks and name != signal:
            raise Malformed("header.bundled", "a signal is bundled", where=f"//Header/{name}")


def _check_body(body: etree._Element, name: str | None) -> etree._Element | None:
    """Return the only element of the Body, which must be of that name; None when empty."""
    found = list(children(body))
    if len(found) > 1:
        raise Malformed("header.body", "Body holds more than one element", where="//Body")
    if found and (name is None or found[0].tag != eb(name)):
        raise Malformed("header.body", "Body holds what does not belong there", where="//Body")
    return found[0] if found else None


# --- user messages --------------------------------------------------------------------


def _user(header: Header, body: etree._Element) -> Manifest:
    for side, role in (("From", header.sender_role), ("To", header.receiver_role)):
        if role is None:
            raise Malformed("header.role", "Role is missing", where=f"{MESSAGE}/{side}/Role")
    manifest = _check_body(body, "Manifest")
    if manifest is None:
        return Manifest(content_ids=())
    fields.check_version(manifest, _MANIFEST)
    ids = tuple(_content_id(reference) for reference in manifest.findall(eb("Reference")))
    if not ids:
        raise Malformed("header.manifest", "Manifest is empty", where=_MANIFEST)
    if len(set(ids)) != len(ids):
        raise Malformed("header.manifest", "a Reference occurs twice", where=_MANIFEST)
    return Manifest(content_ids=ids)


def _content_id(reference: etree._Element) -> str:
    """Only parts of the message itself are payload (DK-ebMS2, Manifest)."""
    scheme, _, identity = reference.get(xlink("href"), "").partition(":")
    if scheme.lower() != "cid" or reference.get(xlink("type"), "simple") != "simple":
        raise Malformed(
            "header.manifest", "a Reference is not a cid", where=f"{_MANIFEST}/Reference"
        )
    return fields.checked(identity, f"{_MANIFEST}/Reference/@href")


# --- signals --------------------------------------------------------------------------


def _acknowledgment(element: etree._Element) -> Acknowledgment:
    where = _ACKNOWLEDGMENT
    fields.check_actor(element, frozenset({None, TO_PARTY}), where)
    parts = Fields(element, where)
    return Acknowledgment(
        timestamp=parts.moment("Timestamp"),
        ref_to_message_id=parts.text("RefToMessageId"),
        sender=_from(parts),
        references=tuple(_reference(found) for found in element.findall(ds("Reference"))),
    )


def _from(parts: Fields) -> PartyRef | None:
    side = parts.maybe("From")
    if side is None:
        return None
    return fields.party(Fields(side, f"{_ACKNOWLEDGMENT}/From"))


def _reference(element: etree._Element) -> Reference:
    where = f"{_ACKNOWLEDGMENT}/Reference"
    methods, values = element.findall(ds("DigestMethod")), element.findall(ds("DigestValue"))
    if len(methods) != 1 or len(values) != 1 or len(values[0]) or "URI" not in element.attrib:
        raise Malformed("header.reference", "a Reference is not complete", where=where)
    try:
        digest = base64.b64decode("".join((values[0].text or "").split()), validate=True)
    except ValueError:
        raise Malformed("header.reference", "digest is not base64", where=where) from None
    algorithm = fields.checked(methods[0].get("Algorithm", ""), f"{where}/DigestMethod/@Algorithm")
    return Reference(element.get("URI", ""), algorithm, digest)


def _errors(element: etree._Element) -> ErrorList:
    where = "//Header/ErrorList"
    errors = tuple(_error(found) for found in element.findall(eb("Error")))
    if not errors:
        raise Malformed("header.missing", "ErrorList is empty", where=_ERROR)
    return ErrorList(highest_severity=_severity(element, "highestSeverity", where), errors=errors)


def _error(element: etree._Element) -> EbmsError:
    return EbmsError(
        code=fields.attribute(element, "errorCode", _ERROR),
        severity=_severity(element, "severity", _ERROR),
        location=_words(element.get(eb("location"))),
        text=_words(element.findtext(eb("Description"))),
    )


def _words(text: str | None) -> str:
    """Return what a partner tells a person, on one line: a refusal counts whatever it says."""
    printable = "".join(c if c.isprintable() else " " for c in text or "")
    return " ".join(printable.split())[: fields.VALUE_LENGTH]


def _severity(element: etree._Element, name: str, where: str) -> str:
    found = fields.attribute(element, name, where)
    if found not in _SEVERITIES:
        raise Malformed("header.value", "not a severity", where=f"{where}/@{name}")
    return found


def _request(header: Header, body: etree._Element) -> MshRequest | MshAnswer:
    """Ping and Pong are a header alone; what is asked and answered of a message has a body."""
    name = _STATUS.get(header.action)
    element = _check_body(body, name)
    if name is None:
        return MshAnswer(action="Pong") if header.action == "Pong" else MshRequest(action="Ping")
    where = f"//Body/{name}"
    if element is None:
        raise Malformed("header.missing", f"{name} is missing", where=where)
    fields.check_version(element, where)
    parts = Fields(element, where)
    about = parts.identity("RefToMessageId")
    if name == "StatusRequest":
        return MshRequest(action=name, ref_to_message_id=about)
    return MshAnswer(
        action=name,
        about=about,
        status=_message_status(element, where),
        received_at=parts.maybe_moment("Timestamp"),
    )


def _message_status(element: etree._Element, where: str) -> MessageStatus:
    found = fields.attribute(element, "messageStatus", where)
    if found not in {*MessageStatus}:
        raise Malformed("header.value", "not a status", where=f"{where}/@messageStatus")
    return MessageStatus(found)
