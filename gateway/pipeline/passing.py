"""The gate at a knooppunt: for a police without one, or a second one (domain 9.1.2).

A decision passes here on its way to the police, or is taken here. Both ways the same statement
releases what is held, and the claim asks again.
"""

from dataclasses import replace
from datetime import datetime

from gateway.config import GateMode
from gateway.directory import Directory
from gateway.errors import GatewayError, NoRoute, Unavailable
from gateway.lifecycle import State
from gateway.message import Oin
from gateway.pipeline import judge
from gateway.pipeline.house import House
from gateway.pipeline.ruling import Ruling
from gateway.pipeline.senders import sender_of
from gateway.ports import (
    Ends,
    NewDelivery,
    NewHold,
    NewRuling,
    NewWithdrawal,
    Pass,
)
from gateway.rules import approval, classification, deciding
from gateway.wire import toets, toets_read
from gateway.wire.stuf import Document


class Passing:
    """Thinks about what a police sends through a knooppunt."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house
        self._ruling = Ruling(house)

    def judged(
        self, directory: Directory, document: Document, version: str
    ) -> approval.Released | approval.Hold:
        """Pass or hold; a message of a party without a gate here is forwarded.

        Raises PolicyViolation `gate.wpg_article`.
        """
        sender = sender_of(directory, document)
        if sender is None or sender.gate is GateMode.NONE:
            return approval.forwarded(document.sha256)
        ontvanger = document.stuurgegevens.ontvanger
        receiver = directory.party(ontvanger.organisatie) if ontvanger else None
        if receiver is None:
            raise NoRoute("route.unknown", "De ontvanger is hier niet bekend.")
        at = self._house.clock.now()
        gate = directory.gate
        said = classification.said_in(document)
        verdict = classification.classify(document, said, version=version, table=gate.at(at).table)
        if sender.gate is GateMode.DECISION:
            return approval.second_gate(
                verdict, sender=sender, receiver=receiver, gate=gate, payload_sha256=document.sha256
            )
        kind = judge.kind_of(document, version, directory)
        return approval.pass_or_hold(
            verdict,
            sender=sender,
            receiver=receiver,
            kind=kind,
            gate=gate,
            payload_sha256=document.sha256,
            at=at,
        )

    async def with_pass(
        self, directory: Directory, document: Document, delivery: NewDelivery, at: datetime
    ) -> NewRuling | None:
        """Return the decision that was seen for exactly this, once; None = it waits."""
        ontvanger = document.stuurgegevens.ontvanger
        if ontvanger is None or delivery.state is not State.HELD:
            return None
        found = await self._house.holds.passed(document.sha256, Oin(ontvanger.organisatie))
        if found is None or found.valid_until <= at:
            return None
        hold = f"{delivery.id}-0"
        return _ruling(found, hold, delivery.id, directory.gate.at(at).table.version)

    async def seen(
        self, directory: Directory, document: Document, at: datetime
    ) -> tuple[tuple[Pass, ...], NewRuling | None]:
        """Return what a decision that passes by allows here, and the hold that it lets go now.

        What is not signed by the OM allows nothing here, and goes on: the police says why.
        """
        ontvanger = document.stuurgegevens.ontvanger
        police = directory.party(ontvanger.organisatie) if ontvanger else None
        if document.name != toets.BESLUIT or police is None or police.gate is not GateMode.DECISION:
            return (), None
        try:
            besluit = toets_read.read_besluit(document)
            signer, proof = self._ruling.signed(directory, document, at)
        except Unavailable:
            raise
        except GatewayError:
            return (), None
        decider = directory.decider(police.oin)
        lets = besluit.uitkomst in deciding.RELEASES and besluit.geldig_tot > at
        if decider is None or signer.oin != decider.oin or not lets:
            return (), None
        made = tuple(
            Pass(
                id=besluit.identificatie,
                at=at,
                police=police.oin,
                recipient=recipient,
                payload_sha256=besluit.sha256,
                valid_until=min(besluit.geldig_tot, at + deciding.LONGEST),
                signer=proof,
                document=document.octets,
            )
            for recipient in besluit.ontvangers
        )
        held = await self._waiting(made)
        return made, held

    async def withdrawn(
        self, directory: Directory, document: Document, at: datetime
    ) -> NewWithdrawal | None:
        """A withdrawal that passes by ends here, too, what the decision allowed."""
        ontvanger = document.stuurgegevens.ontvanger
        police = directory.party(ontvanger.organisatie) if ontvanger else None
        if document.name != toets.INTREKKING or police is None or police.gate is GateMode.NONE:
            return None
        try:
            intrekking = toets_read.read_intrekking(document)
            signer, _ = self._ruling.signed(directory, document, at)
        except Unavailable:
            raise
        except GatewayError:
            return None
        decider = directory.decider(police.oin)
        if intrekking.doel is not toets.Doel.BESLUIT or decider is None or signer != decider:
            return None
        return NewWithdrawal(
            ends=Ends.SEEN, id=intrekking.betreft, actor=signer.oin, reason=intrekking.grond
        )

    async def _waiting(self, made: tuple[Pass, ...]) -> NewRuling | None:
        """What came before its decision did."""
        for one in made:
            hold = await self._house.holds.waiting(one.payload_sha256, one.recipient)
            if hold is not None and hold.message.zender == one.police:
                return _ruling(one, hold.id, hold.delivery, hold.table_version)
        return None


def held_here(
    delivery: NewDelivery,
    gate: approval.Hold,
    directory: Directory,
    document: Document,
    at: datetime,
) -> NewDelivery:
    """Return the delivery as the knooppunt holds it: for as long as its sender has."""
    acuut = classification.said_in(document).acuut
    deadline = deciding.hold_deadline(document.name, acuut=acuut, handed_in=at, asked=None)
    return replace(
        delivery,
        state=State.HELD,
        ground=gate.ground,
        expires_at=None,
        table_version=directory.gate.at(at).table.version,
        hold=NewHold(reasons=gate.reasons, deadline=deadline),
    )


def _ruling(found: Pass, hold: str, delivery: str, table: str) -> NewRuling:
    return NewRuling(
        id=hold,  # the decision itself may let go one delivery per receiver
        hold=hold,
        delivery=delivery,
        outcome=toets.Uitkomst.VRIJGEVEN,
        recipient=found.recipient,
        payload_sha256=found.payload_sha256,
        table_version=table,
        officer="",
        told="",
        conditions=(),
        decided_at=found.at,
        valid_until=found.valid_until,
        signer=found.signer,
        document=found.document,
        of_pass=found.id,
    )
