"""The signature of an envelope that is written as text: exclusive C14N, the ebMS filter.

SignedInfo is written in its canonical form and shortened to what travels: octet by octet what
the tree of `gateway.security.dsig_make` gives. No value needs escaping: see `plain.is_plain`.
"""

from base64 import b64encode

from gateway.message import Reference
from gateway.wire.ebms2.names import C14N_EXCLUSIVE, DS, ENVELOPED, XPATH, XPATH_NOT_NEXT

_XMLNS = f' xmlns:ds="{DS}"'
_TRANSFORMS = (
    f'<ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'
    f'<ds:Transform Algorithm="{XPATH}"><ds:XPath>{XPATH_NOT_NEXT}</ds:XPath></ds:Transform>'
    f'<ds:Transform Algorithm="{C14N_EXCLUSIVE}"></ds:Transform></ds:Transforms>'
)
_EMPTY = ("CanonicalizationMethod", "SignatureMethod", "Transform", "DigestMethod")


def _travelling(info: str) -> str:
    text = info.replace(_XMLNS, "", 1)
    for name in _EMPTY:
        text = text.replace(f'"></ds:{name}>', '"/>')
    return text


TRANSFORMS = _travelling(_TRANSFORMS)
"""Of the envelope, as they travel."""


def signed_info(references: tuple[Reference, ...], algorithm: str) -> str:
    """Return the canonical SignedInfo; the reference without URI is the envelope."""
    return (
        f"<ds:SignedInfo{_XMLNS}>"
        f'<ds:CanonicalizationMethod Algorithm="{C14N_EXCLUSIVE}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{algorithm}"></ds:SignatureMethod>'
        f"{''.join(_reference(one) for one in references)}</ds:SignedInfo>"
    )


def signature(info: str, value: bytes, certificate: bytes) -> str:
    """Return the ds:Signature as it travels, around a canonical SignedInfo."""
    return (
        f"<ds:Signature>{_travelling(info)}"
        f"<ds:SignatureValue>{_base64(value)}</ds:SignatureValue>"
        f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{_base64(certificate)}"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
    )


def _reference(reference: Reference) -> str:
    return (
        f'<ds:Reference URI="{reference.uri}">{_TRANSFORMS if reference.uri == "" else ""}'
        f'<ds:DigestMethod Algorithm="{reference.digest_method}"></ds:DigestMethod>'
        f"<ds:DigestValue>{_base64(reference.digest)}</ds:DigestValue></ds:Reference>"
    )


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
