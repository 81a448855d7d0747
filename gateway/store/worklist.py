"""What people do about messages that were refused with a Fo01: the port `Worklist`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.errors import NoRoute, PolicyViolation
from gateway.ports import AuditEvent, Clock
from gateway.ports.reading import Answered
from gateway.ports.worklist import Claim, Reason
from gateway.store.refusals import REPLACED, claim_of
from gateway.store.tables import messages, refusals
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

_NOTHING = {
    "taken_by": "",
    "taken_until": None,
    "closed_at": None,
    "closed_by": "",
    "ground": "",
    "why": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Unit: a person works on it until then."""

    message: str
    who: str
    until: datetime
    now: datetime

    def run(self, tx: Tx) -> None:
        """Take it over from whoever has it; raise as the port."""
        row = _open(tx, self.message)
        _write(tx, row, taken_by=self.who, taken_until=self.until)
        until = self.until.isoformat(timespec="seconds")
        tx.record(_told(row, "refusal.taken", self.now, self.who, until=until))


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo:
    """Unit: nobody works on it any more."""

    message: str
    who: str
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise as the port."""
        row = _open(tx, self.message)
        check_free(claim_of(row), self.who, self.now)
        _write(tx, row, taken_by="", taken_until=None)
        tx.record(_told(row, "refusal.let_go", self.now, self.who))


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Unit: nothing more is done about it."""

    message: str
    who: str
    reason: Reason
    why: str
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise as the port."""
        row = _open(tx, self.message)
        check_free(claim_of(row), self.who, self.now)
        said = {"ground": str(self.reason), "why": self.why}
        _write(tx, row, closed_at=self.now, closed_by=self.who, **said)
        facts = {"ground": str(self.reason), "reason": self.why}
        tx.record(_told(row, "refusal.closed", self.now, self.who, **facts))


def _open(tx: Tx, message: str) -> sa.Row[Any]:
    """Return message and row, locked; who comes at the same moment sees what this one did."""
    row = tx.read(
        sa.select(messages.c.id, messages.c.party, messages.c.answer, REPLACED, refusals)
        .outerjoin(refusals, refusals.c.message == messages.c.id)
        .where(messages.c.id == message)
        .with_for_update(of=messages)
    ).first()
    if row is None:
        raise NoRoute("bericht.onvindbaar", "Dit bericht is hier niet bekend.")
    if row.answer != Answered.REFUSED:
        raise PolicyViolation("geweigerd.niet", "Dit bericht is niet met een Fo01 geweigerd.")
    if row.closed_at is not None or row.replaced:
        raise PolicyViolation("geweigerd.klaar", "Dit is al afgesloten of vervangen.")
    return row


def check_free(claim: Claim | None, who: str, now: datetime) -> None:
    """Raise PolicyViolation `geweigerd.genomen` where another works on it."""
    if claim is not None and claim.who != who and claim.until > now:
        raise PolicyViolation(
            "geweigerd.genomen", "Een ander is hiermee bezig. Neem het eerst over."
        )


def _write(tx: Tx, row: sa.Row[Any], **values: object) -> None:
    if row.message is None:
        tx.write(sa.insert(refusals).values({"message": row.id, **_NOTHING, **values}))
    else:
        tx.write(sa.update(refusals).where(refusals.c.message == row.id).values(values))


def _told(row: sa.Row[Any], event: str, now: datetime, who: str, **facts: str) -> AuditEvent:
    return AuditEvent(
        event=event, at=now, message=row.id, party=row.party, actor=who, data={**facts}
    )


class SqlWorklist:
    """The port `Worklist`."""

    def __init__(self, *, writer: Writer, clock: Clock) -> None:
        """Take what it writes with."""
        self._writer = writer
        self._clock = clock

    async def take(self, message: str, *, who: str, until: datetime) -> None:
        """Work on it; see the port."""
        unit = Take(message=message, who=who, until=until, now=self._clock.now())
        await self._writer.commit(unit)

    async def let_go(self, message: str, *, who: str) -> None:
        """Leave it to others; see the port."""
        await self._writer.commit(LetGo(message=message, who=who, now=self._clock.now()))

    async def close(self, message: str, *, who: str, reason: Reason, why: str) -> None:
        """Do nothing more about it; see the port."""
        unit = Close(message=message, who=who, reason=reason, why=why, now=self._clock.now())
        await self._writer.commit(unit)
