"""What housekeeping does to stored payloads, and what operators see of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from gateway.ports import Clock, Dice
from gateway.rules.retention import Terms
from gateway.store.disposal import Adopt, Dispose, any_due
from gateway.store.forgetting import Forget
from gateway.store.quarantine import DisposeMail, any_mail_due
from gateway.store.reading import Reads
from gateway.store.rekeying import AllKeys, Rekeyed, Rekeying
from gateway.store.tables import deliveries, messages, payloads
from gateway.store.writer import Writer

BATCHES = 100
"""Commits of one run, at most: what is left waits for the next."""
OVERDUE = timedelta(hours=1)
"""So long after its moment nobody looked: the housekeeping does not run."""

Windows = Mapping[tuple[str, str], timedelta]


class SqlRetention:
    """Destroys what is due. May run in several processes, and again after any crash."""

    def __init__(
        self, *, writer: Writer, reads: Reads, epochs: AllKeys, clock: Clock, dice: Dice
    ) -> None:
        """Take what it writes, reads and encrypts with."""
        self._writer = writer
        self._reads = reads
        self._clock = clock
        self._epochs = epochs
        self._rekeying = Rekeying(writer=writer, reads=reads, epochs=epochs, clock=clock, dice=dice)

    async def dispose(self, terms: Terms, windows: Windows) -> int:
        """Destroy payloads, envelopes and acknowledgements whose time is over.

        Return of how many messages. Looks before it writes: most looks find nothing.
        """
        destroyed = 0
        for _ in range(BATCHES):
            now = self._clock.now()
            if not await self._reads(any_due(now)):
                break
            some, more = await self._writer.commit(Dispose(now=now, terms=terms, windows=windows))
            destroyed += some
            if not more:
                break
        return destroyed

    async def dispose_mail(self) -> int:
        """Destroy mails of the quarantine whose time is over; return how many."""
        destroyed = 0
        for _ in range(BATCHES):
            now = self._clock.now()
            if not await self._reads(any_mail_due(now)):
                break
            destroyed += await self._writer.commit(DisposeMail(now=now))
        return destroyed

    async def adopt(self) -> int:
        """Find what a process of an older version ended; return how many deliveries."""
        adopted = 0
        while some := await self._writer.commit(Adopt(now=self._clock.now())):
            adopted += some
        return adopted

    async def forget(self, terms: Terms) -> int:
        """Take away requests and decisions whose time is over; return how many rows."""
        forgotten = 0
        for _ in range(BATCHES):
            now = self._clock.now()
            unit = Forget(before=now - terms.decisions, now=now)
            some = await self._writer.commit(unit)
            forgotten += some
            if not some:
                break
        return forgotten

    async def rekey(self, *, age: timedelta, backup: timedelta) -> Rekeyed:
        """Move what lives under old epoch keys, and destroy those that are no longer needed."""
        return await self._rekeying.run(age=age, backup=backup)

    async def backlog(self) -> "Backlog":
        """Tell what housekeeping left undone; cheap."""
        now = self._clock.now()
        due, overdue = await self._reads(lambda c: (_due(c, now), _due(c, now - OVERDUE)))
        ages = [now - key.made_at for key in self._epochs.all()]
        return Backlog(due=due, overdue=overdue, oldest_key=max(ages, default=timedelta(0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Deliveries that housekeeping has to look at, and those of them that it should have."""

    due: int
    overdue: int
    oldest_key: timedelta
    """Age of the oldest epoch key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Payloads as operators look at them."""

    due: int
    """Deliveries to be looked at by the next run."""
    overdue: int
    """Those that waited for longer than OVERDUE."""
    live: Mapping[str, int]
    """Payloads that were not destroyed, by the epoch key they are wrapped with."""
    orphans: int
    """Those among them that no message refers to (yet)."""
    oldest_live: datetime | None
    oldest_message: datetime | None
    """Of the rows that stay: the traffic data."""


_BY_KEY = (
    sa.select(
        payloads.c.epoch_key,
        sa.func.count().label("n"),
        sa.func.min(payloads.c.at).label("oldest"),
        sa.func.sum(sa.case((payloads.c.referenced, 0), else_=1)).label("orphans"),
    )
    .where(payloads.c.epoch_key > "")
    .group_by(payloads.c.epoch_key)
    .order_by(payloads.c.epoch_key)
)


def figures(connection: sa.Connection, now: datetime) -> Figures:
    """Count; only what was not destroyed is looked at, by index."""
    by_key = connection.execute(_BY_KEY).all()
    return Figures(
        due=_due(connection, now),
        overdue=_due(connection, now - OVERDUE),
        live={row.epoch_key: row.n for row in by_key},
        orphans=sum(row.orphans for row in by_key),
        oldest_live=min((row.oldest for row in by_key), default=None),
        oldest_message=connection.execute(
            sa.select(messages.c.at).order_by(messages.c.seq).limit(1)
        ).scalar(),
    )


def _due(connection: sa.Connection, moment: datetime) -> int:
    statement = (
        sa.select(sa.func.count()).select_from(deliveries).where(deliveries.c.dispose_at <= moment)
    )
    return int(connection.execute(statement).scalar_one())
