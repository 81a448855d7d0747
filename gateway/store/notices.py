"""Events for webhooks, written by the commit that they tell of.

Nothing is read or written while nobody is subscribed: callers look at `tx.subscribers`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.config import WebhookEvent
from gateway.directory import Subscriber
from gateway.lifecycle import Event, State
from gateway.ports import DeliveryChannel, DeliveryKind, Direction, NewDelivery, NewMessage
from gateway.store.bell import WEBHOOKS
from gateway.store.prepared import Prepared
from gateway.store.tables import deliveries, messages, webhook_events
from gateway.store.transaction import Tx
from gateway.wire.webhook import STATUS_OF, Status

_FACTS = Prepared(
    sa.select(
        deliveries.c.recipient,
        deliveries.c.channel,
        deliveries.c.kind,
        deliveries.c.applicatie,
        messages.c.id.label("message"),
        messages.c.direction,
        messages.c.kind.label("soort"),
        messages.c.backend,
        messages.c.zender_applicatie,
    )
    .join(messages, messages.c.id == deliveries.c.message)
    .where(deliveries.c.id == sa.bindparam("delivery"))
)
_ORIGIN = Prepared(
    sa.select(
        messages.c.direction,
        messages.c.kind.label("soort"),
        messages.c.backend,
        messages.c.zender_applicatie,
    ).where(messages.c.id == sa.bindparam("message"))
)


def waits(tx: Tx, message: NewMessage, delivery: NewDelivery) -> None:
    """Something came into a postvak."""
    if delivery.channel is DeliveryChannel.POSTVAK and delivery.kind is DeliveryKind.MESSAGE:
        row = _row(delivery.id, message.id, message.kind, message.at)
        _add(tx, _collects(tx, delivery.recipient, delivery.applicatie), row)


def became(tx: Tx, delivery: str, event: Event, new: State, now: datetime) -> None:
    """A delivery moved; its back-ends are told where that is news to them."""
    if new not in STATUS_OF and event is not Event.RELEASE:
        return
    facts = tx.peek(_FACTS, {"delivery": delivery}).one()
    if facts.kind != str(DeliveryKind.MESSAGE):
        return
    row = _row(delivery, facts.message, facts.soort, now)
    if event is Event.RELEASE and facts.channel == str(DeliveryChannel.POSTVAK):
        _add(tx, _collects(tx, facts.recipient, facts.applicatie), row)
    status = Status.RELEASED if event is Event.RELEASE else STATUS_OF[new]
    _add(tx, _handed_in(tx, facts), row | {"status": str(status)})


def answered(tx: Tx, message: str, answer: str, now: datetime) -> None:
    """The first Bv01 or Fo01 on a message came."""
    facts = tx.peek(_ORIGIN, {"message": message}).one()
    row = _row("", message, facts.soort, now)
    told = {"status": str(Status.ANSWERED), "answer": answer}
    _add(tx, _handed_in(tx, facts), row | told)


def _collects(tx: Tx, party: str, applicatie: str) -> Iterable[tuple[Subscriber, str]]:
    """Webhooks of the back-ends that may collect it."""
    for one in tx.subscribers:
        if (
            WebhookEvent.WAITING in one.events
            and one.party == party
            and applicatie in one.applicaties
        ):
            yield one, applicatie


def _handed_in(tx: Tx, facts: Any) -> Iterable[tuple[Subscriber, str]]:
    """Webhooks of the back-end that handed it in; a partner's message has none."""
    if facts.direction != str(Direction.OUTBOUND):
        return
    for one in tx.subscribers:
        if (
            WebhookEvent.STATUS in one.events
            and one.backend == facts.backend
            and facts.zender_applicatie in one.applicaties
        ):
            yield one, facts.zender_applicatie


def _row(delivery: str, message: str, soort: str, at: datetime) -> dict[str, Any]:
    return {
        "at": at,
        "delivery": delivery,
        "message": message,
        "soort": soort,
        "status": "",
        "answer": "",
        "next_at": at,
        "attempt": 0,
        "fence": 0,
        "leased_until": None,
    }


def _add(tx: Tx, to: Iterable[tuple[Subscriber, str]], row: dict[str, Any]) -> None:
    event = WebhookEvent.STATUS if row["status"] else WebhookEvent.WAITING
    for one, applicatie in to:
        own = {
            "webhook": one.name,
            "backend": one.backend,
            "party": one.party,
            "event": str(event),
            "applicatie": applicatie,
        }
        tx.insert(webhook_events, (row | own,))
        tx.ring(WEBHOOKS)
