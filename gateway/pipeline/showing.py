"""What lies in a postvak is shown by its octets, not by its row (domain 9.1).

A row can be changed by whoever administers the database. Where a gate stands here for the sender,
nothing of a message is shown before its octets, and the signed decision on them, say the same.
"""

from datetime import timedelta

from gateway.catalogue import Role
from gateway.config import GateMode
from gateway.directory import Backend, Directory
from gateway.errors import GatewayError, NoRoute, Unavailable
from gateway.message import Oin
from gateway.pipeline.house import House
from gateway.pipeline.proving import Proving, Towards
from gateway.ports import Alarm, AuditEvent, PostvakItem
from gateway.ports.postvak import UNPROVEN, Looked

LOOKS = 3
"""Times that others may take what was found, or that nothing of it may be proven."""


class Showing:
    """Looks at a postvak for a back-end."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house
        self._proving = Proving(house)

    async def collect(
        self,
        backend: Backend,
        applicaties: tuple[str, ...],
        *,
        limit: int,
        lease: timedelta,
        kind: str | None = None,
        only: str | None = None,
    ) -> tuple[PostvakItem, ...]:
        """Lease what waits, oldest first; what is not proven is passed over, with an alarm.

        It is proven before it is leased: what the audit log says was shown, was.
        """
        postvak, party = self._house.postvak, backend.party
        for _ in range(LOOKS):
            directory = self._house.snapshots.current()
            found = await postvak.waiting(
                party=party, applicaties=applicaties, limit=limit, kind=kind, only=only
            )
            if not found:
                break
            taken = await postvak.take(
                gate=directory.gate.in_force(self._house.clock.now()),
                party=party,
                applicaties=applicaties,
                consumer=backend.name,
                limit=limit,
                lease=lease,
                kind=kind,
                only=only,
                looked=[await self._looked(directory, item, party) for item in found],
            )
            if taken:
                return taken
        return ()

    async def _looked(self, directory: Directory, item: PostvakItem, party: Oin) -> Looked:
        fault = await self._unproven(directory, item, party, shown=item.repeated)
        return Looked(item=item, fault=fault)

    async def check(self, item: PostvakItem, backend: Backend) -> None:
        """Raise NoRoute `postvak.unknown` for what was shown and is not proven."""
        directory = self._house.snapshots.current()
        reason = await self._unproven(directory, item, backend.party, shown=True)
        if reason:
            await self._tell(item, reason)
            raise NoRoute("postvak.unknown", "Dit bericht staat niet in dit postvak.")

    async def _unproven(
        self, directory: Directory, item: PostvakItem, party: Oin, *, shown: bool
    ) -> str:
        """Return why it is not proven; empty = it is. One that is broken hides no other.

        What was shown before passed under an approval that may have ended since.
        """
        if not item.payload_id or not _has_gate(directory):
            return ""
        at = item.message.at if shown else self._house.clock.now()
        try:
            to = Towards(party=party, applicatie=item.applicatie, collects=True)
            proven = await self._proving.look(directory, item, to, at=at)
        except Unavailable:
            raise
        except GatewayError as error:
            return error.code
        return proven.fault.ground if proven.fault is not None else ""

    async def _tell(self, item: PostvakItem, reason: str) -> None:
        """It was shown before, and is not now."""
        known = item.message
        await self._house.inbox.note(
            AuditEvent(
                event="postvak.unproven",
                at=self._house.clock.now(),
                message=known.id,
                delivery=item.delivery,
                code=UNPROVEN,
                party=known.party,
                data={"reason": reason},
            )
        )
        alarm = Alarm(
            code=UNPROVEN,
            subject=item.delivery,
            message=known.id,
            party=known.party,
            reason=reason,
        )
        await self._house.alarms.change(raised=(alarm,))


def _has_gate(directory: Directory) -> bool:
    """Tell whether a gate stands here for anybody: who sent it, the octets say."""
    return any(
        party.gate is not GateMode.NONE or (party.local and party.role is Role.POLITIE)
        for party in directory.parties.values()
    )
