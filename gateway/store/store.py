"""The store of one installation: everything that is kept, behind the ports."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from gateway.directory import Subscriber
from gateway.ports import (
    Alarms,
    Clock,
    Decisions,
    Desk,
    Dice,
    Holds,
    Inbox,
    Pauses,
    Postvak,
    Queue,
    Reader,
    Renewals,
    Shelving,
    Signals,
    Undeliverable,
    Webhooks,
)
from gateway.ports.enquiries import Enquiries
from gateway.ports.incoming import Quarantine
from gateway.ports.mail import Links
from gateway.ports.overview import Overview
from gateway.ports.pickup import Pickup
from gateway.ports.receipts import Receipts
from gateway.ports.switching import Switches
from gateway.ports.tallies import Tallies
from gateway.ports.tokens import Tokens
from gateway.ports.worklist import Worklist
from gateway.store.alarms import SqlAlarms
from gateway.store.audit import Break, verify_chain
from gateway.store.bell import Bell, Bells
from gateway.store.commit import Committer, Subscribers
from gateway.store.condition import Condition
from gateway.store.confirmations import SqlConfirmations
from gateway.store.decisions import SqlDecisions
from gateway.store.desk import SqlDesk
from gateway.store.duties import LeaveDuty, TakeDuty
from gateway.store.ended import Ended, KeepEnded
from gateway.store.engine import Engine, Held, open_engine
from gateway.store.enquiries import SqlEnquiries
from gateway.store.epoch import EPOCH, SyncEpoch
from gateway.store.holds import SqlHolds
from gateway.store.inbox import SqlInbox
from gateway.store.links import SqlLinks
from gateway.store.migrations import upgrade
from gateway.store.overview import SqlOverview
from gateway.store.pauses import SqlPauses
from gateway.store.payloads import SqlPayloads
from gateway.store.people import SqlPeople
from gateway.store.pickup import SqlPickup
from gateway.store.postings import SqlReceipts
from gateway.store.postvak import SqlPostvak
from gateway.store.quarantine import SqlQuarantine
from gateway.store.queue import LEASE, ForgetWorkers, SqlQueue
from gateway.store.reader import SqlReader
from gateway.store.reading import InlineReads, Reads, ThreadReads
from gateway.store.rekeying import AllKeys
from gateway.store.renewals import SqlRenewals
from gateway.store.retention import SqlRetention
from gateway.store.shelving import SqlShelving
from gateway.store.signals import SqlSignals
from gateway.store.switching import SqlSwitches
from gateway.store.tallies import SqlTallies
from gateway.store.tokens import SqlTokens
from gateway.store.undeliverable import SqlUndeliverable
from gateway.store.webhooks import SqlWebhooks
from gateway.store.worklist import SqlWorklist
from gateway.store.writer import InlineWriter, ThreadWriter, Writer, value_of

RUN_LENGTH = 12
WRITERS = 2
"""Threads that commit, where the database takes more than one."""


class Store:
    """Holds the ports. Made by `open`; `close` it, or a lock stays until the process ends."""

    def __init__(  # noqa: PLR0913, PLR0915 - wiring, by name
        self,
        *,
        engine: Engine,
        lock: Held,
        condition: Condition,
        writer: Writer,
        reads: Reads,
        epochs: AllKeys,
        ended: Ended,
        clock: Clock,
        dice: Dice,
        lease: timedelta,
        bells: Bells,
        subscribers: Subscribers,
    ) -> None:
        """Wire the parts; `open` does it."""
        self._subscribers = subscribers
        self._engine = engine
        self._lock = lock
        self.condition = condition
        self._writer = writer
        self._reads = reads
        self._clock = clock
        self._bells = bells
        self._listening: asyncio.Task[None] | None = None
        self.bell: Bell = bells.work
        self.epoch_bell: Bell = bells.epoch
        self.payloads = SqlPayloads(
            writer=writer, reads=reads, epochs=epochs, clock=clock, dice=dice
        )
        self.inbox: Inbox = SqlInbox(
            writer=writer, reads=reads, payloads=self.payloads, clock=clock
        )
        self._run = run = dice.uuid()[:RUN_LENGTH]
        self.queue: Queue = SqlQueue(
            writer=writer,
            reads=reads,
            bells=bells,
            clock=clock,
            dice=dice,
            run=run,
            lease=lease,
        )
        self.holds: Holds = SqlHolds(writer=writer, reads=reads, clock=clock, ended=ended)
        self.desk: Desk = SqlDesk(writer=writer, reads=reads, clock=clock, ended=ended)
        self.signals: Signals = SqlSignals(writer=writer, clock=clock)
        self.postvak: Postvak = SqlPostvak(writer=writer, reads=reads, bells=bells, clock=clock)
        self.alarms: Alarms = SqlAlarms(writer=writer, reads=reads, clock=clock)
        self.keep_ended = KeepEnded(reads=reads, ended=ended, alarms=self.alarms, clock=clock)
        self.decisions: Decisions = SqlDecisions(writer=writer, clock=clock)
        self.pauses: Pauses = SqlPauses(writer=writer, reads=reads, clock=clock)
        self.renewals: Renewals = SqlRenewals(writer=writer, clock=clock)
        self.shelving: Shelving = SqlShelving(writer=writer, clock=clock)
        self.confirmations = SqlConfirmations(writer=writer, reads=reads, clock=clock)
        self.pickup: Pickup = SqlPickup(writer=writer, reads=reads, clock=clock)
        self.links: Links = SqlLinks(writer=writer, clock=clock)
        self.switches: Switches = SqlSwitches(writer=writer, reads=reads, clock=clock)
        self.quarantine: Quarantine = SqlQuarantine(writer=writer, reads=reads, clock=clock)
        self.receipts: Receipts = SqlReceipts(writer=writer, reads=reads, clock=clock)
        self.enquiries: Enquiries = SqlEnquiries(writer=writer, reads=reads, clock=clock)
        self.undeliverable: Undeliverable = SqlUndeliverable(
            writer=writer, reads=reads, clock=clock
        )
        self.webhook_bell: Bell = bells.webhooks
        self.webhooks: Webhooks = SqlWebhooks(writer=writer, reads=reads, clock=clock, dice=dice)
        self.tokens: Tokens = SqlTokens(writer=writer, reads=reads, clock=clock, ended=ended)
        self.people = SqlPeople(writer=writer, reads=reads)
        self.overview: Overview = SqlOverview(reads=reads)
        self.worklist: Worklist = SqlWorklist(writer=writer, clock=clock)
        self.tallies: Tallies = SqlTallies(writer=writer, reads=reads, engine=engine, clock=clock)
        self.reader: Reader = SqlReader(reads=reads, engine=engine, clock=clock)
        self.retention = SqlRetention(
            writer=writer, reads=reads, epochs=epochs, clock=clock, dice=dice
        )

    @classmethod
    def open(  # noqa: PLR0913 - wiring, by name
        cls,
        url_or_path: str | os.PathLike[str],
        *,
        epochs: AllKeys,
        ended: Ended,
        clock: Clock,
        dice: Dice,
        writer_id: str,
        inline: bool = False,
        password_file: Path | None = None,
        writers: int = WRITERS,
        lease: timedelta = LEASE,
    ) -> "Store":
        """Open or make the database and bring its tables up to date.

        `writer_id` names the audit chains that this process continues; `ended` has what was
        withdrawn; `lease` is how long its workers may be silent. `inline` works on the caller's
        thread only, for simulations. Raises Misconfigured `store.locked`, `store.path`,
        `store.engine`, `store.password`, `store.version`; StoreUnavailable when a server does
        not answer.
        """
        engine = open_engine(url_or_path, password_file=password_file)
        engine.create()
        lock = engine.lock()
        committers: list[Committer] = []
        try:
            upgrade(engine)
            threads = writers if engine.shared and not inline else 1
            condition = Condition(clock, dice)
            subscribers = Subscribers()
            # One by one: those before one that fails are closed.
            committers.extend(
                Committer(
                    engine,
                    writer_id,
                    clock,
                    watch=condition,
                    subscribers=subscribers,
                    ended=ended,
                )
                for _ in range(threads)
            )
            if not engine.shared:
                value_of(committers[0].run((ForgetWorkers(),))[0])
        except BaseException:
            for committer in committers:
                committer.close()
            lock.release()
            raise
        bells = Bells()
        return cls(
            engine=engine,
            lock=lock,
            condition=condition,
            writer=(
                InlineWriter(committers[0], hear=bells.rung)
                if inline
                else ThreadWriter(*committers, hear=bells.rung)
            ),
            bells=bells,
            reads=InlineReads(engine) if inline else ThreadReads(engine),
            epochs=epochs,
            ended=ended,
            clock=clock,
            dice=dice,
            lease=lease,
            subscribers=subscribers,
        )

    def subscribe(self, subscribers: tuple[Subscriber, ...]) -> None:
        """Write events down for these, from the next commit on; nobody before the first call."""
        self._subscribers.now = subscribers

    def listen(self) -> None:
        """Hear what other processes tell, from now on; call it on the running loop."""
        if self._listening is None:
            hearing = self._engine.hear(self._bells)
            self._listening = asyncio.create_task(hearing, name="store-listener")

    async def close(self) -> None:
        """Commit what waits, disconnect, and let another process open the database."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        await self._writer.close()
        self._reads.close()
        self._lock.release()

    def wake(self) -> None:
        """Wake everybody who waits: the process stops, or may have missed something."""
        self._bells.all()

    async def take_duty(self, name: str, *, term: timedelta) -> bool:
        """Return whether work that one process at a time does is with this one."""
        return await self._writer.commit(TakeDuty(name=name, holder=self._run, term=term))

    async def leave_duty(self, name: str) -> None:
        """Let another process take the duty at once; nothing happens when it is not ours."""
        await self._writer.commit(LeaveDuty(name=name, holder=self._run))

    async def sync_epoch(self, fingerprint: str, *, was: str | None = None) -> int:
        """Return the epoch of the directory with this fingerprint; a new one moves it.

        `was` is what this process worked by so far. Raises Misconfigured `directory.differs`
        when its own files are as they were and another process loaded others.
        """
        unit = SyncEpoch(fingerprint=fingerprint, was=was, at=self._clock.now())
        return await self._writer.commit(unit)

    async def epoch(self) -> int | None:
        """Return the epoch on file; raises StoreUnavailable. The cheapest look there is."""
        return await self._reads(lambda c: c.execute(EPOCH).scalar())

    async def verify_chain(self) -> Break | None:
        """Recompute the audit chains; return the first break."""
        return await self._reads(verify_chain)

    def counters(self) -> Mapping[str, int]:
        """Facts of the writer since the opening: commits, units, rollbacks, waiting, …."""
        return {**asdict(self._writer.counters()), "waiting": self._writer.waiting()}
