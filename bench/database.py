"""The database of a hub, looked into and filled from outside while it runs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bench.place import ACTION, DEAD_RETRY_INTERVAL, HALT, VT, Place
from gateway.lifecycle import State
from gateway.ports import DeliveryChannel, DeliveryKind
from gateway.store.deliveries import lane_id
from gateway.store.tables import audit, deliveries, holds, lanes, messages

LIFE = timedelta(days=7)
CHUNK = 10_000
"""Rows in one transaction: the hub must get its turn."""


def engine(place: Place) -> sa.Engine:
    """Return an engine of our own, that keeps no connection."""
    url = place.database_url.replace("postgresql:", "postgresql+psycopg:", 1)
    file = sa.URL.create("sqlite", database=str(place.database))
    return sa.create_engine(url or file, poolclass=sa.pool.NullPool)


def delivered(place: Place) -> int:
    """Return how many deliveries are DELIVERED."""
    with engine(place).connect() as connection:
        found = connection.execute(
            sa.select(sa.func.count()).where(deliveries.c.state == str(State.DELIVERED))
        )
        return int(found.scalar_one())


def refused(place: Place, code: str) -> bool:
    """Tell whether the hub wrote down that it refused something for this."""
    with engine(place).connect() as connection:
        return (
            connection.execute(sa.select(audit.c.n).where(audit.c.code == code)).first() is not None
        )


def probes(place: Place) -> int:
    """Return how many attempts were made at what waits for Halt."""
    with engine(place).connect() as connection:
        attempts = sa.func.coalesce(sa.func.sum(deliveries.c.attempt), 0)
        found = connection.execute(sa.select(attempts).where(deliveries.c.recipient == HALT.oin))
        return int(found.scalar_one())


def add_waiting(place: Place, count: int, *, due: datetime, down_until: datetime) -> None:
    """Add READY messages for Halt: copies of one that went through, with ids of their own."""
    lane = lane_id(HALT.oin, DeliveryChannel.EBMS2, DeliveryKind.MESSAGE)
    ours = engine(place)
    with ours.begin() as tx:
        _add_lane(tx, lane, down_until)
        template = _template(tx)
    for first in range(0, count, CHUNK):
        numbers = _numbers(first, min(first + CHUNK, count))
        changes = _delivery(numbers.c.n, place, lane, due)
        with ours.begin() as tx:
            _copy(tx, messages, template.message, numbers, _message(numbers.c.n))
            _copy(tx, deliveries, template.id, numbers, changes)
    if place.database_url:
        with ours.begin() as tx:
            tx.execute(sa.text("ANALYZE"))  # autovacuum would, within the minute


def add_held(place: Place, count: int, *, at: datetime, deadline: datetime) -> None:
    """Add HELD messages for Veilig Thuis, put to the OM: in the lane of those that go through."""
    ours = engine(place)
    with ours.begin() as tx:
        template = _template(tx)
    for first in range(0, count, CHUNK):
        numbers = _numbers(first, min(first + CHUNK, count))
        name = _name(numbers.c.n)
        with ours.begin() as tx:
            _copy(tx, messages, template.message, numbers, _of_held(name))
            _copy(tx, deliveries, template.id, numbers, _held(name))
            rows = sa.select(
                name,
                name,
                name,
                sa.literal(at, holds.c.at.type),
                sa.literal(VT.oin),
                sa.literal("ab" * 32),
                sa.literal("individueel"),
                sa.literal("T-1"),
                sa.literal("[]"),
                sa.literal(deadline, holds.c.at.type),
                sa.literal(0),
                sa.literal(deadline, holds.c.at.type),
                sa.literal(at, holds.c.at.type),
                sa.literal(""),
            ).select_from(numbers)
            tx.execute(sa.insert(holds).from_select(HOLD, rows))
    if place.database_url:
        with ours.begin() as tx:
            tx.execute(sa.text("ANALYZE"))


HOLD = (
    "id",
    "delivery",
    "message",
    "at",
    "recipient",
    "payload_sha256",
    "ground",
    "table_version",
    "reasons",
    "deadline",
    "warned",
    "warn_at",
    "asked_at",
    "outcome",
)


def _of_held(name: sa.ColumnElement[str]) -> Mapping[str, Any]:
    columns = ("id", "message_id", "conversation_id", "referentienummer", "business_key")
    return dict.fromkeys(columns, name)


def _held(name: sa.ColumnElement[str]) -> Mapping[str, Any]:
    return {
        "id": name,
        "message": name,
        "ebms_id": name,
        "state": str(State.HELD),
        "ground": "individueel",
        "next_at": None,
        "expires_at": None,
        "attempt": 0,
        "fence": 0,
        "claimed_by": "",
        "sealed_id": None,
        "signed_references": "[]",
        "delivered_at": None,
        "ended_at": None,
        "dispose_at": None,
    }


def _add_lane(connection: sa.Connection, lane: str, down_until: datetime) -> None:
    row = {
        "id": lane,
        "recipient": HALT.oin,
        "channel": str(DeliveryChannel.EBMS2),
        "kind": str(DeliveryKind.MESSAGE),
        "next_at": down_until,
        "down": True,
    }
    connection.execute(sa.insert(lanes).values(row))


def _template(connection: sa.Connection) -> sa.Row[Any]:
    """Return a delivery to Veilig Thuis; the first will do."""
    return connection.execute(
        sa.select(deliveries.c.id, deliveries.c.message)
        .where(deliveries.c.recipient == VT.oin, deliveries.c.action == ACTION)
        .order_by(deliveries.c.seq)
        .limit(1)
    ).one()


def _numbers(first: int, end: int) -> sa.CTE:
    numbers = sa.select(sa.literal(first).label("n")).cte("numbers", recursive=True)
    more = sa.select(numbers.c.n + 1).where(numbers.c.n + 1 < end)
    return numbers.union_all(more)


def _copy(
    connection: sa.Connection,
    table: sa.Table,
    template: str,
    numbers: sa.CTE,
    changes: Mapping[str, Any],
) -> None:
    """Insert one copy of a row per number."""
    names = [c.name for c in table.columns if c.name != "seq"]
    values = [_value(table.c[name], changes) for name in names]
    rows = sa.select(*values).select_from(table.join(numbers, sa.true()))
    connection.execute(sa.insert(table).from_select(names, rows.where(table.c.id == template)))


def _value(column: sa.Column[Any], changes: Mapping[str, Any]) -> sa.ColumnElement[Any]:
    if column.name not in changes:
        return column
    change = changes[column.name]
    return change if isinstance(change, sa.ColumnElement) else sa.literal(change, column.type)


def _name(n: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    return sa.literal("waits-") + sa.cast(n, sa.String)


def _message(n: sa.ColumnElement[int]) -> Mapping[str, Any]:
    name = _name(n)
    return {
        "id": name,
        "message_id": name,
        "conversation_id": name,
        "referentienummer": name,
        "business_key": name,
        "ontvanger": HALT.oin,
        "ontvanger_applicatie": HALT.applicaties[0],
    }


def _delivery(
    n: sa.ColumnElement[int], place: Place, lane: str, due: datetime
) -> Mapping[str, Any]:
    return {
        "id": _name(n),
        "message": _name(n),
        "ebms_id": _name(n),
        "lane": lane,
        "recipient": HALT.oin,
        "cpa_id": place.cpa_id(HALT.oin),
        "applicatie": HALT.applicaties[0],
        "state": str(State.READY),
        "next_at": due,
        "expires_at": due + LIFE,
        "retry_interval": DEAD_RETRY_INTERVAL,
        "attempt": 0,
        "fence": 0,
        "claimed_by": "",
        "sealed_id": None,
        "signed_references": "[]",
        "delivered_at": None,
    }
