"""From claimed to opened: what an ebMS message says becomes what its sender said.

The header was read before anything was proven, because it selects the agreement. Here it
is held against the agreement, the parts are decrypted, the signature is verified over the
header and the decrypted parts, and the header is read once more from the octets that were
signed. The result is made of those alone.

An envelope that is octet by octet what we would write for its own values (`Claimed.plain`)
needs no parser for that: its signed octets are known. Whatever is in doubt goes the long way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from gateway.config_algorithms import Weakness
from gateway.directory import Agreement, Binding, Channel, Limits
from gateway.errors import (
    CertificateRejected,
    DecryptionFailed,
    Expired,
    Malformed,
    SignatureInvalid,
    TooLarge,
)
from gateway.message import (
    Content,
    Header,
    Manifest,
    Oin,
    Part,
    PartyRef,
    Payload,
    Reference,
)
from gateway.security.agreed import MESSAGE, hold_against
from gateway.security.algorithms import (
    DIGIKOPPELING,
    AlgorithmPolicy,
    Decrypter,
    authenticated,
)
from gateway.security.certificates import Identity, TrustStore, Usage, bare_oin
from gateway.security.dsig import Verified, has_signature, resolve, verify_envelope
from gateway.security.dsig_plain import verify_plain
from gateway.security.weak import weaknesses
from gateway.security.xenc import decrypt_part, is_encrypted
from gateway.wire import xml
from gateway.wire.ebms2.header import Claimed, read_envelope
from gateway.wire.toets import limit_for

MANIFEST = "//Body/Manifest"


class Decrypters(Protocol):
    """Our private keys, by certificate (DER). Raises Misconfigured `keys.missing`."""

    def decrypter(self, certificate: bytes) -> Decrypter: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A message as its sender signed it, or, where nothing is signed, as it was agreed."""

    header: Header
    content: Content
    agreement: Agreement
    binding: Binding | None
    """None for signals and MSH requests."""
    sender: PartyRef
    payloads: tuple[Payload, ...]
    """In the order of the Manifest, decrypted."""
    references: tuple[Reference, ...]
    """Of the verified signature; empty when the message is not signed."""
    signer: Identity | None
    envelope: bytes
    """Octets of the envelope as received: the evidence."""
    weaknesses: frozenset[Weakness] = frozenset()
    """Exceptions without which it had been refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Means:
    """What the judgement is made with."""

    trust: TrustStore
    keyring: Decrypters
    limits: Limits
    at: datetime
    policy: AlgorithmPolicy
    mandates: frozenset[Oin]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """What the signature proved; for an unsigned message, what was claimed."""

    header: Header
    content: Content
    references: tuple[Reference, ...] = ()
    signer: Identity | None = None
    algorithms: frozenset[str] = frozenset()


def open_message(  # noqa: PLR0913 - the facts of one judgement, all by name
    claimed: Claimed,
    agreement: Agreement,
    *,
    trust: TrustStore,
    keyring: Decrypters,
    limits: Limits,
    at: datetime,
    policy: AlgorithmPolicy = DIGIKOPPELING,
    mandates: frozenset[Oin] = frozenset(),
    late: bool = False,
) -> Opened:
    """Prove the message, or raise.

    The caller has matched the TLS peer to the sender and knows that the receiver is a
    party here; whether an unsigned signal counts is its decision too (`signer` is None).
    `mandates` are OINs that may sign for the sender (DK-BP EB014). A cipher without a tag counts
    only for what is signed, whatever the `policy`: until the signature is verified, a wrong key
    and changed cipher text look like a changed payload, `signature.digest`. With `late` the caller
    checks TimeToLive itself, by `in_time`. Raises UnknownAgreement,
    PolicyViolation `header.inconsistent`, Malformed `mime.*` and `header.timestamp`,
    DecryptionFailed, SignatureInvalid, CertificateRejected, RevocationUnknown, TooLarge
    `payload.too_large`, Expired `ttl.expired`, Misconfigured `keys.*`.
    """
    means = _Means(
        trust=trust, keyring=keyring, limits=limits, at=at, policy=policy, mandates=mandates
    )
    # (1) (2) The parties and the header are those of the agreement.
    agreed = hold_against(agreement, claimed.header, claimed.content)
    # (3) Every part is in the Manifest, everything in the Manifest is a part.
    parts = _match_manifest(claimed.content, claimed.parts)
    # (4) Parts are encrypted exactly where that was agreed.
    decrypted = tuple(_payload(part, agreed.channel, means) for part in parts)
    payloads = tuple(payload for payload, _ in decrypted)
    # (5) (6) (7) The signature, its signer, and the header once more.
    proof = _prove(claimed, payloads, agreed.channel, means)
    # Not before: whether octets that nobody signed fit would tell how they were padded.
    _check_sizes(payloads, most=limit_for(claimed.header.action, limits))
    # (8) It is neither too late nor too early.
    if not late:
        in_time(proof.header, at)
    _check_clock(proof.header, limits, at)
    return Opened(
        header=proof.header,
        content=proof.content,
        agreement=agreement,
        binding=agreed.binding,
        sender=proof.header.sender,
        payloads=payloads,
        references=proof.references,
        signer=proof.signer,
        envelope=claimed.root,
        weaknesses=weaknesses(proof.algorithms.union(*(by for _, by in decrypted))),
    )


# --- (3) manifest and parts -----------------------------------------------------------


def _match_manifest(content: Content, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return the parts in the order of the Manifest, one for each reference."""
    by_id = {part.content_id: part for part in parts}
    wanted = content.content_ids if isinstance(content, Manifest) else ()
    found = [resolve(f"cid:{cid}", frozenset(by_id)) for cid in wanted]
    if isinstance(content, Manifest) and not wanted:
        raise Malformed("mime.missing_part", "message has no payload", where=MANIFEST)
    if None in found or len(set(found)) != len(found):
        raise Malformed(
            "mime.missing_part", "Manifest refers to no part", where=f"{MANIFEST}/Reference"
        )
    if len(found) != len(parts):
        raise Malformed("mime.unreferenced_part", "a part is not in the Manifest", where=MANIFEST)
    return tuple(by_id[name] for name in found if name is not None)


# --- (4) encryption -------------------------------------------------------------------


def _payload(part: Part, channel: Channel, means: _Means) -> tuple[Payload, frozenset[str]]:
    """Return the payload, and the algorithms by which it was encrypted."""
    try:
        return _decrypted(part, channel, means)
    except DecryptionFailed as error:
        error.part = part.content_id
        raise


def _decrypted(part: Part, channel: Channel, means: _Means) -> tuple[Payload, frozenset[str]]:
    if channel.encryption is None:
        if is_encrypted(part):
            raise DecryptionFailed("decryption.unexpected", "encryption was not agreed")
        return Payload(content_id=part.content_id, octets=part.octets), frozenset()
    decrypter = means.keyring.decrypter(channel.encryption.certificate)
    policy = means.policy if channel.signing is not None else authenticated(means.policy)
    found = decrypt_part(part, decrypter, policy=policy)
    payload = Payload(content_id=part.content_id, octets=found.octets)
    return payload, frozenset({found.cipher, found.key_transport})


def _check_sizes(payloads: tuple[Payload, ...], *, most: int) -> None:
    if any(len(payload.octets) > most for payload in payloads):
        raise TooLarge("payload.too_large", "payload is larger than allowed", where=MANIFEST)


# --- (5) (6) (7) signature ------------------------------------------------------------


def _prove(
    claimed: Claimed, payloads: tuple[Payload, ...], channel: Channel, means: _Means
) -> _Proof:
    present = claimed.plain is not None or has_signature(claimed.tree)
    if channel.signing is None and present:
        raise SignatureInvalid("signature.unexpected", "signing was not agreed")
    is_signal = not isinstance(claimed.content, Manifest)
    if channel.signing is None or (is_signal and not present):
        return _Proof(header=claimed.header, content=claimed.content)
    # (5) The signature covers the envelope and every payload as it was decrypted.
    verified = _verify(claimed, payloads, channel.signing.certificate, means.policy)
    # (6) The header could name anyone: the signer must be the sender (DK-BP EB005).
    signer = means.trust.judge(verified.certificate, Usage.SIGN, means.at)
    if signer.oin not in {bare_oin(claimed.header.sender.id), *means.mandates}:
        raise CertificateRejected("certificate.party", "signer is not the sender")
    # (7) What was used to come here is what was signed.
    header, content = _reread(claimed, verified)
    return _Proof(
        header=header,
        content=content,
        references=verified.references,
        signer=signer,
        algorithms=frozenset(_used(verified)),
    )


def _used(verified: Verified) -> Iterator[str]:
    yield verified.algorithm
    yield from (reference.digest_method for reference in verified.references)


def _verify(
    claimed: Claimed, payloads: tuple[Payload, ...], certificate: bytes, policy: AlgorithmPolicy
) -> Verified:
    parts = {p.content_id: p.octets for p in payloads}
    if claimed.plain is not None:
        found = verify_plain(claimed.plain, parts, policy=policy, certificates=(certificate,))
        if found is not None:
            return found
    return verify_envelope(claimed.tree, parts, policy=policy, certificates=(certificate,))


def _reread(claimed: Claimed, verified: Verified) -> tuple[Header, Content]:
    """Read the octets that were digested: comments and all that is not signed are gone.

    SyncReply alone may be outside the signature; it was held against the agreement.
    """
    if claimed.plain is not None and claimed.plain.envelope.canonical == verified.envelope:
        # Written from header and content: it says this and nothing else.
        return claimed.header, claimed.content
    header, content = read_envelope(xml.parse(verified.envelope, where="//Envelope"))
    if header.sync_reply != claimed.header.sync_reply:
        header = replace(header, sync_reply=claimed.header.sync_reply)
    if (header, content) != (claimed.header, claimed.content):
        raise SignatureInvalid("signature.header", "header differs from what was signed")
    return header, content


# --- (8) time -------------------------------------------------------------------------


def in_time(header: Header, at: datetime) -> None:
    """Raise Expired `ttl.expired` when TimeToLive has passed (ebMS 2.0, 3.1.6.4)."""
    if header.time_to_live is not None and at >= header.time_to_live:
        where = f"{MESSAGE}/MessageData/TimeToLive"
        raise Expired("ttl.expired", "TimeToLive has passed", where=where)


def _check_clock(header: Header, limits: Limits, at: datetime) -> None:
    where = f"{MESSAGE}/MessageData"
    if header.timestamp > at + limits.clock_skew:
        raise Malformed(
            "header.timestamp", "Timestamp is in the future", where=f"{where}/Timestamp"
        )
