"""What was withdrawn or accepted is marked outside the database, before the commit of it.

A commit that fails leaves a mark behind: what was withdrawn is held then, and the OM asked again;
what was accepted was so indeed.
"""

from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from gateway.errors import StoreUnavailable
from gateway.ports import Clock, Ends
from gateway.store.reading import Reads
from gateway.store.tables import passes, revocations, rulings

TAKEN_BACK = "toets.ingetrokken"
DECLINED = "toets.niet_aanvaard"


class Ended(Protocol):
    """Marks that nobody takes away."""

    def end(self, what: Ends, id_: str) -> None:
        """Mark it, at once for this process; twice is once."""
        ...

    def is_ended(self, what: Ends, id_: str) -> bool:
        """Tell whether it was marked; raises StoreUnavailable."""
        ...

    def accept(self, besluit: str) -> None:
        """Mark that the receiver accepted the conditions of a decision; twice is once."""
        ...

    def is_accepted(self, besluit: str) -> bool:
        """Tell whether it was marked; raises StoreUnavailable."""
        ...

    def settle(self) -> None:
        """Write what could not be written when it was marked."""
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

    def settle(self) -> None:
        """There is nothing to write."""


class KeepEnded:
    """Marks once per process what rows say, for what ended before there were marks."""

    def __init__(self, *, reads: Reads, ended: Ended, clock: Clock) -> None:
        """Take what it reads and marks with."""
        self._reads = reads
        self._ended = ended
        self._clock = clock
        self._looked = False

    async def run(self) -> None:
        """Write what is owed; the first time also what is in the rows."""
        self._ended.settle()
        if self._looked:
            return
        now = self._clock.now()
        for what, id_ in await self._reads(lambda c: _in_rows(c, now)):
            self._ended.end(what, id_)
        self._looked = True


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
    return [*found, *((Ends.APPROVAL, id_) for id_ in revoked)]
