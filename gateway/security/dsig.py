"""The signature of an ebMS 2.0 envelope and its attachments: one strict profile.

ebMS 2.0 4.1.3, Digikoppeling ebMS2 (no second signature, exclusive C14N; inclusive is
verified as well), DK-SEC SIGN001-004. Everything that this profile does not need is
refused: it is not skipped.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from urllib.parse import unquote

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from lxml import etree

from gateway.errors import SignatureInvalid
from gateway.message import Reference
from gateway.security.algorithms import C14N_EXCLUSIVE, ENVELOPED, XPATH, AlgorithmPolicy
from gateway.security.c14n import SOAP, addressed_to_next, canonicalize, cut, is_not_next
from gateway.security.certificates import load_agreed
from gateway.security.primitives import digest, verify_value
from gateway.wire.base64_text import unbase64

DS = "http://www.w3.org/2000/09/xmldsig#"
EB = "http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"

_ENVELOPE = f"{{{SOAP}}}Envelope"
HEADER = f"{{{SOAP}}}Header"
SIGNATURE = f"{{{DS}}}Signature"
_DS = f"{{{DS}}}"
_SYNC_REPLY = f"{{{EB}}}SyncReply"
_INCLUSIVE_NAMESPACES = f"{{{C14N_EXCLUSIVE}}}InclusiveNamespaces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What the signature was found to cover."""

    references: tuple[Reference, ...]
    """In the order of the signature: the envelope and every part."""
    certificate: bytes
    """DER of the agreed certificate whose key made the signature."""
    algorithm: str
    """Of the signature value; those of the digests stand with the references."""
    envelope: bytes
    """The canonical octets that were digested: read the header from these."""
    covered: frozenset[str]
    """Content-IDs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """One ds:Reference as it stands in SignedInfo, form and algorithms checked."""

    uri: str
    digest_method: str
    digest: bytes
    filtered: bool = False
    canonicalization: str = ""
    prefixes: tuple[str, ...] = ()


def verify_envelope(
    tree: etree._Element,
    parts: Mapping[str, bytes],
    *,
    policy: AlgorithmPolicy,
    certificates: tuple[bytes, ...],
) -> Verified:
    """Verify the signature of `tree` (soap:Envelope) over itself and all `parts`.

    `parts` holds the decrypted octets by Content-ID; `certificates` those that the
    agreement allows. Raises SignatureInvalid with `signature.missing`, `.multiple`,
    `.misplaced`, `.form`, `.algorithm`, `.certificate`, `.value`, `.reference`,
    `.transform`, `.uncovered` or `.digest`. The caller judges the certificate itself.
    """
    # (1) One signature, in the place where it belongs, of the form that is expected.
    signature = _only_signature(tree)
    info, value, key_info = _pieces(signature)
    # (2) The key is that of an agreed certificate; KeyInfo only says which one.
    certificate = _agreed_certificate(key_info, certificates)
    # (3) SignedInfo comes from the holder of that key.
    algorithm = _verify_signed_info(info, value, certificate, policy)
    # (4) It refers to the envelope once and to every part once, and to nothing else.
    claims = tuple(_claims(info, policy))
    whole, by_part = _assign(claims, frozenset(parts))
    # (5) All digests are right.
    canonical = _covered_octets(tree, whole)
    _check_digest(whole, canonical)
    for content_id, claim in by_part.items():
        _check_digest(claim, parts[content_id])
    return Verified(
        references=tuple(Reference(c.uri, c.digest_method, c.digest) for c in claims),
        certificate=certificate,
        algorithm=algorithm,
        envelope=canonical,
        covered=frozenset(by_part),
    )


def has_signature(tree: etree._Element) -> bool:
    """Tell whether there is a ds:Signature anywhere in the envelope."""
    return next(tree.iter(SIGNATURE), None) is not None


def _only_signature(tree: etree._Element) -> etree._Element:
    found = list(tree.iter(SIGNATURE))
    if not found:
        raise SignatureInvalid("signature.missing", "envelope is not signed")
    if len(found) > 1:
        raise SignatureInvalid("signature.multiple", "more than one signature")
    header = found[0].getparent()
    if (
        tree.tag != _ENVELOPE
        or header is None
        or header.tag != HEADER
        or header.getparent() is not tree
        or len(tree.findall(HEADER)) != 1
    ):
        raise SignatureInvalid("signature.misplaced", "signature is not in the SOAP header")
    if _has_instructions(tree):
        raise SignatureInvalid("signature.form", "processing instruction in a SOAP message")
    return found[0]


def _has_instructions(tree: etree._Element) -> bool:
    """SOAP 1.1 forbids them; before and behind the root they would be signed as well."""
    found = (
        tree.itersiblings(etree.PI, preceding=True),
        tree.itersiblings(etree.PI),
        tree.iter(etree.PI),
    )
    return any(next(nodes, None) is not None for nodes in found)


def _pieces(
    signature: etree._Element,
) -> tuple[etree._Element, etree._Element, etree._Element]:
    """Return SignedInfo, SignatureValue, KeyInfo: these three, in this order."""
    if next(signature.iter(etree.Comment, etree.PI, etree.Entity), None) is not None:
        raise SignatureInvalid("signature.form", "comment inside the signature")
    names = [_ds(e) for e in signature]
    if names != ["SignedInfo", "SignatureValue", "KeyInfo"]:
        code = "signature.certificate" if "KeyInfo" not in names else "signature.form"
        raise SignatureInvalid(code, "signature is not SignedInfo, SignatureValue, KeyInfo")
    return signature[0], signature[1], signature[2]


def _ds(element: etree._Element) -> str:
    """Return the local name of a ds: element; empty for any other."""
    tag = element.tag
    return tag[len(_DS) :] if isinstance(tag, str) and tag.startswith(_DS) else ""


def _octets(element: etree._Element) -> bytes:
    try:
        return unbase64(element.text or "")
    except ValueError as exc:
        raise SignatureInvalid("signature.form", "value is not base64") from exc


def _agreed_certificate(key_info: etree._Element, certificates: tuple[bytes, ...]) -> bytes:
    named = {_octets(e) for e in key_info.iterfind(f"{{{DS}}}X509Data/{{{DS}}}X509Certificate")}
    agreed = named & set(certificates)
    if len(agreed) != 1:
        raise SignatureInvalid("signature.certificate", "not signed with the agreed certificate")
    return agreed.pop()


def _verify_signed_info(
    info: etree._Element, value: etree._Element, certificate: bytes, policy: AlgorithmPolicy
) -> str:
    """Return the algorithm by which it was signed."""
    names = [_ds(e) for e in info]
    if names[:2] != ["CanonicalizationMethod", "SignatureMethod"]:
        raise SignatureInvalid("signature.form", "SignedInfo lacks its methods")
    canonicalization, prefixes = _canonicalization(info[0], policy)
    algorithm = _algorithm(info[1], policy.signatures)
    key = agreed_key(certificate, policy)
    data = canonicalize(info, canonicalization, prefixes)
    verify_value(key, _octets(value), data, algorithm=algorithm)
    return algorithm


def agreed_key(certificate: bytes, policy: AlgorithmPolicy) -> PublicKeyTypes:
    """Return the key of an agreed certificate; raise SignatureInvalid `signature.algorithm`."""
    key = load_agreed(certificate).public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < policy.minimum_rsa_bits:
        raise SignatureInvalid("signature.algorithm", "RSA key is too short")
    return key


def _algorithm(element: etree._Element, allowed: frozenset[str]) -> str:
    algorithm = element.get("Algorithm", "")
    if algorithm not in allowed:
        raise SignatureInvalid("signature.algorithm", "algorithm is not allowed")
    return algorithm


def _canonicalization(
    element: etree._Element, policy: AlgorithmPolicy
) -> tuple[str, tuple[str, ...]]:
    """Return algorithm and PrefixList of a CanonicalizationMethod or its Transform."""
    algorithm = _algorithm(element, policy.canonicalizations)
    if len(element) == 0:
        return algorithm, ()
    if len(element) > 1 or element[0].tag != _INCLUSIVE_NAMESPACES:
        raise SignatureInvalid("signature.transform", "unknown canonicalization parameter")
    return algorithm, tuple(element[0].get("PrefixList", "").split())


def _claims(info: etree._Element, policy: AlgorithmPolicy) -> Iterator[_Claim]:
    for reference in info[2:]:
        if _ds(reference) != "Reference":
            raise SignatureInvalid("signature.form", "SignedInfo holds more than references")
        yield _claim(reference, policy)


def _claim(reference: etree._Element, policy: AlgorithmPolicy) -> _Claim:
    names = [_ds(e) for e in reference]
    if names[-2:] != ["DigestMethod", "DigestValue"] or names[:-2] not in ([], ["Transforms"]):
        raise SignatureInvalid("signature.form", "reference is not as expected")
    uri = reference.get("URI")
    if uri is None:
        raise SignatureInvalid("signature.reference", "reference without URI")
    method = _algorithm(reference[-2], policy.digests)
    value = _octets(reference[-1])
    transforms = list(reference[0]) if len(reference) == 3 else []  # noqa: PLR2004 - see names
    if uri != "":
        if transforms:
            raise SignatureInvalid("signature.transform", "a part is not transformed")
        return _Claim(uri=uri, digest_method=method, digest=value)
    filtered, canonicalization, prefixes = _envelope_transforms(transforms, policy)
    return _Claim(
        uri="",
        digest_method=method,
        digest=value,
        filtered=filtered,
        canonicalization=canonicalization,
        prefixes=prefixes,
    )


def _envelope_transforms(
    transforms: list[etree._Element], policy: AlgorithmPolicy
) -> tuple[bool, str, tuple[str, ...]]:
    """Exactly: enveloped-signature, perhaps the ebMS filter, canonicalisation."""
    names = [t.get("Algorithm", "") if _ds(t) == "Transform" else "" for t in transforms]
    filtered = names[1:2] == [XPATH]
    if len(names) != 2 + filtered or names[0] != ENVELOPED or len(transforms[0]):
        raise SignatureInvalid("signature.transform", "transforms of the envelope")
    if filtered and not (len(transforms[1]) == 1 and _is_filter(transforms[1][0])):
        raise SignatureInvalid("signature.transform", "XPath is not that of ebMS")
    algorithm, prefixes = _canonicalization(transforms[-1], policy)
    return filtered, algorithm, prefixes


def _is_filter(expression: etree._Element) -> bool:
    return _ds(expression) == "XPath" and is_not_next(expression)


def _assign(
    claims: tuple[_Claim, ...], content_ids: frozenset[str]
) -> tuple[_Claim, dict[str, _Claim]]:
    """Give each claim its target; every target has exactly one."""
    whole = [c for c in claims if c.uri == ""]
    if len(whole) != 1:
        code = "signature.reference" if whole else "signature.uncovered"
        raise SignatureInvalid(code, "envelope must be referenced once")
    by_part: dict[str, _Claim] = {}
    for claim in claims:
        if claim.uri == "":
            continue
        target = resolve(claim.uri, content_ids)
        if target is None or target in by_part:
            raise SignatureInvalid("signature.reference", "reference to no part, or twice")
        by_part[target] = claim
    if by_part.keys() != content_ids:
        raise SignatureInvalid("signature.uncovered", "a part is not signed")
    return whole[0], by_part


def resolve(uri: str, content_ids: frozenset[str]) -> str | None:
    """Return the Content-ID that a `cid:` URI names, as written or decoded (RFC 2392)."""
    scheme, _, name = uri.partition(":")
    if scheme.lower() != "cid":
        return None
    return next((n for n in (name, unquote(name)) if n in content_ids), None)


def _covered_octets(tree: etree._Element, claim: _Claim) -> bytes:
    """Canonicalise the envelope without its signature and without what the filter leaves out."""
    copy = deepcopy(tree)
    if claim.filtered:
        leave_out_next(copy)
    cut(_only_signature(copy))
    return canonicalize(copy, claim.canonicalization, claim.prefixes)


def leave_out_next(envelope: etree._Element) -> None:
    """Apply the ebMS filter in place; only an empty SyncReply may fall outside."""
    for element in addressed_to_next(envelope):
        _only_sync_reply(element)
        cut(element)


def _only_sync_reply(element: etree._Element) -> None:
    parent = element.getparent()
    if (
        element.tag != _SYNC_REPLY
        or len(element)
        or (element.text or "").strip()
        or parent is None
        or parent.tag != HEADER
        or len(parent.findall(_SYNC_REPLY)) != 1
    ):
        raise SignatureInvalid("signature.uncovered", "an element is outside the signature")


def _check_digest(claim: _Claim, octets: bytes) -> None:
    if digest(octets, claim.digest_method) != claim.digest:
        where = "//Header/Signature" if claim.uri == "" else "//Body/Manifest/Reference"
        raise SignatureInvalid("signature.digest", "digest does not match", where=where)
