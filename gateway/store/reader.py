"""Look-ups for back-ends and operators: the port `Reader`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports import (
    TO_PARTNERS,
    AlarmView,
    AuditRow,
    Clock,
    DeliveryChannel,
    DeliveryKind,
    DeliveryView,
    Known,
    MessageView,
    Page,
    Wanted,
)
from gateway.store.alarms import counts, open_alarms
from gateway.store.audit import read_row
from gateway.store.engine import Engine
from gateway.store.horizon import settled
from gateway.store.listing import Bounds, find, look_back, of_party, start
from gateway.store.reading import Reads
from gateway.store.records import KNOWN, known
from gateway.store.tables import audit, deliveries, messages, webhook_events


def _view(row: sa.Row[Any]) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        recipient=Oin(row.recipient),
        channel=DeliveryChannel(row.channel),
        kind=DeliveryKind(row.kind),
        state=State(row.state),
        attempt=row.attempt,
        ground=row.ground,
        approval_id=row.approval_id,
        next_at=row.next_at,
        last_code=row.last_code,
        delivered_at=row.delivered_at,
    )


def _message(connection: sa.Connection, id_: str) -> MessageView | None:
    row = connection.execute(sa.select(*KNOWN).where(messages.c.id == id_)).first()
    if row is None:
        return None
    sent = connection.execute(
        sa.select(deliveries).where(deliveries.c.message == id_).order_by(deliveries.c.seq)
    )
    trace = connection.execute(
        sa.select(audit).where(audit.c.message == id_).order_by(audit.c.at, audit.c.seq)
    )
    return MessageView(
        message=known(row),
        deliveries=tuple(_view(d) for d in sent),
        trace=tuple(read_row(a) for a in trace),
    )


def _page(party: Oin | None, before: str | None, limit: int) -> sa.Select[Any]:
    statement = sa.select(*KNOWN).order_by(messages.c.seq.desc()).limit(limit)
    if party is not None:
        statement = statement.where(of_party(party))
    if before is not None:
        last = sa.select(_LAST.c.seq).where(_LAST.c.id == before)
        statement = statement.where(messages.c.seq < last.scalar_subquery())
    return statement


_LAST = messages.alias("last")


class SqlReader:
    """The port `Reader`."""

    def __init__(self, *, reads: Reads, engine: Engine, clock: Clock) -> None:
        """Take what it reads with."""
        self._engine = engine
        self._reads = reads
        self._clock = clock

    async def message(self, id_: str) -> MessageView | None:
        """Return the message with its deliveries and its trace, or None."""
        return await self._reads(lambda c: _message(c, id_))

    async def messages(
        self, *, party: Oin | None, before: str | None, limit: int
    ) -> tuple[Known, ...]:
        """Newest first; nothing when `before` is not known."""
        statement = _page(party, before, limit)
        return await self._reads(lambda c: tuple(known(row) for row in c.execute(statement)))

    async def audit(self, *, after: int, limit: int) -> tuple[AuditRow, ...]:
        """Return rows of all writers behind position `after`, lowest position first.

        With several writers a row may appear behind one that was read before it.
        """
        statement = sa.select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(limit)
        return await self._reads(lambda c: tuple(read_row(row) for row in c.execute(statement)))

    async def figures(self) -> Mapping[str, int]:
        """Count: `delivery.<state>` and `signal.<state>`, and what needs somebody's eye.

        `delivery.expired` are those of `delivery.dead` whose time passed; `due` may be sent
        now; `unconfirmed` waits for an acknowledgement; `postvak.waiting` and
        `postvak.unconfirmed` are the back-ends' turn; `alarm.<code>` stand open.
        """
        now = self._clock.now()
        return await self._reads(lambda c: _figures(c, now))

    async def newest(self, wanted: Wanted, *, below: int | None = None, limit: int) -> Page:
        """Return messages newest first, from below a position."""
        bounds = Bounds(below=below)
        return await self._reads(lambda c: find(c, wanted, bounds, limit))

    async def look_back(
        self, wanted: Wanted, *, below: int | None = None, limit: int, most: int
    ) -> Page:
        """Return messages newest first, in bounded steps; see the port."""
        return await self._reads(lambda c: look_back(c, wanted, below, limit, most))

    async def in_order(self, wanted: Wanted, *, after: int | None = None, limit: int) -> Page:
        """Return messages behind a position, up to where nothing can come in between."""
        last = await settled(self._reads, self._engine, self._clock, messages)
        return await self._reads(lambda c: _in_order(c, wanted, after, last, limit))

    async def alarms(self, *, limit: int) -> tuple[AlarmView, ...]:
        """Return what is open, newest first."""
        return await self._reads(lambda c: open_alarms(c, limit))


def _in_order(
    connection: sa.Connection, wanted: Wanted, after: int | None, last: int, limit: int
) -> Page:
    """Say also of a page that is not full how far was looked: it is not looked there again."""
    if after is None and wanted.since is not None:
        after = start(connection, wanted.since)
        if after is None:
            return Page(found=(), last=last)
    page = find(connection, wanted, Bounds(above=after, below=last + 1, in_order=True), limit)
    return page if len(page.found) == limit else replace(page, last=max(last, after or 0))


def _figures(connection: sa.Connection, now: Any) -> dict[str, int]:
    d = deliveries.c
    groups = connection.execute(
        sa.select(d.channel, d.kind, d.state, sa.func.count().label("n")).group_by(
            d.channel, d.kind, d.state
        )
    ).all()
    figures = {f"{prefix}.{state}": 0 for prefix in ("delivery", "signal") for state in State}
    more = {
        ("postvak", "ready"): "postvak.waiting",
        ("postvak", "sent"): "postvak.unconfirmed",
        ("ebms2", "sent"): "unconfirmed",
        ("e-mail", "sent"): "unconfirmed",
    }
    figures |= dict.fromkeys(more.values(), 0)
    for row in groups:
        prefix = "signal" if row.kind == str(DeliveryKind.SIGNAL) else "delivery"
        figures[f"{prefix}.{row.state}"] += row.n
        name = more.get((row.channel, row.state))
        if name:
            figures[name] += row.n
    figures["due"] = _count(
        connection, d.channel.in_(TO_PARTNERS), d.state == str(State.READY), d.next_at <= now
    )
    figures["delivery.expired"] = _count(
        connection, d.state == str(State.DEAD), d.last_code == "delivery.expired"
    )
    figures["webhooks.waiting"] = int(
        connection.execute(sa.select(sa.func.count()).select_from(webhook_events)).scalar_one()
    )
    return figures | {f"alarm.{code}": n for code, n in counts(connection).items()}


def _count(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> int:
    statement = sa.select(sa.func.count()).select_from(deliveries).where(*where)
    return int(connection.execute(statement).scalar_one())
