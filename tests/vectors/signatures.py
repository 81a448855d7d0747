"""Signatures that are wrapped, stripped, weak, or over something else."""

from lxml import etree

from tests.flow import bad_input as bad
from tests.flow.bad_input import add, cut, swap, text
from tests.flow.town import VT, leaf
from tests.vectors import resigned
from tests.vectors.kinds import SECURITY, SECURITY_OF_PART, Fault, vector
from tests.vectors.package import exchanged
from tests.vectors.paths import BODY, DATA, HEADER, MANIFEST, MESSAGE
from tests.vectors.topics import Topic

WRAPPING = (
    vector(
        "original_in_wrapper",
        Topic.WRAPPING,
        "signature.digest",
        SECURITY,
        signed=bad.original_in_wrapper,
    ),
    vector(
        "original_in_wrapper_for_next",
        Topic.WRAPPING,
        "signature.uncovered",
        SECURITY,
        signed=bad.original_in_wrapper_for_next,
    ),
    vector(
        "copy_signed_by_id",
        Topic.WRAPPING,
        "signature.uncovered",
        SECURITY,
        signed=bad.signed_by_id,
    ),
    vector(
        "second_signature",
        Topic.SECOND_SIGNATURE,
        "signature.multiple",
        SECURITY,
        signed=bad.second_signature,
    ),
    vector(
        "signature_in_body",
        Topic.WRAPPING,
        "header.body",
        Fault(),
        signed=bad.signature_moved("//soap:Body"),
    ),
    vector(
        "signature_in_manifest",
        Topic.WRAPPING,
        "signature.misplaced",
        SECURITY,
        signed=bad.signature_moved(MANIFEST),
    ),
    vector(
        "signature_in_wrapper",
        Topic.WRAPPING,
        "signature.misplaced",
        SECURITY,
        signed=bad.signature_in_wrapper,
    ),
    vector(
        "payloads_exchanged",
        Topic.WRAPPING,
        "signature.digest",
        SECURITY_OF_PART,
        more="it takes two payloads to exchange them",
        second=b"<second/>",
        parts=exchanged,
    ),
    vector(
        "header_twice",
        Topic.WRAPPING,
        "header.duplicate",
        Fault(),
        signed=lambda t: bad.one(t, MESSAGE).addnext(
            etree.fromstring(etree.tostring(bad.one(t, MESSAGE)))
        ),
    ),
    vector(
        "header_for_next",
        Topic.NEXT_ACTOR,
        "header.actor",
        Fault(),
        signed=lambda t: bad.one(t, MESSAGE).set(f"{{{bad.NS['soap']}}}actor", bad.NEXT),
    ),
    vector(
        "filter_leaves_out_more",
        Topic.TRANSFORM,
        "signature.transform",
        SECURITY,
        signed=bad.transform_added,
    ),
    vector(
        "old_envelope_in_header",
        Topic.WRAPPING,
        "signature.misplaced",
        SECURITY,
        signed=resigned.old_envelope_in_header,
    ),
    vector(
        "old_envelope_in_body",
        Topic.WRAPPING,
        "header.body",
        Fault(),
        signed=resigned.old_envelope_in_body,
    ),
    vector(
        "old_envelope_in_object",
        Topic.WRAPPING,
        "signature.form",
        SECURITY,
        signed=resigned.old_envelope_in_object,
    ),
    vector(
        "manifest_in_wrapper",
        Topic.WRAPPING,
        "signature.digest",
        SECURITY,
        signed=resigned.manifest_in_wrapper,
    ),
    vector(
        "manifest_twice", Topic.WRAPPING, "header.body", Fault(), signed=resigned.twice(MANIFEST)
    ),
    vector("body_twice", Topic.WRAPPING, "soap.envelope", Fault(), signed=resigned.twice(BODY)),
    vector(
        "soap_header_twice", Topic.WRAPPING, "soap.envelope", Fault(), signed=resigned.twice(HEADER)
    ),
    vector(
        "soap_header_behind_the_body",
        Topic.WRAPPING,
        "soap.envelope",
        Fault(),
        signed=resigned.old_header_before_the_envelope_ends,
    ),
    vector(
        "reference_by_xpointer",
        Topic.WRAPPING,
        "signature.transform",
        SECURITY,
        signed=resigned.refer(resigned.WHOLE, "#xpointer(/)"),
    ),
    vector(
        "second_signature_of_a_stranger",
        Topic.SECOND_SIGNATURE,
        "signature.multiple",
        SECURITY,
        signed=resigned.strange_signature_before,
    ),
    vector(
        "signature_in_a_signature",
        Topic.SECOND_SIGNATURE,
        "signature.multiple",
        SECURITY,
        signed=add("//ds:Signature", "<ds:Object><ds:Signature/></ds:Object>"),
    ),
    vector(
        "block_for_next_added",
        Topic.NEXT_ACTOR,
        "signature.uncovered",
        SECURITY,
        signed=add(HEADER, f'<x:y xmlns:x="urn:x" soap:actor="{bad.NEXT}"/>'),
    ),
    vector(
        "manifest_reference_for_next",
        Topic.NEXT_ACTOR,
        "signature.uncovered",
        SECURITY,
        signed=lambda t: bad.one(t, f"{MANIFEST}/eb:Reference").set(
            f"{{{bad.NS['soap']}}}actor", bad.NEXT
        ),
    ),
    vector(
        "envelope_for_next",
        Topic.NEXT_ACTOR,
        "signature.uncovered",
        SECURITY,
        signed=lambda t: t.set(f"{{{bad.NS['soap']}}}actor", bad.NEXT),
    ),
)

SIGNATURES = (
    vector(
        "signature_stripped",
        Topic.DOWNGRADE,
        "signature.missing",
        SECURITY,
        profile="osb-rm-s",
        signed=cut("//ds:Signature"),
    ),
    vector(
        "encrypted_not_signed",
        Topic.DOWNGRADE,
        "signature.missing",
        SECURITY,
        signed=cut("//ds:Signature"),
    ),
    vector(
        "part_not_signed",
        Topic.REFERENCE_MISSING,
        "signature.uncovered",
        SECURITY,
        signed=bad.part_not_signed,
    ),
    vector(
        "header_changed_after_signing",
        Topic.CHANGED_HEADER,
        "signature.digest",
        SECURITY,
        signed=text(f"{MESSAGE}/eb:ConversationId", "other"),
    ),
    vector(
        "message_id_changed_after_signing",
        Topic.CHANGED_HEADER,
        "signature.digest",
        SECURITY,
        signed=text(f"{DATA}/eb:MessageId", "other@politie.example"),
    ),
    vector(
        "block_added_after_signing",
        Topic.CHANGED_HEADER,
        "signature.digest",
        SECURITY,
        signed=add(HEADER, '<x:y xmlns:x="urn:x"/>'),
    ),
    vector(
        "payload_changed_before_encrypting",
        Topic.CHANGED_PAYLOAD,
        "signature.digest",
        SECURITY_OF_PART,
        payload=swap("Proefpersoon", "Proefpersoos"),
    ),
    vector(
        "digest_value_changed",
        Topic.SIGNATURE_FORM,
        "signature.value",
        SECURITY,
        signed=text("//ds:Reference[@URI!='']/ds:DigestValue", "AAAA"),
    ),
    vector(
        "signature_value_changed",
        Topic.SIGNATURE_FORM,
        "signature.value",
        SECURITY,
        signed=text("//ds:SignatureValue", "AAAA"),
    ),
    vector(
        "signature_value_not_base64",
        Topic.SIGNATURE_FORM,
        "signature.form",
        SECURITY,
        signed=text("//ds:SignatureValue", "%%%"),
    ),
    vector(
        "no_key_info", Topic.KEY_INFO, "signature.certificate", SECURITY, signed=cut("//ds:KeyInfo")
    ),
    vector(
        "signed_with_unknown_key",
        Topic.KEY_INFO,
        "signature.certificate",
        SECURITY,
        signer=bad.stranger,
    ),
    vector(
        "signed_with_key_of_other_party",
        Topic.KEY_INFO,
        "signature.certificate",
        SECURITY,
        signer=lambda: leaf(VT, "sign"),
    ),
    vector(
        "agreed_certificate_other_key",
        Topic.KEY_INFO,
        "signature.value",
        SECURITY,
        signed=bad.agreed_name_other_key,
    ),
    vector("sha1_digest", Topic.DOWNGRADE, "signature.algorithm", SECURITY, signed=bad.sha1_digest),
    vector(
        "sha1_signature",
        Topic.DOWNGRADE,
        "signature.algorithm",
        SECURITY,
        signed=bad.sha1_signature,
    ),
    vector(
        "signed_where_not_agreed",
        Topic.AGREED,
        "signature.unexpected",
        SECURITY,
        profile="osb-rm",
        signed=add(HEADER, "<ds:Signature/>"),
    ),
    vector(
        "white_space_added_after_signing",
        Topic.CHANGED_HEADER,
        "signature.digest",
        SECURITY,
        signed=lambda t: setattr(bad.one(t, MESSAGE), "tail", " "),
    ),
    vector(
        "reference_to_an_earlier_message_added",
        Topic.CHANGED_HEADER,
        "signature.digest",
        SECURITY,
        signed=add(DATA, "<eb:RefToMessageId>other@x</eb:RefToMessageId>"),
    ),
    vector(
        "payload_changed_under_signature",
        Topic.CHANGED_PAYLOAD,
        "signature.digest",
        SECURITY_OF_PART,
        profile="osb-rm-s",
        payload=swap("Proefpersoon", "Proefpersoos"),
    ),
    vector(
        "payload_line_ends_changed",
        Topic.CHANGED_PAYLOAD,
        "signature.digest",
        SECURITY_OF_PART,
        payload=swap("\n", "\r\n"),
    ),
    vector(
        "envelope_not_signed",
        Topic.REFERENCE_MISSING,
        "signature.uncovered",
        SECURITY,
        signed=resigned.signed_by_the_partner(cut(resigned.WHOLE)),
    ),
    vector(
        "reference_without_uri",
        Topic.REFERENCE_MISSING,
        "signature.reference",
        SECURITY,
        signed=resigned.refer(resigned.PART, None),
    ),
    vector(
        "reference_to_other_part",
        Topic.REFERENCE_FOREIGN,
        "signature.reference",
        SECURITY,
        signed=resigned.refer(resigned.PART, "cid:other@x"),
    ),
    vector(
        "reference_to_the_web",
        Topic.REFERENCE_FOREIGN,
        "signature.reference",
        SECURITY,
        signed=resigned.one_more("http://192.0.2.1/x"),
    ),
    vector(
        "reference_to_a_file",
        Topic.REFERENCE_FOREIGN,
        "signature.reference",
        SECURITY,
        signed=resigned.one_more("file:///etc/passwd"),
    ),
    vector(
        "part_referenced_twice",
        Topic.REFERENCE_EXTRA,
        "signature.reference",
        SECURITY,
        signed=resigned.signed_by_the_partner(resigned.twice(resigned.PART)),
    ),
    vector(
        "envelope_referenced_twice",
        Topic.REFERENCE_EXTRA,
        "signature.reference",
        SECURITY,
        signed=resigned.signed_by_the_partner(resigned.twice(resigned.WHOLE)),
    ),
    vector(
        "element_referenced_by_id",
        Topic.REFERENCE_EXTRA,
        "signature.reference",
        SECURITY,
        signed=resigned.marked("Id"),
    ),
    vector(
        "ids_are_the_same",
        Topic.IDS,
        "signature.reference",
        SECURITY,
        signed=resigned.marked("Id", "Id"),
    ),
    vector(
        "ids_of_two_spellings",
        Topic.IDS,
        "signature.reference",
        SECURITY,
        signed=resigned.marked("Id", "ID", "id"),
    ),
    vector(
        "ids_of_xml_are_the_same",
        Topic.IDS,
        "signature.reference",
        SECURITY,
        signed=resigned.marked(
            "{http://www.w3.org/XML/1998/namespace}id", "{http://www.w3.org/XML/1998/namespace}id"
        ),
    ),
    vector(
        "transform_by_stylesheet",
        Topic.TRANSFORM,
        "signature.transform",
        SECURITY,
        signed=resigned.algorithm(
            resigned.transform(2), "http://www.w3.org/TR/1999/REC-xslt-19991116"
        ),
    ),
    vector(
        "filter_of_xpath_2",
        Topic.TRANSFORM,
        "signature.transform",
        SECURITY,
        signed=resigned.algorithm(
            resigned.transform(2), "http://www.w3.org/2002/06/xmldsig-filter2"
        ),
    ),
    vector(
        "filter_twice",
        Topic.TRANSFORM,
        "signature.transform",
        SECURITY,
        signed=resigned.signed_by_the_partner(resigned.filter_twice),
    ),
    vector(
        "not_enveloped",
        Topic.TRANSFORM,
        "signature.transform",
        SECURITY,
        signed=resigned.signed_by_the_partner(cut(resigned.transform(1))),
    ),
    vector(
        "not_canonical",
        Topic.TRANSFORM,
        "signature.transform",
        SECURITY,
        signed=resigned.signed_by_the_partner(cut(resigned.transform(3))),
    ),
    vector(
        "part_transformed",
        Topic.TRANSFORM,
        "signature.transform",
        SECURITY,
        signed=resigned.signed_by_the_partner(resigned.part_transformed),
    ),
    vector(
        "default_prefix_listed",
        Topic.TRANSFORM,
        "signature.transform",
        SECURITY,
        signed=resigned.prefix_list("#default"),
    ),
    vector(
        "canonical_with_comments",
        Topic.TRANSFORM,
        "signature.algorithm",
        SECURITY,
        signed=resigned.algorithm(
            resigned.transform(3), "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
        ),
    ),
    vector(
        "signed_info_with_comments",
        Topic.TRANSFORM,
        "signature.algorithm",
        SECURITY,
        signed=resigned.algorithm(
            f"{resigned.INFO}/ds:CanonicalizationMethod",
            "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        ),
    ),
    vector(
        "key_name_alone",
        Topic.KEY_INFO,
        "signature.certificate",
        SECURITY,
        signed=resigned.key_info("<ds:KeyName>TEST politie</ds:KeyName>"),
    ),
    vector(
        "key_to_be_fetched",
        Topic.KEY_INFO,
        "signature.certificate",
        SECURITY,
        signed=resigned.key_info('<ds:RetrievalMethod URI="http://192.0.2.1/key"/>'),
    ),
    vector(
        "key_value_of_a_stranger",
        Topic.KEY_INFO,
        "signature.certificate",
        SECURITY,
        signed=resigned.key_value_of_the_stranger,
    ),
    vector(
        "stranger_names_both_certificates",
        Topic.KEY_INFO,
        "signature.value",
        SECURITY,
        signed=resigned.both_certificates,
    ),
    vector(
        "certificate_is_empty",
        Topic.KEY_INFO,
        "signature.certificate",
        SECURITY,
        signed=text("//ds:X509Certificate", ""),
    ),
    vector(
        "hmac_with_the_public_key",
        Topic.DOWNGRADE,
        "signature.algorithm",
        SECURITY,
        signed=resigned.hmac_with_the_certificate,
    ),
    vector(
        "md5_digest",
        Topic.DOWNGRADE,
        "signature.algorithm",
        SECURITY,
        signed=resigned.algorithm(
            f"{resigned.PART}/ds:DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#md5"
        ),
    ),
    vector(
        "filter_of_another_actor",
        Topic.TRANSFORM,
        "signature.transform",
        SECURITY,
        says="a space in the name of the actor that is left out",
        signed=resigned.signed_by_the_partner(resigned.filter_with_space),
    ),
)
