"""Telling back-ends that something changed: what is owed to them, and the call itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.config import WebhookEvent
from gateway.directory import Subscriber
from gateway.message import Oin
from gateway.rules.webhooks import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An event that one webhook must be told of, claimed for one attempt."""

    webhook: str
    backend: str
    """Whose webhook it was when it was claimed."""
    party: Oin
    seq: int
    fence: int
    attempt: int
    """1 for the first."""
    at: datetime
    """When it happened."""
    event: WebhookEvent
    delivery: str
    message: str
    soort: str
    applicatie: str
    status: str
    """Of `bericht.status`; empty otherwise."""
    answer: str
    """Kind of the answer, where that is the news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookState:
    """How a webhook does. One that was never called has no moments."""

    disabled_at: datetime | None = None
    disabled_why: str = ""
    failing_since: datetime | None = None
    next_at: datetime | None = None
    """Nothing is sent before this moment; None = it is not held up."""
    success_at: datetime | None = None
    failure_at: datetime | None = None
    failure_code: str = ""
    """Dotted code of the last failure."""
    waiting: int = 0
    """Events that it must still be told of."""
    sent: int = 0
    failed: int = 0
    """Attempts."""
    dropped: int = 0
    """Events that became too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookResult:
    """What came of one call. `failure` is None when it was taken."""

    at: datetime
    failure: Failure | None = None


class Webhooks(Protocol):
    """Events owed to webhooks. They are written by the commits that they tell of."""

    async def claim(
        self, to: Sequence[Subscriber], *, cap: int, lease: timedelta
    ) -> tuple[Notice, ...]:
        """Claim what is due for these webhooks, until the lease ends by the database's clock.

        What was written down for another back-end, party or applicatie under the same name is
        not claimed.

        Of each at most `cap` are under way at once, in all processes together; one that is
        down gets a single probe, one that is disabled nothing.
        """
        ...

    async def waiting(self, to: Sequence[Subscriber]) -> bool:
        """Tell whether anything is owed to these, due or not, under way or not."""
        ...

    async def settle(
        self, notice: Notice, failure: Failure | None, *, disable_after: timedelta
    ) -> bool:
        """Write what came of an attempt; True when this disabled the webhook.

        A success counts also when the lease was lost, a failure does not. To disable raises
        the alarm `webhook.disabled`, about the party, in the same commit.
        """
        ...

    async def release(self, notices: Sequence[Notice]) -> None:
        """Give back what was claimed and not settled."""
        ...

    async def note(self, to: Subscriber, result: WebhookResult) -> None:
        """Write what came of a test: a success ends the wait of an endpoint that was down."""
        ...

    async def enable(self, name: str, *, who: str, why: str) -> bool:
        """Switch on again, and make all that waits due; False when it was not disabled."""
        ...

    async def states(self, to: Collection[Subscriber]) -> Mapping[str, WebhookState]:
        """Return how these do, each of them, by name."""
        ...

    async def drop(self, *, before: datetime) -> Mapping[str, int]:
        """Drop and count events that happened before the moment; return how many of whom."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One POST of JSON."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer of a receiver, of which nothing but this is kept."""

    status: int
    retry_after: timedelta | None = None


class Caller(Protocol):
    async def post(self, call: Call) -> Reply:
        """Post once, follow nothing.

        Raises PolicyViolation `webhook.*` for what may not be called, PeerUnreachable
        `webhook.unreachable`, `webhook.dns`, `webhook.timeout`, `webhook.tls`,
        `webhook.lost`, Misconfigured for our own mistakes.
        """
        ...
