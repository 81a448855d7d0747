"""One transaction, and what runs in it.

A unit is a value that can be run again. Several run in one transaction; when one of them
raises, all are rolled back and each runs alone. There are no savepoints: SQLAlchemy on
sqlite3 does not isolate them.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from gateway.directory import Subscriber
from gateway.errors import StoreUnavailable
from gateway.ports import AuditEvent
from gateway.store.audit import Tail, link
from gateway.store.ended import Ended
from gateway.store.prepared import Params, Prepared, Rows
from gateway.store.tables import FLUSH_ORDER, audit, metadata

T_co = TypeVar("T_co", covariant=True)

Change = sa.Update | sa.Delete | sa.Insert


class Tx:
    """One transaction. Inserts are kept and go out as one executemany per table."""

    def __init__(
        self,
        connection: sa.Connection,
        tail: Tail,
        *,
        high_water: datetime,
        now: datetime,
        subscribers: tuple[Subscriber, ...] = (),
        ended: Ended,
    ) -> None:
        """Take a connection on which BEGIN was said, and the end of the audit chain."""
        self.subscribers = subscribers
        """Who is told what changes; mostly nobody."""
        self.ended = ended
        """Where a withdrawal is marked; a rollback does not take the mark away."""
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

    def change_each(self, statement: Prepared, rows: Sequence[Params]) -> int:
        """Change rows now, once for each of `rows`; return how many changed in all."""
        self.flush()
        return statement.change_each(self.connection, rows) if rows else 0

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
