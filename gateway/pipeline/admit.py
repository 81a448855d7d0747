"""From an opened message to one commit: judge, route, admit, or refuse with a Fo01."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from gateway.catalogue import Role
from gateway.directory import Directory
from gateway.errors import (
    DuplicateConflict,
    Finding,
    Malformed,
    NoRoute,
    PolicyViolation,
    Refused,
    SchemaViolation,
    Unavailable,
    Untrusted,
)
from gateway.lifecycle import State
from gateway.message import Aanlevering, Address, Oin, Reference
from gateway.pipeline import answers, judge, warned
from gateway.pipeline.house import House
from gateway.pipeline.passing import Passing, held_here
from gateway.pipeline.ruling import Ruling, concerns_us
from gateway.ports import (
    Acceptance,
    Admission,
    Admitted,
    AuditEvent,
    DeliveryChannel,
    Direction,
    Known,
    NewDelivery,
    NewMessage,
    NewRuling,
    StoredPayload,
)
from gateway.rules import approval, routing
from gateway.security.open import Opened
from gateway.wire import stuf, toets
from gateway.wire.stuf import ANSWERS, Document

_UNANSWERED = ANSWERS | {"Bv03Bericht", "Bv04Bericht", "Fo03Bericht"}
"""With the answers that StUF gives in the same connection: over ebMS they should not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is known of the inbound message before the document is judged: who sent it is proved."""

    id: str
    party: Oin
    cpa_id: str
    """Empty by e-mail."""
    message_id: str
    conversation_id: str
    action: str
    """What its envelope says it is; by e-mail, that has none, its root element."""
    references: tuple[Reference, ...] = ()
    signer: str
    """Thumbprint; empty where the profile has no signature."""
    octets: bytes
    version: str
    at: datetime

    @property
    def sha256(self) -> str:
        return sha256(self.octets).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgment:
    """What tells the sender that it is here."""

    octets: bytes
    queued: Callable[[StoredPayload], NewDelivery]
    """Makes its delivery; DELIVERED where the HTTP answer itself carries it."""


class Admitting:
    """The middle of the story, for messages that came from a partner."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house
        self._ruling = Ruling(house)
        self._passing = Passing(house)

    async def admit(
        self, directory: Directory, opened: Opened, signal: bytes, at: datetime
    ) -> bool:
        """Commit the message with its delivery, or its refusal with a Fo01; and its ack.

        Return True when it came before under the same id: the acknowledgement on file counts.
        """
        if len(opened.payloads) != 1:
            raise Malformed(
                "payload.count", "exactly one payload is expected", where="//Body/Manifest"
            )
        header = opened.header
        taken = Taken(
            id=self._house.dice.uuid(),
            party=Oin(header.sender.id),
            cpa_id=header.cpa_id,
            message_id=header.message_id,
            conversation_id=header.conversation_id,
            action=header.action,
            references=opened.references,
            signer=opened.signer.thumbprint if opened.signer else "",
            octets=opened.payloads[0].octets,
            version=directory.services.get(header.service, ""),
            at=at,
        )
        if not signal:
            return await self.take(directory, taken)

        def queued(sealed: StoredPayload) -> NewDelivery:
            delivery = answers.signal_delivery(
                self._house, opened.agreement, taken.party, "Acknowledgment", sealed
            )
            return replace(delivery, state=State.DELIVERED) if header.sync_reply else delivery

        return await self.take(directory, taken, Acknowledgment(octets=signal, queued=queued))

    async def take(
        self, directory: Directory, taken: Taken, signal: Acknowledgment | None = None
    ) -> bool:
        """Commit it as `admit` does, whatever the channel that it came over.

        Raises what refuses it, where no Fo01 can go back.
        """
        try:
            admission = await self._accept(directory, taken)
        except (SchemaViolation, Malformed, NoRoute, PolicyViolation, Untrusted) as error:
            admission = await self._refuse(directory, taken, error)
        try:
            return await self._commit(directory, taken, admission, signal)
        except DuplicateConflict as error:
            if error.code != "duplicate.referentienummer":
                raise
            # StUF016: the referentienummer was used for other content (domain 1.8).
            refusal = await self._refuse(directory, taken, error)
            return await self._commit(directory, taken, refusal, signal)

    async def _accept(self, directory: Directory, taken: Taken) -> Admission:
        document = await self._read(directory, taken)
        _same_action(document, taken)
        kind = judge.kind_of(document, taken.version, directory)
        parties = judge.Parties(
            sender=_business_sender(directory, document, taken.party), partner=taken.party
        )
        valid = await judge.validate(
            self._house, directory, document, kind, parties=parties, at=taken.at
        )
        if concerns_us(directory, document):
            return await self._ours(directory, taken, valid)
        stuurgegevens = document.stuurgegevens
        origin = await self._origin(document, taken.party)
        deliveries = self._deliveries(directory, document, taken, origin)
        ruling = await self._let_go(directory, document, deliveries, taken.at)
        passes, waiting = await self._passing.seen(directory, document, taken.at)
        payload = await self._house.payloads.put(taken.octets) if deliveries else None
        events = self._events(taken, document, deliveries, warnings=valid.warnings)
        message = self._message(taken, document)
        return Admission(
            epoch=directory.epoch,
            message=replace(
                message,
                payload=payload,
                stuurgegevens=stuurgegevens,
                zaak=_case(directory, document, origin),
            ),
            deliveries=deliveries,
            events=events,
            answers=origin.id if origin else None,
            accepts=_on_conditions(document, origin),
            ruling=ruling or waiting,
            passes=passes,
            withdrawal=await self._passing.withdrawn(directory, document, taken.at),
        )

    async def _let_go(
        self,
        directory: Directory,
        document: Document,
        deliveries: tuple[NewDelivery, ...],
        at: datetime,
    ) -> NewRuling | None:
        """At a knooppunt: the decision that was seen for what is held, if there is one."""
        if not deliveries:
            return None
        return await self._passing.with_pass(directory, document, deliveries[0], at)

    async def _ours(self, directory: Directory, taken: Taken, valid: judge.Valid) -> Admission:
        """A message of the gate: what it changes is in the same commit, and so is the answer."""
        document = valid.document
        done = await self._ruling.take(directory, document, taken.at)
        payload = await self._house.payloads.put(taken.octets) if done.deliveries else None
        return Admission(
            epoch=directory.epoch,
            message=replace(
                self._message(taken, document), payload=payload, zaak=stuf.case_of(document)
            ),
            deliveries=done.deliveries,
            events=self._events(taken, document, (), warnings=valid.warnings),
            followed_by=await self._ruling.answer(directory, document, taken.id, done, taken.at),
            ruling=done.ruling,
            withdrawal=done.withdrawal,
            request=done.request,
        )

    async def _origin(self, document: Document, party: Oin) -> Known | None:
        """Find the message that an answer is about."""
        stuurgegevens = document.stuurgegevens
        if document.name not in ANSWERS or not stuurgegevens.cross_refnummer:
            return None
        answered_by = stuurgegevens.zender.organisatie if stuurgegevens.zender else party
        return await self._house.inbox.origin(
            stuurgegevens.cross_refnummer, answered_by=answered_by
        )

    def _deliveries(
        self, directory: Directory, document: Document, taken: Taken, origin: Known | None
    ) -> tuple[NewDelivery, ...]:
        if _on_our_own(document, origin):
            return ()  # no back-end waits for it
        route = routing.route(
            document.stuurgegevens,
            document.name,
            taken.version,
            directory=directory,
            received_from=taken.party,
            origin=origin,
            at=taken.at,
        )
        if isinstance(route, routing.ToPostvak) and document.name == "Bv01Bericht":
            return ()  # it has done its work when its origin is marked as answered
        gate = self._passing.judged(directory, document, taken.version)
        delivery = answers.to_delivery(
            self._house, route, at=taken.at, ground=gate.ground, sha256=document.sha256
        )
        if isinstance(gate, approval.Hold):
            return (held_here(delivery, gate, directory, document, taken.at),)
        if gate.approval_id:  # for the claim, which asks again
            table = directory.gate.at(taken.at).table.version
            delivery = replace(delivery, approval_id=gate.approval_id, table_version=table)
        return (delivery,)

    def _message(self, taken: Taken, document: Document | None) -> NewMessage:
        return NewMessage(
            id=taken.id,
            at=taken.at,
            direction=Direction.INBOUND,
            party=taken.party,
            cpa_id=taken.cpa_id,
            message_id=taken.message_id,
            conversation_id=taken.conversation_id,
            kind=document.name if document else taken.action,
            version=taken.version,
            stuurgegevens=document.stuurgegevens if document else None,
            payload=None,
            content_sha256=taken.sha256,
            references=taken.references,
            aanlevering=Aanlevering(),
            fault=stuf.fault_of(document) if document else None,
        )

    def _events(
        self,
        taken: Taken,
        document: Document,
        deliveries: tuple[NewDelivery, ...],
        *,
        warnings: tuple[Finding, ...],
    ) -> tuple[AuditEvent, ...]:
        return (
            self._received(taken),
            self._event(taken, "message.opened", signer=taken.signer, sha256=taken.sha256),
            self._event(
                taken,
                "message.validated",
                kind=document.name,
                version=taken.version,
                warnings=len(warnings),
                rules=warned.written(warnings),
            ),
            *(self._routed(taken, delivery) for delivery in deliveries),
        )

    def _received(self, taken: Taken) -> AuditEvent:
        over = {"cpa_id": taken.cpa_id} if taken.cpa_id else {"channel": str(DeliveryChannel.MAIL)}
        size = len(taken.octets)
        return self._event(
            taken, "message.received", **over, message_id=taken.message_id, size=size
        )

    def _routed(self, taken: Taken, delivery: NewDelivery) -> AuditEvent:
        return self._event(
            taken,
            "message.routed",
            recipient=delivery.recipient,
            channel=delivery.channel,
            cpa_id=delivery.cpa_id,
            delivery=delivery.id,
        )

    def _event(self, taken: Taken, event: str, **data: str | int) -> AuditEvent:
        delivery = str(data.pop("delivery", ""))
        return AuditEvent(
            event=event,
            at=self._house.clock.now(),
            message=taken.id,
            delivery=delivery,
            party=taken.party,
            data=data,
        )

    # --- refusals ---------------------------------------------------------------------

    async def _refuse(self, directory: Directory, taken: Taken, error: Refused) -> Admission:
        """Keep the ids, not the payload; tell the sender by a Fo01 (domain 9.4).

        An answer that is wrong is written down and never answered: no loops.
        """
        document = await self._readable(directory, taken)
        self._house.count.refused(error.code)
        refused = AuditEvent(
            event="message.refused",
            at=self._house.clock.now(),
            message=taken.id,
            code=error.code,
            party=taken.party,
            data={"where": error.where, "rule": _rule(error)},
        )
        message = replace(self._message(taken, document), accepted=False)
        follow = None
        if taken.action not in _UNANSWERED:
            try:
                follow = await self._fo01(directory, taken, document, error)
            except NoRoute as nowhere:
                raise error from nowhere
        return Admission(
            epoch=directory.epoch,
            message=message,
            deliveries=(),
            events=(self._received(taken), refused),
            followed_by=follow,
        )

    async def _read(self, directory: Directory, taken: Taken) -> Document:
        action = taken.action
        return await judge.read(self._house, taken.octets, directory, action=action)

    async def _readable(self, directory: Directory, taken: Taken) -> Document | None:
        try:
            return await self._read(directory, taken)
        except Malformed:
            return None

    async def _fo01(
        self, directory: Directory, taken: Taken, document: Document | None, error: Refused
    ) -> Admission | None:
        zender = document.stuurgegevens.zender if document else None
        if directory.parties[taken.party].role is not Role.KNOOPPUNT or zender is None:
            zender = Address(
                organisatie=taken.party, applicatie=zender.applicatie if zender else ""
            )
        reference = (
            document.stuurgegevens.referentienummer
            if document
            else taken.message_id.partition("@")[0][:40]
        )
        octets = stuf.fo01(
            zender=Address(organisatie=directory.me, applicatie=answers.APPLICATIE),
            ontvanger=zender,
            referentienummer=self._house.dice.uuid(),
            cross_refnummer=reference,
            at=taken.at,
            fout=stuf.fout_for(error),
        )
        return await answers.own_answer(
            self._house,
            directory,
            octets=octets,
            answered=taken.id,
            party=directory.me,
            at=taken.at,
            facts={"code": error.code},
        )

    async def _commit(
        self,
        directory: Directory,
        taken: Taken,
        admission: Admission,
        signal: Acknowledgment | None,
    ) -> bool:
        """Return True when the same message was admitted before under the same id."""
        if signal is not None:
            admission = await self._with_signal(directory, taken, admission, signal)
        admitted = await self._house.inbox.admit(admission)
        if not admitted.fresh and not admitted.by_id:
            await self._house.inbox.admit(self._copy(admission, admitted))
        if not admitted.by_id:
            outcome = "accepted" if admission.message.accepted else "refused"
            self._house.count.received(taken.action, outcome)
        return admitted.by_id

    async def _with_signal(
        self, directory: Directory, taken: Taken, admission: Admission, signal: Acknowledgment
    ) -> Admission:
        """The acknowledgement is kept in the same commit, and queued unless it is the answer."""
        sealed = await self._house.payloads.put(signal.octets)
        delivery = signal.queued(sealed)
        answered = delivery.state is State.DELIVERED
        event = AuditEvent(
            event="acknowledgment.answered" if answered else "acknowledgment.queued",
            at=self._house.clock.now(),
            message=taken.id,
            delivery=delivery.id,
            party=directory.me,
            data={"digests": len(taken.references)},
        )
        return replace(admission, acknowledgment=delivery, events=(*admission.events, event))

    def _copy(self, admission: Admission, first: Admitted) -> Admission:
        """Acknowledge a document that came before under another MessageId; deliver nothing.

        Over another channel, a person is told: somebody may have taken in the other by hand.
        """
        event = AuditEvent(
            event="message.duplicate",
            at=self._house.clock.now(),
            message=admission.message.id,
            party=admission.message.party,
            data={"first": first.message},
        )
        received = tuple(e for e in admission.events if e.event != "message.routed")
        return replace(
            admission,
            message=replace(admission.message, payload=None, accepted=False),
            deliveries=(),
            events=(*received, event),
            answers=None,
            followed_by=None,
            ruling=None,
            passes=(),
            withdrawal=None,
            accepts=None,
            request=None,
            twice=first.message if first.elsewhere else "",
        )


def _on_our_own(document: Document, origin: Known | None) -> bool:
    """An answer to what the gateway itself said."""
    if document.name not in ANSWERS or origin is None:
        return False
    return origin.direction is Direction.OWN and origin.kind in toets.KINDS


def _on_conditions(document: Document, origin: Known | None) -> Acceptance | None:
    """A Bv01 on conditions accepts them, a Fo01 does not."""
    if document.name not in ANSWERS or origin is None or origin.kind != toets.VOORWAARDEN:
        return None
    return Acceptance(terms=origin.id, accepted=document.name == "Bv01Bericht")


def _same_action(document: Document, taken: Taken) -> None:
    """The Action is the root element's name (Digikoppeling BP EB006)."""
    if document.name != taken.action:
        raise PolicyViolation(
            "bericht.actie",
            "Het bericht is een ander bericht dan de Action van de envelop noemt.",
            where=f"/{document.name}",
        )


def _business_sender(directory: Directory, document: Document, party: Oin) -> Oin:
    """Party → hub: the connection's party is the zender. Hub → party: not compared (9.2.1)."""
    zender = document.stuurgegevens.zender
    if zender is not None and zender.organisatie in directory.suspended:
        raise Unavailable("party.suspended", "zender is suspended here")
    if directory.parties[party].role is Role.KNOOPPUNT and zender is not None:
        return Oin(zender.organisatie)
    return party


def _rule(error: Refused) -> str:
    return error.findings[0].rule if isinstance(error, SchemaViolation) else ""


def content_sha256(opened: Opened) -> str:
    """Hex SHA-256 of the payload; empty when there is not exactly one."""
    return sha256(opened.payloads[0].octets).hexdigest() if len(opened.payloads) == 1 else ""


def _case(directory: Directory, document: Document, origin: Known | None) -> str:
    """An answer belongs to the case of what it answers. A knooppunt follows no cases."""
    if directory.parties[directory.me].role is Role.KNOOPPUNT:
        return ""
    return origin.zaak if origin and origin.zaak else stuf.case_of(document)
