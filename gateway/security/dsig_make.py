"""Making the signature that `dsig` verifies: the same profile, exclusive C14N by default."""

from base64 import b64encode
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from lxml import etree

from gateway.directory import Signing
from gateway.errors import Misconfigured, PolicyViolation, SignatureInvalid
from gateway.message import Reference
from gateway.security.algorithms import (
    C14N_EXCLUSIVE,
    DIGIKOPPELING,
    ENVELOPED,
    XPATH,
    Signer,
)
from gateway.security.c14n import SOAP, XPATH_NOT_NEXT, canonicalize
from gateway.security.dsig import DS, HEADER, SIGNATURE, has_signature, leave_out_next
from gateway.security.primitives import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed envelope as it will travel."""

    envelope: bytes
    references: tuple[Reference, ...]


def sign_envelope(
    envelope: etree._Element,
    parts: Mapping[str, bytes],
    *,
    signing: Signing,
    signer: Signer,
    canonicalization: str = C14N_EXCLUSIVE,
) -> Signed:
    """Return the envelope with its signature as last header, and what was signed.

    `envelope` itself is not changed. Raises PolicyViolation `signature.algorithm` when the
    agreement wants what DK-SEC forbids, Misconfigured `keys.certificate` when the key is
    not that of the agreed certificate.
    """
    check_agreed(signing, signer)
    copy = deepcopy(envelope)
    header = copy.find(HEADER)
    if header is None or has_signature(copy):
        raise SignatureInvalid("signature.form", "envelope can not be signed")
    references = _references(copy, parts, signing.digest_algorithm, canonicalization)
    signature = etree.SubElement(header, SIGNATURE, nsmap={"ds": DS})
    info = _signed_info(signature, references, signing.signature_algorithm, canonicalization)
    value = signer.sign(canonicalize(info, canonicalization), algorithm=signing.signature_algorithm)
    _add(signature, "SignatureValue", text=_base64(value))
    data = _add(_add(signature, "KeyInfo"), "X509Data")
    _add(data, "X509Certificate", text=_base64(signer.certificate))
    return Signed(envelope=serialize(copy), references=references)


def serialize(envelope: etree._Element) -> bytes:
    """Return the octets of an envelope as they travel: UTF-8, nothing reformatted."""
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def check_agreed(signing: Signing, signer: Signer) -> None:
    """Refuse forbidden algorithms and the wrong key; raises as `sign_envelope`."""
    if (
        signing.signature_algorithm not in DIGIKOPPELING.signatures
        or signing.digest_algorithm not in DIGIKOPPELING.digests
    ):
        raise PolicyViolation("signature.algorithm", "agreed algorithm is forbidden")
    if signer.certificate != signing.certificate:
        raise Misconfigured("keys.certificate", "key is not that of the agreed certificate")


def _references(
    envelope: etree._Element, parts: Mapping[str, bytes], method: str, canonicalization: str
) -> tuple[Reference, ...]:
    copy = deepcopy(envelope)
    leave_out_next(copy)
    whole = digest(canonicalize(copy, canonicalization), method)
    return (
        Reference("", method, whole),
        *(Reference(f"cid:{cid}", method, digest(o, method)) for cid, o in parts.items()),
    )


def _signed_info(
    signature: etree._Element,
    references: tuple[Reference, ...],
    algorithm: str,
    canonicalization: str,
) -> etree._Element:
    info = _add(signature, "SignedInfo")
    _add(info, "CanonicalizationMethod", Algorithm=canonicalization)
    _add(info, "SignatureMethod", Algorithm=algorithm)
    for reference in references:
        element = _add(info, "Reference", URI=reference.uri)
        if reference.uri == "":
            _add_transforms(element, canonicalization)
        _add(element, "DigestMethod", Algorithm=reference.digest_method)
        _add(element, "DigestValue", text=_base64(reference.digest))
    return info


def _add_transforms(reference: etree._Element, canonicalization: str) -> None:
    transforms = _add(reference, "Transforms")
    _add(transforms, "Transform", Algorithm=ENVELOPED)
    xpath = _add(transforms, "Transform", Algorithm=XPATH)
    # The prefix is declared here: the expression needs it wherever the signature stands.
    expression = etree.SubElement(xpath, f"{{{DS}}}XPath", nsmap={"soap": SOAP})
    expression.text = XPATH_NOT_NEXT
    _add(transforms, "Transform", Algorithm=canonicalization)


def _add(parent: etree._Element, name: str, *, text: str = "", **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{DS}}}{name}", attributes)
    if text:
        element.text = text
    return element


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
