"""Messages at the portal, for persons of the partner that they are for.

The gate is proved anew whenever something is shown: between the mail that says that a message
waits and the person who reads it can be days, in which the OM may have taken back what it stands
on. What is not proved is not there; nobody is told that it was.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from gateway.directory import Directory
from gateway.errors import GatewayError, NoRoute, Unavailable
from gateway.message import Oin
from gateway.pipeline.house import House
from gateway.pipeline.mail_words import title_of
from gateway.pipeline.mailing import LETTER_USE
from gateway.pipeline.proving import Proving, Towards
from gateway.pipeline.released import still_released
from gateway.pipeline.showing import LOOKS
from gateway.pipeline.switching import ground_of
from gateway.ports import AuditEvent
from gateway.ports.pickup import Ready
from gateway.rules import approval
from gateway.wire.mail_outside import Outside

MOST = 50
"""Messages in a list; of those that wait, the others come when some of these are confirmed."""


class How(StrEnum):
    """In what way somebody gets to see a message; the name of its audit row."""

    READ = "portal.read"
    DOWNLOADED = "portal.downloaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message at the portal, as a list shows it."""

    ready: Ready
    title: str
    reference: str
    """Stands in the subject of the mail that said that it waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A message at the portal, for who reads it."""

    waiting: Waiting
    octets: bytes
    ground: str
    """Of onverwijlde spoed, as it was given; empty = no other way was agreed on."""
    conditions: Sequence[str]
    """Of the OM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proved:
    ready: Ready
    octets: bytes
    released: approval.Released
    ground: str
    """Of onverwijlde spoed."""


class PickingUp:
    """The portal, without its pages."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house
        self._proving = Proving(house)

    async def waiting(self, party: Oin) -> tuple[Waiting, ...]:
        """Return what is there for this party, as the port `Pickup` says; raises Unavailable."""
        directory = self._house.snapshots.current()
        if _is_shut(directory, party):
            return ()
        found = await self._house.pickup.ready(party, limit=MOST)
        proved = [await self._proved(directory, ready) for ready in found]
        return tuple(_waiting(directory, one.ready) for one in proved if one is not None)

    async def open(self, delivery: str, party: Oin, *, who: str, how: How) -> Opened:
        """Return one message; that this person gets it is written down first.

        Raises NoRoute `portal.unknown` alike for what is not there, is of another party, or may
        not be shown now; Unavailable.
        """
        at = self._house.clock.now()

        async def show(directory: Directory, ready: Ready) -> bool:
            event = AuditEvent(
                event=str(how),
                at=at,
                message=ready.message.id,
                delivery=ready.delivery,
                party=party,
                actor=who,
            )
            return await self._house.pickup.show(ready, event, directory.gate.in_force(at))

        directory, proved = await self._with(delivery, party, show)
        ready = proved.ready
        return Opened(
            waiting=_waiting(directory, ready),
            octets=proved.octets,
            ground=proved.ground,
            conditions=[one.text for one in proved.released.conditions],
        )

    async def confirm(self, delivery: str, party: Oin, *, who: str) -> None:
        """Close it as received, as this person says; again changes nothing. Raises as `open`."""

        async def close(_directory: Directory, ready: Ready) -> bool:
            return await self._house.pickup.confirm(ready, who=who)

        await self._with(delivery, party, close)

    async def _with(
        self, delivery: str, party: Oin, write: Callable[[Directory, Ready], Awaitable[bool]]
    ) -> tuple[Directory, _Proved]:
        """Prove it, and write; anew where it moved in between."""
        for _ in range(LOOKS):
            directory = self._house.snapshots.current()
            there = not _is_shut(directory, party)
            ready = await self._house.pickup.find(delivery, party=party) if there else None
            proved = await self._proved(directory, ready) if ready is not None else None
            if proved is None:
                break
            if await write(directory, proved.ready):
                return directory, proved
        raise NoRoute("portal.unknown", "Dit bericht staat hier niet (meer).")

    async def _proved(self, directory: Directory, ready: Ready) -> _Proved | None:
        """Return it with its octets, if row, octets and decision say that it may be shown now."""
        released = still_released(directory, ready, self._house.clock.now())
        if isinstance(released, approval.Hold):
            return None
        try:
            to = Towards(party=ready.recipient, straight=True)
            proven = await self._proving.look(directory, ready, to)
            letter = sha256(ready.delivery.encode()).hexdigest()
            found = await self._house.reader.message(ready.message.id)
            ground = ground_of(() if found is None else found.trace, ready.delivery)
            used = not proven.use or await self._house.holds.use(proven.use + LETTER_USE, letter)
        except Unavailable:
            raise
        except GatewayError:
            return None  # octets that are gone or broken, or a letter that nobody made one
        if proven.fault is not None or not used:
            return None
        return _Proved(ready=ready, octets=proven.octets, released=released, ground=ground)


def _is_shut(directory: Directory, party: Oin) -> bool:
    known = directory.party(party)
    return known is None or known.mail is None or party in directory.suspended


def _waiting(directory: Directory, ready: Ready) -> Waiting:
    own, party = directory.mail, directory.party(ready.recipient)
    outside = Outside(
        sender=own.address if own is not None else "",
        recipient=party.mail.address if party is not None and party.mail is not None else "",
        ebms_message_id=ready.message.message_id,
    )
    return Waiting(ready=ready, title=title_of(ready.message.kind), reference=outside.reference)
