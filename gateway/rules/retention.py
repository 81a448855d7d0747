"""How long are things kept? Pure: what happened and what was laid down are arguments.

State decides, time only after it: nothing is destroyed that a delivery may still need, however
old it is. HELD and UNKNOWN end by a person, never by the clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.config import InstallationRole, RetentionSettings
from gateway.directory import Agreement
from gateway.lifecycle import ENDED, State

DEFAULT_WINDOW = timedelta(days=5)
"""PersistDuration where the parties laid down nothing (DK-ebMS2, 3.7)."""
LATE = timedelta(days=1)
"""A retry that was on its way, or came from a clock that is behind."""
_UNDELIVERED = frozenset({State.DEAD, State.WITHHELD})


_LOCAL = frozenset({"postvak", "toets"})


class Part(StrEnum):
    """The part that this installation has in a message."""

    RELAYED = "doorgegeven"
    """From one partner to another: the knooppunt."""
    RECEIVED = "ontvangen"
    """For a back-end here."""
    SENT = "verzonden"
    """Handed in by a back-end here."""
    OWN = "eigen"
    """Bv01 or Fo01 made here."""


class Rule(StrEnum):
    """Why a payload is due; stands in the audit row."""

    RELAYED = "doorgegeven"
    CONFIRMED = "bevestigd"
    ANSWERED = "beantwoord"
    UNANSWERED = "onbeantwoord"
    UNDELIVERED = "onbestelbaar"
    WINDOW = "bewaartermijn-messageid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the installation laid down, from the moment that each names."""

    relayed: timedelta
    received: timedelta
    answered: timedelta
    unanswered: timedelta
    undelivered: timedelta
    decisions: timedelta
    """Of requests and decisions, from when they are over."""
    traffic: timedelta | None
    """Age of the traffic data of a message; None = no maximum (a party's own duty to keep)."""

    @classmethod
    def of(cls, settings: RetentionSettings, role: InstallationRole) -> "Terms":
        """Return the terms; at a knooppunt nothing that was delivered outlives the legal term."""
        hub = role is InstallationRole.KNOOPPUNT
        relayed = timedelta(hours=settings.relayed_hours)
        most = relayed if hub else timedelta.max
        return cls(
            relayed=relayed,
            received=min(timedelta(hours=settings.received_hours), most),
            answered=min(timedelta(hours=settings.answered_hours), most),
            unanswered=min(timedelta(hours=settings.unanswered_hours), most),
            undelivered=timedelta(hours=settings.undelivered_hours),
            decisions=timedelta(days=settings.decision_days),
            traffic=timedelta(days=settings.traffic_days) if hub else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is on file about one message that still has its payload."""

    part: Part
    states: frozenset[State]
    """Of all its deliveries; empty when there are none."""
    ended_at: datetime
    """When the last delivery ended."""
    answered_at: datetime | None = None
    """When its Bv01 or Fo01 came."""


@dataclass(frozen=True, slots=True)
class Due:
    """The payload and everything that was signed over it go at this moment."""

    at: datetime
    rule: Rule


def part_of(direction: str, channels: Iterable[str]) -> Part:
    """Return the part, by the direction of the message and the channels of its deliveries."""
    match direction:
        case "eigen":
            return Part.OWN
        case "uit":
            return Part.SENT
        case _:
            return Part.RECEIVED if _LOCAL & set(channels) else Part.RELAYED


def payload_due(facts: Facts, terms: Terms) -> Due | None:
    """Return when the payload goes; None = not by time: a delivery lives, or a person decides."""
    if not facts.states or facts.states - ENDED:
        return None
    if facts.states & _UNDELIVERED or _refused_by_partner(facts):
        return Due(facts.ended_at + terms.undelivered, Rule.UNDELIVERED)
    match facts.part:
        case Part.RELAYED | Part.OWN:
            return Due(facts.ended_at + terms.relayed, Rule.RELAYED)
        case Part.RECEIVED:
            return Due(facts.ended_at + terms.received, Rule.CONFIRMED)
        case Part.SENT:
            return _sent(facts, terms)


def _refused_by_partner(facts: Facts) -> bool:
    """A back-end's refusal is an answer, by Fo01; a partner's MessageError is a failure."""
    return State.REFUSED in facts.states and facts.part is not Part.RECEIVED


def _sent(facts: Facts, terms: Terms) -> Due:
    """The acknowledgement tells that it arrived, the Bv01 or Fo01 what came of it."""
    if facts.answered_at is None:
        return Due(facts.ended_at + terms.unanswered, Rule.UNANSWERED)
    return Due(max(facts.ended_at, facts.answered_at) + terms.answered, Rule.ANSWERED)


def window(agreement: Agreement, sender: str) -> timedelta:
    """Return how long a MessageId of `sender` may still come again (DK-ebMS2, 2.2 row 9).

    The larger of (1 + Retries) × RetryInterval and PersistDuration, over all that it may send.
    """
    spans = [
        max(c.persist_duration, (1 + c.retries) * c.retry_interval)
        for c in (b.channel for b in agreement.bindings if b.sender.id == sender)
    ]
    longest = max(spans, default=timedelta(0))
    return longest or DEFAULT_WINDOW


def acknowledgment_due(received_at: datetime, window: timedelta) -> Due:
    """Return when the stored acknowledgement goes: no duplicate needs it as an answer any more.

    The row of the message stays, so that a later duplicate is still known as one.
    """
    return Due(received_at + max(window, timedelta(0)) + LATE, Rule.WINDOW)


def traffic_due(received_at: datetime, terms: Terms) -> datetime | None:
    """Return when the traffic data of a message (verkeersgegevens) go; None = not by this rule."""
    return None if terms.traffic is None else received_at + terms.traffic
