"""Everything a step of the story may reach, handed in by the composition root."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from gateway.errors import Finding
from gateway.ports import (
    Alarms,
    Caller,
    Clock,
    Desk,
    Dice,
    Holds,
    Inbox,
    Keyring,
    Network,
    Payloads,
    Postvak,
    Queue,
    Reader,
    Signals,
    Snapshots,
    Undeliverable,
    Webhooks,
)
from gateway.ports.enquiries import Enquiries
from gateway.ports.incoming import Quarantine
from gateway.ports.mail import Post
from gateway.ports.pickup import Pickup
from gateway.ports.receipts import Receipts
from gateway.ports.switching import Switches

T = TypeVar("T")


class Explain(Protocol):
    """Say in more words why a document breaks its schema; may give up and return ()."""

    async def __call__(self, octets: bytes, schema: Path) -> tuple[Finding, ...]: ...


class Count(Protocol):
    """Counters for `/metrics`; labels are codes and kinds, never values."""

    def received(self, kind: str, outcome: str) -> None: ...
    def refused(self, code: str) -> None: ...
    def attempted(self, kind: str, outcome: str, seconds: float) -> None: ...
    def called(self, outcome: str, n: int = 1) -> None: ...
    def excepted(self, oin: str, what: str) -> None: ...


class Think(Protocol):
    """Run a pure function of some cost: inline, or on a thread when the input is large."""

    async def __call__(self, size: int, work: Callable[[], T]) -> T: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The ports of one installation."""

    clock: Clock
    dice: Dice
    snapshots: Snapshots
    keyring: Keyring
    network: Network
    explain: Explain
    count: Count
    think: Think
    inbox: Inbox
    payloads: Payloads
    queue: Queue
    signals: Signals
    postvak: Postvak
    reader: Reader
    alarms: Alarms
    undeliverable: Undeliverable
    holds: Holds
    desk: Desk
    webhooks: Webhooks
    caller: Caller
    switches: Switches
    pickup: Pickup
    quarantine: Quarantine
    receipts: Receipts
    enquiries: Enquiries
    post: Post | None
    """None = no e-mail."""
    worker: str
    """Name of this process in claims and audit rows."""
    patience: timedelta = timedelta(seconds=10)
    """How long the answer of a partner to a question of ours is waited for."""


async def inline(size: int, work: Callable[[], T]) -> T:
    """Think without threads, whatever the size."""
    del size
    return work()
