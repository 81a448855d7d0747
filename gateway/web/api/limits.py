"""What one back-end may ask, so that none of them keeps the others waiting.

All of it counts per process and in memory. Names of back-ends come from the configuration;
addresses of those who fail to sign in are as many as `MOST_ADDRESSES` at most.
"""

import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web

from gateway.errors import Limited
from gateway.ports import Clock
from gateway.rules.bucket import SECOND, Pace, Taken, is_empty, take

K = TypeVar("K")
V = TypeVar("V")

MOST_ADDRESSES = 10_000
"""Remembered for failed sign-ins; the one that was heard of longest ago is forgotten."""
_IPV6_SITE = 64
"""Bits of an IPv6 address that somebody has one of."""
_AGAIN_SECONDS = 1
"""After a request that found too many others of its own system under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FairLimits:
    """The share of one back-end, and of one address that fails to sign in."""

    pace: Pace = field(default_factory=lambda: Pace(per_minute=6_000, burst=300))
    requests: int = 32
    """At once, without those that wait for news."""
    polls: int = 8
    """Waiting for news at once."""
    failures: Pace = field(default_factory=lambda: Pace(per_minute=30, burst=30))


RATE: web.RequestKey[Taken] = web.RequestKey("rate", Taken)


class Shares:
    """How much every back-end has taken of its share."""

    def __init__(self, limits: FairLimits, clock: Clock) -> None:
        """Start with full buckets."""
        self.limits = limits
        self._clock = clock
        self._full_at: dict[str, int] = {}
        self._busy: Counter[tuple[str, bool]] = Counter()

    def take(self, request: web.Request, name: str) -> None:
        """Count a request of this back-end; raise Limited `limit.rate`."""
        taken = self._look(name)
        self._full_at[name] = taken.full_at
        request[RATE] = taken
        _granted(taken)

    def check(self, name: str) -> None:
        """Raise Limited `limit.rate` when `take` would; count nothing."""
        _granted(self._look(name))

    def _look(self, name: str) -> Taken:
        return take(self._full_at.get(name, 0), _now(self._clock), self.limits.pace)

    @contextmanager
    def hold(self, name: str, *, poll: bool) -> Iterator[None]:
        """Count a request as under way until the block ends; raise Limited `limit.concurrent`."""
        key = (name, poll)
        if self._busy[key] >= (self.limits.polls if poll else self.limits.requests):
            raise Limited(
                "limit.concurrent",
                "Dit systeem heeft te veel verzoeken tegelijk open.",
                seconds=_AGAIN_SECONDS,
            )
        self._busy[key] += 1
        try:
            yield
        finally:
            self._busy[key] -= 1

    async def tell(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""
        taken = request.get(RATE)
        if taken is None:
            return
        pace = self.limits.pace
        reset = _seconds(taken.full_at - _now(self._clock))
        response.headers["RateLimit-Policy"] = f'"systeem";q={pace.per_minute};w=60'
        response.headers["RateLimit"] = f'"systeem";r={taken.left};t={reset}'


class Failures:
    """Slows down whoever guesses, without keeping out who signed in from there before."""

    def __init__(self, pace: Pace, clock: Clock) -> None:
        """Start without any failure."""
        self._pace = pace
        self._clock = clock
        self._full_at: OrderedDict[str, int] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def failed(self, address: str | None) -> None:
        """Count a failure; raise Limited `limit.signin` when there were too many."""
        site = _site(address)
        taken = take(self._full_at.get(site, 0), _now(self._clock), self._pace)
        _remember(self._full_at, site, taken.full_at)
        if not taken.granted:
            raise _too_many(taken)

    def check(self, address: str | None, name: str) -> None:
        """Raise Limited `limit.signin` for a newcomer where too many just failed.

        Otherwise the one right guess among all the wrong ones would be told apart.
        """
        site = _site(address)
        full_at, now = self._full_at.get(site, 0), _now(self._clock)
        if (site, name) not in self._known and is_empty(full_at, now, self._pace):
            raise _too_many(take(full_at, now, self._pace))

    def passed(self, address: str | None, name: str) -> None:
        """Let in, and know it from now on; raises what `check` does."""
        self.check(address, name)
        _remember(self._known, (_site(address), name), None)

    def __len__(self) -> int:
        """Return how much is remembered."""
        return len(self._full_at) + len(self._known)


def _granted(taken: Taken) -> None:
    if not taken.granted:
        raise Limited(
            "limit.rate",
            "Dit systeem doet te veel verzoeken per minuut.",
            seconds=_seconds(taken.wait),
        )


def _too_many(taken: Taken) -> Limited:
    return Limited(
        "limit.signin",
        "Vanaf dit adres is te vaak tevergeefs aangemeld.",
        seconds=_seconds(taken.wait),
    )


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > MOST_ADDRESSES:
        memory.popitem(last=False)


def _site(address: str | None) -> str:
    """Return the address, or the part of it that one party has all of."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), _IPV6_SITE), strict=False).network_address)


def _now(clock: Clock) -> int:
    return int(clock.monotonic() * SECOND)


def _seconds(microseconds: int) -> int:
    """Return whole seconds, rounded up, at least one."""
    return max(1, -(-microseconds // SECOND))
