"""A back-end hands a message in: judge, gate, route, one commit.

What a rule forbids is refused with every finding; nothing of it is stored but the audit
row (domain 9.4). What the gate stops is stored and held, and nothing of it is sealed.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from gateway.directory import Backend, Directory
from gateway.errors import (
    GatewayError,
    Refused,
    SchemaViolation,
)
from gateway.lifecycle import State
from gateway.message import Aanlevering, Address
from gateway.pipeline import admissible, answers, conditions, judge, receipt, warned
from gateway.pipeline.asking import Asking
from gateway.pipeline.house import House
from gateway.pipeline.receipt import Receipt
from gateway.pipeline.rethinking import rethinking
from gateway.ports import (
    Admission,
    AuditEvent,
    Direction,
    Known,
    NewDelivery,
    NewHold,
    NewMessage,
)
from gateway.rules import approval, classification, routing
from gateway.rules.deciding import hold_deadline
from gateway.wire import stuf
from gateway.wire.stuf import Document
from gateway.wire.toets import Voorwaarde


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thought:
    valid: judge.Valid
    route: routing.Route
    verdict: classification.Verdict
    gate: approval.Released | approval.Hold
    table: str
    """Version of the classification table that is in force; empty = none is."""


class HandingIn:
    """The outbound beginning of the story."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house
        self._asking = Asking(house)

    async def hand_in(self, octets: bytes, aanlevering: Aanlevering, backend: Backend) -> Receipt:
        """Take the message in or raise.

        Raises SchemaViolation, Malformed, PolicyViolation, NoRoute, DuplicateConflict
        (never stored), or Unavailable (try again).
        """
        try:
            return await rethinking(
                self._house.snapshots, lambda: self._hand_in(octets, aanlevering, backend)
            )
        except Refused as error:
            await self._write_down(backend, error)
            raise

    async def _hand_in(self, octets: bytes, aanlevering: Aanlevering, backend: Backend) -> Receipt:
        at = self._house.clock.now()
        directory = self._house.snapshots.current()
        document = await judge.read(self._house, octets, directory)
        admissible.may_be_handed_in(document, backend)
        known = await admissible.known_as(self._house, document)
        if known is not None:
            admissible.same_as(known, document, aanlevering, backend)
            return await self._again(known)
        await admissible.linked(self._house, document, aanlevering)
        thought = await self._think(directory, document, aanlevering, backend, at)
        admission = await self._admission(directory, thought, aanlevering, backend, at)
        admitted = await self._house.inbox.admit(admission)
        if not admitted.fresh:  # somebody handed it in at the same moment: his words count
            known = await admissible.known_as(self._house, document)
            if known is not None:
                admissible.same_as(known, document, aanlevering, backend)
                return await self._again(known)
        held = isinstance(thought.gate, approval.Hold)
        if held and admitted.fresh:
            await self._ask(admission)
        self._house.count.received(thought.valid.kind.name, "held" if held else "accepted")
        return Receipt(
            id=admitted.message,
            fresh=admitted.fresh,
            held=held,
            reasons=receipt.reasons_of(thought.gate),
            grounds=receipt.different(thought.gate),
            referentienummer=document.stuurgegevens.referentienummer,
            warnings=thought.valid.warnings,
        )

    async def _ask(self, admission: Admission) -> None:
        """Ask the OM at once. When that fails now, the housekeeping asks: it is held anyway."""
        with suppress(GatewayError):
            for hold in await self._house.holds.of_message(admission.message.id):
                await self._asking.ask_one(hold)

    async def _again(self, known: Known) -> Receipt:
        """Same referentienummer: the same content gets the same answer (StUF, domain 1.8)."""
        view = await self._house.reader.message(known.id)
        held = view is not None and State.HELD in {d.state for d in view.deliveries}
        reasons, grounds = receipt.reasons_on_file(view) if view and held else ((), ())
        return Receipt(
            id=known.id,
            fresh=False,
            held=held,
            reasons=reasons,
            grounds=grounds,
            referentienummer=known.referentienummer,
            warnings=receipt.warnings_on_file(view) if view else (),
        )

    async def _think(
        self,
        directory: Directory,
        document: Document,
        aanlevering: Aanlevering,
        backend: Backend,
        at: datetime,
    ) -> _Thought:
        kind, route = admissible.kind_and_route(directory, document, at)
        parties = judge.Parties(sender=backend.party, partner=admissible.partner_of(route))
        valid = await judge.validate(self._house, directory, document, kind, parties=parties, at=at)
        verdict, gate = admissible.at_the_gate(directory, document, kind, aanlevering, backend, at)
        table = directory.gate.at(at).table.version
        return _Thought(valid=valid, route=route, verdict=verdict, gate=gate, table=table)

    async def _admission(
        self,
        directory: Directory,
        thought: _Thought,
        aanlevering: Aanlevering,
        backend: Backend,
        at: datetime,
    ) -> Admission:
        document = thought.valid.document
        identity = self._house.dice.uuid()
        delivery = self._delivery(thought, await self._hold(thought, aanlevering, at), at)
        payload = await self._house.payloads.put(document.octets, label=aanlevering.label())
        stuurgegevens = document.stuurgegevens
        zender = stuurgegevens.zender or Address(organisatie=backend.party)
        message = NewMessage(
            id=identity,
            at=at,
            direction=Direction.OUTBOUND,
            party=backend.party,
            cpa_id=delivery.cpa_id,
            message_id=stuf.message_id(zender, stuurgegevens.referentienummer),
            conversation_id=stuf.conversation_id(stuurgegevens),
            kind=document.name,
            version=thought.valid.kind.version,
            stuurgegevens=stuurgegevens,
            payload=payload,
            content_sha256=document.sha256,
            aanlevering=aanlevering,
            zaak=stuf.case_of(document),
            backend=backend.name,
        )
        return Admission(
            epoch=directory.epoch,
            message=message,
            deliveries=(delivery,),
            events=self._events(identity, delivery, thought, (aanlevering, backend)),
            followed_by=await self._terms(directory, thought, message, at),
        )

    async def _terms(
        self, directory: Directory, thought: _Thought, message: NewMessage, at: datetime
    ) -> Admission | None:
        """The conditions of the standing approval under which it passes."""
        gate, ontvanger = thought.gate, message.stuurgegevens and message.stuurgegevens.ontvanger
        if isinstance(gate, approval.Hold) or not gate.conditions or not ontvanger:
            return None
        stuurgegevens = thought.valid.document.stuurgegevens
        about = conditions.About(
            soort=message.kind,
            referentienummer=stuurgegevens.referentienummer,
            sha256=message.content_sha256,
            zender=stuurgegevens.zender or Address(organisatie=message.party),
            ontvanger=ontvanger,
            zaak=message.zaak,
            party=message.party,
        )
        asked = tuple(
            Voorwaarde(code=one.code, tekst=one.text, aanvaarding=False) for one in gate.conditions
        )
        facts = {"about": message.id, "approval": gate.approval_id}
        return await conditions.message_with(self._house, directory, about, asked, at, facts=facts)

    async def _hold(
        self, thought: _Thought, aanlevering: Aanlevering, at: datetime
    ) -> NewHold | None:
        """What the OM is asked, and until when: an answer has the time of its question."""
        if not isinstance(thought.gate, approval.Hold):
            return None
        document = thought.valid.document
        cross = document.stuurgegevens.cross_refnummer
        zender = document.stuurgegevens.zender
        origin = None
        if cross and zender is not None:
            origin = await self._house.inbox.origin(cross, answered_by=zender.organisatie)
        asked = None if origin is None else (origin.kind, origin.at)
        deadline = hold_deadline(document.name, acuut=aanlevering.acuut, handed_in=at, asked=asked)
        return NewHold(reasons=thought.gate.reasons, deadline=deadline)

    def _delivery(self, thought: _Thought, hold: NewHold | None, at: datetime) -> NewDelivery:
        gate = thought.gate
        held = isinstance(gate, approval.Hold)
        return answers.to_delivery(
            self._house,
            thought.route,
            at=at,
            ground=gate.ground,
            sha256=thought.valid.document.sha256,
            state=State.HELD if held else State.READY,
            approval_id="" if isinstance(gate, approval.Hold) else gate.approval_id,
            table_version=thought.table,
            hold=hold,
        )

    def _events(
        self,
        identity: str,
        delivery: NewDelivery,
        thought: _Thought,
        given: tuple[Aanlevering, Backend],
    ) -> tuple[AuditEvent, ...]:
        document = thought.valid.document
        aanlevering, backend = given
        gate = thought.gate
        common = {"message": identity, "party": str(backend.party), "actor": backend.name}

        def event(name: str, **data: str | int) -> AuditEvent:
            return AuditEvent(
                event=name,
                at=self._house.clock.now(),
                delivery=delivery.id if name != "message.handed_in" else "",
                data=data,
                **common,
            )

        return (
            event(
                "message.handed_in",
                referentienummer=document.stuurgegevens.referentienummer,
                part_of=aanlevering.deel_van or "",
                replaces=aanlevering.vervangt or "",
                size=len(document.octets),
                sha256=document.sha256,
            ),
            event(
                "message.validated",
                kind=document.name,
                version=thought.valid.kind.version,
                warnings=len(thought.valid.warnings),
                rules=warned.written(thought.valid.warnings),
            ),
            event(
                "message.classified",
                table=thought.verdict.table_version,
                reasons=len(thought.verdict.reasons),
                wpg=thought.verdict.wpg_artikel or "",
            ),
            event(
                "message.routed",
                recipient=delivery.recipient,
                channel=delivery.channel,
                cpa_id=delivery.cpa_id,
            ),
            event(
                "message.held",
                reasons=receipt.SEPARATOR.join(receipt.reasons_of(gate)),
                rules=receipt.SEPARATOR.join(
                    f"{one.rule} {one.path}" for one in receipt.different(gate)
                ),
            )
            if isinstance(gate, approval.Hold)
            else event(
                "message.released",
                ground=gate.ground,
                approval=gate.approval_id,
                categories=receipt.SEPARATOR.join(
                    sorted({r.category for r in thought.verdict.reasons})
                ),
                conditions=receipt.SEPARATOR.join(one.code for one in gate.conditions),
            ),
        )

    async def _write_down(self, backend: Backend, error: Refused) -> None:
        rules = [f.rule for f in error.findings] if isinstance(error, SchemaViolation) else []
        self._house.count.refused(error.code)
        await self._house.inbox.note(
            AuditEvent(
                event="message.refused",
                at=self._house.clock.now(),
                code=error.code,
                party=backend.party,
                actor=backend.name,
                data={"where": error.where, "rules": ",".join(rules[:20])},
            )
        )
