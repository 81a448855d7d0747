"""What audit rows count for: each one by itself, with what is on file about its message."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gateway.ports import DeliveryChannel, DeliveryKind, Direction
from gateway.ports.tallies import (
    BY_RECEIVER,
    BY_US,
    IN_TIME,
    LATE,
    NO_TERM,
    OTHER_CODE,
    OVER,
    PARTS,
    UNPROVEN,
    Measure,
)
from gateway.rules.approval import Ground
from gateway.store.tables import audit, deliveries, holds, messages, requests
from gateway.wire.stuf import ANSWERS
from gateway.wire.tijd import civil
from gateway.wire.toets import KINDS, Uitkomst

_FIRST, _ENDED = holds.alias("first"), holds.alias("ended")
_APART = ANSWERS | KINDS
"""Answers, and the talk with the OM about the gate: no disclosures, and never held."""
_OUTCOMES = frozenset(str(one) for one in Uitkomst)
_ALL = timedelta(0)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")
_LONG_NUMBER = re.compile(r"[0-9]{5}")


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the totals."""

    day: date
    """Dutch civil day."""
    measure: Measure
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Sum:
    """What is added to a line."""

    n: int
    spent: timedelta


def rows_between(after: int, upto: int) -> sa.Select[Any]:
    """Select the audit rows that count, with position in (after, upto]."""
    return (
        sa.select(
            audit.c.event,
            audit.c.at,
            audit.c.code,
            audit.c.data,
            messages.c.kind,
            messages.c.direction,
            messages.c.ontvanger,
            deliveries.c.channel,
            deliveries.c.kind.label("delivery_kind"),
            _FIRST.c.id.label("held"),
            _ENDED.c.at.label("held_at"),
            _ENDED.c.deadline.label("held_until"),
            requests.c.soort.label("asked_about"),
            requests.c.at.label("asked_at"),
            requests.c.deadline.label("asked_until"),
        )
        .select_from(_JOINED)
        .where(audit.c.seq > after, audit.c.seq <= upto, audit.c.event.in_(sorted(_COUNTED)))
    )


_JOINED = (
    audit.outerjoin(messages, messages.c.id == audit.c.message)
    .outerjoin(deliveries, deliveries.c.id == audit.c.delivery)
    .outerjoin(
        _FIRST,
        sa.and_(audit.c.event == "message.routed", _FIRST.c.id == audit.c.delivery.concat("-0")),
    )
    .outerjoin(
        _ENDED,
        sa.and_(
            _ENDED.c.message == audit.c.message,
            _ENDED.c.delivery == audit.c.delivery,
            _ENDED.c.closed_at == audit.c.at,
        ),
    )
    .outerjoin(requests, requests.c.delivery == audit.c.delivery)
)

_Line = tuple[Measure, str, str, int, timedelta]


def count(rows: Iterable[sa.Row[Any]]) -> Mapping[Key, Sum]:
    """Return what rows add, by line."""
    found: dict[Key, Sum] = defaultdict(lambda: Sum(0, _ALL))
    for row in rows:
        day = civil(row.at).date()
        for measure, kind, detail, n, spent in _COUNTED[row.event](row):
            key = Key(day, measure, kind, detail)
            now = found[key]
            found[key] = Sum(now.n + n, now.spent + spent)
    return found


def _routed(row: sa.Row[Any]) -> Iterator[_Line]:
    if not row.kind or row.kind in _APART:
        return
    yield Measure.OFFERED, row.kind, "", 1, _ALL
    if row.held:
        yield Measure.HELD, row.kind, "", 1, _ALL


def _released(row: sa.Row[Any]) -> Iterator[_Line]:
    yield Measure.RELEASED, row.kind or "", str(_data(row).get("ground", "")), 1, _ALL


def _released_by_om(row: sa.Row[Any]) -> Iterator[_Line]:
    yield Measure.RELEASED, row.kind or "", str(Ground.INDIVIDUAL), 1, _ALL
    yield from _held_for(row)


def _held_for(row: sa.Row[Any]) -> Iterator[_Line]:
    if row.held_at is not None:
        took = row.at - row.held_at
        part = part_of(row.held_at, row.held_until, row.at)
        yield Measure.HOLDING, row.kind or "", part, 1, took


def _ruled(row: sa.Row[Any]) -> Iterator[_Line]:
    yield Measure.RULED, row.kind or "", str(_data(row).get("outcome", "")), 1, _ALL


def _withdrawn(row: sa.Row[Any]) -> Iterator[_Line]:
    when = LATE if row.event == "toets.withdrawn_late" else IN_TIME
    yield Measure.WITHDRAWN, row.kind or "", when, 1, _ALL


def _decided(row: sa.Row[Any]) -> Iterator[_Line]:
    outcome = str(_data(row).get("outcome", ""))
    if row.asked_at is None or outcome not in _OUTCOMES:
        return
    part = part_of(row.asked_at, row.asked_until, row.at)
    yield Measure.DECIDED, row.asked_about, outcome, 1, _ALL
    yield Measure.DECIDING, row.asked_about, part, 1, row.at - row.asked_at


def _taken_back(row: sa.Row[Any]) -> Iterator[_Line]:
    yield Measure.TAKEN_BACK, row.asked_about or "", "", 1, _ALL


def _refused(row: sa.Row[Any]) -> Iterator[_Line]:
    yield Measure.REFUSED, BY_US, row.code, 1, _ALL


def _unproven(row: sa.Row[Any]) -> Iterator[_Line]:
    yield Measure.REFUSED, UNPROVEN, row.code, int(_data(row).get("count", 1)), _ALL


def _refused_there(row: sa.Row[Any]) -> Iterator[_Line]:
    yield Measure.REFUSED, BY_RECEIVER, _known(row.code), 1, _ALL


def _answered(row: sa.Row[Any]) -> Iterator[_Line]:
    """A Fo01 that came in. One made here was counted as a refusal of this installation."""
    data = _data(row)
    ours = data.get("own", row.direction == str(Direction.INBOUND))  # rows of before do not say
    if data["kind"] == "Fo01Bericht" and data["first"] and not ours:
        yield Measure.REFUSED, BY_RECEIVER, _known(str(data.get("fault", ""))), 1, _ALL


def _disclosed(row: sa.Row[Any]) -> Iterator[_Line]:
    is_message = row.delivery_kind == str(DeliveryKind.MESSAGE)
    if is_message and row.kind not in _APART and row.channel != str(DeliveryChannel.DESK):
        yield Measure.DISCLOSED, row.kind, row.ontvanger, 1, _ALL
        yield Measure.CHANNEL, "", row.channel, 1, _ALL


_COUNTED = {
    "message.routed": _routed,
    "message.released": _released,
    "delivery.released": _released_by_om,
    "delivery.withheld": _held_for,
    "toets.ruled": _ruled,
    "toets.withdrawn": _withdrawn,
    "toets.withdrawn_late": _withdrawn,
    "toets.closed": _decided,
    "toets.verdict_withdrawn": _taken_back,
    "message.refused": _refused,
    "input.refused": _unproven,
    "delivery.refused": _refused_there,
    "postvak.refused": _refused_there,
    "message.answered": _answered,
    "delivery.acknowledged": _disclosed,
    "postvak.confirmed": _disclosed,
}
"""Whoever changes what these rows count for raises `VERSION` in `gateway.store.tallies`."""


def part_of(since: datetime, deadline: datetime | None, until: datetime) -> str:
    """Return the part of its term that a wait took: a bound of `PARTS`, `OVER` or `NO_TERM`."""
    if deadline is None:
        return NO_TERM
    term, took = deadline - since, until - since
    return next((str(part) for part in PARTS if took * 100 <= term * part), OVER)


def _known(code: str) -> str:
    """Return a code that others chose; what may be a number of somebody is not kept."""
    return code if _CODE.fullmatch(code) and not _LONG_NUMBER.search(code) else OTHER_CODE


def _data(row: sa.Row[Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(row.data)
    return found
