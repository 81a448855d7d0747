"""Messages that were refused with a Fo01, and what it said."""

from collections.abc import Sequence

import sqlalchemy as sa

from gateway.message import Fault, Oin
from gateway.ports import AuditEvent
from gateway.ports.overview import Refusal, Refusals
from gateway.store.audit import read_row
from gateway.store.records import KNOWN, known
from gateway.store.tables import REFUSED, audit, messages

_other = messages.alias("other")
_REPLACED = sa.exists().where(
    _other.c.vervangt == messages.c.referentienummer,
    _other.c.zender == messages.c.zender,
    _other.c.zender_applicatie == messages.c.zender_applicatie,
    _other.c.accepted,
)


def refusals(
    connection: sa.Connection, below: int | None, limit: int, *, replaced: bool = True
) -> Refusals:
    """Return a page of them, newest message first; those that were replaced only if asked."""
    statement = (
        sa.select(messages.c.seq, _REPLACED.label("replaced"), *KNOWN)
        .where(REFUSED, *(() if replaced else (sa.not_(_REPLACED),)))
        .order_by(messages.c.seq.desc())
        .limit(limit + 1)
    )
    if below is not None:
        statement = statement.where(messages.c.seq < below)
    rows = connection.execute(statement).all()
    shown = rows[:limit]
    said = _first_answers(connection, [row.m_id for row in shown])
    senders = _senders(connection, [str(event.data["answer"]) for event in said.values()])
    return Refusals(
        found=[
            Refusal(
                message=known(row),
                at=said[row.m_id].at,
                by=Oin(senders[str(said[row.m_id].data["answer"])] or said[row.m_id].party),
                fault=_fault(said[row.m_id]),
                replaced=bool(row.replaced),
            )
            for row in shown
        ],
        last=shown[-1].seq if len(rows) > limit else None,
    )


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
