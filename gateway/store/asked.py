"""A request is put before the officers here, or ends: within the commit of something else."""

from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from gateway.errors import PolicyViolation
from gateway.lifecycle import Event, State
from gateway.ports import AuditEvent, NewRequest
from gateway.store.alarms import clear_alarm
from gateway.store.deliveries import SPOT, move, spot, told
from gateway.store.holding import write_reasons
from gateway.store.lateness import REQUESTS
from gateway.store.tables import deliveries, requests
from gateway.store.transaction import Tx

OVER = "vervallen"


def add_request(tx: Tx, request: NewRequest, message: str, delivery: str, now: datetime) -> None:
    """Put a request before the officers; the same one twice is one."""
    row = {
        "id": request.id,
        "delivery": delivery,
        "message": message,
        "at": now,
        "holder": request.holder,
        "soort": request.soort,
        "version": request.version,
        "referentienummer": request.referentienummer,
        "recipient": request.recipient,
        "payload_sha256": request.payload_sha256,
        "size": request.size,
        "table_version": request.table_version,
        "reasons": write_reasons(request.reasons),
        "asker": request.asker,
        "acuut": request.acuut,
        "deadline": request.deadline,
        "warned": 0,
        "warn_at": now,
        "parket": request.parket,
        "case_sha256": sha256(request.case.encode()).hexdigest() if request.case else "",
        "claimed_by": "",
        "claimed_until": None,
        "closed_at": None,
        "outcome": "",
        "deel_van": request.part_of or None,
        "vervangt": request.replaces or None,
    }
    tx.insert(requests, (row,))
    audit = AuditEvent(
        event="toets.asked",
        at=now,
        message=message,
        delivery=delivery,
        party=request.holder,
        data={
            "request": request.id,
            "sha256": request.payload_sha256,
            "table": request.table_version,
            "parket": request.parket,
            "reasons": len(request.reasons),
        },
    )
    tx.record(audit)


def end_request(tx: Tx, id_: str, holder: str, now: datetime) -> None:
    """The holder needs no decision any more; what was decided stays decided."""
    row = locked(tx, id_)
    if row is None or row.holder != holder:
        raise PolicyViolation("toets.verzoek.vreemd", "Dit verzoek is hier niet bekend.")
    if row.closed_at is None:
        close_request(tx, row, now, outcome=OVER, actor=holder)


def locked(tx: Tx, id_: str) -> sa.Row[Any] | None:
    """Return the row of a request, locked until the commit; None when there is none."""
    return tx.read(
        sa.select(requests).where(requests.c.id == id_).with_for_update(key_share=True)
    ).first()


def close_request(tx: Tx, row: sa.Row[Any], now: datetime, *, outcome: str, actor: str) -> None:
    """The request ends, and with it the delivery that brought it: its payload may go."""
    tx.write(
        sa.update(requests)
        .where(requests.c.id == row.id)
        .values(closed_at=now, outcome=outcome, warn_at=None, claimed_by="", claimed_until=None)
    )
    delivery = tx.read(
        sa.select(*SPOT).where(deliveries.c.id == row.delivery).with_for_update(key_share=True)
    ).one()
    at = spot(delivery)
    audit = told(at, "toets.closed", now, actor=actor, request=row.id, outcome=outcome)
    if at.state is State.READY:
        move(tx, at, Event.CONFIRM, audit, changes={"delivered_at": now})
    clear_alarm(tx, REQUESTS.alarm, row.id, now)
