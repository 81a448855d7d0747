"""Octets of a moment ago: what was just put is about to be sent, and need not be read back."""

from collections import OrderedDict
from collections.abc import Iterable

SECONDS = 60.0
ROOM = 16 * 1024 * 1024
"""Octets in all."""


class Fresh:
    """Holds plain octets of this process for a minute at most. Not thread-safe."""

    def __init__(self, *, seconds: float = SECONDS, room: int = ROOM) -> None:
        """Start empty."""
        self._seconds = seconds
        self._room = room
        self._held: OrderedDict[str, tuple[float, bytes, bytes]] = OrderedDict()
        self._size = 0

    def put(self, id_: str, octets: bytes, now: float, *, label: bytes = b"") -> None:
        """Hold; `now` is monotonic, in seconds. The oldest go when there is no room."""
        self._held[id_] = now, octets, label
        self._size += len(octets)
        while self._held and (self._size > self._room or self._oldest() < now - self._seconds):
            self._drop(next(iter(self._held)))

    def take(self, id_: str, now: float) -> tuple[bytes, bytes] | None:
        """Return octets and label and let go of them; None when they are not here any more."""
        held = self._drop(id_)
        return None if held is None or held[0] < now - self._seconds else held[1:]

    def forget(self, ids: Iterable[str]) -> None:
        """They are destroyed: let go."""
        for id_ in ids:
            self._drop(id_)

    def _oldest(self) -> float:
        return next(iter(self._held.values()))[0]

    def _drop(self, id_: str) -> tuple[float, bytes, bytes] | None:
        held = self._held.pop(id_, None)
        if held is not None:
            self._size -= len(held[1])
        return held
