"""Where officers decide: requests, and what was decided on them. The port `Desk`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from gateway.errors import NoRoute, PolicyViolation
from gateway.message import Oin
from gateway.ports import (
    Admission,
    AuditEvent,
    Clock,
    Ends,
    Request,
    RequestPlace,
    RequestsWanted,
    Verdict,
    VerdictState,
)
from gateway.rules.deciding import RELEASES
from gateway.store.asked import close_request, locked
from gateway.store.ended import Ended
from gateway.store.holding import read_reasons
from gateway.store.inbox import admit
from gateway.store.lateness import REQUESTS, Watch
from gateway.store.reading import Reads
from gateway.store.records import KNOWN, known
from gateway.store.rulings import read_conditions, write_conditions
from gateway.store.tables import messages, requests, verdicts
from gateway.store.transaction import Tx
from gateway.store.writer import Writer
from gateway.wire.toets import Uitkomst

_PROPOSED = (
    sa.select(sa.func.max(verdicts.c.officer))
    .where(verdicts.c.request == requests.c.id, verdicts.c.state == str(VerdictState.PROPOSED))
    .scalar_subquery()
)
_REQUEST = sa.select(requests, _PROPOSED.label("proposed_by"), *KNOWN).join(
    messages, messages.c.id == requests.c.message
)
_ANSWER, _WITHDRAWAL = messages.alias(), messages.alias()
_VERDICT = (
    sa.select(
        verdicts,
        _ANSWER.c.answer.label("said_then"),
        _WITHDRAWAL.c.answer.label("said_last"),
    )
    .outerjoin(_ANSWER, _ANSWER.c.id == verdicts.c.answer)
    .outerjoin(_WITHDRAWAL, _WITHDRAWAL.c.id == verdicts.c.withdrawal)
)
_REFUSAL = "Fo01Bericht"
_OPEN = requests.c.closed_at.is_(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Unit: an officer takes a request, or lets it go (`until` None)."""

    id: str
    officer: str
    until: datetime | None
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise NoRoute `toets.verzoek.onbekend`, PolicyViolation `toets.gesloten`, `.genomen`."""
        row = _open(tx, self.id)
        _with_nobody_else(row, self.officer, self.now)
        tx.write(
            sa.update(requests)
            .where(requests.c.id == self.id)
            .values(claimed_by=self.officer if self.until else "", claimed_until=self.until)
        )
        name = "toets.taken" if self.until else "toets.let_go"
        tx.record(_event(row, name, self.now, self.officer))


def _open(tx: Tx, id_: str) -> sa.Row[Any]:
    row = locked(tx, id_)
    if row is None:
        raise NoRoute("toets.verzoek.onbekend", "Dit verzoek is hier niet bekend.")
    if row.closed_at is not None:
        raise PolicyViolation("toets.gesloten", "Op dit verzoek is al besloten, of het verviel.")
    return row


def _with_nobody_else(row: sa.Row[Any], officer: str, now: datetime) -> None:
    if row.claimed_by not in {"", officer} and row.claimed_until > now:
        raise PolicyViolation("toets.genomen", "Een andere officier heeft dit verzoek genomen.")


def _event(
    row: sa.Row[Any], event: str, now: datetime, officer: str, **data: str | int | bool
) -> AuditEvent:
    return AuditEvent(
        event=event,
        at=now,
        message=row.message,
        delivery=row.delivery,
        party=row.holder,
        actor=officer,
        data={"request": row.id, **data},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Unit: somebody reads what is held, and says what for."""

    id: str
    officer: str
    purpose: str
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise NoRoute `toets.verzoek.onbekend`."""
        row = tx.read(sa.select(requests).where(requests.c.id == self.id)).first()
        if row is None:
            raise NoRoute("toets.verzoek.onbekend", "Dit verzoek is hier niet bekend.")
        data = {"purpose": self.purpose, "sha256": row.payload_sha256}
        tx.record(_event(row, "toets.read", self.now, self.officer, **data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """Unit: a verdict is taken; without `answer` it waits for a second officer."""

    verdict: Verdict
    answer: Admission | None
    account: str
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise as `Take`, and PolicyViolation `toets.wacht_op_tweede`."""
        verdict = self.verdict
        row = _open(tx, verdict.request)
        _with_nobody_else(row, verdict.officer, self.now)
        waits = sa.select(verdicts.c.id).where(
            verdicts.c.request == row.id, verdicts.c.state == str(VerdictState.PROPOSED)
        )
        if tx.read(waits).first() is not None:
            raise PolicyViolation(
                "toets.wacht_op_tweede", "Er ligt een besluit dat op bevestiging wacht."
            )
        message = admit(tx, self.answer, self.now).message if self.answer else None
        tx.flush()
        tx.insert(verdicts, (_row(verdict, message),))
        tx.flush()
        if message is None:
            tx.ended.propose(_words(verdict))
            tx.ended.propose(_proposer(verdict.id, self.account))
        name = "toets.decided" if message else "toets.proposed"
        facts = {"verdict": verdict.id, "outcome": str(verdict.outcome)}
        tx.record(_event(row, name, self.now, verdict.officer, **facts))
        if message:
            close_request(tx, row, self.now, outcome=verdict.outcome, actor=verdict.officer)


def _words(verdict: Verdict) -> str:
    """All that a second officer confirms."""
    return json.dumps(
        [
            verdict.id,
            verdict.request,
            str(verdict.outcome),
            verdict.ground,
            verdict.told,
            write_conditions(verdict.conditions),
            verdict.officer,
            verdict.known,
            verdict.valid_until.astimezone(UTC).isoformat(),
        ]
    )


def _proposer(id_: str, account: str) -> str:
    return f"{id_}:{account}"


def _row(verdict: Verdict, message: str | None) -> dict[str, Any]:
    return {
        "id": verdict.id,
        "request": verdict.request,
        "at": verdict.at,
        "outcome": str(verdict.outcome),
        "ground": verdict.ground,
        "told": verdict.told,
        "conditions": write_conditions(verdict.conditions),
        "officer": verdict.officer,
        "second": verdict.second,
        "second_at": None,
        "known": verdict.known,
        "valid_until": verdict.valid_until,
        "state": str(VerdictState.GIVEN if message else VerdictState.PROPOSED),
        "answer": message,
        "withdrawn_at": None,
        "withdrawn_by": "",
        "withdrawn_why": "",
        "withdrawal": None,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """Unit: a second officer confirms, with the answer, or does not."""

    id: str
    officer: str
    answer: Admission | None
    why: str
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise NoRoute `toets.besluit.onbekend`, PolicyViolation `toets.vier_ogen`, `.status`."""
        verdict = _verdict_locked(tx, self.id)
        row = _open(tx, verdict.request)
        if verdict.state != str(VerdictState.PROPOSED):
            raise PolicyViolation("toets.status", "Dit besluit wacht niet op bevestiging.")
        if verdict.officer == self.officer:
            raise PolicyViolation("toets.vier_ogen", "Wie beslist, bevestigt niet.")
        message = admit(tx, self.answer, self.now).message if self.answer else None
        tx.flush()
        if message is None:
            tx.ended.end(Ends.RULING, self.id)
        state = VerdictState.GIVEN if message else VerdictState.REJECTED
        tx.write(
            sa.update(verdicts)
            .where(verdicts.c.id == self.id)
            .values(second=self.officer, second_at=self.now, state=str(state), answer=message)
        )
        name = "toets.confirmed" if message else "toets.not_confirmed"
        facts = {"verdict": self.id, "outcome": verdict.outcome, "why": self.why}
        tx.record(_event(row, name, self.now, self.officer, **facts))
        if message:
            close_request(tx, row, self.now, outcome=verdict.outcome, actor=self.officer)


def _verdict_locked(tx: Tx, id_: str) -> sa.Row[Any]:
    row = tx.read(
        sa.select(verdicts).where(verdicts.c.id == id_).with_for_update(key_share=True)
    ).first()
    if row is None:
        raise NoRoute("toets.besluit.onbekend", "Dit besluit is hier niet bekend.")
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Unit: an officer takes a verdict back; the holder says whether that was in time."""

    id: str
    officer: str
    why: str
    message: Admission | None
    late: bool
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise NoRoute `toets.besluit.onbekend`, PolicyViolation `toets.status`."""
        verdict = _verdict_locked(tx, self.id)
        proposed = verdict.state == str(VerdictState.PROPOSED)
        given = verdict.state == str(VerdictState.GIVEN)
        if not (proposed or given) or (given and self.message is None):
            raise PolicyViolation("toets.status", "Dit besluit is niet in te trekken.")
        if given and Uitkomst(verdict.outcome) not in RELEASES:
            text = "Een weigering wordt niet ingetrokken; de afzender levert opnieuw aan."
            raise PolicyViolation("toets.status", text)
        message = admit(tx, self.message, self.now).message if self.message and given else None
        tx.flush()
        if proposed:
            tx.ended.end(Ends.RULING, self.id)
        tx.write(
            sa.update(verdicts)
            .where(verdicts.c.id == self.id)
            .values(
                state=str(VerdictState.TOO_LATE if self.late else VerdictState.WITHDRAWN),
                withdrawn_at=self.now,
                withdrawn_by=self.officer,
                withdrawn_why=self.why,
                withdrawal=message,
            )
        )
        row = tx.read(sa.select(requests).where(requests.c.id == verdict.request)).one()
        facts = {"verdict": self.id, "why": self.why}
        tx.record(_event(row, "toets.verdict_withdrawn", self.now, self.officer, **facts))


class SqlDesk:
    """The port `Desk`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock, ended: Ended) -> None:
        """Take what it writes and reads with, and the marks of what was proposed."""
        self._writer = writer
        self._reads = reads
        self._clock = clock
        self._ended = ended

    async def requests(self, wanted: RequestsWanted) -> tuple[Request, ...]:
        """Return requests, open ones by deadline, others newest first; see the port."""
        statement = _waiting(wanted.after) if wanted.open else _all(wanted.before)
        if wanted.parket is not None:
            statement = statement.where(requests.c.parket == wanted.parket)
        statement = statement.limit(wanted.limit)
        rows = await self._reads(lambda c: c.execute(statement).all())
        return tuple(_request(row) for row in rows)

    async def request(self, id_: str) -> Request | None:
        """Return the request, or None."""
        statement = _REQUEST.where(requests.c.id == id_)
        row = await self._reads(lambda c: c.execute(statement).first())
        return None if row is None else _request(row)

    async def earlier(self, id_: str, *, limit: int) -> tuple[Request, ...]:
        """Return other requests on the same case, newest first (Aanwijzing 15.1)."""
        case = (
            sa.select(requests.c.case_sha256)
            .where(requests.c.id == id_, requests.c.case_sha256 != "")
            .scalar_subquery()
        )
        statement = (
            _REQUEST.where(requests.c.case_sha256 == case, requests.c.id != id_)
            .order_by(requests.c.seq.desc())
            .limit(limit)
        )
        rows = await self._reads(lambda c: c.execute(statement).all())
        return tuple(_request(row) for row in rows)

    async def linked(self, request: Request, *, limit: int) -> tuple[Request, ...]:
        """Return the requests here on the messages that it names, newest first."""
        named = [number for number in (request.part_of, request.replaces) if number]
        if not named:
            return ()
        statement = (
            _REQUEST.where(
                requests.c.referentienummer.in_(named), requests.c.holder == request.holder
            )
            .order_by(requests.c.seq.desc())
            .limit(limit)
        )
        rows = await self._reads(lambda c: c.execute(statement).all())
        return tuple(_request(row) for row in rows)

    async def verdicts(self, request: str) -> tuple[Verdict, ...]:
        """Return what was decided on a request, oldest first."""
        statement = _VERDICT.where(verdicts.c.request == request).order_by(
            verdicts.c.at, verdicts.c.id
        )
        rows = await self._reads(lambda c: c.execute(statement).all())
        return tuple(_verdict(row) for row in rows)

    async def verdict(self, id_: str) -> Verdict | None:
        """Return what was decided, or None."""
        statement = _VERDICT.where(verdicts.c.id == id_)
        row = await self._reads(lambda c: c.execute(statement).first())
        return None if row is None else _verdict(row)

    async def take(self, id_: str, *, officer: str, until: datetime | None) -> None:
        """Take a request, or let it go; see the port."""
        unit = Take(id=id_, officer=officer, until=until, now=self._clock.now())
        await self._writer.commit(unit)

    async def look(self, id_: str, *, officer: str, purpose: str) -> None:
        """Write down who reads what is held, and what for."""
        unit = Look(id=id_, officer=officer, purpose=purpose, now=self._clock.now())
        await self._writer.commit(unit)

    async def decide(
        self, verdict: Verdict, answer: Admission | None, *, account: str = ""
    ) -> None:
        """Take a verdict; see the port."""
        now = self._clock.now()
        await self._writer.commit(Decide(verdict=verdict, answer=answer, account=account, now=now))

    def is_proposed(self, verdict: Verdict) -> bool:
        """Tell whether exactly this was proposed; see the port."""
        ended = self._ended.is_ended(Ends.RULING, verdict.id)
        return not ended and self._ended.is_proposed(_words(verdict))

    def is_proposed_by(self, id_: str, *, account: str) -> bool:
        """Tell whether this account proposed it; see the port."""
        return bool(account) and self._ended.is_proposed(_proposer(id_, account))

    async def second(
        self, id_: str, *, officer: str, answer: Admission | None, why: str = ""
    ) -> None:
        """Confirm a verdict, or not; see the port."""
        unit = Second(id=id_, officer=officer, answer=answer, why=why, now=self._clock.now())
        await self._writer.commit(unit)

    async def withdraw(
        self,
        id_: str,
        *,
        officer: str,
        why: str,
        message: Admission | None,
        late: bool = False,
    ) -> None:
        """Take a verdict back; see the port."""
        now = self._clock.now()
        unit = Withdraw(id=id_, officer=officer, why=why, message=message, late=late, now=now)
        await self._writer.commit(unit)

    async def watch(self, fractions: Sequence[float]) -> None:
        """Tell, once each, which requests have waited for these parts of their time."""
        now = self._clock.now()
        if await self._reads(lambda c: c.execute(REQUESTS.due(now)).first()) is not None:
            unit = Watch(kind=REQUESTS, fractions=tuple(sorted(fractions)), now=now)
            await self._writer.commit(unit)


def _waiting(after: RequestPlace | None) -> sa.Select[Any]:
    statement = _REQUEST.where(_OPEN).order_by(requests.c.deadline, requests.c.seq)
    if after is None:
        return statement
    # The first condition is for the index, the second for those with the same deadline.
    return statement.where(
        requests.c.deadline >= after.deadline,
        sa.or_(requests.c.deadline > after.deadline, requests.c.seq > after.seq),
    )


def _all(before: int | None) -> sa.Select[Any]:
    statement = _REQUEST.order_by(requests.c.seq.desc())
    return statement if before is None else statement.where(requests.c.seq < before)


def _request(row: sa.Row[Any]) -> Request:
    return Request(
        seq=row.seq,
        id=row.id,
        delivery=row.delivery,
        message=known(row),
        at=row.at,
        holder=Oin(row.holder),
        soort=row.soort,
        version=row.version,
        referentienummer=row.referentienummer,
        recipient=Oin(row.recipient),
        payload_sha256=row.payload_sha256,
        size=row.size,
        table_version=row.table_version,
        reasons=read_reasons(row.reasons),
        asker=row.asker,
        acuut=row.acuut,
        deadline=row.deadline,
        parket=row.parket,
        claimed_by=row.claimed_by,
        claimed_until=row.claimed_until,
        closed_at=row.closed_at,
        outcome=row.outcome,
        part_of=row.deel_van or "",
        replaces=row.vervangt or "",
        proposed_by=row.proposed_by or "",
    )


def _verdict(row: sa.Row[Any]) -> Verdict:
    """The holder's own answers say what became of it."""
    state = VerdictState(row.state)
    if state is VerdictState.GIVEN and row.said_then == _REFUSAL:
        state = VerdictState.NOT_ACCEPTED
    if state is VerdictState.WITHDRAWN and row.said_last == _REFUSAL:
        state = VerdictState.TOO_LATE
    return Verdict(
        id=row.id,
        request=row.request,
        at=row.at,
        outcome=Uitkomst(row.outcome),
        ground=row.ground,
        told=row.told,
        conditions=read_conditions(row.conditions),
        officer=row.officer,
        second=row.second,
        known=row.known,
        valid_until=row.valid_until,
        state=state,
        withdrawn_at=row.withdrawn_at,
    )
