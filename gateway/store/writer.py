"""Units of work, group commit, and the thread that does it.

A unit is a value that can be run again. Several run in one transaction; when one of them
raises, all are rolled back and each runs alone. There are no savepoints: SQLAlchemy on
sqlite3 does not isolate them.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from gateway.errors import GatewayError, OutcomeUnknown, StoreUnavailable
from gateway.ports import AuditEvent, Clock
from gateway.store import clock as marks
from gateway.store.audit import Tail, link, tail_of
from gateway.store.engine import Engine
from gateway.store.faults import AGAIN, code_of, lost_connection, ours
from gateway.store.prepared import Params, Prepared, Rows
from gateway.store.tables import FLUSH_ORDER, audit, metadata

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

GROUP = 64
"""Units in one commit, at most."""
QUEUE = 1024
"""Units that may wait; more is refused with `store.busy`."""
PROBE_SECONDS = 1.0
"""How often a thread that has nothing to do looks whether an outage is over."""
LINGER = 0.001
"""Seconds that a commit waits for company, where the one before it had some."""
TRIES = 4
"""How often one unit is run when another process is in its way."""

Change = sa.Update | sa.Delete | sa.Insert


class Tx:
    """One transaction. Inserts are kept and go out as one executemany per table."""

    def __init__(
        self, connection: sa.Connection, tail: Tail, *, high_water: datetime, now: datetime
    ) -> None:
        """Take a connection on which BEGIN was said, and the end of the audit chain."""
        self.now = now
        """When it began, by the clock of this process."""
        self.connection = connection
        self.tail = tail
        self.high_water = high_water
        """The latest moment on file, from whichever process."""
        self.topics: dict[str, None] = {}
        self.memo: set[Hashable] = set()
        """What units of this transaction have found out and the transaction keeps true."""
        self._rows: dict[sa.Table, list[Params]] = {}
        self._deferred: dict[Prepared, tuple[list[Params], Callable[[], Exception]]] = {}

    def insert(self, table: sa.Table, rows: Iterable[Params]) -> None:
        """Keep rows; each must have the same columns as the others of its table."""
        self._rows.setdefault(table, []).extend(rows)

    def record(self, *events: AuditEvent) -> None:
        """Add audit rows at the end of the chain."""
        for event in events:
            row, self.tail = link(self.tail, event)
            self.insert(audit, (row,))

    def ring(self, topic: str) -> None:
        """Wake whoever waits for `topic`, here and in other processes, when this commits."""
        self.topics[topic] = None

    def defer(
        self, statement: Prepared, row: Params, *, missing: Callable[[], Exception] | None = None
    ) -> None:
        """Keep a change of one row until the end, behind all inserts.

        Where the row is not there the batch fails, and the unit alone with `missing`.
        """
        rows, _ = self._deferred.get(statement, ([], _gone))
        rows.append(row)
        self._deferred[statement] = rows, missing or _gone

    def peek(self, statement: Prepared, params: Params | None = None) -> Rows:
        """Read without flushing: does not see what units before it in the batch insert.

        Only where a constraint catches that, so that the unit is run again alone.
        """
        return statement.rows(self.connection, params)

    def find(self, statement: Prepared, params: Params | None = None) -> Rows:
        """Read what this transaction has, kept rows included."""
        self.flush()
        return statement.rows(self.connection, params)

    def change(self, statement: Prepared, params: Params | None = None) -> int:
        """Change rows now; return how many."""
        self._flush_before(statement.statement)
        return statement.change(self.connection, params)

    def read(self, statement: sa.Select[Any], params: Params | None = None) -> sa.Result[Any]:
        """Read as `find`, by a statement that is made for this once."""
        self.flush()
        return self.connection.execute(statement, params)

    def write(self, statement: Change, params: Params | None = None) -> int:
        """Change rows as `change`, by a statement that is made for this once."""
        self._flush_before(statement)
        return self.connection.execute(statement, params).rowcount

    def flush(self) -> None:
        """Send what was kept, parents before children, then the deferred changes by key."""
        if self._rows:
            for table in FLUSH_ORDER:
                self._send(table)
        for statement, (changes, missing) in self._deferred.items():
            ordered = sorted(changes, key=lambda row: list(row.values()))
            if statement.change_each(self.connection, ordered) != len(ordered):
                raise missing()
        self._deferred.clear()

    def _send(self, table: sa.Table) -> None:
        rows = self._rows.pop(table, None)
        if rows:
            _insert(table.name, tuple(rows[0])).change_each(self.connection, rows)

    def _flush_before(self, statement: Any) -> None:
        if isinstance(statement.table, sa.Table) and self._rows.get(statement.table):
            self.flush()


def _gone() -> StoreUnavailable:
    return StoreUnavailable("store.conflict", "a row that was to change is not there")


@cache
def _insert(table: str, columns: tuple[str, ...]) -> Prepared:
    return Prepared(sa.insert(metadata.tables[table]), columns=columns)


class Unit(Protocol[T_co]):
    """A piece of work on the database: a frozen value, so that it can be run again."""

    def run(self, tx: Tx) -> T_co: ...


@dataclass(frozen=True, slots=True)
class Done:
    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    error: BaseException


Result = Done | Failed


@dataclass(slots=True)
class Counters:
    """Facts for `/metrics`, since the store was opened."""

    commits: int = 0
    units: int = 0
    rollbacks: int = 0
    """Batches taken apart, and units that were refused."""
    unknown: int = 0
    """Commits of which nobody knows whether they happened."""
    refused: int = 0
    """Units that found the queue full."""
    largest_group: int = 0

    def __add__(self, other: "Counters") -> "Counters":
        """Return both together."""
        largest = max(self.largest_group, other.largest_group)
        names = ("commits", "units", "rollbacks", "unknown", "refused")
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return Counters(**sums, largest_group=largest)


class Watch(Protocol):
    """Keeps whether changes can be committed. Called from every thread that commits."""

    def down(self) -> bool: ...
    def failed(self, code: str) -> None:
        """A commit failed, for no fault of what was in it."""
        ...

    def looks(self) -> "Sequence[Unit[Any]]":
        """Return what to commit, each alone, to see whether an outage is over; empty = later."""
        ...

    def over(self) -> None:
        """All of that was committed."""
        ...


class Unwatched:
    """Nobody wants to know."""

    def down(self) -> bool:
        """Know of nothing."""
        return False

    def failed(self, code: str) -> None:
        """Ignore it."""

    def looks(self) -> "Sequence[Unit[Any]]":
        """There is no outage."""
        return ()

    def over(self) -> None:
        """There was none."""


class Committer:
    """Runs units in transactions, on a connection of its own that writes. Not thread-safe."""

    def __init__(
        self, engine: Engine, writer_id: str, clock: Clock, *, watch: Watch | None = None
    ) -> None:
        """Connect, and find the end of an audit chain that is named after `writer_id`."""
        self._watch = watch or Unwatched()
        self._engine = engine
        self._writer_id = writer_id
        self._clock = clock
        self._connection: sa.Connection | None = None
        self._tail = Tail.start(writer_id)
        self._mark = marks.Mark()
        self.counters = Counters()
        self.topics: dict[str, None] = {}
        """What committed units rang since somebody took it."""
        self._connect()

    def run(self, units: Sequence[Unit[Any]]) -> list[Result]:
        """Run all in one commit, or each alone when one of them raises. Never raises.

        During an outage it looks first whether that is over, also without any unit.
        """
        lost = self._look() if self._watch.down() else None
        if lost is not None:
            return [Failed(lost)] * len(units)
        return self._run(units) if units else []

    def _run(self, units: Sequence[Unit[Any]]) -> list[Result]:
        try:
            return self._together(units)
        except _Lost as lost:
            return [self._failed(lost)] * len(units)
        except Exception as error:  # noqa: BLE001 - every failure must reach its future
            return self._each(units, error)

    def down(self) -> bool:
        """Tell whether there is an outage: then `run` now and then, if only nothing."""
        return self._watch.down()

    def _look(self) -> StoreUnavailable | None:
        """See whether the outage is over; return what stands in the way of every change."""
        looks = self._watch.looks()
        try:
            for unit in looks:
                self._together((unit,))
        except Exception as error:  # noqa: BLE001 - it is still not over, whatever it is
            code = self._note(error if isinstance(error, _Lost) else _Lost(_ours(error)))
            blocked = StoreUnavailable(code, "the database could not be written just now")
            return None if code in PARTLY else blocked
        if looks:
            self._watch.over()
        return None

    def _failed(self, lost: "_Lost") -> Failed:
        self._note(lost)
        return Failed(lost.error)

    def _note(self, lost: "_Lost") -> str:
        cause = lost.__cause__  # of a commit that is unknown it tells more
        if isinstance(cause, sa.exc.SQLAlchemyError):
            code = code_of(cause)
        else:
            code = getattr(lost.error, "code", "store.failed")
        self._watch.failed(code)
        return code

    def take_topics(self) -> tuple[str, ...]:
        """Return what was rung since the last time."""
        topics = tuple(self.topics)
        self.topics.clear()
        return topics

    def _each(self, units: Sequence[Unit[Any]], error: Exception) -> list[Result]:
        if len(units) > 1:
            return [self._alone(unit, tries=TRIES) for unit in units]
        if _again(_ours(error)):
            return [self._alone(units[0], tries=TRIES - 1)]
        return [Failed(_ours(error))]

    def close(self) -> None:
        """Checkpoint and disconnect."""
        with suppress(sa.exc.SQLAlchemyError, GatewayError):
            self._engine.checkpoint(self._connect())
        self._disconnect()

    def _together(self, units: Sequence[Unit[Any]]) -> list[Result]:
        connection = self._begin()
        try:
            now = self._clock.now()
            high_water = self._mark.advance(connection, now)
            tx = Tx(connection, self._tail, high_water=high_water, now=now)
            values = [unit.run(tx) for unit in units]
            tx.flush()
            self._engine.tell(connection, tuple(tx.topics))
        except BaseException as error:
            self._rollback()
            self._raise_lost(error)
            raise
        self._commit(tx)
        self.counters.units += len(units)
        self.counters.largest_group = max(self.counters.largest_group, len(units))
        return [Done(value) for value in values]

    def _raise_lost(self, error: BaseException) -> None:
        """Without a database no unit can do better alone. Nothing of the batch happened."""
        mine = ours(error)
        if isinstance(mine, StoreUnavailable) and mine.code in _HOPELESS:
            # A server that became a standby, a file that was opened read-only: not for ever.
            self._disconnect()
            raise _Lost(mine) from error

    def _begin(self) -> sa.Connection:
        """Begin; a connection that died since the last time is made again, once."""
        fresh = self._connection is None
        try:
            connection = self._connect()
            self._engine.begin(connection)
        except (sa.exc.SQLAlchemyError, GatewayError) as error:
            self._disconnect()
            if not fresh and isinstance(error, sa.exc.SQLAlchemyError) and lost_connection(error):
                return self._begin()
            raise _Lost(ours(error)) from error
        return connection

    def _commit(self, tx: Tx) -> None:
        try:
            self._engine.commit(tx.connection)
        except Exception as error:
            # The connection may still hold the transaction: only closing it is sure. The
            # chain is read again, because the rows may or may not stand there.
            self._disconnect()
            self.counters.unknown += 1
            unknown = OutcomeUnknown("store.outcome_unknown", "the commit was not confirmed")
            raise _Lost(unknown) from error
        self._tail = tx.tail
        self._mark.kept()
        self.topics |= tx.topics
        self.counters.commits += 1

    def _rollback(self) -> None:
        self.counters.rollbacks += 1
        try:
            if self._connection is not None:
                self._connection.exec_driver_sql("ROLLBACK")
        except sa.exc.SQLAlchemyError:
            self._disconnect()

    def _connect(self) -> sa.Connection:
        if self._connection is None:
            connection = self._engine.writer()
            try:
                chain = self._engine.chain(connection, self._writer_id)
                self._tail = tail_of(connection, chain)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            self._mark = marks.Mark()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sa.exc.SQLAlchemyError):
                self._connection.close()
            self._connection = None

    def _alone(self, unit: Unit[Any], *, tries: int) -> Result:
        """Run it by itself. What another process was in the way of is run once more."""
        try:
            return self._together((unit,))[0]
        except _Lost as lost:
            return self._failed(lost)
        except Exception as error:  # noqa: BLE001 - every failure must reach its future
            if tries > 1 and _again(_ours(error)):
                return self._alone(unit, tries=tries - 1)
            return Failed(_ours(error))


_HOPELESS = frozenset({"store.gone", "store.full", "store.readonly", "store.damaged", "store.disk"})
"""What no unit of a batch can be to blame for."""


PARTLY = frozenset({"store.full", "store.disk"})
"""What small changes may still get past: deliveries end while nothing new is taken in."""


def _again(error: BaseException) -> bool:
    return isinstance(error, StoreUnavailable) and error.code in AGAIN


def _ours(error: Exception) -> BaseException:
    mine = ours(error)
    if mine is not error:
        mine.__cause__ = error
    return mine


class _Lost(Exception):
    """Not one unit's fault: all of the batch fail alike."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


Hear = Callable[[str], None]


class Writer(Protocol):
    """Commits units of work."""

    async def commit(self, unit: Unit[T]) -> T:
        """Run the unit and return its value after COMMIT.

        Raises what the unit raises, StoreUnavailable, or OutcomeUnknown.
        """
        ...

    async def close(self) -> None: ...
    def waiting(self) -> int: ...
    def counters(self) -> Counters: ...


def value_of(result: Result) -> Any:
    """Return the value, or raise the error."""
    if isinstance(result, Failed):
        raise result.error
    return result.value


class InlineWriter:
    """Commits at once, on the caller's thread: for simulations."""

    def __init__(self, committer: Committer, *, hear: Hear = lambda _topic: None) -> None:
        """Take the committer, and who hears what units ring."""
        self._committer = committer
        self._hear = hear

    async def commit(self, unit: Unit[T]) -> T:
        """Run the unit in a commit of its own."""
        results = self._committer.run((unit,))
        for topic in self._committer.take_topics():
            self._hear(topic)
        value: T = value_of(results[0])
        return value

    async def close(self) -> None:
        """Disconnect."""
        self._committer.close()

    def waiting(self) -> int:
        """Nothing ever waits."""
        return 0

    def counters(self) -> Counters:
        """Return the facts of the committer."""
        return self._committer.counters


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    unit: Unit[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class ThreadWriter:
    """Commits on a thread per committer; what came in meanwhile goes into the next commit."""

    def __init__(
        self,
        *committers: Committer,
        size: int = QUEUE,
        group: int = GROUP,
        hear: Hear = lambda _topic: None,
    ) -> None:
        """Start the threads; `hear` is called on the loop with what units ring."""
        self._committers = committers
        self._hear = hear
        self._group = group
        self._refused = 0
        self._queue: queue.Queue[_Job | None] = queue.Queue(size)
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, args=(c,), name="store-writer", daemon=True)
            for c in committers
        ]
        for thread in self._threads:
            thread.start()

    async def commit(self, unit: Unit[T]) -> T:
        """Wait for the commit that the unit goes into; raise StoreUnavailable `store.busy`."""
        if self._closed:
            raise StoreUnavailable("store.closed", "the store is closing")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        try:
            self._queue.put_nowait(_Job(unit, future, loop))
        except queue.Full:
            self._refused += 1
            raise StoreUnavailable("store.busy", "too many changes wait for the database") from None
        return await future

    async def close(self) -> None:
        """Commit what waits, then end the threads and disconnect."""
        if not self._closed:
            self._closed = True
            for _ in self._threads:
                await asyncio.to_thread(self._queue.put, None)
            for thread in self._threads:
                await asyncio.to_thread(thread.join)

    def waiting(self) -> int:
        """Return how many units wait."""
        return self._queue.qsize()

    def counters(self) -> Counters:
        """Return the facts of all threads together."""
        return sum((c.counters for c in self._committers), Counters(refused=self._refused))

    def _run(self, committer: Committer) -> None:
        company = False
        while (job := self._next(committer)) is not None:
            if company:
                time.sleep(LINGER)  # more is on its way: one commit for all costs less
            jobs, last = self._collect(job)
            company = len(jobs) > 1
            results = committer.run([job.unit for job in jobs])
            self._resolve(jobs, results, committer.take_topics())
            if last:
                break
        committer.close()

    def _next(self, committer: Committer) -> _Job | None:
        """Wait for work; without any, look now and then whether an outage is over."""
        while True:
            try:
                return self._queue.get(timeout=PROBE_SECONDS if committer.down() else None)
            except queue.Empty:
                committer.run(())

    def _resolve(
        self, jobs: Sequence[_Job], results: Sequence[Result], topics: Sequence[str]
    ) -> None:
        """Tell each loop once about all of its futures, and the first what was rung."""
        by_loop: dict[asyncio.AbstractEventLoop, list[Callable[[], None]]] = {}
        for job, result in zip(jobs, results, strict=True):
            by_loop.setdefault(job.loop, []).append(_teller(job.future, result))
        by_loop[jobs[0].loop] += [partial(self._hear, topic) for topic in topics]
        for loop, tellers in by_loop.items():
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(_tell, tellers)

    def _collect(self, first: _Job) -> tuple[list[_Job], bool]:
        """Take what waits, up to the group's size; True when it was the last."""
        jobs = [first]
        while len(jobs) < self._group:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False


def _teller(future: asyncio.Future[Any], result: Result) -> Callable[[], None]:
    def tell() -> None:
        if future.done():
            return
        if isinstance(result, Failed):
            future.set_exception(result.error)
        else:
            future.set_result(result.value)

    return tell


def _tell(tellers: Sequence[Callable[[], None]]) -> None:
    for tell in tellers:
        tell()
