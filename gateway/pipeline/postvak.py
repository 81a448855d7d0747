"""A back-end confirms or refuses what lies in its postvak; the sender gets Bv01 or Fo01."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.catalogue import Role
from gateway.directory import Backend, Directory
from gateway.errors import NoRoute
from gateway.message import Address
from gateway.pipeline import answers
from gateway.pipeline.house import House
from gateway.pipeline.rethinking import rethinking
from gateway.pipeline.showing import Showing
from gateway.ports import Admission, AuditEvent, PostvakItem
from gateway.wire import stuf
from gateway.wire.stuf import ANSWERS

NEUTRAL = "Het bericht kon niet worden verwerkt."


@dataclass(frozen=True, slots=True, kw_only=True)
class Weigering:
    """Why a back-end can not take a message in."""

    code: str
    """StUF foutcode, at most 7 characters."""
    omschrijving: str
    """At most 200 characters."""
    details: str = ""
    """At most 1000 characters."""


TO_CLOSE = timedelta(minutes=1)
"""Lease of what is closed without having been looked at."""


class Closing:
    """The end of the story at the receiver."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house
        self._showing = Showing(house)

    async def close(self, delivery: str, backend: Backend, weigering: Weigering | None) -> bool:
        """Confirm, or refuse with `weigering`; False when it was done the same way before.

        Raises NoRoute `postvak.unknown` for what is not this system's, DuplicateConflict
        `postvak.closed` when it was closed the other way.
        """
        return await rethinking(
            self._house.snapshots, lambda: self._close(delivery, backend, weigering)
        )

    async def reach(
        self, delivery: str, backend: Backend, *, lease: timedelta, content: bool = True
    ) -> PostvakItem:
        """Return a delivery by its id; what was never shown is leased first, as by a look.

        So the gate is asked before anything of it is seen; again each time that its `content`
        will be. Raises NoRoute `postvak.unknown`.
        """
        postvak, party = self._house.postvak, backend.party
        item = await postvak.get(delivery, party=party)
        if item is None:
            found = await self._showing.collect(
                backend, backend.applicaties, limit=1, lease=lease, only=delivery
            )
            item = found[0] if found else None
        elif content:
            await self._showing.check(item, backend)
        if item is None or item.applicatie not in backend.applicaties:
            raise NoRoute("postvak.unknown", "Dit bericht staat niet in dit postvak.")
        return item

    async def _close(self, delivery: str, backend: Backend, weigering: Weigering | None) -> bool:
        at = self._house.clock.now()
        directory = self._house.snapshots.current()
        item = await self.reach(delivery, backend, lease=TO_CLOSE, content=False)
        answer = await self._answer(directory, item, backend, weigering, at)
        event = AuditEvent(
            event="postvak.refused" if weigering else "postvak.confirmed",
            at=at,
            message=item.message.id,
            delivery=delivery,
            party=backend.party,
            actor=backend.name,
            code=weigering.code if weigering else "",
        )
        return await self._house.postvak.close(
            delivery,
            party=backend.party,
            refused=weigering is not None,
            answer=answer,
            events=(event,),
        )

    async def _answer(
        self,
        directory: Directory,
        item: PostvakItem,
        backend: Backend,
        weigering: Weigering | None,
        at: datetime,
    ) -> Admission | None:
        """An answer is not answered again."""
        known = item.message
        if known.kind in ANSWERS:
            return None
        free = _free_text(directory, item, backend)
        octets = self._octets(item, weigering, at, free=free)
        try:
            return await answers.own_answer(
                self._house,
                directory,
                octets=octets,
                answered=known.id,
                party=backend.party,
                at=at,
                backend=backend.name,
                zaak=known.zaak,
            )
        except NoRoute as error:
            # No agreement carries an answer there: the postvak is closed all the same.
            await self._house.inbox.note(
                AuditEvent(
                    event="answer.no_route",
                    at=at,
                    message=known.id,
                    delivery=item.delivery,
                    code=error.code,
                    party=backend.party,
                )
            )
            return None

    def _octets(
        self, item: PostvakItem, weigering: Weigering | None, at: datetime, *, free: bool
    ) -> bytes:
        known = item.message
        zender = Address(organisatie=known.ontvanger, applicatie=item.applicatie)
        ontvanger = Address(organisatie=known.zender, applicatie=known.zender_applicatie)
        reference = self._house.dice.uuid()
        if weigering is None:
            return stuf.bv01(
                zender=zender,
                ontvanger=ontvanger,
                referentienummer=reference,
                cross_refnummer=known.referentienummer,
                at=at,
            )
        return stuf.fo01(
            zender=zender,
            ontvanger=ontvanger,
            referentienummer=reference,
            cross_refnummer=known.referentienummer,
            at=at,
            fout=stuf.Fout(
                code=weigering.code,
                plek="server",
                omschrijving=weigering.omschrijving if free else NEUTRAL,
                details=weigering.details if free else "",
            ),
        )


def _free_text(directory: Directory, item: PostvakItem, backend: Backend) -> bool:
    """The politie's own words leave it only for the OM: a Fo01 passes no gate (9.1.1)."""
    receiver = directory.party(item.message.zender)
    if directory.parties[backend.party].role is not Role.POLITIE:
        return True
    return receiver is not None and directory.gate.is_om(receiver)
