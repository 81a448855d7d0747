"""Group commit: units run together in one transaction, or each alone when one of them raises."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from gateway.directory import Subscriber
from gateway.errors import GatewayError, OutcomeUnknown, StoreUnavailable
from gateway.ports import Clock
from gateway.store import clock as marks
from gateway.store.audit import Tail, tail_of
from gateway.store.ended import Ended, Unmarked
from gateway.store.engine import Engine
from gateway.store.faults import AGAIN, code_of, lost_connection, ours
from gateway.store.transaction import Tx, Unit

TRIES = 4
"""How often one unit is run when another process is in its way."""


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


@dataclass(slots=True)
class Subscribers:
    """Who is told what units change, by the directory of now. One for all committers."""

    now: tuple[Subscriber, ...] = ()


class Committer:
    """Runs units in transactions, on a connection of its own that writes. Not thread-safe."""

    def __init__(
        self,
        engine: Engine,
        writer_id: str,
        clock: Clock,
        *,
        watch: Watch | None = None,
        subscribers: Subscribers | None = None,
        ended: Ended | None = None,
    ) -> None:
        """Connect, and find the end of an audit chain that is named after `writer_id`."""
        self._subscribers = subscribers or Subscribers()
        self._watch = watch or Unwatched()
        self._ended = ended or Unmarked()
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
            tx = Tx(
                connection,
                self._tail,
                high_water=high_water,
                now=now,
                subscribers=self._subscribers.now,
                ended=self._ended,
            )
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
