"""A person holds what is sent to a partner, and lets it go on: the port `Pauses`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from gateway.errors import PolicyViolation
from gateway.message import Oin
from gateway.ports import AuditEvent, Clock, DeliveryKind, Pause
from gateway.store.bell import WORK
from gateway.store.reading import Reads
from gateway.store.tables import lanes, pauses
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

GOES_ON = sa.or_(
    lanes.c.kind == str(DeliveryKind.SIGNAL),
    lanes.c.recipient.not_in(sa.select(pauses.c.recipient)),
)
"""A lane from which may be claimed. What we received is acknowledged all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Unit: nothing more is claimed for a partner; what is under way goes on."""

    pause: Pause

    def run(self, tx: Tx) -> None:
        """Raise PolicyViolation `partner.stil` when it is so already."""
        pause = self.pause
        if tx.read(_of(pause.recipient)).first() is not None:
            raise PolicyViolation("partner.stil", "De verzending naar deze partij staat al stil.")
        row = {"recipient": pause.recipient, "at": pause.at, "who": pause.who, "why": pause.why}
        tx.write(sa.insert(pauses).values(**row))
        tx.record(_told("partner.paused", pause.recipient, pause.at, pause.who, pause.why))


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOn:
    """Unit: what waits for a partner is claimed again."""

    recipient: Oin
    who: str
    why: str
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise PolicyViolation `partner.gaat` when it is not held."""
        done = tx.write(sa.delete(pauses).where(pauses.c.recipient == self.recipient))
        if done != 1:
            raise PolicyViolation("partner.gaat", "De verzending naar deze partij staat niet stil.")
        tx.record(_told("partner.resumed", self.recipient, self.now, self.who, self.why))
        tx.ring(WORK)


def _of(recipient: Oin) -> sa.Select[tuple[str]]:
    return sa.select(pauses.c.recipient).where(pauses.c.recipient == recipient).with_for_update()


def _told(event: str, recipient: Oin, at: datetime, who: str, why: str) -> AuditEvent:
    return AuditEvent(event=event, at=at, party=recipient, actor=who, data={"reason": why})


def all_pauses(connection: sa.Connection) -> tuple[Pause, ...]:
    """Return what is held now, the longest first."""
    rows = connection.execute(sa.select(pauses).order_by(pauses.c.at, pauses.c.recipient))
    return tuple(
        Pause(recipient=Oin(row.recipient), at=row.at, who=row.who, why=row.why) for row in rows
    )


class SqlPauses:
    """The port `Pauses`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock) -> None:
        """Take what it writes and reads with."""
        self._writer = writer
        self._reads = reads
        self._clock = clock

    async def hold(self, recipient: Oin, *, who: str, why: str) -> None:
        """Send nothing more to it; see the port."""
        pause = Pause(recipient=recipient, at=self._clock.now(), who=who, why=why)
        await self._writer.commit(Hold(pause=pause))

    async def go_on(self, recipient: Oin, *, who: str, why: str) -> None:
        """Send again; see the port."""
        unit = GoOn(recipient=recipient, who=who, why=why, now=self._clock.now())
        await self._writer.commit(unit)

    async def held(self) -> Sequence[Pause]:
        """Return what is held now, the longest first."""
        return await self._reads(all_pauses)
