"""What a receiver refused with a Fo01 goes again, under a new referentienummer (StUF, domain 1.8).

Nobody here reads or changes what it says: what had to be mended was with the receiver, or on the
way. It passes the whole gateway anew, as if its system had handed it in: schema, rules, the gate
of the OM, route. A message that must say something else is handed in by its system.
"""

from dataclasses import replace
from typing import Protocol
from uuid import UUID, uuid5

from gateway.directory import Backend, Directory
from gateway.errors import DuplicateConflict, GatewayError, NoRoute, PolicyViolation
from gateway.message import Aanlevering
from gateway.pipeline.house import House
from gateway.pipeline.receipt import Receipt
from gateway.ports import AuditEvent, Direction, Known
from gateway.ports.reading import Answered
from gateway.wire import stuf
from gateway.wire.stuf import ANSWERS

_NUMBERS = UUID("c6f3d1f4-6a0b-5d57-9d0c-0f6d8f3f5b1e")
"""A message has one next referentienummer: two people who click at once send it once."""


class HandsIn(Protocol):
    """Takes in a message of a back-end."""

    async def hand_in(self, octets: bytes, aanlevering: Aanlevering, backend: Backend) -> Receipt:
        """Raise Refused or Unavailable."""
        ...


class SendingAgain:
    """What an operator does about a refusal."""

    def __init__(self, house: House, handing_in: HandsIn) -> None:
        """Take the ports, and what takes it in."""
        self._house = house
        self._handing_in = handing_in

    async def send_again(self, id_: str, *, who: str, why: str) -> Receipt:
        """Hand the message in once more; `who` and `why` are written down before it is tried.

        Raises NoRoute `bericht.onvindbaar`; PolicyViolation `opnieuw.*` for one that was not
        refused, that another stands in for, that has no system or no content any more; what
        `hand_in` raises; Unavailable.
        """
        view = await self._house.reader.message(id_)
        if view is None:
            raise NoRoute("bericht.onvindbaar", "Er is geen bericht met dit id.")
        known, directory = view.message, self._house.snapshots.current()
        _check_refused(known)
        backend = _system(directory, known)
        await self._check_last(known)
        octets, said = await self._content(known)
        number = str(uuid5(_NUMBERS, known.id))
        at = self._house.clock.now()
        fresh = await self._house.think(
            len(octets),
            lambda: stuf.renumbered(octets, number, at),
        )
        await self._note(known, who=who, why=why, number=number)
        said = replace(said, vervangt=known.referentienummer)
        try:
            return await self._handing_in.hand_in(fresh, said, backend)
        except DuplicateConflict as error:
            raise _replaced() from error

    async def _check_last(self, known: Known) -> None:
        if await self._house.inbox.replacement(known) is not None:
            raise _replaced()

    async def _content(self, known: Known) -> tuple[bytes, Aanlevering]:
        """What was said at the hand-in counts as far as it is proven."""
        try:
            octets, proven = await self._house.payloads.opened(
                known.payload_id or "", known.aanlevering.label()
            )
        except GatewayError as error:
            if error.code != "payload.destroyed":
                raise
            raise PolicyViolation(
                "opnieuw.vernietigd",
                "De inhoud is na haar bewaartermijn vernietigd: het systeem levert opnieuw aan.",
            ) from error
        return octets, known.aanlevering if proven else Aanlevering()

    async def _note(self, known: Known, *, who: str, why: str, number: str) -> None:
        await self._house.inbox.note(
            AuditEvent(
                event="message.sent_again",
                at=self._house.clock.now(),
                message=known.id,
                party=known.party,
                actor=who,
                data={"reason": why, "referentienummer": number},
            )
        )


def _check_refused(known: Known) -> None:
    own = known.direction is Direction.OUTBOUND and known.kind not in ANSWERS
    if not own or known.answer != Answered.REFUSED:
        raise PolicyViolation(
            "opnieuw.niet_geweigerd",
            "Alleen een bericht van een eigen systeem dat met een Fo01 geweigerd is gaat opnieuw.",
        )


def _system(directory: Directory, known: Known) -> Backend:
    """Return the back-end that speaks for the sender now."""
    for backend in directory.backends:
        if backend.party == known.party and known.zender_applicatie in backend.applicaties:
            return backend
    raise PolicyViolation(
        "opnieuw.systeem", "Geen systeem levert hier nog aan voor de applicatie van dit bericht."
    )


def _replaced() -> PolicyViolation:
    return PolicyViolation("opnieuw.vervangen", "Een ander bericht staat al in de plaats van dit.")
