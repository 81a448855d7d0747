"""What a webhook says: ids and states, nothing of a message's content."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType

from gateway.lifecycle import State

ROOT = "/api/v1"


class Status(StrEnum):
    """What became of a message that was handed in; the words of the REST API."""

    DELIVERED = "bezorgd"
    REFUSED = "geweigerd"
    DEAD = "niet bezorgd"
    UNKNOWN = "onzeker"
    HELD = "vastgehouden"
    RELEASED = "vrijgegeven"
    WITHHELD = "niet vrijgegeven"
    ANSWERED = "beantwoord"


STATUS_OF: Mapping[State, Status] = MappingProxyType(
    {
        State.DELIVERED: Status.DELIVERED,
        State.REFUSED: Status.REFUSED,
        State.DEAD: Status.DEAD,
        State.UNKNOWN: Status.UNKNOWN,
        State.HELD: Status.HELD,
        State.WITHHELD: Status.WITHHELD,
    }
)
"""The states that a back-end is told of."""


def waits(delivery: str, *, message: str, soort: str, applicatie: str) -> dict[str, str]:
    """Return the data of `postvak.nieuw`; `id` is that of the delivery, as in the postvak."""
    return {
        "id": delivery,
        "link": f"{ROOT}/postvak/{delivery}/inhoud",
        "bericht": message,
        "soort": soort,
        "applicatie": applicatie,
    }


def became(message: str, *, soort: str, status: str, answer: str) -> dict[str, str]:
    """Return the data of `bericht.status`; `answer` is empty but for BEANTWOORD."""
    data = {
        "id": message,
        "link": f"{ROOT}/berichten/{message}",
        "soort": soort,
        "status": status,
    }
    return data | ({"antwoord": answer} if answer else {})


def body(event: str, at: datetime, data: Mapping[str, str]) -> bytes:
    """Return the octets that are signed and sent; `at` is when it happened."""
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"type": event, "timestamp": moment, "data": dict(data)}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def id_of(*parts: str | int) -> str:
    """Return the webhook-id of an event: the same each time it is sent, and no other's."""
    text = json.dumps(parts, separators=(",", ":"))
    return f"msg_{sha256(text.encode()).hexdigest()[:32]}"
