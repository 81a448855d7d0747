"""The store of one installation: everything that is kept, behind the ports."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from gateway.ports import (
    Alarms,
    Clock,
    Decisions,
    Dice,
    Inbox,
    Postvak,
    Queue,
    Reader,
    Signals,
    Undeliverable,
)
from gateway.store.alarms import SqlAlarms
from gateway.store.audit import Break, verify_chain
from gateway.store.bell import Bell, Bells
from gateway.store.decisions import SqlDecisions
from gateway.store.engine import Lock, Sqlite, path_of
from gateway.store.epoch import HIGH_WATER, SyncEpoch, stepped_back
from gateway.store.inbox import SqlInbox
from gateway.store.migrations import upgrade
from gateway.store.payloads import EpochKeys, SqlPayloads
from gateway.store.postvak import SqlPostvak
from gateway.store.queue import ForgetWorkers, SqlQueue
from gateway.store.reader import SqlReader
from gateway.store.reading import InlineReads, Reads, ThreadReads
from gateway.store.signals import SqlSignals
from gateway.store.undeliverable import SqlUndeliverable
from gateway.store.writer import Committer, InlineWriter, ThreadWriter, Writer, value_of

RUN_LENGTH = 12


class Store:
    """Holds the ports. Made by `open`; `close` it, or a lock stays until the process ends."""

    def __init__(  # noqa: PLR0913 - wiring, by name
        self,
        *,
        lock: Lock,
        committer: Committer,
        writer: Writer,
        reads: Reads,
        epochs: EpochKeys,
        clock: Clock,
        dice: Dice,
    ) -> None:
        """Wire the parts; `open` does it."""
        self._lock = lock
        self._counters = committer.counters
        self._writer = writer
        self._reads = reads
        self._clock = clock
        bells = Bells()
        self.bell: Bell = bells.work
        self.payloads = SqlPayloads(
            writer=writer, reads=reads, epochs=epochs, clock=clock, dice=dice
        )
        self.inbox: Inbox = SqlInbox(
            writer=writer, reads=reads, payloads=self.payloads, bells=bells, clock=clock
        )
        run = dice.uuid()[:RUN_LENGTH]
        self.queue: Queue = SqlQueue(
            writer=writer, reads=reads, bells=bells, clock=clock, dice=dice, run=run
        )
        self.signals: Signals = SqlSignals(writer=writer, bells=bells, clock=clock)
        self.postvak: Postvak = SqlPostvak(writer=writer, reads=reads, bells=bells, clock=clock)
        self.alarms: Alarms = SqlAlarms(writer=writer, reads=reads, clock=clock)
        self.decisions: Decisions = SqlDecisions(writer=writer, bells=bells, clock=clock)
        self.undeliverable: Undeliverable = SqlUndeliverable(
            writer=writer, reads=reads, bells=bells, clock=clock
        )
        self.reader: Reader = SqlReader(reads=reads, clock=clock)

    @classmethod
    def open(
        cls,
        url_or_path: str | os.PathLike[str],
        *,
        epochs: EpochKeys,
        clock: Clock,
        dice: Dice,
        writer_id: str,
        inline: bool = False,
    ) -> "Store":
        """Open or make the database and bring its tables up to date.

        `writer_id` names the audit chain that this process continues. `inline` works on
        the caller's thread only, for simulations. Raises Misconfigured `store.locked`,
        `store.path`, `store.engine`, `store.version`.
        """
        database = Sqlite(path_of(url_or_path))
        database.create()
        lock = Lock(database.path)
        try:
            upgrade(database)
            committer = Committer(database, writer_id)
            value_of(committer.run((ForgetWorkers(),))[0])
        except BaseException:
            lock.release()
            raise
        return cls(
            lock=lock,
            committer=committer,
            writer=InlineWriter(committer) if inline else ThreadWriter(committer),
            reads=InlineReads(database) if inline else ThreadReads(database),
            epochs=epochs,
            clock=clock,
            dice=dice,
        )

    async def close(self) -> None:
        """Commit what waits, disconnect, and let another process open the database."""
        await self._writer.close()
        self._reads.close()
        self._lock.release()

    async def sync_epoch(self, fingerprint: str) -> int:
        """Return the epoch of the directory with this fingerprint; a new one moves it."""
        return await self._writer.commit(SyncEpoch(fingerprint=fingerprint, at=self._clock.now()))

    async def time_ok(self, now: datetime) -> bool:
        """Tell whether `now` is not more than 5 s before the latest moment on file.

        While it is, nothing is released and no delivery that stands on an approval leaves.
        """
        high_water = await self._reads(lambda c: c.execute(HIGH_WATER).scalar())
        return high_water is None or not stepped_back(high_water, now)

    async def verify_chain(self) -> Break | None:
        """Recompute the audit chains; return the first break."""
        return await self._reads(verify_chain)

    def counters(self) -> Mapping[str, int]:
        """Facts of the writer since the opening: commits, units, rollbacks, waiting, …."""
        return {**asdict(self._counters), "waiting": self._writer.waiting()}
