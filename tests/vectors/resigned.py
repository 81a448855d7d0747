"""Changes to a signed envelope; where the partner itself makes them, it signs them as well."""

from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.x509 import load_der_x509_certificate
from lxml import etree

from gateway.security.algorithms import C14N_EXCLUSIVE, XPATH
from gateway.security.c14n import canonicalize
from tests.flow import bad_input as bad
from tests.flow.bad_input import Tree, above, cut, one, resign
from tests.flow.town import POLITIE, leaf
from tests.vectors.paths import BODY, HEADER, MESSAGE

DS = f"{{{bad.NS['ds']}}}"
SIGNATURE = "//ds:Signature"
INFO = f"{SIGNATURE}/ds:SignedInfo"
WHOLE = f"{INFO}/ds:Reference[@URI='']"
PART = f"{INFO}/ds:Reference[@URI!='']"
KEY_INFO = f"{SIGNATURE}/ds:KeyInfo"

Change = Callable[[Tree], None]


def signed_by_the_partner(change: Change) -> Change:
    """Make the change and sign SignedInfo again: the partner itself sends this."""

    def both(tree: Tree) -> None:
        change(tree)
        resign(tree)

    return both


# --- wrapping -------------------------------------------------------------------------


def forged(tree: Tree) -> Tree:
    """Make another message of the envelope, unsigned, and return the one that was signed."""
    original = deepcopy(tree)
    cut(SIGNATURE)(tree)
    one(tree, f"{MESSAGE}/eb:ConversationId").text = "other"
    return original


def old_envelope_in_header(tree: Tree) -> None:
    wrapper = etree.SubElement(one(tree, HEADER), "{urn:wrapper}wrapper")
    original = forged(tree)
    wrapper.append(original)


def old_envelope_in_body(tree: Tree) -> None:
    original = forged(tree)
    one(tree, BODY).append(original)


def old_envelope_in_object(tree: Tree) -> None:
    """The signature stays in its place and brings along what it is about."""
    original = forged(tree)
    signature = one(original, SIGNATURE)
    one(tree, HEADER).append(signature)
    etree.SubElement(signature, f"{DS}Object").append(original)


def twice(path: str) -> Change:
    def change(tree: Tree) -> None:
        element = one(tree, path)
        element.addnext(deepcopy(element))

    return change


def old_header_before_the_envelope_ends(tree: Tree) -> None:
    """A second SOAP Header, behind the Body."""
    tree.append(deepcopy(one(tree, HEADER)))


def manifest_in_wrapper(tree: Tree) -> None:
    manifest = one(tree, f"{BODY}/eb:Manifest")
    twin = deepcopy(manifest)
    etree.SubElement(twin, "{urn:wrapper}more")
    above(manifest).append(twin)
    etree.SubElement(one(tree, HEADER), "{urn:wrapper}wrapper").append(manifest)


def strange_signature_before(tree: Tree) -> None:
    """A stranger's own, right in every way but the key, in front of the partner's."""
    signature = one(tree, SIGNATURE)
    twin = deepcopy(signature)
    signature.addprevious(twin)
    certificate = b64encode(bad.stranger().certificate).decode()
    one(twin, "ds:KeyInfo//ds:X509Certificate").text = certificate


# --- references -----------------------------------------------------------------------


def refer(path: str, uri: str | None) -> Change:
    def change(tree: Tree) -> None:
        reference = one(tree, path)
        if uri is None:
            del reference.attrib["URI"]
        else:
            reference.set("URI", uri)

    return signed_by_the_partner(change)


def one_more(uri: str) -> Change:
    def change(tree: Tree) -> None:
        extra = deepcopy(one(tree, PART))
        extra.set("URI", uri)
        one(tree, INFO).append(extra)

    return signed_by_the_partner(change)


def marked(name: str, *others: str) -> Change:
    """Give Body and MessageHeader an Id each, and refer to it beside all that is expected."""

    def change(tree: Tree) -> None:
        one(tree, BODY).set(name, "same")
        for other in others:
            one(tree, MESSAGE).set(other, "same")
        extra = deepcopy(one(tree, PART))
        extra.set("URI", "#same")
        one(tree, INFO).append(extra)

    return signed_by_the_partner(change)


# --- transforms and algorithms --------------------------------------------------------


def algorithm(path: str, uri: str) -> Change:
    return signed_by_the_partner(lambda tree: one(tree, path).set("Algorithm", uri))


def transform(n: int) -> str:
    return f"{WHOLE}/ds:Transforms/ds:Transform[{n}]"


def part_transformed(tree: Tree) -> None:
    transforms = etree.Element(f"{DS}Transforms")
    etree.SubElement(transforms, f"{DS}Transform", Algorithm=f"{bad.NS['ds']}base64")
    one(tree, PART).insert(0, transforms)


def prefix_list(prefixes: str) -> Change:
    def change(tree: Tree) -> None:
        name = f"{{{C14N_EXCLUSIVE}}}InclusiveNamespaces"
        etree.SubElement(one(tree, transform(3)), name).set("PrefixList", prefixes)

    return signed_by_the_partner(change)


def filter_twice(tree: Tree) -> None:
    found = one(tree, f"{WHOLE}/ds:Transforms/ds:Transform[@Algorithm='{XPATH}']")
    found.addnext(deepcopy(found))


def filter_with_space(tree: Tree) -> None:
    found = one(tree, f"{WHOLE}//ds:XPath")
    found.text = bad.swap(":nextMSH", ": nextMSH")((found.text or "").encode()).decode()


def hmac_with_the_certificate(tree: Tree) -> None:
    """The public key as a shared secret: whoever trusts the method that is named is lost."""
    one(tree, f"{INFO}/ds:SignatureMethod").set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    )
    public = load_der_x509_certificate(leaf(POLITIE, "sign").certificate).public_key()
    secret = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    machine = hmac.HMAC(secret, hashes.SHA256())
    machine.update(canonicalize(one(tree, INFO), C14N_EXCLUSIVE))
    one(tree, f"{SIGNATURE}/ds:SignatureValue").text = b64encode(machine.finalize()).decode()


# --- KeyInfo --------------------------------------------------------------------------


def key_info(xml: str) -> Change:
    """Say it otherwise who signed."""

    def change(tree: Tree) -> None:
        found = one(tree, KEY_INFO)
        found[:] = []
        bad.add(KEY_INFO, xml)(tree)

    return change


def both_certificates(tree: Tree) -> None:
    """A stranger signs, and names the agreed certificate beside its own."""
    certificate = b64encode(bad.stranger().certificate).decode()
    bad.add(
        KEY_INFO,
        f"<ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>",
    )(tree)
    resign(tree, key=bad.stranger())


def key_of_the_stranger() -> str:
    numbers = load_der_x509_certificate(bad.stranger().certificate).public_key().public_numbers()  # type: ignore[union-attr]
    modulus, exponent = (
        b64encode(n.to_bytes((n.bit_length() + 7) // 8, "big")).decode()
        for n in (numbers.n, numbers.e)  # type: ignore[union-attr]
    )
    return (
        f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus>"
        f"<ds:Exponent>{exponent}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    )


def key_value_of_the_stranger(tree: Tree) -> None:
    key_info(key_of_the_stranger())(tree)
    resign(tree, key=bad.stranger())
