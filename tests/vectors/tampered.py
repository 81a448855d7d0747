"""The table of sealed meldingen in which one thing is wrong, and what the hub says to each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from lxml import etree

from gateway.directory import Limits
from gateway.message import Oin, Part, PartyRef, WireMessage
from tests.flow import bad_input as bad
from tests.flow import town as towns
from tests.flow.bad_input import Recipe, add, cut, melding, swap, text
from tests.flow.town import HALT, HUB, NOW, OM, POLITIE, VT, leaf


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP Fault: nobody is proven, or nothing can be taken now."""

    status: int = 500


@dataclass(frozen=True, slots=True)
class Error:
    """A signed MessageError in the answer."""

    code: str


@dataclass(frozen=True, slots=True)
class Fo01:
    """204, an Acknowledgment, and a Fo01 that names code and place."""

    code: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """204 and an Acknowledgment; an answer is never answered."""


Answer = Fault | Error | Fo01 | Acknowledged
SECURITY = Error("SecurityFailure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    name: str
    code: str
    answer: Answer
    recipe: Recipe
    hub: Callable[[], Mapping[str, Any]] = dict
    """How the directory of the hub differs."""
    before: Recipe | None = None
    """What came, and was taken in, before."""


def vector(name: str, code: str, answer: Answer, **steps: Any) -> Vector:
    hub, before = steps.pop("hub", dict), steps.pop("before", None)
    return Vector(
        name=name, code=code, answer=answer, recipe=Recipe(**steps), hub=hub, before=before
    )


HEADER = "//soap:Header"
MESSAGE = f"{HEADER}/eb:MessageHeader"
DATA = f"{MESSAGE}/eb:MessageData"
MANIFEST = "//soap:Body/eb:Manifest"
ACK = f"{HEADER}/eb:AckRequested"
STUUR = "/vtMeldingDi01/stuurgegevens"


# --- MIME -----------------------------------------------------------------------------


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


MIME = (
    vector("no_boundary", "mime.boundary", Fault(), wire=content_type('boundary="=_b"; ', "")),
    vector("other_boundary", "mime.boundary", Fault(), wire=content_type("=_b", "=_c")),
    vector("cut_short", "mime.boundary", Fault(), wire=body("--=_b--", "")),
    vector("start_names_no_part", "mime.start", Fault(), wire=content_type("envelope@", "other@")),
    vector(
        "start_names_payload",
        "mime.content_type",
        Fault(),
        wire=content_type("envelope@politie.example", bad.CID),
    ),
    vector("charset_latin1", "mime.charset", Fault(), wire=body("charset=UTF-8", "charset=latin1")),
    vector("multipart_mixed", "mime.content_type", Fault(), wire=content_type("related", "mixed")),
    vector(
        "plain_xml_of_a_multipart",
        "xml.malformed",
        Fault(),
        wire=lambda m: replace(m, content_type="text/xml"),
    ),
    vector(
        "text_plain",
        "mime.content_type",
        Fault(),
        wire=lambda m: replace(m, content_type="text/plain"),
    ),
    vector(
        "no_content_type", "mime.content_type", Fault(), wire=lambda m: replace(m, content_type="")
    ),
    vector("empty_body", "mime.boundary", Fault(), wire=lambda m: replace(m, body=b"")),
    vector("duplicate_content_id", "mime.duplicate_cid", Fault(), parts=one_more(bad.CID)),
    vector("too_many_parts", "mime.parts", Fault(), parts=one_more("more-{n}@x", 10)),
    vector(
        "uuencoded",
        "mime.transfer_encoding",
        Fault(),
        wire=body(
            "Content-ID: <payload",
            "Content-Transfer-Encoding: x-uuencode\r\nContent-ID: <payload",
        ),
    ),
    vector("missing_part", "mime.missing_part", Error("MimeProblem"), parts=lambda _parts: ()),
    vector(
        "part_under_other_id",
        "mime.missing_part",
        Error("MimeProblem"),
        parts=lambda parts: (replace(parts[0], content_id="other@x"),),
    ),
    vector(
        "unreferenced_part",
        "mime.unreferenced_part",
        Error("MimeProblem"),
        parts=one_more("more@x"),
    ),
    vector("payload_without_manifest", "header.manifest", Fault(), signed=cut(MANIFEST)),
)


# --- header ---------------------------------------------------------------------------


def at(**span: int) -> Any:
    return NOW + timedelta(**span)


def rename(**header: Any) -> dict[str, Any]:
    return {"header": header}


HEADERS = (
    vector("no_cpa_id", "header.missing", Fault(), unsigned=cut(f"{MESSAGE}/eb:CPAId")),
    vector("no_message_header", "header.missing", Fault(), signed=cut(MESSAGE)),
    vector(
        "version_1",
        "header.version",
        Fault(),
        unsigned=lambda t: bad.one(t, MESSAGE).set(f"{{{bad.NS['eb']}}}version", "1.0"),
    ),
    vector(
        "two_party_ids",
        "header.party",
        Fault(),
        unsigned=add(f"{MESSAGE}/eb:From", f'<eb:PartyId eb:type="urn:osb:oin">{VT}</eb:PartyId>'),
    ),
    vector("no_role", "header.role", Fault(), unsigned=cut(f"{MESSAGE}/eb:From/eb:Role")),
    vector(
        "ack_requested_of_next_msh",
        "header.not_supported",
        Fault(),
        signed=lambda t: bad.one(t, ACK).set(
            f"{{{bad.NS['soap']}}}actor", "urn:oasis:names:tc:ebxml-msg:actor:nextMSH"
        ),
    ),
    vector(
        "message_order",
        "header.not_supported",
        Fault(),
        unsigned=add(
            HEADER,
            '<eb:MessageOrder eb:version="2.0" soap:mustUnderstand="1">'
            "<eb:SequenceNumber>1</eb:SequenceNumber></eb:MessageOrder>",
        ),
    ),
    vector(
        "must_understand_unknown",
        "header.must_understand",
        Fault(),
        unsigned=add(HEADER, '<x:y xmlns:x="urn:x" soap:mustUnderstand="1"/>'),
    ),
    vector("unknown_ebms_block", "header.unknown", Fault(), unsigned=add(HEADER, "<eb:Via/>")),
    vector(
        "timestamp_no_moment",
        "header.timestamp",
        Fault(),
        unsigned=text(f"{DATA}/eb:Timestamp", "yesterday"),
    ),
    vector(
        "timestamp_without_zone",
        "header.timestamp",
        Fault(),
        unsigned=text(f"{DATA}/eb:Timestamp", "2026-11-24T09:00:00"),
    ),
    vector(
        "time_to_live_passed",
        "ttl.expired",
        Error("TimeToLiveExpired"),
        **rename(timestamp=at(hours=-2), time_to_live=at(hours=-1)),
    ),
    vector(
        "timestamp_in_future",
        "header.timestamp",
        Error("ValueNotRecognized"),
        **rename(timestamp=at(minutes=6)),
    ),
    vector(
        "comment_in_value",
        "header.value",
        Fault(),
        signed=lambda t: bad.one(t, f"{DATA}/eb:MessageId").append(etree.Comment("x")),
    ),
    vector(
        "acknowledgment_on_board",
        "header.bundled",
        Fault(),
        unsigned=add(HEADER, '<eb:Acknowledgment eb:version="2.0"/>'),
    ),
    vector(
        "envelope_too_large",
        "header.size",
        Fault(),
        hub=lambda: {"limits": Limits(header_bytes=2_000)},
    ),
    vector(
        "role_of_another", "header.inconsistent", Error("Inconsistent"), **rename(sender_role="OM")
    ),
    vector("ack_not_requested", "header.inconsistent", Error("Inconsistent"), unsigned=cut(ACK)),
    vector(
        "ack_unsigned_requested",
        "header.inconsistent",
        Error("Inconsistent"),
        **rename(ack_signed=False),
    ),
    vector(
        "duplicates_not_eliminated",
        "header.inconsistent",
        Error("Inconsistent"),
        unsigned=cut(f"{MESSAGE}/eb:DuplicateElimination"),
    ),
    vector(
        "sync_reply_not_agreed",
        "header.inconsistent",
        Error("Inconsistent"),
        **rename(sync_reply=True),
    ),
)


# --- DTD, entities, nesting -----------------------------------------------------------

INTERNAL = '<!DOCTYPE x [<!ENTITY naam "Proefpersoon">]>'
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "Proefpersoon">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)
EXTERNAL = '<!DOCTYPE x [<!ENTITY naam SYSTEM "file:///etc/passwd">]>'
REMOTE = '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd">'
DEEP = "<d>" * 70 + "</d>" * 70


def in_root(dtd: str, value: str = "") -> Callable[[WireMessage], WireMessage]:
    """Put a DTD in the envelope, and `value` in its ConversationId."""

    def change(message: WireMessage) -> WireMessage:
        octets = swap("<soap:Envelope", f"{dtd}<soap:Envelope")(message.body)
        octets = swap(f"<eb:ConversationId>{bad.MESSAGE_ID}", f"<eb:ConversationId>{value}")(octets)
        return replace(message, body=octets)

    return change


UNREADABLE = Fo01("StUF055")

ENTITIES = (
    vector("envelope_internal_entity", "xml.doctype", Fault(), wire=in_root(INTERNAL, "&naam;")),
    vector("envelope_billion_laughs", "xml.doctype", Fault(), wire=in_root(LAUGHS, "&i;")),
    vector("envelope_external_entity", "xml.doctype", Fault(), wire=in_root(EXTERNAL, "&naam;")),
    vector("envelope_external_subset", "xml.doctype", Fault(), wire=in_root(REMOTE)),
    vector("envelope_unknown_entity", "xml.malformed", Fault(), wire=in_root("", "&naam;")),
    vector("envelope_deep", "xml.depth", Fault(), wire=in_root("", DEEP)),
    vector(
        "envelope_many_attributes",
        "xml.attributes",
        Fault(),
        wire=body("<eb:Manifest", "<eb:Manifest " + " ".join(f'a{n}="1"' for n in range(40))),
    ),
    vector("envelope_many_nodes", "xml.nodes", Fault(), wire=in_root("", "<n/>" * 2_500)),
    vector(
        "envelope_utf16",
        "xml.encoding",
        Fault(),
        wire=body("encoding='UTF-8'", "encoding='UTF-16'"),
    ),
    vector(
        "payload_internal_entity",
        "xml.doctype",
        UNREADABLE,
        document=bad.declared(INTERNAL, "&naam;"),
    ),
    vector(
        "payload_billion_laughs", "xml.doctype", UNREADABLE, document=bad.declared(LAUGHS, "&i;")
    ),
    vector(
        "payload_external_entity",
        "xml.doctype",
        UNREADABLE,
        document=bad.declared(EXTERNAL, "&naam;"),
    ),
    vector("payload_external_subset", "xml.doctype", UNREADABLE, document=bad.declared(REMOTE)),
    vector("payload_deep", "xml.depth", UNREADABLE, document=swap("Proefpersoon", DEEP)),
    vector(
        "payload_not_xml",
        "xml.malformed",
        UNREADABLE,
        document=lambda _o: b"Proefpersoon, 999990019",
    ),
    vector("payload_empty", "xml.malformed", UNREADABLE, document=lambda _o: b""),
    vector("payload_latin1", "xml.encoding", UNREADABLE, document=swap("UTF-8", "ISO-8859-1")),
)


# --- signatures -----------------------------------------------------------------------

WRAPPING = (
    vector("original_in_wrapper", "signature.digest", SECURITY, signed=bad.original_in_wrapper),
    vector(
        "original_in_wrapper_for_next",
        "signature.uncovered",
        SECURITY,
        signed=bad.original_in_wrapper_for_next,
    ),
    vector("copy_signed_by_id", "signature.uncovered", SECURITY, signed=bad.signed_by_id),
    vector("second_signature", "signature.multiple", SECURITY, signed=bad.second_signature),
    vector("signature_in_body", "header.body", Fault(), signed=bad.signature_moved("//soap:Body")),
    vector(
        "signature_in_manifest",
        "signature.misplaced",
        SECURITY,
        signed=bad.signature_moved(MANIFEST),
    ),
    vector(
        "signature_in_wrapper", "signature.misplaced", SECURITY, signed=bad.signature_in_wrapper
    ),
    vector(
        "payloads_exchanged", "signature.digest", SECURITY, second=b"<second/>", parts=exchanged
    ),
    vector(
        "header_twice",
        "header.duplicate",
        Fault(),
        signed=lambda t: bad.one(t, MESSAGE).addnext(
            etree.fromstring(etree.tostring(bad.one(t, MESSAGE)))
        ),
    ),
    vector(
        "header_for_next",
        "header.actor",
        Fault(),
        signed=lambda t: bad.one(t, MESSAGE).set(f"{{{bad.NS['soap']}}}actor", bad.NEXT),
    ),
    vector("filter_leaves_out_more", "signature.transform", SECURITY, signed=bad.transform_added),
)

SIGNATURES = (
    vector(
        "signature_stripped",
        "signature.missing",
        SECURITY,
        profile="osb-rm-s",
        signed=cut("//ds:Signature"),
    ),
    vector("encrypted_not_signed", "signature.missing", SECURITY, signed=cut("//ds:Signature")),
    vector("part_not_signed", "signature.uncovered", SECURITY, signed=bad.part_not_signed),
    vector(
        "header_changed_after_signing",
        "signature.digest",
        SECURITY,
        signed=text(f"{MESSAGE}/eb:ConversationId", "other"),
    ),
    vector(
        "message_id_changed_after_signing",
        "signature.digest",
        SECURITY,
        signed=text(f"{DATA}/eb:MessageId", "other@politie.example"),
    ),
    vector(
        "block_added_after_signing",
        "signature.digest",
        SECURITY,
        signed=add(HEADER, '<x:y xmlns:x="urn:x"/>'),
    ),
    vector(
        "payload_changed_before_encrypting",
        "signature.digest",
        SECURITY,
        payload=swap("Proefpersoon", "Proefpersoos"),
    ),
    vector(
        "digest_value_changed",
        "signature.value",
        SECURITY,
        signed=text("//ds:Reference[@URI!='']/ds:DigestValue", "AAAA"),
    ),
    vector(
        "signature_value_changed",
        "signature.value",
        SECURITY,
        signed=text("//ds:SignatureValue", "AAAA"),
    ),
    vector(
        "signature_value_not_base64",
        "signature.form",
        SECURITY,
        signed=text("//ds:SignatureValue", "%%%"),
    ),
    vector("no_key_info", "signature.certificate", SECURITY, signed=cut("//ds:KeyInfo")),
    vector("signed_with_unknown_key", "signature.certificate", SECURITY, signer=bad.stranger),
    vector(
        "signed_with_key_of_other_party",
        "signature.certificate",
        SECURITY,
        signer=lambda: leaf(VT, "sign"),
    ),
    vector(
        "agreed_certificate_other_key",
        "signature.value",
        SECURITY,
        signed=bad.agreed_name_other_key,
    ),
    vector("sha1_digest", "signature.algorithm", SECURITY, signed=bad.sha1_digest),
    vector("sha1_signature", "signature.algorithm", SECURITY, signed=bad.sha1_signature),
    vector(
        "signed_where_not_agreed",
        "signature.unexpected",
        SECURITY,
        profile="osb-rm",
        signed=add(HEADER, "<ds:Signature/>"),
    ),
)


# --- encryption -----------------------------------------------------------------------

ENCRYPTION = (
    vector("cipher_text_changed", "decryption.failed", SECURITY, encrypt=bad.cipher_changed),
    vector("encrypted_for_another", "decryption.failed", SECURITY, encrypt=bad.for_another),
    vector("rsa15_key_transport", "decryption.algorithm", SECURITY, encrypt=bad.rsa15),
    vector("cbc_cipher", "decryption.algorithm", SECURITY, encrypt=bad.cbc),
    vector("plain_payload", "decryption.not_encrypted", SECURITY, encrypt=bad.not_encrypted),
    vector(
        "encrypted_where_not_agreed",
        "decryption.unexpected",
        SECURITY,
        profile="osb-rm-s",
        parts=bad.encrypted_unasked,
    ),
    vector(
        "dtd_in_encrypted_data",
        "decryption.not_encrypted",
        SECURITY,
        parts=lambda p: (
            replace(p[0], octets=p[0].octets.replace(b"?>\n", b"?>" + INTERNAL.encode())),
        ),
    ),
)


# --- certificates ---------------------------------------------------------------------


def signer(what: str, code: str) -> Vector:
    recipe, hub = bad.signed_with(what)
    return Vector(name=f"signer_{what}", code=code, answer=SECURITY, recipe=recipe, hub=hub)


def peer(what: str, code: str) -> Vector:
    return vector(
        f"peer_{what}",
        code,
        Fault(),
        peer=lambda: bad.bad_leaf(what, "tls").certificate,
        hub=bad.fresh_trust,
    )


CERTIFICATES = (
    signer("expired", "certificate.expired"),
    signer("revoked", "certificate.revoked"),
    signer("not_yet_valid", "certificate.not_yet_valid"),
    signer("unknown_issuer", "certificate.untrusted"),
    signer("other_oin", "certificate.party"),
    signer("other_use", "certificate.usage"),
    peer("expired", "certificate.expired"),
    peer("revoked", "certificate.revoked"),
    peer("not_yet_valid", "certificate.not_yet_valid"),
    peer("unknown_issuer", "certificate.untrusted"),
    peer("other_use", "certificate.usage"),
    peer("no_oin", "certificate.oin"),
    vector("peer_unreadable", "certificate.malformed", Fault(), peer=lambda: b"no certificate"),
    vector(
        "revocation_list_stale", "certificate.revocation_unknown", Fault(503), hub=bad.stale_lists
    ),
    vector(
        "revocation_list_absent",
        "certificate.revocation_unknown",
        Fault(503),
        hub=lambda: {"trust": replace(towns.pki().trust(), crls=())},
    ),
    vector(
        "party_suspended",
        "party.suspended",
        Fault(503),
        hub=lambda: {"suspended": frozenset({POLITIE})},
    ),
)


# --- who, with whom, what -------------------------------------------------------------


def known(zender: Oin = POLITIE, ontvanger: Oin = VT) -> Any:
    return lambda _octets: melding(zender=zender, ontvanger=ontvanger)


def not_in_force() -> dict[str, Any]:
    plain = towns.directory(HUB).agreements
    agreed = bad.agreement()
    return {"agreements": {**plain, agreed.cpa_id: replace(agreed, end=NOW)}}


def without_agreement(oin: Oin) -> Callable[[], dict[str, Any]]:
    def changes() -> dict[str, Any]:
        plain = towns.directory(HUB).agreements
        return {"agreements": {k: a for k, a in plain.items() if k != bad.agreement(oin).cpa_id}}

    return changes


PARTIES = (
    vector("peer_is_not_sender", "peer.oin", Fault(), peer=lambda: leaf(VT, "tls").certificate),
    vector("sender_not_in_agreement", "agreement.party", Fault(), **rename(sender=PartyRef(VT))),
    vector("receiver_not_here", "agreement.receiver", Fault(), **rename(receiver=PartyRef(VT))),
    vector(
        "sender_of_other_type",
        "agreement.party",
        Fault(),
        **rename(sender=PartyRef(POLITIE, "urn:other")),
    ),
    vector("unknown_cpa", "agreement.unknown", Fault(), **rename(cpa_id="cpa_unknown")),
    vector("cpa_of_others", "agreement.party", Fault(), **rename(cpa_id=bad.agreement(VT).cpa_id)),
    vector("cpa_ended", "agreement.not_in_force", Fault(), hub=not_in_force),
    vector(
        "unknown_action",
        "agreement.action",
        Error("ValueNotRecognized"),
        **rename(action="otherDi01"),
    ),
    vector(
        "action_of_the_other_side",
        "agreement.action",
        Error("ValueNotRecognized"),
        **rename(action="vtTerugkoppelingDi01"),
    ),
    vector(
        "unknown_service",
        "agreement.action",
        Error("ValueNotRecognized"),
        **rename(service="other"),
    ),
    vector(
        "action_is_not_the_root",
        "bericht.actie",
        Fo01("StUF034", "/vtTerugkoppelingDi01"),
        document=lambda _o: melding(name="vtTerugkoppelingDi01"),
    ),
    vector(
        "zender_is_not_the_connection",
        "regel.zender.organisatie",
        Fo01("StUF013", f"{STUUR}/zender/organisatie"),
        document=known(zender=HALT),
    ),
    vector(
        "direction_not_permitted",
        "regel.richting",
        Fo01("StUF052", f"{STUUR}/ontvanger/organisatie"),
        document=known(ontvanger=OM),
    ),
    vector(
        "ontvanger_unknown",
        "regel.ontvanger.onbekend",
        Fo01("StUF010", f"{STUUR}/ontvanger/organisatie"),
        document=known(ontvanger=Oin("00000001999999999000")),
    ),
    vector(
        "ontvanger_has_no_agreement",
        "route.agreement",
        Fo01("StUF010", f"{STUUR}/ontvanger/organisatie"),
        hub=without_agreement(VT),
    ),
    vector(
        "applicatie_unknown",
        "regel.ontvanger.applicatie",
        Fo01("StUF010", f"{STUUR}/ontvanger/applicatie"),
        document=swap("VTregistratie<", "Onbekend<"),
    ),
)


# --- payload --------------------------------------------------------------------------

OBJECT = "/vtMeldingDi01/object"
FAMILY = "<BG:geslachtsnaam>Proefpersoon</BG:geslachtsnaam>"


def synchronous(name: str) -> bytes:
    """A Bv01 under the name of an answer that StUF gives in the same connection."""
    answer = (bad.EXAMPLES / "Bv01Bericht.xml").read_bytes()
    return answer.replace(b"Bv01Bericht", name.encode())


def agreeing_to(action: str) -> Callable[[], dict[str, Any]]:
    """The hub's CPA of the politie lets it send `action` in the place of a melding."""

    def changes() -> dict[str, Any]:
        plain = dict(towns.directory(HUB).agreements)
        agreed = plain[bad.agreement().cpa_id]
        bindings = tuple(
            replace(b, action=action) if b.action == "vtMeldingDi01" else b for b in agreed.bindings
        )
        return {"agreements": plain | {agreed.cpa_id: replace(agreed, bindings=bindings)}}

    return changes


PAYLOAD = (
    vector(
        "payload_too_large",
        "payload.too_large",
        Error("Unknown"),
        hub=lambda: {"limits": Limits(payload_bytes=1_000)},
    ),
    vector("two_payloads", "payload.count", Error("OtherXml"), second=b"<second/>"),
    vector(
        "element_missing",
        "schema.verplicht",
        Fo01("StUF055", "datumIncident"),
        document=swap("<JZ:datumIncident>20261117</JZ:datumIncident>", ""),
    ),
    vector(
        "element_unknown",
        "schema.element",
        Fo01("StUF055", OBJECT),
        document=swap(FAMILY, f"{FAMILY}<BG:onbekend>Proefpersoon</BG:onbekend>"),
    ),
    vector(
        "value_of_wrong_form",
        "schema.waarde",
        Fo01("StUF055", f"{OBJECT}/datumIncident"),
        document=swap("20261117</JZ:datumIncident>", "Proefpersoon</JZ:datumIncident>"),
    ),
    vector(
        "bsn_fails_elfproef",
        "regel.bsn.elfproef",
        Fo01("JZ-003", "inp.bsn"),
        document=swap("999990019", "999990018"),
    ),
    vector(
        "date_does_not_exist",
        "regel.datum.bestaat",
        Fo01("JZ-004", f"{OBJECT}/datumIncident"),
        document=swap("20261117</JZ:datumIncident>", "20260230</JZ:datumIncident>"),
    ),
    vector(
        "stuurgegevens_missing",
        "stuf.stuurgegevens",
        Fo01("StUF055", f"{STUUR}/referentienummer"),
        document=swap("<StUF:referentienummer>ref-1</StUF:referentienummer>", ""),
    ),
    vector(
        "root_of_unknown_namespace",
        "stuf.root",
        Fo01("StUF055"),
        document=swap("koppelvlak/jz0100", "koppelvlak/other"),
    ),
    vector(
        "wrong_answer_is_not_answered",
        "xml.malformed",
        Acknowledged(),
        action="Bv01Bericht",
        document=lambda _o: b"Bv01",
    ),
    *(
        vector(
            f"{name}_is_not_answered",
            "bericht.onbekend",
            Acknowledged(),
            **rename(action=name),
            document=lambda _o, name=name: synchronous(name),
            hub=agreeing_to(name),
        )
        for name in ("Fo03Bericht", "Bv03Bericht", "Bv04Bericht")
    ),
)


# --- what came before -----------------------------------------------------------------

GOOD = Recipe()

REPLAYS = (
    vector(
        "message_id_with_other_content",
        "duplicate.message_id",
        Error("Inconsistent"),
        before=GOOD,
        document=swap("Verzonnenstad", "Verzonnendorp"),
    ),
    vector(
        "message_id_with_other_header",
        "duplicate.message_id",
        Error("Inconsistent"),
        before=GOOD,
        **rename(conversation_id="other"),
    ),
    vector(
        "message_id_with_other_content_unsigned",
        "duplicate.message_id",
        Error("Inconsistent"),
        before=Recipe(profile="osb-rm"),
        profile="osb-rm",
        document=swap("Verzonnenstad", "Verzonnendorp"),
    ),
    vector(
        "tampered_copy_of_a_known_message",
        "signature.digest",
        SECURITY,
        before=GOOD,
        payload=swap("Proefpersoon", "Proefpersoos"),
    ),
    vector(
        "referentienummer_with_other_content",
        "duplicate.referentienummer",
        Fo01("StUF016"),
        before=GOOD,
        document=swap("Verzonnenstad", "Verzonnendorp"),
        **rename(message_id="melding-2@politie.example"),
    ),
)

TABLE = (
    *MIME,
    *HEADERS,
    *ENTITIES,
    *WRAPPING,
    *SIGNATURES,
    *ENCRYPTION,
    *CERTIFICATES,
    *PARTIES,
    *PAYLOAD,
    *REPLAYS,
)
