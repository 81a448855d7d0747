"""A message comes in over ebMS2.

The order is the security of it:

(1) read the package; the header only selects the agreement,
(2) the TLS peer must be the party that the header names, judged for this request,
(3) open: decrypt, verify, bind the header again to the signed octets,
(4) signals settle deliveries; a message that comes too late is only looked up,
(5) judge the document, route it,
(6) one commit: message, deliveries, acknowledgement, audit; what it finds to be known by its
    id is answered from the store,
(7) only then the HTTP answer.
"""

from datetime import datetime
from functools import partial
from typing import assert_never

from gateway.directory import Agreement, Directory, Party
from gateway.errors import (
    DuplicateConflict,
    Expired,
    GatewayError,
    Malformed,
    OutcomeUnknown,
    PolicyViolation,
    Refused,
    SignatureInvalid,
    Unavailable,
    UnknownAgreement,
)
from gateway.message import (
    Acknowledgment,
    ErrorList,
    Header,
    Inbound,
    Manifest,
    MshRequest,
    Oin,
    Reference,
    WireMessage,
)
from gateway.pipeline import answers, excepted
from gateway.pipeline.admit import Admitting, content_sha256
from gateway.pipeline.house import House
from gateway.pipeline.rethinking import rethinking
from gateway.pipeline.unproven import Unproven
from gateway.ports import Answer, AuditEvent, Known, SignalReceived
from gateway.security import seal
from gateway.security.certificates import Usage, acts_for, thumbprint
from gateway.security.open import Opened, in_time, open_message
from gateway.security.weak import policy_for
from gateway.wire.ebms2 import header as wire
from gateway.wire.ebms2 import signals

_FROM = "//Header/MessageHeader/From/PartyId"


class Receiver:
    """The inbound half of an installation."""

    def __init__(self, house: House) -> None:
        """Take the ports; keep only the counters of unproven input."""
        self._house = house
        self._unproven = Unproven()
        self._admitting = Admitting(house)

    async def receive(self, inbound: Inbound) -> Answer:
        """Answer one request; never raises. Nothing is answered before it is committed."""
        try:
            return await rethinking(self._house.snapshots, lambda: self._receive(inbound))
        except Unavailable as error:
            return self._unavailable(error)
        except GatewayError as error:
            return await self._fault(inbound, error)

    async def close(self) -> None:
        """Write down what was still being counted."""
        rows = self._unproven.flush(self._house.clock.now(), everything=True)
        if rows:
            await self._house.inbox.note(*rows)

    async def _receive(self, inbound: Inbound) -> Answer:
        directory = self._house.snapshots.current()
        limits = directory.limits
        # (1)
        claimed = await self._house.think(
            len(inbound.body),
            lambda: wire.read(inbound.body, inbound.content_type, limits=limits),
        )
        agreement = directory.agreement(claimed.header.cpa_id, at=inbound.at)
        # (2)
        party = self._match_peer(directory, agreement, claimed.header, inbound)
        # (3)
        header = claimed.header
        try:
            opened = await self._house.think(
                len(inbound.body),
                partial(
                    open_message,
                    claimed,
                    agreement,
                    trust=self._house.snapshots.trust(directory),
                    keyring=self._house.keyring,
                    limits=limits,
                    at=inbound.at,
                    policy=policy_for(party, inbound.at),
                    late=True,
                ),
            )
            del claimed  # of a large message the parts as they came are large too
            return await self._opened(directory, opened, inbound.at)
        except Refused as error:
            return await self._refuse(inbound, header, agreement, error)

    def _match_peer(
        self, directory: Directory, agreement: Agreement, header: Header, inbound: Inbound
    ) -> Party:
        """Return the sender: the certificate holder, or who gave that one a recorded mandate."""
        if header.sender not in agreement.parties:
            raise UnknownAgreement(
                "agreement.party", "sender is not a party of the agreement", where=_FROM
            )
        receiver = directory.party(header.receiver.id)
        if receiver is None or not receiver.local:
            raise UnknownAgreement(
                "agreement.receiver",
                "receiver is not a party of this installation",
                where="//Header/MessageHeader/To/PartyId",
            )
        trust = self._house.snapshots.trust(directory)
        identity = trust.judge(inbound.peer.certificate, Usage.TLS_CLIENT, inbound.at)
        party = directory.party(header.sender.id)
        if party is None or not acts_for(identity, party):
            raise PolicyViolation(
                "peer.oin",
                "TLS client certificate is not of the sending party",
                where=_FROM,
            )
        if party.oin in directory.suspended:
            raise Unavailable("party.suspended", "party is suspended here")
        return party

    async def _opened(self, directory: Directory, opened: Opened, at: datetime) -> Answer:
        # (4)
        match opened.content:
            case Acknowledgment() | ErrorList():
                in_time(opened.header, at)
                await self.take_signal(opened, at)
                return Answer(status=204)
            case MshRequest():
                raise Malformed(
                    "header.not_supported",
                    "MSH service request is not supported",
                    where="//Header/MessageHeader/Action",
                )
            case Manifest():
                return await self._message(directory, opened, at)
            case _:
                assert_never(opened.content)

    async def _message(self, directory: Directory, opened: Opened, at: datetime) -> Answer:
        header = opened.header
        await excepted.received(self._house, opened, at)
        try:
            in_time(header, at)
        except Expired:
            # A retry that comes late still gets the acknowledgement of the first.
            return await self._known(opened, at)
        # (5) (6) Most messages are new: that this one is not is found by the commit.
        signal = answers.acknowledgment(self._house, opened, at) if header.ack_requested else b""
        if await self._admitting.admit(directory, opened, signal, at):
            return await self._known(opened, at)
        # (7)
        if not (signal and header.sync_reply):
            return Answer(status=204)
        return Answer(status=200, message=seal.wire_signal(signal))

    async def _known(self, opened: Opened, at: datetime) -> Answer:
        """Answer from the store; raise Expired for what is late and not there."""
        header = opened.header
        known = await self._house.inbox.find(Oin(header.sender.id), *_ids(header))
        if known is None:
            in_time(header, at)
            raise OutcomeUnknown("message.gone", "a message that was known is not there")
        return await self._again(known, opened, at)

    async def _again(self, known: Known, opened: Opened, at: datetime) -> Answer:
        """The same id came before: the stored acknowledgement again, or a conflict."""
        if set(known.references) != set(opened.references) or not _same(known, opened):
            raise DuplicateConflict(
                "duplicate.message_id",
                "MessageId was used before for other content",
                where="//Header/MessageHeader/MessageData/MessageId",
            )
        event = AuditEvent(
            event="message.duplicate",
            at=at,
            message=known.id,
            party=known.party,
            data={"message_id": known.message_id},
        )
        self._house.count.received(known.kind, "duplicate")
        if known.acknowledgment is None:
            await self._house.inbox.note(event)
            return Answer(status=204)
        if opened.header.sync_reply:
            await self._house.inbox.note(event)
            return Answer(status=200, message=seal.wire_signal(known.acknowledgment))
        await self._house.inbox.repeat_acknowledgment(
            known.id, id_=self._house.dice.uuid(), event=event
        )
        return Answer(status=204)

    async def take_signal(self, opened: Opened, at: datetime) -> None:
        """Settle the delivery that an Acknowledgment or MessageError is about.

        It counts only when it is signed, where the agreement signs signals (3.1b).
        """
        agreement = opened.agreement
        sender = opened.header.sender.id
        asked = any(b.channel.ack_signed for b in agreement.bindings if b.receiver.id == sender)
        content = opened.content
        must_sign = asked or (
            isinstance(content, ErrorList) and agreement.signals[sender].signing is not None
        )
        if must_sign and opened.signer is None:
            raise SignatureInvalid("signature.missing", "signal is not signed")
        await excepted.received(self._house, opened, at)
        signal = _signal(opened, at, asked=asked)
        if isinstance(content, ErrorList) and not signal.error:
            # Warnings neither confirm nor refuse: they are written down.
            await self._house.inbox.note(_warned(opened, at))
            return
        await self._house.signals.receive(signal)

    # --- refusals ---------------------------------------------------------------------

    async def _refuse(
        self, inbound: Inbound, header: Header, agreement: Agreement, error: Refused
    ) -> Answer:
        """The peer is who it says: tell it by a MessageError, in the answer itself."""
        await self._write_down(inbound, error, party=header.sender.id)
        if _is_signal(header):
            return Answer(status=204)
        octets = answers.message_error(self._house, header, agreement, error, inbound.at)
        return Answer(status=200, message=seal.wire_signal(octets))

    async def _fault(self, inbound: Inbound, error: GatewayError) -> Answer:
        """Nobody is proven: a bland SOAP Fault."""
        await self._write_down(inbound, error)
        return _soap_fault(error, 500)

    async def _write_down(self, inbound: Inbound, error: GatewayError, party: str = "") -> None:
        self._house.count.refused(error.code)
        source = thumbprint(inbound.peer.certificate)[:16]
        rows = self._unproven.refuse(source, error, inbound.at, party=party)
        if rows:
            await self._house.inbox.note(*rows)

    def _unavailable(self, error: Unavailable) -> Answer:
        self._house.count.refused(error.code)
        return _soap_fault(error, 503)


def _soap_fault(error: GatewayError, status: int) -> Answer:
    body = signals.soap_fault(error)
    return Answer(
        status=status, message=WireMessage(body=body, content_type="text/xml; charset=UTF-8")
    )


def _is_signal(header: Header) -> bool:
    """Never answer an error with an error."""
    return header.action in {"Acknowledgment", "MessageError"}


def _ids(header: Header) -> tuple[str, str]:
    return header.cpa_id, header.message_id


def _same(known: Known, opened: Opened) -> bool:
    """In unsigned profiles there are no references: compare the payload."""
    return bool(opened.references) or known.content_sha256 == content_sha256(opened)


def _warned(opened: Opened, at: datetime) -> AuditEvent:
    errors = opened.content.errors if isinstance(opened.content, ErrorList) else ()
    return AuditEvent(
        event="signal.warning",
        at=at,
        code=",".join(sorted({signals.known_code(e.code) for e in errors})),
        party=opened.header.sender.id,
        data={"cpa_id": opened.header.cpa_id},
    )


def _signal(opened: Opened, at: datetime, *, asked: bool) -> SignalReceived:
    header, content = opened.header, opened.content
    error, location = "", ""
    refers_to = header.ref_to_message_id or ""
    references: tuple[Reference, ...] = ()
    if isinstance(content, Acknowledgment):
        refers_to, references = content.ref_to_message_id, content.references
    elif isinstance(content, ErrorList):
        first = next((e for e in content.errors if e.severity == "Error"), None)
        if first is not None:
            error = signals.known_code(first.code)
            location = signals.known_location(first.location)
    return SignalReceived(
        party=Oin(header.sender.id),
        cpa_id=header.cpa_id,
        message_id=header.message_id,
        ref_to_message_id=refers_to,
        at=at,
        references=references,
        references_required=asked and isinstance(content, Acknowledgment),
        error=error,
        error_location=location,
        evidence=opened.envelope,
    )
