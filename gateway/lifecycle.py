"""The life of a delivery: one table, nothing about it anywhere else."""

from enum import StrEnum

from gateway.errors import IllegalTransition


class State(StrEnum):
    """Where a delivery is."""

    HELD = "held"
    """Waits for a release by the OM; nothing of it was sealed."""
    READY = "ready"
    """May be sent (or shown in the postvak) from its next-attempt moment on."""
    CLAIMED = "claimed"
    """One worker is sending it now."""
    SENT = "sent"
    """Handed over (2xx, or shown to a back-end); not confirmed yet."""
    DELIVERED = "delivered"
    """Confirmed by its own recipient."""
    REFUSED = "refused"
    """Refused by its recipient: MessageError, or a back-end's refusal."""
    UNKNOWN = "unknown"
    """May have arrived, and a second copy would not be noticed: a person decides."""
    DEAD = "dead"
    """Given up."""
    WITHHELD = "withheld"
    """Not released by the OM, or sent back by it: it never leaves."""
    REPLACED = "replaced"
    """Another delivery of the message, over another channel, is in its place."""


class Event(StrEnum):
    """What can happen to a delivery."""

    RELEASE = "release"
    WITHHOLD = "withhold"
    HOLD_AGAIN = "hold-again"
    CLAIM = "claim"
    HAND_OVER = "hand-over"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    RETRY = "retry"
    LOSE_TRACK = "lose-track"
    GIVE_UP = "give-up"
    RESUME = "resume"
    REPLACE = "replace"


TRANSITIONS: dict[State, dict[Event, State]] = {
    # An attempt of before it was held again may have arrived: its recipient's word counts.
    State.HELD: {
        Event.RELEASE: State.READY,
        Event.WITHHOLD: State.WITHHELD,
        Event.CONFIRM: State.DELIVERED,
        Event.REFUSE: State.REFUSED,
        Event.GIVE_UP: State.DEAD,
        Event.REPLACE: State.REPLACED,
    },
    State.READY: {
        Event.CLAIM: State.CLAIMED,
        Event.HOLD_AGAIN: State.HELD,
        Event.HAND_OVER: State.SENT,
        Event.CONFIRM: State.DELIVERED,
        Event.REFUSE: State.REFUSED,
        Event.GIVE_UP: State.DEAD,
        Event.REPLACE: State.REPLACED,
    },
    State.CLAIMED: {
        Event.HAND_OVER: State.SENT,
        Event.CONFIRM: State.DELIVERED,
        Event.REFUSE: State.REFUSED,
        Event.RETRY: State.READY,
        Event.HOLD_AGAIN: State.HELD,
        Event.LOSE_TRACK: State.UNKNOWN,
        Event.GIVE_UP: State.DEAD,
    },
    State.SENT: {
        Event.HAND_OVER: State.SENT,
        Event.CONFIRM: State.DELIVERED,
        Event.REFUSE: State.REFUSED,
        Event.RETRY: State.READY,
        Event.LOSE_TRACK: State.UNKNOWN,
        Event.GIVE_UP: State.DEAD,
        Event.REPLACE: State.REPLACED,
    },
    State.UNKNOWN: {
        Event.CONFIRM: State.DELIVERED,
        Event.REFUSE: State.REFUSED,
        Event.RESUME: State.READY,
        Event.GIVE_UP: State.DEAD,
        Event.REPLACE: State.REPLACED,
    },
    # An authenticated confirmation counts however late it comes.
    State.DEAD: {Event.CONFIRM: State.DELIVERED, Event.REPLACE: State.REPLACED},
    State.WITHHELD: {Event.CONFIRM: State.DELIVERED},
    State.REPLACED: {Event.CONFIRM: State.DELIVERED},
    State.REFUSED: {},
    State.DELIVERED: {},
}

ENDED = frozenset({State.DELIVERED, State.REFUSED, State.DEAD, State.WITHHELD, State.REPLACED})
"""Nothing more is done by itself, and no event leads out of them to a state where it is."""

SHOWN = frozenset({State.SENT, State.DELIVERED, State.REFUSED})
"""Of a delivery in a postvak: what its recipient has seen, and may read."""
IN_POSTVAK = SHOWN | {State.READY}
"""What he may know of: nothing that waits for the OM, is withheld, or never went."""


def advance(state: State, event: Event) -> State:
    """Return the state after `event`; raise IllegalTransition where the table has none."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransition(f"{event} in state {state}") from None
