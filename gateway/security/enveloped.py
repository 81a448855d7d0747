"""One signature inside a document, over all of it: what an officer of the OM decides.

The signatures of ebMS are those of each hop; what the OM laid down must hold behind the hub as
well. One profile, exactly: an enveloped XML Signature as last child of the root, one reference to
the whole document, exclusive C14N, one certificate. Whatever else stands there is refused.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from lxml import etree

from gateway.catalogue import Role
from gateway.directory import Party, Signing
from gateway.errors import CertificateRejected, SignatureInvalid
from gateway.security.algorithms import (
    C14N_EXCLUSIVE,
    DIGIKOPPELING,
    ENVELOPED,
    AlgorithmPolicy,
    Signer,
)
from gateway.security.c14n import canonicalize, cut
from gateway.security.certificates import TrustStore, Usage, bare_oin, load, strong_key
from gateway.security.dsig import DS, SIGNATURE
from gateway.security.dsig_make import check_agreed
from gateway.security.extensions import UNREADABLE
from gateway.security.primitives import digest, verify_value
from gateway.wire import xml
from gateway.wire.base64_text import unbase64
from gateway.wire.stuf import Document

LIMITS = xml.XmlLimits(octets=1_000_000, nodes=50_000)
"""What an officer signs is small: it names the payload by its hash."""

_DS = f"{{{DS}}}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_WHITE = " \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBy:
    """Whose key signed the whole document. Nobody has judged the certificate yet."""

    certificate: bytes
    """DER."""


# --- making -----------------------------------------------------------------------------


def sign_document(octets: bytes, *, signer: Signer, signing: Signing) -> bytes:
    """Return the document, UTF-8, with its signature as last child of the root.

    Only what `verify_document` accepts is signed. Raises Malformed `xml.*`; SignatureInvalid
    `toets.signature.form` for comments, instructions or a signature in it; and as
    `dsig_make.check_agreed`.
    """
    check_agreed(signing, signer)
    tree = _parse(octets)
    if next(_signatures(tree), None) is not None:
        raise _refused("form", "document is signed already")
    value = digest(_canonical(tree), signing.digest_algorithm)
    signature = etree.SubElement(tree, SIGNATURE, nsmap={"ds": DS})
    info = _add(signature, "SignedInfo")
    _add(info, "CanonicalizationMethod", Algorithm=C14N_EXCLUSIVE)
    _add(info, "SignatureMethod", Algorithm=signing.signature_algorithm)
    reference = _add(info, "Reference", URI="")
    transforms = _add(reference, "Transforms")
    _add(transforms, "Transform", Algorithm=ENVELOPED)
    _add(transforms, "Transform", Algorithm=C14N_EXCLUSIVE)
    _add(reference, "DigestMethod", Algorithm=signing.digest_algorithm)
    _add(reference, "DigestValue", text=value)
    signed = signer.sign(_canonical(info), algorithm=signing.signature_algorithm)
    _add(signature, "SignatureValue", text=signed)
    data = _add(_add(signature, "KeyInfo"), "X509Data")
    _add(data, "X509Certificate", text=signer.certificate)
    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8")


def _add(
    parent: etree._Element, name: str, *, text: bytes = b"", **attributes: str
) -> etree._Element:
    element = etree.SubElement(parent, f"{_DS}{name}", attributes)
    if text:
        element.text = b64encode(text).decode("ascii")
    return element


# --- verifying --------------------------------------------------------------------------


def verify_document(
    document: bytes | Document,
    *,
    policy: AlgorithmPolicy = DIGIKOPPELING,
    limits: xml.XmlLimits = LIMITS,
) -> SignedBy:
    """Return who signed all of the document; read it from these same octets only.

    Raises Malformed `xml.*` for octets that are no document, SignatureInvalid
    `toets.signature.missing`, `.multiple`, `.misplaced`, `.form`, `.algorithm`, `.certificate`,
    `.value`, `.reference`, `.transform` or `.digest`. The caller judges the certificate, see
    `judge_officer_signature`.
    """
    octets = document.octets if isinstance(document, Document) else document
    # (1) Parsed anew: nobody changed this tree. Nothing in it escapes the signature unseen.
    tree = _parse(octets, limits)
    # (2) One signature, in the one place, of the one form.
    signature = _only_signature(tree)
    profile = _read(signature, policy)
    # (3) SignedInfo comes from the holder of the key of the one certificate.
    _verify_value(signature[0], profile)
    # (4) The digest is that of everything but the signature.
    cut(signature)
    if digest(_canonical(tree), profile.digest_method) != profile.digest:
        raise _refused("digest", "document is not the one that was signed")
    return SignedBy(certificate=profile.certificate)


def _refused(code: str, text: str) -> SignatureInvalid:
    return SignatureInvalid(f"toets.signature.{code}", text)


def _parse(octets: bytes, limits: xml.XmlLimits = LIMITS) -> etree._Element:
    """Parse; refuse comments and instructions, which C14N leaves out or which nobody reads."""
    tree = xml.parse(octets, limits=limits)
    nodes = tree.getroottree().iter(etree.Comment, etree.PI, etree.Entity)
    around = (tree.itersiblings(preceding=True), tree.itersiblings())
    if any(next(found, None) is not None for found in (nodes, *around)):
        raise _refused("form", "comment or processing instruction in a signed document")
    # Exclusive C14N does not see the namespace of a prefix that only a value uses.
    if any(element.get(_TYPE) is not None for element in tree.iter()):
        raise _refused("form", "xsi:type in a signed document")
    return tree


def _canonical(element: etree._Element) -> bytes:
    try:
        return canonicalize(element, C14N_EXCLUSIVE)
    except SignatureInvalid:
        raise _refused("form", "document has no canonical form") from None


def _signatures(tree: etree._Element) -> Iterator[etree._Element]:
    """Yield the outermost elements of XML Signature, whatever they are called."""
    for element in tree.iter(f"{_DS}*"):
        parent = element.getparent()
        if parent is None or not str(parent.tag).startswith(_DS):
            yield element


def _only_signature(tree: etree._Element) -> etree._Element:
    found = list(_signatures(tree))
    if not found:
        raise _refused("missing", "document is not signed")
    if len(found) > 1:
        raise _refused("multiple", "more than one signature")
    signature = found[0]
    if (
        signature.tag != SIGNATURE
        or signature.getparent() is not tree
        or signature.getnext() is not None
        or (signature.tail or "").strip(_WHITE)
    ):
        raise _refused("misplaced", "signature is not the last child of the root")
    return signature


@dataclass(frozen=True, slots=True, kw_only=True)
class _Profile:
    """What stands in a signature of the one form."""

    signature_method: str
    digest_method: str
    digest: bytes
    value: bytes
    certificate: bytes


_INFO = ("CanonicalizationMethod", "SignatureMethod", "Reference")
_REFERENCE = ("Transforms", "DigestMethod", "DigestValue")
_VALUES = frozenset({"SignatureValue", "DigestValue", "X509Certificate"})
_METHODS = frozenset({"CanonicalizationMethod", "SignatureMethod", "Transform", "DigestMethod"})
_ATTRIBUTES = {**dict.fromkeys(_METHODS, ("Algorithm",)), "Reference": ("URI",)}


def _read(signature: etree._Element, policy: AlgorithmPolicy) -> _Profile:
    for element in signature.iter():
        _check_plain(element)
    info, value, key_info = _children(signature, ("SignedInfo", "SignatureValue", "KeyInfo"))
    (data,) = _children(key_info, ("X509Data",), "certificate")
    (certificate,) = _children(data, ("X509Certificate",), "certificate")
    canonicalization, method, reference = _children(info, _INFO, "reference")
    transforms, digest_method, digest_value = _children(reference, _REFERENCE)
    if canonicalization.get("Algorithm") != C14N_EXCLUSIVE:
        raise _refused("algorithm", "SignedInfo is not in exclusive C14N")
    if reference.get("URI") != "":
        raise _refused("reference", "reference is not to the whole document")
    _check_transforms(transforms)
    return _Profile(
        signature_method=_allowed(method, policy.signatures),
        digest_method=_allowed(digest_method, policy.digests),
        digest=_octets(digest_value),
        value=_octets(value),
        certificate=_octets(certificate),
    )


def _check_plain(element: etree._Element) -> None:
    """No Id, no text beside the elements, no element within a value."""
    name = _name(element)
    text = "" if name in _VALUES else element.text or ""
    beside = "".join(child.tail or "" for child in element)
    if tuple(element.attrib) != _ATTRIBUTES.get(name, ()) or (text + beside).strip(_WHITE):
        raise _refused("form", "signature holds more than the profile has")
    if (name in _VALUES or name in _METHODS) and len(element):
        code = "transform" if name in {"Transform", "CanonicalizationMethod"} else "form"
        raise _refused(code, "an algorithm or value holds elements")


def _children(
    parent: etree._Element, names: tuple[str, ...], code: str = "form"
) -> list[etree._Element]:
    if tuple(_name(child) for child in parent) != names:
        raise _refused(code, "signature is not of the one form")
    return list(parent)


def _name(element: etree._Element) -> str:
    """Return the local name of a ds: element; empty for any other."""
    tag = str(element.tag)
    return tag.removeprefix(_DS) if tag.startswith(_DS) else ""


def _check_transforms(transforms: etree._Element) -> None:
    if [(_name(t), t.get("Algorithm")) for t in transforms] != [
        ("Transform", ENVELOPED),
        ("Transform", C14N_EXCLUSIVE),
    ]:
        raise _refused("transform", "transforms are not enveloped-signature and exclusive C14N")


def _allowed(element: etree._Element, algorithms: frozenset[str]) -> str:
    algorithm = element.get("Algorithm", "")
    if algorithm not in algorithms:
        raise _refused("algorithm", "algorithm is not allowed")
    return algorithm


def _octets(element: etree._Element) -> bytes:
    try:
        return unbase64(element.text or "")
    except ValueError:
        raise _refused("form", "value is not base64") from None


def _verify_value(info: etree._Element, profile: _Profile) -> None:
    key, data = _key(profile.certificate), _canonical(info)
    try:
        verify_value(key, profile.value, data, algorithm=profile.signature_method)
    except SignatureInvalid as exc:
        code = "value" if exc.code == "signature.value" else "algorithm"
        raise _refused(code, exc.text) from exc


def _key(certificate: bytes) -> PublicKeyTypes:
    try:
        key = load(certificate).public_key()
    except (CertificateRejected, *UNREADABLE) as exc:
        raise _refused("certificate", "certificate is not readable") from exc
    if not strong_key(key):
        raise _refused("algorithm", "key is too weak or of the wrong kind")
    return key


# --- judging ----------------------------------------------------------------------------


def judge_officer_signature(
    signed: SignedBy, *, trust: TrustStore, parties: Iterable[Party], at: datetime
) -> Party:
    """Return which of `parties` signed: one with role om, by its own certificate, good at `at`.

    A mandate to exchange messages for the OM is no mandate to decide: the OIN itself counts.
    Raises as `TrustStore.judge` for Usage.DOCUMENT, and SignatureInvalid `toets.signature.party`.
    """
    identity = trust.judge(signed.certificate, Usage.DOCUMENT, at)
    for party in parties:
        if party.role is Role.OM and identity.oin == bare_oin(party.oin):
            return party
    raise _refused("party", "signer is not the Openbaar Ministerie")


def judge_signature_of(signed: SignedBy, *, party: Party, trust: TrustStore, at: datetime) -> None:
    """Return when this party signed, by its own certificate, good at `at`.

    Raises as `TrustStore.judge` for Usage.DOCUMENT, and SignatureInvalid `toets.signature.party`.
    """
    identity = trust.judge(signed.certificate, Usage.DOCUMENT, at)
    if identity.oin != bare_oin(party.oin):
        raise _refused("party", "signer is another party")
