"""A message of a party without an access point: signed and encrypted, nothing checked."""

from datetime import UTC, datetime
from hashlib import sha256
from os import urandom
from uuid import uuid4

from gateway.directory import Binding
from gateway.message import Header, Payload, WireMessage
from gateway.ports import Keyring
from gateway.rules import approval
from gateway.security import seal


def sealed(
    octets: bytes, binding: Binding, *, cpa_id: str, keyring: Keyring, domain: str
) -> WireMessage:
    """Return the HTTP body for the receiver of the binding; `domain` ends its MessageId."""
    channel, at = binding.channel, datetime.now(UTC)
    message_id = f"{uuid4()}@{binding.sender.id}.{domain}"
    header = Header(
        sender=binding.sender,
        receiver=binding.receiver,
        sender_role=binding.sender_role,
        receiver_role=binding.receiver_role,
        cpa_id=cpa_id,
        conversation_id=message_id,
        service=binding.service,
        service_type=binding.service_type,
        action=binding.action,
        message_id=message_id,
        timestamp=at,
        time_to_live=at + (1 + channel.retries) * channel.retry_interval,
        duplicate_elimination=channel.duplicate_elimination,
        ack_requested=channel.ack_requested,
        ack_signed=channel.ack_signed,
    )
    payload = Payload(content_id=f"payload@{message_id}", octets=octets)
    released = approval.own(sha256(octets).hexdigest())
    signer = keyring.signer(channel.signing.certificate) if channel.signing else None
    signed = seal.sign_message(released, header, (payload,), channel=channel, signer=signer)
    return seal.encrypt_message(
        signed.envelope, (payload,), channel=channel, random=urandom, boundary=f"=_{uuid4()}"
    )
