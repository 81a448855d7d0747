"""A copy of a SQLite database while the gateway runs."""

import os
from contextlib import closing, suppress
from pathlib import Path

import sqlalchemy as sa

from gateway.errors import GatewayError, Misconfigured
from gateway.store.audit import verify_chain
from gateway.store.faults import ours
from gateway.store.sqlite import Sqlite

_DRAFT = ".new"


def back_up(source: Path, target: Path) -> int:
    """Write a consistent copy that was read back and holds; return its size in octets.

    VACUUM INTO copies rows, not pages: remains of what was destroyed do not come along. The
    writing process is not held up. Raises Misconfigured `store.path`, `backup.exists`, and
    GatewayError `backup.failed`; then there is no file.
    """
    if not source.exists():
        raise Misconfigured("store.path", "there is no database yet", where=str(source))
    if target.exists():
        raise Misconfigured("backup.exists", "a file of this name exists", where=str(target))
    draft = target.with_name(target.name + _DRAFT)
    try:
        _copy(source, draft)
        _check(draft)
        _sync(draft)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    draft.rename(target)
    _sync(target.parent)
    return target.stat().st_size


def _copy(source: Path, draft: Path) -> None:
    """Make the file first, so that it is never open to others."""
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise Misconfigured(
            "store.path", "the copy can not be made here", where=str(draft)
        ) from error
    try:
        with closing(Sqlite(source).reader()) as connection:
            connection.execute(sa.text("PRAGMA query_only = OFF"))  # it writes to the copy
            connection.execute(sa.text("VACUUM INTO :draft"), {"draft": str(draft)})
    except sa.exc.SQLAlchemyError as error:
        raise ours(error) from error


def _check(draft: Path) -> None:
    with closing(Sqlite(draft).reader()) as connection:
        whole = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar() == "ok"
        broken = None if not whole else verify_chain(connection)
    if not whole or broken is not None:
        raise GatewayError("backup.failed", "the copy does not hold: look at the disk")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        with suppress(OSError):
            os.close(handle)
