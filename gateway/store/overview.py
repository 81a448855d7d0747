"""Bounded look-ups for the console: the port `Overview`."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import ENDED, State
from gateway.message import Oin
from gateway.moments import from_micros
from gateway.ports import TO_PARTNERS, DeliveryChannel, DeliveryKind
from gateway.ports.overview import (
    MOST_COUNTED,
    Hour,
    Lane,
    Pile,
    Refusal,
    RefusalPlace,
    Refusals,
    Trail,
    TrailWanted,
)
from gateway.rules.approval import Ground
from gateway.store.audit import read_row
from gateway.store.reading import Reads
from gateway.store.refusals import STILL_OPEN, refusal, refusals
from gateway.store.tables import RIGHTS, audit, deliveries, lanes, messages

_OUT, _POSTVAK = TO_PARTNERS, (str(DeliveryChannel.POSTVAK),)
_WHERE: Mapping[Pile, tuple[tuple[str, ...], tuple[State, ...]]] = {
    Pile.WAITING: (_OUT, (State.READY, State.CLAIMED)),
    Pile.SENT: (_OUT, (State.SENT,)),
    Pile.HELD: (_OUT, (State.HELD,)),
    Pile.UNKNOWN: (_OUT, (State.UNKNOWN,)),
    Pile.DEAD: (_OUT, (State.DEAD,)),
    Pile.POSTVAK: (_POSTVAK, (State.READY, State.SENT)),
}
_IS_MESSAGE = deliveries.c.kind == str(DeliveryKind.MESSAGE)
_HOUR = 3_600_000_000
"""Microseconds."""
MOST_KNOWN = 1_000
"""Messages with the same referentienummer, of different senders."""
LOOKED_AT = 20_000
"""Audit rows that one page looks at, at most."""


def _lying(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(sa.literal(1).label("one")).select_from(deliveries).where(*where)


def _counted(connection: sa.Connection, rows: sa.Select[Any]) -> int:
    """Count, but no further than a bound: a pile of any size costs the same."""
    some = rows.limit(MOST_COUNTED + 1).subquery()
    statement = sa.select(sa.func.count()).select_from(some)
    return int(connection.execute(statement).scalar_one())


def _piles(connection: sa.Connection) -> dict[Pile, int]:
    found = {Pile.REFUSED: _counted(connection, STILL_OPEN)}
    for pile, (channels, states) in _WHERE.items():
        rows = _lying(
            deliveries.c.channel.in_(channels),
            deliveries.c.state.in_([str(state) for state in states]),
            _IS_MESSAGE,
        )
        found[pile] = _counted(connection, rows)
    return found


def _under(connection: sa.Connection, recipient: Oin, cpa_id: str) -> int:
    rows = _lying(
        deliveries.c.recipient == recipient,
        deliveries.c.cpa_id == cpa_id,
        deliveries.c.state.in_([str(state) for state in State if state not in ENDED]),
    )
    return _counted(connection, rows)


def _hours(connection: sa.Connection, since: datetime) -> tuple[Hour, ...]:
    micros = sa.type_coerce(messages.c.at, sa.BigInteger)
    whole = micros.op("/")(sa.literal_column(str(_HOUR))).label("hour")
    statement = (
        sa.select(whole, sa.func.count().label("n"))
        .where(messages.c.at >= since)
        .group_by(whole)
        .order_by(whole)
    )
    return tuple(
        Hour(at=from_micros(int(row.hour) * _HOUR), taken_in=row.n)
        for row in connection.execute(statement)
    )


def _lanes(connection: sa.Connection) -> tuple[Lane, ...]:
    statement = (
        sa.select(lanes)
        .where(lanes.c.kind == str(DeliveryKind.MESSAGE))
        .order_by(lanes.c.recipient, lanes.c.channel)
    )
    return tuple(_lane(connection, row) for row in connection.execute(statement).all())


def _lane(connection: sa.Connection, row: sa.Row[Any]) -> Lane:
    def lying(*states: State) -> int:
        names = [str(state) for state in states]
        return _counted(
            connection, _lying(deliveries.c.lane == row.id, deliveries.c.state.in_(names))
        )

    last = sa.select(sa.func.max(deliveries.c.delivered_at)).where(deliveries.c.lane == row.id)
    return Lane(
        recipient=Oin(row.recipient),
        channel=row.channel,
        down_since=row.down_since if row.down else None,
        next_at=row.next_at,
        waiting=lying(State.READY, State.CLAIMED),
        sent=lying(State.SENT),
        delivered_at=connection.execute(last).scalar(),
    )


def _trail(connection: sa.Connection, wanted: TrailWanted, below: int | None, limit: int) -> Trail:
    newest = connection.execute(sa.select(sa.func.max(audit.c.seq))).scalar()
    if newest is None:
        return Trail(rows=(), last=None)
    if wanted.reference:
        wanted = replace(wanted, messages=_known_by(connection, wanted.reference))
    if wanted.messages is not None:  # few rows, by an index
        return _within(connection, wanted, (0, below or newest + 1), limit, ends=True)
    top = min(below, newest + 1) if below is not None else newest + 1
    bottom = max(0, top - LOOKED_AT)
    return _within(connection, wanted, (bottom, top), limit, ends=bottom == 0)


def _within(
    connection: sa.Connection,
    wanted: TrailWanted,
    bounds: tuple[int, int],
    limit: int,
    *,
    ends: bool,
) -> Trail:
    bottom, top = bounds
    statement = (
        sa.select(audit)
        .where(audit.c.seq < top, audit.c.seq >= bottom, *_conditions(wanted))
        .order_by(audit.c.seq.desc())
        .limit(limit + 1)
    )
    found = tuple(read_row(row) for row in connection.execute(statement))
    if len(found) > limit:
        return Trail(rows=found[:limit], last=found[limit - 1].position)
    oldest = _oldest(connection, bottom) if wanted.since is not None and not ends else None
    over = oldest is not None and wanted.since is not None and oldest < wanted.since
    return Trail(rows=found, last=None if ends or over else bottom)


def _oldest(connection: sa.Connection, bottom: int) -> datetime | None:
    """Return the moment at the lower end of what was looked at."""
    at = sa.select(audit.c.at).where(audit.c.seq >= bottom).order_by(audit.c.seq).limit(1)
    found: datetime | None = connection.execute(at).scalar()
    return found


def _conditions(wanted: TrailWanted) -> list[sa.ColumnElement[bool]]:
    asked: tuple[tuple[object, Callable[[], sa.ColumnElement[bool]]], ...] = (
        (wanted.messages is not None, lambda: audit.c.message.in_(sorted(wanted.messages or ()))),
        (wanted.party, lambda: audit.c.party == wanted.party),
        (wanted.actor, lambda: audit.c.actor.icontains(wanted.actor, autoescape=True)),
        (wanted.code, lambda: audit.c.code == wanted.code),
        (wanted.since, lambda: audit.c.at >= wanted.since),
        (wanted.until, lambda: audit.c.at < wanted.until),
        (wanted.event, lambda: _named(wanted.event)),
        (wanted.events, lambda: audit.c.event.in_(sorted(wanted.events))),
        (wanted.ground, lambda: _released(wanted.ground)),
        (wanted.outcome, lambda: sa.and_(_named("toets."), _says("outcome", wanted.outcome))),
    )
    return [condition() for given, condition in asked if given]


def _known_by(connection: sa.Connection, reference: str) -> frozenset[str]:
    """Asked first: as a part of the other question it may be answered by reading all rows."""
    ids = sa.select(messages.c.id).where(messages.c.referentienummer == reference)
    return frozenset(connection.execute(ids.limit(MOST_KNOWN)).scalars())


def _named(event: str) -> sa.ColumnElement[bool]:
    if event.endswith("."):
        return audit.c.event.startswith(event, autoescape=True)
    return audit.c.event == event


def _released(ground: str) -> sa.ColumnElement[bool]:
    """What was held leaves with a row of its own, that names the decision."""
    by_decision = audit.c.event == "delivery.released"
    said = sa.and_(audit.c.event == "message.released", _says("ground", ground))
    return sa.or_(by_decision, said) if ground == Ground.INDIVIDUAL else said


def _says(name: str, value: str) -> sa.ColumnElement[bool]:
    return audit.c.data.contains(f'"{name}":{json.dumps(value)}', autoescape=True)


def _rights(connection: sa.Connection, account: str, below: int | None, limit: int) -> Trail:
    """Return changes of accounts by their own index: as many rows as there are changes."""
    statement = sa.select(audit).where(RIGHTS).order_by(audit.c.seq.desc()).limit(limit + 1)
    if below is not None:
        statement = statement.where(audit.c.seq < below)
    if account:
        said = _says("account", account)
        own = sa.and_(audit.c.actor == account, sa.not_(audit.c.data.contains('"account":')))
        statement = statement.where(sa.or_(said, own))
    found = tuple(read_row(row) for row in connection.execute(statement))
    more = len(found) > limit
    return Trail(rows=found[:limit], last=found[limit - 1].position if more else None)


class SqlOverview:
    """The port `Overview`."""

    def __init__(self, *, reads: Reads) -> None:
        """Take what it reads with."""
        self._reads = reads

    async def piles(self) -> Mapping[Pile, int]:
        """Return how many messages lie where."""
        return await self._reads(_piles)

    async def hours(self, since: datetime) -> Sequence[Hour]:
        """Return what was taken in per hour."""
        return await self._reads(lambda c: _hours(c, since))

    async def under(self, recipient: Oin, cpa_id: str) -> int:
        """Count what is not done under an agreement, up to a bound."""
        return await self._reads(lambda c: _under(c, recipient, cpa_id))

    async def lanes(self) -> Sequence[Lane]:
        """Return how it goes with each recipient."""
        return await self._reads(_lanes)

    async def trail(self, wanted: TrailWanted, *, below: int | None, limit: int) -> Trail:
        """Return audit rows, newest first; see the port."""
        return await self._reads(lambda c: _trail(c, wanted, below, limit))

    async def rights(self, account: str, *, below: int | None, limit: int) -> Trail:
        """Return changes of accounts and rights, newest first; see the port."""
        return await self._reads(lambda c: _rights(c, account, below, limit))

    async def refusals(
        self, *, after: RefusalPlace | None, limit: int, open_only: bool
    ) -> Refusals:
        """Return messages that were refused with a Fo01; see the port."""
        return await self._reads(lambda c: refusals(c, after, limit, open_only=open_only))

    async def refusal(self, message: str) -> Refusal | None:
        """Return one; None for a message that was not refused so."""
        return await self._reads(lambda c: refusal(c, message))
