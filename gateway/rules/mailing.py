"""May a message go by secure e-mail, and why? Pure.

Over CORV unless it can not wait: Regeling justitiële keteninformatisering Jeugdwet, art. 3 lid 1
("behoudens gevallen van onverwijlde spoed"); by e-mail where there is no standard message for it
(Samenwerkingsafspraken 3.2.1). So there are two ways to e-mail: the pair never agreed on the
message, and then it is the normal route; or the agreed route fails *and* somebody who says so by
name, or a ground that stands for this message, calls it onverwijlde spoed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.directory import Directory, Party, StandingSpoed
from gateway.errors import PolicyViolation
from gateway.lifecycle import State
from gateway.message import MessageStatus, Oin
from gateway.wire import toets


class Policy(StrEnum):
    """What e-mail is for one message to one party."""

    NONE = "geen"
    """Nothing: it is not set up here, or not for this party."""
    NORMAL = "gewoon"
    """Its route: no agreement of the pair has the message."""
    FALLBACK = "spoed"
    """The way out, with a ground."""


class Cause(StrEnum):
    """What is wrong with the agreed route."""

    GIVEN_UP = "opgegeven"
    """Every try of the agreement was made, or a person stopped it."""
    UNKNOWN = "onbekend"
    """It may have arrived, and no retry can tell."""
    DOWN = "onbereikbaar"
    """The partner does not answer, and it waits for the next probe."""
    LATE = "te-laat"
    """The next try is at or after the moment by which it must be there."""


class Heard(StrEnum):
    """What the partner answered to a StatusRequest (ebMS 2.0, 7.1.2), as far as it matters."""

    NOTHING = "geen-antwoord"
    """Not asked, no answer, or one that says nothing (UnAuthorized)."""
    THERE = "ontvangen"
    """Received, Processed or Forwarded."""
    NOT_THERE = "niet-bekend"
    """NotRecognized."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Why it can not wait, and who says so."""

    text: str
    by: str
    """Login of a person, or name and function of who laid a standing ground down."""
    standing: str = ""
    """Id of the standing ground; empty = given by a person for this message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """How it went over the agreed route."""

    state: State
    released: bool
    """By the OM, or it needs no release; one that was held and then stopped is not."""
    attempts: int
    down: bool
    """The partner is marked as unreachable."""
    next_at: datetime | None
    """When it is tried again, or the acknowledgement is waited for; None = not at all."""
    deadline: datetime
    """By when it must be there."""
    heard: Heard = Heard.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """It may go by e-mail."""

    cause: Cause
    ground: Ground
    twice: bool
    """It may arrive a second time: the mail says so."""


def policy_for(directory: Directory, party: Party, hops: Iterable[Oin], message: str) -> Policy:
    """Return what e-mail is for `message` to `party`.

    `hops`: who could take it over ebMS, the party itself and perhaps a hub. An agreement that
    has ended, is still to begin, or has the message in another version counts as one: what
    lapsed is mended, not gone round. The messages of the OM gate never go by e-mail: what lets
    data of the police leave comes over the closed route or not at all.
    """
    if directory.mail is None or party.local or party.mail is None or message in toets.KINDS:
        return Policy.NONE
    pairs = [{directory.me, hop} for hop in hops]
    agreed = any(
        agreement.find(directory.me, message)
        for agreement in directory.agreements.values()
        if {one.id for one in agreement.parties} in pairs
    )
    return Policy.FALLBACK if agreed else Policy.NORMAL


def heard_as(status: MessageStatus | None) -> Heard:
    """Return what the answer to a StatusRequest says here; None = there was none."""
    match status:
        case MessageStatus.RECEIVED | MessageStatus.PROCESSED | MessageStatus.FORWARDED:
            return Heard.THERE
        case MessageStatus.NOT_RECOGNIZED:
            return Heard.NOT_THERE
        case MessageStatus.UNAUTHORIZED | None:
            return Heard.NOTHING


def cause_of(tried: SoFar, *, at: datetime) -> Cause | None:
    """Return what is wrong with the agreed route; None when nothing is."""
    match tried.state:
        case State.DEAD:
            return Cause.GIVEN_UP
        case State.UNKNOWN:
            return Cause.UNKNOWN
        case State.READY | State.SENT if tried.down:
            return Cause.DOWN
        case State.READY | State.SENT if max(tried.next_at or at, at) >= tried.deadline:
            return Cause.LATE
        case _:
            return None


def standing_ground(given: Iterable[StandingSpoed], message: str, *, at: datetime) -> Ground | None:
    """Return the standing ground for this message; None where nobody laid one down."""
    for one in given:
        if message in one.messages and one.valid_from <= at < one.valid_until:
            return Ground(text=one.ground, by=one.given_by, standing=one.id)
    return None


def may_switch(policy: Policy, tried: SoFar, ground: Ground | None, *, at: datetime) -> Fallback:
    """Return on what it goes by e-mail; raise PolicyViolation `mail.*` when it may not.

    What the OM holds or withheld never does, whatever the ground; nor what arrived, what its
    recipient refused, or what is being sent this moment.
    """
    if policy is not Policy.FALLBACK:
        raise PolicyViolation("mail.partner", "Van deze partij staat geen beveiligde e-mail vast.")
    _may_leave(tried)
    cause = cause_of(tried, at=at)
    if cause is None:
        raise PolicyViolation("mail.niet_nodig", "De afgesproken route werkt, en op tijd.")
    if ground is None or not ground.text.strip() or not ground.by.strip():
        raise PolicyViolation("mail.grond", "Zonder grond van onverwijlde spoed geen e-mail.")
    twice = tried.attempts > 0 and tried.heard is not Heard.NOT_THERE
    return Fallback(cause=cause, ground=ground, twice=twice)


def _may_leave(tried: SoFar) -> None:
    match tried.state:
        case _ if not tried.released:
            raise _with_the_om()
        case State.HELD | State.WITHHELD:
            raise _with_the_om()
        case State.REPLACED:
            raise PolicyViolation("mail.al", "Dit bericht gaat al per e-mail.")
        case State.CLAIMED:
            raise PolicyViolation("mail.onderweg", "Het wordt op dit moment verzonden.")
        case State.DELIVERED | State.REFUSED:
            raise PolicyViolation("mail.afgerond", "De ontvanger heeft op het bericht beslist.")
        case _ if tried.heard is Heard.THERE:
            raise PolicyViolation("mail.aangekomen", "De partner zegt dat hij het bericht heeft.")
        case _:
            return


def _with_the_om() -> PolicyViolation:
    return PolicyViolation("mail.toets", "Het OM houdt dit bericht vast of gaf het niet vrij.")
