"""Errors of the two databases, turned into ours: one dotted code per thing to do about it."""

import sqlite3
from collections.abc import Iterator

import sqlalchemy as sa

from gateway.errors import GatewayError, StoreUnavailable

_TEXTS = {
    "store.integrity": "a constraint of the database refused the change",
    "store.conflict": "another change was in the way; the same one may succeed now",
    "store.full": "there is no room on the disk of the database",
    "store.readonly": "the database can not be written",
    "store.connections": "the database server takes no more connections",
    "store.gone": "the database can not be reached",
    "store.disk": "the disk of the database fails",
    "store.damaged": "the database file is damaged",
    "store.locked_out": "the database refuses the user or its password",
    "store.slow": "the database did not answer in time",
    "store.failed": "the database failed",
}

# SQLSTATE of PostgreSQL, longest prefix first.
_STATES = (
    ("53100", "store.full"),
    ("53300", "store.connections"),
    ("53400", "store.full"),
    ("25006", "store.readonly"),
    ("55P03", "store.conflict"),
    ("57014", "store.slow"),
    ("25P03", "store.slow"),
    ("25P04", "store.slow"),
    ("28", "store.locked_out"),
    ("3D000", "store.gone"),
    ("40", "store.conflict"),
    ("57P", "store.gone"),
    ("58", "store.gone"),
    ("08", "store.gone"),
    ("23", "store.integrity"),
    ("XX001", "store.damaged"),
)
_SQLITE = {
    sqlite3.SQLITE_FULL: "store.full",
    sqlite3.SQLITE_READONLY: "store.readonly",
    sqlite3.SQLITE_IOERR: "store.disk",
    sqlite3.SQLITE_CANTOPEN: "store.gone",
    sqlite3.SQLITE_CORRUPT: "store.damaged",
    sqlite3.SQLITE_NOTADB: "store.damaged",
    sqlite3.SQLITE_CONSTRAINT: "store.integrity",
    sqlite3.SQLITE_BUSY: "store.slow",
    sqlite3.SQLITE_LOCKED: "store.slow",
}
_PRIMARY = 0xFF
"""Mask of the primary result code of SQLite."""
AGAIN = frozenset({"store.conflict", "store.integrity"})
"""Somebody else's change may be the cause: the same unit, run again, sees what it did."""


def ours(error: BaseException) -> BaseException:
    """Turn an error of the database into one of ours; leave others as they are.

    Codes: `store.integrity`, `store.conflict`, `store.full`, `store.readonly`,
    `store.connections`, `store.gone`, `store.disk`, `store.damaged`, `store.locked_out`,
    `store.slow`, `store.failed`. A retry on schedule helps, once somebody mended what the
    code names.
    """
    if isinstance(error, GatewayError) or not isinstance(error, sa.exc.SQLAlchemyError):
        return error
    code = code_of(error)
    return StoreUnavailable(code, _TEXTS[code])


def code_of(error: sa.exc.SQLAlchemyError) -> str:
    """Return the dotted code for an error of SQLAlchemy."""
    for cause in _causes(error):
        code = _driver_code(cause)
        if code:
            return code
    if isinstance(error, sa.exc.IntegrityError):
        return "store.integrity"
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return "store.gone"
    return "store.failed"


def lost_connection(error: sa.exc.SQLAlchemyError) -> bool:
    """Tell whether the connection is of no use any more, so that a new one may do better."""
    return code_of(error) in {"store.gone", "store.disk", "store.readonly", "store.failed"}


def _driver_code(cause: BaseException) -> str:
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        return next((code for prefix, code in _STATES if state.startswith(prefix)), "")
    number = getattr(cause, "sqlite_errorcode", None)
    if isinstance(number, int):
        return _SQLITE.get(number & _PRIMARY, "")
    return _told(cause)


def _told(cause: BaseException) -> str:
    """A refused connection has no SQLSTATE, only libpq's words."""
    if type(cause).__module__.partition(".")[0] != "psycopg":
        return ""
    text = str(cause)
    if "too many clients" in text or "remaining connection slots" in text:
        return "store.connections"
    if "password authentication" in text or "no pg_hba.conf entry" in text:
        return "store.locked_out"
    return "store.gone" if isinstance(cause, _connection_errors()) else ""


def _connection_errors() -> tuple[type[BaseException], ...]:
    import psycopg

    return (psycopg.OperationalError, psycopg.InterfaceError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
            yield error.orig
        error = error.__cause__
