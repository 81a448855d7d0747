"""Officers decide here; what they decide is signed and goes to whoever holds the message."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.config import OfficerSettings
from gateway.directory import Directory, Signing
from gateway.errors import Misconfigured, NoRoute, PolicyViolation
from gateway.message import Oin
from gateway.pipeline import answers, unchanged
from gateway.pipeline.house import House
from gateway.pipeline.rethinking import rethinking
from gateway.pipeline.ruling import Ruling, named
from gateway.ports import (
    FRAMEWORK,
    TOOK_BACK,
    Admission,
    AuditEvent,
    Ends,
    NewWithdrawal,
    Request,
    RequestsWanted,
    Verdict,
    VerdictState,
)
from gateway.rules import officers
from gateway.rules.officers import Wish
from gateway.security.certificates import thumbprint
from gateway.security.enveloped import sign_document
from gateway.wire import stuf, toets, toets_make
from gateway.wire.toets import Besluit, Doel, Intrekking

EARLIER = 20
"""Requests on the same case that are shown."""
SHORTEST, LONGEST_PURPOSE = 3, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request with all that an officer sees beside its content."""

    request: Request
    verdicts: tuple[Verdict, ...]
    earlier: tuple[Request, ...]
    """Others on the same case."""
    linked: tuple[Request, ...] = ()
    """Those on the messages that this one names (`deelVan`, `vervangt`)."""


class Deciding:
    """The desk of the officers."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house
        self._ruling = Ruling(house)

    async def by_command(self, what: str, id_: str, *, officer: str, who: str) -> None:
        """Write down that a user of this machine speaks for an officer, before it is done."""
        facts: dict[str, str | int | bool | None] = {"ask": what, "about": id_, "officer": officer}
        at = self._house.clock.now()
        await self._house.inbox.note(
            AuditEvent(event="toets.by_command", at=at, actor=who, data=facts)
        )

    async def requests(self, wanted: RequestsWanted) -> tuple[Request, ...]:
        """Return what is asked; see the port `Desk`."""
        return await self._house.desk.requests(wanted)

    async def request(self, id_: str) -> Request:
        """Return one request; raises NoRoute `toets.verzoek.onbekend`."""
        found = await self._house.desk.request(id_)
        if found is None:
            raise NoRoute("toets.verzoek.onbekend", "Dit verzoek is hier niet bekend.")
        return found

    async def case(self, id_: str) -> Case:
        """Return one request with all beside it; raises NoRoute `toets.verzoek.onbekend`."""
        request = await self.request(id_)
        return Case(
            request=request,
            verdicts=await self._house.desk.verdicts(id_),
            earlier=await self._house.desk.earlier(id_, limit=EARLIER),
            linked=await self._house.desk.linked(request, limit=EARLIER),
        )

    async def read(self, id_: str, *, officer: str, purpose: str) -> bytes:
        """Return the octets that are held; who reads them and what for is written down first.

        Raises NoRoute, PolicyViolation `toets.doel`, `toets.officier.*`; as `unchanged.content`.
        """
        directory = self._house.snapshots.current()
        found = officers.officer(directory, officer, at=self._house.clock.now())
        if not SHORTEST <= len(purpose.strip()) <= LONGEST_PURPOSE or not purpose.isprintable():
            raise PolicyViolation("toets.doel", "Zeg in 3 tot 200 tekens waarvoor u leest.")
        request = await self.request(id_)
        officers.check_parket(found, request.parket, directory)
        await self._house.desk.look(id_, officer=found.id, purpose=purpose.strip())
        return await unchanged.content(self._house, directory, request)

    async def take(self, id_: str, *, officer: str) -> datetime:
        """Take a request; return until when it is with this officer."""
        directory = self._house.snapshots.current()
        at = self._house.clock.now()
        found = officers.officer(directory, officer, at=at)
        request = await self.request(id_)
        officers.check_parket(found, request.parket, directory)
        until = at + timedelta(minutes=directory.deciding.neem_minuten)
        await self._house.desk.take(id_, officer=found.id, until=until)
        return until

    async def let_go(self, id_: str, *, officer: str) -> None:
        """Let others take it."""
        directory = self._house.snapshots.current()
        found = officers.officer(directory, officer, at=self._house.clock.now())
        await self._house.desk.take(id_, officer=found.id, until=None)

    async def decide(self, id_: str, *, officer: str, wish: Wish, account: str = "") -> Verdict:
        """Take a verdict. It is carried out at once, or when a second officer has confirmed it.

        `account`: of who is signed in as that officer; empty = a system or a command speaks.
        Raises NoRoute, PolicyViolation `toets.*`, Unavailable.
        """
        return await rethinking(
            self._house.snapshots, lambda: self._decide(id_, officer, wish, account)
        )

    async def _decide(self, id_: str, officer: str, wish: Wish, account: str) -> Verdict:
        directory, at = self._house.snapshots.current(), self._house.clock.now()
        request = await self._asked(directory, id_)
        found = self._fit(directory, request, officer, at)
        until = officers.checked(wish, directory, at=at)
        categories = (reason.category for reason in request.reasons)
        second = officers.needs_second(categories, wish.outcome, directory)
        verdict = Verdict(
            id=self._house.dice.uuid(),
            request=request.id,
            at=at,
            outcome=wish.outcome,
            ground=wish.ground,
            told=wish.told,
            conditions=wish.conditions,
            officer=found.id,
            second="",
            known=wish.known,
            valid_until=until,
            state=VerdictState.PROPOSED if second else VerdictState.GIVEN,
        )
        answer = None
        if not second:
            answer = await self._answer(directory, request, verdict, (found, None), at)
        await self._house.desk.decide(verdict, answer, account=account)
        return verdict

    async def confirm(self, id_: str, *, officer: str, account: str = "") -> Verdict:
        """A second officer confirms, and it is carried out. Raises as `decide`."""
        return await rethinking(self._house.snapshots, lambda: self._confirm(id_, officer, account))

    async def _confirm(self, id_: str, officer: str, account: str) -> Verdict:
        directory, at = self._house.snapshots.current(), self._house.clock.now()
        verdict = await self._verdict(id_)
        request = await self._asked(directory, verdict.request)
        second = self._fit(directory, request, officer, at)
        first = officers.officer(directory, verdict.officer, at=at)
        officers.check_second(first, second)
        if verdict.state is not VerdictState.PROPOSED:
            raise PolicyViolation("toets.status", "Dit besluit wacht niet op bevestiging.")
        if verdict.valid_until <= at:
            raise PolicyViolation("toets.besluit.verlopen", "Dit besluit geldt niet meer.")
        if self._house.desk.is_proposed_by(id_, account=account):
            raise PolicyViolation("toets.vier_ogen", "Wie beslist, bevestigt niet.")
        await unchanged.check_proposal(self._house, request, verdict)
        answer = await self._answer(directory, request, verdict, (first, second), at)
        await self._house.desk.second(id_, officer=second.id, answer=answer)
        return await self._verdict(id_)

    async def reject(self, id_: str, *, officer: str, why: str) -> Verdict:
        """A second officer does not confirm: the request is open again."""
        directory, at = self._house.snapshots.current(), self._house.clock.now()
        verdict = await self._verdict(id_)
        request = await self.request(verdict.request)
        second = self._fit(directory, request, officer, at)
        await self._house.desk.second(id_, officer=second.id, answer=None, why=_reason(why))
        return await self._verdict(id_)

    async def withdraw(self, id_: str, *, officer: str, why: str) -> Verdict:
        """Take a verdict back; whether that is in time, the holder says."""
        return await rethinking(self._house.snapshots, lambda: self._withdraw(id_, officer, why))

    async def _withdraw(self, id_: str, officer: str, why: str) -> Verdict:
        directory, at = self._house.snapshots.current(), self._house.clock.now()
        found = officers.officer(directory, officer, at=at)
        verdict = await self._verdict(id_)
        request = await self.request(verdict.request)
        officers.check_parket(found, request.parket, directory)
        message, late = None, False
        if verdict.state is VerdictState.GIVEN:
            message, late = await self._withdrawal(directory, request, verdict, found, why, at)
        await self._house.desk.withdraw(
            id_, officer=found.id, why=_reason(why), message=message, late=late
        )
        return await self._verdict(id_)

    async def revoke(self, approval: str, *, officer: str, why: str, holder: Oin) -> None:
        """Withdraw a standing approval at a police: by a signed message, at once."""
        directory, at = self._house.snapshots.current(), self._house.clock.now()
        found = officers.officer(directory, officer, at=at)
        document = self._signed_withdrawal(
            directory, (Doel.TOESTEMMING, approval), found, _reason(why), holder, at
        )
        message = await self._to_holder(directory, document, at, facts={"approval": approval})
        told = AuditEvent(
            event=TOOK_BACK,
            at=at,
            message=FRAMEWORK,
            party=holder,
            actor=named(officers.as_told(found)),
            data={"approval": approval, "reason": _reason(why)},
        )
        await self._house.inbox.admit(replace(message, events=(*message.events, told)))

    # --- the parts --------------------------------------------------------------------

    async def _asked(self, directory: Directory, id_: str) -> Request:
        """Return an open request that stands here as it came."""
        request = await self.request(id_)
        if request.closed_at is not None:
            raise PolicyViolation(
                "toets.gesloten", "Op dit verzoek is al besloten, of het verviel."
            )
        await unchanged.content(self._house, directory, request)
        return request

    async def _verdict(self, id_: str) -> Verdict:
        found = await self._house.desk.verdict(id_)
        if found is None:
            raise NoRoute("toets.besluit.onbekend", "Dit besluit is hier niet bekend.")
        return found

    def _fit(
        self, directory: Directory, request: Request, officer: str, at: datetime
    ) -> OfficerSettings:
        found = officers.officer(directory, officer, at=at)
        officers.check_parket(found, request.parket, directory)
        officers.check_eyes(found, request.asker)
        return found

    async def _answer(
        self,
        directory: Directory,
        request: Request,
        verdict: Verdict,
        by: tuple[OfficerSettings, OfficerSettings | None],
        at: datetime,
    ) -> Admission:
        """Return the signed decision on its way to the holder; here, with what it does."""
        first, second = by
        besluit = Besluit(
            identificatie=verdict.id,
            verzoek=request.id,
            sha256=request.payload_sha256,
            ontvangers=(request.recipient,),
            uitkomst=verdict.outcome,
            grond=verdict.ground.strip().splitlines()[0][:_GROUND],
            te_melden=verdict.told,
            voorwaarden=verdict.conditions,
            officier=officers.as_told(first),
            tweede=officers.as_told(second) if second else None,
            tabelversie=request.table_version,
            genomen_op=at,
            geldig_tot=verdict.valid_until,
            bekend=verdict.known,
        )
        stuur = answers.stuur(self._house, directory, request.holder, at)
        octets = toets_make.make_besluit(besluit, stuur)
        signing = own_signing(directory, at)
        document = self._sign(octets, signing)
        facts = {"request": request.id, "outcome": str(verdict.outcome)}
        message = await self._to_holder(directory, document, at, facts=facts)
        if request.holder != directory.me:
            return message
        hold = await self._house.holds.find(request.id)
        signed = (directory.parties[directory.me], thumbprint(signing.certificate))
        ruling = await self._ruling.judged(directory, besluit, document, hold, signed, at)
        return replace(message, ruling=ruling)

    async def _withdrawal(
        self,
        directory: Directory,
        request: Request,
        verdict: Verdict,
        officer: OfficerSettings,
        why: str,
        at: datetime,
    ) -> tuple[Admission, bool]:
        what = (Doel.BESLUIT, verdict.id)
        holder = request.holder
        document = self._signed_withdrawal(directory, what, officer, _reason(why), holder, at)
        message = await self._to_holder(directory, document, at, facts={"verdict": verdict.id})
        if holder != directory.me:
            return message, False
        late = bool(await self._house.holds.late(verdict.id))
        withdrawal = NewWithdrawal(
            ends=Ends.RULING,
            id=verdict.id,
            actor=named(officers.as_told(officer)),
            reason=_reason(why),
            late=late,
            document=document.octets,
        )
        return replace(message, withdrawal=withdrawal), late

    def _signed_withdrawal(
        self,
        directory: Directory,
        what: tuple[Doel, str],
        officer: OfficerSettings,
        why: str,
        holder: Oin,
        at: datetime,
    ) -> stuf.Document:
        intrekking = Intrekking(
            identificatie=self._house.dice.uuid(),
            doel=what[0],
            betreft=what[1],
            grond=why,
            genomen_op=at,
            officier=officers.as_told(officer),
        )
        stuur = answers.stuur(self._house, directory, holder, at)
        octets = toets_make.make_intrekking(intrekking, stuur)
        return self._sign(octets, own_signing(directory, at))

    async def _to_holder(
        self, directory: Directory, document: stuf.Document, at: datetime, *, facts: dict[str, str]
    ) -> Admission:
        """Over the agreement with it or the hub; what is held here goes nowhere."""
        ontvanger = document.stuurgegevens.ontvanger
        here = ontvanger is not None and ontvanger.organisatie == directory.me
        message = await answers.own_message(
            self._house,
            directory,
            document,
            version=toets.VERSION,
            party=directory.me,
            at=at,
            facts=facts,
            desk=directory.me if here else None,
        )
        if not here:
            return message
        return replace(message, deliveries=(), message=replace(message.message, payload=None))

    def _sign(self, octets: bytes, signing: Signing) -> stuf.Document:
        signer = self._house.keyring.signer(signing.certificate)
        return stuf.read_document(sign_document(octets, signer=signer, signing=signing))


_GROUND = 200


def own_signing(directory: Directory, at: datetime) -> Signing:
    """Return what the own party signs with, by its newest agreement; raises Misconfigured."""
    mine = [
        (agreement.start, binding.channel.signing)
        for agreement in directory.agreements.values()
        if agreement.in_force(at)
        for binding in agreement.bindings
        if binding.sender.id == directory.me and binding.channel.signing is not None
    ]
    if not mine:
        raise Misconfigured(
            "toets.geen_ondertekening",
            "Geen overeenkomst noemt een eigen certificaat om mee te ondertekenen.",
        )
    return max(mine, key=lambda one: one[0])[1]


def _reason(why: str) -> str:
    text = why.strip()
    if not SHORTEST <= len(text) <= LONGEST_PURPOSE or not text.isprintable():
        raise PolicyViolation("toets.reden", "Geef in 3 tot 200 tekens een reden.")
    return text
