"""Epoch keys at the end of their time: what lives moves to the current key, then the key goes.

Between the last payload that left a key and its destruction lies `backup`: so long what still
lived in an older copy of the database can be read after a restore.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa

from gateway.errors import GatewayError, StoreUnavailable
from gateway.ports import AuditEvent, Clock, Dice
from gateway.store.payloads import TRIES
from gateway.store.prepared import Prepared
from gateway.store.reading import Reads
from gateway.store.sealing import NONCE, unwrap, wrap
from gateway.store.tables import payloads
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

AT_ONCE = 500
"""Payload keys that one commit wraps anew."""

_UNDER: sa.Select[Any] = (
    sa.select(payloads.c.id, payloads.c.wrapped)
    .where(payloads.c.epoch_key == sa.bindparam("key"), payloads.c.id > sa.bindparam("after"))
    .order_by(payloads.c.id)
    .limit(AT_ONCE)
)
_WRAP = Prepared(
    sa.update(payloads)
    .where(
        payloads.c.id == sa.bindparam("b_id"),
        payloads.c.epoch_key == sa.bindparam("b_old"),
        payloads.c.destroyed_at.is_(None),
    )
    .values(epoch_key=sa.bindparam("b_new"), wrapped=sa.bindparam("b_wrapped"))
)
_ANY_UNDER: sa.Select[Any] = (
    sa.select(payloads.c.id)
    .where(payloads.c.epoch_key == sa.bindparam("key"), payloads.c.destroyed_at.is_(None))
    .limit(1)
)


class Key(Protocol):
    """What is known of an epoch key without reading it."""

    @property
    def id(self) -> str: ...
    @property
    def made_at(self) -> datetime: ...
    @property
    def closed_at(self) -> datetime | None:
        """Return since when it wraps nothing; None = it may still."""
        ...

    def rests(self, now: datetime, age: timedelta) -> bool:
        """Tell whether it is older than `age`, and too old to wrap."""
        ...


class AllKeys(Protocol):
    """The epoch keys, with what ends them."""

    def current(self, now: datetime) -> tuple[str, bytes]: ...
    def key(self, id_: str) -> bytes: ...
    def is_open(self, id_: str) -> bool: ...
    def all(self) -> Sequence[Key]: ...
    def close(self, id_: str, now: datetime) -> None: ...
    def destroy(self, id_: str) -> bool: ...
    def gone(self) -> tuple[str, ...]: ...
    def forget(self, id_: str) -> None: ...
    def clear_drafts(self, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrap:
    """Unit: payload keys under another epoch key; those destroyed meanwhile are passed over."""

    rows: tuple[tuple[str, bytes], ...]
    """Ids, and their keys as wrapped by `new`."""
    old: str
    new: str

    def run(self, tx: Tx) -> None:
        """Change what still stands under `old`."""
        rows = [
            {"b_id": id_, "b_old": self.old, "b_new": self.new, "b_wrapped": wrapped}
            for id_, wrapped in self.rows
        ]
        tx.change_each(_WRAP, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """Unit: tell whether a key wraps nothing, as the writing side sees it."""

    key: str

    def run(self, tx: Tx) -> bool:
        """Read."""
        return tx.read(_ANY_UNDER, {"key": self.key}).first() is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed:
    """Unit: write down that a key is gone. After a crash it may stand there twice, never not."""

    key: str
    now: datetime

    def run(self, tx: Tx) -> None:
        """Write the audit row."""
        data: dict[str, str | int | bool | None] = {"key": self.key}
        event = "epoch_key.destroyed"
        tx.record(AuditEvent(event=event, at=self.now, actor="housekeeping", data=data))


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What a run did."""

    wrapped: int = 0
    """Payloads whose key moved to the current epoch key."""
    destroyed: int = 0
    """Epoch keys."""
    stuck: tuple[str, ...] = ()
    """Epoch keys under which something stands that can not be read: damaged, or tampered with."""


class Rekeying:
    """Ends epoch keys. May run in several processes at once, and again after any crash."""

    def __init__(
        self, *, writer: Writer, reads: Reads, epochs: AllKeys, clock: Clock, dice: Dice
    ) -> None:
        """Take what it writes, reads and encrypts with."""
        self._writer = writer
        self._reads = reads
        self._epochs = epochs
        self._clock = clock
        self._dice = dice

    async def run(self, *, age: timedelta, backup: timedelta) -> Rekeyed:
        """Raise StoreUnavailable; what was done until then stays done.

        (1) What lives under a key older than `age` moves to the current one.
        (2) The key is closed: a payload that is being stored under it this moment notices.
        (3) `backup` later, if nothing stands under it: overwritten, written down, removed.
        """
        wrapped, stuck = 0, []
        for key in self._epochs.all():
            if key.closed_at is None and not key.rests(self._clock.now(), age):
                continue
            moved, whole = await self._move_on(key.id)
            wrapped += moved
            if whole:
                await self._end(key, backup)
            else:
                stuck.append(key.id)
        self._epochs.clear_drafts(self._clock.now())
        return Rekeyed(wrapped, await self._write_down(), tuple(stuck))

    async def _end(self, key: Key, backup: timedelta) -> None:
        now = self._clock.now()
        if key.closed_at is None:
            self._epochs.close(key.id, now)
        # The look comes behind the closing: see `EpochKeys.is_open`.
        rested = abs(now - (key.closed_at or now)) >= backup
        if rested and await self._writer.commit(Unused(key=key.id)):
            self._epochs.destroy(key.id)

    async def _write_down(self) -> int:
        gone = self._epochs.gone()
        for id_ in gone:
            await self._writer.commit(Destroyed(key=id_, now=self._clock.now()))
            self._epochs.forget(id_)
        return len(gone)

    async def _move_on(self, id_: str) -> tuple[int, bool]:
        """Return how many were wrapped anew, and whether those were all."""
        moved, whole, after = 0, True, ""
        while rows := await self._reads(_under(id_, after)):
            after = rows[-1].id
            opened = self._opened(rows, id_)
            whole = whole and len(opened) == len(rows)
            if opened:
                await self._wrap(opened, id_)
            moved += len(opened)
        return moved, whole

    def _opened(self, rows: Sequence[sa.Row[Any]], id_: str) -> dict[str, bytes]:
        """Return the payload keys that can be read, by payload."""
        opened = {}
        with suppress(GatewayError):
            octets = self._epochs.key(id_)
            for row in rows:
                with suppress(GatewayError):
                    opened[row.id] = unwrap(row.wrapped, id_=row.id, epoch_key=(id_, octets))
        return opened

    async def _wrap(self, opened: dict[str, bytes], old: str) -> None:
        """Once more when the new key was closed meanwhile: this process stood still for long."""
        for _ in range(TRIES):
            new = self._epochs.current(self._clock.now())
            rows = tuple(
                (id_, wrap(key, id_=id_, nonce=self._dice.octets(NONCE), epoch_key=new))
                for id_, key in opened.items()
            )
            await self._writer.commit(Rewrap(rows=rows, old=old, new=new[0]))
            if self._epochs.is_open(new[0]):
                return
            old = new[0]
        raise StoreUnavailable("epoch_key.closed", "epoch keys close while they wrap")


def _under(key: str, after: str) -> Callable[[sa.Connection], Sequence[sa.Row[Any]]]:
    return lambda c: list(c.execute(_UNDER, {"key": key, "after": after}))
