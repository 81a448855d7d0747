"""What must be gone after a restart, and what must outlive it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa

from gateway.store.sealing import KEY, NONCE, SealedPayload, seal
from gateway.store.tables import duties, payload_chunks, payloads
from tests.crash.boundaries import Before

Left = Callable[[sa.Connection], list[str]]
"""Says what is not yet as it should be."""
Prepare = Callable[[sa.Connection, Path], Left]
"""Changes the database and the folder of a dead installation."""

ORPHANS = 3
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


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


PREPARE: dict[Before, Prepare] = {Before.ORPHANS: orphans}


def _sealed(epoch_key: tuple[str, bytes], octets: bytes) -> SealedPayload:
    fresh = os.urandom(KEY + NONCE)
    return seal(octets, id_=str(uuid4()), key=fresh[:KEY], nonce=fresh[KEY:], epoch_key=epoch_key)


def _store(db: sa.Connection, sealed: SealedPayload, *, referenced: bool) -> None:
    row = {
        "id": sealed.id,
        "at": LONG_AGO - timedelta(days=1),
        "size": sealed.size,
        "sha256": sealed.sha256,
        "referenced": referenced,
        "epoch_key": sealed.epoch_key,
        "wrapped": sealed.wrapped,
        "destroyed_at": None,
    }
    db.execute(sa.insert(payloads).values(row))
    for n, octets in enumerate(sealed.chunks):
        db.execute(sa.insert(payload_chunks).values(payload_id=sealed.id, n=n, octets=octets))
