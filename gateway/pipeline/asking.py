"""What is held is put to the OM: the request with the payload octets (domain 9.1.2).

A step that may stop anywhere: what was not asked stands in the store, and the housekeeping asks
again. Nothing here releases anything.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gateway.config import GateMode
from gateway.config_gate import Mode
from gateway.directory import Directory, Party
from gateway.errors import GatewayError, NoRoute, StaleSnapshot, Unavailable
from gateway.message import Aanlevering, Oin
from gateway.pipeline import answers
from gateway.pipeline.house import House
from gateway.pipeline.proving import judge_again
from gateway.pipeline.senders import asked_from_here
from gateway.ports import Admission, Alarm, Ends, Hold, NewRequest, NewWithdrawal
from gateway.rules import approval
from gateway.rules.classification import Reason
from gateway.rules.routing import parket_for
from gateway.wire import stuf, toets, toets_make, toets_read
from gateway.wire.toets import Doel, Intrekking, Reden, Verzoek
from gateway.wire.xml import XmlLimits

PAGE = 50
"""Holds that are in hand at once."""
LATEST = timedelta(hours=72)
"""Until when an answer is of use, where the hold does not say."""
NO_ROUTE = "toets.geen_route"
"""Alarm: the OM can not be asked."""


class Asking:
    """A step of the housekeeping, and of every hand-in that was held."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house

    async def ask(self) -> int:
        """Ask what was not asked yet; return how many. Raises Unavailable."""
        asked, last = 0, ""
        while found := await self._house.holds.unasked(after=last, limit=PAGE):
            asked += sum([await self.ask_one(hold) for hold in found])
            last = found[-1].id
        return asked

    async def ask_one(self, hold: Hold) -> bool:
        """Ask for one; an alarm where nobody can be asked. Raises Unavailable.

        A row only spares reading what is not asked from here.
        """
        directory = self._house.snapshots.current()
        party = directory.party(hold.message.party)
        if party is not None and party.gate is GateMode.DECISION:
            return False  # the police asks; its decision passes by here
        try:
            request = await self._request(directory, hold)
            return await self._house.holds.ask(hold.id, request)
        except StaleSnapshot:
            return False  # the next round has the new directory
        except Unavailable:
            raise
        except GatewayError as error:  # one that can not be put must not keep the others waiting
            return await self._nobody(hold, error.code)

    async def cancel(self) -> int:
        """Tell the OM what it need not decide any more; return how many. Raises Unavailable."""
        told, last = 0, ""
        while found := await self._house.holds.uncancelled(after=last, limit=PAGE):
            told += sum([await self._cancel(hold) for hold in found])
            last = found[-1].id
        return told

    async def _nobody(self, hold: Hold, reason: str) -> bool:
        alarm = Alarm(
            code=NO_ROUTE,
            subject=hold.id,
            message=hold.message.id,
            party=hold.message.party,
            reason=reason,
        )
        await self._house.alarms.change(raised=(alarm,))
        return False

    async def _request(self, directory: Directory, hold: Hold) -> Admission:
        at = self._house.clock.now()
        message = hold.message
        octets, proven = await self._house.payloads.opened(
            message.payload_id or "", message.aanlevering.label()
        )
        said = message.aanlevering if proven else Aanlevering()
        document, decider = await self._house.think(
            len(octets), lambda: self._document(directory, hold, (octets, said), at)
        )
        here = decider.local
        admission = await answers.own_message(
            self._house,
            directory,
            document,
            version=toets.VERSION,
            party=directory.me,
            at=at,
            zaak=hold.message.zaak,
            facts={"hold": hold.id},
            desk=decider.oin if here else None,
        )
        if not here:
            return admission
        return replace(admission, request=new_request(document, directory, at))

    def _document(
        self, directory: Directory, hold: Hold, given: tuple[bytes, Aanlevering], at: datetime
    ) -> tuple[stuf.Document, Party]:
        octets, said = given
        limits = XmlLimits(octets=toets.limit_for(toets.VERZOEK, directory.limits))
        held = stuf.read_document(octets, limits=limits)
        decider = asked_from_here(directory, held)
        if decider is None:
            raise NoRoute("toets.geen_om", "Op dit bericht beslist van hieruit niemand.")
        zender = held.stuurgegevens.zender
        verzoek = Verzoek(
            identificatie=hold.id,
            soort=hold.message.kind,
            versie=hold.message.version,
            referentienummer=hold.message.referentienummer,
            ontvanger=hold.recipient,
            ontvanger_applicatie=hold.message.ontvanger_applicatie,
            zaak=hold.message.zaak,
            sha256=hold.payload_sha256,
            inhoud=octets,
            tabelversie=hold.table_version,
            redenen=tuple(_reden(one) for one in _reasons(held, directory, hold, said, at)),
            systeem=hold.backend or hold.message.zender_applicatie or "onbekend",
            gebruiker=zender.gebruiker if zender else "",
            acuut=hold.message.aanlevering.acuut,
            termijn=hold.deadline or hold.at + LATEST,
            deel_van=hold.message.aanlevering.deel_van or "",
            vervangt=hold.message.aanlevering.vervangt or "",
        )
        made = toets_make.make_verzoek(
            verzoek, answers.stuur(self._house, directory, decider.oin, at)
        )
        return stuf.read_document(made, limits=limits), decider

    async def _cancel(self, hold: Hold) -> bool:
        directory = self._house.snapshots.current()
        decider = directory.decider(hold.message.party)
        if decider is None:
            return False
        at = self._house.clock.now()
        intrekking = Intrekking(
            identificatie=self._house.dice.uuid(),
            doel=Doel.VERZOEK,
            betreft=hold.id,
            grond="Het bericht wordt niet meer verstuurd.",
            genomen_op=at,
        )
        stuur = answers.stuur(self._house, directory, decider.oin, at)
        octets = toets_make.make_intrekking(intrekking, stuur)
        here = decider.local
        try:
            message = await answers.own_message(
                self._house,
                directory,
                stuf.read_document(octets),
                version=toets.VERSION,
                party=directory.me,
                at=at,
                facts={"hold": hold.id},
                desk=decider.oin if here else None,
            )
            if here:
                message = _ends_here(message, intrekking, directory.me)
            return await self._house.holds.cancel(hold.id, message)
        except (NoRoute, StaleSnapshot):
            return False  # the next round tries again


def _ends_here(message: Admission, intrekking: Intrekking, actor: Oin) -> Admission:
    """The officers sit here: the request ends at once, and nothing is sent."""
    withdrawal = NewWithdrawal(
        ends=Ends.REQUEST, id=intrekking.betreft, actor=actor, reason=intrekking.grond
    )
    bare = replace(message.message, payload=None)
    return replace(message, message=bare, deliveries=(), withdrawal=withdrawal)


def new_request(document: stuf.Document, directory: Directory, at: datetime) -> NewRequest:
    """Return what officers are asked; raises Malformed `toets.*`."""
    zender = document.stuurgegevens.zender
    holder = Oin(zender.organisatie) if zender else directory.me
    return asked_by(holder, toets_read.read_verzoek(document), directory, at)


def asked_by(holder: Oin, verzoek: Verzoek, directory: Directory, at: datetime) -> NewRequest:
    """Return the same, of what was read."""
    return NewRequest(
        id=verzoek.identificatie,
        holder=holder,
        soort=verzoek.soort,
        version=verzoek.versie,
        referentienummer=verzoek.referentienummer,
        recipient=verzoek.ontvanger,
        payload_sha256=verzoek.sha256,
        size=len(verzoek.inhoud),
        table_version=verzoek.tabelversie,
        reasons=tuple(_reason(reden) for reden in verzoek.redenen),
        asker=verzoek.gebruiker or verzoek.systeem,
        acuut=verzoek.acuut,
        deadline=max(verzoek.termijn, at),
        parket=parket_for(directory, holder, verzoek.systeem),
        case=f"{holder}:{verzoek.zaak}" if verzoek.zaak else "",
        part_of=verzoek.deel_van,
        replaces=verzoek.vervangt,
    )


def _reasons(
    held: stuf.Document, directory: Directory, hold: Hold, said: Aanlevering, at: datetime
) -> tuple[Reason, ...]:
    """Those of the octets, and those of the row that are others: a row can say too little.

    By the categories the OM knows whether a second officer confirms.
    """
    found = judge_again(held, directory, hold.message.version, said, at)
    now = found.reasons if isinstance(found, approval.Hold) else ()
    return tuple(dict.fromkeys((*now, *hold.reasons)))


def _reden(reason: Reason) -> Reden:
    return Reden(
        regel=reason.rule,
        pad=reason.path,
        tekst=reason.text,
        toestemming=reason.mode,
        categorie=reason.category,
        wpg_artikel=reason.wpg_artikel,
    )


def _reason(reden: Reden) -> Reason:
    return Reason(
        rule=reden.regel,
        path=reden.pad,
        text=reden.tekst,
        wpg_artikel=reden.wpg_artikel,
        category=reden.categorie,
        mode=_mode(reden.toestemming),
    )


def _mode(text: str) -> Mode:
    """What another program writes and this one does not know needs a decision."""
    return Mode(text) if text in set(Mode) else Mode.INDIVIDUAL
