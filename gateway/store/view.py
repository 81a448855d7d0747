"""A database as operators look at it: read-only, beside the processes that have it open."""

import os
from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from gateway.directory import Subscriber
from gateway.errors import Misconfigured
from gateway.message import Oin
from gateway.ports import Clock, Pause, Reader, WebhookState
from gateway.ports.incoming import Item
from gateway.ports.tokens import TokenEnd
from gateway.rules.tokens import KeptToken
from gateway.store.audit import Break, verify_chain
from gateway.store.confirmations import Mark, newest
from gateway.store.durability import Durability, durability
from gateway.store.ended import IsEnded, unmarked
from gateway.store.engine import Engine, is_postgresql, open_engine, path_of
from gateway.store.faults import ours
from gateway.store.holdrate import Rate, hold_rates
from gateway.store.pauses import all_pauses
from gateway.store.people import Person, people_page
from gateway.store.quarantine import held_mail
from gateway.store.reader import SqlReader
from gateway.store.reading import InlineReads
from gateway.store.retention import Figures, figures
from gateway.store.tables import audit
from gateway.store.tokens import all_ends, kept_tokens
from gateway.store.webhooks import states


class View:
    """Look-ups without the lock of the writing process; use it in a `with` block."""

    def __init__(
        self,
        url_or_path: str | os.PathLike[str],
        clock: Clock,
        *,
        password_file: Path | None = None,
    ) -> None:
        """Connect; raise Misconfigured `store.path` when nobody served from it yet."""
        engine = open_engine(url_or_path, password_file=password_file)
        made = _has_tables(engine) if is_postgresql(url_or_path) else path_of(url_or_path).exists()
        if not made:
            raise Misconfigured("store.path", "there is no database yet", where=str(url_or_path))
        self._reads = InlineReads(engine)
        self._clock = clock
        self.reader: Reader = SqlReader(reads=self._reads, engine=engine, clock=clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reads.close()

    async def people(self, *, limit: int) -> tuple[Person, ...]:
        """Return who may use the console, by login."""
        return await self._reads(lambda c: people_page(c, after="", limit=limit))

    async def retention(self) -> Figures:
        """Count what is due for destruction, and what stands under which epoch key."""
        now = self._clock.now()
        return await self._reads(lambda c: figures(c, now))

    async def unmarked(self, marks: IsEnded) -> int:
        """Count what ended by the rows and not by the marks; raises StoreUnavailable."""
        now = self._clock.now()
        return len(await self._reads(lambda c: unmarked(c, marks, now)))

    async def durability(self) -> Durability:
        """Ask how safely the database keeps what was committed, and what time it has."""
        return await self._reads(durability)

    async def webhooks(self, to: Collection[Subscriber]) -> Mapping[str, WebhookState]:
        """Return how these webhooks do, by name."""
        return await self._reads(lambda c: states(c, to))

    async def pauses(self) -> tuple[Pause, ...]:
        """Return for which partners a person holds what is sent."""
        return await self._reads(all_pauses)

    async def held_mail(self, *, limit: int) -> tuple[Item, ...]:
        """Return the mails in quarantine that nobody closed, newest first."""
        return await self._reads(lambda c: held_mail(c, limit=limit, open_only=True))

    async def tokens(self) -> tuple[tuple[KeptToken, ...], tuple[TokenEnd, ...]]:
        """Return the tokens of back-end systems that were made in the console, and what ended."""
        return await self._reads(lambda c: (kept_tokens(c), all_ends(c)))

    async def newest_confirmation(self) -> Mark | None:
        """Return which confirmation of the gate counted last."""
        return await self._reads(newest)

    async def hold_rates(self, police: Collection[Oin], since: datetime) -> tuple[Rate, ...]:
        """Return how much the OM gate held of what these parties sent, by message."""
        return await self._reads(lambda c: hold_rates(c, police, since))

    async def verify_chain(self) -> Break | None:
        """Recompute the audit chains; return the first break."""
        return await self._reads(verify_chain)


def _has_tables(engine: Engine) -> bool:
    """Tell whether somebody served from it; raise StoreUnavailable when it does not answer."""
    try:
        with closing(engine.reader()) as connection:
            return sa.inspect(connection).has_table(audit.name)
    except sa.exc.SQLAlchemyError as error:
        raise ours(error) from error
