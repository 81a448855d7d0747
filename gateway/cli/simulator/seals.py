"""What a partner signs and encrypts: by the gateway's own code, and wrong where it must be."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from os import urandom
from uuid import uuid4

from gateway.cli.demo.letter import sealed
from gateway.cli.simulator.script import Bevestiging
from gateway.directory import MSH_SERVICE, Binding, Directory, Limits
from gateway.message import Acknowledgment, Header, Oin, Reference, WireMessage
from gateway.ports import Keyring
from gateway.security import seal
from gateway.security.certificates import TrustStore
from gateway.security.open import Opened, open_message
from gateway.wire.ebms2 import header as wire
from gateway.wire.ebms2 import signals

DOMAIN = "simulator.dkintern.nl"
_SIGNATURE = re.compile(rb"(<(?:\w+:)?SignatureValue>\s*)(\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seals:
    """The keys and the trust of one party."""

    oin: Oin
    directory: Directory
    trust: TrustStore
    keyring: Keyring

    def message(self, octets: bytes, binding: Binding, cpa_id: str, *, broken: bool) -> WireMessage:
        """Return the HTTP body of a message; `broken`: its signature is not right."""
        made = sealed(octets, binding, cpa_id=cpa_id, keyring=self.keyring, domain=DOMAIN)
        return replace(made, body=break_signature(made.body)) if broken else made

    def acknowledgment(self, opened: Opened, how: Bevestiging) -> WireMessage:
        """Return the Acknowledgment as a message of its own."""
        request, at = opened.header, datetime.now(UTC)
        header = Header(
            sender=request.receiver,
            receiver=request.sender,
            cpa_id=request.cpa_id,
            conversation_id=request.conversation_id,
            service=MSH_SERVICE,
            action="Acknowledgment",
            message_id=f"{uuid4()}@{self.oin}.{DOMAIN}",
            timestamp=at,
            ref_to_message_id=request.message_id,
        )
        references = opened.references if request.ack_signed else ()
        if how is Bevestiging.ONJUIST:
            references = tuple(_other_digest(one) for one in references)
        body = Acknowledgment(
            timestamp=at,
            ref_to_message_id=request.message_id,
            sender=request.receiver,
            references=references,
        )
        signing = opened.agreement.signals[self.oin].signing if request.ack_signed else None
        if how is Bevestiging.ONGETEKEND:
            signing = None
        signer = self.keyring.signer(signing.certificate) if signing else None
        envelope = signals.acknowledgment(header, body)
        return seal.wire_signal(seal.sign_signal(envelope, signing=signing, signer=signer))

    def open(self, body: bytes, content_type: str) -> Opened:
        """Decrypt and verify; raises GatewayError as `open_message`."""
        at = datetime.now(UTC)
        claimed = wire.read(body, content_type, limits=Limits())
        agreement = self.directory.agreement(claimed.header.cpa_id, at=at)
        return open_message(
            claimed, agreement, trust=self.trust, keyring=self.keyring, limits=Limits(), at=at
        )


def _other_digest(reference: Reference) -> Reference:
    return replace(reference, digest=urandom(len(reference.digest)))


def break_signature(body: bytes) -> bytes:
    """Change the first character of the signature value; a body without one stays as it is."""

    def changed(found: "re.Match[bytes]") -> bytes:
        return found[1] + (b"B" if found[2] == b"A" else b"A")

    return _SIGNATURE.sub(changed, body, count=1)
