"""Passwords: argon2id, off the loop, a few at once; what may be chosen is in `guessing`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.pipeline.accounts.guessing import check

AT_ONCE = 2
"""Each takes 64 MiB and a tenth of a second of a processor."""


class Passwords:
    """Makes and compares hashes."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Take the cost; that of the library, RFC 9106's second choice, unless given."""
        self._hasher = hasher or PasswordHasher()
        self._places = asyncio.Semaphore(AT_ONCE)

    @cached_property
    def _nobody(self) -> str:
        """What is compared with where there is nothing: made when it is first needed."""
        return self._hasher.hash("nobody has this password")

    async def choose(self, password: str, login: str) -> None:
        """Raise PolicyViolation `console.wachtwoord` for one that may not be chosen."""
        async with self._places:
            await asyncio.to_thread(check, password, login)

    async def hash(self, password: str) -> str:
        """Return what is stored."""
        async with self._places:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, stored: str, password: str) -> bool:
        """Compare, when it is one's turn."""
        async with self.turn():
            return await self.compare(stored, password)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn. Look at locks and count failures within it.

        Otherwise guesses that wait all pass before the first of them is counted.
        """
        async with self._places:
            yield

    async def compare(self, stored: str, password: str) -> bool:
        """Compare; where nothing is stored it takes as long, and does not fit."""
        fits = await asyncio.to_thread(self._verify, stored, password)
        return fits and bool(stored)

    def _verify(self, stored: str, password: str) -> bool:
        nobody = self._nobody
        try:
            return self._hasher.verify(stored or nobody, password)
        except (VerificationError, InvalidHashError):
            return False
