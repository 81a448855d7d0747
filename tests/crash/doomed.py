"""What must be gone after a restart, and what must outlive it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa

from gateway.app import SystemDice
from gateway.errors import GatewayError
from gateway.keys.epochs import EpochKeys
from gateway.lifecycle import State
from gateway.ports import DeliveryKind, Direction, SealedPayload
from gateway.store.kept import chunk_rows, payload_row
from gateway.store.sealing import KEY, NONCE, seal, unseal
from gateway.store.tables import deliveries, duties, messages, payload_chunks, payloads
from tests.crash.boundaries import Before

Left = Callable[[sa.Connection], list[str]]
"""Says what is not yet as it should be."""
Prepare = Callable[[sa.Connection, Path], Left]
"""Changes the database and the folder of a dead installation."""

ORPHANS = 3
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
OCTETS = b"<bericht>dat blijft</bericht>"


def take_over(db: sa.Connection) -> None:
    """End the duties of the dead, which last for minutes."""
    db.execute(sa.delete(duties))


def nothing(_db: sa.Connection) -> list[str]:
    return []


def orphans(db: sa.Connection, _folder: Path) -> Left:
    """Payloads as an admission leaves them that never came: written ahead, and old."""
    planted = [_sealed(("none", bytes(32)), b"x") for _ in range(ORPHANS)]
    for sealed in planted:
        _store(db, sealed, referenced=False)
    ids = [sealed.id for sealed in planted]
    found = sa.select(payloads.c.id).where(payloads.c.id.in_(ids))
    return lambda c: [f"orphan {id_}" for id_ in c.execute(found).scalars()]


def due(db: sa.Connection, _folder: Path) -> Left:
    """The payloads of messages that are confirmed, and answered where they wait for that."""
    ids = list(db.execute(_CONFIRMED).scalars())
    found = sa.select(payloads.c.id).where(
        payloads.c.id.in_(ids),
        sa.or_(
            payloads.c.destroyed_at.is_(None),
            payloads.c.id.in_(sa.select(payload_chunks.c.payload_id)),
        ),
    )
    return lambda c: [f"payload {id_}" for id_ in c.execute(found).scalars()]


_ALIVE = sa.exists().where(
    deliveries.c.message == messages.c.id,
    deliveries.c.kind == str(DeliveryKind.MESSAGE),
    deliveries.c.state != str(State.DELIVERED),
)
_CONFIRMED = sa.select(messages.c.payload_id).where(
    messages.c.payload_id.is_not(None),
    ~_ALIVE,
    sa.or_(messages.c.direction != str(Direction.OUTBOUND), messages.c.answer != ""),
)


def old_key(db: sa.Connection, folder: Path) -> Left:
    """An epoch key of long ago, and a payload that still lives under it."""
    keys = folder / "data" / "epochs"
    name, octets = f"20200101T000000Z-{os.urandom(6).hex()}", os.urandom(32)
    handle = os.open(keys / f"{name}.epoch", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(handle, octets)
    os.close(handle)
    sealed = _sealed((name, octets), OCTETS)
    _store(db, sealed, referenced=True)

    def left(c: sa.Connection) -> list[str]:
        files = [f"key {path.name}" for path in keys.glob(f"{name}*")]
        return files or _unreadable(c, sealed, EpochKeys(keys, dice=SystemDice()))

    return left


def _unreadable(db: sa.Connection, sealed: SealedPayload, keys: EpochKeys) -> list[str]:
    row = db.execute(sa.select(payloads).where(payloads.c.id == sealed.id)).one()
    now = SealedPayload(
        id=sealed.id,
        size=row.size,
        sha256=row.sha256,
        epoch_key=row.epoch_key,
        wrapped=row.wrapped,
        chunks=sealed.chunks,
    )
    try:
        good = unseal(now, wrapping=keys.key(row.epoch_key)) == OCTETS
    except GatewayError as error:
        return [f"payload under an ended key: {error.code}"]
    return [] if good else ["payload under an ended key: other octets"]


PREPARE: dict[Before, Prepare] = {
    Before.ORPHANS: orphans,
    Before.DUE: due,
    Before.OLD_KEY: old_key,
}


def _sealed(epoch_key: tuple[str, bytes], octets: bytes) -> SealedPayload:
    fresh = os.urandom(KEY + NONCE)
    return seal(octets, id_=str(uuid4()), key=fresh[:KEY], nonce=fresh[KEY:], epoch_key=epoch_key)


def _store(db: sa.Connection, sealed: SealedPayload, *, referenced: bool) -> None:
    row = payload_row(sealed, at=LONG_AGO - timedelta(days=1), referenced=referenced)
    db.execute(sa.insert(payloads), [row])
    db.execute(sa.insert(payload_chunks), chunk_rows(sealed))
