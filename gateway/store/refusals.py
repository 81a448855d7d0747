"""Messages that were refused with a Fo01: what it said, and what people do about it."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from gateway.message import Fault, Oin
from gateway.ports import AuditEvent
from gateway.ports.overview import Refusal, RefusalPlace, Refusals
from gateway.ports.worklist import Claim, Closing, Reason
from gateway.store.audit import read_row
from gateway.store.records import KNOWN, known
from gateway.store.tables import REFUSED, audit, messages, payloads
from gateway.store.tables import refusals as handling

_other = messages.alias("other")
_IS_REPLACED = sa.exists().where(
    _other.c.vervangt == messages.c.referentienummer,
    _other.c.zender == messages.c.zender,
    _other.c.zender_applicatie == messages.c.zender_applicatie,
    _other.c.accepted,
)
REPLACED = _IS_REPLACED.label("replaced")
"""Another message came in its place."""
_STILL = (handling.c.closed_at.is_(None), sa.not_(_IS_REPLACED))
STILL_OPEN = (
    sa.select(sa.literal(1).label("one"))
    .select_from(messages)
    .outerjoin(handling, handling.c.message == messages.c.id)
    .where(REFUSED, *_STILL)
)
"""A row for each on which somebody has yet to act, to be counted."""
_ALL = (
    sa.select(
        messages.c.seq,
        messages.c.answered_at,
        REPLACED,
        payloads.c.destroyed_at.is_(None).label("kept"),
        *(handling.c[n] for n in ("taken_by", "taken_until")),
        *(handling.c[n] for n in ("closed_at", "closed_by", "ground", "why")),
        *KNOWN,
    )
    .outerjoin(handling, handling.c.message == messages.c.id)
    .outerjoin(payloads, payloads.c.id == messages.c.payload_id)
    .where(REFUSED)
)
_PLACE = sa.tuple_(messages.c.answered_at, messages.c.seq)


def refusals(
    connection: sa.Connection, after: RefusalPlace | None, limit: int, *, open_only: bool
) -> Refusals:
    """Return a page of them; see the port `Overview`."""
    statement = (_open(after) if open_only else _every(after)).limit(limit + 1)
    rows = connection.execute(statement).all()
    shown = rows[:limit]
    more = len(rows) > limit
    last = RefusalPlace(at=shown[-1].answered_at, seq=shown[-1].seq) if more else None
    return Refusals(found=_read(connection, shown), last=last)


def refusal(connection: sa.Connection, message: str) -> Refusal | None:
    """Return one; None for a message that was not refused so."""
    rows = connection.execute(_ALL.where(messages.c.id == message)).all()
    return next(iter(_read(connection, rows)), None)


def _open(after: RefusalPlace | None) -> sa.Select[Any]:
    found = _ALL.where(*_STILL).order_by(messages.c.answered_at, messages.c.seq)
    return found if after is None else found.where(_values(after) < _PLACE)


def _every(after: RefusalPlace | None) -> sa.Select[Any]:
    found = _ALL.order_by(messages.c.answered_at.desc(), messages.c.seq.desc())
    return found if after is None else found.where(_values(after) > _PLACE)


def _values(place: RefusalPlace) -> sa.Tuple:
    return sa.tuple_(sa.literal(place.at, messages.c.answered_at.type), sa.literal(place.seq))


def _read(connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> list[Refusal]:
    said = _first_answers(connection, [row.m_id for row in rows])
    senders = _senders(connection, [str(event.data["answer"]) for event in said.values()])
    return [_refusal(row, said[row.m_id], senders) for row in rows]


def _refusal(row: sa.Row[Any], said: AuditEvent, senders: dict[str, str]) -> Refusal:
    return Refusal(
        message=known(row),
        at=said.at,
        by=Oin(senders[str(said.data["answer"])] or said.party),
        fault=_fault(said),
        replaced=bool(row.replaced),
        kept=row.m_payload_id is not None and bool(row.kept),
        claim=claim_of(row),
        closing=_closing(row),
    )


def claim_of(row: sa.Row[Any]) -> Claim | None:
    """Return who took it last, of a row with `taken_by` and `taken_until`; None = nobody did."""
    return Claim(who=row.taken_by, until=row.taken_until) if row.taken_until else None


def _closing(row: sa.Row[Any]) -> Closing | None:
    if row.closed_at is None:
        return None
    return Closing(at=row.closed_at, who=row.closed_by, reason=Reason(row.ground), why=row.why)


def _first_answers(connection: sa.Connection, ids: Sequence[str]) -> dict[str, AuditEvent]:
    """Return the audit events of the answers that counted; one is of the same commit as each."""
    statement = sa.select(audit).where(
        audit.c.message.in_(ids), audit.c.event == "message.answered"
    )
    events = [read_row(row).event for row in connection.execute(statement)]
    return {event.message: event for event in events if event.data.get("first")}


def _senders(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return who each answer says it is of: a knooppunt brings those of others."""
    statement = sa.select(messages.c.id, messages.c.zender).where(messages.c.id.in_(ids))
    return {row.id: row.zender for row in connection.execute(statement)}


def _fault(answered: AuditEvent) -> Fault | None:
    if "fault" not in answered.data:
        return None
    return Fault(code=str(answered.data["fault"]), place=str(answered.data["place"]))
