"""The sender of a message that did not arrive gets a Fo01, once."""

from gateway.catalogue import Role
from gateway.directory import Directory
from gateway.errors import Refused, StaleSnapshot
from gateway.message import Address
from gateway.pipeline import answers
from gateway.pipeline.house import House
from gateway.ports import Admission, Alarm, Known, Owed
from gateway.wire import fout, stuf

PAGE = 100
"""Debts that are in hand at once."""


class Telling:
    """A step of the housekeeping. It may stop anywhere: what is owed stands in the store."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house

    async def tell(self) -> int:
        """Make the Fo01s that are owed; return how many. Raises Unavailable."""
        told, last = 0, None
        while owed := await self._house.undeliverable.owed(after=last, limit=PAGE):
            told += sum([await self._tell(debt) for debt in owed])
            last = owed[-1]
        return told

    async def _tell(self, debt: Owed) -> bool:
        directory = self._house.snapshots.current()
        try:
            answer = await self._fo01(directory, debt.message)
            return await self._house.undeliverable.tell(debt.delivery, answer)
        except StaleSnapshot:
            return False  # the next round has the new directory
        except Refused as error:  # no agreement carries it: the others go on
            alarm = Alarm(
                code="undeliverable.untold",
                subject=debt.delivery,
                message=debt.message.id,
                party=debt.message.party,
                reason=error.code,
            )
            await self._house.alarms.change(raised=(alarm,))
            return False

    async def _fo01(self, directory: Directory, known: Known) -> Admission:
        at = self._house.clock.now()
        octets = stuf.fo01(
            zender=Address(organisatie=directory.me, applicatie=answers.APPLICATIE),
            ontvanger=_sender(directory, known),
            referentienummer=self._house.dice.uuid(),
            cross_refnummer=known.referentienummer,
            at=at,
            fout=fout.UNDELIVERED,
        )
        return await answers.own_answer(
            self._house,
            directory,
            octets=octets,
            answered=known.id,
            party=directory.me,
            at=at,
            facts={"code": fout.UNDELIVERED_CODE},
        )


def _sender(directory: Directory, known: Known) -> Address:
    """From a hub it came for somebody else, who is named inside (domain 9.2.1)."""
    party = directory.party(known.party)
    through = party is not None and party.role is Role.KNOOPPUNT
    oin = known.zender if through and known.zender else known.party
    return Address(organisatie=oin, applicatie=known.zender_applicatie)
