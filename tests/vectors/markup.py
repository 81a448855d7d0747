"""DTD, entities, nesting and names: XML that should not be taken apart."""

from collections.abc import Callable
from dataclasses import replace

from gateway.message import WireMessage
from tests.flow import bad_input as bad
from tests.flow.bad_input import swap
from tests.flow.town import POLITIE
from tests.vectors.kinds import SECURITY, SECURITY_OF_CIPHER, Fault, Fo01, vector
from tests.vectors.package import body
from tests.vectors.paths import OBJECT
from tests.vectors.topics import Topic

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

FAMILY = "<BG:geslachtsnaam>Proefpersoon</BG:geslachtsnaam>"


def in_cdata(message: WireMessage) -> WireMessage:
    octets = swap("<eb:MessageHeader", "<![CDATA[<eb:MessageHeader")(message.body)
    return replace(message, body=swap("</eb:MessageHeader>", "</eb:MessageHeader>]]>")(octets))


ENTITIES = (
    vector(
        "envelope_internal_entity",
        Topic.ENTITIES,
        "xml.doctype",
        Fault(),
        wire=in_root(INTERNAL, "&naam;"),
    ),
    vector(
        "envelope_billion_laughs",
        Topic.ENTITIES,
        "xml.doctype",
        Fault(),
        wire=in_root(LAUGHS, "&i;"),
    ),
    vector(
        "envelope_external_entity",
        Topic.EXTERNAL,
        "xml.doctype",
        Fault(),
        wire=in_root(EXTERNAL, "&naam;"),
    ),
    vector(
        "envelope_external_subset", Topic.EXTERNAL, "xml.doctype", Fault(), wire=in_root(REMOTE)
    ),
    vector(
        "envelope_unknown_entity",
        Topic.ENTITIES,
        "xml.malformed",
        Fault(),
        wire=in_root("", "&naam;"),
    ),
    vector(
        "envelope_deep",
        Topic.DEPTH,
        "xml.depth",
        Fault(),
        wire=in_root("", DEEP),
        says="the envelope is nested too deep",
    ),
    vector(
        "envelope_many_attributes",
        Topic.ATTRIBUTES,
        "xml.attributes",
        Fault(),
        wire=body("<eb:Manifest", "<eb:Manifest " + " ".join(f'a{n}="1"' for n in range(40))),
    ),
    vector(
        "envelope_many_nodes",
        Topic.OVERSIZE,
        "xml.nodes",
        Fault(),
        wire=in_root("", "<n/>" * 2_500),
    ),
    vector(
        "envelope_utf16",
        Topic.CHARSET,
        "xml.encoding",
        Fault(),
        wire=body("encoding='UTF-8'", "encoding='UTF-16'"),
        says="the XML declaration of the envelope names UTF-16",
    ),
    vector(
        "payload_internal_entity",
        Topic.ENTITIES,
        "xml.doctype",
        UNREADABLE,
        document=bad.declared(INTERNAL, "&naam;"),
    ),
    vector(
        "payload_billion_laughs",
        Topic.ENTITIES,
        "xml.doctype",
        UNREADABLE,
        document=bad.declared(LAUGHS, "&i;"),
    ),
    vector(
        "payload_external_entity",
        Topic.EXTERNAL,
        "xml.doctype",
        UNREADABLE,
        document=bad.declared(EXTERNAL, "&naam;"),
    ),
    vector(
        "payload_external_subset",
        Topic.EXTERNAL,
        "xml.doctype",
        UNREADABLE,
        document=bad.declared(REMOTE),
    ),
    vector(
        "payload_deep",
        Topic.DEPTH,
        "xml.depth",
        UNREADABLE,
        document=swap("Proefpersoon", DEEP),
        says="the payload is nested too deep",
    ),
    vector(
        "payload_not_xml",
        Topic.XML_FORM,
        "xml.malformed",
        UNREADABLE,
        document=lambda _o: b"Proefpersoon, 999990019",
    ),
    vector("payload_empty", Topic.XML_FORM, "xml.malformed", UNREADABLE, document=lambda _o: b""),
    vector(
        "payload_latin1",
        Topic.CHARSET,
        "xml.encoding",
        UNREADABLE,
        document=swap("UTF-8", "ISO-8859-1"),
        says="the XML declaration of the payload names ISO-8859-1",
    ),
    vector(
        "envelope_empty_dtd",
        Topic.DTD,
        "xml.doctype",
        Fault(),
        wire=in_root("<!DOCTYPE soap:Envelope>", bad.MESSAGE_ID),
    ),
    vector(
        "payload_empty_dtd",
        Topic.DTD,
        "xml.doctype",
        UNREADABLE,
        document=bad.declared("<!DOCTYPE x>"),
    ),
    vector(
        "envelope_many_namespaces",
        Topic.ATTRIBUTES,
        "xml.attributes",
        Fault(),
        wire=body(
            "<eb:Manifest", "<eb:Manifest " + " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(40))
        ),
    ),
    vector(
        "envelope_huge_attribute",
        Topic.ATTRIBUTES,
        "header.size",
        Fault(),
        wire=body("<eb:Manifest", f'<eb:Manifest a="{"x" * 64_000}"'),
        says="an attribute of 64,000 octets in the envelope",
    ),
    vector(
        "payload_many_attributes",
        Topic.ATTRIBUTES,
        "xml.attributes",
        UNREADABLE,
        document=swap(
            "<JZ:datumIncident>",
            "<JZ:datumIncident " + " ".join(f'a{n}="1"' for n in range(80)) + ">",
        ),
    ),
    vector(
        "payload_includes_a_file",
        Topic.EXTERNAL,
        "schema.element",
        Fo01("StUF055", OBJECT),
        document=swap(
            FAMILY,
            f'{FAMILY}<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" '
            'href="file:///etc/passwd" parse="text"/>',
        ),
    ),
    vector(
        "instruction_in_the_envelope",
        Topic.ODD_PLACES,
        "signature.form",
        SECURITY,
        wire=body("<soap:Body>", "<?x y?><soap:Body>"),
    ),
    vector(
        "comment_in_the_signature",
        Topic.ODD_PLACES,
        "signature.form",
        SECURITY,
        wire=body("<ds:SignatureValue>", "<ds:SignatureValue><!-- -->"),
    ),
    vector(
        "comment_in_the_digest",
        Topic.ODD_PLACES,
        "signature.form",
        SECURITY,
        wire=body("</ds:DigestValue>", "<!-- --></ds:DigestValue>"),
    ),
    vector(
        "comment_in_the_cipher_text",
        Topic.ODD_PLACES,
        "decryption.form",
        SECURITY_OF_CIPHER,
        wire=body(
            "</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>",
            "<!-- -->AAAA</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>",
        ),
    ),
    vector(
        "cdata_around_the_header",
        Topic.ODD_PLACES,
        "header.missing",
        Fault(),
        wire=in_cdata,
        says="the MessageHeader is the text of a CDATA section",
    ),
    vector(
        "prefix_of_other_namespace",
        Topic.NAMESPACES,
        "header.missing",
        Fault(),
        wire=body("<eb:CPAId>", '<eb:CPAId xmlns:eb="urn:other">'),
        says="the prefix eb is declared anew for another namespace",
    ),
    vector(
        "prefix_not_declared",
        Topic.NAMESPACES,
        "xml.malformed",
        Fault(),
        wire=body("<soap:Body>", "<soap:Body><no:x/>"),
    ),
    vector(
        "prefix_xml_of_other_namespace",
        Topic.NAMESPACES,
        "xml.malformed",
        Fault(),
        wire=body("<soap:Body>", '<soap:Body xmlns:xml="urn:x">'),
        says="the prefix xml is declared for another namespace",
    ),
    vector(
        "namespace_is_no_absolute_uri",
        Topic.NAMESPACES,
        "signature.form",
        SECURITY,
        says="a namespace that canonical XML can not write",
        wire=body("<soap:Body>", '<soap:Body xmlns:x="relative">'),
    ),
    vector(
        "envelope_of_xml_1_1",
        Topic.XML_FORM,
        "xml.malformed",
        Fault(),
        wire=body("version='1.0'", "version='1.1'"),
    ),
    vector(
        "payload_of_xml_1_1",
        Topic.XML_FORM,
        "xml.malformed",
        UNREADABLE,
        document=swap("version='1.0'", "version='1.1'"),
    ),
    vector(
        "comment_in_the_sender",
        Topic.ODD_PLACES,
        "stuf.stuurgegevens",
        Fo01("StUF055", "/organisatie"),
        document=swap(f">{POLITIE}<", f">{POLITIE[:8]}<!-- -->{POLITIE[8:]}<"),
    ),
    vector(
        "instruction_in_the_reference",
        Topic.ODD_PLACES,
        "stuf.stuurgegevens",
        Fo01("StUF055", "/referentienummer"),
        document=swap(">ref-1<", ">ref<?x y?>-1<"),
    ),
)
