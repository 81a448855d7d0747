"""Values that name what a message says. No I/O, no policy; everything is frozen."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

Oin = NewType("Oin", str)
"""Organisatie-identificatienummer: 20 digits (OIN-stelsel, chapter 6)."""

OIN_TYPE = "urn:osb:oin"


@dataclass(frozen=True, slots=True)
class PartyRef:
    """`eb:PartyId` with its type."""

    id: str
    type: str = OIN_TYPE


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME part behind the root part. `content_type` is unsigned: not trusted."""

    content_id: str
    """Without angle brackets."""
    content_type: str
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who is at the other end of the TLS connection."""

    certificate: bytes
    """DER, of a chain that the TLS library verified."""
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One HTTP request as it came over mutual TLS, the body within its limit."""

    body: bytes
    content_type: str
    soap_action: str
    peer: Peer
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WireMessage:
    """One HTTP body to send, or a synchronous answer."""

    body: bytes
    content_type: str
    soap_action: str = '"ebXML"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """`eb:MessageHeader` with AckRequested and SyncReply (ebMS 2.0, 3.1)."""

    sender: PartyRef
    receiver: PartyRef
    cpa_id: str
    conversation_id: str
    service: str
    action: str
    message_id: str
    timestamp: datetime
    sender_role: str | None = None
    receiver_role: str | None = None
    service_type: str | None = None
    ref_to_message_id: str | None = None
    time_to_live: datetime | None = None
    duplicate_elimination: bool = False
    ack_requested: bool = False
    ack_signed: bool = False
    sync_reply: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A `ds:Reference` that a verified signature covers."""

    uri: str
    digest_method: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Body of a user message: Content-IDs (without `cid:`), in order."""

    content_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgment:
    """`eb:Acknowledgment`: what was received, with the digests of the request."""

    timestamp: datetime
    ref_to_message_id: str
    sender: PartyRef | None = None
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class EbmsError:
    """One `eb:Error` of an ErrorList."""

    code: str
    severity: str
    location: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorList:
    """`eb:ErrorList` of a MessageError."""

    highest_severity: str
    errors: tuple[EbmsError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MshRequest:
    """A Ping or a StatusRequest (ebMS 2.0, 7.1 and 8.1)."""

    action: str
    ref_to_message_id: str | None = None
    """Of a StatusRequest: the message that is asked about."""


class MessageStatus(StrEnum):
    """`eb:messageStatus`: what an MSH says of a message that came to it (ebMS 2.0, 7.3.3)."""

    UNAUTHORIZED = "UnAuthorized"
    NOT_RECOGNIZED = "NotRecognized"
    RECEIVED = "Received"
    PROCESSED = "Processed"
    FORWARDED = "Forwarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class MshAnswer:
    """A Pong or a StatusResponse (ebMS 2.0, 7.2 and 8.2); its header refers to the request."""

    action: str
    about: str = ""
    """Of a StatusResponse: the message that was asked about."""
    status: MessageStatus | None = None
    """Of a StatusResponse."""
    received_at: datetime | None = None
    """When that message was received."""


Content = Manifest | Acknowledgment | ErrorList | MshRequest | MshAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A payload part as the sender signed it: the decrypted octets, unchanged."""

    content_id: str
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`zender` or `ontvanger` of the StUF stuurgegevens."""

    organisatie: str
    applicatie: str = ""
    administratie: str = ""
    gebruiker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuurgegevens:
    """The business envelope (StUF-koppelvlak Jeugdzorg, stuurgegevens)."""

    berichtcode: str
    zender: Address | None
    """None only on Bv01 and Fo01."""
    ontvanger: Address | None
    referentienummer: str
    tijdstip_bericht: str
    cross_refnummer: str = ""
    functie: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a Fo01 says without its texts, which may name a person."""

    code: str
    """The Foutcode, 1 to 7 letters, digits, dots and dashes; empty when it is anything else."""
    place: str
    """`client`: at who sent the refused message; `server`: at who refused it; or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aanlevering:
    """What a back-end says beside the document at hand-in (domain 9.3)."""

    acuut: bool | None = None
    onderzoek: bool | None = None
    wpg_artikel: str | None = None
    deel_van: str | None = None
    """Referentienummer of an own message of which this is the other part (a partial answer)."""
    vervangt: str | None = None
    """Referentienummer of an own message in whose place this comes: sent back, reduced."""

    def label(self) -> bytes:
        """Return all of it as octets, of which each are those of one hand-in only."""
        said = (self.acuut, self.onderzoek, self.wpg_artikel, self.deel_van, self.vervangt)
        return json.dumps(said, separators=(",", ":")).encode()
