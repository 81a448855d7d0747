"""What the gateway itself says: ebMS signals, Bv01 and Fo01."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from lxml import etree

from gateway.directory import MSH_SERVICE, Agreement, Directory
from gateway.errors import GatewayError
from gateway.lifecycle import State
from gateway.message import (
    Aanlevering,
    Acknowledgment,
    Address,
    ErrorList,
    Header,
    MshAnswer,
    MshRequest,
    Oin,
)
from gateway.pipeline.house import House
from gateway.ports import (
    Admission,
    AuditEvent,
    DeliveryChannel,
    DeliveryKind,
    Direction,
    NewDelivery,
    NewHold,
    NewMessage,
    StoredPayload,
)
from gateway.rules import approval, routing
from gateway.security import seal
from gateway.security.open import Opened
from gateway.wire import stuf
from gateway.wire.ebms2 import plain, services, signals
from gateway.wire.ebms2.plain import PlainEnvelope
from gateway.wire.toets import GATEWAY, Stuur

APPLICATIE = GATEWAY
"""`zender/applicatie` of the answers that the gateway gives by itself."""

SIGNAL_TRIES = 4


def stuur(house: House, directory: Directory, to: Oin, at: datetime) -> Stuur:
    """Return the stuurgegevens of a message of the gate itself, with a new referentienummer."""
    return Stuur(
        zender=Address(organisatie=directory.me, applicatie=APPLICATIE),
        ontvanger=Address(organisatie=to, applicatie=APPLICATIE),
        referentienummer=house.dice.uuid(),
        at=at,
    )


def signal_header(house: House, request: Header, action: str, at: datetime) -> Header:
    """Turn the request round: same agreement and conversation, a new MessageId."""
    return Header(
        sender=request.receiver,
        receiver=request.sender,
        cpa_id=request.cpa_id,
        conversation_id=request.conversation_id,
        service=MSH_SERVICE,
        action=action,
        message_id=f"{house.dice.uuid()}@{request.receiver.id}",
        timestamp=at,
        ref_to_message_id=request.message_id,
    )


def _sign(
    house: House, agreement: Agreement, sender: str, envelope: PlainEnvelope | etree._Element
) -> bytes:
    signing = agreement.signals[sender].signing
    signer = house.keyring.signer(signing.certificate) if signing else None
    return seal.sign_signal(envelope, signing=signing, signer=signer)


def acknowledgment(house: House, opened: Opened, at: datetime) -> bytes:
    """Return the SOAP octets of the Acknowledgment: signed where asked, with the digests."""
    request = opened.header
    header = signal_header(house, request, "Acknowledgment", at)
    body = Acknowledgment(
        timestamp=at,
        ref_to_message_id=request.message_id,
        sender=request.receiver,
        references=opened.references if request.ack_signed else (),
    )
    envelope = plain.acknowledgment(header, body) or signals.acknowledgment(header, body)
    if not request.ack_signed:
        return seal.sign_signal(envelope, signing=None, signer=None)
    return _sign(house, opened.agreement, request.receiver.id, envelope)


def message_error(
    house: House, request: Header, agreement: Agreement, error: GatewayError, at: datetime
) -> bytes:
    """Return the SOAP octets of a MessageError, signed where the agreement signs signals."""
    header = signal_header(house, request, "MessageError", at)
    fault = signals.ebms_error(error)
    body = ErrorList(highest_severity=fault.severity, errors=(fault,))
    return _sign(house, agreement, request.receiver.id, signals.message_error(header, body))


def msh_answer(
    house: House, request: Header, agreement: Agreement, answer: MshAnswer, at: datetime
) -> bytes:
    """Return the SOAP octets of a Pong or StatusResponse, signed where signals are."""
    header = signal_header(house, request, answer.action, at)
    return _sign(house, agreement, request.receiver.id, services.answer(header, answer))


def msh_request(house: House, header: Header, agreement: Agreement, asked: MshRequest) -> bytes:
    """Return the SOAP octets of a Ping or StatusRequest, signed where signals are."""
    return _sign(house, agreement, header.sender.id, services.request(header, asked))


def signal_delivery(
    house: House, agreement: Agreement, receiver: Oin, action: str, sealed: StoredPayload
) -> NewDelivery:
    """Queue a signed signal: a few tries, then the partner's own retry brings it back."""
    return NewDelivery(
        id=house.dice.uuid(),
        recipient=receiver,
        channel=DeliveryChannel.EBMS2,
        kind=DeliveryKind.SIGNAL,
        state=State.READY,
        next_at=house.clock.now(),
        cpa_id=agreement.cpa_id,
        service=MSH_SERVICE,
        action=action,
        ground="signaal",
        retries=SIGNAL_TRIES - 1,
        sealed=sealed,
        duplicate_safe=True,
    )


async def own_answer(  # noqa: PLR0913 - the facts of one answer, all by name
    house: House,
    directory: Directory,
    *,
    octets: bytes,
    answered: str | None,
    party: Oin,
    at: datetime,
    backend: str = "",
    zaak: str = "",
    facts: Mapping[str, str] | None = None,
) -> Admission:
    """Make the admission of a Bv01 or Fo01 that this installation sends.

    Raises NoRoute when no agreement carries it.
    """
    document = stuf.read_document(octets)
    return await own_message(
        house,
        directory,
        document,
        version=answer_version(directory, document.name),
        party=party,
        at=at,
        answered=answered,
        backend=backend,
        zaak=zaak,
        facts=facts,
    )


async def own_message(  # noqa: PLR0913 - the facts of one message, all by name
    house: House,
    directory: Directory,
    document: stuf.Document,
    *,
    version: str,
    party: Oin,
    at: datetime,
    answered: str | None = None,
    backend: str = "",
    zaak: str = "",
    facts: Mapping[str, str] | None = None,
    desk: Oin | None = None,
) -> Admission:
    """Make the admission of a message that the gateway itself makes.

    With `desk` it goes no further than the officers here, who decide for that party. Raises
    NoRoute when no agreement carries it.
    """
    released = approval.own(document.sha256)
    if desk is not None:
        delivery = to_desk(house, desk, at=at, ground=released.ground, sha256=document.sha256)
    else:
        route = _route(directory, document, version, at)
        delivery = to_delivery(house, route, at=at, ground=released.ground, sha256=document.sha256)
    payload = await house.payloads.put(document.octets)
    identity = house.dice.uuid()
    zender = document.stuurgegevens.zender or Address(organisatie=party)
    message = NewMessage(
        id=identity,
        at=at,
        direction=Direction.OWN,
        party=party,
        cpa_id=delivery.cpa_id,
        message_id=stuf.message_id(zender, document.stuurgegevens.referentienummer),
        conversation_id=stuf.conversation_id(document.stuurgegevens),
        kind=document.name,
        version=version,
        stuurgegevens=document.stuurgegevens,
        payload=payload,
        content_sha256=document.sha256,
        aanlevering=Aanlevering(),
        zaak=zaak,
        backend=backend,
        fault=stuf.fault_of(document),
    )
    made = AuditEvent(
        event="message.made",
        at=at,
        message=identity,
        delivery=delivery.id,
        party=party,
        actor=backend or house.worker,
        data={
            "kind": document.name,
            "sha256": document.sha256,
            "channel": delivery.channel,
            **(facts or {}),
        },
    )
    return Admission(
        epoch=directory.epoch,
        message=message,
        deliveries=(delivery,),
        events=(made,),
        answers=answered,
    )


def _route(
    directory: Directory, document: stuf.Document, version: str, at: datetime
) -> routing.Route:
    return routing.route(
        document.stuurgegevens,
        document.name,
        version,
        directory=directory,
        received_from=None,
        origin=None,
        at=at,
    )


def to_desk(house: House, party: Oin, *, at: datetime, ground: str, sha256: str) -> NewDelivery:
    """Return the delivery to the officers here: it ends when they have decided."""
    return NewDelivery(
        id=house.dice.uuid(),
        recipient=party,
        channel=DeliveryChannel.DESK,
        kind=DeliveryKind.MESSAGE,
        state=State.READY,
        next_at=at,
        ground=ground,
        payload_sha256=sha256,
    )


def answer_version(directory: Directory, name: str) -> str:
    """Return the newest version of an answer in the catalogue."""
    return directory.catalogue.versions(name)[-1]


def to_delivery(  # noqa: PLR0913 - the facts of one delivery, all by name
    house: House,
    route: routing.Route,
    *,
    at: datetime,
    ground: str,
    sha256: str,
    state: State = State.READY,
    approval_id: str = "",
    table_version: str = "",
    hold: NewHold | None = None,
    twice: bool = False,
) -> NewDelivery:
    """Turn a route into the delivery row that follows it."""

    def new(recipient: Oin, channel: DeliveryChannel, lifetime: timedelta) -> NewDelivery:
        # Its TimeToLive as well: nothing is sent after the moment that an envelope names.
        return NewDelivery(
            id=house.dice.uuid(),
            recipient=recipient,
            channel=channel,
            kind=DeliveryKind.MESSAGE,
            state=state,
            next_at=at,
            ground=ground,
            approval_id=approval_id,
            table_version=table_version,
            payload_sha256=sha256,
            expires_at=at + lifetime if lifetime and state is State.READY else None,
            twice=twice,
            hold=hold,
        )

    match route:
        case routing.ToPostvak():
            made = new(route.party, DeliveryChannel.POSTVAK, timedelta(0))
            return replace(made, applicatie=route.applicatie)
        case routing.ToPartner():
            channel = route.binding.channel
            tries = 1 + channel.retries
            lifetime = max(channel.persist_duration, tries * channel.retry_interval)
            return replace(
                new(route.recipient, DeliveryChannel.EBMS2, lifetime),
                cpa_id=route.cpa_id,
                service=route.binding.service,
                action=route.binding.action,
                retries=channel.retries,
                retry_interval=channel.retry_interval,
                duplicate_safe=channel.duplicate_elimination,
            )
        case routing.ToMail():
            own = route.own
            return replace(
                new(route.recipient, DeliveryChannel.MAIL, own.lifetime),
                retries=own.lifetime // own.again,
                retry_interval=own.again,
            )
