"""One attempt at one delivery: gate, sign once, encrypt, post, settle.

2xx is not delivery: it only starts the wait for the acknowledgement.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from gateway.directory import Agreement, Binding, Channel, Directory, GateReason, SyncReply
from gateway.errors import (
    GatewayError,
    Misconfigured,
    OutcomeUnknown,
    PeerUnreachable,
    Refused,
    RevocationUnknown,
    StaleSnapshot,
    StoreUnavailable,
    Unavailable,
)
from gateway.message import Header, Oin, Payload, WireMessage
from gateway.pipeline import excepted
from gateway.pipeline.attempted import attempted
from gateway.pipeline.house import House
from gateway.pipeline.mailing import Mailing
from gateway.pipeline.proving import Proving, Towards
from gateway.pipeline.released import still_released
from gateway.pipeline.replies import open_reply
from gateway.pipeline.signalling import Signalling
from gateway.ports import (
    Answer,
    AuditEvent,
    Claim,
    DeliveryChannel,
    DeliveryKind,
    Endpoint,
    GaveUp,
    HandedOver,
    HeldAgain,
    LostTrack,
    Outcome,
    TryAgain,
)
from gateway.rules import approval, retry
from gateway.security import seal
from gateway.security.algorithms import AlgorithmPolicy
from gateway.security.certificates import Usage
from gateway.security.weak import policy_for
from gateway.wire import stuf

OWN_TROUBLE = timedelta(minutes=1)
"""Pause when the reason is on our side: store, keys, revocation lists."""

ANSWER_WAIT = timedelta(seconds=1)
"""Shortest wait for an acknowledgement, whatever the agreement says."""

NEVER_AGAIN = frozenset({501, 505, 510})
AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """Where a delivery goes, by the snapshot of this attempt."""

    directory: Directory
    agreement: Agreement
    channel: Channel
    binding: Binding | None
    """None for signals."""

    @property
    def partner(self) -> Oin:
        return Oin(self.agreement.other(self.directory.me).id)

    def policy(self, at: datetime) -> AlgorithmPolicy:
        """Return what counts for the partner at that moment."""
        return policy_for(self.directory.party(self.partner), at)


class Delivering:
    """The outbound half of an installation; one call per claim."""

    def __init__(self, house: House, signalling: Signalling) -> None:
        """Take the ports, and what takes a signal that comes back in the answer."""
        self._house = house
        self._proving = Proving(house)
        self._mailing = Mailing(house, self._proving)
        self._signalling = signalling

    async def deliver(self, claim: Claim) -> None:
        """Make one attempt and settle it; raises only when the store is gone."""
        started = self._house.clock.monotonic()
        events: list[AuditEvent] = []
        try:
            outcome = await self._attempt(claim, events)
        except StaleSnapshot:
            return  # no longer ours: whoever moved it settles it
        except (Refused, GatewayError) as error:
            outcome = self._failed(claim, error, events)
        took = self._house.clock.monotonic() - started
        self._house.count.attempted(str(claim.kind), type(outcome).__name__, took)
        await self._house.queue.settle(claim, outcome, tuple(events))

    async def _attempt(self, claim: Claim, events: list[AuditEvent]) -> Outcome:
        directory = self._house.snapshots.current()
        if claim.expires_at is not None and self._house.clock.now() >= claim.expires_at:
            return GaveUp(code="ttl.expired")
        if claim.channel is DeliveryChannel.MAIL:
            return await self._mailing.attempt(directory, claim, events)
        way = self._way(directory, claim)
        if claim.kind is DeliveryKind.SIGNAL:
            return await self._signal(claim, way)
        return await self._message(directory, claim, way, events)

    async def _message(
        self, directory: Directory, claim: Claim, way: _Way, events: list[AuditEvent]
    ) -> Outcome:
        released = still_released(directory, claim, self._house.clock.now())
        if isinstance(released, approval.Hold):
            return HeldAgain(ground=released.ground)
        to = Towards(party=way.partner)
        proven = await self._proving.look(directory, claim, to)
        if proven.fault is not None:
            return HeldAgain(ground=proven.fault.ground)
        payload = Payload(content_id=claim.delivery, octets=proven.octets)
        envelope = await self._sealed(claim, way, released, payload, events)
        if proven.use and not await self._house.holds.use(proven.use, sha256(envelope).hexdigest()):
            return HeldAgain(ground=GateReason.INDIVIDUAL)  # it let something else go before
        message = await self._encrypted(claim, way, envelope, payload, events)
        return await self._post(claim, way, message, events)

    def _way(self, directory: Directory, claim: Claim) -> _Way:
        agreement = directory.agreement(claim.cpa_id, at=self._house.clock.now())
        if claim.kind is DeliveryKind.SIGNAL:
            channel = agreement.signals[directory.me]
            return _Way(directory=directory, agreement=agreement, channel=channel, binding=None)
        binding = agreement.binding(directory.me, claim.service, claim.action)
        return _Way(
            directory=directory, agreement=agreement, channel=binding.channel, binding=binding
        )

    async def _sealed(
        self,
        claim: Claim,
        way: _Way,
        released: approval.Released,
        payload: Payload,
        events: list[AuditEvent],
    ) -> bytes:
        """Sign once; every later attempt sends the same signed octets."""
        if claim.sealed is not None:
            return await self._house.payloads.get(claim.sealed)
        header = await self._header(claim, way)
        signing = way.channel.signing
        signer = self._house.keyring.signer(signing.certificate) if signing else None
        sealed = await self._house.think(
            len(payload.octets),
            lambda: seal.sign_message(
                released, header, (payload,), channel=way.channel, signer=signer
            ),
        )
        stored = await self._house.payloads.put(sealed.envelope)
        await self._house.queue.sealed(claim, stored, sealed.references)
        events.append(
            attempted(self._house, claim, "delivery.signed", references=len(sealed.references))
        )
        return sealed.envelope

    async def _header(self, claim: Claim, way: _Way) -> Header:
        binding = way.binding
        if binding is None:
            raise AssertionError
        at = self._house.clock.now()
        known = claim.message
        channel = way.channel
        lives = (1 + channel.retries) * channel.retry_interval
        return Header(
            sender=binding.sender,
            receiver=binding.receiver,
            sender_role=binding.sender_role,
            receiver_role=binding.receiver_role,
            cpa_id=claim.cpa_id,
            conversation_id=known.conversation_id,
            service=binding.service,
            service_type=binding.service_type,
            action=binding.action,
            message_id=known.message_id,
            timestamp=at,
            ref_to_message_id=await self._refers_to(claim),
            time_to_live=claim.expires_at or (at + lives if lives else None),
            duplicate_elimination=channel.duplicate_elimination,
            ack_requested=channel.ack_requested,
            ack_signed=channel.ack_signed,
            sync_reply=channel.sync_reply is not SyncReply.NONE,
        )

    async def _refers_to(self, claim: Claim) -> str | None:
        known = claim.message
        if not known.cross_refnummer:
            return None
        origin = await self._house.inbox.origin(known.cross_refnummer, answered_by=known.zender)
        if origin is not None:
            return origin.message_id
        return stuf.ref_message_id(
            known.ontvanger, known.ontvanger_applicatie, known.cross_refnummer
        )

    async def _encrypted(
        self,
        claim: Claim,
        way: _Way,
        envelope: bytes,
        payload: Payload,
        events: list[AuditEvent],
    ) -> WireMessage:
        """Encrypt for the certificate that is valid now; a revoked one gets nothing."""
        at = self._house.clock.now()
        policy, encryption = way.policy(at), way.channel.encryption
        if encryption is not None:
            trust = self._house.snapshots.trust(way.directory)
            identity = trust.judge(encryption.certificate, Usage.ENCRYPT, at)
            excepted.sent(self._house, claim, encryption, policy, events)
            events.append(
                attempted(
                    self._house,
                    claim,
                    "delivery.encrypted",
                    algorithm=encryption.algorithm.rpartition("#")[2],
                    certificate=identity.thumbprint,
                )
            )
        boundary = f"=_{self._house.dice.uuid()}"
        return await self._house.think(
            len(payload.octets),
            lambda: seal.encrypt_message(
                envelope,
                (payload,),
                channel=way.channel,
                random=self._house.dice.octets,
                boundary=boundary,
                policy=policy,
            ),
        )

    async def _post(
        self, claim: Claim, way: _Way, message: WireMessage, events: list[AuditEvent]
    ) -> Outcome:
        answer = await self._house.network.post(self._endpoint(way), message)
        at = self._house.clock.now()
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - the HTTP class of success
            return self._http_failure(claim, answer, events)
        events.append(attempted(self._house, claim, "delivery.sent", status=answer.status))
        missed = ""
        if answer.message is not None and answer.message.body:
            missed = await self._try_answer(claim, way, answer.message, at, events)
        if not way.channel.ack_requested:
            # It may have been a refusal, and it is not said again.
            return LostTrack(code=missed) if missed else HandedOver(until=None)
        return HandedOver(until=at + max(claim.retry_interval, ANSWER_WAIT))

    async def _try_answer(
        self,
        claim: Claim,
        way: _Way,
        message: WireMessage,
        at: datetime,
        events: list[AuditEvent],
    ) -> str:
        """Use a signal in the answer; one that can not be opened leaves the 2xx a hand-over.

        Return the code of our own trouble, when that is why it was not used.
        """
        try:
            opened = open_reply(self._house, way.directory, way.agreement, message, at)
            await self._signalling.take(opened, at)
        except GatewayError as error:
            events.append(attempted(self._house, claim, "answer.unreadable", code=error.code))
            return error.code if _own_trouble(error) else ""
        return ""

    async def _signal(self, claim: Claim, way: _Way) -> Outcome:
        octets = await self._house.payloads.get(claim.sealed or "")
        answer = await self._house.network.post(self._endpoint(way), seal.wire_signal(octets))
        if 200 <= answer.status < 300:  # noqa: PLR2004 - the HTTP class of success
            return HandedOver(until=None)
        return self._http_failure(claim, answer, [])

    def _endpoint(self, way: _Way) -> Endpoint:
        return Endpoint(
            url=way.channel.endpoint,
            party=way.partner,
            client_certificate=way.channel.client_certificate,
        )

    # --- what went wrong --------------------------------------------------------------

    def _http_failure(self, claim: Claim, answer: Answer, events: list[AuditEvent]) -> Outcome:
        """503 never ends the retries; 3xx and 4xx do (DK-ebMS2, HTTP codes)."""
        code = f"http.{answer.status}"
        server = answer.status >= 500 and answer.status not in NEVER_AGAIN  # noqa: PLR2004
        if server or answer.status in AGAIN:
            return self._again(claim, code, events, after=answer.retry_after, down=True)
        events.append(attempted(self._house, claim, "delivery.dead", code=code))
        return GaveUp(code=code)

    def _failed(self, claim: Claim, error: GatewayError, events: list[AuditEvent]) -> Outcome:
        if _own_trouble(error):
            return self._ours(claim, error, events)
        if isinstance(error, OutcomeUnknown) and claim.kind is DeliveryKind.MESSAGE:
            outcome = self._perhaps(claim, error, events)
            if outcome is not None:
                return outcome
        down = isinstance(error, PeerUnreachable | OutcomeUnknown)
        if isinstance(error, Unavailable | Refused):
            return self._again(claim, error.code, events, down=down)
        events.append(attempted(self._house, claim, "delivery.dead", code=error.code))
        return GaveUp(code=error.code)

    def _ours(self, claim: Claim, error: GatewayError, events: list[AuditEvent]) -> Outcome:
        """A failure of our own never ends a delivery: it waits until somebody mends it."""
        at = self._house.clock.now() + OWN_TROUBLE
        events.append(
            attempted(self._house, claim, "delivery.retry", code=error.code, next=at.isoformat())
        )
        return TryAgain(at=at, code=error.code, ours=True)

    def _perhaps(
        self, claim: Claim, error: GatewayError, events: list[AuditEvent]
    ) -> Outcome | None:
        """It may have arrived: for a person, or wait for the last word; None: try again."""
        channel = self._channel(claim)
        if channel is None or not (claim.duplicate_safe and channel.duplicate_elimination):
            events.append(attempted(self._house, claim, "delivery.unknown", code=error.code))
            return LostTrack(code=error.code)
        if claim.tries <= claim.retries or not channel.ack_requested:
            return None
        # The last try: its acknowledgement has as long as that of any other.
        events.append(attempted(self._house, claim, "delivery.sent", code=error.code))
        return HandedOver(until=self._house.clock.now() + max(claim.retry_interval, ANSWER_WAIT))

    def _channel(self, claim: Claim) -> Channel | None:
        """Return what is agreed now; None when the agreement went while it was sent."""
        try:
            return self._way(self._house.snapshots.current(), claim).channel
        except Refused:
            return None

    def _again(
        self,
        claim: Claim,
        code: str,
        events: list[AuditEvent],
        *,
        after: timedelta | None = None,
        down: bool = False,
    ) -> Outcome:
        now = self._house.clock.now()
        dice = self._house.dice.unit()
        if claim.kind is DeliveryKind.SIGNAL:
            step = retry.signal_try(claim.tries, now=now, dice=dice, retries=claim.retries)
        else:
            step = retry.next_try(
                claim.tries,
                now=now,
                dice=dice,
                interval=claim.retry_interval,
                retries=claim.retries,
                retry_after=after,
            )
        match step:
            case retry.Again(at=at):
                events.append(
                    attempted(self._house, claim, "delivery.retry", code=code, next=at.isoformat())
                )
                return TryAgain(at=at, code=code, down=down)
            case retry.GiveUp():
                events.append(attempted(self._house, claim, "delivery.dead", code=code))
                return GaveUp(code=code)


def _own_trouble(error: GatewayError) -> bool:
    """Tell whether nothing left here: store, keys, revocation lists.

    A commit of ours of which nobody knows the outcome is one too: it comes before the post.
    """
    ours = isinstance(error, RevocationUnknown | StoreUnavailable | Misconfigured)
    return ours or error.code.startswith("store.")
