"""What a person must know or decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports.stored import Admission, Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that a person must know of; one is open per code and subject."""

    code: str
    subject: str
    """What it is about: id of a delivery, OIN of a party; empty = the installation."""
    message: str = ""
    party: str = ""
    reason: str = ""
    """Dotted code of what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmView:
    """An alarm on file. Open while `cleared_at` is None."""

    id: int
    code: str
    subject: str
    message: str
    party: str
    reason: str
    times: int
    """How often this code was raised for this subject, this time included."""
    raised_at: datetime
    cleared_at: datetime | None
    cleared_by: str
    cleared_why: str
    taken_by: str = ""
    """Who looks at it; empty = nobody said so."""
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmBounds:
    """From when on time alone raises an alarm."""

    unconfirmed_part: float = 0.5
    """Part of its lifetime after which a delivery without acknowledgement is one."""
    partner_down: timedelta = timedelta(minutes=15)
    answer: timedelta = timedelta(hours=48)
    """Wait for a Bv01 or Fo01."""
    postvak: timedelta = timedelta(hours=24)


class Shelving(Protocol):
    async def changed(self, pack: str, *, who: str, why: str) -> None:
        """Write down what was done with a schema pack, and have every process read its files again.

        Raises StoreUnavailable.
        """
        ...


FRAMEWORK = "toetsingskader"
"""Stands in audit rows about what the gate goes by, where others have the id of a message."""
TOOK_BACK = "toets.took_back"
"""The event of an officer who took a standing approval back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """A standing approval that an officer took back here, in whichever way: for good, by its id."""

    police: str
    approval: str
    at: datetime
    officer: str
    """Name and function."""
    reason: str


class Confirmations(Protocol):
    async def revoked(self) -> Sequence[Revoked]:
        """Return what officers took back here, newest first."""
        ...

    async def placed(self, sha256: str, *, who: str, why: str) -> None:
        """Write down that a confirmation of the gate was put in place, and have it read.

        `sha256` is that of the file, hex. Raises StoreUnavailable.
        """
        ...

    async def signed(self, sha256: str, *, who: str, why: str) -> None:
        """Write down that a confirmation was signed here, for a police; raises as `placed`."""
        ...


class Alarms(Protocol):
    async def change(
        self, *, raised: Sequence[Alarm] = (), gone: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Open alarms, and close those with these codes and subjects, in one commit."""
        ...

    async def watch(self, bounds: AlarmBounds, *, also: Sequence[Alarm] = ()) -> None:
        """Open what time brought about, and close what is over.

        `also` is what was seen outside the store now, of codes that are watched.
        """
        ...

    async def dismiss(self, id_: int, *, who: str, why: str) -> AlarmView:
        """Close an alarm by a person; raise NoRoute `alarm.unknown` when it is not open."""
        ...

    async def take(self, id_: int, *, who: str, why: str) -> AlarmView:
        """Let everybody see who looks at it, from another too; raise NoRoute `alarm.unknown`.

        It stays open, and keeps its code, its times and its moment.
        """
        ...

    async def let_go(self, id_: int, *, who: str, why: str) -> AlarmView:
        """Let everybody see that nobody looks at it any more; raises as `take`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A delivery that ended without arriving, and whose sender was not told yet."""

    delivery: str
    at: datetime
    message: Known


class Undeliverable(Protocol):
    async def owed(self, *, after: Owed | None = None, limit: int) -> tuple[Owed, ...]:
        """Return open debts, oldest first; those behind `after`."""
        ...

    async def tell(self, delivery: str, answer: Admission) -> bool:
        """Admit the Fo01 and close the debt in one commit; False when it was closed before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Where a delivery stands after a decision."""

    delivery: str
    message: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A partner to whom no message is sent for now."""

    recipient: Oin
    at: datetime
    who: str
    why: str


class Pauses(Protocol):
    """What a person holds per partner. Terms, lifetimes and alarms go on meanwhile."""

    async def hold(self, recipient: Oin, *, who: str, why: str) -> None:
        """Send no further message to it, from the commit on, by any process.

        What is being sent this moment goes on, and so do Acknowledgments and MessageErrors.
        Raises PolicyViolation `partner.stil` when it is held already.
        """
        ...

    async def go_on(self, recipient: Oin, *, who: str, why: str) -> None:
        """Send what waits; raises PolicyViolation `partner.gaat` when it is not held."""
        ...

    async def held(self) -> Sequence[Pause]:
        """Return what is held now, the longest first."""
        ...


class Decisions(Protocol):
    """`id_` is that of a delivery or of its message.

    Raises NoRoute `bericht.onvindbaar`, PolicyViolation `decision.state`,
    `decision.expired`.
    """

    async def resume(self, id_: str, *, who: str, why: str) -> Decided:
        """Send again what may have arrived; the tries of the agreement begin anew."""
        ...

    async def stop(self, id_: str, *, who: str, why: str) -> Decided:
        """Give it up; a partner that sent it will get a Fo01."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A certificate or revocation list that was put in place."""

    use: str
    """What for: `tls`, `api`, `ondertekening`, `versleuteling`, `anchor`, `intermediate`, `crl`."""
    sha256: str
    """Of its DER, hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """An agreement that was put in place."""

    cpa_id: str
    sha256: str
    """Of the file, hex."""


class Renewals(Protocol):
    async def imported(self, renewal: Renewal, *, who: str, why: str) -> None:
        """Write it down, and have every process read its files again; raises StoreUnavailable."""
        ...

    async def agreed(self, agreed: Agreed, *, who: str, why: str) -> None:
        """Do the same for an agreement."""
        ...
