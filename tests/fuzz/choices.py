"""Octets read as choices: the same octets choose the same, and none choose what is ordinary.

A target that must sign or encrypt takes its input as choices: which message, changed how, at which
step. So every input is a message with real ciphertexts and signatures, and none depends on a key.
"""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def number(self, below: int) -> int:
        """Return a number from 0; 0 when nothing is left to choose with."""
        width = max(1, ((below - 1).bit_length() + 7) // 8)
        return int.from_bytes(self.octets(width), "little") % below

    def one(self, of: Sequence[T]) -> T:
        """Return one of these; the first is the ordinary one."""
        return of[self.number(len(of))]

    def times(self, most: int) -> range:
        """Return how often something is changed: mostly not at all, so that others are seen."""
        return range(max(0, self.number(4 * most) - 3 * most + 1))

    def flag(self) -> bool:
        return self.number(2) == 1

    def octets(self, size: int) -> bytes:
        """Return the next ones, fewer where fewer are left."""
        self._at += size
        return self._octets[self._at - size : self._at]

    def rest(self) -> bytes:
        return self.octets(len(self._octets))
