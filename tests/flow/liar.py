"""A partner that lies: the wire between two installations, one seed, every kind of trouble.

It loses, doubles, delays, reorders, cuts and changes what is posted, answers what it likes,
takes in without answering and answers without taking in, and posts signals that nobody asked
for. Posts of both sides go through it, so each of the two is sender and receiver of lies.
"""

import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256

from gateway.errors import OutcomeUnknown, PeerUnreachable
from gateway.message import Acknowledgment, Header, Oin, PartyRef, Payload, Reference, WireMessage
from gateway.ports import Answer, Endpoint
from gateway.rules import approval
from gateway.security import seal
from gateway.wire.ebms2 import header as wire
from gateway.wire.ebms2 import signals
from tests.flow.town import HALT, Town, leaf
from tests.sealing import Keys

STATUSES = (500, 502, 503, 503, 503, 504, 429, 408)
FATAL = (301, 400, 403, 404, 501)
AFTER = (None, None, timedelta(0), timedelta(seconds=7), timedelta(minutes=10))
GARBAGE = (
    b"",
    b"<ok/>",
    b"\x00\xff\xfe garbage",
    b"<soap:Envelope",
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    b'{"status": "ok"}',
)
TYPES = ("text/xml", "text/xml; charset=UTF-8", "multipart/related", "text/html", "", "\xff/;;=")

Lie = Callable[[Oin, Oin, WireMessage], Awaitable[Answer | None]]


@dataclass
class Liar:
    """Put `lie` among the breaks of a town. Prints nothing; `told` counts its lies."""

    town: Town
    seed: int
    signed: bool
    """Whether the profile signs: what is changed on the way is noticed."""
    honesty: float = 0.5
    told: Counter[str] = field(default_factory=Counter)
    late: list[tuple[Oin, Oin, WireMessage]] = field(default_factory=list)
    acknowledged: dict[Oin, set[str]] = field(default_factory=dict)
    """Per installation: the MessageIds that it acknowledged, whoever heard it."""
    posts: Counter[tuple[Oin, bytes]] = field(default_factory=Counter)
    """How often each message was posted, whatever became of it."""
    down: set[Oin] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._lies: dict[str, tuple[int, Lie]] = {
            "lost": (10, self._lost),
            "answer lost": (10, self._answer_lost),
            "doubled": (8, self._doubled),
            "late": (8, self._late),
            "late but 2xx": (8, self._late_but_accepted),
            "2xx without storing": (8, self._swallowed),
            "garbage answer": (6, self._garbage),
            "5xx": (8, self._unavailable),
            "5xx after storing": (6, self._unavailable_after),
            "4xx": (1, self._refused),
            "4xx after storing": (1, self._refused_after),
            "cut": (1, self._cut),
            "changed": (1, self._changed),
            "signal before our commit": (8, self._early),
            "forged signal": (6, self._forged),
            "same id, other content": (4, self._other_content),
        }

    async def lie(self, me: Oin, endpoint: Endpoint, message: WireMessage) -> Answer:
        """Post, or say so."""
        to = endpoint.party
        self._watch(me, message)
        if {me, to} & self.down:
            self.told["down"] += 1
            raise PeerUnreachable("peer.unreachable", "down for days")
        if self.random.random() < self.honesty:
            return await self.carry(me, to, message)
        names = list(self._lies)
        name = self.random.choices(names, [self._lies[n][0] for n in names])[0]
        self.told[name] += 1
        answer = await self._lies[name][1](me, to, message)
        return answer or await self.carry(me, to, message)

    async def bring_late(self, share: float = 0.5) -> None:
        """Deliver some of what was kept back, in another order."""
        self.random.shuffle(self.late)
        coming = [self.late.pop() for _ in range(int(len(self.late) * share + 0.99))]
        for me, to, message in coming:
            await self.carry(me, to, message)

    async def carry(self, me: Oin, to: Oin, message: WireMessage) -> Answer:
        """Post it as it is; what comes back may be an acknowledgement too."""
        answer = await self.town.carry(me, to, message)
        if answer.message is not None:
            self._acknowledges(to, answer.message)
        return answer

    def _acknowledges(self, me: Oin, message: WireMessage) -> None:
        if _is_acknowledgment(message):
            self.acknowledged.setdefault(me, set()).add(_refers_to(message))

    def _watch(self, me: Oin, message: WireMessage) -> None:
        self._acknowledges(me, message)
        if not _is_signal(message):
            self.posts[me, _message_id(message)] += 1

    # --- lies about what was posted -----------------------------------------------------

    async def _lost(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        raise PeerUnreachable("peer.unreachable", "lost")

    async def _answer_lost(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        await self.carry(me, to, message)
        raise OutcomeUnknown("answer.lost", "lost")

    async def _doubled(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        await self.carry(me, to, message)
        return None

    async def _late(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        self.late.append((me, to, message))
        raise OutcomeUnknown("answer.timeout", "late")

    async def _late_but_accepted(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        self.late.append((me, to, message))
        return Answer(status=202)

    async def _swallowed(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        return Answer(status=self.random.choice((200, 202, 204)))

    async def _garbage(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        if self.random.random() < 0.5:
            await self.carry(me, to, message)
        body = self.random.choice((*GARBAGE, message.body, message.body[: len(message.body) // 2]))
        kind = self.random.choice((*TYPES, message.content_type))
        status = self.random.choice((200, 200, 200, 500))
        return Answer(status=status, message=WireMessage(body=body, content_type=kind))

    async def _unavailable(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        return Answer(status=self.random.choice(STATUSES), retry_after=self.random.choice(AFTER))

    async def _unavailable_after(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        await self.carry(me, to, message)
        return await self._unavailable(me, to, message)

    async def _refused(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        return Answer(status=self.random.choice(FATAL))

    async def _refused_after(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        await self.carry(me, to, message)
        return await self._refused(me, to, message)

    async def _cut(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        length = self.random.randrange(len(message.body))
        return await self.carry(me, to, replace(message, body=message.body[:length]))

    async def _changed(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        if not self.signed:
            return None  # TLS alone guards it: what a partner changes is what it says
        body = bytearray(message.body)
        body[self.random.randrange(len(body))] ^= 1 << self.random.randrange(8)
        return await self.carry(me, to, replace(message, body=bytes(body)))

    # --- lies beside what was posted ----------------------------------------------------

    async def _early(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        """The acknowledgement is here before the answer is, and before our own commit."""
        answer = await self.carry(me, to, message)
        honesty, self.honesty = self.honesty, 1.0
        try:
            await self.town[to].worker.step()
        finally:
            self.honesty = honesty
        return answer

    async def _forged(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        """A signal that must not count, then what was asked."""
        if not _is_acknowledgment(message):
            posted = wire.read(message.body, message.content_type, limits=self._limits(me))
            await self._forge(me, to, posted.header)
        return None

    async def _forge(self, me: Oin, to: Oin, request: Header) -> None:
        agreement = self.town[me].snapshots.current().agreements[request.cpa_id]
        signing = agreement.signals[to].signing
        kind = self.random.choice(
            ("stranger", "unknown", "digests", "unsigned") if signing else ("stranger", "unknown")
        )
        refers_to = "nobody@nowhere.test" if kind == "unknown" else request.message_id
        envelope = signals.acknowledgment(
            self._header(to, me, request, "Acknowledgment", refers_to),
            Acknowledgment(
                timestamp=self.town.clock.now(),
                ref_to_message_id=refers_to,
                sender=PartyRef(to),
                references=(_WRONG,),
            ),
        )
        signed = signing if kind != "unsigned" else None
        signer = Keys(leaf(to, "sign")).signer(signed.certificate) if signed else None
        octets = seal.sign_signal(envelope, signing=signed, signer=signer)
        source = HALT if kind == "stranger" else to
        await self.carry(source, me, seal.wire_signal(octets))

    def _header(self, me: Oin, to: Oin, request: Header, action: str, refers_to: str) -> Header:
        return Header(
            sender=PartyRef(me),
            receiver=PartyRef(to),
            cpa_id=request.cpa_id,
            conversation_id=request.conversation_id,
            service="urn:oasis:names:tc:ebxml-msg:service",
            action=action,
            message_id=f"{self.random.getrandbits(64):x}@forged.test",
            timestamp=self.town.clock.now(),
            ref_to_message_id=refers_to,
        )

    async def _other_content(self, me: Oin, to: Oin, message: WireMessage) -> Answer | None:
        """The true one, then another document under its id, as well signed as the first."""
        answer = await self.carry(me, to, message)
        if _is_signal(message):
            return answer
        posted = wire.read(message.body, message.content_type, limits=self._limits(me))
        second = await self.carry(me, to, self._resigned(me, posted.header))
        # The true one was stored, or refused: either way the second must not be taken in.
        body = second.message.body if second.message else b""
        taken = second.status == 204 or b"Acknowledgment" in body
        assert not taken, f"other content under {posted.header.message_id} was taken in: {body!r}"
        return answer

    def _resigned(self, me: Oin, header: Header) -> WireMessage:
        agreement = self.town[me].snapshots.current().agreements[header.cpa_id]
        channel = agreement.binding(me, header.service, header.action).channel
        octets = b"<other/>"
        payload = Payload(content_id="other@forged.test", octets=octets)
        signing = channel.signing
        sealed = seal.sign_message(
            approval.own(sha256(octets).hexdigest()),
            header,
            (payload,),
            channel=channel,
            signer=Keys(leaf(me, "sign")).signer(signing.certificate) if signing else None,
        )
        return seal.encrypt_message(
            sealed.envelope,
            (payload,),
            channel=channel,
            random=self.random.randbytes,
            boundary="=_forged",
        )

    def _limits(self, me: Oin):
        return self.town[me].snapshots.current().limits


_WRONG = Reference("", "http://www.w3.org/2001/04/xmlenc#sha256", b"\0" * 32)
_MESSAGE_ID = re.compile(rb"<(?:\w+:)?MessageId>([^<]+)<")
_REFERS_TO = re.compile(rb"<(?:\w+:)?RefToMessageId>([^<]+)<")


def _is_signal(message: WireMessage) -> bool:
    return message.content_type.startswith("text/xml")


def _is_acknowledgment(message: WireMessage) -> bool:
    return _is_signal(message) and b"Acknowledgment" in message.body


def _refers_to(message: WireMessage) -> str:
    found = _REFERS_TO.search(message.body)
    assert found is not None
    return found[1].decode()


def _message_id(message: WireMessage) -> bytes:
    found = _MESSAGE_ID.search(message.body)
    assert found is not None
    return found[1]
