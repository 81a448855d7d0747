"""Seal and open against their bare cryptography, and verification beside signxml."""

from collections.abc import Iterator
from functools import partial

from lxml import etree

from bench.bare import Bare
from bench.measure import Figure, compare
from gateway.security.algorithms import DIGIKOPPELING
from gateway.security.dsig import DS, verify_envelope
from gateway.wire import xml
from gateway.wire.ebms2.header import user_message
from tests.pki import leaf
from tests.sealing import ALICE, BOB, agreement, header, open_wire, send, signing

SIZES = (4_096, 65_536)


def document(size: int) -> bytes:
    """Return XML of exactly `size` octets."""
    head, tail = b'<a:melding xmlns:a="urn:a">', b"</a:melding>"
    return head + b"x" * (size - len(head) - len(tail)) + tail


def figures() -> Iterator[Figure]:
    bare = Bare(leaf(ALICE, "sign"), leaf(BOB, "encrypt"))
    for size in SIZES:
        yield from _message(bare, size)
    yield from _signxml()


def _message(bare: Bare, size: int) -> Iterator[Figure]:
    octets, agreed = document(size), agreement("osb-rm-e")
    signature, encrypted = bare.sign(octets), bare.encrypt(octets)
    wire = send(agreed, octets)

    def bare_seal() -> None:
        bare.sign(octets)
        bare.encrypt(octets)

    def bare_open() -> None:
        bare.verify(bare.decrypt(encrypted), signature)

    name = f"{size // 1024} KB"
    yield compare(f"seal {name}", partial(send, agreed, octets), "its cryptography", bare_seal)
    yield compare(f"open {name}", partial(open_wire, wire, agreed), "its cryptography", bare_open)


def _signxml() -> Iterator[Figure]:
    """The same key verifies the same kind of signature: one reference, over the envelope."""
    try:
        import signxml
    except ImportError:
        return
    theirs = _signed_by_signxml(signxml)
    certificate = leaf(ALICE, "sign").certificate
    ours_config = signxml.SignatureConfiguration(location=".//")
    pem = _pem(certificate)

    def ours() -> None:
        verify_envelope(xml.parse(theirs), {}, policy=DIGIKOPPELING, certificates=(certificate,))

    def signxml_verify() -> None:
        signxml.XMLVerifier().verify(theirs, x509_cert=pem, expect_config=ours_config)

    yield compare("verify with signxml", signxml_verify, "verify with ours", ours)


def _signed_by_signxml(signxml) -> bytes:
    tree = user_message(header(agreement("osb-rm-s")), ())
    place = etree.SubElement(tree[0], f"{{{DS}}}Signature")
    place.set("Id", "placeholder")
    signer = signxml.XMLSigner(
        method=signxml.SignatureConstructionMethod.enveloped,
        c14n_algorithm=signxml.CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    certificate = _pem(signing().certificate)
    return etree.tostring(signer.sign(tree, key=leaf(ALICE, "sign").key, cert=certificate))


def _pem(der: bytes) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()
