"""Rows of deliveries. `move` is the only function that changes a state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import ENDED, Event, State, advance
from gateway.message import Oin
from gateway.ports import AuditEvent, DeliveryChannel, DeliveryKind, Known, NewDelivery, NewMessage
from gateway.store.bell import topic_of
from gateway.store.ending import BAD, ended
from gateway.store.holding import LAPSED, close_hold, hold_again, hold_new
from gateway.store.kept import keep
from gateway.store.notices import became, waits
from gateway.store.prepared import Prepared
from gateway.store.records import canonical_list
from gateway.store.tables import deliveries, lanes
from gateway.store.transaction import Tx

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""Moment of a lane whose breaker never opened."""

_LANE = Prepared(sa.select(lanes.c.id).where(lanes.c.id == sa.bindparam("lane")))


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a delivery stood when it was read."""

    id: str
    message: str
    state: State
    fence: int
    attempt: int
    recipient: Oin


SPOT = (
    deliveries.c.id,
    deliveries.c.message,
    deliveries.c.state,
    deliveries.c.fence,
    deliveries.c.attempt,
    deliveries.c.recipient,
)


def spot(row: sa.Row[Any]) -> Spot:
    """Return the value for a row that was selected with the columns `SPOT`."""
    return Spot(
        id=row.id,
        message=row.message,
        state=State(row.state),
        fence=row.fence,
        attempt=row.attempt,
        recipient=Oin(row.recipient),
    )


def told(at: Spot, event: str, now: datetime, *, code: str = "", **data: Any) -> AuditEvent:
    """Return the audit event for something that happened to the delivery."""
    return AuditEvent(
        event=event,
        at=now,
        message=at.message,
        delivery=at.id,
        code=code,
        party=at.recipient,
        actor=str(data.pop("actor", "")),
        data={"attempt": at.attempt, **data},
    )


@cache
def _move(must: tuple[str, ...], changed: tuple[str, ...]) -> Prepared:
    """Return the statement for these columns; building it costs more than running it."""
    columns = deliveries.c
    return Prepared(
        sa.update(deliveries)
        .where(*(columns[k] == sa.bindparam(f"is_{k}", type_=columns[k].type) for k in must))
        .values({k: sa.bindparam(f"to_{k}", type_=columns[k].type) for k in changed})
    )


def move(  # noqa: PLR0913 - one change, its details by name
    tx: Tx,
    at: Spot,
    event: Event,
    audit: AuditEvent,
    *,
    changes: Mapping[str, Any] | None = None,
    same: Mapping[str, Any] | None = None,
    before: Iterable[AuditEvent] = (),
    outcome: str = "",
) -> bool:
    """Change the state and write the audit row with it, behind those of `before`.

    `outcome`: what the OM decided, where it leaves HELD by that.

    False, and nothing written, when the delivery no longer stands at `at` or a column of
    `same` holds something else. Raises IllegalTransition for a change that the lifecycle
    does not know.
    """
    new = advance(at.state, event)
    values: dict[str, Any] = {"state": str(new), **(changes or {})}
    if new in ENDED:
        # Housekeeping looks at it next: the rule of retention knows when it is due.
        values |= {"next_at": None, "expires_at": None}
        values |= {"ended_at": audit.at, "dispose_at": audit.at}
    must = {"id": at.id, "state": str(at.state), "fence": at.fence, **(same or {})}
    statement = _move(tuple(sorted(must)), tuple(sorted(values)))
    params = {f"is_{k}": v for k, v in must.items()} | {f"to_{k}": v for k, v in values.items()}
    if tx.change(statement, params) != 1:
        return False
    tx.record(*before, replace(audit, data={**audit.data, "state": str(new)}))
    if new in BAD or at.state in BAD:
        ended(tx, at.id, at.state, new, audit)
    if at.state is State.HELD:
        close_hold(tx, at.id, audit.at, outcome or LAPSED)
    if new is State.HELD:
        hold_again(tx, at.id, audit.at, why=audit.code)
    if tx.subscribers:
        became(tx, at.id, event, new, audit.at)
    return True


def lane_id(recipient: str, channel: DeliveryChannel, kind: DeliveryKind) -> str:
    """Return the name of a lane; signals have their own, so that no message delays them."""
    return canonical_list(recipient, str(channel), str(kind))


def _ensure_lane(tx: Tx, delivery: NewDelivery) -> str:
    name = lane_id(delivery.recipient, delivery.channel, delivery.kind)
    if ("lane", name) not in tx.memo:
        if tx.peek(_LANE, {"lane": name}).first() is None:
            tx.insert(lanes, (_lane_row(name, delivery),))
        tx.memo.add(("lane", name))
    return name


def _lane_row(name: str, delivery: NewDelivery) -> dict[str, Any]:
    return {
        "id": name,
        "recipient": delivery.recipient,
        "channel": str(delivery.channel),
        "kind": str(delivery.kind),
        "next_at": ALWAYS,
        "down": False,
        "down_since": None,
    }


def add_delivery(tx: Tx, message: NewMessage, delivery: NewDelivery) -> None:
    """Insert a delivery of a new message, and its lane where there is none."""
    row = _row(delivery, lane=_ensure_lane(tx, delivery))
    tx.insert(deliveries, (row | {"message": message.id, "ebms_id": message.message_id},))
    if delivery.state is State.HELD:
        hold_new(tx, message, delivery)
    if delivery.state is State.READY:
        tx.ring(topic_of(delivery))
        if tx.subscribers:
            waits(tx, message, delivery)
    if delivery.sealed is not None:
        keep(tx, delivery.sealed)


def add_switched(tx: Tx, message: Known, delivery: NewDelivery, *, attempts: int) -> None:
    """Insert the delivery that takes the place of another; what was tried counts as tried."""
    row = _row(delivery, lane=_ensure_lane(tx, delivery))
    tried = {"attempt": attempts, "spared": attempts}
    named = {"message": message.id, "ebms_id": message.message_id}
    tx.insert(deliveries, (row | named | tried,))


def _row(delivery: NewDelivery, *, lane: str) -> dict[str, Any]:
    ended = delivery.next_at if delivery.state in ENDED else None
    return {
        "id": delivery.id,
        "lane": lane,
        "recipient": delivery.recipient,
        "channel": str(delivery.channel),
        "kind": str(delivery.kind),
        "state": str(delivery.state),
        "next_at": None if ended else delivery.next_at,
        "attempt": 0,
        "fence": 0,
        "claimed_by": "",
        "cpa_id": delivery.cpa_id,
        "service": delivery.service,
        "action": delivery.action,
        "applicatie": delivery.applicatie,
        "ground": delivery.ground,
        "approval_id": delivery.approval_id,
        "table_version": delivery.table_version,
        "payload_sha256": delivery.payload_sha256,
        "retries": delivery.retries,
        "retry_interval": delivery.retry_interval,
        "expires_at": delivery.expires_at,
        "sealed_id": delivery.sealed.id if delivery.sealed else None,
        "signed_references": "[]",
        "last_code": "",
        "delivered_at": ended,
        "answered_by": None,
        "duplicate_safe": delivery.duplicate_safe,
        "twice": delivery.twice,
        "posting": False,
        "spared": 0,
        "ended_at": ended,
        "dispose_at": ended,
    }


_AT = sa.bindparam("at", type_=deliveries.c.dispose_at.type)
# Also those that are looked at now: whoever does that is waited for, and it may put them off.
_LOOK_AGAIN = Prepared(
    sa.update(deliveries)
    .where(deliveries.c.message == sa.bindparam("of"), deliveries.c.dispose_at.is_not(None))
    .values(dispose_at=sa.case((deliveries.c.dispose_at > _AT, _AT), else_=deliveries.c.dispose_at))
)


def look_again(tx: Tx, message: str, at: datetime) -> None:
    """Something else decides now when what the message holds is due."""
    tx.change(_LOOK_AGAIN, {"of": message, "at": at})


_SET_BREAKER = Prepared(
    sa.update(lanes)
    .where(lanes.c.id == sa.bindparam("lane"))
    .values(
        next_at=sa.bindparam("until", type_=lanes.c.next_at.type),
        down=sa.true(),
        down_since=sa.func.coalesce(
            lanes.c.down_since, sa.bindparam("since", type_=lanes.c.down_since.type)
        ),
    )
)
_CLOSE_BREAKER = Prepared(
    sa.update(lanes)
    .where(lanes.c.id == sa.bindparam("lane"), lanes.c.down == sa.true())
    .values(next_at=ALWAYS, down=sa.false(), down_since=sa.null())
)


def set_breaker(tx: Tx, lane: str, *, until: datetime, now: datetime) -> None:
    """Stop a lane until the moment; after it, one delivery at a time until one succeeds."""
    tx.change(_SET_BREAKER, {"lane": lane, "until": until, "since": now})


def close_breaker(tx: Tx, lane: str) -> bool:
    """The partner answers again; return whether it was down."""
    return tx.change(_CLOSE_BREAKER, {"lane": lane}) == 1
