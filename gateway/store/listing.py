"""Pages of messages: newest first to look, or in order to miss nothing.

A page in order ends at a horizon: below it no transaction is under way that could still commit
a message. On PostgreSQL numbers are given before the commit, so that one may appear behind
another that was read before it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import IN_POSTVAK, State
from gateway.message import Oin
from gateway.ports import (
    DeliveryChannel,
    DeliveryKind,
    Page,
    Standing,
    Summary,
    Wanted,
)
from gateway.ports.reading import STATES, WORST, Answered
from gateway.store.records import KNOWN, known
from gateway.store.tables import REFUSED, deliveries, messages

DISORDER = timedelta(minutes=10)
"""A message is committed at most this long after the moment that it bears."""

_IS_MESSAGE = deliveries.c.kind == str(DeliveryKind.MESSAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Which part of the list: numbers of messages, both excluded."""

    above: int | None = None
    below: int | None = None
    in_order: bool = False


def of_party(party: Oin) -> sa.ColumnElement[bool]:
    """Its own messages, and what lies in its postvak."""
    shown = sa.exists().where(
        deliveries.c.message == messages.c.id,
        deliveries.c.recipient == party,
        deliveries.c.channel == str(DeliveryChannel.POSTVAK),
        deliveries.c.state.in_([str(state) for state in IN_POSTVAK]),
    )
    return sa.or_(messages.c.party == party, shown)


def find(connection: sa.Connection, wanted: Wanted, bounds: Bounds, limit: int) -> Page:
    """Return the page; `last` is the number of its last message, None when it is empty."""
    order = messages.c.seq if bounds.in_order else messages.c.seq.desc()
    statement = (
        sa.select(messages.c.seq, *KNOWN)
        .where(*_conditions(wanted), *_within(bounds))
        .order_by(order)
        .limit(limit)
    )
    rows = connection.execute(statement).all()
    states = _states(connection, [row.m_id for row in rows])
    found = tuple(Summary(message=known(row), states=tuple(states[row.m_id])) for row in rows)
    return Page(found=found, last=rows[-1].seq if rows else None)


def start(connection: sa.Connection, since: datetime) -> int | None:
    """Return the number below the first message of `since` or later; None when there is none.

    Numbers follow moments, but for messages that were committed at the same time.
    """
    at = messages.c.at
    first = connection.execute(sa.select(at).where(at >= since).order_by(at).limit(1)).scalar()
    if first is None:
        return None
    near = sa.select(sa.func.min(messages.c.seq)).where(at >= since, at <= first + DISORDER)
    return int(connection.execute(near).scalar_one()) - 1


_FEW = frozenset(
    {
        *(Standing.UNKNOWN, Standing.DEAD, Standing.WITHHELD, Standing.HELD),
        *(Standing.UNDER_WAY, Standing.SENT),
    }
)
"""Deliveries that stand so are found by their state: most deliveries have arrived."""

_ALONE = frozenset({Standing.PROCESSED, Standing.REFUSED})
"""What stands so may have no delivery at all: each message is looked up among the deliveries."""
ALONE_STEP = 5_000
"""Messages that are looked up so at once, at most: for more, PostgreSQL reads all deliveries."""


def step(wanted: Wanted, most: int) -> int:
    """Return how many messages are looked at, at most, where no index finds what is asked."""
    return min(most, ALONE_STEP) if wanted.standing in _ALONE else most


def look_back(
    connection: sa.Connection, wanted: Wanted, below: int | None, limit: int, most: int
) -> Page:
    """Return a page as `find`, but look no further than `most` messages without an index.

    No further than `ALONE_STEP`, where each of them has to be looked up.
    """
    if wanted.referentienummer or wanted.zaak or _few(wanted):
        page = find(connection, wanted, Bounds(below=below), limit)
        return page if len(page.found) == limit else replace(page, last=None)
    floor = 0 if wanted.since is None else start(connection, wanted.since)
    newest = connection.execute(sa.select(sa.func.max(messages.c.seq))).scalar()
    if floor is None or newest is None:
        return Page(found=(), last=None)
    top = newest + 1 if below is None else below
    bottom = max(floor, top - 1 - step(wanted, most))
    page = find(connection, wanted, Bounds(above=bottom, below=top), limit)
    if len(page.found) == limit:
        return page
    return replace(page, last=bottom + 1 if bottom > floor else None)


def _few(wanted: Wanted) -> bool:
    return wanted.standing in _FEW or wanted.answer is Answered.REFUSED


def _within(bounds: Bounds) -> list[sa.ColumnElement[bool]]:
    found = []
    if bounds.above is not None:
        found.append(messages.c.seq > bounds.above)
    if bounds.below is not None:
        found.append(messages.c.seq < bounds.below)
    return found


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    equal = {
        messages.c.referentienummer: wanted.referentienummer,
        messages.c.zaak: wanted.zaak,
        messages.c.kind: wanted.kind,
        messages.c.direction: wanted.direction,
    }
    found: list[sa.ColumnElement[bool]] = [
        column == str(value) for column, value in equal.items() if value is not None
    ]
    if wanted.party is not None:
        found.append(of_party(wanted.party))
    if wanted.since is not None:
        found.append(messages.c.at >= wanted.since)
    if wanted.state is not None:
        found.append(_has((wanted.state,)))
    if wanted.standing is not None:
        found.append(_stands(wanted.standing))
    if wanted.answer is not None:
        found.append(_answered(wanted.answer))
    return found


def _answered(kind: Answered) -> sa.ColumnElement[bool]:
    """In the words of the index of what was refused, which no bound value matches."""
    refused: sa.ColumnElement[bool] = sa.and_(REFUSED)
    return refused if kind is Answered.REFUSED else messages.c.answer == str(kind)


def _has(states: tuple[State, ...]) -> sa.ColumnElement[bool]:
    return messages.c.id.in_(
        sa.select(deliveries.c.message).where(
            deliveries.c.state.in_([str(state) for state in states]), _IS_MESSAGE
        )
    )


def _stands(standing: Standing) -> sa.ColumnElement[bool]:
    """A delivery in one of its states and none that is worse off; or no delivery at all."""
    delivered = sa.exists().where(deliveries.c.message == messages.c.id, _IS_MESSAGE)
    conditions = []
    if states := STATES.get(standing, ()):
        worse = sa.exists().where(
            deliveries.c.message == messages.c.id,
            _IS_MESSAGE,
            deliveries.c.state.in_([str(s) for s in WORST[: WORST.index(states[0])]]),
        )
        conditions.append(sa.and_(_has(states), sa.not_(worse)))
    if standing in {Standing.PROCESSED, Standing.REFUSED}:
        accepted = standing is Standing.PROCESSED
        conditions.append(sa.and_(sa.not_(delivered), messages.c.accepted == accepted))
    return sa.or_(*conditions)


def _states(connection: sa.Connection, ids: list[str]) -> dict[str, list[State]]:
    found: dict[str, list[State]] = {id_: [] for id_ in ids}
    if not ids:
        return found
    sent: sa.Select[Any] = (
        sa.select(deliveries.c.message, deliveries.c.state)
        .where(deliveries.c.message.in_(ids), _IS_MESSAGE)
        .order_by(deliveries.c.seq)
    )
    for row in connection.execute(sent):
        found[row.message].append(State(row.state))
    return found
