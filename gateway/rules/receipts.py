"""What a word that comes back on a letter does to it. Pure.

What a partner signed counts. What nobody signed (DSN, MDN) counts as far as it names what was
told only to the proved mail server of the recipient, and only until that way reported that it did
not arrive (yet): such a report goes back over an open road, with everything that a forger needs.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.lifecycle import TRANSITIONS, Event, State


class Word(StrEnum):
    """What came back."""

    ACCEPTED = "aangenomen"
    """Signed: the partner's gateway took in these very octets."""
    READ = "gelezen"
    """Signed: the mail was shown to a person."""
    REPLIED = "beantwoord"
    """Signed: a person answered the mail."""
    DELIVERED = "afgeleverd"
    """DSN: it is in the mailbox."""
    SHOWN = "getoond"
    """MDN that nobody signed: the mail was shown."""
    DELAYED = "vertraagd"
    """DSN: a mail server keeps trying."""
    PASSED_ON = "doorgegeven"
    """DSN: given to servers that report nothing more."""
    BOUNCED = "teruggekomen"
    """DSN: it did not arrive; another time it may."""
    BOUNCED_FOR_GOOD = "onbestelbaar"
    """DSN: it did not arrive, and another time it will not either."""
    UNPROVEN = "onbewezen"
    """DSN that does not name what its server was told, or whom: anybody may have written it."""
    OTHER = "gemeld"
    """A notice that says nothing about arrival: deleted, passed on by a rule, in error."""


SIGNED = frozenset({Word.ACCEPTED, Word.READ, Word.REPLIED})
UNSIGNED = frozenset({Word.DELIVERED, Word.SHOWN})
"""They close where the partner's administration lets them."""
FAILURES = frozenset({Word.BOUNCED, Word.BOUNCED_FOR_GOOD})
OPEN_ROAD = frozenset({Word.DELAYED, Word.PASSED_ON, Word.UNPROVEN})
"""Reports of what did not arrive yet, or perhaps: behind them too a forger knows everything."""
_OPEN = frozenset({State.SENT, State.UNKNOWN})


class Effect(StrEnum):
    """What it does."""

    CLOSES = "sluit"
    AGAIN = "opnieuw"
    """Back to the queue; the mail says that it may come twice."""
    GIVES_UP = "opgegeven"
    """A person must find another way."""
    NOTHING = "niets"
    """It is written down."""
    EARLY = "te vroeg"
    """What became of the sending is not written down yet: let it come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How a letter stands when the word comes."""

    state: State
    newest: bool
    """It is about the last attempt, or about the letter as such."""
    failed: bool
    """A failure was reported before, of what the word is about."""
    exposed: bool
    """A word of `OPEN_ROAD` came before, about the letter."""
    again_at: datetime | None
    """When it could go once more; None = it can not."""
    expires_at: datetime | None


def effect_of(word: Word, waiting: Waiting, *, unsigned_close: bool) -> Effect:
    """Return what a word does; `unsigned_close`: the partner's DSN and MDN are believed."""
    if word in FAILURES:
        return _failure(word, waiting)
    known_to_us_alone = not (waiting.failed or waiting.exposed)
    believed = word in SIGNED or (word in UNSIGNED and unsigned_close and known_to_us_alone)
    if believed and Event.CONFIRM in TRANSITIONS[waiting.state]:
        return Effect.CLOSES
    return Effect.NOTHING


def _failure(word: Word, waiting: Waiting) -> Effect:
    """It never ends well what was not sure, and never sends again what was."""
    if waiting.failed or not waiting.newest:
        return Effect.NOTHING
    if waiting.state is State.CLAIMED:
        return Effect.EARLY
    if waiting.state not in _OPEN:
        return Effect.NOTHING
    if word is Word.BOUNCED and waiting.state is State.SENT and _in_time(waiting):
        return Effect.AGAIN
    return Effect.GIVES_UP


def _in_time(waiting: Waiting) -> bool:
    if waiting.again_at is None:
        return False
    return waiting.expires_at is None or waiting.again_at < waiting.expires_at
