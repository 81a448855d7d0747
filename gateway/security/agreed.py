"""Holding a claimed header against the agreement that it names (DK-ebMS2, CPA)."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.directory import MSH_SERVICE, Agreement, Binding, Channel, SyncReply
from gateway.errors import PolicyViolation, UnknownAgreement
from gateway.message import (
    Acknowledgment,
    Content,
    ErrorList,
    Header,
    Manifest,
    MshAnswer,
    MshRequest,
    Oin,
)
from gateway.security.certificates import Usage

MESSAGE = "//Header/MessageHeader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What the agreement says about this message."""

    binding: Binding | None
    """None for signals and MSH requests."""
    channel: Channel


def hold_against(agreement: Agreement, header: Header, content: Content) -> Agreed:
    """Return what was agreed for this message.

    Raises UnknownAgreement `agreement.party`, `.action` or `.signals`, and PolicyViolation
    `header.inconsistent` with the location of what is not as agreed.
    """
    # (1) The parties are those of the agreement, and it lets the sender send this.
    _check_parties(header, agreement)
    binding = _binding(header, content, agreement)
    channel = binding.channel if binding else _signal_channel(header, agreement)
    # (2) The header asks for what was agreed, and for nothing else.
    for where, kept in _demands(header, content, binding, channel):
        if not kept:
            raise _inconsistent(where)
    return Agreed(binding=binding, channel=channel)


def _check_parties(header: Header, agreement: Agreement) -> None:
    pair = {header.sender, header.receiver}
    if header.cpa_id != agreement.cpa_id or pair != set(agreement.parties):
        raise UnknownAgreement(
            "agreement.party", "parties are not those of the agreement", where=f"{MESSAGE}/From"
        )


def _binding(header: Header, content: Content, agreement: Agreement) -> Binding | None:
    """Return the binding of a user message; what it carries must fit its service."""
    match content:
        case Manifest():
            if header.service == MSH_SERVICE:
                raise _inconsistent(f"{MESSAGE}/Action")
            return _agreed_binding(header, agreement)
        case Acknowledgment():
            expected = "Acknowledgment"
        case ErrorList():
            expected = "MessageError"
        case MshRequest() | MshAnswer():
            expected = content.action
    if (header.service, header.action) != (MSH_SERVICE, expected):
        raise _inconsistent(f"{MESSAGE}/Action")
    return None


def _agreed_binding(header: Header, agreement: Agreement) -> Binding:
    """Return it, or say which of both is not known: Service or Action."""
    sender = header.sender.id
    try:
        return agreement.binding(sender, header.service, header.action)
    except UnknownAgreement as error:
        known = (sender, header.service) in {(b.sender.id, b.service) for b in agreement.bindings}
        error.where = f"{MESSAGE}/{'Action' if known else 'Service'}"
        raise


def _signal_channel(header: Header, agreement: Agreement) -> Channel:
    channel = agreement.signals.get(header.sender.id)
    if channel is None:
        raise UnknownAgreement("agreement.signals", "agreement has no channel for signals")
    return channel


def _inconsistent(where: str) -> PolicyViolation:
    return PolicyViolation("header.inconsistent", "not as agreed in the CPA", where=where)


_Demand = tuple[str, bool]
"""(location, whether it is as agreed)."""


def _demands(
    header: Header, content: Content, binding: Binding | None, channel: Channel
) -> Iterator[_Demand]:
    ack = "//Header/AckRequested"
    synchronous = channel.sync_reply is not SyncReply.NONE
    if binding is None:
        # A signal is never acknowledged (ebMS 2.0, 6.3.1). Of a request to the MSH the answer may
        # be asked for on the same connection, where that was agreed.
        yield ack, not header.ack_requested
        may = synchronous and isinstance(content, MshRequest)
        yield "//Header/SyncReply", may or not header.sync_reply
        if isinstance(content, Acknowledgment):
            yield from _says_it_once(header, content)
        return
    yield f"{MESSAGE}/From/Role", header.sender_role == binding.sender_role
    yield f"{MESSAGE}/To/Role", header.receiver_role == binding.receiver_role
    yield f"{MESSAGE}/Service/@type", (header.service_type or "") == binding.service_type
    yield ack, header.ack_requested == channel.ack_requested
    yield f"{ack}/@signed", header.ack_signed == channel.ack_signed
    eliminated = header.duplicate_elimination == channel.duplicate_elimination
    yield f"{MESSAGE}/DuplicateElimination", eliminated
    yield "//Header/SyncReply", header.sync_reply == synchronous


def _says_it_once(header: Header, ack: Acknowledgment) -> Iterator[_Demand]:
    """Who acknowledges, and what, may stand in two places (ebMS 2.0, 6.3.2.3 and 6.3.2.4)."""
    where = "//Header/Acknowledgment"
    yield f"{where}/From/PartyId", ack.sender is None or ack.sender.id == header.sender.id
    about = header.ref_to_message_id
    yield f"{where}/RefToMessageId", about is None or about == ack.ref_to_message_id


# --- certificates -----------------------------------------------------------------------


def certificates_of(agreement: Agreement) -> Iterator[tuple[Usage, bytes, Oin]]:
    """Yield use, DER and owner of what an agreement names; one may come more than once."""
    for binding in agreement.bindings:
        yield from _of_channel(binding.channel, binding.sender.id, binding.receiver.id)
    for sender, channel in agreement.signals.items():
        yield from _of_channel(channel, sender, agreement.other(sender).id)


def _of_channel(channel: Channel, sender: str, receiver: str) -> Iterator[tuple[Usage, bytes, Oin]]:
    if channel.signing is not None:
        yield Usage.SIGN, channel.signing.certificate, Oin(sender)
    if channel.encryption is not None:
        yield Usage.ENCRYPT, channel.encryption.certificate, Oin(receiver)
    if channel.client_certificate is not None:
        yield Usage.TLS_CLIENT, channel.client_certificate, Oin(sender)
    if channel.server_certificate is not None:
        yield Usage.TLS_SERVER, channel.server_certificate, Oin(receiver)
