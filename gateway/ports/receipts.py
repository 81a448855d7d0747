"""What comes back on letters that left from here: receipts, bounces, notices."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from gateway.message import Oin
from gateway.rules.receipts import Effect, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAs:
    """What a letter is known by, in what comes back of one attempt."""

    reference: str
    """SHA-256 (hex) of what only the mail server of the recipient is told (ENVID)."""
    mail: str
    """Message-ID, without `<>`: the same for every attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A letter that may have left, as it is known by what comes back."""

    delivery: str
    attempt: int
    """The one that was named; the last where the mail was."""
    recipient: Oin
    ebms_message_id: str
    mail: str
    payload_sha256: str
    at_portal: bool
    """A mail of it held nothing of the message, and said that it waits there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A word about a letter. Who said it, and whether he may, was judged before."""

    word: Word
    delivery: str
    reference: str
    """As in `KnownAs`; empty = it is about the letter, whichever attempt."""
    evidence: str
    """SHA-256 (hex) of the mail, or of what was signed in it."""
    certificate: str = ""
    """Thumbprint of what signed it; empty = nothing did."""
    status: str = ""
    """Of a DSN: `5.1.1`."""
    unsigned_close: bool = False
    again: timedelta | None
    """Wait before a letter that came back goes once more; None = it does not."""


class Receipts(Protocol):
    async def posted(self, *, reference: str = "", mail: str = "") -> Posted | None:
        """Return the letter that left under this reference, or as this mail; None = none did."""
        ...

    async def take(self, receipt: Receipt) -> Effect:
        """Do what the word does and write it down, in one commit.

        `Effect.EARLY`: nothing was written.
        """
        ...
