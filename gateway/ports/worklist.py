"""What a person does about a message that its receiver refused with a Fo01."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Reason(StrEnum):
    """Why nothing more is done about a refusal here."""

    OTHERWISE = "anders_gemeld"
    """It reached its receiver by another way: by telephone, by mail."""
    NEW = "nieuw_bericht"
    """Its system handed in another message, without saying that it replaces this one."""
    NEEDLESS = "niet_nodig"
    """It need not arrive any more."""
    TOO_LATE = "te_laat"
    """It can do no good any more: its term is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Somebody works on it; from `until` on nobody does."""

    who: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Somebody said that nothing more will be done."""

    at: datetime
    who: str
    reason: Reason
    why: str


class Worklist(Protocol):
    """Each change is an audit row of the message.

    All raise NoRoute `bericht.onvindbaar`; PolicyViolation `geweigerd.niet` for a message that
    was not refused, `geweigerd.klaar` where it was closed or replaced.
    """

    async def take(self, message: str, *, who: str, until: datetime) -> None:
        """Let everybody see who works on it, until then; from another it is taken over."""
        ...

    async def let_go(self, message: str, *, who: str) -> None:
        """Let everybody see that nobody does; raises `geweigerd.genomen` where another does."""
        ...

    async def close(self, message: str, *, who: str, reason: Reason, why: str) -> None:
        """Do nothing more about it; raises `geweigerd.genomen` where another works on it."""
        ...
