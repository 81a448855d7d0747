from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml import SignatureConfiguration, SignatureConstructionMethod, XMLSigner, XMLVerifier

from gateway.catalogue import Role
from gateway.directory import Party, Signing
from gateway.errors import (
    CertificateRejected,
    GatewayError,
    Malformed,
    Misconfigured,
    PolicyViolation,
    SignatureInvalid,
)
from gateway.keys.keystore import SoftwareSigner
from gateway.keys.test_pki import TestPki
from gateway.message import Oin
from gateway.security.algorithms import (
    C14N_EXCLUSIVE,
    C14N_INCLUSIVE,
    ECDSA_SHA256,
    ECDSA_SHA384,
    RSA_SHA256,
    RSA_SHA384,
    RSA_SHA512,
    SHA256,
    SHA384,
    SHA512,
)
from gateway.security.c14n import canonicalize, cut
from gateway.security.certificates import TrustStore
from gateway.security.dsig import DS
from gateway.security.enveloped import (
    SignedBy,
    judge_officer_signature,
    sign_document,
    verify_document,
)
from gateway.wire import xml
from tests import pki
from tests.pki import AT
from tests.sealing import load_key

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<b:besluit xmlns:b="urn:b" xmlns:unused="urn:u" xml:lang="nl">
  <b:uitkomst>vrijgeven</b:uitkomst>
  <grond xmlns="urn:g" soort="a &amp; b">Zoë&#13; <![CDATA[<x>]]></grond>
</b:besluit>
""".encode()
NS = {"ds": DS, "b": "urn:b"}
MINE = pki.leaf(pki.OM, "sign")


@cache
def signer() -> SoftwareSigner:
    return SoftwareSigner(MINE.certificate, load_key(MINE.key))


def how(**changes) -> Signing:
    base = Signing(
        signature_algorithm=RSA_SHA256, digest_algorithm=SHA256, certificate=MINE.certificate
    )
    return replace(base, **changes)


@cache
def signed(document: bytes = DOCUMENT) -> bytes:
    return sign_document(document, signer=signer(), signing=how())


def refusal(octets: bytes) -> str:
    with pytest.raises(GatewayError) as refused:
        verify_document(octets)
    assert isinstance(refused.value, SignatureInvalid | Malformed)
    return refused.value.code


def find(tree: etree._Element, path: str) -> etree._Element:
    found = tree.find(f".//{path}", NS)
    assert found is not None, path
    return found


def changed(change, octets: bytes | None = None) -> bytes:
    tree = xml.parse(octets or signed())
    change(tree)
    return etree.tostring(tree.getroottree(), encoding="UTF-8")


def resigned(change) -> bytes:
    """The change, and a right signature value over SignedInfo: the attacker has a key."""

    def work(tree):
        change(tree)
        info = find(tree, "ds:SignedInfo")
        value = signer().sign(canonicalize(info, C14N_EXCLUSIVE), algorithm=RSA_SHA256)
        find(tree, "ds:SignatureValue").text = b64encode(value).decode()

    return changed(work)


# --- right ----------------------------------------------------------------------------


@pytest.mark.parametrize("digest", [SHA256, SHA384, SHA512])
@pytest.mark.parametrize("algorithm", [RSA_SHA256, RSA_SHA384, RSA_SHA512])
def test_what_we_sign_verifies(algorithm, digest):
    signing = how(signature_algorithm=algorithm, digest_algorithm=digest)

    made = sign_document(DOCUMENT, signer=signer(), signing=signing)

    assert verify_document(made) == SignedBy(certificate=MINE.certificate)


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
        .public_bytes(encoding=pki_encoding())
    )


def pki_encoding():
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


@pytest.mark.parametrize(
    ("curve", "algorithm"),
    [(ec.SECP256R1(), ECDSA_SHA256), (ec.SECP384R1(), ECDSA_SHA384)],
)
def test_elliptic_curves_sign_and_verify(curve, algorithm):
    key = ec.generate_private_key(curve)
    certificate = self_signed(key)
    signing = how(signature_algorithm=algorithm, certificate=certificate)

    made = sign_document(DOCUMENT, signer=SoftwareSigner(certificate, key), signing=signing)

    assert verify_document(made).certificate == certificate


def test_signature_is_the_last_child_and_all_before_it_stays():
    before, after = xml.parse(DOCUMENT), xml.parse(signed())

    assert after[-1].tag == f"{{{DS}}}Signature"
    cut(after[-1])
    assert canonicalize(before, C14N_EXCLUSIVE) == canonicalize(after, C14N_EXCLUSIVE)


def test_whitespace_around_the_parts_of_a_signature_does_no_harm():
    pretty = signed().replace(b"</ds:SignatureValue>", b"\n</ds:SignatureValue>\n  ")

    assert verify_document(pretty).certificate == MINE.certificate


def test_signxml_verifies_what_we_sign():
    root = x509.load_der_x509_certificate(MINE.certificate)
    expect = SignatureConfiguration(location="./")

    result = XMLVerifier().verify(etree.fromstring(signed()), x509_cert=root, expect_config=expect)

    assert result.signed_xml.tag == "{urn:b}besluit"


def test_we_verify_what_signxml_signs():
    made = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",
    ).sign(
        etree.fromstring(DOCUMENT),
        key=load_key(MINE.key),
        cert=[x509.load_der_x509_certificate(MINE.certificate)],
    )

    assert verify_document(etree.tostring(made)).certificate == MINE.certificate


# --- what is not signed ---------------------------------------------------------------


def test_forbidden_algorithm_is_not_signed_with():
    with pytest.raises(PolicyViolation) as refused:
        sign_document(
            DOCUMENT,
            signer=signer(),
            signing=how(signature_algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        )
    assert refused.value.code == "signature.algorithm"


def test_key_of_another_certificate_does_not_sign():
    with pytest.raises(Misconfigured) as refused:
        sign_document(DOCUMENT, signer=signer(), signing=how(certificate=pki.leaf().certificate))
    assert refused.value.code == "keys.certificate"


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"<a><!-- c --></a>", id="comment"),
        pytest.param(b"<a/><!-- c -->", id="comment behind"),
        pytest.param(b"<?p?><a/>", id="instruction before"),
        pytest.param(b'<a><b xmlns="relative"/></a>', id="no canonical form"),
        pytest.param(b'<a><x xmlns="http://www.w3.org/2000/09/xmldsig#"/></a>', id="ds element"),
        pytest.param(signed(), id="signed already"),
    ],
)
def test_what_would_not_verify_is_not_signed(document):
    with pytest.raises(SignatureInvalid) as refused:
        sign_document(document, signer=signer(), signing=how())
    assert refused.value.code == "toets.signature.form"


# --- tampering ------------------------------------------------------------------------


def swap(old: bytes, new: bytes):
    def change() -> bytes:
        assert old in signed()
        return signed().replace(old, new, 1)

    return change


def on_tree(change):
    return lambda: changed(change)


def with_key(change):
    return lambda: resigned(change)


def again(tree, into: str = "."):
    """A second signature, right in itself: a copy of the first."""
    parent = tree if into == "." else find(tree, into)
    parent.insert(0, etree.fromstring(etree.tostring(find(tree, "ds:Signature"), with_tail=False)))


def wrap(tree):
    """The classic: the signed document moves inside another one, the signature stays."""
    signature = find(tree, "ds:Signature")
    original = etree.fromstring(etree.tostring(tree))
    find(tree, "b:uitkomst").text = "nietVrijgeven"
    holder = etree.SubElement(tree, "{urn:b}extra")
    holder.append(original)
    tree.append(signature)


def signature_around(tree):
    """The document as ds:Object inside its signature, another one around both."""
    signature = find(tree, "ds:Signature")
    inner = etree.fromstring(etree.tostring(tree))
    etree.SubElement(signature, f"{{{DS}}}Object").append(inner)
    find(tree, "b:uitkomst").text = "anders"


def into_first_child(tree):
    tree.insert(0, find(tree, "ds:Signature"))


def one_deeper(tree):
    find(tree, "b:uitkomst").append(find(tree, "ds:Signature"))


def text_behind(tree):
    find(tree, "ds:Signature").tail = "nietVrijgeven"


def element_behind(tree):
    etree.SubElement(tree, "{urn:b}uitkomst").text = "vrijgeven"


def set_(path: str, name: str, value: str):
    return lambda tree: find(tree, path).set(name, value)


def add(path: str, name: str, text: str = "", **attributes):
    def change(tree):
        etree.SubElement(find(tree, path), f"{{{DS}}}{name}", attributes).text = text

    return change


def second_reference(tree):
    reference = find(tree, "ds:Reference")
    copy = etree.fromstring(etree.tostring(reference))
    copy.set("URI", "#other")
    find(tree, "ds:SignedInfo").append(copy)


def no_reference(tree):
    find(tree, "ds:SignedInfo").remove(find(tree, "ds:Reference"))


def no_uri(tree):
    del find(tree, "ds:Reference").attrib["URI"]


def reference_by_id(tree):
    tree.set("Id", "x")
    find(tree, "ds:Reference").set("URI", "#x")


def only_c14n(tree):
    transforms = find(tree, "ds:Transforms")
    transforms.remove(transforms[0])


def transforms_turned(tree):
    transforms = find(tree, "ds:Transforms")
    transforms.append(transforms[0])


def xpath_transform(tree):
    """Sign only what the attacker likes."""
    transform = etree.SubElement(find(tree, "ds:Transforms"), f"{{{DS}}}Transform")
    transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
    etree.SubElement(transform, f"{{{DS}}}XPath").text = "not(ancestor-or-self::b:uitkomst)"


def prefix_list(tree):
    method = find(tree, "ds:CanonicalizationMethod")
    etree.SubElement(method, f"{{{C14N_EXCLUSIVE}}}InclusiveNamespaces", PrefixList="unused")


def other_certificate(tree):
    other = pki.leaf(pki.POLITIE, "sign").certificate
    find(tree, "ds:X509Certificate").text = b64encode(other).decode()


def second_certificate(tree):
    other = pki.leaf(pki.POLITIE, "sign").certificate
    add("ds:X509Data", "X509Certificate", b64encode(other).decode())(tree)


def second_data(tree):
    data = find(tree, "ds:X509Data")
    find(tree, "ds:KeyInfo").append(etree.fromstring(etree.tostring(data)))


def bare_key_only(tree):
    info = find(tree, "ds:KeyInfo")
    info.remove(info[0])
    etree.SubElement(info, f"{{{DS}}}KeyName").text = "om"


def without(path: str):
    def change(tree):
        element = find(tree, path)
        element.getparent().remove(element)

    return change


def text(path: str, value: str):
    def change(tree):
        find(tree, path).text = value

    return change


ENTITY = b'<!DOCTYPE b [<!ENTITY u "nietVrijgeven">]>'
TAMPERED = {
    # what was decided
    "a value": (swap(b">vrijgeven<", b">nietVrijgeven<"), "digest"),
    "an attribute": (swap(b'soort="a', b'soort="b'), "digest"),
    "white space in a value": (swap(b">vrijgeven<", b"> vrijgeven<"), "digest"),
    "white space between elements": (swap(b"<b:uitkomst", b" <b:uitkomst"), "digest"),
    "a namespace": (swap(b'xmlns:b="urn:b"', b'xmlns:b="urn:c"'), "digest"),
    "an element more": (swap(b"<b:uitkomst", b"<b:x/><b:uitkomst"), "digest"),
    "an xml attribute of the root": (swap(b'lang="nl"', b'lang="en"'), "digest"),
    "an element fewer": (on_tree(without("b:uitkomst")), "digest"),
    # what the canonical form leaves out, or a parser adds
    "comment in a value": (swap(b"vrijgeven<", b"vrij<!-- c -->geven<"), "form"),
    "comment behind the root": (lambda: signed() + b"<!-- c -->", "form"),
    "comment before the root": (swap(b"<b:besluit", b"<!-- c --><b:besluit"), "form"),
    "instruction in the document": (swap(b"<b:uitkomst", b"<?p x?><b:uitkomst"), "form"),
    "instruction behind the root": (lambda: signed() + b"<?p x?>", "form"),
    "comment in a digest": (swap(b"<ds:DigestValue>", b"<ds:DigestValue><!-- c -->"), "form"),
    "doctype": (swap(b"<b:besluit", ENTITY + b"<b:besluit"), "xml.doctype"),
    "entity": (swap(b">vrijgeven<", b">&u;<"), "xml.malformed"),
    "relative namespace": (swap(b'xmlns="urn:g"', b'xmlns="g"'), "form"),
    "type by a prefix": (
        swap(
            b"<b:uitkomst",
            b'<b:uitkomst xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="b:x"',
        ),
        "form",
    ),
    "other encoding": (lambda: signed().decode().encode("utf-16"), "xml.encoding"),
    # where the signature stands
    "no signature": (lambda: DOCUMENT, "missing"),
    "first child": (on_tree(into_first_child), "misplaced"),
    "one deeper": (on_tree(one_deeper), "misplaced"),
    "text behind it": (on_tree(text_behind), "misplaced"),
    "element behind it": (on_tree(element_behind), "misplaced"),
    "comment behind it": (swap(b"</ds:Signature>", b"</ds:Signature><!-- c -->"), "form"),
    "second, first child": (on_tree(again), "multiple"),
    "second, deeper": (on_tree(lambda t: again(t, "b:uitkomst")), "multiple"),
    "second, inside the first": (on_tree(lambda t: again(t, "ds:Signature")), "form"),
    "wrapped": (on_tree(wrap), "multiple"),
    "wrapped in an Object": (on_tree(signature_around), "multiple"),
    "an Object beside": (on_tree(add("ds:Signature", "Object", "x")), "form"),
    "only the signature": (
        lambda: etree.tostring(find(xml.parse(signed()), "ds:Signature"), with_tail=False),
        "misplaced",
    ),
    "ds element elsewhere": (on_tree(add("b:uitkomst", "Manifest")), "multiple"),
    # what it refers to
    "second reference": (with_key(second_reference), "reference"),
    "no reference": (with_key(no_reference), "reference"),
    "reference by id": (with_key(reference_by_id), "reference"),
    "reference to a file": (with_key(set_("ds:Reference", "URI", "file:///x")), "reference"),
    "xpointer": (with_key(set_("ds:Reference", "URI", "#xpointer(/)")), "reference"),
    "no URI": (with_key(no_uri), "form"),
    "type of reference": (with_key(set_("ds:Reference", "Type", f"{DS}Manifest")), "form"),
    "id on SignedInfo": (with_key(set_("ds:SignedInfo", "Id", "x")), "form"),
    "id on the signature": (on_tree(set_("ds:Signature", "Id", "x")), "form"),
    "id on KeyInfo": (on_tree(set_("ds:KeyInfo", "Id", "x")), "form"),
    # how it is transformed
    "not enveloped": (with_key(only_c14n), "transform"),
    "turned round": (with_key(transforms_turned), "transform"),
    "an XPath more": (with_key(xpath_transform), "transform"),
    "inclusive C14N": (
        with_key(set_("ds:CanonicalizationMethod", "Algorithm", C14N_INCLUSIVE)),
        "algorithm",
    ),
    "C14N with comments": (
        with_key(
            lambda t: find(t, "ds:Transforms")[1].set("Algorithm", f"{C14N_EXCLUSIVE}WithComments")
        ),
        "transform",
    ),
    "a PrefixList": (with_key(prefix_list), "transform"),
    "no transforms": (with_key(without("ds:Transforms")), "form"),
    # algorithms and values
    "SHA-1 digest": (
        with_key(set_("ds:DigestMethod", "Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")),
        "algorithm",
    ),
    "HMAC with the certificate": (
        with_key(
            set_(
                "ds:SignatureMethod",
                "Algorithm",
                "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            )
        ),
        "algorithm",
    ),
    "other hash": (on_tree(set_("ds:SignatureMethod", "Algorithm", RSA_SHA512)), "value"),
    "algorithm of another key": (
        on_tree(set_("ds:SignatureMethod", "Algorithm", ECDSA_SHA256)),
        "algorithm",
    ),
    "HMACOutputLength": (with_key(add("ds:SignatureMethod", "HMACOutputLength", "8")), "form"),
    "empty value": (on_tree(text("ds:SignatureValue", "")), "value"),
    "value of nothing": (on_tree(text("ds:SignatureValue", "AAAA")), "value"),
    "value is no base64": (on_tree(text("ds:SignatureValue", "****")), "form"),
    "digest of nothing": (with_key(text("ds:DigestValue", "")), "digest"),
    "no value": (on_tree(without("ds:SignatureValue")), "form"),
    "text in the signature": (on_tree(text("ds:KeyInfo", "vrijgeven")), "form"),
    # whose key it is
    "other certificate": (on_tree(other_certificate), "value"),
    "second certificate": (on_tree(second_certificate), "certificate"),
    "second X509Data": (on_tree(second_data), "certificate"),
    "no certificate": (on_tree(bare_key_only), "form"),
    "no KeyInfo": (on_tree(without("ds:KeyInfo")), "form"),
    "broken certificate": (on_tree(text("ds:X509Certificate", "AAAA")), "certificate"),
    "KeyValue beside": (on_tree(add("ds:KeyInfo", "KeyValue")), "certificate"),
    # the file
    "cut short": (lambda: signed()[:-20], "xml.malformed"),
    "nothing": (lambda: b"", "xml.malformed"),
    "twice": (lambda: signed() + signed()[39:], "xml.malformed"),
    "too large": (swap(b">vrijgeven<", b">" + b"x" * 1_000_000 + b"<"), "xml.size"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_tampered_with_is_refused(name):
    make, code = TAMPERED[name]

    assert refusal(make()) == (code if code.startswith("xml.") else f"toets.signature.{code}")


def test_weak_key_does_not_sign():
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    certificate = self_signed(key)
    made = sign_document(
        DOCUMENT, signer=SoftwareSigner(certificate, key), signing=how(certificate=certificate)
    )

    assert refusal(made) == "toets.signature.algorithm"


def test_curve_that_is_not_allowed_does_not_sign():
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    certificate = self_signed(key)
    made = sign_document(
        DOCUMENT,
        signer=SoftwareSigner(certificate, key),
        signing=how(signature_algorithm=ECDSA_SHA256, certificate=certificate),
    )

    assert refusal(made) == "toets.signature.algorithm"


def content(octets: bytes) -> bytes:
    tree = xml.parse(octets)
    cut(tree[-1])
    return canonicalize(tree, C14N_EXCLUSIVE)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_changed_octet_changes_what_is_accepted(data):
    whole = signed()
    at = data.draw(st.integers(0, len(whole) - 1))
    octet = data.draw(st.integers(0, 255).filter(lambda o: o != whole[at]))
    other = whole[:at] + bytes([octet]) + whole[at + 1 :]

    try:
        found = verify_document(other)
        judge_officer_signature(found, trust=TRUST, parties=PARTIES, at=AT)
    except (SignatureInvalid, Malformed, CertificateRejected):
        return

    assert found.certificate == MINE.certificate
    assert content(other) == content(whole)


# --- whose signature ------------------------------------------------------------------


def party(oin: str, role: Role, **changes) -> Party:
    return Party(oin=Oin(oin), name=str(role), role=role, local=False, **changes)


OM_PARTY = party(pki.OM, Role.OM)
TRUST = TrustStore(pki.trust())
PARTIES = (
    party(pki.POLITIE, Role.POLITIE),
    party(pki.KNOOPPUNT, Role.KNOOPPUNT),
    party(pki.VEILIG_THUIS, Role.VEILIG_THUIS),
    OM_PARTY,
)


def judged(leaf, *, trust=None, parties=PARTIES, at=AT) -> Party:
    return judge_officer_signature(
        SignedBy(certificate=leaf.certificate),
        trust=TrustStore(trust or pki.trust()),
        parties=parties,
        at=at,
    )


def judged_wrong(leaf, **options) -> str:
    with pytest.raises(GatewayError) as refused:
        judged(leaf, **options)
    return refused.value.code


def test_signature_of_the_om_is_that_of_its_party():
    assert judged(MINE) == OM_PARTY


def test_party_id_of_a_test_environment_is_the_same_om():
    tested = party(f"{pki.OM}_T", Role.OM)

    assert judged(MINE, parties=(tested,)) == tested


@pytest.mark.parametrize(
    "oin", [pki.POLITIE, pki.KNOOPPUNT, pki.VEILIG_THUIS, "00000099000000000077"]
)
def test_nobody_else_signs_for_the_om(oin):
    assert judged_wrong(pki.leaf(oin, "sign")) == "toets.signature.party"


def test_mandate_to_exchange_messages_is_no_mandate_to_decide():
    served = party(pki.OM, Role.OM, mandates=(Oin(pki.KNOOPPUNT),))

    assert judged_wrong(pki.leaf(pki.KNOOPPUNT, "sign"), parties=(served,)) == (
        "toets.signature.party"
    )


def test_om_that_is_not_asked_does_not_count():
    assert judged_wrong(MINE, parties=PARTIES[:3]) == "toets.signature.party"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: pki.leaf(pki.OM, "encrypt"), "certificate.usage"),
        (lambda: pki.leaf(pki.OM, "tls"), "certificate.usage"),
        (
            lambda: pki.pki().issue(oin=pki.OM, name="TEST", usage="sign", unknown_issuer=True),
            "certificate.untrusted",
        ),
        (
            lambda: pki.pki().issue(oin=pki.OM, name="TEST", usage="sign", key_bits=1024),
            "certificate.weak_key",
        ),
        (lambda: pki.pki().issue(oin="", name="TEST", usage="sign"), "certificate.oin"),
    ],
)
def test_certificate_must_be_good_for_signing(make, code):
    assert judged_wrong(make()) == code


def test_certificate_must_be_good_at_the_moment():
    assert judged_wrong(MINE, at=AT + timedelta(days=4 * 365)) == "certificate.expired"
    assert judged_wrong(MINE, at=AT - timedelta(days=2)) == "certificate.not_yet_valid"


def test_revoked_certificate_decides_nothing():
    own = TestPki(AT, authority_bits=2048)
    leaf = own.issue(oin=pki.OM, name="TEST", usage="sign", revoked=True)

    assert judged_wrong(leaf, trust=own.trust()) == "certificate.revoked"


def test_unknown_revocation_is_neither():
    own = TestPki(AT, authority_bits=2048)
    leaf = own.issue(oin=pki.OM, name="TEST", usage="sign")

    assert judged_wrong(leaf, trust=replace(own.trust(), crls=())) == (
        "certificate.revocation_unknown"
    )


def test_the_value_is_that_of_the_signature():
    value = find(xml.parse(signed()), "ds:SignatureValue").text

    assert len(b64decode(value or "")) == 256
