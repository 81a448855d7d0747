import copy
from base64 import b64decode, b64encode
from datetime import timedelta

import pytest
import signxml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from signxml import SignatureConfiguration, SignatureConstructionMethod, XMLSigner, XMLVerifier

from gateway.directory import Signing
from gateway.errors import Misconfigured, PolicyViolation, SignatureInvalid
from gateway.keys.keystore import SoftwareSigner
from gateway.security.algorithms import (
    C14N_EXCLUSIVE,
    C14N_INCLUSIVE,
    DIGIKOPPELING,
    ECDSA_SHA256,
    ECDSA_SHA384,
    ENVELOPED,
    RSA_SHA256,
    RSA_SHA384,
    RSA_SHA512,
    SHA256,
    SHA384,
    SHA512,
    XPATH,
    AlgorithmPolicy,
)
from gateway.security.c14n import XPATH_NOT_NEXT, canonicalize
from gateway.security.dsig import DS, Verified, verify_envelope
from gateway.security.dsig_make import Signed, serialize, sign_envelope
from gateway.wire import xml
from gateway.wire.ebms2.header import user_message
from tests.pki import AT, leaf
from tests.sealing import ALICE, BOB, agreement, header, keys, signing

NS = {"soap": "http://schemas.xmlsoap.org/soap/envelope/", "ds": DS}
PARTS = {"one@alice": b"<a>1</a>", "two@alice": b"\x00\xff\r\n"}
SIGNING = signing()
NEXT = "http://schemas.xmlsoap.org/soap/actor/next"


def unsigned(**changes) -> etree._Element:
    return user_message(header(agreement("osb-rm-s"), **changes), tuple(PARTS))


def signed(envelope: etree._Element | None = None, **options) -> Signed:
    how = options.pop("signing", SIGNING)
    signer = options.pop("signer", keys().signer(SIGNING.certificate))
    tree = unsigned() if envelope is None else envelope
    return sign_envelope(tree, PARTS, signing=how, signer=signer, **options)


def tree_of(octets: bytes) -> etree._Element:
    return xml.parse(octets)


def verify(
    tree: etree._Element,
    parts: dict[str, bytes] = PARTS,
    *,
    certificates: tuple[bytes, ...] = (SIGNING.certificate,),
    policy: AlgorithmPolicy = DIGIKOPPELING,
) -> Verified:
    return verify_envelope(tree, parts, policy=policy, certificates=certificates)


def refusal(tree: etree._Element, parts: dict[str, bytes] = PARTS, **options) -> str:
    with pytest.raises(SignatureInvalid) as refused:
        verify(tree, parts, **options)
    return refused.value.code


def find(tree: etree._Element, path: str) -> etree._Element:
    found = tree.find(f".//{path}", NS)
    assert found is not None, path
    return found


def resign(tree: etree._Element) -> etree._Element:
    """Make the signature value right again: the attacker is a partner with a key."""
    info = find(tree, "ds:SignedInfo")
    method = find(info, "ds:CanonicalizationMethod").get("Algorithm")
    key = keys().signer(SIGNING.certificate)
    value = key.sign(canonicalize(info, method), algorithm=SIGNING.signature_algorithm)
    find(tree, "ds:SignatureValue").text = b64encode(value).decode()
    return tree


@pytest.mark.parametrize("canonicalization", [C14N_EXCLUSIVE, C14N_INCLUSIVE])
@pytest.mark.parametrize("digest", [SHA256, SHA384, SHA512])
@pytest.mark.parametrize("algorithm", [RSA_SHA256, RSA_SHA384, RSA_SHA512])
def test_what_we_sign_verifies(algorithm, digest, canonicalization):
    how = signing(signature_algorithm=algorithm, digest_algorithm=digest)
    made = signed(signing=how, canonicalization=canonicalization)

    verified = verify(tree_of(made.envelope))

    assert verified.references == made.references
    assert [r.uri for r in verified.references] == ["", "cid:one@alice", "cid:two@alice"]
    assert verified.covered == set(PARTS)
    assert verified.certificate == SIGNING.certificate


@pytest.mark.parametrize(
    ("curve", "algorithm"),
    [
        (ec.SECP256R1(), ECDSA_SHA256),
        (ec.SECP384R1(), ECDSA_SHA384),
        (ec.SECP521R1(), ECDSA_SHA384),
    ],
)
def test_elliptic_curves_sign_and_verify(curve, algorithm):
    key = ec.generate_private_key(curve)
    certificate = self_signed(key)
    how = Signing(signature_algorithm=algorithm, digest_algorithm=SHA256, certificate=certificate)

    made = signed(signing=how, signer=SoftwareSigner(certificate, key))

    assert verify(tree_of(made.envelope), certificates=(certificate,)).references
    value = b64decode(find(tree_of(made.envelope), "ds:SignatureValue").text)
    assert len(value) == 2 * ((curve.key_size + 7) // 8)


def self_signed(key) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(AT)
        .not_valid_after(AT + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def test_signing_leaves_the_given_envelope_alone():
    tree = unsigned()
    before = etree.tostring(tree)

    signed(tree)

    assert etree.tostring(tree) == before


def test_verifying_leaves_the_tree_alone():
    octets = signed().envelope
    tree = tree_of(octets)

    verify(tree)

    assert serialize(tree) == octets


def test_covered_octets_hold_the_header_and_no_signature():
    covered = verify(tree_of(signed().envelope)).envelope

    assert b"message-1@alice.example" in covered
    assert b"Signature" not in covered


# --- what is in the way of a signature that is right ----------------------------------


def dropped(tree):
    tree = copy.deepcopy(tree)
    signature = find(tree, "ds:Signature")
    signature.getparent().remove(signature)
    return tree


def test_unsigned_envelope_is_refused():
    assert refusal(unsigned()) == "signature.missing"


def second_signature(tree):
    signature = find(tree, "ds:Signature")
    signature.addnext(copy.deepcopy(signature))


def signature_in_body(tree):
    find(tree, "soap:Body").append(find(tree, "ds:Signature"))


def signature_one_level_down(tree):
    wrapper = etree.SubElement(find(tree, "soap:Header"), "{urn:x}wrapper")
    wrapper.append(find(tree, "ds:Signature"))


def instruction_in_body(tree):
    find(tree, "soap:Body").append(etree.ProcessingInstruction("x", "y"))


def instruction_before_root(tree):
    tree.addprevious(etree.ProcessingInstruction("x", "y"))


def comment_in_digest(tree):
    find(tree, "ds:DigestValue").append(etree.Comment("x"))


def object_in_signature(tree):
    etree.SubElement(find(tree, "ds:Signature"), f"{{{DS}}}Object")


def no_key_info(tree):
    info = find(tree, "ds:KeyInfo")
    info.getparent().remove(info)


def other_key_info(tree):
    other = b64encode(leaf(BOB, "sign").certificate).decode()
    find(tree, "ds:X509Certificate").text = other


def header_twice(tree):
    tree.insert(0, etree.Element(f"{{{NS['soap']}}}Header"))


def changed_header(tree):
    find(tree, "{*}MessageId").text = "other@alice.example"


def changed_value(tree):
    value = find(tree, "ds:SignatureValue")
    octets = bytearray(b64decode(value.text))
    octets[-1] ^= 1
    value.text = b64encode(bytes(octets)).decode()


def value_not_base64(tree):
    find(tree, "ds:SignatureValue").text = "%%%"


def text_in_body(tree):
    find(tree, "soap:Body").text = "x"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (second_signature, "signature.multiple"),
        (signature_in_body, "signature.misplaced"),
        (signature_one_level_down, "signature.misplaced"),
        (header_twice, "signature.misplaced"),
        (instruction_in_body, "signature.form"),
        (instruction_before_root, "signature.form"),
        (comment_in_digest, "signature.form"),
        (object_in_signature, "signature.form"),
        (no_key_info, "signature.certificate"),
        (other_key_info, "signature.certificate"),
        (changed_header, "signature.digest"),
        (text_in_body, "signature.digest"),
        (changed_value, "signature.value"),
        (value_not_base64, "signature.form"),
    ],
)
def test_what_a_stranger_changes_is_refused(change, code):
    tree = tree_of(signed().envelope)
    change(tree)

    assert refusal(tree) == code


def test_wrapped_envelope_is_refused():
    """The signed envelope moves into the header of a forged one."""
    forged = unsigned(message_id="forged@alice.example")
    etree.SubElement(find(forged, "soap:Header"), "{urn:x}old").append(tree_of(signed().envelope))

    assert refusal(forged) == "signature.misplaced"


def test_signature_of_another_envelope_is_refused():
    forged = unsigned(message_id="forged@alice.example")
    find(forged, "soap:Header").append(find(tree_of(signed().envelope), "ds:Signature"))

    assert refusal(forged) == "signature.digest"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({**PARTS, "one@alice": b"<a>2</a>"}, "signature.digest"),
        ({**PARTS, "three@alice": b""}, "signature.uncovered"),
        ({"one@alice": PARTS["one@alice"]}, "signature.reference"),
        ({"one@alice": PARTS["two@alice"], "two@alice": PARTS["one@alice"]}, "signature.digest"),
    ],
)
def test_signed_parts_are_exactly_the_parts(parts, code):
    assert refusal(tree_of(signed().envelope), parts) == code


def test_certificate_of_no_agreement_is_refused():
    assert refusal(tree_of(signed().envelope), certificates=()) == "signature.certificate"
    other = (leaf(BOB, "sign").certificate,)
    assert refusal(tree_of(signed().envelope), certificates=other) == "signature.certificate"


@pytest.mark.parametrize("field", ["signatures", "digests", "canonicalizations"])
def test_empty_policy_allows_nothing(field):
    values = {name: getattr(DIGIKOPPELING, name) for name in DIGIKOPPELING.__slots__}
    policy = AlgorithmPolicy(**{**values, field: frozenset()})

    assert refusal(tree_of(signed().envelope), policy=policy) == "signature.algorithm"


def test_short_key_is_refused():
    values = {name: getattr(DIGIKOPPELING, name) for name in DIGIKOPPELING.__slots__}
    policy = AlgorithmPolicy(**{**values, "minimum_rsa_bits": 3072})

    assert refusal(tree_of(signed().envelope), policy=policy) == "signature.algorithm"


# --- a partner signs what our profile does not know -----------------------------------


def algorithm(path, uri):
    def change(tree):
        find(tree, path).set("Algorithm", uri)

    return change


def whole_reference_twice(tree):
    reference = find(tree, "ds:Reference")
    reference.addnext(copy.deepcopy(reference))


def no_whole_reference(tree):
    reference = find(tree, "ds:Reference")
    reference.getparent().remove(reference)


def part_reference_twice(tree):
    reference = find(tree, "ds:Reference[@URI='cid:one@alice']")
    reference.addnext(copy.deepcopy(reference))


def reference_by_id(tree):
    find(tree, "soap:Body").set("Id", "body")
    extra = copy.deepcopy(find(tree, "ds:Reference[@URI='cid:one@alice']"))
    extra.set("URI", "#body")
    find(tree, "ds:SignedInfo").append(extra)


def reference_without_uri(tree):
    del find(tree, "ds:Reference[@URI='cid:one@alice']").attrib["URI"]


def transform_on_part(tree):
    reference = find(tree, "ds:Reference[@URI='cid:one@alice']")
    reference.insert(0, copy.deepcopy(find(tree, "ds:Transforms")))


def no_transforms(tree):
    transforms = find(tree, "ds:Transforms")
    transforms.getparent().remove(transforms)


def without_transform(n):
    def change(tree):
        transforms = find(tree, "ds:Transforms")
        transforms.remove(transforms[n])

    return change


def other_xpath(tree):
    find(tree, "ds:XPath").text = "not(ancestor-or-self::soap:Body)"


def prefix_of_xpath_elsewhere(tree):
    old = find(tree, "ds:XPath")
    new = etree.Element(old.tag, nsmap={"soap": "urn:other"})
    new.text = old.text
    old.getparent().replace(old, new)


def prefix_list(*names):
    def change(tree):
        transform = find(tree, "ds:Transforms")[-1]
        child = etree.SubElement(transform, f"{{{C14N_EXCLUSIVE}}}InclusiveNamespaces")
        child.set("PrefixList", " ".join(names))

    return change


def unknown_parameter(tree):
    etree.SubElement(find(tree, "ds:CanonicalizationMethod"), "{urn:x}parameter")


def manifest_in_signed_info(tree):
    etree.SubElement(find(tree, "ds:SignedInfo"), f"{{{DS}}}Manifest")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (algorithm("ds:DigestMethod", f"{DS}sha1"), "signature.algorithm"),
        (algorithm("ds:SignatureMethod", f"{DS}rsa-sha1"), "signature.algorithm"),
        (algorithm("ds:SignatureMethod", f"{DS}hmac-sha1"), "signature.algorithm"),
        (algorithm("ds:SignatureMethod", ECDSA_SHA256), "signature.algorithm"),
        (
            algorithm("ds:Transform[3]", f"{C14N_EXCLUSIVE}WithComments"),
            "signature.algorithm",
        ),
        (algorithm("ds:Transform[1]", XPATH), "signature.transform"),
        (algorithm("ds:Transform[2]", f"{DS}base64"), "signature.transform"),
        (whole_reference_twice, "signature.reference"),
        (no_whole_reference, "signature.uncovered"),
        (part_reference_twice, "signature.reference"),
        (reference_by_id, "signature.reference"),
        (reference_without_uri, "signature.reference"),
        (transform_on_part, "signature.transform"),
        (no_transforms, "signature.transform"),
        (without_transform(0), "signature.transform"),
        (without_transform(2), "signature.transform"),
        (other_xpath, "signature.transform"),
        (prefix_of_xpath_elsewhere, "signature.transform"),
        (prefix_list("#default"), "signature.transform"),
        (unknown_parameter, "signature.transform"),
        (manifest_in_signed_info, "signature.form"),
    ],
)
def test_what_a_partner_signs_outside_the_profile_is_refused(change, code):
    tree = tree_of(signed().envelope)
    change(tree)
    if find(tree, "ds:SignatureMethod").get("Algorithm") == RSA_SHA256:
        resign(tree)

    assert refusal(tree) == code


@pytest.mark.parametrize(
    "change", [without_transform(1), prefix_list("soap", "eb"), prefix_list("nowhere")]
)
def test_variants_of_the_profile_are_accepted(change):
    tree = tree_of(signed().envelope)
    change(tree)
    covered = dropped(tree)
    prefixes = (find(tree, "ds:Transforms")[-1].xpath("*/@PrefixList") or [""])[0].split()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(canonicalize(covered, C14N_EXCLUSIVE, tuple(prefixes)))
    find(tree, "ds:DigestValue").text = b64encode(digest.finalize()).decode()

    assert verify(resign(tree)).covered == set(PARTS)


@pytest.mark.parametrize(
    "expression",
    [
        XPATH_NOT_NEXT,
        XPATH_NOT_NEXT.replace('"', "'"),
        XPATH_NOT_NEXT.replace(" | ", "\n|\n   "),
    ],
)
def test_spellings_of_the_filter_are_known(expression):
    tree = tree_of(signed().envelope)
    find(tree, "ds:XPath").text = f"\n  {expression}\n"

    assert verify(resign(tree)).references


def test_wrapped_base64_with_carriage_returns_is_read():
    octets = signed().envelope
    certificate = b64encode(SIGNING.certificate)
    lines = b"&#13;\n".join(certificate[i : i + 76] for i in range(0, len(certificate), 76))

    assert verify(tree_of(octets.replace(certificate, lines))).references


# --- what the filter leaves out -------------------------------------------------------


def test_sync_reply_may_come_and_go():
    """The filter of ebMS leaves it out, so it is not proven by the signature."""
    with_reply = tree_of(signed(unsigned(sync_reply=True)).envelope)
    without = copy.deepcopy(with_reply)
    reply = find(without, "{*}SyncReply")
    reply.getparent().remove(reply)

    assert verify(with_reply).references == verify(without).references


def second_sync_reply(tree):
    reply = find(tree, "{*}SyncReply")
    reply.addnext(copy.deepcopy(reply))


def full_sync_reply(tree):
    etree.SubElement(find(tree, "{*}SyncReply"), "{urn:x}extra")


def manifest_for_next(tree):
    find(tree, "{*}Manifest").set(f"{{{NS['soap']}}}actor", NEXT)


def header_for_next_msh(tree):
    extra = etree.SubElement(find(tree, "soap:Header"), "{urn:x}extra")
    extra.set(f"{{{NS['soap']}}}actor", "urn:oasis:names:tc:ebxml-msg:actor:nextMSH")


def sync_reply_in_body(tree):
    find(tree, "soap:Body").append(find(tree, "{*}SyncReply"))


def envelope_for_next(tree):
    tree.set(f"{{{NS['soap']}}}actor", NEXT)


@pytest.mark.parametrize(
    "change",
    [
        second_sync_reply,
        full_sync_reply,
        manifest_for_next,
        header_for_next_msh,
        sync_reply_in_body,
        envelope_for_next,
    ],
)
def test_nothing_else_is_left_out(change):
    tree = tree_of(signed(unsigned(sync_reply=True)).envelope)
    change(tree)

    assert refusal(tree) == "signature.uncovered"


def test_we_sign_nothing_with_elements_outside():
    tree = unsigned()
    header_for_next_msh(tree)

    with pytest.raises(SignatureInvalid) as refused:
        signed(tree)

    assert refused.value.code == "signature.uncovered"


def test_text_behind_what_is_left_out_is_signed():
    octets = signed(unsigned(sync_reply=True)).envelope
    tree = tree_of(octets)
    find(tree, "{*}SyncReply").tail = "x"

    assert refusal(tree) == "signature.digest"


def test_signature_in_a_pretty_printed_envelope_verifies():
    tree = unsigned(sync_reply=True)
    etree.indent(tree)

    assert verify(tree_of(signed(tree).envelope)).references


# --- signing --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"signature_algorithm": f"{DS}rsa-sha1"},
        {"digest_algorithm": f"{DS}sha1"},
    ],
)
def test_forbidden_algorithm_is_not_used_even_when_agreed(changes):
    with pytest.raises(PolicyViolation) as refused:
        signed(signing=signing(**changes))

    assert refused.value.code == "signature.algorithm"


def test_key_of_another_certificate_does_not_sign():
    with pytest.raises(Misconfigured) as refused:
        signed(signer=keys().signer(leaf(BOB, "sign").certificate))

    assert refused.value.code == "keys.certificate"


# --- canonicalisation -----------------------------------------------------------------


def test_inclusive_subtree_keeps_the_default_namespace_and_xml_attributes():
    root = etree.fromstring(
        '<a xmlns="urn:a" xml:lang="nl" xml:space="x"><b xml:lang="en"><c/></b></a>'
    )

    octets = canonicalize(root[0], C14N_INCLUSIVE)

    assert octets == b'<b xmlns="urn:a" xml:lang="en" xml:space="x"><c></c></b>'


def test_canonicalisation_leaves_comments_and_what_follows_out():
    root = etree.fromstring("<a><b>x<!-- y -->z</b>tail</a>")

    assert canonicalize(root[0], C14N_EXCLUSIVE) == b"<b>xz</b>"
    assert canonicalize(root[0], C14N_INCLUSIVE) == b"<b>xz</b>"


@st.composite
def documents(draw, depth=3):
    prefix = draw(st.sampled_from(["", "p", "q"]))
    space = draw(st.sampled_from(["urn:1", "urn:2"]))
    declared = f"xmlns:{prefix}" if prefix else "xmlns"
    name = f"{prefix}:e" if prefix else "e"
    inner = "".join(draw(st.lists(documents(depth=depth - 1), max_size=2))) if depth else ""
    text = draw(st.sampled_from(["", " ", "t", "&amp;", "&#13;"]))
    return f'<{name} {declared}="{space}" xml:lang="{depth}">{text}{inner}</{name}>{text}'


@given(documents())
def test_a_subtree_and_the_same_element_alone_are_canonically_equal(document):
    root = etree.fromstring(f"<root>{document}</root>")
    element = root[-1]
    alone = etree.fromstring(etree.tostring(element, with_tail=False))

    for algorithm_ in (C14N_EXCLUSIVE, C14N_INCLUSIVE):
        assert canonicalize(element, algorithm_) == canonicalize(alone, algorithm_)
        assert canonicalize(copy.deepcopy(element), algorithm_) == canonicalize(alone, algorithm_)


# --- another implementation -----------------------------------------------------------


def pem(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM).decode()


def test_signxml_verifies_our_envelope():
    """Signxml knows neither the filter of ebMS nor cid: the signature is over the envelope."""
    tree = tree_of(
        sign_envelope(
            unsigned(), {}, signing=SIGNING, signer=keys().signer(SIGNING.certificate)
        ).envelope
    )
    without_transform(1)(tree)
    resign(tree)

    result = XMLVerifier().verify(
        serialize(tree),
        x509_cert=pem(SIGNING.certificate),
        expect_config=SignatureConfiguration(location=".//"),
    )

    assert result.signature_xml is not None


@pytest.mark.parametrize("canonicalization", [C14N_EXCLUSIVE, C14N_INCLUSIVE])
def test_we_verify_the_envelope_of_signxml(canonicalization):
    tree = unsigned()
    place = etree.SubElement(find(tree, "soap:Header"), f"{{{DS}}}Signature")
    place.set("Id", "placeholder")
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        c14n_algorithm=signxml.CanonicalizationMethod(canonicalization),
    )
    made = signer.sign(tree, key=leaf(ALICE, "sign").key, cert=pem(SIGNING.certificate))

    verified = verify(tree_of(etree.tostring(made)), {})

    assert [r.uri for r in verified.references] == [""]
    assert ENVELOPED in serialize(made).decode()
