"""What we ask the MSH of a partner: is it there (Ping), did a message arrive (StatusRequest).

ebMS 2.0, chapters 7 and 8. A question is written down, sent once, and its answer waited for: in
the HTTP answer or, where the agreement has it so, over a connection that the partner makes, perhaps
to another process of ours. What is answered is shown to people and written down. It settles
nothing: it holds no digest of what would have arrived.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from gateway.directory import MSH_SERVICE, Agreement, Directory, SyncReply
from gateway.errors import GatewayError, NoRoute, PolicyViolation
from gateway.message import Header, MessageStatus, MshRequest, Oin
from gateway.pipeline import answers
from gateway.pipeline.house import House
from gateway.pipeline.replies import open_reply
from gateway.pipeline.signalling import Signalling
from gateway.ports import Endpoint
from gateway.ports.enquiries import Answered, Enquiry
from gateway.ports.switching import Switchable
from gateway.security import seal

LOOK = 0.05
"""Seconds between two looks whether the answer came."""
_ANSWERS = {"Ping": "Pong", "StatusRequest": "StatusResponse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of a question."""

    party: Oin
    answered: Answered | None
    """None = no answer in time."""
    code: str
    """Dotted code of why there is none, or `ebms.*`: the partner refused the question."""
    seconds: float

    @property
    def status(self) -> MessageStatus | None:
        """Return what the partner says of the message; None when he says nothing of it."""
        return None if self.answered is None else self.answered.status

    @property
    def word(self) -> str:
        """Return the status, or `Pong`; empty for no answer and for a refused question."""
        if self.answered is None or self.answered.error:
            return ""
        return self.answered.status or "Pong"


class Enquiring:
    """Asks partners."""

    def __init__(self, house: House, signalling: Signalling) -> None:
        """Take the ports, and what takes the answers."""
        self._house = house
        self._signalling = signalling

    async def ping(self, party: Oin, *, who: str) -> Heard:
        """Ask whether a partner is there. Raises NoRoute `partner.onbekend`, `partner.afspraak`.

        Takes `patience` of the house at most.
        """
        directory = self._house.snapshots.current()
        if party == directory.me or directory.party(party) is None:
            raise NoRoute("partner.onbekend", "Er is geen andere partij met dit OIN.", where=party)
        agreed = directory.between(directory.me, party, at=self._house.clock.now())
        if not agreed:
            raise NoRoute("partner.afspraak", "Er is geen CPA van kracht met deze partij.")
        asked = MshRequest(action="Ping")
        return await self._ask(directory, agreed[0], asked, who=who, of=None)

    async def status(self, id_: str, *, who: str) -> Heard:
        """Ask the recipient what became of a message; `id_` is of the message or its delivery.

        Raises NoRoute `bericht.onvindbaar`, PolicyViolation `navraag.nooit_verzonden`.
        """
        standing = await self._house.switches.standing(id_)
        if standing is None:
            raise NoRoute("bericht.onvindbaar", "Er is geen verzending over ebMS met dit id.")
        if standing.attempts == 0:
            raise PolicyViolation(
                "navraag.nooit_verzonden",
                "Dit bericht is nog nooit verzonden: er is niets te vragen.",
            )
        return await self.status_of(standing, who=who)

    async def status_of(self, standing: Switchable, *, who: str) -> Heard:
        """Ask what became of a message that was sent at least once."""
        directory, at = self._house.snapshots.current(), self._house.clock.now()
        try:
            agreement = directory.agreement(standing.cpa_id, at=at)
        except GatewayError as error:
            return Heard(party=standing.recipient, answered=None, code=error.code, seconds=0)
        asked = MshRequest(action="StatusRequest", ref_to_message_id=standing.message.message_id)
        return await self._ask(directory, agreement, asked, who=who, of=standing)

    # --- asking -----------------------------------------------------------------------

    async def _ask(
        self,
        directory: Directory,
        agreement: Agreement,
        asked: MshRequest,
        *,
        who: str,
        of: Switchable | None,
    ) -> Heard:
        clock = self._house.clock
        header = self._header(directory, agreement, asked, clock.now())
        enquiry = Enquiry(
            id=header.message_id,
            party=Oin(header.receiver.id),
            cpa_id=header.cpa_id,
            answer=_ANSWERS[asked.action],
            about=asked.ref_to_message_id or "",
            delivery=of.delivery if of else "",
            message=of.message.id if of else "",
            who=who,
            at=header.timestamp,
        )
        await self._house.enquiries.ask(enquiry)
        started = clock.monotonic()
        code = await self._send(directory, agreement, header, asked)
        answered = await self._house.enquiries.answered(enquiry.id)
        if answered is None:
            await self._house.enquiries.silent(enquiry, code)
        elif answered.error:
            code = f"ebms.{answered.error}"
        return Heard(
            party=enquiry.party,
            answered=answered,
            code=code,
            seconds=clock.monotonic() - started,
        )

    async def _send(
        self, directory: Directory, agreement: Agreement, header: Header, asked: MshRequest
    ) -> str:
        """Post the question and wait for its answer; return the code of why there is none."""
        try:
            async with asyncio.timeout(self._house.patience.total_seconds()):
                code = await self._post(directory, agreement, header, asked)
                # It may come to another process, which rings no bell here.
                while not code and await self._unanswered(header.message_id):  # noqa: ASYNC110 - so
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            return "answer.timeout"
        except GatewayError as error:
            return error.code
        return code

    async def _unanswered(self, id_: str) -> bool:
        return await self._house.enquiries.answered(id_) is None

    async def _post(
        self, directory: Directory, agreement: Agreement, header: Header, asked: MshRequest
    ) -> str:
        """Return the code of why no answer is to be waited for; empty = it may come."""
        channel = agreement.signals[header.sender.id]
        octets = answers.msh_request(self._house, header, agreement, asked)
        endpoint = Endpoint(
            url=channel.endpoint,
            party=Oin(header.receiver.id),
            client_certificate=channel.client_certificate,
        )
        reply = await self._house.network.post(endpoint, seal.wire_signal(octets))
        if not 200 <= reply.status < 300:  # noqa: PLR2004 - the HTTP class of success
            return f"http.{reply.status}"
        if reply.message is not None and reply.message.body:
            at = self._house.clock.now()
            opened = open_reply(self._house, directory, agreement, reply.message, at)
            await self._signalling.take(opened, at)
        return ""

    def _header(
        self, directory: Directory, agreement: Agreement, asked: MshRequest, at: datetime
    ) -> Header:
        other = agreement.other(directory.me)
        me = agreement.other(other.id)
        identity = f"{self._house.dice.uuid()}@{directory.me}"
        return Header(
            sender=me,
            receiver=other,
            cpa_id=agreement.cpa_id,
            conversation_id=identity,
            service=MSH_SERVICE,
            action=asked.action,
            message_id=identity,
            timestamp=at,
            time_to_live=at + self._house.patience + directory.limits.clock_skew,
            sync_reply=agreement.signals[directory.me].sync_reply is not SyncReply.NONE,
        )
