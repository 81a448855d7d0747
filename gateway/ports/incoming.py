"""Mail that comes in: what is known of it, and the quarantine of what no system takes in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.ports.stored import AuditEvent, StoredPayload

QUARANTINE = "quarantaine"
"""Subject of the alarms: one for all that waits."""
FULL = "incoming.full"
SUSPENDED = "incoming.suspended"
NO_ROOM = "quarantine.full"
"""The alarm that goes with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One mail as the organisation's mail server gave it. Nothing of it is proved."""

    octets: bytes
    """The whole message (RFC 5322), at most as large as may come in."""
    sender: str
    """Envelope sender: what somebody said; empty for notifications."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A mail that a person must look at."""

    code: str
    """Dotted, why."""
    party: str = ""
    """OIN of the partner whose address it says it is from; empty = of nobody known."""
    proven: bool = False
    """That partner signed it."""
    content: bytes | None = None
    """The entity that was signed, in place of the envelope around it; None = the mail itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """A row of the quarantine to be."""

    id: str
    at: datetime
    held: Held
    digest: str
    """Hex; the same for the same mail, however often it comes."""
    payload: StoredPayload
    until: datetime
    """It is destroyed then, whatever became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the quarantine may hold; more waits at the mail server.

    What nobody proved takes half of it at most.
    """

    items: int
    octets: int


class Ground(StrEnum):
    """Why nothing more is done about a mail here."""

    DONE = "afgehandeld"
    """A person did what it asked."""
    PASSED_ON = "doorgegeven"
    """It was for somebody else, who has it."""
    AGAIN = "opnieuw_gevraagd"
    """The sender sends it again, in the right way."""
    RUBBISH = "ongewenst"
    """It is nothing for anybody here."""


EXPIRED = "verlopen"
"""The ground of the housekeeping: its time was over before somebody closed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A mail in the quarantine, without what it says."""

    seq: int
    id: str
    at: datetime
    code: str
    party: str
    proven: bool
    size: int
    """Octets of what is kept."""
    payload_id: str
    until: datetime
    taken_by: str
    """Who looks at it; empty = nobody said so."""
    closed_at: datetime | None
    closed_by: str
    ground: str
    """A `Ground`, `EXPIRED`, or empty."""
    why: str
    destroyed: bool


class Quarantine(Protocol):
    """Each method that changes something is one commit, with its audit rows.

    Those about one item raise NoRoute `quarantaine.onvindbaar`, PolicyViolation
    `quarantaine.gesloten`, and `quarantaine.genomen` where another has it.
    """

    async def hold(self, item: NewItem, bounds: Bounds, event: AuditEvent) -> bool:
        """Keep it and raise the alarm; False, and nothing kept, when it was here before.

        Raises Unavailable `incoming.full`.
        """
        ...

    async def items(
        self, *, below: int | None = None, limit: int, open_only: bool
    ) -> Sequence[Item]:
        """Return the newest; those with a lower `seq` than `below`."""
        ...

    async def item(self, id_: str) -> Item | None: ...

    async def read(self, id_: str, event: AuditEvent) -> Item:
        """Write down that somebody reads it, also when it was closed; return what is kept."""
        ...

    async def take(self, id_: str, *, who: str) -> None:
        """Let everybody see who looks at it, from another too."""
        ...

    async def let_go(self, id_: str, *, who: str) -> None:
        """Let everybody see that nobody does."""
        ...

    async def close(self, id_: str, *, who: str, ground: Ground, why: str, until: datetime) -> None:
        """Do nothing more about it; what it said is destroyed at `until` or before."""
        ...
