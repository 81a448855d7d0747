"""Signals of partners: what settles a delivery, and what answers a question of ours.

They come by themselves or in an HTTP answer, and count in the same way.
"""

from datetime import datetime

from gateway.errors import Malformed, SignatureInvalid
from gateway.message import Acknowledgment, ErrorList, MshAnswer, Oin, Reference
from gateway.pipeline import excepted
from gateway.pipeline.house import House
from gateway.ports import AuditEvent, SignalReceived
from gateway.ports.enquiries import EnquiryAnswer
from gateway.security.open import Opened
from gateway.wire.ebms2 import signals

_ACTION = "//Header/MessageHeader/Action"


class Signalling:
    """Takes signals that were opened."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house

    async def take(self, opened: Opened, at: datetime) -> None:
        """Settle the delivery, or close the question, that a signal is about.

        It counts only when it is signed, where the agreement signs signals (3.1b). Raises
        SignatureInvalid `signature.missing`; Malformed `answer.kind` for what is no signal.
        """
        agreement = opened.agreement
        sender = opened.header.sender.id
        content = opened.content
        if not isinstance(content, Acknowledgment | ErrorList | MshAnswer):
            raise Malformed("answer.kind", "the answer is not a signal", where=_ACTION)
        asked = any(b.channel.ack_signed for b in agreement.bindings if b.receiver.id == sender)
        signs = agreement.signals[sender].signing is not None
        must_sign = asked or (signs and not isinstance(content, Acknowledgment))
        if must_sign and opened.signer is None:
            raise SignatureInvalid("signature.missing", "signal is not signed")
        await excepted.received(self._house, opened, at)
        if isinstance(content, MshAnswer):
            await self._answered(opened, content)
            return
        signal = _signal(opened, content, at, asked=asked)
        if isinstance(content, ErrorList) and not signal.error:
            # Warnings neither confirm nor refuse: they are written down.
            await self._house.inbox.note(_warned(opened, content, at))
            return
        if signal.error and await self._house.enquiries.answer(_refusal(signal)):
            return
        await self._house.signals.receive(signal)

    async def _answered(self, opened: Opened, content: MshAnswer) -> None:
        """Write a Pong or StatusResponse down; one to what was not asked is only counted."""
        header = opened.header
        answer = EnquiryAnswer(
            id=header.message_id,
            enquiry=header.ref_to_message_id or "",
            party=Oin(header.sender.id),
            cpa_id=header.cpa_id,
            action=content.action,
            about=content.about,
            status=content.status,
            received_at=content.received_at,
        )
        if not await self._house.enquiries.answer(answer):
            self._house.count.refused("enquiry.unasked")


def _warned(opened: Opened, content: ErrorList, at: datetime) -> AuditEvent:
    return AuditEvent(
        event="signal.warning",
        at=at,
        code=",".join(sorted({signals.known_code(e.code) for e in content.errors})),
        party=opened.header.sender.id,
        data={"cpa_id": opened.header.cpa_id},
    )


def _refusal(signal: SignalReceived) -> EnquiryAnswer:
    """Return a MessageError as what it is if it is about a question of ours."""
    return EnquiryAnswer(
        id=signal.message_id,
        enquiry=signal.ref_to_message_id,
        party=signal.party,
        cpa_id=signal.cpa_id,
        action="MessageError",
        error=signal.error,
    )


def _signal(
    opened: Opened, content: Acknowledgment | ErrorList, at: datetime, *, asked: bool
) -> SignalReceived:
    header = opened.header
    error, location = "", ""
    refers_to = header.ref_to_message_id or ""
    references: tuple[Reference, ...] = ()
    if isinstance(content, Acknowledgment):
        refers_to, references = content.ref_to_message_id, content.references
    else:
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
