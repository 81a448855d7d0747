"""Payloads become permanent in the commit that refers to them."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from gateway.errors import StoreUnavailable
from gateway.ports import SealedPayload, StoredPayload
from gateway.store.prepared import Prepared
from gateway.store.tables import payload_chunks, payloads
from gateway.store.transaction import Tx

MOST_AGE = timedelta(minutes=10)
"""From encryption to commit. Well below the hour after which an epoch key may close."""

_REFER = Prepared(
    sa.update(payloads)
    .where(payloads.c.id == sa.bindparam("b_id"), payloads.c.destroyed_at.is_(None))
    .values(referenced=sa.true())
)


def keep(tx: Tx, stored: StoredPayload) -> None:
    """Store what a small payload carries with it, or refer to what was written ahead.

    Raises StoreUnavailable `payload.late` when it was encrypted so long ago that its epoch
    key may be closed; the commit fails when what was written ahead was swept meanwhile.
    """
    if stored.carried is None or stored.at is None:
        tx.defer(_REFER, {"b_id": stored.id})
        return
    if abs(tx.now - stored.at) > MOST_AGE:
        raise StoreUnavailable("payload.late", "the payload waited too long for its commit")
    tx.insert(payloads, (payload_row(stored.carried, at=stored.at, referenced=True),))
    tx.insert(payload_chunks, chunk_rows(stored.carried))


def payload_row(sealed: SealedPayload, *, at: datetime, referenced: bool) -> dict[str, Any]:
    """Return the row of a payload."""
    return {
        "id": sealed.id,
        "at": at,
        "size": sealed.size,
        "sha256": sealed.sha256,
        "referenced": referenced,
        "epoch_key": sealed.epoch_key,
        "wrapped": sealed.wrapped,
        "label": sealed.label,
        "destroyed_at": None,
    }


def chunk_rows(
    sealed: SealedPayload, start: int = 0, most: int | None = None
) -> list[dict[str, Any]]:
    """Return rows of chunks from number `start` on, at most `most`."""
    end = None if most is None else start + most
    chunks = islice(enumerate(sealed.chunks), start, end)
    return [{"payload_id": sealed.id, "n": n, "octets": octets} for n, octets in chunks]
