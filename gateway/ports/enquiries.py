"""What partners are asked over ebMS, and what they answer: Ping and StatusRequest."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.message import MessageStatus, Oin


@dataclass(frozen=True, slots=True, kw_only=True)
class Enquiry:
    """A question to a partner."""

    id: str
    """The MessageId of the question."""
    party: Oin
    cpa_id: str
    answer: str
    """Action of the answer: `Pong` or `StatusResponse`."""
    about: str = ""
    """MessageId of the message that is asked about."""
    delivery: str = ""
    """Our delivery of that message."""
    message: str = ""
    """Our id of that message."""
    who: str
    """Person or process that asks."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquiryAnswer:
    """An authenticated answer that says to be one to a question of ours."""

    id: str
    """The MessageId of the answer."""
    enquiry: str
    """The MessageId of the question that it names."""
    party: Oin
    cpa_id: str
    action: str
    about: str = ""
    status: MessageStatus | None = None
    received_at: datetime | None = None
    """When the partner received the message, as he says."""
    error: str = ""
    """ebMS error code: a MessageError in place of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was answered to a question."""

    at: datetime
    status: MessageStatus | None
    received_at: datetime | None
    error: str


class Enquiries(Protocol):
    """Any process asks; the answer may come to another."""

    async def ask(self, enquiry: Enquiry) -> None:
        """Write the question down before it is sent, with its audit row."""
        ...

    async def answer(self, answer: EnquiryAnswer) -> bool:
        """Write down what a partner answers; False when he was not asked that.

        Only the first answer counts, only of who was asked, under the same agreement, about the
        same message, for as long as `PATIENCE` of the store. With its audit row.
        """
        ...

    async def silent(self, enquiry: Enquiry, code: str) -> None:
        """Write down in the audit log that no answer came in time, and why as far as is known."""
        ...

    async def answered(self, id_: str) -> Answered | None:
        """Return the answer to a question; None while there is none."""
        ...

    async def heard_of(self, delivery: str) -> Answered | None:
        """Return the newest answer about a delivery, of the last week; None where none came."""
        ...
