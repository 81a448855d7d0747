"""What a person does about a mail in the quarantine. Who reads one is written down first."""

from collections.abc import Sequence
from datetime import timedelta

from gateway.catalogue import Role
from gateway.errors import GatewayError, NoRoute, PolicyViolation
from gateway.pipeline.house import House
from gateway.ports import AuditEvent
from gateway.ports.incoming import Ground, Item

KEPT = timedelta(hours=24)
"""After it was closed, where no mailbox is set any more."""


class Quarantined:
    """The quarantine, as the console has it."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house

    @property
    def readable(self) -> bool:
        """Whether people here may read: those of a knooppunt never see content (domain 9.1)."""
        directory = self._house.snapshots.current()
        return directory.parties[directory.me].role is not Role.KNOOPPUNT

    async def items(
        self, *, below: int | None = None, limit: int, open_only: bool
    ) -> Sequence[Item]:
        """Return the newest, without content."""
        return await self._house.quarantine.items(below=below, limit=limit, open_only=open_only)

    async def item(self, id_: str) -> Item:
        """Return one; raises NoRoute `quarantaine.onvindbaar`."""
        found = await self._house.quarantine.item(id_)
        if found is None:
            raise NoRoute("quarantaine.onvindbaar", "Deze e-mail staat niet in de quarantaine.")
        return found

    async def read(self, id_: str, *, who: str, purpose: str) -> bytes:
        """Return what is kept of it; that it was read, and what for, is committed first.

        Raises as `item`; PolicyViolation `quarantaine.knooppunt`; GatewayError
        `payload.destroyed` when its time is over.
        """
        if not self.readable:
            raise PolicyViolation(
                "quarantaine.knooppunt", "Medewerkers van een knooppunt lezen geen inhoud."
            )
        event = AuditEvent(
            event="incoming.read",
            at=self._house.clock.now(),
            message=id_,
            actor=who,
            data={"purpose": purpose},
        )
        item = await self._house.quarantine.read(id_, event)
        if item.destroyed:
            raise GatewayError("payload.destroyed", "the mail was destroyed")
        return await self._house.payloads.get(item.payload_id)

    async def take(self, id_: str, *, who: str) -> None:
        """Let everybody see who looks at it."""
        await self._house.quarantine.take(id_, who=who)

    async def let_go(self, id_: str, *, who: str) -> None:
        """Let everybody see that nobody does."""
        await self._house.quarantine.let_go(id_, who=who)

    async def close(self, id_: str, *, who: str, ground: Ground, why: str) -> None:
        """Do nothing more about it; its content goes soon."""
        box = self._house.snapshots.current().mailbox
        until = self._house.clock.now() + (KEPT if box is None else box.closed)
        await self._house.quarantine.close(id_, who=who, ground=ground, why=why, until=until)
