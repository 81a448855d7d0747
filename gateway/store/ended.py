"""What was withdrawn, accepted or proposed is marked outside the database, before the commit of it.

A commit that fails leaves a mark behind: what was withdrawn is held then, and the OM asked again;
what was accepted was so indeed; what was proposed waits in no row.
"""

from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa

from gateway.errors import StoreUnavailable
from gateway.ports import Alarm, Alarms, Clock, Ends
from gateway.store.reading import Reads
from gateway.store.tables import passes, revocations, rulings, token_ends

TAKEN_BACK = "toets.ingetrokken"
DECLINED = "toets.niet_aanvaard"
LOOK_EVERY = timedelta(hours=1)
"""Between two looks for marks that are gone."""


class IsEnded(Protocol):
    """Who reads marks."""

    def is_ended(self, what: Ends, id_: str) -> bool:
        """Tell whether it was marked; raises StoreUnavailable."""
        ...


class Ended(IsEnded, Protocol):
    """Marks that nobody takes away."""

    def propose(self, words: str) -> None:
        """Mark that exactly this was put to a second officer; twice is once."""
        ...

    def is_proposed(self, words: str) -> bool:
        """Tell whether it was marked; raises StoreUnavailable."""
        ...

    def end(self, what: Ends, id_: str) -> None:
        """Mark it, at once for this process; twice is once."""
        ...

    def accept(self, besluit: str) -> None:
        """Mark that the receiver accepted the conditions of a decision; twice is once."""
        ...

    def is_accepted(self, besluit: str) -> bool:
        """Tell whether it was marked; raises StoreUnavailable."""
        ...

    def use(self, use: str, envelope: str) -> bool:
        """Mark what is sent under a decision; False when other octets were.

        Raises StoreUnavailable.
        """
        ...

    def settle(self) -> int:
        """Write what could not be written when it was marked; return how many still can not."""
        ...


class Unmarked:
    """No place for marks: nothing can be withdrawn."""

    def end(self, what: Ends, id_: str) -> None:
        """Raise StoreUnavailable."""
        del what, id_
        raise StoreUnavailable("store.disk", "there is no place for what is withdrawn")

    def is_ended(self, what: Ends, id_: str) -> bool:
        """Nothing was."""
        del what, id_
        return False

    def accept(self, besluit: str) -> None:
        """Raise StoreUnavailable."""
        del besluit
        raise StoreUnavailable("store.disk", "there is no place for what is accepted")

    def is_accepted(self, besluit: str) -> bool:
        """Nothing was."""
        del besluit
        return False

    def propose(self, words: str) -> None:
        """Raise StoreUnavailable."""
        del words
        raise StoreUnavailable("store.disk", "there is no place for what is proposed")

    def is_proposed(self, words: str) -> bool:
        """Nothing was."""
        del words
        return False

    def use(self, use: str, envelope: str) -> bool:
        """Raise StoreUnavailable."""
        del use, envelope
        raise StoreUnavailable("store.disk", "there is no place for what is sent")

    def settle(self) -> int:
        """There is nothing to write."""
        return 0


class KeepEnded:
    """Sees to it that the marks stand that must, and raises an alarm where they did not."""

    def __init__(self, *, reads: Reads, ended: Ended, alarms: Alarms, clock: Clock) -> None:
        """Take what it reads, marks and warns with."""
        self._reads = reads
        self._ended = ended
        self._alarms = alarms
        self._clock = clock
        self._owed = True
        """Perhaps: a process before this one may have said so."""
        self._looked_at: datetime | None = None

    async def run(self) -> None:
        """Write what this process owes; an alarm as long as it can not. Raises Unavailable."""
        owed = self._ended.settle()
        if owed:
            alarm = Alarm(code="gate.marks_owed", subject="", reason=str(owed))
            await self._alarms.change(raised=(alarm,))
        elif self._owed:
            await self._alarms.change(gone=(("gate.marks_owed", ""),))
        self._owed = bool(owed)

    async def look(self) -> None:
        """Put back, now and then, what rows say and no mark does; an alarm per day of it.

        Also what ended before there were marks. Raises Unavailable.
        """
        now = self._clock.now()
        if self._looked_at is not None and abs(now - self._looked_at) < LOOK_EVERY:
            return
        lost = await self._reads(lambda c: unmarked(c, self._ended, now))
        for what, id_ in lost:
            self._ended.end(what, id_)
        if lost:
            alarm = Alarm(code="gate.marks_lost", subject=f"{now:%Y-%m-%d}", reason=str(len(lost)))
            await self._alarms.change(raised=(alarm,))
        self._looked_at = now


def unmarked(connection: sa.Connection, ended: IsEnded, now: datetime) -> list[tuple[Ends, str]]:
    """Return what the rows say that ended, without a mark of it; raises StoreUnavailable."""
    return [one for one in _in_rows(connection, now) if not ended.is_ended(*one)]


def _in_rows(connection: sa.Connection, now: datetime) -> list[tuple[Ends, str]]:
    """A decision that is not valid any more needs no mark."""
    signed = sa.func.coalesce(rulings.c.seen, rulings.c.id)
    decided = (
        sa.select(signed).where(
            rulings.c.ended_why.in_((TAKEN_BACK, DECLINED)), rulings.c.valid_until > now
        ),
        sa.select(passes.c.id).where(passes.c.ended_why == TAKEN_BACK, passes.c.valid_until > now),
    )
    found = [(Ends.RULING, id_) for query in decided for id_ in connection.execute(query).scalars()]
    revoked = connection.execute(sa.select(revocations.c.approval)).scalars()
    tokens = connection.execute(sa.select(token_ends.c.sha256)).scalars()
    found += [(Ends.APPROVAL, id_) for id_ in revoked]
    return [*found, *((Ends.BEARER, sha256) for sha256 in tokens)]
