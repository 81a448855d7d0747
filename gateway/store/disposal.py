"""Payloads and signed envelopes go together when their time is over: units, in batches.

Every delivery that ends is looked at soon after (`dispose_at`); the rule then says when what it
holds is due, and the delivery is looked at again at that moment. What waits is not looked at.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import ENDED, State
from gateway.ports import AuditEvent, DeliveryKind
from gateway.rules.retention import (
    DEFAULT_WINDOW,
    Due,
    Facts,
    Terms,
    acknowledgment_due,
    part_of,
    payload_due,
)
from gateway.store.payloads import Destroy
from gateway.store.prepared import Prepared
from gateway.store.tables import Moment, deliveries, messages, payloads
from gateway.store.transaction import Tx

AT_ONCE = 200
"""Messages that one commit looks at."""
OCTETS_AT_ONCE = 64 * 1024 * 1024
"""Octets that one commit removes, but for the last message of it."""

_ENDED = [str(state) for state in ENDED]
_SIGNAL = str(DeliveryKind.SIGNAL)

_ANY_DUE = (
    sa.select(deliveries.c.id)
    .where(deliveries.c.dispose_at <= sa.bindparam("now", type_=Moment))
    .limit(1)
)
_DUE = (
    sa.select(
        deliveries.c.id,
        deliveries.c.kind,
        deliveries.c.message,
        messages.c.at,
        messages.c.direction,
        messages.c.party,
        messages.c.cpa_id,
        messages.c.payload_id,
        messages.c.acknowledgment_id,
    )
    .join(messages, messages.c.id == deliveries.c.message)
    .where(deliveries.c.dispose_at <= sa.bindparam("now", type_=Moment))
    .order_by(deliveries.c.dispose_at)
    .limit(AT_ONCE)
    # Two housekeepers at once share the work.
    .with_for_update(of=deliveries, skip_locked=True, key_share=True)
)
_PLAN = Prepared(
    sa.update(deliveries)
    .where(deliveries.c.id == sa.bindparam("b_id"))
    .values(dispose_at=sa.bindparam("b_at", type_=Moment))
)


def any_due(now: datetime) -> Callable[[sa.Connection], bool]:
    """Return a look whether there is anything to do."""
    return lambda c: c.execute(_ANY_DUE, {"now": now}).first() is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What one message holds for one reason: its payload and envelopes, or its acknowledgement."""

    message: sa.Row[Any]
    signal: bool
    payloads: frozenset[str]
    deliveries: tuple[str, ...]
    """Those that ended: whatever lives says itself when it ends, maybe this very moment."""
    due: Due | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispose:
    """Unit: destroy what is due, one batch."""

    now: datetime
    terms: Terms
    windows: Mapping[tuple[str, str], timedelta] = field(default_factory=dict)
    """How long a MessageId may come again, by CPAId and sender."""

    def run(self, tx: Tx) -> tuple[int, bool]:
        """Return how many messages lost what they held, and whether there may be more."""
        rows = tx.read(_DUE, {"now": self.now}).all()
        held = list(self._held(tx, rows))
        due = [h for h in held if h.due is not None and h.due.at <= self.now]
        taken = _within(tx, due)
        needed = _needed(tx, frozenset().union(*(h.payloads for h in taken)))
        destroyed = [h for h in taken if not h.payloads & needed]
        self._plan(tx, held, due, taken)
        return self._destroy(tx, destroyed), len(rows) == AT_ONCE or len(taken) < len(due)

    def _held(self, tx: Tx, rows: Sequence[sa.Row[Any]]) -> Iterator[_Held]:
        """Each message once per reason, with all its deliveries of that kind."""
        siblings = _siblings(tx, {row.message for row in rows})
        seen = set()
        for row in rows:
            signal = row.kind == _SIGNAL
            if (row.message, signal) not in seen:
                seen.add((row.message, signal))
                own = [d for d in siblings[row.message] if (d.kind == _SIGNAL) is signal]
                yield self._acknowledgment(row, own) if signal else self._payload(row, own)

    def _payload(self, row: sa.Row[Any], own: Sequence[sa.Row[Any]]) -> _Held:
        ended = max((d.ended_at for d in own if d.ended_at is not None), default=self.now)
        facts = Facts(
            part=part_of(row.direction, (d.channel for d in own)),
            states=frozenset(State(d.state) for d in own),
            ended_at=ended,
            answered_at=own[0].answered_at,
        )
        return _Held(
            message=row,
            signal=False,
            payloads=frozenset(i for i in (row.payload_id, *(d.sealed_id for d in own)) if i),
            deliveries=_that_ended(own),
            due=payload_due(facts, self.terms),
            since=ended,
        )

    def _acknowledgment(self, row: sa.Row[Any], own: Sequence[sa.Row[Any]]) -> _Held:
        """It goes when no duplicate can come any more, if it is not being sent once more."""
        window = self.windows.get((row.cpa_id, row.party), DEFAULT_WINDOW)
        live = any(State(d.state) not in ENDED for d in own)
        return _Held(
            message=row,
            signal=True,
            payloads=frozenset(i for i in (row.acknowledgment_id,) if i),
            deliveries=_that_ended(own),
            due=None if live else acknowledgment_due(row.at, window),
            since=row.at,
        )

    def _plan(self, tx: Tx, held: list[_Held], due: list[_Held], taken: list[_Held]) -> None:
        """Say when each is looked at next: at its time, or when something else ends."""
        put_off = {id(h) for h in due} - {id(h) for h in taken}
        rows = [
            {"b_id": delivery, "b_at": h.due.at if h.due and h.due.at > self.now else None}
            for h in held
            if id(h) not in put_off
            for delivery in h.deliveries
        ]
        tx.change_each(_PLAN, sorted(rows, key=lambda row: str(row["b_id"])))

    def _destroy(self, tx: Tx, destroyed: list[_Held]) -> int:
        """Return of how many messages there still stood something."""
        stood = _standing(tx, frozenset().union(*(h.payloads for h in destroyed)))
        if not stood:
            return 0
        Destroy(ids=tuple(sorted(stood)), at=self.now).run(tx)
        told = [self._told(h, stood) for h in destroyed if h.payloads & stood]
        tx.record(*told)
        return len(told)

    def _told(self, held: _Held, stood: frozenset[str]) -> AuditEvent:
        gone = held.payloads & stood
        payload = 0 if held.signal else int(held.message.payload_id in gone)
        return AuditEvent(
            event="payload.destroyed",
            at=self.now,
            message=held.message.message,
            party=held.message.party,
            actor="housekeeping",
            data={
                "rule": str(held.due.rule) if held.due else "",
                "since": held.since.isoformat(),
                "payloads": payload,
                "envelopes": len(gone) - payload,
            },
        )


def _that_ended(own: Iterable[sa.Row[Any]]) -> tuple[str, ...]:
    return tuple(d.id for d in own if State(d.state) in ENDED)


def _siblings(tx: Tx, ids: Iterable[str]) -> defaultdict[str, list[sa.Row[Any]]]:
    rows = tx.read(
        sa.select(
            deliveries.c.id,
            deliveries.c.message,
            deliveries.c.kind,
            deliveries.c.channel,
            deliveries.c.state,
            deliveries.c.sealed_id,
            deliveries.c.ended_at,
            # Read behind the lock: an answer that comes later waits for it, and is looked at.
            messages.c.answered_at,
        )
        .join(messages, messages.c.id == deliveries.c.message)
        .where(deliveries.c.message.in_(sorted(ids)))
        .order_by(deliveries.c.seq)
    )
    found: defaultdict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.message].append(row)
    return found


def _within(tx: Tx, due: list[_Held]) -> list[_Held]:
    """Take no more than fits in one commit; the rest is found again by the next."""
    sizes = _sizes(tx, frozenset().union(*(h.payloads for h in due)))
    total, taken = 0, []
    for held in due:
        if total > OCTETS_AT_ONCE:
            break
        taken.append(held)
        total += sum(sizes.get(i, 0) for i in held.payloads)
    return taken


def _sizes(tx: Tx, ids: frozenset[str]) -> dict[str, int]:
    if not ids:
        return {}
    rows = tx.read(sa.select(payloads.c.id, payloads.c.size).where(payloads.c.id.in_(sorted(ids))))
    return {row.id: row.size for row in rows}


def _standing(tx: Tx, ids: frozenset[str]) -> frozenset[str]:
    """Return those that were not destroyed before."""
    rows = tx.read(
        sa.select(payloads.c.id).where(
            payloads.c.id.in_(sorted(ids)), payloads.c.destroyed_at.is_(None)
        )
    )
    return frozenset(rows.scalars())


def _needed(tx: Tx, ids: frozenset[str]) -> frozenset[str]:
    """Return those that a delivery may still send, of whatever message it is."""
    if not ids:
        return frozenset()
    live = deliveries.c.state.not_in(_ENDED)
    by_envelope = sa.select(deliveries.c.sealed_id).where(
        deliveries.c.sealed_id.in_(sorted(ids)), live
    )
    by_payload = (
        sa.select(messages.c.payload_id)
        .join(deliveries, deliveries.c.message == messages.c.id)
        .where(messages.c.payload_id.in_(sorted(ids)), deliveries.c.kind != _SIGNAL, live)
    )
    return frozenset((*tx.read(by_envelope).scalars(), *tx.read(by_payload).scalars()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """Unit: find what an older process ended without saying when, one batch."""

    now: datetime

    def run(self, tx: Tx) -> int:
        """Return how many."""
        found = tx.read(
            sa.select(deliveries.c.id)
            .where(deliveries.c.state.in_(_ENDED), deliveries.c.ended_at.is_(None))
            .order_by(deliveries.c.seq)
            .limit(AT_ONCE)
        )
        ids = list(found.scalars())
        ended = sa.func.coalesce(deliveries.c.delivered_at, sa.literal(self.now, Moment))
        return tx.write(
            sa.update(deliveries)
            .where(deliveries.c.id.in_(ids), deliveries.c.ended_at.is_(None))
            .values(ended_at=ended, dispose_at=self.now)
        )
