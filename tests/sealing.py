"""Two parties with keys, an agreement per profile, and messages that cross between them."""

import re
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import count

from cryptography.hazmat.primitives import serialization

from gateway.directory import (
    MSH_SERVICE,
    Agreement,
    Binding,
    Channel,
    Encryption,
    Limits,
    Signing,
    SyncReply,
)
from gateway.errors import Misconfigured
from gateway.keys.keystore import SoftwareAgreer, SoftwareDecrypter, SoftwareSigner
from gateway.keys.test_pki import Leaf
from gateway.message import Header, Part, PartyRef, Payload, WireMessage
from gateway.rules import approval
from gateway.security import seal
from gateway.security.algorithms import (
    AES256_GCM,
    DIGIKOPPELING,
    RSA_SHA256,
    SHA256,
    AlgorithmPolicy,
)
from gateway.security.certificates import TrustStore
from gateway.security.open import Opened, open_message
from gateway.wire.ebms2 import header as wire
from gateway.wire.mime import join
from tests import pki
from tests.pki import AT, leaf

ALICE = pki.POLITIE
BOB = pki.KNOOPPUNT
SERVICE = "corv:jeugdzorg:1.0"
ACTION = "vtMeldingDi01"
LIMITS = Limits()
DOCUMENT = '<?xml version="1.0"?>\r\n<a:melding xmlns:a="urn:a">Zoë &amp; co\n</a:melding>'.encode()


@cache
def trust() -> TrustStore:
    return TrustStore(pki.trust())


@cache
def load_key(pem: bytes):
    """Return the private key; once, for the check of its primes takes long."""
    return serialization.load_pem_private_key(pem, None)


class Keys:
    """A keyring of leaves in memory."""

    def __init__(self, *leaves: Leaf) -> None:
        self._leaves = {one.certificate: one for one in leaves}

    def _key(self, certificate: bytes):
        if certificate not in self._leaves:
            raise Misconfigured("keys.missing", "no key")
        return load_key(self._leaves[certificate].key)

    def signer(self, certificate: bytes) -> SoftwareSigner:
        return SoftwareSigner(certificate, self._key(certificate))

    def decrypter(self, certificate: bytes) -> SoftwareDecrypter:
        return SoftwareDecrypter(certificate, self._key(certificate))

    def agreer(self, certificate: bytes) -> SoftwareAgreer:
        return SoftwareAgreer(certificate, self._key(certificate))


@cache
def keys() -> Keys:
    return Keys(*(leaf(oin, usage) for oin in (ALICE, BOB) for usage in ("sign", "encrypt")))


def signing(oin: str = ALICE, **changes) -> Signing:
    base = Signing(
        signature_algorithm=RSA_SHA256,
        digest_algorithm=SHA256,
        certificate=leaf(oin, "sign").certificate,
    )
    return replace(base, **changes)


def channel(profile: str, *, sender: str = ALICE, receiver: str = BOB) -> Channel:
    reliable, signed = profile.startswith("osb-rm"), not profile.endswith(("be", "rm"))
    encryption = Encryption(algorithm=AES256_GCM, certificate=leaf(receiver, "encrypt").certificate)
    return Channel(
        endpoint="https://bob.example/ebms",
        ack_requested=reliable,
        ack_signed=reliable and signed,
        duplicate_elimination=reliable,
        sync_reply=SyncReply.NONE,
        retries=8 if reliable else 0,
        retry_interval=timedelta(hours=3),
        persist_duration=timedelta(days=2),
        signing=signing(sender) if signed else None,
        encryption=encryption if profile.endswith("-e") else None,
        client_certificate=None,
        server_certificate=None,
    )


def agreement(profile: str = "osb-rm-e", **changes) -> Agreement:
    """Alice may send vtMeldingDi01 to Bob. `changes` are those of the channel."""
    alice, bob = PartyRef(ALICE), PartyRef(BOB)
    binding = Binding(
        sender=alice,
        receiver=bob,
        sender_role="VERZENDER",
        receiver_role="ONTVANGER",
        service=SERVICE,
        service_type="urn:osb:services",
        action=ACTION,
        channel=replace(channel(profile), **changes),
    )
    return Agreement(
        cpa_id="cpa-1",
        status="agreed",
        start=AT - timedelta(days=1),
        end=AT + timedelta(days=1),
        parties=(alice, bob),
        bindings=(binding,),
        signals={
            ALICE: channel(profile),
            BOB: channel(profile, sender=BOB, receiver=ALICE),
        },
    )


def header(agreed: Agreement, **changes) -> Header:
    binding = agreed.bindings[0]
    base = Header(
        sender=binding.sender,
        receiver=binding.receiver,
        sender_role=binding.sender_role,
        receiver_role=binding.receiver_role,
        cpa_id=agreed.cpa_id,
        conversation_id="conversation-1",
        service=binding.service,
        service_type=binding.service_type,
        action=binding.action,
        message_id="message-1@alice.example",
        timestamp=AT,
        time_to_live=AT + timedelta(hours=27),
        duplicate_elimination=binding.channel.duplicate_elimination,
        ack_requested=binding.channel.ack_requested,
        ack_signed=binding.channel.ack_signed,
        sync_reply=binding.channel.sync_reply is not SyncReply.NONE,
    )
    return replace(base, **changes)


def signal_header(action: str, **changes) -> Header:
    """Bob answers Alice."""
    base = Header(
        sender=PartyRef(BOB),
        receiver=PartyRef(ALICE),
        cpa_id="cpa-1",
        conversation_id="conversation-1",
        service=MSH_SERVICE,
        action=action,
        message_id="signal-1@bob.example",
        timestamp=AT,
        ref_to_message_id="message-1@alice.example",
    )
    return replace(base, **changes)


def payload(octets: bytes = DOCUMENT) -> Payload:
    return Payload(content_id="payload-1@alice.example", octets=octets)


def last_octet_changed(part: Part) -> Part:
    """Return the encrypted part with another authentication tag."""
    value = re.findall(rb"CipherValue>([^<]+)</", part.octets)[-1]
    plain = bytearray(b64decode(value.replace(b"&#13;", b"")))
    plain[-1] ^= 1
    octets = part.octets.replace(value, b64encode(bytes(plain)))
    return Part(part.content_id, part.content_type, octets)


def octets_from(seed: int = 0):
    """Return dice that give other octets at every throw, the same in every run."""
    throws = count(seed)

    def octets(size: int) -> bytes:
        return sha256(b"%d" % next(throws)).digest()[:size]

    return octets


def sealed(agreed: Agreement, octets: bytes = DOCUMENT, **changes) -> seal.Sealed:
    """Sign a message of Alice. `changes` are those of the header."""
    way = agreed.bindings[0].channel
    return seal.sign_message(
        approval.own(sha256(octets).hexdigest()),
        header(agreed, **changes),
        (payload(octets),),
        channel=way,
        signer=keys().signer(way.signing.certificate) if way.signing else None,
    )


def on_the_wire(
    agreed: Agreement,
    envelope: bytes,
    octets: bytes = DOCUMENT,
    *,
    policy: AlgorithmPolicy = DIGIKOPPELING,
) -> WireMessage:
    return seal.encrypt_message(
        envelope,
        (payload(octets),),
        channel=agreed.bindings[0].channel,
        random=octets_from(),
        boundary="=_boundary",
        policy=policy,
    )


def carried(envelope: bytes, octets: bytes = DOCUMENT) -> WireMessage:
    """An envelope of another program with the payload beside it, not encrypted."""
    part = Part(payload(octets).content_id, seal.PAYLOAD_TYPE, octets)
    return join(envelope, "envelope@alice.example", (part,), boundary="=_boundary")


def send(agreed: Agreement, octets: bytes = DOCUMENT, **changes) -> WireMessage:
    return on_the_wire(agreed, sealed(agreed, octets, **changes).envelope, octets)


def open_wire(
    message: WireMessage,
    agreed: Agreement,
    *,
    at: datetime = AT,
    policy: AlgorithmPolicy = DIGIKOPPELING,
) -> Opened:
    claimed = wire.read(message.body, message.content_type, limits=LIMITS)
    return open_message(
        claimed, agreed, trust=trust(), keyring=keys(), limits=LIMITS, at=at, policy=policy
    )
