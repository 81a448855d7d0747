"""What the OM confirmed of the gate, as it was taken in: never an older word after a newer one.

The audit rows are the mark: whoever takes one away breaks the chain. They go by a subject of
their own, so that they are found without a look at every row.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from gateway.directory import Confirmation
from gateway.errors import Misconfigured
from gateway.message import Oin
from gateway.ports import FRAMEWORK, TOOK_BACK, AuditEvent, Clock, Revoked
from gateway.store.epoch import TOPIC
from gateway.store.reading import Reads
from gateway.store.tables import audit
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

TAKEN = "gate.confirmed"
PLACED = "gate.placed"
SIGNED = "gate.signed"
_ROWS = sa.select(audit.c.data).where(audit.c.message == FRAMEWORK, audit.c.event == TAKEN)


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """The newest confirmation that ever counted here."""

    taken_at: datetime
    sha256: str


def newest(connection: sa.Connection) -> Mark | None:
    """Return the mark; None when none was ever taken in."""
    return max(_marks(connection), default=None)


def _marks(connection: sa.Connection) -> Iterator[Mark]:
    for row in connection.execute(_ROWS):
        data = json.loads(row.data)
        yield Mark(datetime.fromisoformat(data["takenAt"]), data["sha256"])


def check_newer(mark: Mark | None, confirmation: Confirmation) -> bool:
    """Tell whether it is new; raise Misconfigured `gate.confirmation.older` for an older one.

    Of one moment there is one.
    """
    if mark is None or confirmation.taken_at > mark.taken_at:
        return True
    if confirmation.sha256 == mark.sha256:
        return False
    raise Misconfigured(
        "gate.confirmation.older",
        "Er gold hier al een bevestiging van later; een eerdere komt niet terug.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeIn:
    """Unit: let a confirmation count."""

    confirmation: Confirmation
    at: datetime

    def run(self, tx: Tx) -> None:
        """Write it down once; raise Misconfigured `gate.confirmation.older`."""
        tx.flush()
        one = self.confirmation
        if not check_newer(newest(tx.connection), one):
            return
        data: dict[str, str | int] = {
            "id": one.id,
            "sha256": one.sha256,
            "takenAt": one.taken_at.astimezone(UTC).isoformat(),
            "validUntil": one.valid_until.astimezone(UTC).isoformat(),
            "table": one.table_version,
            "officer": one.officer,
        }
        tx.record(
            AuditEvent(event=TAKEN, at=self.at, message=FRAMEWORK, party=one.police, data=data)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Unit: write down who signed a confirmation or put it in place, and have all look."""

    event: str
    sha256: str
    who: str
    why: str
    at: datetime

    def run(self, tx: Tx) -> None:
        """Ring with the commit: whoever hears it finds the row."""
        data: dict[str, str | int] = {"sha256": self.sha256, "reason": self.why}
        tx.record(
            AuditEvent(event=self.event, at=self.at, message=FRAMEWORK, actor=self.who, data=data)
        )
        tx.ring(TOPIC)


def all_revoked(connection: sa.Connection) -> tuple[Revoked, ...]:
    """Return what officers took back here, newest first."""
    rows = connection.execute(
        sa.select(audit.c.at, audit.c.party, audit.c.actor, audit.c.data)
        .where(audit.c.message == FRAMEWORK, audit.c.event == TOOK_BACK)
        .order_by(audit.c.seq.desc())
    )
    return tuple(
        Revoked(
            police=row.party,
            approval=data["approval"],
            at=row.at,
            officer=row.actor,
            reason=data["reason"],
        )
        for row in rows
        for data in (json.loads(row.data),)
    )


class SqlConfirmations:
    """The port `Confirmations`, and what a process asks when it reads its files."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock) -> None:
        """Take what it works with."""
        self._writer = writer
        self._reads = reads
        self._clock = clock

    async def take_in(self, confirmation: Confirmation) -> None:
        """Let it count from now on; raises as `TakeIn`, and StoreUnavailable."""
        await self._writer.commit(TakeIn(confirmation=confirmation, at=self._clock.now()))

    async def counted_for(self, police: Oin) -> bool:
        """Tell whether one ever counted here for this police; raises StoreUnavailable."""
        found = _ROWS.where(audit.c.party == police).limit(1)
        return await self._reads(lambda c: c.execute(found).first()) is not None

    async def newest(self) -> Mark | None:
        """Return the mark; raises StoreUnavailable."""
        return await self._reads(newest)

    async def revoked(self) -> Sequence[Revoked]:
        """Return what officers took back here, newest first."""
        return await self._reads(all_revoked)

    async def placed(self, sha256: str, *, who: str, why: str) -> None:
        """Write it down and wake every process; raises StoreUnavailable."""
        await self._tell(PLACED, sha256, who, why)

    async def signed(self, sha256: str, *, who: str, why: str) -> None:
        """Write down that it was signed here; raises StoreUnavailable."""
        await self._tell(SIGNED, sha256, who, why)

    async def _tell(self, event: str, sha256: str, who: str, why: str) -> None:
        at = self._clock.now()
        await self._writer.commit(Told(event=event, sha256=sha256, who=who, why=why, at=at))
