"""The signature of `dsig_make` over an envelope that was written as text, exclusive C14N only.

SignedInfo is written in its canonical form, signed, and shortened to what travels: octet by
octet the same as the tree of `dsig_make` gives.
"""

from base64 import b64encode
from collections.abc import Mapping

from gateway.directory import Signing
from gateway.errors import SignatureInvalid
from gateway.message import Reference
from gateway.security.algorithms import C14N_EXCLUSIVE, ENVELOPED, XPATH, Signer
from gateway.security.c14n import XPATH_NOT_NEXT
from gateway.security.dsig import DS
from gateway.security.dsig_make import Signed, check_agreed
from gateway.security.primitives import digest
from gateway.wire.ebms2.plain import PlainEnvelope, is_plain

_XMLNS = f' xmlns:ds="{DS}"'
_TRANSFORMS = (
    f'<ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'
    f'<ds:Transform Algorithm="{XPATH}"><ds:XPath>{XPATH_NOT_NEXT}</ds:XPath></ds:Transform>'
    f'<ds:Transform Algorithm="{C14N_EXCLUSIVE}"></ds:Transform></ds:Transforms>'
)
_EMPTY = ("CanonicalizationMethod", "SignatureMethod", "Transform", "DigestMethod")


def sign_plain(
    envelope: PlainEnvelope,
    parts: Mapping[str, bytes],
    *,
    signing: Signing,
    signer: Signer,
) -> Signed:
    """Return the envelope with its signature as last header, and what was signed.

    The Content-IDs of `parts` need no escaping, as those in the envelope. Raises as
    `dsig_make.sign_envelope`.
    """
    check_agreed(signing, signer)
    if not is_plain(*parts):
        raise SignatureInvalid("signature.form", "a Content-ID can not be written as it is")
    method = signing.digest_algorithm
    references = (
        Reference("", method, digest(envelope.canonical, method)),
        *(Reference(f"cid:{cid}", method, digest(o, method)) for cid, o in parts.items()),
    )
    info = _signed_info(references, signing.signature_algorithm)
    value = signer.sign(info.encode("ascii"), algorithm=signing.signature_algorithm)
    signature = (
        f"<ds:Signature>{_travelling(info)}"
        f"<ds:SignatureValue>{_base64(value)}</ds:SignatureValue>"
        f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{_base64(signer.certificate)}"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
    )
    octets = b"".join((envelope.head, signature.encode("ascii"), envelope.tail))
    return Signed(envelope=octets, references=references)


def _signed_info(references: tuple[Reference, ...], algorithm: str) -> str:
    return (
        f"<ds:SignedInfo{_XMLNS}>"
        f'<ds:CanonicalizationMethod Algorithm="{C14N_EXCLUSIVE}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{algorithm}"></ds:SignatureMethod>'
        f"{''.join(_reference(one) for one in references)}</ds:SignedInfo>"
    )


def _reference(reference: Reference) -> str:
    return (
        f'<ds:Reference URI="{reference.uri}">{_TRANSFORMS if reference.uri == "" else ""}'
        f'<ds:DigestMethod Algorithm="{reference.digest_method}"></ds:DigestMethod>'
        f"<ds:DigestValue>{_base64(reference.digest)}</ds:DigestValue></ds:Reference>"
    )


def _travelling(info: str) -> str:
    text = info.replace(_XMLNS, "", 1)
    for name in _EMPTY:
        text = text.replace(f'"></ds:{name}>', '"/>')
    return text


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
