"""What a partner asks our MSH: is it there (Ping), what became of a message (StatusRequest).

ebMS 2.0, chapters 7 and 8. Only who is proven is answered, as the agreement signs; nothing is
taken in. Of a message is told only to who sent it, under the agreement that it came by: of any
other the answer is that it is not known. How often one partner may ask is bounded.
"""

import asyncio
from datetime import datetime, timedelta

from gateway.directory import Agreement
from gateway.errors import GatewayError, Limited, SignatureInvalid
from gateway.message import Header, MessageStatus, MshAnswer, MshRequest, Oin, WireMessage
from gateway.pipeline import answers, excepted
from gateway.pipeline.house import House
from gateway.ports import Answer, AuditEvent, Endpoint, Known
from gateway.rules.bucket import SECOND, Pace, take
from gateway.security import seal
from gateway.security.open import Opened

PACE = Pace(per_minute=60, burst=30)
"""Of each partner. What is more gets 503."""
LATER = timedelta(seconds=30)
"""How long is tried to bring an answer over a connection of our own: once."""
MOST_LATER = 32
"""Answers that are brought at once; of each partner `MOST_EACH`. What is more is asked again."""
MOST_EACH = 4


class Serving:
    """Answers what partners ask the MSH."""

    def __init__(self, house: House) -> None:
        """Take the ports; keep how often each partner asked, and what is still being brought."""
        self._house = house
        self._full_at: dict[Oin, int] = {}
        self._under_way: dict[asyncio.Task[None], Oin] = {}

    async def answer(self, opened: Opened, at: datetime) -> Answer:
        """Answer a Ping or StatusRequest in the HTTP answer, or over a connection of our own.

        The caller proved the partner. Raises Limited `enquiry.pace`, SignatureInvalid
        `signature.missing` for a Ping that must be signed and is not, StoreUnavailable.
        """
        header, party = opened.header, Oin(opened.header.sender.id)
        self._keep_pace(party)
        await excepted.received(self._house, opened, at)
        found, known = await self._found(opened)
        octets = answers.msh_answer(self._house, header, opened.agreement, found, at)
        await self._house.inbox.note(_served(opened, found, known, at))
        message = seal.wire_signal(octets)
        if header.sync_reply:
            return Answer(status=200, message=message)
        self._bring(opened.agreement, header, message)
        return Answer(status=204)

    async def close(self) -> None:
        """End what is still being brought: who asked asks again."""
        left = tuple(self._under_way)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _keep_pace(self, party: Oin) -> None:
        now = int(self._house.clock.monotonic() * SECOND)
        taken = take(self._full_at.get(party, 0), now, PACE)
        self._full_at[party] = taken.full_at
        if not taken.granted:
            seconds = -(-taken.wait // SECOND)
            raise Limited("enquiry.pace", "partner asks too often", seconds=seconds)

    async def _found(self, opened: Opened) -> tuple[MshAnswer, Known | None]:
        """Return what is told, and the message that it is about."""
        header, asked = opened.header, opened.content
        signing = opened.agreement.signals[header.sender.id].signing
        unsigned = signing is not None and opened.signer is None
        if not isinstance(asked, MshRequest) or asked.ref_to_message_id is None:
            if unsigned:
                raise SignatureInvalid("signature.missing", "request is not signed")
            return MshAnswer(action="Pong"), None
        about = asked.ref_to_message_id
        if unsigned:
            return _status(about, MessageStatus.UNAUTHORIZED), None
        known = await self._house.inbox.find(Oin(header.sender.id), header.cpa_id, about)
        if known is None:
            return _status(about, MessageStatus.NOT_RECOGNIZED), None
        processed = known.answer or not known.accepted
        status = MessageStatus.PROCESSED if processed else MessageStatus.RECEIVED
        return _status(about, status, known.at), known

    def _bring(self, agreement: Agreement, request: Header, message: WireMessage) -> None:
        """Post it once, beside the HTTP answer; nothing of it is kept."""
        party = Oin(request.sender.id)
        mine = sum(one == party for one in self._under_way.values())
        if mine >= MOST_EACH or len(self._under_way) >= MOST_LATER:
            self._house.count.refused("enquiry.busy")
            return
        channel = agreement.signals[request.receiver.id]
        endpoint = Endpoint(
            url=channel.endpoint, party=party, client_certificate=channel.client_certificate
        )
        task = asyncio.create_task(self._tried(endpoint, message))
        self._under_way[task] = party
        task.add_done_callback(lambda done: self._under_way.pop(done, None))

    async def _tried(self, endpoint: Endpoint, message: WireMessage) -> None:
        try:
            async with asyncio.timeout(LATER.total_seconds()):
                await self._house.network.post(endpoint, message)
        except GatewayError as error:
            self._house.count.refused(error.code)
        except TimeoutError:
            self._house.count.refused("answer.timeout")


def _status(about: str, status: MessageStatus, at: datetime | None = None) -> MshAnswer:
    return MshAnswer(action="StatusResponse", about=about, status=status, received_at=at)


def _served(opened: Opened, found: MshAnswer, known: Known | None, at: datetime) -> AuditEvent:
    return AuditEvent(
        event="enquiry.served",
        at=at,
        message=known.id if known else "",
        party=opened.header.sender.id,
        data={
            "enquiry": opened.header.message_id,
            "answer": found.action,
            "status": str(found.status or ""),
            "cpa_id": opened.header.cpa_id,
        },
    )
