"""Tokens of back-end systems, and when a credential was used last: the port `Tokens`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gateway.credentials import Scope
from gateway.errors import PolicyViolation
from gateway.message import Oin
from gateway.ports import AuditEvent, Clock, Ends
from gateway.ports.tokens import TokenEnd, Use
from gateway.rules.tokens import KeptToken
from gateway.store.ended import Ended
from gateway.store.epoch import TOPIC
from gateway.store.reading import Reads
from gateway.store.tables import credential_uses, system_tokens, token_ends
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

SHORT = 12
"""Characters of a digest by which people tell tokens apart."""


def _newest_use(engine: Any) -> Any:
    insert = engine.insert(credential_uses)
    return insert.on_conflict_do_update(
        index_elements=[credential_uses.c.sha256],
        set_={"at": insert.excluded.at},
        where=credential_uses.c.at < insert.excluded.at,
    )


_USED: Mapping[str, Any] = {"sqlite": _newest_use(sqlite), "postgresql": _newest_use(postgresql)}


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeToken:
    """Unit: keep a token."""

    token: KeptToken
    most: int
    now: datetime

    def run(self, tx: Tx) -> None:
        """Raise PolicyViolation `systeem.token.veel`."""
        one = self.token
        if self._living(tx) >= self.most:
            raise PolicyViolation(
                "systeem.token.veel",
                "Dit systeem heeft al genoeg tokens van de console. Beëindig er eerst een.",
            )
        scopes = " ".join(sorted(one.scopes))
        values = {
            "sha256": one.sha256,
            "backend": one.backend,
            "party": one.party,
            "scopes": scopes,
            "valid_until": one.valid_until,
            "made_at": one.made_at,
            "made_by": one.made_by,
            "replaces": one.replaces,
            "seal": one.seal,
        }
        tx.write(sa.insert(system_tokens).values(**values))
        data = {
            "system": one.backend,
            "token": one.sha256[:SHORT],
            "scopes": scopes,
            "validUntil": one.valid_until.isoformat(),
            "replaces": one.replaces[:SHORT],
        }
        tx.record(
            AuditEvent(
                event="console.token_made",
                at=self.now,
                party=one.party,
                actor=one.made_by,
                data=data,
            )
        )
        tx.ring(TOPIC)

    def _living(self, tx: Tx) -> int:
        over = sa.select(token_ends.c.sha256)
        living = sa.select(sa.func.count()).where(
            system_tokens.c.backend == self.token.backend,
            system_tokens.c.valid_until > self.now,
            system_tokens.c.sha256.not_in(over),
        )
        return int(tx.read(living).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class EndToken:
    """Unit: let a token count no more, wherever it stands."""

    end: TokenEnd

    def run(self, tx: Tx) -> None:
        """Mark it first: what is written down always counts."""
        one = self.end
        tx.ended.end(Ends.BEARER, one.sha256)
        known = sa.select(token_ends.c.sha256).where(token_ends.c.sha256 == one.sha256)
        if tx.read(known).first() is not None:
            return
        values = {"sha256": one.sha256, "backend": one.backend, "at": one.at}
        tx.write(sa.insert(token_ends).values(**values, who=one.who, why=one.why))
        data = {"system": one.backend, "token": one.sha256[:SHORT], "reason": one.why}
        tx.record(AuditEvent(event="console.token_ended", at=one.at, actor=one.who, data=data))
        tx.ring(TOPIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteUses:
    """Unit: write down when credentials were used."""

    uses: tuple[Use, ...]

    def run(self, tx: Tx) -> None:
        """By digest, so that two processes do not wait for each other."""
        rows = [{"sha256": use.sha256, "at": use.at} for use in self.uses]
        tx.connection.execute(_USED[tx.connection.dialect.name], rows)


class SqlTokens:
    """The port `Tokens`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock, ended: Ended) -> None:
        """Take what it writes and reads with, and the marks of what was ended."""
        self._writer = writer
        self._reads = reads
        self._clock = clock
        self._ended = ended

    async def kept(self) -> tuple[KeptToken, ...]:
        """Return every token that was made here, newest first."""
        return await self._reads(kept_tokens)

    async def ends(self) -> tuple[TokenEnd, ...]:
        """Return what was ended, newest first."""
        return await self._reads(all_ends)

    async def ended(self, known: Iterable[str]) -> frozenset[str]:
        """Return the digests that were ended; see the port."""
        ends = await self.ends()
        marked = (one for one in known if self._ended.is_ended(Ends.BEARER, one))
        return frozenset((*(one.sha256 for one in ends), *marked))

    async def make(self, token: KeptToken, *, most: int) -> None:
        """Keep it; see the port."""
        await self._writer.commit(MakeToken(token=token, most=most, now=self._clock.now()))

    async def end(self, token: TokenEnd) -> None:
        """End it for good; see the port."""
        await self._writer.commit(EndToken(end=token))

    async def used(self, uses: Iterable[Use]) -> None:
        """Write down when credentials were used; see the port."""
        ordered = tuple(sorted(uses, key=lambda use: use.sha256))
        if ordered:
            await self._writer.commit(NoteUses(uses=ordered))

    async def uses(self) -> Mapping[str, datetime]:
        """Return when each was used last, by digest."""
        return await self._reads(last_uses)


def kept_tokens(connection: sa.Connection) -> tuple[KeptToken, ...]:
    """Return every token that was made here, newest first."""
    order = (system_tokens.c.made_at.desc(), system_tokens.c.sha256)
    rows = connection.execute(sa.select(system_tokens).order_by(*order))
    return tuple(
        KeptToken(
            sha256=row.sha256,
            backend=row.backend,
            party=Oin(row.party),
            scopes=frozenset(Scope(one) for one in row.scopes.split() if one in {*Scope}),
            valid_until=row.valid_until,
            made_at=row.made_at,
            made_by=row.made_by,
            replaces=row.replaces,
            seal=row.seal,
        )
        for row in rows
    )


def all_ends(connection: sa.Connection) -> tuple[TokenEnd, ...]:
    """Return what was ended, newest first."""
    order = (token_ends.c.at.desc(), token_ends.c.sha256)
    rows = connection.execute(sa.select(token_ends).order_by(*order))
    return tuple(
        TokenEnd(sha256=row.sha256, backend=row.backend, at=row.at, who=row.who, why=row.why)
        for row in rows
    )


def last_uses(connection: sa.Connection) -> Mapping[str, datetime]:
    """Return when each credential was used last, by digest."""
    return {row.sha256: row.at for row in connection.execute(sa.select(credential_uses))}
