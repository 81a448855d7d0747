"""Changes to octets, and what is put in their place."""

from collections.abc import Callable
from random import Random

from gateway.directory import MSH_SERVICE
from gateway.security import algorithms
from gateway.security.c14n import ACTOR_NEXT, ACTOR_NEXT_MSH
from tests.fuzz.choices import Choices

CANARY = "KANARIE-7f3a"
"""Stands for a value of a message: no error may hold it."""
MOST = 2_000
"""Elements, or places, that a change chooses from."""
STEPS = 3
"""That follow on the first one, at most."""

Change = Callable[[bytes, Choices], bytes]

_URIS = sorted(
    {value for value in vars(algorithms).values() if isinstance(value, str) and ":" in value}
)
TEXTS = (
    *("", " ", "0", "1", "2.0", "true", "false", "-1", CANARY, "\t\r\n", "é", "\U0001f600", "="),
    *(
        "A" * 300,
        "AAAA",
        "AA\r\nAA",
        "AA=A",
        "9" * 40,
        "1e308",
        "NaN",
        "urn:x",
        "x:y",
        "../x",
        "#a",
    ),
    *("2026-11-24T12:00:00Z", "2026-11-24T12:00:00", "9999-12-31T23:59:59.999-14:00", "20261124"),
    *("0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "20261124120000", "00000101000000000"),
    *("99991231235959999", "P1Y", "PT3H", "P99999999999D", "PT999999999999999999S", "-PT1S"),
    *("cid:payload-1@alice.example", "cid:%70ayload-1@alice.example", "CID:x", "cid:", "#default"),
    *("#default soap", "soap eb", "Acknowledgment", "MessageError", "Ping", "StatusRequest"),
    *(
        "StatusResponse",
        "Pong",
        MSH_SERVICE,
        ACTOR_NEXT,
        ACTOR_NEXT_MSH,
        "https://x:99999/",
        "http:",
    ),
    *("https://[::1", "https://é/", "00000099000000000001", "00000099000000000009_T"),
    *_URIS,
)


def octets_changed(octets: bytes, choices: Choices) -> bytes:
    at = choices.number(min(len(octets), 1 << 20) + 1)
    until = at + choices.number(64) + 1
    before, there, behind = octets[:at], octets[at:until], octets[until:]
    match choices.number(6):
        case 0:
            flipped = bytes(one ^ 1 << choices.number(8) for one in there[:1])
            return before + flipped + there[1:] + behind
        case 1:
            return before + behind
        case 2:
            return before + there + there + behind
        case 3:
            return before + choices.one(TEXTS).encode() + there + behind
        case 4:
            return before + choices.octets(len(there)) + behind
        case _:
            return before


def change_from(seed: int) -> Choices:
    """Return choices of a seed: for a mutator."""
    return Choices(Random(seed).randbytes(256))
