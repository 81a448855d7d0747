"""One attempt at a letter: gate, sign and encrypt, prove the transport, hand over, settle.

That a mail server took it over is not delivery: it only starts the wait for a receipt. When the
whole letter was said and no answer came, a person decides: it is never said again by itself.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, assert_never

from gateway.directory import Directory, GateReason, OwnMail, Party, PartyMail
from gateway.errors import CertificateRejected, Misconfigured, PolicyViolation
from gateway.pipeline.accounts.people import digest_of, token
from gateway.pipeline.attempted import attempted
from gateway.pipeline.house import House
from gateway.pipeline.mail_acknowledging import sealed_receipt
from gateway.pipeline.mail_words import confirm_at, title_of, why_by_mail
from gateway.pipeline.proving import Proven, Proving, Towards
from gateway.pipeline.released import still_released
from gateway.pipeline.switching import ground_of
from gateway.ports import (
    Alarm,
    AuditEvent,
    Claim,
    DeliveryKind,
    GaveUp,
    HandedOver,
    HeldAgain,
    LostTrack,
    Outcome,
    TryAgain,
)
from gateway.ports.mail import (
    CONFIRM,
    ConfirmLink,
    Deferred,
    Delivered,
    Letter,
    NotProved,
    Post,
    Posted,
    Rejected,
    TransportProof,
    Tried,
    Unknown,
)
from gateway.ports.pickup import NOTICE
from gateway.ports.receipts import KnownAs
from gateway.rules import approval
from gateway.security.smime.recipients import Encryption
from gateway.security.smime.seal import Draft, Recipients, seal_mail
from gateway.wire.mail_outside import Outside, write_notice

LETTER_USE = ":mail"
"""Behind the use of a decision: of its one letter."""
UNPROVED = "mail.unproved"
"""Alarm per party: letters wait, because something was not proved secure."""

_SECRET = 20
"""Octets that only the mail server of the recipient is told (ENVID): who names them in a report
has it from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """Where a letter goes, by the snapshot of this attempt."""

    directory: Directory
    own: OwnMail
    party: Party
    mail: PartyMail
    post: Post


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A mail that may leave."""

    event: str
    """Name of the audit row that says so."""
    octets: bytes
    message_id: str
    link: ConfirmLink | None = None
    """That stands in it; None where there is none."""


def _link(claim: Claim, secret: str, until: datetime) -> ConfirmLink | None:
    if not secret:
        return None
    return ConfirmLink(
        digest=digest_of(secret), delivery=claim.delivery, recipient=claim.recipient, until=until
    )


class Mailing:
    """The outbound half of secure e-mail; one call per claim."""

    def __init__(self, house: House, proving: Proving) -> None:
        """Take the ports."""
        self._house = house
        self._proving = proving

    async def attempt(
        self, directory: Directory, claim: Claim, events: list[AuditEvent]
    ) -> Outcome:
        """Return what came of it; raises Unavailable, Misconfigured: it waits.

        Nothing of the letter is said to a mail server before the commit that says so.
        """
        way = self._way(directory, claim)
        if claim.kind is DeliveryKind.SIGNAL:
            return await self._receipt(claim, way, events)
        return await self._letter(claim, way, events)

    async def _letter(self, claim: Claim, way: _Way, events: list[AuditEvent]) -> Outcome:
        directory = way.directory
        released = still_released(directory, claim, self._house.clock.now())
        if isinstance(released, approval.Hold):
            return HeldAgain(ground=released.ground)
        to = Towards(party=claim.recipient, straight=True)
        proven = await self._proving.look(directory, claim, to)
        if proven.fault is not None:
            return HeldAgain(ground=proven.fault.ground)
        if proven.use and not await self._may_use(claim, proven):
            return HeldAgain(ground=GateReason.INDIVIDUAL)
        try:
            made = (
                await self._notice(claim, way)
                if way.mail.portal
                else await self._sealed(claim, way, released, proven.octets)
            )
        except CertificateRejected as error:
            return await self._waits(claim, way, error.code, events)
        except PolicyViolation as error:
            events.append(attempted(self._house, claim, "delivery.dead", code=error.code))
            return GaveUp(code=error.code)
        return await self._posted(claim, way, made, events)

    def _way(self, directory: Directory, claim: Claim) -> _Way:
        own, post, party = directory.mail, self._house.post, directory.party(claim.recipient)
        if own is None or post is None or party is None or party.mail is None:
            raise Misconfigured("mail.off", "secure e-mail is not set up for this party")
        return _Way(directory=directory, own=own, party=party, mail=party.mail, post=post)

    async def _may_use(self, claim: Claim, proven: Proven) -> bool:
        """A decision lets one letter go, beside the envelope that it may have let go before."""
        letter = sha256(claim.delivery.encode()).hexdigest()
        return await self._house.holds.use(proven.use + LETTER_USE, letter)

    async def _notice(self, claim: Claim, way: _Way) -> _Made:
        """The message waits at the portal: the mail says that one does."""
        await self._ground(claim)
        outside = Outside(
            sender=way.own.address,
            recipient=way.mail.address,
            ebms_message_id=claim.message.message_id,
        )
        octets = write_notice(outside, way.own.portal, self._house.clock.now())
        return _Made(event=NOTICE, octets=octets, message_id=outside.message_id)

    async def _sealed(
        self, claim: Claim, way: _Way, released: approval.Released, octets: bytes
    ) -> _Made:
        """Sign and encrypt for each mailbox, by the certificates of this moment."""
        secret = token(self._house.dice) if way.own.portal else ""
        draft = Draft(
            payload=octets,
            ebms_message_id=claim.message.message_id,
            sender=way.own.address,
            recipient=way.mail.address,
            title=title_of(claim.message.kind),
            sentences=(
                *why_by_mail(await self._ground(claim)),
                *(confirm_at(f"{way.own.portal}{CONFIRM}/{secret}") if secret else ()),
            ),
            twice=claim.twice,
        )
        to = Recipients(
            certificates=way.mail.certificates,
            encryption=Encryption(way.mail.encryption),
            header=way.mail.header,
        )
        at = self._house.clock.now()
        mail = await self._house.think(
            len(octets),
            lambda: seal_mail(
                released,
                draft,
                to=to,
                signer=self._house.keyring.signer(way.own.sign),
                trust=self._house.snapshots.trust(way.directory),
                maximum=way.own.maximum,
                random=self._house.dice.octets,
                at=at,
                chain=way.own.chain,
            ),
        )
        return _Made(
            event="mail.sealed",
            octets=mail.octets,
            message_id=mail.message_id,
            link=_link(claim, secret, at + way.own.confirmable),
        )

    async def _ground(self, claim: Claim) -> str:
        found = await self._house.reader.message(claim.message.id)
        return ground_of(() if found is None else found.trace, claim.delivery)

    async def _posted(
        self, claim: Claim, way: _Way, made: _Made, events: list[AuditEvent]
    ) -> Outcome:
        told = self._house.dice.octets(_SECRET).hex()
        letter = Letter(
            octets=made.octets,
            sender=way.own.address,
            recipients=(way.mail.address,),
            reference=told,
            tells_success=not way.mail.portal,
        )
        known_as = KnownAs(reference=sha256(told.encode()).hexdigest(), mail=made.message_id)
        sealed = attempted(
            self._house,
            claim,
            made.event,
            sha256=sha256(made.octets).hexdigest(),
            size=len(made.octets),
            mail=made.message_id,
            twice=claim.twice,
            mailboxes=len(way.mail.certificates),
        )

        async def leaves(_proof: TransportProof) -> None:
            # All that can fail here does so before the letter: behind it, it would go twice.
            await self._house.alarms.change(gone=((UNPROVED, claim.recipient),))
            await self._house.queue.posting(claim, known_as, sealed, made.link)

        posted = await way.post.send(letter, way.mail.way, leaves)
        return await self._outcome(claim, way, posted, events)

    async def _receipt(self, claim: Claim, way: _Way, events: list[AuditEvent]) -> Outcome:
        """Send a receipt of ours: a copy harms nobody, and who misses it sends his letter again."""
        try:
            letter = await sealed_receipt(
                self._house, way.directory, claim, own=way.own, mail=way.mail
            )
        except CertificateRejected as error:
            return await self._waits(claim, way, error.code, events)

        async def leaves(_proof: TransportProof) -> None:
            await self._house.alarms.change(gone=((UNPROVED, claim.recipient),))

        posted = await way.post.send(letter, way.mail.way, leaves)
        outcome = await self._outcome(claim, way, posted, events)
        return HandedOver(until=None) if isinstance(outcome, HandedOver | LostTrack) else outcome

    async def _outcome(
        self, claim: Claim, way: _Way, posted: Posted, events: list[AuditEvent]
    ) -> Outcome:
        events.extend(
            attempted(self._house, claim, "mail.tried", **_of_try(one)) for one in posted.tried
        )
        match posted:
            case Delivered():
                events.append(
                    attempted(self._house, claim, "mail.proved", **_of_proof(posted.proof))
                )
                events.append(
                    attempted(
                        self._house,
                        claim,
                        "delivery.sent",
                        reply=posted.reply,
                        notifies=posted.notifies,
                    )
                )
                return HandedOver(until=self._house.clock.now() + way.own.receipt)
            case Unknown():
                events.append(
                    attempted(self._house, claim, "mail.proved", **_of_proof(posted.proof))
                )
                events.append(attempted(self._house, claim, "delivery.unknown", code=posted.code))
                return LostTrack(code=posted.code)
            case NotProved():
                return await self._waits(claim, way, posted.code, events, seen=posted.seen)
            case Deferred():
                return self._again(claim, way, posted.code, events, seen=posted.seen)
            case Rejected():
                events.append(
                    attempted(
                        self._house, claim, "delivery.dead", code=posted.code, seen=posted.seen
                    )
                )
                return GaveUp(code=posted.code)
            case _:
                assert_never(posted)

    async def _waits(
        self, claim: Claim, way: _Way, code: str, events: list[AuditEvent], *, seen: str = ""
    ) -> Outcome:
        """Not proved is not sent: it waits, and a person sees which check failed."""
        alarm = Alarm(
            code=UNPROVED,
            subject=claim.recipient,
            message=claim.message.id,
            party=claim.recipient,
            reason=code,
        )
        await self._house.alarms.change(raised=(alarm,))
        return self._again(claim, way, code, events, seen=seen)

    def _again(
        self, claim: Claim, way: _Way, code: str, events: list[AuditEvent], *, seen: str
    ) -> Outcome:
        """Nothing was taken over. The end of its lifetime ends the tries of a letter.

        A receipt has none, and may be queued once more long after.
        """
        if claim.kind is DeliveryKind.SIGNAL and claim.tries > claim.retries:
            events.append(attempted(self._house, claim, "delivery.dead", code=code, seen=seen))
            return GaveUp(code=code)
        at = self._house.clock.now() + way.own.again
        events.append(
            attempted(
                self._house, claim, "delivery.retry", code=code, next=at.isoformat(), seen=seen
            )
        )
        return TryAgain(at=at, code=code, down=True)


def _of_proof(proof: TransportProof) -> dict[str, Any]:
    return {
        "domain": proof.domain,
        "mx": proof.mx,
        "address": proof.address,
        "basis": str(proof.basis),
        "record": proof.record,
        "name": proof.name,
        "certificate": proof.certificate,
        "tls": proof.tls,
        "dnssec": proof.dnssec,
        "nta7516": proof.nta7516,
    }


def _of_try(one: Tried) -> dict[str, str]:
    return {"code": one.code, "host": one.host, "address": one.address, "seen": one.seen}
