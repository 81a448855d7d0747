"""Tokens of back-end systems, made, replaced and ended by a beheerder.

What a system is, whom it works for and how it may sign in stays in gateway.toml. A token is shown
once; what is kept is its digest, sealed with a key that is not in the database.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from gateway.credentials import PLAIN_SCOPES, Factor, Scope
from gateway.directory import Backend, Directory
from gateway.errors import NoRoute, PolicyViolation
from gateway.ports import Clock, Dice
from gateway.ports.tokens import TokenEnd, Tokens
from gateway.rules.tokens import KeptToken

MOST = 8
"""Tokens of one system that count at once: more is a system that forgets to end them."""
OCTETS = 32
DAYS = (30, 90, 180, 365)
"""How long a token may last: who makes it chooses."""
_SEAL = "systeemtoken"


class Seals(Protocol):
    """HMAC-SHA256 under the key of the console."""

    def mark(self, purpose: str, text: str) -> str:
        """Return the seal; the same for the same purpose and text."""
        ...


def is_genuine(token: KeptToken, seals: Seals) -> bool:
    """Tell whether it was made by a console with this key, and is as it was made."""
    return hmac.compare_digest(seals.mark(_SEAL, token.rights).encode(), token.seal.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """A token as a person sees it."""

    sha256: str
    scopes: frozenset[Scope]
    valid_until: datetime | None
    kept: KeptToken | None
    """None: it stands in gateway.toml."""
    end: TokenEnd | None = None
    replaced_by: str = ""
    """Digest of the one that comes in its place."""

    @property
    def replaceable(self) -> bool:
        """What decides for the OM is not made in the console."""
        return self.scopes <= frozenset(PLAIN_SCOPES)


class Systems:
    """What a beheerder does with the tokens of back-end systems."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        seals: Seals,
        clock: Clock,
        dice: Dice,
        current: Callable[[], Directory],
    ) -> None:
        """Take what it works with; `current` returns the directory of the moment."""
        self._tokens = tokens
        self._seals = seals
        self._clock = clock
        self._dice = dice
        self._current = current

    async def uses(self) -> Mapping[str, datetime]:
        """Return when each credential let its system in last, by digest."""
        return await self._tokens.uses()

    async def tokens(self) -> Mapping[str, tuple[TokenView, ...]]:
        """Return the tokens of each system by its name: what counts first, newest first."""
        kept = [one for one in await self._tokens.kept() if is_genuine(one, self._seals)]
        ends = {one.sha256: one for one in await self._tokens.ends()}
        heirs = {one.replaces: one.sha256 for one in reversed(kept) if one.sha256 not in ends}
        found = {}
        for backend in self._current().backends:
            views = (
                replace(view, end=ends.get(view.sha256), replaced_by=heirs.get(view.sha256, ""))
                for view in _views(backend, kept, ends)
            )
            found[backend.name] = tuple(sorted(views, key=lambda view: view.end is not None))
        return found

    def system(self, name: str) -> Backend:
        """Return it; raise NoRoute `systeem.weg`."""
        found = next((one for one in self._current().backends if one.name == name), None)
        if found is None:
            raise NoRoute("systeem.weg", "Dit systeem staat hier niet (meer) in gateway.toml.")
        return found

    async def token(self, system: str, digest: str) -> TokenView:
        """Return a token that counts; raise NoRoute `systeem.weg`, `systeem.token.weg`."""
        self.system(system)
        for view in (await self.tokens())[system]:
            if view.sha256 == digest and view.end is None:
                return view
        raise NoRoute("systeem.token.weg", "Dit token is er niet, of het is al beëindigd.")

    async def make(
        self, system: str, *, scopes: frozenset[Scope], days: int, replaces: str = "", by: str
    ) -> str:
        """Return a new token, which is kept nowhere.

        The one that it `replaces` goes on until somebody ends it. Raises NoRoute as `token`;
        PolicyViolation `systeem.token.manier`, `.scope`, `.dagen`, `.veel`.
        """
        backend = self.system(system)
        if replaces:
            await self.token(system, replaces)
        _check(backend, scopes, days)
        text = urlsafe_b64encode(self._dice.octets(OCTETS)).rstrip(b"=").decode()
        now = self._clock.now()
        token = KeptToken(
            sha256=sha256(text.encode()).hexdigest(),
            backend=backend.name,
            party=backend.party,
            scopes=frozenset(scopes),
            valid_until=now.replace(microsecond=0) + timedelta(days=days),
            made_at=now,
            made_by=by,
            replaces=replaces,
        )
        sealed = replace(token, seal=self._seals.mark(_SEAL, token.rights))
        await self._tokens.make(sealed, most=MOST)
        return text

    async def end(self, system: str, digest: str, *, by: str, why: str) -> None:
        """Let a token count no more, also one of gateway.toml; raises NoRoute as `token`."""
        view = await self.token(system, digest)
        await self._tokens.end(
            TokenEnd(sha256=view.sha256, backend=system, at=self._clock.now(), who=by, why=why)
        )


def by_token(backend: Backend) -> bool:
    """Tell whether a token is a part of a way by which it may sign in."""
    return any(Factor.BEARER in way.factors for way in backend.credentials.ways)


def _check(backend: Backend, scopes: frozenset[Scope], days: int) -> None:
    if not by_token(backend):
        raise PolicyViolation(
            "systeem.token.manier",
            "Dit systeem meldt zich niet met een token aan. Zet dat eerst in gateway.toml "
            "(aanmelding).",
        )
    if not scopes or not scopes <= frozenset(PLAIN_SCOPES):
        raise PolicyViolation(
            "systeem.token.scope",
            "Kies ten minste één recht. Besluiten voor het OM hoort er niet bij.",
        )
    if days not in DAYS:
        raise PolicyViolation("systeem.token.dagen", "Kies hoe lang het token geldt.")


def _views(
    backend: Backend, kept: Iterable[KeptToken], ends: Mapping[str, TokenEnd]
) -> Iterator[TokenView]:
    mine = {one.sha256: one for one in kept if _of(one, backend)}
    for one in mine.values():
        yield TokenView(sha256=one.sha256, scopes=one.scopes, valid_until=one.valid_until, kept=one)
    there = {one.sha256: one for one in backend.credentials.tokens if one.sha256 not in mine}
    for token in there.values():
        yield TokenView(
            sha256=token.sha256, scopes=token.scopes, valid_until=token.valid_until, kept=None
        )
    for end in ends.values():
        if end.backend == backend.name and end.sha256 not in {*mine, *there}:
            yield TokenView(sha256=end.sha256, scopes=frozenset(), valid_until=None, kept=None)


def _of(token: KeptToken, backend: Backend) -> bool:
    return (token.backend, token.party) == (backend.name, backend.party)
