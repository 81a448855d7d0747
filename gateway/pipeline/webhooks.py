"""Telling back-ends: claim what is owed, sign it, call, write down what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.config import WebhookEvent
from gateway.directory import Backend, Directory, Subscriber, Webhook
from gateway.errors import GatewayError, NoRoute, Unavailable
from gateway.pipeline.house import House
from gateway.ports import (
    Call,
    Caller,
    Clock,
    Dice,
    Notice,
    WebhookResult,
    WebhookState,
)
from gateway.rules.webhooks import Failure
from gateway.security.webhook import sign
from gateway.wire import webhook as wire

SPARE = timedelta(seconds=15)
"""How much longer a lease is than a call may take."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of one event."""

    result: WebhookResult
    disabled: bool = False
    """This attempt was the one after which the webhook was switched off."""


class Sender:
    """Signs and calls; keeps nothing."""

    def __init__(self, *, clock: Clock, dice: Dice, caller: Caller) -> None:
        """Take the ports."""
        self._clock = clock
        self._dice = dice
        self._caller = caller

    async def send(self, webhook: Webhook, id_: str, body: bytes) -> WebhookResult:
        """Make one call; whatever goes wrong with it is the result."""
        now = self._clock.now()
        seconds = int((now - _EPOCH).total_seconds())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(seconds),
            "webhook-signature": sign(webhook.secrets, id_=id_, at=seconds, body=body),
        }
        call = Call(url=webhook.url, headers=headers, body=body)
        return WebhookResult(at=now, failure=await self._post(call))

    async def test(self, webhook: Webhook) -> WebhookResult:
        """Send `webhook.proef`."""
        id_ = wire.id_of(webhook.name, self._dice.uuid())
        body = wire.body(WebhookEvent.TEST, self._clock.now(), {"id": webhook.name})
        return await self.send(webhook, id_, body)

    async def _post(self, call: Call) -> Failure | None:
        try:
            reply = await self._caller.post(call)
        except GatewayError as error:
            return Failure(code=error.code)
        if 200 <= reply.status < 300:  # noqa: PLR2004 - the HTTP class of success
            return None
        return Failure(
            code=f"webhook.http.{reply.status}",
            gone=reply.status == 410,  # noqa: PLR2004 - HTTP Gone
            retry_after=reply.retry_after,
        )


class Calling:
    """Everything about webhooks but the commits that cause events."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._clock = house.clock
        self._snapshots = house.snapshots
        self._webhooks = house.webhooks
        self._sender = Sender(clock=house.clock, dice=house.dice, caller=house.caller)
        self._count = house.count
        self._testing: set[str] = set()

    # --- what the worker does ---------------------------------------------------------

    async def claim(self) -> tuple[Notice, ...]:
        """Claim what is due now; raises Unavailable. Asks nothing where there are no webhooks."""
        directory = self._snapshots.current()
        to = _told(directory)
        if not to:
            return ()
        calling = directory.calling
        lease = timedelta(seconds=calling.total_seconds) + SPARE
        return await self._webhooks.claim(to, cap=calling.in_flight, lease=lease)

    async def waiting(self) -> bool:
        """Tell whether anything is owed to anybody."""
        to = _told(self._snapshots.current())
        return bool(to) and await self._webhooks.waiting(to)

    async def tell(self, notice: Notice) -> Told:
        """Make one attempt at a claimed event; raises Unavailable when it is not settled."""
        directory = self._snapshots.current()
        webhook = find(directory, notice.webhook)
        if webhook is None or not _is_for(notice, webhook.subscriber):
            # The settings changed a moment ago.
            await self._webhooks.release((notice,))
            raise NoRoute("webhook.onbekend", "Deze webhook is er niet meer.")
        body = wire.body(notice.event, notice.at, _data(notice))
        result = self._counted(await self._sender.send(webhook, _id(notice), body))
        hours = directory.calling.disable_after_hours
        disabled = await self._webhooks.settle(
            notice,
            result.failure,
            disable_after=timedelta(hours=hours),
        )
        return Told(result=result, disabled=disabled)

    async def release(self, notices: Sequence[Notice]) -> None:
        """Give back what was claimed and will not be told by this process."""
        await self._webhooks.release(notices)

    async def drop_old(self) -> int:
        """Drop and count what is too old; return how many."""
        hours = self._snapshots.current().calling.keep_hours
        before = self._clock.now() - timedelta(hours=hours)
        n = sum((await self._webhooks.drop(before=before)).values())
        if n:
            self._count.called("dropped", n)
        return n

    # --- what a back-end or a person does ---------------------------------------------

    async def overview(self, backend: Backend) -> tuple[tuple[Webhook, WebhookState], ...]:
        """Return the webhooks of a back-end, and how they do."""
        own = [
            w for w in self._snapshots.current().webhooks if w.subscriber.backend == backend.name
        ]
        states = await self._webhooks.states([w.subscriber for w in own])
        return tuple((w, states[w.name]) for w in own)

    def own(self, name: str, backend: Backend) -> Webhook:
        """Return a webhook of this back-end; raises NoRoute `webhook.onbekend`."""
        webhook = find(self._snapshots.current(), name)
        if webhook is None or webhook.subscriber.backend != backend.name:
            raise NoRoute("webhook.onbekend", "Deze webhook is er niet.")
        return webhook

    async def test(self, webhook: Webhook) -> WebhookResult:
        """Send `webhook.proef` now, also to one that is disabled, and keep the outcome.

        One at a time per webhook: raises Unavailable `webhook.busy`.
        """
        if webhook.name in self._testing:
            raise Unavailable("webhook.busy", "a test of this webhook is under way")
        self._testing.add(webhook.name)
        try:
            result = self._counted(await self._sender.test(webhook))
        finally:
            self._testing.discard(webhook.name)
        await self._webhooks.note(webhook.subscriber, result)
        return result

    async def enable(self, webhook: Webhook, *, who: str, why: str) -> bool:
        """Switch on again; False when it was not disabled."""
        return await self._webhooks.enable(webhook.name, who=who, why=why)

    def _counted(self, result: WebhookResult) -> WebhookResult:
        self._count.called("sent" if result.failure is None else "failed")
        return result


def find(directory: Directory, name: str) -> Webhook | None:
    """Return the webhook of that name, or None."""
    return next((w for w in directory.webhooks if w.name == name), None)


def _told(directory: Directory) -> tuple[Subscriber, ...]:
    """A party that is suspended is told nothing."""
    return tuple(
        w.subscriber for w in directory.webhooks if w.subscriber.party not in directory.suspended
    )


def _is_for(notice: Notice, to: Subscriber) -> bool:
    """Tell whether a webhook of that name is still the one that it was claimed for."""
    return (notice.backend, notice.party) == (
        to.backend,
        to.party,
    ) and notice.applicatie in to.applicaties


def _id(notice: Notice) -> str:
    """The same for every attempt. With the moment: a restored database counts anew."""
    micros = (notice.at - _EPOCH) // timedelta(microseconds=1)
    return wire.id_of(
        notice.webhook, notice.seq, micros, notice.message, notice.delivery, notice.status
    )


def _data(notice: Notice) -> dict[str, str]:
    if notice.event is WebhookEvent.WAITING:
        return wire.waits(
            notice.delivery,
            message=notice.message,
            soort=notice.soort,
            applicatie=notice.applicatie,
        )
    return wire.became(
        notice.message, soort=notice.soort, status=notice.status, answer=notice.answer
    )
