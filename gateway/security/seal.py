"""From released to sealed: sign once per delivery, encrypt per attempt."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lxml import etree

from gateway.config import Canonical
from gateway.directory import Channel, Signing
from gateway.errors import GatewayError, IllegalTransition
from gateway.message import Header, Part, Payload, Reference, WireMessage
from gateway.rules.approval import Released
from gateway.security.algorithms import (
    C14N_EXCLUSIVE,
    C14N_INCLUSIVE,
    DIGIKOPPELING,
    AlgorithmPolicy,
    Signer,
    authenticated,
)
from gateway.security.dsig_make import Signed, serialize, sign_envelope
from gateway.security.dsig_plain import sign_plain
from gateway.security.xenc import encrypt_part
from gateway.wire import xml
from gateway.wire.ebms2 import plain
from gateway.wire.ebms2.header import user_message
from gateway.wire.ebms2.plain import PlainEnvelope
from gateway.wire.mime import XML, join

PAYLOAD_TYPE = "application/xml"
_CANONICAL = {Canonical.EXCLUSIVE: C14N_EXCLUSIVE, Canonical.INCLUSIVE: C14N_INCLUSIVE}
_OPENING = b"<?xml version='1.0' encoding='UTF-8'?>\n<soap:Envelope "
"""Of every envelope that is made here, and of no document: those have a StUF element there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A signed envelope: stored once, sent with every attempt."""

    envelope: bytes
    references: tuple[Reference, ...]
    """Empty when the agreement does not sign."""


def sign_message(
    released: Released,
    header: Header,
    payloads: tuple[Payload, ...],
    *,
    channel: Channel,
    signer: Signer | None,
) -> Sealed:
    """Build and sign the envelope of exactly the payload that was released.

    Raises IllegalTransition for other octets than the released ones, for a second payload,
    and without a signer where the agreement signs.
    """
    check_released(released, tuple(p.octets for p in payloads))
    content_ids = tuple(p.content_id for p in payloads)
    signed = _signed(
        plain.user_message(header, content_ids) or user_message(header, content_ids),
        {p.content_id: p.octets for p in payloads},
        channel.signing,
        signer,
    )
    return Sealed(envelope=signed.envelope, references=signed.references)


def _signed(
    envelope: PlainEnvelope | etree._Element,
    parts: Mapping[str, bytes],
    signing: Signing | None,
    signer: Signer | None,
) -> Signed:
    if signing is None:
        return Signed(envelope=_serialized(envelope), references=())
    if signer is None:
        raise IllegalTransition("seal without signer")
    if isinstance(envelope, PlainEnvelope):
        if signing.canonical is Canonical.EXCLUSIVE:
            return sign_plain(envelope, parts, signing=signing, signer=signer)
        envelope = xml.parse(_serialized(envelope), where="//Envelope")
    return sign_envelope(
        envelope,
        parts,
        signing=signing,
        signer=signer,
        canonicalization=_CANONICAL[signing.canonical],
    )


def _serialized(envelope: PlainEnvelope | etree._Element) -> bytes:
    if isinstance(envelope, PlainEnvelope):
        return envelope.head + envelope.tail
    return serialize(envelope)


def check_released(released: Released, payloads: tuple[bytes, ...]) -> None:
    """Return when these octets were released: one payload, named by its hash, and nothing else.

    Raises IllegalTransition.
    """
    digests = [hashlib.sha256(octets).hexdigest() for octets in payloads]
    if digests != [released.payload_sha256]:
        raise IllegalTransition("seal of a payload that was not released")


def encrypt_message(
    envelope: bytes,
    payloads: tuple[Payload, ...],
    *,
    channel: Channel,
    random: Callable[[int], bytes],
    boundary: str,
    policy: AlgorithmPolicy = DIGIKOPPELING,
) -> WireMessage:
    """Return the HTTP body; parts are encrypted where the agreement says so.

    `policy` is what counts for the receiver now. The caller has judged the encryption
    certificate for this moment. Raises PolicyViolation `encryption.algorithm`, and GatewayError
    `payload.tampered` for an envelope that was not made here.
    """
    _check_made_here(envelope)
    parts = tuple(_part(payload, channel, random, policy) for payload in payloads)
    root_cid = f"{hashlib.sha256(envelope).hexdigest()[:32]}@envelope"
    return join(envelope, root_cid, parts, boundary=boundary)


def _part(
    payload: Payload, channel: Channel, random: Callable[[int], bytes], policy: AlgorithmPolicy
) -> Part:
    if channel.encryption is None:
        return Part(payload.content_id, PAYLOAD_TYPE, payload.octets)
    if channel.signing is None:
        policy = authenticated(policy)
    return encrypt_part(
        payload, channel.encryption, media_type=PAYLOAD_TYPE, random=random, policy=policy
    )


def sign_signal(
    envelope: PlainEnvelope | etree._Element, *, signing: Signing | None, signer: Signer | None
) -> bytes:
    """Return the octets of an MSH signal, signed when `signing` says how."""
    return _signed(envelope, {}, signing, signer).envelope


def wire_signal(envelope: bytes) -> WireMessage:
    """Return the HTTP body of a signal: plain text/xml, no MIME.

    Raises GatewayError `payload.tampered` for what was not made here.
    """
    _check_made_here(envelope)
    return WireMessage(body=envelope, content_type=XML)


def _check_made_here(envelope: bytes) -> None:
    """A row says which stored octets are the envelope: they must not be a document."""
    if not envelope.startswith(_OPENING):
        raise GatewayError("payload.tampered", "what is stored as an envelope is none of ours")
