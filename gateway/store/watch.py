"""The causes of alarms that no single change brings about: only time does."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.lifecycle import State
from gateway.moments import to_micros
from gateway.ports import TO_PARTNERS, Alarm, AlarmBounds, DeliveryChannel, DeliveryKind, Direction
from gateway.store.clock import HIGH_WATER, stepped_back
from gateway.store.tables import UNANSWERED, deliveries, lanes, messages, pauses

STEPPED_BACK = "clock.stepped_back"
DISK_LOW = "disk.low"
EXPIRING = "certificate.expiring"
EXCEPTION_EXPIRING = "exception.expiring"
CRL_STALE = "crl.stale"
GATE_CLOSED = "gate.closed"
PAUSED = "partner.paused"
UNWRITABLE = "epoch_keys.unwritable"
WATCHED = frozenset(
    {
        "delivery.unconfirmed",
        "partner.down",
        "answer.missing",
        "postvak.waiting",
        STEPPED_BACK,
        DISK_LOW,
        EXPIRING,
        EXCEPTION_EXPIRING,
        CRL_STALE,
        GATE_CLOSED,
        PAUSED,
        UNWRITABLE,
    }
)
"""Their alarms close by themselves. The subject is a party: one partner, one alarm; a certificate
or an exception with the days at which it was raised; the issuer of a list; or none."""

_OPEN = [str(s) for s in (State.READY, State.CLAIMED, State.SENT)]


def causes(connection: sa.Connection, bounds: AlarmBounds, now: datetime) -> Iterator[Alarm]:
    """Yield what stands now."""
    for code, statement in (
        ("delivery.unconfirmed", _unconfirmed(bounds, now)),
        ("delivery.unconfirmed", _stuck(now - bounds.partner_down)),
        ("partner.down", _down(now - bounds.partner_down)),
        (PAUSED, _paused(now - bounds.partner_down)),
        ("answer.missing", _unanswered(now - bounds.answer)),
        ("postvak.waiting", _waiting(now - bounds.postvak)),
    ):
        for row in connection.execute(statement):
            yield Alarm(code=code, subject=row.subject, party=row.subject)
    high_water = connection.execute(HIGH_WATER).scalar()
    if high_water is not None and stepped_back(high_water, now):
        yield Alarm(code=STEPPED_BACK, subject="")


_WAITING = (
    deliveries.c.channel.in_(TO_PARTNERS),
    deliveries.c.kind == str(DeliveryKind.MESSAGE),
    deliveries.c.state.in_(_OPEN),
)
"""Messages for partners that are not at an end."""


def _unconfirmed(bounds: AlarmBounds, now: datetime) -> sa.Select[Any]:
    """Recipients of a delivery that used up its part of the lifetime: part × (end - begin)."""
    percent = round(bounds.unconfirmed_part * 100)
    ends = sa.type_coerce(deliveries.c.expires_at, sa.BigInteger)
    begins = sa.type_coerce(messages.c.at, sa.BigInteger)
    passed = sa.literal(to_micros(now), sa.BigInteger)
    return (
        sa.select(deliveries.c.recipient.label("subject"))
        .join(messages, messages.c.id == deliveries.c.message)
        .where(
            *_WAITING,
            deliveries.c.expires_at.is_not(None),
            (passed - begins) * 100 >= (ends - begins) * percent,
        )
        .distinct()
    )


def _stuck(since: datetime) -> sa.Select[Any]:
    """Recipients of a delivery without a lifetime that waits because of our own trouble.

    Nothing else ends it: tries are not spent by that.
    """
    return (
        sa.select(deliveries.c.recipient.label("subject"))
        .join(messages, messages.c.id == deliveries.c.message)
        .where(
            *_WAITING,
            deliveries.c.expires_at.is_(None),
            deliveries.c.spared > 0,
            messages.c.at <= since,
        )
        .distinct()
    )


def _down(since: datetime) -> sa.Select[Any]:
    return (
        sa.select(lanes.c.recipient.label("subject"))
        .where(lanes.c.down == sa.true(), lanes.c.down_since <= since)
        .distinct()
    )


def _paused(since: datetime) -> sa.Select[Any]:
    """Partners that a person holds for so long that it may be forgotten."""
    return sa.select(pauses.c.recipient.label("subject")).where(pauses.c.at <= since)


def _unanswered(since: datetime) -> sa.Select[Any]:
    """Whoever has had a message of ours for that long without a Bv01 or Fo01.

    What did not arrive, or is still held, has its own alarm or waits for the OM.
    """
    arrived = sa.exists().where(
        deliveries.c.message == messages.c.id,
        deliveries.c.kind == str(DeliveryKind.MESSAGE),
        deliveries.c.channel.in_(TO_PARTNERS),
        deliveries.c.state == str(State.DELIVERED),
    )
    return (
        sa.select(messages.c.ontvanger.label("subject"))
        .where(
            UNANSWERED,
            messages.c.at <= since,
            messages.c.direction != str(Direction.OWN),
            arrived,
        )
        .distinct()
    )


def _waiting(since: datetime) -> sa.Select[Any]:
    """Local parties whose back-end does not collect or confirm."""
    return (
        sa.select(deliveries.c.recipient.label("subject"))
        .join(messages, messages.c.id == deliveries.c.message)
        .where(
            deliveries.c.channel == str(DeliveryChannel.POSTVAK),
            deliveries.c.state.in_([str(State.READY), str(State.SENT)]),
            messages.c.at <= since,
        )
        .distinct()
    )
