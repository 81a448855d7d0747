"""The ebMS 2.0 message: reading it strictly, and building user messages.

What is read here is *claimed*: it selects the agreement and nothing more, until
`gateway.security.open` has read it again from the verified tree.
"""

from dataclasses import dataclass

from lxml import etree

from gateway.directory import MSH_SERVICE, Limits
from gateway.errors import Malformed, PolicyViolation
from gateway.message import Content, Header, Manifest, Part
from gateway.wire import mime, xml
from gateway.wire.ebms2 import build, fields, plain_read
from gateway.wire.ebms2.content import MESSAGE, Blocks, read_content
from gateway.wire.ebms2.fields import Fields
from gateway.wire.ebms2.names import NEXT, NEXT_MSH, TO_PARTY, ds, eb, soap, xlink
from gateway.wire.ebms2.plain_read import PlainSigned

_BLOCKS = frozenset({"MessageHeader", "AckRequested", "SyncReply", "Acknowledgment", "ErrorList"})
_DATA = frozenset({"MessageId", "Timestamp", "RefToMessageId", "TimeToLive"})
_PARTS = frozenset(
    {
        *{"From", "To", "CPAId", "ConversationId", "Service", "Action", "MessageData"},
        *{"DuplicateElimination", "Description"},
    }
)
_EB = eb("")
_SIDE = frozenset({"PartyId", "Role"})
_NO_ACTOR: frozenset[str | None] = frozenset({None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message as it says it is. Nothing here is proven."""

    root: bytes
    """Octets of the root part, as received."""
    plain: PlainSigned | None
    """What it holds, when it is exactly as we would write it."""
    header: Header
    content: Content
    parts: tuple[Part, ...]
    """The other parts, in order; not yet compared with the Manifest."""
    parsed: etree._Element | None
    """The SOAP envelope; None when there was no need to parse it."""
    bounds: xml.XmlLimits

    @property
    def tree(self) -> etree._Element:
        """Return the SOAP envelope, parsed at this moment if it was not yet."""
        if self.parsed is not None:
            return self.parsed
        return xml.parse(self.root, limits=self.bounds, where="//Envelope")


def read(body: bytes, content_type: str, *, limits: Limits) -> Claimed:
    """Read package and envelope.

    Raises Malformed `mime.*`, `xml.*`, `soap.envelope`, `header.*` (`header.size`: the
    root part is larger than `limits.header_bytes`, seen before parsing), and
    PolicyViolation `header.not_supported` for MessageOrder and multi-hop.
    """
    root, parts = mime.split(body, content_type, limits=limits)
    if len(root.octets) > limits.header_bytes:
        raise Malformed("header.size", "SOAP envelope is larger than allowed", where="//Envelope")
    bounds = _bounds(limits)
    found = plain_read.read(root.octets)
    if found is not None:
        return Claimed(
            root=root.octets,
            plain=found,
            header=found.header,
            content=found.content,
            parts=parts,
            parsed=None,
            bounds=bounds,
        )
    tree = xml.parse(root.octets, limits=bounds, where="//Envelope")
    header, content = read_envelope(tree)
    if parts and isinstance(content, Manifest) and not content.content_ids:
        raise Malformed("header.manifest", "Manifest is missing", where="//Body/Manifest")
    return Claimed(
        root=root.octets,
        plain=None,
        header=header,
        content=content,
        parts=parts,
        parsed=tree,
        bounds=bounds,
    )


def _bounds(limits: Limits) -> xml.XmlLimits:
    return xml.XmlLimits(
        octets=limits.header_bytes, depth=32, nodes=2_000, attributes_per_element=32
    )


def read_envelope(tree: etree._Element) -> tuple[Header, Content]:
    """Read header and content of a SOAP 1.1 envelope (ebMS 2.0, chapters 2 and 3).

    Exactly one Header and one Body; each ebMS block at most once; no block that must be
    understood and is not. Errors as those of `read`; `where` is a location such as
    `//Header/MessageHeader/CPAId`, never a value.
    """
    soap_header, soap_body = _soap(tree)
    blocks = _blocks(soap_header)
    if "MessageHeader" not in blocks:
        raise Malformed("header.missing", "MessageHeader is missing", where=MESSAGE)
    header = _header(blocks["MessageHeader"], blocks)
    return header, read_content(header, blocks, soap_body)


# --- SOAP -----------------------------------------------------------------------------


def _soap(tree: etree._Element) -> tuple[etree._Element, etree._Element]:
    if tree.tag != soap("Envelope"):
        raise Malformed("soap.envelope", "root is not a SOAP 1.1 Envelope", where="//Envelope")
    found = list(xml.children(tree))
    if [child.tag for child in found] != [soap("Header"), soap("Body")]:
        raise Malformed(
            "soap.envelope", "Envelope must hold one Header and one Body", where="//Envelope"
        )
    return found[0], found[1]


def _blocks(soap_header: etree._Element) -> Blocks:
    blocks: dict[str, etree._Element] = {}
    for child in xml.children(soap_header):
        tag = str(child.tag)
        if tag.startswith(_EB):
            name = tag.removeprefix(_EB)
            _check_block(child, name, blocks)
            blocks[name] = child
        elif tag != ds("Signature") and child.get(soap("mustUnderstand"), "0") != "0":
            raise Malformed(
                "header.must_understand", "a header block is not understood", where="//Header"
            )
    return blocks


def _check_block(child: etree._Element, name: str, seen: Blocks) -> None:
    where = f"//Header/{name}"
    if name == "MessageOrder":
        raise PolicyViolation("header.not_supported", "MessageOrder is not supported", where=where)
    if name not in _BLOCKS:
        raise Malformed("header.unknown", "an ebMS header block is not known", where="//Header")
    if name in seen:
        raise Malformed("header.duplicate", "an ebMS header block occurs twice", where=where)
    fields.check_version(child, where)


# --- MessageHeader and its companions -------------------------------------------------


def _header(element: etree._Element, blocks: Blocks) -> Header:
    fields.check_actor(element, _NO_ACTOR, MESSAGE)
    parts = Fields(element, MESSAGE)
    parts.only(_PARTS)
    sender, receiver = (Fields(parts.one(side), f"{MESSAGE}/{side}") for side in ("From", "To"))
    sender.only(_SIDE)
    receiver.only(_SIDE)
    data = Fields(parts.one("MessageData"), f"{MESSAGE}/MessageData")
    data.only(_DATA)
    service, service_type = _service(parts)
    requested, signed = _ack_requested(blocks)
    return Header(
        sender=fields.party(sender),
        sender_role=sender.maybe_text("Role"),
        receiver=fields.party(receiver),
        receiver_role=receiver.maybe_text("Role"),
        cpa_id=parts.identity("CPAId"),
        conversation_id=parts.identity("ConversationId"),
        service=service,
        service_type=service_type,
        action=parts.text("Action"),
        message_id=data.identity("MessageId"),
        timestamp=data.moment("Timestamp"),
        ref_to_message_id=data.maybe_text("RefToMessageId"),
        time_to_live=data.maybe_moment("TimeToLive"),
        duplicate_elimination=parts.maybe("DuplicateElimination") is not None,
        ack_requested=requested,
        ack_signed=signed,
        sync_reply=_sync_reply(blocks),
    )


def _service(parts: Fields) -> tuple[str, str | None]:
    """Without a type the service must be a URI (ebMS 2.0, 3.1.4)."""
    where = f"{MESSAGE}/Service"
    found = parts.one("Service")
    name = fields.value(found, where)
    kind = fields.maybe_attribute(found, "type", where)
    if kind is None and name != MSH_SERVICE and not fields.is_uri(name):
        raise Malformed("header.service", "Service has no type and is no URI", where=where)
    return name, kind


def _ack_requested(blocks: Blocks) -> tuple[bool, bool]:
    """Return (requested, signed)."""
    where = "//Header/AckRequested"
    element = blocks.get("AckRequested")
    if element is None:
        return False, False
    if element.get(soap("actor")) == NEXT_MSH:
        raise PolicyViolation(
            "header.not_supported", "AckRequested of the next MSH is not supported", where=where
        )
    fields.check_actor(element, frozenset({None, TO_PARTY}), where)
    return True, fields.boolean(element, "signed", where)


def _sync_reply(blocks: Blocks) -> bool:
    element = blocks.get("SyncReply")
    if element is None:
        return False
    fields.check_actor(element, frozenset({NEXT}), "//Header/SyncReply")
    return True


# --- building -------------------------------------------------------------------------


def user_message(header: Header, content_ids: tuple[str, ...]) -> etree._Element:
    """Return the unsigned envelope of a user message; `content_ids` without `cid:`.

    Moments are cut to milliseconds.
    """
    envelope = build.new_envelope(header)
    if header.sync_reply:
        build.sync_reply(envelope.header)
    if header.ack_requested:
        signed = "true" if header.ack_signed else "false"
        build.block(envelope.header, "AckRequested", actor=TO_PARTY, signed=signed)
    if content_ids:
        _manifest(envelope.body, content_ids)
    return envelope.root


def _manifest(body: etree._Element, content_ids: tuple[str, ...]) -> None:
    manifest = build.body_block(body, "Manifest")
    for content_id in content_ids:
        reference = etree.SubElement(manifest, eb("Reference"))
        reference.set(xlink("href"), f"cid:{content_id}")
        reference.set(xlink("type"), "simple")
