"""A message comes in over ebMS2.

The order is the security of it:

(1) read the package; the header only selects the agreement,
(2) the TLS peer must be the party that the header names, judged for this request,
(3) open: decrypt, verify, bind the header again to the signed octets,
(4) signals settle deliveries, questions to the MSH are answered; a message that comes too late
    is only looked up,
(5) judge the document, route it,
(6) one commit: message, deliveries, acknowledgement, audit; what it finds to be known by its
    id is answered from the store,
(7) only then the HTTP answer.
"""

from datetime import datetime
from functools import partial
from typing import assert_never

from gateway.directory import MSH_SERVICE, Agreement, Directory, Party
from gateway.errors import (
    DuplicateConflict,
    Expired,
    GatewayError,
    OutcomeUnknown,
    PolicyViolation,
    Refused,
    Unavailable,
    UnknownAgreement,
)
from gateway.message import (
    Acknowledgment,
    ErrorList,
    Header,
    Inbound,
    Manifest,
    MshAnswer,
    MshRequest,
    Oin,
    WireMessage,
)
from gateway.pipeline import answers, excepted
from gateway.pipeline.admit import Admitting, content_sha256
from gateway.pipeline.house import House
from gateway.pipeline.rethinking import rethinking
from gateway.pipeline.serving import Serving
from gateway.pipeline.signalling import Signalling
from gateway.pipeline.unproven import Unproven
from gateway.ports import Answer, AuditEvent, Known
from gateway.security import seal
from gateway.security.certificates import Usage, acts_for, thumbprint
from gateway.security.open import Opened, in_time, open_message
from gateway.security.weak import policy_for
from gateway.wire.ebms2 import header as wire
from gateway.wire.ebms2 import signals

_FROM = "//Header/MessageHeader/From/PartyId"
_SIGNALS = frozenset({"Acknowledgment", "MessageError", "Pong", "StatusResponse"})


class Receiver:
    """The inbound half of an installation."""

    def __init__(self, house: House, signalling: Signalling) -> None:
        """Take the ports, and what takes signals; keep only the counters of unproven input."""
        self._house = house
        self._signalling = signalling
        self._serving = Serving(house)
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
        """End what is under way; write down what was still being counted."""
        await self._serving.close()
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
            case Acknowledgment() | ErrorList() | MshAnswer():
                in_time(opened.header, at)
                await self._signalling.take(opened, at)
                return Answer(status=204)
            case MshRequest():
                in_time(opened.header, at)
                return await self._serving.answer(opened, at)
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
    """Never answer an answer."""
    return header.service == MSH_SERVICE and header.action in _SIGNALS


def _ids(header: Header) -> tuple[str, str]:
    return header.cpa_id, header.message_id


def _same(known: Known, opened: Opened) -> bool:
    """In unsigned profiles there are no references: compare the payload and what is on file."""
    if opened.references:
        return True
    told = (content_sha256(opened), opened.header.conversation_id)
    return (known.content_sha256, known.conversation_id) == told
