"""What the OM says comes in, or what it is asked: messages for the gateway itself.

The package proves the hub; the signature inside the document proves the OM. Nothing of this goes
to a back-end: a decision is carried out by the commit that takes it in.
"""

from dataclasses import dataclass
from datetime import datetime

from gateway.catalogue import Role
from gateway.directory import Directory, Party
from gateway.errors import GatewayError, NoRoute, PolicyViolation, Unavailable
from gateway.lifecycle import State
from gateway.message import Address, Oin
from gateway.pipeline import answers, conditions
from gateway.pipeline.asking import new_request
from gateway.pipeline.house import House
from gateway.pipeline.senders import decider_on
from gateway.ports import (
    Admission,
    Ends,
    Hold,
    NewDelivery,
    NewRequest,
    NewRuling,
    NewWithdrawal,
)
from gateway.rules import approval, deciding
from gateway.security.certificates import thumbprint
from gateway.security.enveloped import judge_officer_signature, verify_document
from gateway.wire import stuf, toets, toets_read
from gateway.wire.stuf import Document
from gateway.wire.toets import Besluit, Doel, Intrekking, Officier, Uitkomst

_LATE = PolicyViolation("toets.te_laat", "Te laat: het bericht was al onderweg.")
_CHANGED = "veranderd"
"""No hash: what was asked about does not stand there any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForUs:
    """What a message of the gate changes here, beside its own row."""

    deliveries: tuple[NewDelivery, ...] = ()
    ruling: NewRuling | None = None
    withdrawal: NewWithdrawal | None = None
    request: NewRequest | None = None
    late: bool = False


def concerns_us(directory: Directory, document: Document) -> bool:
    """Tell whether the gateway itself is meant, and not a back-end or another party."""
    ontvanger = document.stuurgegevens.ontvanger
    if document.name not in toets.KINDS - {toets.VOORWAARDEN} or ontvanger is None:
        return False
    party = directory.party(ontvanger.organisatie)
    return party is not None and party.local


class Ruling:
    """Thinks about messages of the gate."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house

    async def take(self, directory: Directory, document: Document, at: datetime) -> ForUs:
        """Return what it changes; raises PolicyViolation, SignatureInvalid, CertificateRejected.

        What is refused is answered with a Fo01 and changes nothing.
        """
        match document.name:
            case toets.VERZOEK:
                return self._request(directory, document, at)
            case toets.BESLUIT:
                return await self._ruling(directory, document, at)
            case _:
                return await self._withdrawal(directory, document, at)

    # --- asked here -------------------------------------------------------------------

    def _request(self, directory: Directory, document: Document, at: datetime) -> ForUs:
        me = directory.parties[directory.me]
        if me.role is not Role.OM:
            raise PolicyViolation("toets.richting", "Hier wordt niet op verzoeken besloten.")
        request = new_request(document, directory, at)
        released = approval.own(document.sha256)
        delivery = answers.to_desk(
            self._house, me.oin, at=at, ground=released.ground, sha256=document.sha256
        )
        return ForUs(deliveries=(delivery,), request=request)

    # --- decided ----------------------------------------------------------------------

    async def _ruling(self, directory: Directory, document: Document, at: datetime) -> ForUs:
        besluit = toets_read.read_besluit(document)
        signer, proof = self.signed(directory, document, at)
        hold = await self._house.holds.find(besluit.verzoek)
        return ForUs(
            ruling=await self.judged(directory, besluit, document, hold, (signer, proof), at)
        )

    async def judged(
        self,
        directory: Directory,
        besluit: Besluit,
        document: Document,
        hold: Hold | None,
        signed: tuple[Party, str],
        at: datetime,
    ) -> NewRuling:
        """Return the decision as it counts for this hold; raises PolicyViolation for none."""
        signer, proof = signed
        zender = document.stuurgegevens.zender
        said = _said(besluit, signer.oin, Oin(zender.organisatie) if zender else signer.oin)
        asked = None if hold is None else await self._asked(directory, hold)
        deciding.judge(said, asked, signer=signer, at=at)
        if hold is None:  # judge has raised
            raise AssertionError
        terms, first = await self._terms(directory, besluit, hold, at)
        return NewRuling(
            id=besluit.identificatie,
            hold=hold.id,
            delivery=hold.delivery,
            outcome=besluit.uitkomst,
            recipient=hold.recipient,
            payload_sha256=besluit.sha256,
            table_version=besluit.tabelversie,
            officer=named(besluit.officier),
            told=besluit.te_melden,
            known=besluit.bekend,
            conditions=besluit.voorwaarden,
            decided_at=besluit.genomen_op,
            valid_until=besluit.geldig_tot,
            signer=proof,
            document=document.octets,
            terms=terms,
            accept_first=first,
        )

    async def _asked(self, directory: Directory, hold: Hold) -> deciding.Asked | None:
        """By the octets that are held; None where nobody decides on them, or they are gone."""
        try:
            octets = await self._house.payloads.get(hold.message.payload_id or "")
            held = await self._house.think(len(octets), lambda: stuf.read_stored(octets))
        except Unavailable:
            raise
        except GatewayError:
            return None
        decider, zender = decider_on(directory, held), held.stuurgegevens.zender
        if decider is None:
            return None
        taken = await self._house.holds.rulings(hold.message.id)
        waits = any(r.hold == hold.id and r.ended_at is None for r in taken)
        return deciding.Asked(
            hold=hold.id,
            decider=decider.oin,
            payload_sha256=hold.payload_sha256 if hold.intact else _CHANGED,
            recipient=hold.recipient,
            table_version=hold.table_version,
            open=hold.closed_at is None and hold.state is State.HELD and not waits,
            askers=(hold.backend, zender.gebruiker if zender else ""),
        )

    def signed(self, directory: Directory, document: Document, at: datetime) -> tuple[Party, str]:
        """Return who signed inside the document, and the thumbprint of the certificate.

        Raises SignatureInvalid, CertificateRejected, RevocationUnknown.
        """
        signed = verify_document(document)
        trust = self._house.snapshots.trust(directory)
        party = judge_officer_signature(
            signed, trust=trust, parties=directory.parties.values(), at=at
        )
        return party, thumbprint(signed.certificate)

    async def _terms(
        self, directory: Directory, besluit: Besluit, hold: Hold, at: datetime
    ) -> tuple[Admission | None, bool]:
        """The message with the conditions, and whether the receiver must accept them first.

        They never enter the payload (domain 9.1.7).
        """
        if besluit.uitkomst is not Uitkomst.ONDER_VOORWAARDEN:
            return None, False
        first = any(one.aanvaarding for one in besluit.voorwaarden)
        message = hold.message
        about = conditions.About(
            soort=message.kind,
            referentienummer=message.referentienummer,
            sha256=hold.payload_sha256,
            zender=Address(organisatie=message.zender, applicatie=message.zender_applicatie),
            ontvanger=Address(organisatie=hold.recipient, applicatie=message.ontvanger_applicatie),
            zaak=message.zaak,
            party=message.party,
        )
        facts = {"hold": hold.id, "ruling": besluit.identificatie}
        try:
            terms = await conditions.message_with(
                self._house, directory, about, besluit.voorwaarden, at, facts=facts
            )
        except NoRoute as error:
            raise PolicyViolation(
                "toets.voorwaarden.geen_route",
                "De voorwaarden zijn de ontvanger niet te melden; het bericht blijft staan.",
            ) from error
        return terms, first

    # --- over -------------------------------------------------------------------------

    async def _withdrawal(self, directory: Directory, document: Document, at: datetime) -> ForUs:
        intrekking = toets_read.read_intrekking(document)
        zender = document.stuurgegevens.zender
        by = Oin(zender.organisatie) if zender else directory.me
        if intrekking.doel is Doel.VERZOEK:
            return ForUs(withdrawal=_of_request(intrekking, by))
        signer, _ = self.signed(directory, document, at)
        if signer.oin != by or intrekking.officier is None:
            raise PolicyViolation("toets.besluit.partij", "De intrekking komt niet van het OM.")
        return await self._of_ruling(directory, intrekking, intrekking.officier, document, signer)

    async def _of_ruling(
        self,
        directory: Directory,
        intrekking: Intrekking,
        officer: Officier,
        document: Document,
        signer: Party,
    ) -> ForUs:
        """A decision or a standing approval, by the party that gave it."""
        decider = directory.decider(directory.me)
        if decider is None or decider.oin != signer.oin:
            raise PolicyViolation("toets.besluit.partij", "Een ander OM gaf dit besluit.")
        standing = intrekking.doel is Doel.TOESTEMMING
        late = None if standing else await self._house.holds.late(intrekking.betreft)
        if not standing and late is None:
            await self._house.holds.mark_withdrawn(intrekking.betreft)
            raise PolicyViolation("toets.besluit.vreemd", "Dit besluit is hier niet bekend.")
        withdrawal = NewWithdrawal(
            ends=Ends.APPROVAL if standing else Ends.RULING,
            id=intrekking.betreft,
            actor=named(officer),
            reason=intrekking.grond,
            late=bool(late),
            document=document.octets,
        )
        return ForUs(withdrawal=withdrawal, late=bool(late))

    # --- answers ----------------------------------------------------------------------

    async def answer(
        self, directory: Directory, document: Document, answered: str, done: ForUs, at: datetime
    ) -> Admission | None:
        """Return the Bv01, or the Fo01 that says it came too late; None without a way back."""
        zender = document.stuurgegevens.zender
        if zender is None:
            return None
        me = Address(organisatie=directory.me, applicatie=answers.APPLICATIE)
        number, cross = self._house.dice.uuid(), document.stuurgegevens.referentienummer
        octets = stuf.bv01(
            zender=me, ontvanger=zender, referentienummer=number, cross_refnummer=cross, at=at
        )
        if done.late:
            octets = stuf.fo01(
                zender=me,
                ontvanger=zender,
                referentienummer=number,
                cross_refnummer=cross,
                at=at,
                fout=stuf.fout_for(_LATE),
            )
        try:
            return await answers.own_answer(
                self._house, directory, octets=octets, answered=answered, party=directory.me, at=at
            )
        except NoRoute:
            return None


def named(officer: Officier) -> str:
    """Return who decided, as it stands in audit rows."""
    return f"{officer.naam}, {officer.functie}, {officer.mandaat}"[:256]


def _said(besluit: Besluit, signer: Oin, sender: Oin) -> deciding.Said:
    return deciding.Said(
        hold=besluit.verzoek,
        signer=signer,
        sender=sender,
        outcome=besluit.uitkomst,
        payload_sha256=besluit.sha256,
        recipients=besluit.ontvangers,
        table_version=besluit.tabelversie,
        decided_at=besluit.genomen_op,
        valid_until=besluit.geldig_tot,
        officer=_person(besluit.officier),
        second=_person(besluit.tweede) if besluit.tweede else (),
        conditions=len(besluit.voorwaarden),
        told=besluit.te_melden,
    )


def _person(officer: Officier) -> tuple[str, str]:
    return officer.identificatie, officer.naam


def _of_request(intrekking: Intrekking, by: Oin) -> NewWithdrawal:
    return NewWithdrawal(
        ends=Ends.REQUEST, id=intrekking.betreft, actor=by, reason=intrekking.grond
    )
