"""Payloads: encrypted; small ones go with the commit that refers to them, large ones ahead."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa

from gateway.errors import GatewayError, StoreUnavailable
from gateway.ports import Clock, Dice, SealedPayload, StoredPayload
from gateway.store.fresh import Fresh
from gateway.store.kept import chunk_rows, payload_row
from gateway.store.prepared import Prepared
from gateway.store.reading import Reads
from gateway.store.sealing import CHUNK, KEY, NONCE, is_label, seal, unseal
from gateway.store.tables import messages, payload_chunks, payloads
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

CHUNKS_PER_COMMIT = 16
"""So that 35 MB do not hold up the commits of others."""
SWEPT_AT_ONCE = 200
TRIES = 3
"""How often a payload is wrapped or unwrapped again when its epoch key went meanwhile."""


class EpochKeys(Protocol):
    """Keys that wrap payload keys, kept outside the database and its backups."""

    def current(self, now: datetime) -> tuple[str, bytes]:
        """Return id and octets of the key to wrap with now."""
        ...

    def key(self, id_: str) -> bytes:
        """Return the octets; raise GatewayError `epoch_key.destroyed` when they are gone."""
        ...

    def is_open(self, id_: str) -> bool:
        """Tell whether the key may wrap; asked after the commit of what it wrapped."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Unit: the row of a payload and its first chunks."""

    sealed: SealedPayload
    at: datetime

    def run(self, tx: Tx) -> None:
        """Insert, unreferenced."""
        tx.insert(payloads, (payload_row(self.sealed, at=self.at, referenced=False),))
        tx.insert(payload_chunks, chunk_rows(self.sealed, 0, CHUNKS_PER_COMMIT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue:
    """Unit: further chunks."""

    sealed: SealedPayload
    start: int

    def run(self, tx: Tx) -> None:
        """Insert."""
        tx.insert(payload_chunks, chunk_rows(self.sealed, self.start, CHUNKS_PER_COMMIT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy:
    """Unit: wipe payloads. The rows stay, to say what was there; sizes and hashes with them."""

    ids: tuple[str, ...]
    at: datetime

    def run(self, tx: Tx) -> int:
        """Return how many were not destroyed before."""
        tx.write(sa.delete(payload_chunks).where(payload_chunks.c.payload_id.in_(self.ids)))
        # The case stood in the document: it is not known any longer than that.
        tx.write(sa.update(messages).where(messages.c.payload_id.in_(self.ids)).values(zaak=None))
        return tx.write(
            sa.update(payloads)
            .where(payloads.c.id.in_(self.ids), payloads.c.destroyed_at.is_(None))
            .values(wrapped=b"", label=None, epoch_key="", destroyed_at=self.at)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOrphans:
    """Unit: remove payloads that no admission referred to."""

    before: datetime

    def run(self, tx: Tx) -> int:
        """Return how many; at most SWEPT_AT_ONCE."""
        found = tx.read(
            sa.select(payloads.c.id)
            .where(payloads.c.referenced == sa.false(), payloads.c.at < self.before)
            .order_by(payloads.c.at)
            .limit(SWEPT_AT_ONCE)
            # An admission that refers to one this very moment goes first, or fails on it.
            .with_for_update(skip_locked=True, key_share=True)
        )
        ids = list(found.scalars())
        tx.write(sa.delete(payload_chunks).where(payload_chunks.c.payload_id.in_(ids)))
        return tx.write(
            sa.delete(payloads).where(payloads.c.id.in_(ids), payloads.c.referenced == sa.false())
        )


_PAYLOAD = Prepared(
    sa.select(payloads).where(
        payloads.c.id == sa.bindparam("id"), payloads.c.destroyed_at.is_(None)
    )
)
_CHUNKS = Prepared(
    sa.select(payload_chunks.c.octets)
    .where(payload_chunks.c.payload_id == sa.bindparam("id"))
    .order_by(payload_chunks.c.n)
)


def _load(connection: sa.Connection, id_: str) -> SealedPayload | None:
    row = _PAYLOAD.rows(connection, {"id": id_}).first()
    if row is None:
        return None
    chunks = _CHUNKS.rows(connection, {"id": id_})
    return SealedPayload(
        id=id_,
        size=row.size,
        sha256=row.sha256,
        epoch_key=row.epoch_key,
        wrapped=row.wrapped,
        chunks=tuple(chunk.octets for chunk in chunks),
        label=row.label,
    )


class SqlPayloads:
    """The port `Payloads`, and what housekeeping needs."""

    def __init__(
        self, *, writer: Writer, reads: Reads, epochs: EpochKeys, clock: Clock, dice: Dice
    ) -> None:
        """Take what it writes, reads and encrypts with."""
        self._writer = writer
        self._reads = reads
        self._epochs = epochs
        self._clock = clock
        self._dice = dice
        self._fresh = Fresh()

    async def put(self, octets: bytes, *, label: bytes = b"") -> StoredPayload:
        """Encrypt under a new id; raises StoreUnavailable or OutcomeUnknown.

        What fits one chunk goes into the commit that refers to it. More is written ahead.
        """
        if len(octets) > CHUNK:
            return await self._write_ahead(octets, label)
        at = self._clock.now()
        sealed = await self._seal(octets, label)
        self._fresh.put(sealed.id, octets, self._clock.monotonic(), label=label)
        return StoredPayload(
            id=sealed.id, sha256=sealed.sha256, size=sealed.size, carried=sealed, at=at
        )

    async def _write_ahead(self, octets: bytes, label: bytes) -> StoredPayload:
        for _ in range(TRIES):
            sealed = await self._seal(octets, label)
            await self._writer.commit(Begin(sealed=sealed, at=self._clock.now()))
            # A process that stood still for an hour in between wrapped with a key that was
            # closed meanwhile: what it stored is an orphan.
            if self._epochs.is_open(sealed.epoch_key):
                break
        else:
            raise StoreUnavailable("epoch_key.closed", "epoch keys close while they wrap")
        for start in range(CHUNKS_PER_COMMIT, len(sealed.chunks), CHUNKS_PER_COMMIT):
            await self._writer.commit(Continue(sealed=sealed, start=start))
        return StoredPayload(id=sealed.id, sha256=sealed.sha256, size=sealed.size)

    async def get(self, id_: str) -> bytes:
        """Return the plain octets, every one verified.

        Raises GatewayError `payload.destroyed` when payload or epoch key are gone,
        `payload.tampered` when anything stored was changed, Misconfigured
        `epoch_key.damaged` when the file of the key is not what was written.
        """
        octets, _ = await self.opened(id_, b"")
        return octets

    async def opened(self, id_: str, label: bytes) -> tuple[bytes, bool]:
        """Return the plain octets, and whether they were put with this label; raises as `get`."""
        fresh = self._fresh.take(id_, self._clock.monotonic())
        if fresh is not None:
            octets, put_with = fresh
            return octets, bool(label) and put_with == label
        for _ in range(TRIES):
            stored = await self._reads(lambda connection: _load(connection, id_))
            if stored is None:
                break
            wrapping = self._key(stored.epoch_key)
            if wrapping is not None:
                return await self._think(stored, wrapping, label)
            # It may just have been wrapped anew: then the row names another key.
        raise _destroyed()

    def _key(self, id_: str) -> bytes | None:
        try:
            return self._epochs.key(id_)
        except GatewayError as error:
            if error.code != "epoch_key.destroyed":
                raise
            return None

    async def _think(
        self, stored: SealedPayload, wrapping: bytes, label: bytes
    ) -> tuple[bytes, bool]:
        return await self._reads.think(
            stored.size,
            lambda: (
                unseal(stored, wrapping=wrapping),
                is_label(stored, label, wrapping=wrapping),
            ),
        )

    async def destroy(self, ids: Iterable[str]) -> int:
        """Destroy keys and octets for good; return how many still stood there."""
        wanted = tuple(ids)
        if not wanted:
            return 0
        self._fresh.forget(wanted)
        return await self._writer.commit(Destroy(ids=wanted, at=self._clock.now()))

    async def sweep_orphans(self, older_than: timedelta) -> int:
        """Remove what was written ahead and never admitted; return how many.

        `older_than` must be longer than any admission takes: one that comes later is refused
        by the database, because what it refers to is gone, and the sender tries again.
        """
        before = self._clock.now() - older_than
        swept = 0
        while (found := await self._writer.commit(SweepOrphans(before=before))) > 0:
            swept += found
        return swept

    async def _seal(self, octets: bytes, label: bytes) -> SealedPayload:
        id_, key, nonce = self._dice.uuid(), self._dice.octets(KEY), self._dice.octets(NONCE)
        epoch_key = self._epochs.current(self._clock.now())
        return await self._reads.think(
            len(octets),
            lambda: seal(octets, id_=id_, key=key, nonce=nonce, epoch_key=epoch_key, label=label),
        )


def _destroyed() -> GatewayError:
    return GatewayError("payload.destroyed", "payload was destroyed")
