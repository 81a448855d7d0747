"""Which officer a user is, and what stands in the way of deciding. Nothing here decides."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from gateway.credentials import UserRole
from gateway.errors import PolicyViolation
from gateway.pipeline.desk import Case
from gateway.ports import Request, RequestsWanted, Verdict, VerdictState
from gateway.rules import officers
from gateway.web.console.visit import Visit

OFFICIER = frozenset({UserRole.OFFICIER})
SOON = timedelta(hours=4)
"""Left of its term from which a request is called near its end."""
LOOKED_AT = 100
"""Open requests among which the next one is looked for."""


def officer_of(visit: Visit) -> str:
    """Return the id; raises PolicyViolation `console.geen_officier`."""
    found = visit.user.account.officer
    if not found:
        raise PolicyViolation(
            "console.geen_officier",
            "Uw account hoort bij geen officier. Vraag de beheerder dit te herstellen.",
        )
    return found


def names(visit: Visit) -> Mapping[str, str]:
    """Return id → name of the officers."""
    return {one.id: one.naam for one in visit.office.directory.officers}


async def case_of(visit: Visit, id_: str) -> Case:
    """Return a request with its decisions; raises NoRoute."""
    return await visit.office.gateway.deciding.case(id_)


def urgency(request: Request, visit: Visit) -> str:
    """Return `late`, `soon` or nothing."""
    if request.closed_at is not None:
        return ""
    left = request.deadline - visit.now()
    if left < timedelta(0):
        return "late"
    return "soon" if left < SOON else ""


def holder_of(request: Request, visit: Visit) -> str:
    """Return the id of the officer who has it now; empty = nobody."""
    until = request.claimed_until
    return request.claimed_by if until is not None and until > visit.now() else ""


async def next_for(visit: Visit) -> Request | None:
    """Return the most urgent request that this officer can do something with now, or None.

    Only the most urgent ones are looked at.
    """
    me, directory = officer_of(visit), visit.office.directory
    for one in await visit.office.gateway.deciding.requests(RequestsWanted(limit=LOOKED_AT)):
        if one.proposed_by == me or holder_of(one, visit) not in {"", me}:
            continue
        with suppress(PolicyViolation):
            found = officers.officer(directory, me, at=visit.now())
            officers.check_parket(found, one.parket, directory)
            officers.check_eyes(found, one.asker)
            return one
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Possible:
    """What this officer may do with a request now."""

    decide: bool
    take: bool
    let_go: bool
    second: Verdict | None
    """A decision that waits for another officer than its own."""
    withdraw: Verdict | None


def possible(case: Case, visit: Visit) -> Possible:
    """Tell what buttons there are; whether it is allowed is asked again when they are used."""
    me = visit.user.account.officer
    request = case.request
    with_ = holder_of(request, visit)
    is_open = request.closed_at is None
    waiting = next((v for v in case.verdicts if v.state is VerdictState.PROPOSED), None)
    given = next(
        (
            v
            for v in reversed(case.verdicts)
            if v.state in {VerdictState.GIVEN, VerdictState.PROPOSED}
        ),
        None,
    )
    return Possible(
        decide=is_open and waiting is None and with_ in {"", me},
        take=is_open and not with_,
        let_go=is_open and with_ == me,
        second=waiting if waiting is not None and waiting.officer != me else None,
        withdraw=given,
    )


def mark(case: Case, visit: Visit) -> str:
    """Return a mark on everything that a decision rests on: another one = it has changed."""
    request = case.request
    parts: Sequence[str] = (
        request.id,
        request.payload_sha256,
        request.table_version,
        str(request.recipient),
        str(request.closed_at or ""),
        request.outcome,
        *(f"{one.id}={one.state}" for one in case.verdicts),
    )
    return visit.office.marks.mark("verzoek", "\n".join(parts))[:22]


def page_of(id_: str, step: str = "") -> str:
    """Return the address of a request, or of a step with it."""
    return f"/verzoeken/{quote(id_, safe='')}" + (f"/{step}" if step else "")
