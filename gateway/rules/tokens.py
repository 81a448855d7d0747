"""Tokens of back-end systems that were made in the console, beside those of gateway.toml. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gateway.credentials import PLAIN_SCOPES, BearerToken, Scope
from gateway.directory import Backend
from gateway.message import Oin


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptToken:
    """A token as it is kept: never itself, always its digest."""

    sha256: str
    """Lower-case hex."""
    backend: str
    party: Oin
    """For whom the system worked when it was made: under another party it counts for nothing."""
    scopes: frozenset[Scope]
    valid_until: datetime
    """Aware, not included."""
    made_at: datetime
    made_by: str
    replaces: str = ""
    """Digest of the token in whose place it comes; empty = of none."""
    seal: str = ""
    """Mark under a key that is not in the database, over `rights`."""

    @property
    def rights(self) -> str:
        """Return all that it gives, as the text that is sealed."""
        scopes = sorted(self.scopes)
        until = self.valid_until.astimezone(UTC).isoformat()
        return json.dumps([self.sha256, self.backend, self.party, scopes, until])


def with_tokens(
    backends: tuple[Backend, ...], kept: Iterable[KeptToken], ended: frozenset[str]
) -> tuple[Backend, ...]:
    """Return the back-ends with the tokens that count; `kept` are those with a seal that is right.

    What was ended is gone, wherever it stands. No token of the console decides for the OM.
    """
    kept = tuple(kept)
    return tuple(_with(backend, kept, ended) for backend in backends)


def _with(backend: Backend, kept: tuple[KeptToken, ...], ended: frozenset[str]) -> Backend:
    own = backend.credentials.tokens
    there = {token.sha256 for token in own}
    made = (
        BearerToken(
            sha256=one.sha256,
            scopes=one.scopes & frozenset(PLAIN_SCOPES),
            valid_until=one.valid_until,
        )
        for one in kept
        if (one.backend, one.party) == (backend.name, backend.party) and one.sha256 not in there
    )
    tokens = tuple(one for one in (*own, *made) if one.sha256 not in ended)
    return replace(backend, credentials=replace(backend.credentials, tokens=tokens))
