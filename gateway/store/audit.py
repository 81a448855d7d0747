"""The audit chain: insert-only rows, each carrying the hash of the one before it."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from gateway.moments import to_micros
from gateway.ports import AuditEvent, AuditRow
from gateway.store.tables import audit

START = "0" * 64
"""`previous` of a writer's first row."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Where the chain of a writer ends."""

    writer: str
    n: int
    hash: str

    @classmethod
    def start(cls, writer: str) -> "Tail":
        """Return the end of a chain without rows."""
        return cls(writer, 0, START)


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where a chain does not hold."""

    writer: str
    n: int
    """Number of the row that is wrong, or that should have stood there."""
    code: str
    """`audit.gap`, `audit.previous` or `audit.hash`."""


# Made once: `json.dumps` with other settings than its own makes one per call.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(data: Mapping[str, Any]) -> str:
    """Return the one JSON text that stands for `data`."""
    return _ENCODER.encode(data)


def tail_of(connection: sa.Connection, writer: str) -> Tail:
    """Return the end of the writer's chain, or its start."""
    found = connection.execute(
        sa.select(audit.c.n, audit.c.hash)
        .where(audit.c.writer == writer)
        .order_by(audit.c.n.desc())
        .limit(1)
    ).first()
    return Tail(writer, found.n, found.hash) if found else Tail.start(writer)


def link(tail: Tail, event: AuditEvent) -> tuple[dict[str, Any], Tail]:
    """Return the row for `event` behind `tail`, and the new tail."""
    row: dict[str, Any] = {
        "writer": tail.writer,
        "n": tail.n + 1,
        "previous": tail.hash,
        "event": event.event,
        "at": event.at,
        "message": event.message,
        "delivery": event.delivery,
        "code": event.code,
        "party": str(event.party),
        "actor": event.actor,
        "data": canonical(event.data),
    }
    row["hash"] = _hash(row)
    return row, Tail(tail.writer, tail.n + 1, row["hash"])


def _hash(row: Mapping[str, Any] | sa.RowMapping) -> str:
    """SHA-256 over all columns but `seq` and the hash itself; `at` in microseconds."""
    told = {name: row[name] for name in _TOLD}
    told["at"] = to_micros(row["at"])
    return sha256(canonical(told).encode()).hexdigest()


_TOLD = tuple(c.name for c in audit.columns if c.name not in {"seq", "hash"})


def read_row(row: sa.Row[Any]) -> AuditRow:
    """Turn a row of the table into the value."""
    return AuditRow(
        position=row.seq,
        writer=row.writer,
        n=row.n,
        previous=row.previous,
        hash=row.hash,
        event=AuditEvent(
            event=row.event,
            at=row.at,
            message=row.message,
            delivery=row.delivery,
            code=row.code,
            party=row.party,
            actor=row.actor,
            data=json.loads(row.data),
        ),
    )


def verify_chain(connection: sa.Connection) -> Break | None:
    """Recompute every chain; return the first break, None when all hold.

    Rows cut off at the very end of a chain leave no break: only a seal kept elsewhere
    shows that.
    """
    rows = connection.execute(
        sa.select(audit).order_by(audit.c.writer, audit.c.n).execution_options(yield_per=1000)
    )
    with closing(rows):
        return _first_break(rows)


def _first_break(rows: sa.CursorResult[Any]) -> Break | None:
    for writer, chain in groupby(rows.mappings(), key=lambda row: str(row["writer"])):
        tail = Tail.start(writer)
        for row in chain:
            code = _broken(row, tail)
            if code:
                return Break(writer, tail.n + 1, code)
            tail = Tail(writer, row["n"], row["hash"])
    return None


def _broken(row: sa.RowMapping, tail: Tail) -> str:
    if row["n"] != tail.n + 1:
        return "audit.gap"
    if row["previous"] != tail.hash:
        return "audit.previous"
    return "" if row["hash"] == _hash(row) else "audit.hash"
