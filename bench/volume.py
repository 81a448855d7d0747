"""A database as it is after months of traffic: rows that the code reads as its own.

Written by COPY, with the chain of the audit log and every index. No payloads: those were
destroyed on time, as they are in life.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain
from typing import Any

import psycopg
import sqlalchemy as sa

from gateway.ports import AuditEvent, DeliveryChannel, DeliveryKind, VerdictState
from gateway.rules.approval import Ground
from gateway.store.audit import Tail, link
from gateway.store.deliveries import lane_id
from gateway.store.records import canonical_list
from gateway.store.tables import (
    accounts,
    alarms,
    audit,
    deliveries,
    holds,
    lanes,
    messages,
    requests,
    to_micros,
    verdicts,
)

MONTHS = timedelta(days=180)
KINDS = ("vtMeldingDi01", "vtTerugkoppelingDi01", "vcobDi01", "zorgmeldingDi01", "vtoDi01")
CASE = "PL0000-2026000001"
"""A case with the most messages that a page shows."""
IN_CASE = 200
REQUEST_EVERY, HELD_EVERY, REFUSED_EVERY, DEAD_EVERY, UNKNOWN_EVERY = 20, 500, 90, 1_000, 5_000
FAULT_EVERY, OPEN_EVERY = 101, 50
"""Messages that a Fo01 came for, and those of them in whose place nothing came."""
WAITING = 500
"""The newest, still under way."""
OPEN_REQUESTS = 120
USERS = 400
_TERM = timedelta(hours=24)
_NEVER = to_micros(datetime(2000, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How much, between whom."""

    messages: int
    sender: str
    receiver: str
    hub: str
    officer: str
    until: datetime

    def at(self, n: int) -> datetime:
        """Return the moment of a message."""
        return self.until - MONTHS * (1 - n / self.messages)

    def state(self, n: int) -> str:
        """Return the state of its delivery."""
        if n > self.messages - WAITING:
            return ("ready", "sent")[n % 2]
        for every, state in (
            (UNKNOWN_EVERY, "unknown"),
            (DEAD_EVERY, "dead"),
            (HELD_EVERY, "held"),
            (REFUSED_EVERY, "refused"),
        ):
            if n % every == 0:
                return state
        return "delivered"

    @property
    def asked(self) -> range:
        """Return the messages that were put to the officers."""
        return range(REQUEST_EVERY, self.messages + 1, REQUEST_EVERY)


def message_id(n: int) -> str:
    """Return the id of a message: as random as those of life, so that an index is no queue."""
    return sha256(f"message {n}".encode()).hexdigest()[:36]


def delivery_id(n: int) -> str:
    return sha256(f"delivery {n}".encode()).hexdigest()[:36]


def request_id(n: int) -> str:
    return f"{delivery_id(n)}-0"


def reference(n: int) -> str:
    return f"ref-{n:07d}"


def fill(url: str, volume: Volume) -> int:
    """Write it all; return how many audit rows that are."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        _copy(connection, lanes, iter([_lane(volume)]))
        numbers = range(1, volume.messages + 1)
        _copy(connection, messages, (_message(volume, n) for n in numbers))
        _copy(connection, deliveries, (_delivery(volume, n) for n in numbers))
        _copy(connection, audit, _trail(volume))
        _copy(connection, holds, (_hold(volume, n) for n in volume.asked))
        _copy(connection, requests, (_request(volume, n) for n in volume.asked))
        _copy(connection, verdicts, (_verdict(volume, n) for n in _closed(volume)))
        _copy(connection, alarms, (_alarm(volume, n) for n in range(1, 1_001)))
        _copy(connection, accounts, (_account(volume, n) for n in range(USERS)))
        connection.execute("VACUUM ANALYZE")
        found = connection.execute("SELECT count(*) FROM audit").fetchone()
    return int(found[0]) if found else 0


def _copy(
    connection: psycopg.Connection[Any], table: sa.Table, rows: Iterator[dict[str, Any]]
) -> None:
    """Write rows; a column that a row does not name is empty, 0 or NULL."""
    columns = [c for c in table.columns if c.name != "seq"]
    empty = [_empty(c) for c in columns]
    names = ", ".join(f'"{c.name}"' for c in columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as to,
    ):
        for row in rows:
            to.write_row([row.get(c.name, none) for c, none in zip(columns, empty, strict=True)])


def _empty(column: sa.Column[Any]) -> Any:
    if column.nullable:
        return None
    if isinstance(column.type, sa.Boolean):
        return False
    return "" if isinstance(column.type, sa.String) else 0


def _lane(volume: Volume) -> dict[str, Any]:
    return {
        "id": _lane_id(volume),
        "recipient": volume.hub,
        "channel": str(DeliveryChannel.EBMS2),
        "kind": str(DeliveryKind.MESSAGE),
        "next_at": _NEVER,
    }


def _lane_id(volume: Volume) -> str:
    return lane_id(volume.hub, DeliveryChannel.EBMS2, DeliveryKind.MESSAGE)


def _is_faulty(n: int) -> bool:
    return n % FAULT_EVERY == 0


def _is_replacement(n: int) -> bool:
    """Tell whether it came in the place of the message before it."""
    return _is_faulty(n - 1) and n > 1 and (n - 1) // FAULT_EVERY % OPEN_EVERY != 0


def _digest(n: int) -> str:
    return sha256(f"content {n}".encode()).hexdigest()


def _message(volume: Volume, n: int) -> dict[str, Any]:
    at = to_micros(volume.at(n))
    return {
        "id": message_id(n),
        "at": at,
        "direction": ("uit", "in")[n % 2],
        "party": volume.sender,
        "cpa_id": "volume",
        "message_id": f"{message_id(n)}@volume",
        "conversation_id": message_id(n),
        "kind": KINDS[n % len(KINDS)],
        "version": "1.0.9",
        "berichtcode": "Di01",
        "zender": volume.sender,
        "zender_applicatie": "BVH",
        "ontvanger": volume.receiver,
        "ontvanger_applicatie": "VTregistratie",
        "referentienummer": reference(n),
        "tijdstip_bericht": f"{volume.at(n):%Y%m%d%H%M%S}000",
        "content_sha256": _digest(n),
        "signed_references": "[]",
        "onderzoek": False,
        "wpg_artikel": "8",
        "accepted": True,
        "backend": "systeem",
        "business_key": canonical_list(volume.sender, "BVH", reference(n)),
        "vervangt": reference(n - 1) if _is_replacement(n) else None,
        "answer": "Fo01Bericht" if _is_faulty(n) else "Bv01Bericht",
        "answered_at": at,
        "zaak": CASE if n % (volume.messages // IN_CASE) == 0 else f"PL0000-2025{n // 3:07d}",
    }


def _delivery(volume: Volume, n: int) -> dict[str, Any]:
    state, at = volume.state(n), volume.at(n)
    arrived = to_micros(at + timedelta(seconds=2))
    later = to_micros(volume.until + timedelta(days=30))
    waits = state in {"ready", "sent"}
    return {
        "id": delivery_id(n),
        "message": message_id(n),
        "lane": _lane_id(volume),
        "recipient": volume.hub,
        "channel": str(DeliveryChannel.EBMS2),
        "kind": str(DeliveryKind.MESSAGE),
        "state": state,
        "next_at": later if waits else None,
        "attempt": 0 if state in {"held", "ready"} else 1,
        "cpa_id": "volume",
        "ebms_id": f"{message_id(n)}@volume",
        "service": "jz:corv:1.0.9",
        "action": KINDS[n % len(KINDS)],
        "applicatie": "VTregistratie",
        "ground": str(Ground.STANDING),
        "approval_id": "DT-01",
        "table_version": "T-1",
        "payload_sha256": _digest(n),
        "retries": 8,
        "retry_interval": 600_000_000,
        "expires_at": later if waits else None,
        "signed_references": "[]",
        "last_code": "delivery.expired" if state == "dead" else "",
        "delivered_at": arrived if state == "delivered" else None,
        "duplicate_safe": True,
        "ended_at": arrived if state in {"delivered", "refused", "dead"} else None,
    }


_STEPS = ("message.handed_in", "message.validated", "message.routed", "message.released")
_LAST = {
    "delivered": "delivery.acknowledged",
    "refused": "delivery.refused",
    "dead": "delivery.dead",
    "unknown": "delivery.unknown",
}


def _trail(volume: Volume) -> Iterator[dict[str, Any]]:
    """Yield how users came, which is the oldest, and five rows of each message, in one chain."""
    tail = Tail.start("volume/1")
    users = (_added(volume, n) for n in range(USERS))
    sent = (event for n in range(1, volume.messages + 1) for event in _events(volume, n))
    for event in chain(users, sent):
        row, tail = link(tail, event)
        yield row | {"at": to_micros(row["at"])}


def _added(volume: Volume, n: int) -> AuditEvent:
    return AuditEvent(
        event="console.user_added",
        at=volume.at(0),
        actor="beheerder",
        data={"account": _login(n), "roles": "operator", "officer": ""},
    )


def _login(n: int) -> str:
    return f"gebruiker{n:04d}"


def _events(volume: Volume, n: int) -> Iterator[AuditEvent]:
    at, state = volume.at(n), volume.state(n)
    given = {"message": message_id(n), "party": volume.sender}
    for step, name in enumerate(_STEPS):
        data: dict[str, str | int] = {"kind": KINDS[n % len(KINDS)], "size": 4_000}
        if name == "message.released":
            data = {"ground": str(Ground.STANDING), "approval": "DT-01"}
        moment = at + timedelta(milliseconds=step)
        delivery = delivery_id(n) if step else ""
        yield AuditEvent(
            event=name, at=moment, delivery=delivery, actor="systeem", data=data, **given
        )
    last = _LAST.get(state, "delivery.sent")
    code = {"refused": "SecurityFailure", "dead": "delivery.expired"}.get(state, "")
    yield AuditEvent(
        event=last,
        at=at + timedelta(seconds=2),
        delivery=delivery_id(n),
        code=code,
        data={"digests": 2, "cpa_id": "volume"},
        **given,
    )
    if _is_faulty(n):
        yield _answered(volume, n)


def _answered(volume: Volume, n: int) -> AuditEvent:
    """Return its Fo01, which is of the one before: any message is as good."""
    data: dict[str, str | int] = {"kind": "Fo01Bericht", "answer": message_id(n - 1), "first": True}
    return AuditEvent(
        event="message.answered",
        at=volume.at(n) + timedelta(seconds=3),
        message=message_id(n),
        party=volume.receiver,
        data=data | {"fault": "901", "place": "server"},
    )


def _closed(volume: Volume) -> Sequence[int]:
    return volume.asked[:-OPEN_REQUESTS]


def _reasons() -> str:
    reason = {"rule": "OM-001", "path": "/a/b", "text": "Noemt een aanhouding.", "category": "A"}
    return json.dumps([reason | {"mode": "individueel"}], separators=(",", ":"))


def _hold(volume: Volume, n: int) -> dict[str, Any]:
    at = volume.at(n)
    closed = n in _closed(volume)
    return {
        "id": request_id(n),
        "delivery": delivery_id(n),
        "message": message_id(n),
        "at": to_micros(at),
        "recipient": volume.receiver,
        "payload_sha256": _digest(n),
        "ground": "individueel",
        "table_version": "T-1",
        "reasons": _reasons(),
        "deadline": to_micros(at + _TERM),
        "asked_at": to_micros(at),
        "closed_at": to_micros(at + _TERM / 3) if closed else None,
        "outcome": "vrijgeven" if closed else "",
    }


def _request(volume: Volume, n: int) -> dict[str, Any]:
    hold = _hold(volume, n)
    columns = ("id", "delivery", "message", "at", "recipient", "payload_sha256")
    same = ("table_version", "reasons", "closed_at", "outcome", "deadline")
    return {name: hold[name] for name in (*columns, *same)} | {
        "deadline": to_micros(max(volume.at(n), volume.until) + _TERM),
        "holder": volume.sender,
        "soort": KINDS[n % len(KINDS)],
        "version": "1.0.9",
        "referentienummer": reference(n),
        "size": 4_000,
        "asker": "systeem",
        "parket": "Demo",
        "case_sha256": sha256(str(n // 60).encode()).hexdigest(),
    }


def _verdict(volume: Volume, n: int) -> dict[str, Any]:
    at = to_micros(volume.at(n) + _TERM / 3)
    return {
        "id": f"V-{n}",
        "request": request_id(n),
        "at": at,
        "outcome": "vrijgeven",
        "ground": "Aanwijzing 15.5.1; geen opsporingsbelang.",
        "conditions": "[]",
        "officer": volume.officer,
        "valid_until": to_micros(volume.until + _TERM),
        "state": str(VerdictState.GIVEN),
    }


def _alarm(volume: Volume, n: int) -> dict[str, Any]:
    at = to_micros(volume.until - timedelta(hours=n))
    return {
        "code": "delivery.dead",
        "subject": delivery_id(n),
        "message": message_id(n),
        "party": volume.hub,
        "reason": "delivery.expired",
        "times": 1,
        "raised_at": at,
        "cleared_at": None if n <= 200 else at,
    }


def _account(volume: Volume, n: int) -> dict[str, Any]:
    return {
        "id": f"user-{n}",
        "login": _login(n),
        "name": f"Gebruiker {n}",
        "roles": "operator",
        "preferences": "{}",
        "active": n % 10 != 0,
        "created_at": to_micros(volume.until - MONTHS),
    }
