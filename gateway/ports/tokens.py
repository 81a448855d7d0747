"""Tokens of back-end systems that people make and end, and when each credential was used last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.rules.tokens import KeptToken


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEnd:
    """A token that counts no more, of the console or of gateway.toml."""

    sha256: str
    backend: str
    at: datetime
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Use:
    """A credential let its back-end in."""

    sha256: str
    """Of the token, the certificate (DER) or the public key (SPKI)."""
    at: datetime


class Tokens(Protocol):
    async def kept(self) -> tuple[KeptToken, ...]:
        """Return every token that was made here, newest first; also what ended."""
        ...

    async def ends(self) -> tuple[TokenEnd, ...]:
        """Return what was ended, newest first."""
        ...

    async def ended(self, known: Iterable[str]) -> frozenset[str]:
        """Return the digests that were ended: by the rows, and of `known` by marks outside them.

        Raises StoreUnavailable.
        """
        ...

    async def make(self, token: KeptToken, *, most: int) -> None:
        """Keep it, write it down, and have every process read it.

        Raises PolicyViolation `systeem.token.veel` when the system has `most` that count.
        """
        ...

    async def end(self, token: TokenEnd) -> None:
        """End it for good, write it down, and have every process read it; twice is once."""
        ...

    async def used(self, uses: Iterable[Use]) -> None:
        """Write down when credentials were used; an older moment changes nothing."""
        ...

    async def uses(self) -> Mapping[str, datetime]:
        """Return when each was used last, by digest."""
        ...
