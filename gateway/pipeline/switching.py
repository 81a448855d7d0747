"""A message that can not wait goes on by secure e-mail: a person says so, or a ground that stands.

What is thought here is written by one commit, which does nothing when the delivery moved
meanwhile; the letter is gated again when it is claimed.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.directory import Directory, OwnMail, Party, StandingSpoed
from gateway.errors import GatewayError, NoRoute, PolicyViolation, Unavailable
from gateway.message import Oin
from gateway.pipeline.answers import to_delivery
from gateway.pipeline.enquiring import Enquiring
from gateway.pipeline.house import House
from gateway.ports import Alarm, AuditEvent, AuditRow, DeliveryChannel, Known, NewDelivery
from gateway.ports.switching import Switchable
from gateway.rules import approval, mailing, routing
from gateway.rules.deciding import hold_deadline
from gateway.rules.mailing import Fallback, Ground, Heard, SoFar

PAGE = 200
_SWITCHED = "delivery.switched"
_FREE = frozenset({approval.Ground.NOT_GATED, approval.Ground.FORWARDED, approval.Ground.OWN})
"""Grounds that stand on no approval or decision."""
_THERE = "mail.aangekomen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """A message that goes on by e-mail."""

    message: str
    letter: str
    """Id of the new delivery."""
    cause: str
    twice: bool
    """It may arrive a second time; the mail says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the partner said when he was asked."""

    heard: Heard = Heard.NOTHING
    how: str = ""
    """His own word, or why there is none; empty = he was not asked: nothing was tried yet."""


Ask = Callable[[Switchable, str], Awaitable[Said]]


class Switching:
    """From the agreed route to secure e-mail."""

    def __init__(self, house: House, enquiring: Enquiring) -> None:
        """Take the ports, and what asks the partner."""
        self._house = house
        self._enquiring = enquiring

    async def switch(self, id_: str, *, who: str, why: str) -> Switched:
        """Let a message go on by e-mail, on the ground that a person gives.

        `id_` is that of the message or of its delivery. The partner is asked first whether he has
        what was tried, for `patience` of the house at most. Raises NoRoute
        `bericht.onvindbaar`, PolicyViolation `mail.*`.
        """
        seen = await self._house.switches.standing(id_)
        if seen is None:
            raise NoRoute("bericht.onvindbaar", "Er is geen verzending met dit id.")
        return await self._switch(seen, Ground(text=why, by=who), self._ask)

    async def switch_standing(self) -> int:
        """Let go on what a standing ground is for, and what fails or would be late; how many.

        What was given up already is for a person: he has an alarm of it. Of what the partner says
        to have he gets one. A partner that gives no answer is not asked again in this round.
        Raises Unavailable.
        """
        directory, at = self._house.snapshots.current(), self._house.clock.now()
        silent: set[Oin] = set()
        done = 0
        for party in directory.parties.values():
            for one in party.mail.spoed if party.mail and directory.mail else ():
                done += await self._switch_all(party.oin, one, at, silent)
        return done

    async def _switch_all(
        self, receiver: Oin, one: StandingSpoed, at: datetime, silent: set[Oin]
    ) -> int:
        """Look past what stays here, the oldest of all, until a page of messages went.

        The others go in the next round: alarms wait for the end of this one.
        """
        done, last = 0, None
        while done < PAGE and (
            found := await self._house.switches.stuck(
                receiver, one.messages, since=one.valid_from, after=last, limit=PAGE
            )
        ):
            done += sum([await self._on_standing(seen, one, at, silent) for seen in found])
            last = found[-1]
        return done

    async def _on_standing(
        self, seen: Switchable, one: StandingSpoed, at: datetime, silent: set[Oin]
    ) -> bool:
        ground = mailing.standing_ground((one,), seen.message.kind, at=at)
        if ground is None:
            return False

        async def ask(seen: Switchable, who: str) -> Said:
            return await self._ask_once(seen, who, silent)

        try:
            await self._switch(seen, ground, ask)
        except PolicyViolation as error:
            if error.code == _THERE:
                await self._house.alarms.change(raised=(_there(seen),))
            return False  # it goes well, or may not: most do
        except Unavailable:
            raise
        except GatewayError as error:  # octets that can not be read keep no other here
            self._house.count.refused(error.code)
            return False
        return True

    async def _switch(self, seen: Switchable, ground: Ground, ask: Ask) -> Switched:
        """Ask between two judgements; what moved since it was seen is not switched."""
        await self._judged(seen, ground, Said())
        await self._check_content(seen.message)
        said = await ask(seen, ground.by) if seen.attempts else Said()
        party, own, found = await self._judged(seen, ground, said)
        at = self._house.clock.now()
        letter = to_delivery(
            self._house,
            routing.ToMail(recipient=party.oin, own=own),
            at=at,
            ground=seen.ground,
            sha256=seen.payload_sha256,
            approval_id=seen.approval_id,
            table_version=seen.table_version,
            twice=found.twice,
        )
        event = _event(seen, found, said, letter, at)
        if not await self._house.switches.switch(seen, letter, event):
            raise PolicyViolation("mail.onderweg", "De verzending is net veranderd.")
        return Switched(
            message=seen.message.id, letter=letter.id, cause=str(found.cause), twice=found.twice
        )

    async def _judged(
        self, seen: Switchable, ground: Ground, said: Said
    ) -> tuple[Party, OwnMail, Fallback]:
        """Return to whom it goes and on what; raises PolicyViolation `mail.*`."""
        directory = self._house.snapshots.current()
        party, own = _receiver(directory, seen.message)
        policy = mailing.policy_for(
            directory, party, routing.hops(directory, party), seen.message.kind
        )
        tried = SoFar(
            state=seen.state,
            released=seen.ground in _FREE or bool(seen.approval_id),
            attempts=seen.attempts,
            down=seen.down,
            next_at=seen.next_at,
            deadline=await self._deadline(seen.message),
            heard=said.heard,
        )
        found = mailing.may_switch(policy, tried, ground, at=self._house.clock.now())
        return party, own, found

    async def _ask(self, seen: Switchable, who: str) -> Said:
        heard = await self._enquiring.status_of(seen, who=who)
        return Said(heard=mailing.heard_as(heard.status), how=heard.status or heard.code)

    async def _ask_once(self, seen: Switchable, who: str, silent: set[Oin]) -> Said:
        """What he said to have is not asked again, nor anything of who gave no answer."""
        before = await self._house.enquiries.heard_of(seen.delivery)
        if before is not None and mailing.heard_as(before.status) is Heard.THERE:
            return Said(heard=Heard.THERE, how=str(before.status))
        if seen.recipient in silent:
            return Said(how="enquiry.silent")
        said = await self._ask(seen, who)
        if said.heard is Heard.NOTHING:
            silent.add(seen.recipient)
        return said

    async def _check_content(self, message: Known) -> None:
        try:
            await self._house.payloads.opened(message.payload_id or "", message.aanlevering.label())
        except GatewayError as error:
            if error.code != "payload.destroyed":
                raise
            raise PolicyViolation(
                "mail.vernietigd", "De inhoud is na haar bewaartermijn vernietigd."
            ) from error

    async def _deadline(self, message: Known) -> datetime:
        """By when it must be there: the term of the question that it answers, or its own."""
        asked = None
        if message.cross_refnummer:
            origin = await self._house.inbox.origin(
                message.cross_refnummer, answered_by=message.zender
            )
            asked = None if origin is None else (origin.kind, origin.at)
        return hold_deadline(
            message.kind, acuut=message.aanlevering.acuut, handed_in=message.at, asked=asked
        )


def _receiver(directory: Directory, message: Known) -> tuple[Party, OwnMail]:
    """Return to whom the letter goes, past any hub; raises PolicyViolation `mail.partner`."""
    party, own = directory.party(message.ontvanger), directory.mail
    if party is None or own is None:
        raise PolicyViolation("mail.partner", "Van deze partij staat geen beveiligde e-mail vast.")
    return party, own


def ground_of(trace: Iterable[AuditRow], letter: str) -> str:
    """Return on what ground a letter stands in for the agreed route; empty when it does not.

    Raises PolicyViolation `mail.onverklaard` when the trace does not say how it became a letter:
    then something else than this program made it one.
    """
    for event in (row.event for row in trace):
        if event.event == _SWITCHED and event.data["letter"] == letter:
            return str(event.data["reason"])
        if event.delivery == letter and event.data.get("channel") == DeliveryChannel.MAIL:
            return ""
    raise PolicyViolation("mail.onverklaard", "no audit row says how this became a letter")


def _there(seen: Switchable) -> Alarm:
    """It did not go by e-mail: a person must find out why he does not acknowledge it."""
    return Alarm(
        code="delivery.there",
        subject=seen.delivery,
        message=seen.message.id,
        party=seen.recipient,
        reason=_THERE,
    )


def _event(
    seen: Switchable, found: Fallback, said: Said, letter: NewDelivery, at: datetime
) -> AuditEvent:
    """Everything on which it was decided, and what was tried."""
    return AuditEvent(
        event=_SWITCHED,
        at=at,
        message=seen.message.id,
        delivery=seen.delivery,
        party=letter.recipient,
        actor=found.ground.by,
        data={
            "cause": str(found.cause),
            "reason": found.ground.text,
            "standing": found.ground.standing,
            "attempt": seen.attempts,
            "was": str(seen.state),
            "over": seen.recipient,
            "asked": said.how,
            "heard": str(said.heard),
            "letter": letter.id,
            "twice": found.twice,
        },
    )
