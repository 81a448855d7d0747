"""The signature of `dsig_make` and `dsig`, over an envelope that is written as text."""

from collections.abc import Mapping

from gateway.directory import Signing
from gateway.errors import SignatureInvalid
from gateway.message import Reference
from gateway.security.algorithms import C14N_EXCLUSIVE, AlgorithmPolicy, Signer
from gateway.security.dsig import Verified, agreed_key
from gateway.security.dsig_make import Signed, check_agreed
from gateway.security.primitives import digest, verify_value
from gateway.wire.ebms2.plain import PlainEnvelope, is_plain
from gateway.wire.ebms2.plain_read import PlainSigned
from gateway.wire.ebms2.plain_signature import signature, signed_info


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
    info = signed_info(references, signing.signature_algorithm)
    value = signer.sign(info.encode("ascii"), algorithm=signing.signature_algorithm)
    text = signature(info, value, signer.certificate)
    octets = b"".join((envelope.head, text.encode("ascii"), envelope.tail))
    return Signed(envelope=octets, references=references)


def verify_plain(
    message: PlainSigned,
    parts: Mapping[str, bytes],
    *,
    policy: AlgorithmPolicy,
    certificates: tuple[bytes, ...],
) -> Verified | None:
    """Verify as `dsig.verify_envelope`; None when anything at all is wrong or in doubt.

    The caller then asks `dsig.verify_envelope`, which says what it is.
    """
    try:
        _verify(message, parts, policy, certificates)
    except SignatureInvalid:
        return None
    return Verified(
        references=message.references,
        certificate=message.certificate,
        algorithm=message.algorithm,
        envelope=message.envelope.canonical,
        covered=frozenset(parts),
    )


def _verify(
    message: PlainSigned,
    parts: Mapping[str, bytes],
    policy: AlgorithmPolicy,
    certificates: tuple[bytes, ...],
) -> None:
    """The order of `dsig.verify_envelope`: certificate, signature, targets, digests."""
    if message.certificate not in certificates:
        raise _doubt()
    if C14N_EXCLUSIVE not in policy.canonicalizations:
        raise _doubt()
    if message.algorithm not in policy.signatures:
        raise _doubt()
    key = agreed_key(message.certificate, policy)
    verify_value(key, message.value, message.info.encode("ascii"), algorithm=message.algorithm)
    covered = {"": message.envelope.canonical, **{f"cid:{cid}": o for cid, o in parts.items()}}
    if [one.uri for one in message.references] != list(covered):
        raise _doubt()
    for one in message.references:
        if one.digest_method not in policy.digests:
            raise _doubt()
        if digest(covered[one.uri], one.digest_method) != one.digest:
            raise _doubt()


def _doubt() -> SignatureInvalid:
    return SignatureInvalid("signature.form", "not as it would be written")
