"""Before each attempt: what a row says of its release is proved by what nobody can edit.

A row of the database can be changed by whoever administers it; the octets of the payload and the
signed decision can not. So the gate judges the octets again, and the decision must be signed by
the OM for these. What a back-end said beside the octets stands in a row too: it counts only with
the label that was made at the hand-in, by the key of the payload. A decision that was withdrawn is
known by a mark that is no row.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.catalogue import Role
from gateway.config import GateMode
from gateway.directory import Directory, GateReason, Party
from gateway.errors import GatewayError, PolicyViolation, Unavailable
from gateway.message import Aanlevering, Oin
from gateway.pipeline import judge
from gateway.pipeline.house import House
from gateway.pipeline.senders import decider_on, party_at, sender_of
from gateway.ports import Known, Proof
from gateway.rules import approval, classification, deciding
from gateway.rules.approval import Ground, Hold, Released
from gateway.security.enveloped import judge_signature_of, verify_document
from gateway.wire import stuf, toets, toets_read
from gateway.wire.stuf import ANSWERS, Document
from gateway.wire.toets import Besluit


class Gated(Protocol):
    """A delivery, as far as the gate asks: a claim, or what lies in a postvak."""

    @property
    def ground(self) -> str: ...
    @property
    def approval_id(self) -> str: ...
    @property
    def payload_sha256(self) -> str: ...
    @property
    def message(self) -> Known: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Towards:
    """Who is about to have the octets: the other party of the agreement, or who collects."""

    party: Oin
    applicatie: str = ""
    """Of a postvak."""
    collects: bool = False
    straight: bool = False
    """A letter: it passes no hub."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What may be sealed or shown; or, with a fault, not."""

    octets: bytes
    fault: Hold | None = None
    use: str = ""
    """The use of a decision that it takes: of one, for one receiver. Empty = it takes none."""


class Proving:
    """Thinks about what is about to be sealed, or shown."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house

    async def look(
        self, directory: Directory, claim: Gated, to: Towards, *, at: datetime | None = None
    ) -> Proven:
        """Return the octets, or why they must not be sealed or shown. Raises Unavailable.

        `at` is the moment by which standing approvals count, now unless given; a decision on
        this message counts only as long as it is valid. Raises GatewayError `payload.*`, `xml.*`,
        `stuf.*` for octets that can not be read.
        """
        message = claim.message
        octets, proven = await self._house.payloads.opened(
            message.payload_id or "", message.aanlevering.label()
        )
        said = message.aanlevering if proven else Aanlevering()
        return await self._proven(directory, claim, (octets, said), to, at)

    async def _proven(
        self,
        directory: Directory,
        claim: Gated,
        given: tuple[bytes, Aanlevering],
        to: Towards,
        at: datetime | None,
    ) -> Proven:
        octets, said = given
        now = self._house.clock.now()
        document, judged = await self._house.think(
            len(octets),
            lambda: _judged(stuf.read_stored(octets), directory, claim, said, at or now),
        )
        if _goes_astray(document, directory, to):
            return Proven(octets, Hold(kinds=(GateReason.UNCLASSIFIED,), reasons=()))
        if not isinstance(judged, Hold):
            return Proven(octets)
        if claim.ground != Ground.INDIVIDUAL:
            return Proven(octets, judged)
        proof = await self._house.holds.proof(claim.approval_id)
        besluit = self._signed(directory, claim, document, proof, now) if proof else None
        second = _is_second_gate(document, directory)
        if besluit is None or not await self._counts(besluit, second=second):
            return Proven(octets, Hold(kinds=(GateReason.INDIVIDUAL,), reasons=judged.reasons))
        return Proven(octets, use=_use(besluit, document))

    async def _counts(self, besluit: Besluit, *, second: bool) -> bool:
        """Not withdrawn, and what the receiver had to accept first was accepted.

        A second gate does not wait for that: the holder did.
        """
        holds, id_ = self._house.holds, besluit.identificatie
        if await holds.is_withdrawn(id_):
            return False
        first = any(one.aanvaarding for one in besluit.voorwaarden)
        return second or not first or await holds.is_accepted(id_)

    def _signed(
        self,
        directory: Directory,
        claim: Gated,
        document: Document,
        proof: Proof,
        at: datetime,
    ) -> Besluit | None:
        """Return what the OM signed, if that releases exactly these octets to this receiver."""
        decider, ontvanger = decider_on(directory, document), document.stuurgegevens.ontvanger
        if decider is None or ontvanger is None:
            return None
        try:
            signed = stuf.read_document(proof.document)
            judge_signature_of(
                verify_document(signed),
                party=decider,
                trust=self._house.snapshots.trust(directory),
                at=at,
            )
            besluit = toets_read.read_besluit(signed)
        except Unavailable:
            raise
        except GatewayError:
            return None
        good = (
            _same_question(
                besluit,
                proof,
                second=_is_second_gate(document, directory),
                table=directory.gate.at(at).table.version,
            )
            and besluit.sha256 == document.sha256 == claim.payload_sha256
            and Oin(ontvanger.organisatie) in besluit.ontvangers
            and besluit.uitkomst in deciding.RELEASES
            and at < besluit.geldig_tot
        )
        return besluit if good else None


def _use(besluit: Besluit, document: Document) -> str:
    """A decision that names several receivers lets one message go to each."""
    ontvanger = document.stuurgegevens.ontvanger
    return f"{besluit.identificatie}:{ontvanger.organisatie if ontvanger else ''}"


def _is_second_gate(document: Document, directory: Directory) -> bool:
    """By who sent the octets, not by a row."""
    sender = sender_of(directory, document)
    return sender is not None and not sender.local and sender.gate is GateMode.DECISION


def _goes_astray(document: Document, directory: Directory, to: Towards) -> bool:
    """Tell whether the octets are for another than who would have them.

    A row says over which agreement, or from which postvak. A knooppunt goes by the octets. Bv01
    and Fo01 say nothing of a case, and may name nobody.
    """
    if document.name in ANSWERS:
        return False
    ontvanger = document.stuurgegevens.ontvanger
    if ontvanger is None:
        return True
    if to.party != ontvanger.organisatie:
        next_hop = directory.parties.get(to.party)
        passes_on = next_hop is not None and next_hop.role is Role.KNOOPPUNT
        return to.collects or to.straight or not passes_on
    return to.collects and ontvanger.applicatie not in {"", to.applicatie}


def _same_question(besluit: Besluit, proof: Proof, *, second: bool, table: str) -> bool:
    """At a second gate the decision answers the police's own question, by the police's table."""
    if second:
        return besluit.identificatie == proof.seen
    return besluit.verzoek == proof.hold and besluit.tabelversie == table


def _judged(
    document: Document, directory: Directory, claim: Gated, said: Aanlevering, at: datetime
) -> tuple[Document, Released | Hold | None]:
    return document, judge_again(document, directory, claim.message.version, said, at)


def judge_again(
    document: Document, directory: Directory, version: str, said: Aanlevering, at: datetime
) -> Released | Hold | None:
    """Ask the gate again, by the octets; None where no gate stands here for this sender."""
    sender = sender_of(directory, document)
    receiver = party_at(directory, document.stuurgegevens.ontvanger)
    if document.name == toets.VERZOEK and not (receiver and directory.gate.is_om(receiver)):
        return Hold(kinds=(GateReason.UNCLASSIFIED,), reasons=())  # it has the octets in it
    if document.name in ANSWERS | toets.KINDS:
        return None  # only the gateway makes these
    if sender is None or not (sender.local or sender.gate is not GateMode.NONE):
        return None
    if receiver is None:
        return Hold(kinds=(GateReason.UNCLASSIFIED,), reasons=())
    said = said if sender.local else classification.said_in(document)
    return _asked(document, directory, version, (sender, receiver), said, at)


def _asked(
    document: Document,
    directory: Directory,
    version: str,
    parties: tuple[Party, Party],
    said: Aanlevering,
    at: datetime,
) -> Released | Hold:
    sender, receiver = parties
    table = directory.gate.at(at).table
    verdict = classification.classify(document, said, version=version, table=table)
    if sender.gate is GateMode.DECISION and not sender.local:
        return approval.second_gate(
            verdict,
            sender=sender,
            receiver=receiver,
            gate=directory.gate,
            payload_sha256=document.sha256,
        )
    try:
        return approval.pass_or_hold(
            verdict,
            sender=sender,
            receiver=receiver,
            kind=judge.kind_of(document, version, directory),
            gate=directory.gate,
            payload_sha256=document.sha256,
            at=at,
        )
    except PolicyViolation:
        return Hold(kinds=(GateReason.INDIVIDUAL,), reasons=())
