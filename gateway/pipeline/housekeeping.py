"""What goes when its time is over: once a minute, in one process at a time.

Several at once, or one that is killed anywhere, do no harm: each step is a commit of its own
that looks at what stands there, and is made again by the next run.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from gateway.config import InstallationRole, RetentionSettings
from gateway.errors import GatewayError
from gateway.ports import Clock, Snapshots
from gateway.rules.retention import Terms, window
from gateway.rules.steps import Steps
from gateway.store.rekeying import Rekeyed
from gateway.store.retention import Backlog, Windows

DAILY = timedelta(days=1)


class Retention(Protocol):
    """What the store can destroy."""

    async def dispose(self, terms: Terms, windows: Windows) -> int: ...
    async def dispose_mail(self) -> int: ...
    async def adopt(self) -> int: ...
    async def forget(self, terms: Terms) -> int: ...
    async def rekey(self, *, age: timedelta, backup: timedelta) -> Rekeyed: ...
    async def backlog(self) -> Backlog: ...


class Orphans(Protocol):
    async def sweep_orphans(self, older_than: timedelta) -> int: ...


@dataclass(slots=True)
class Kept:
    """What one run did. `failed` are the dotted codes of steps that did not end."""

    destroyed: int = 0
    """Messages that lost their payload or acknowledgement."""
    mails: int = 0
    """Of the quarantine, that were destroyed."""
    adopted: int = 0
    forgotten: int = 0
    """Rows of requests and decisions."""
    orphans: int = 0
    rekeyed: Rekeyed = field(default_factory=Rekeyed)
    backlog: Backlog | None = None
    """What is left; None when the store could not be read."""
    failed: list[str] = field(default_factory=list)
    """Also `clock.stepped`: nothing is destroyed for half an hour after."""


class Housekeeping:
    """Payloads, acknowledgements, decisions and epoch keys, by the terms of the installation."""

    def __init__(
        self,
        *,
        retention: Retention,
        payloads: Orphans,
        snapshots: Snapshots,
        clock: Clock,
        settings: RetentionSettings,
        role: InstallationRole,
    ) -> None:
        """Take the store, the agreements (they say how long a MessageId lives), the terms."""
        self._retention = retention
        self._payloads = payloads
        self._snapshots = snapshots
        self._clock = clock
        self._settings = settings
        self._terms = Terms.of(settings, role)
        self._steps = Steps()
        self._adopted_at: datetime | None = None
        self._forgot_at: datetime | None = None

    async def run_once(self, now: datetime) -> Kept:
        """Do what is due; a step that fails does not keep the next from being made."""
        kept = Kept()
        if self._steps.held(now, self._clock.monotonic()):
            kept.failed.append("clock.stepped")
            return kept
        steps = (
            self._adopt,
            self._dispose,
            self._dispose_mail,
            self._forget,
            self._sweep,
            self._rekey,
            self._look,
        )
        for step in steps:
            await _try(step, now, kept)
        return kept

    async def _adopt(self, now: datetime, kept: Kept) -> None:
        if _is_due(self._adopted_at, now):
            kept.adopted = await self._retention.adopt()
            self._adopted_at = now

    async def _dispose(self, now: datetime, kept: Kept) -> None:
        del now
        kept.destroyed = await self._retention.dispose(self._terms, self._windows())

    async def _dispose_mail(self, now: datetime, kept: Kept) -> None:
        del now
        kept.mails = await self._retention.dispose_mail()

    async def _forget(self, now: datetime, kept: Kept) -> None:
        if _is_due(self._forgot_at, now):
            kept.forgotten = await self._retention.forget(self._terms)
            self._forgot_at = now

    async def _sweep(self, now: datetime, kept: Kept) -> None:
        del now
        age = timedelta(minutes=self._settings.orphan_minutes)
        kept.orphans = await self._payloads.sweep_orphans(older_than=age)

    async def _rekey(self, now: datetime, kept: Kept) -> None:
        del now
        kept.rekeyed = await self._retention.rekey(
            age=timedelta(hours=self._settings.rewrap_hours),
            backup=timedelta(hours=self._settings.backup_hours),
        )
        if kept.rekeyed.stuck:
            kept.failed.append("epoch_key.damaged")

    async def _look(self, now: datetime, kept: Kept) -> None:
        del now
        kept.backlog = await self._retention.backlog()

    def _windows(self) -> Windows:
        """By the agreements of now; for one that is gone the default of Digikoppeling holds."""
        directory = self._snapshots.current()
        return {
            (agreement.cpa_id, partner.id): window(agreement, partner.id)
            for agreement in directory.agreements.values()
            for partner in agreement.parties
            if partner.id != directory.me
        }


def _is_due(last: datetime | None, now: datetime) -> bool:
    """Tell whether it is a day ago."""
    return last is None or abs(now - last) >= DAILY


async def _try(
    step: Callable[[datetime, Kept], Awaitable[None]], now: datetime, kept: Kept
) -> None:
    try:
        await step(now, kept)
    except GatewayError as error:
        kept.failed.append(error.code)
