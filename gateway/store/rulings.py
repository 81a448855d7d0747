"""Decisions of the OM are carried out: released, withheld, withdrawn. Within a transaction.

Whoever changes what a delivery stands on locks its row first: the claim of this moment is
waited for, or passes it over.
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gateway.errors import PolicyViolation, Unavailable
from gateway.lifecycle import Event, State
from gateway.ports import Acceptance, AuditEvent, Ends, NewRuling, NewWithdrawal, Pass
from gateway.rules.approval import Ground
from gateway.rules.deciding import RELEASES
from gateway.store import epoch
from gateway.store.asked import end_request
from gateway.store.bell import topic_of_channel
from gateway.store.clock import stepped_back
from gateway.store.deliveries import SPOT, Spot, move, spot, told
from gateway.store.ended import DECLINED, TAKEN_BACK
from gateway.store.holding import close_hold, hold_again
from gateway.store.prepared import Prepared
from gateway.store.tables import Moment, deliveries, holds, messages, passes, revocations, rulings
from gateway.store.transaction import Tx
from gateway.wire.toets import Uitkomst, Voorwaarde

NOT_ACCEPTED = "voorwaarden niet aanvaard"
WITHDRAWN = "ingetrokken"
"""Outcomes of a hold after which another one is open."""

_OPEN = (
    sa.select(
        *SPOT,
        deliveries.c.channel,
        deliveries.c.retries,
        deliveries.c.retry_interval,
        deliveries.c.payload_sha256,
        deliveries.c.table_version,
        holds.c.recipient.label("ontvanger"),
        messages.c.content_sha256,
    )
    .join(holds, holds.c.delivery == deliveries.c.id)
    .join(messages, messages.c.id == deliveries.c.message)
    .where(holds.c.closed_at.is_(None))
    .with_for_update(of=deliveries, key_share=True)
)
_HELD_BY = _OPEN.where(holds.c.id == sa.bindparam("hold"))
_RULING = (
    sa.select(
        *SPOT,
        rulings.c.id.label("ruling"),
        rulings.c.releases,
        rulings.c.ended_at.label("ruling_ended"),
    )
    .join(deliveries, deliveries.c.id == rulings.c.delivery)
    .with_for_update(of=deliveries, key_share=True)
)
_END = Prepared(
    sa.update(rulings)
    .where(rulings.c.id == sa.bindparam("b_id"), rulings.c.ended_at.is_(None))
    .values(ended_at=sa.bindparam("b_now", type_=Moment), ended_why=sa.bindparam("b_why"))
)


def moved() -> Unavailable:
    """Return what is raised when something changed while it was thought about."""
    return Unavailable("toets.moved", "what was decided on changed meanwhile")


def write_conditions(conditions: Iterable[Voorwaarde]) -> str:
    """Return the text that `read_conditions` reads."""
    return json.dumps([asdict(one) for one in conditions], separators=(",", ":"))


def read_conditions(text: str) -> tuple[Voorwaarde, ...]:
    """Return the conditions, in their order."""
    return tuple(Voorwaarde(**one) for one in json.loads(text))


def carry_out(tx: Tx, ruling: NewRuling, now: datetime) -> None:
    """Keep a ruling and do what it says.

    Raises Unavailable `toets.moved` when the hold is not as it was judged, `clock.stepped` when
    the clock can not be believed.
    """
    if stepped_back(tx.high_water, now):
        raise Unavailable("clock.stepped", "the clock went back: nothing is released")
    row = tx.read(_HELD_BY, {"hold": ruling.hold}).first()
    if row is None or not _fits(row, ruling):
        raise moved()
    releases = ruling.outcome in RELEASES
    tx.insert(rulings, (_row(ruling, now, releases=releases),))
    if ruling.of_pass:
        _spend(tx, ruling, now)
    tx.flush()  # one in force per delivery: the database says so
    at = spot(row)
    tx.record(_told(at, ruling, now))
    if not releases:
        _withhold(tx, at, ruling, now)
    elif not ruling.accept_first:
        release(tx, row, ruling.id, now, outcome=ruling.outcome, officer=ruling.officer)


def see(tx: Tx, made: Iterable[Pass], now: datetime) -> None:
    """Keep what a decision that passes by allows; the same one twice is one."""
    for one in made:
        known = sa.select(passes.c.seq).where(
            passes.c.id == one.id, passes.c.recipient == one.recipient
        )
        if tx.read(known).first() is None:
            row = asdict(one) | {"document": zlib.compress(one.document)}
            tx.insert(passes, (row | {"ended_at": None, "ended_why": ""},))
            data = {"ruling": one.id, "sha256": one.payload_sha256, "signer": one.signer}
            tx.record(AuditEvent(event="toets.seen", at=now, party=one.police, data=data))


def _spend(tx: Tx, ruling: NewRuling, now: datetime) -> None:
    """A decision lets one delivery go. Raises Unavailable `toets.moved` when it is spent."""
    tx.flush()
    ended = tx.write(
        sa.update(passes)
        .where(
            passes.c.id == ruling.of_pass,
            passes.c.recipient == ruling.recipient,
            passes.c.payload_sha256 == ruling.payload_sha256,
            passes.c.ended_at.is_(None),
            passes.c.valid_until > now,
        )
        .values(ended_at=now, ended_why=f"spent:{ruling.delivery}")
    )
    if ended != 1:
        raise moved()


def _fits(row: sa.Row[Any], ruling: NewRuling) -> bool:
    """Exactly these octets, for this recipient, by this table, and still held."""
    return bool(
        row.state == str(State.HELD)
        and row.id == ruling.delivery
        and row.payload_sha256 == row.content_sha256 == ruling.payload_sha256
        and row.ontvanger == ruling.recipient
        and row.table_version == ruling.table_version
    )


def _row(ruling: NewRuling, now: datetime, *, releases: bool) -> dict[str, Any]:
    return {
        "id": ruling.id,
        "hold": ruling.hold,
        "delivery": ruling.delivery,
        "at": now,
        "releases": releases,
        "outcome": str(ruling.outcome),
        "recipient": ruling.recipient,
        "payload_sha256": ruling.payload_sha256,
        "table_version": ruling.table_version,
        "officer": ruling.officer,
        "told": ruling.told,
        "known": ruling.known,
        "conditions": write_conditions(ruling.conditions),
        "decided_at": ruling.decided_at,
        "valid_until": ruling.valid_until,
        "signer": ruling.signer,
        "document": zlib.compress(ruling.document),
        "terms": ruling.terms.message.id if ruling.terms else None,
        "seen": ruling.of_pass or None,
        "used_at": None,
        "ended_at": None,
        "ended_why": "",
    }


def _told(at: Spot, ruling: NewRuling, now: datetime) -> AuditEvent:
    return told(
        at,
        "toets.ruled",
        now,
        actor=ruling.officer,
        ruling=ruling.id,
        outcome=str(ruling.outcome),
        sha256=ruling.payload_sha256,
        table=ruling.table_version,
        signer=ruling.signer,
        until=ruling.valid_until.isoformat(),
    )


def release(
    tx: Tx, row: sa.Row[Any], ruling: str, now: datetime, *, outcome: str, officer: str
) -> None:
    """Let it go: one conditional statement. Raises Unavailable `toets.moved`."""
    at = spot(row)
    lifetime: timedelta = (1 + row.retries) * row.retry_interval
    changes = {
        "ground": str(Ground.INDIVIDUAL),
        "approval_id": ruling,
        "next_at": now,
        "expires_at": now + lifetime if lifetime else None,
    }
    audit = told(at, "delivery.released", now, actor=officer, ruling=ruling)
    same = {"payload_sha256": row.payload_sha256, "table_version": row.table_version}
    if not move(tx, at, Event.RELEASE, audit, changes=changes, same=same, outcome=outcome):
        raise moved()
    tx.ring(topic_of_channel(row.channel, row.recipient))


def _withhold(tx: Tx, at: Spot, ruling: NewRuling, now: datetime) -> None:
    code = "toets.terug" if ruling.outcome is Uitkomst.TERUG else "toets.niet_vrijgegeven"
    audit = told(at, "delivery.withheld", now, code=code, actor=ruling.officer, ruling=ruling.id)
    changes = {"last_code": code}
    if not move(tx, at, Event.WITHHOLD, audit, changes=changes, outcome=str(ruling.outcome)):
        raise moved()


def accept(tx: Tx, acceptance: Acceptance, now: datetime) -> None:
    """The receiver answered the conditions: release what waited for that, or ask the OM again.

    Nothing happens when it waits for nothing any more. Raises Unavailable `clock.stepped`.
    """
    found = tx.read(
        sa.select(rulings).where(
            rulings.c.terms == acceptance.terms, rulings.c.releases, rulings.c.ended_at.is_(None)
        )
    ).first()
    if found is None:
        return
    row = tx.read(_HELD_BY, {"hold": found.hold}).first()
    if row is None or row.state != str(State.HELD):
        return
    if stepped_back(tx.high_water, now):
        raise Unavailable("clock.stepped", "the clock went back: nothing is released")
    at = spot(row)
    facts = {"actor": found.recipient, "ruling": found.id}
    if not acceptance.accepted:
        tx.record(told(at, "toets.not_accepted", now, code="toets.niet_aanvaard", **facts))
        tx.ended.end(Ends.RULING, found.id)
        tx.change(_END, {"b_id": found.id, "b_now": now, "b_why": DECLINED})
        _hold_anew(tx, at.id, now, outcome=NOT_ACCEPTED, why=DECLINED)
        return
    tx.ended.accept(found.seen or found.id)
    tx.record(told(at, "toets.accepted", now, **facts))
    if found.valid_until > now:
        release(tx, row, found.id, now, outcome=found.outcome, officer=found.officer)


# --- what ends ------------------------------------------------------------------------


def withdraw(tx: Tx, withdrawal: NewWithdrawal, now: datetime) -> None:
    """End a ruling or a standing approval; raises Unavailable `toets.moved`, PolicyViolation."""
    match withdrawal.ends:
        case Ends.RULING:
            _withdraw_ruling(tx, withdrawal, now)
        case Ends.APPROVAL:
            _revoke(tx, withdrawal, now)
        case Ends.REQUEST:
            end_request(tx, withdrawal.id, withdrawal.actor, now)
        case Ends.SEEN:
            _end_pass(tx, withdrawal, now)
        case Ends.BEARER:
            raise AssertionError  # no message of the OM ends one


def _withdraw_ruling(tx: Tx, withdrawal: NewWithdrawal, now: datetime) -> None:
    """By its id. Twice is once; a refusal is not withdrawn, it is decided on anew."""
    tx.ended.end(Ends.RULING, withdrawal.id)  # whatever its row says
    row = tx.read(_RULING.where(rulings.c.id == withdrawal.id)).first()
    if row is None:
        raise PolicyViolation("toets.besluit.vreemd", "Dit besluit is hier niet bekend.")
    if not row.releases:
        text = "Een weigering wordt niet ingetrokken; de afzender levert opnieuw aan."
        raise PolicyViolation("toets.geen_vrijgave", text)
    if withdrawal.late is not _has_left(row):
        raise moved()
    _take_back(tx, row, withdrawal, now)


def _end_pass(tx: Tx, withdrawal: NewWithdrawal, now: datetime) -> None:
    """At a knooppunt: what the decision allows, and what it allowed already."""
    tx.ended.end(Ends.RULING, withdrawal.id)
    tx.write(
        sa.update(passes)
        .where(passes.c.id == withdrawal.id, passes.c.ended_at.is_(None))
        .values(ended_at=now, ended_why=TAKEN_BACK)
    )
    for row in tx.read(_RULING.where(rulings.c.seen == withdrawal.id)).all():
        _take_back(tx, row, withdrawal, now)


def _has_left(row: sa.Row[Any]) -> bool:
    """An attempt was begun: nobody knows what the recipient has."""
    return row.attempt > 0 or row.state not in {str(State.READY), str(State.HELD)}


def _take_back(tx: Tx, row: sa.Row[Any], withdrawal: NewWithdrawal, now: datetime) -> None:
    """End a ruling: back to held, or, when something has left, no further attempt."""
    if row.ruling_ended is not None:
        return
    at, late = spot(row), _has_left(row)
    tx.change(_END, {"b_id": row.ruling, "b_now": now, "b_why": TAKEN_BACK})
    name = "toets.withdrawn_late" if late else "toets.withdrawn"
    facts = {"ruling": row.ruling, "reason": withdrawal.reason}
    audit = told(at, name, now, code="toets.ingetrokken", actor=withdrawal.actor, **facts)
    if late or at.state is State.HELD:
        tx.record(audit)
    if late:
        return
    if at.state is State.HELD:  # it waited for the receiver
        _hold_anew(tx, at.id, now, outcome=WITHDRAWN, why=TAKEN_BACK)
        return
    changes = {"ground": WITHDRAWN, "next_at": None, "expires_at": None}
    if not move(tx, at, Event.HOLD_AGAIN, audit, changes=changes):
        raise moved()


def _hold_anew(tx: Tx, delivery: str, now: datetime, *, outcome: str, why: str) -> None:
    """What is held stays held, by another hold: the OM is asked again."""
    close_hold(tx, delivery, now, outcome)
    hold_again(tx, delivery, now, why=why)


def _revoke(tx: Tx, withdrawal: NewWithdrawal, now: datetime) -> None:
    """A standing approval ends at once, in every process. Twice is once."""
    tx.ended.end(Ends.APPROVAL, withdrawal.id)
    known = sa.select(revocations.c.approval).where(revocations.c.approval == withdrawal.id)
    if tx.read(known).first() is not None:
        return
    row = {
        "approval": withdrawal.id,
        "at": now,
        "actor": withdrawal.actor,
        "reason": withdrawal.reason,
        "document": zlib.compress(withdrawal.document) if withdrawal.document else b"",
    }
    tx.insert(revocations, (row,))
    tx.flush()  # admissions of this batch look past what is only kept
    data = {"approval": withdrawal.id, "reason": withdrawal.reason}
    tx.record(AuditEvent(event="toets.revoked", at=now, actor=withdrawal.actor, data=data))
    tx.ring(epoch.TOPIC)
