"""What a database says of how safely it keeps what was committed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from gateway.store.clock import HIGH_WATER, db_now

_POSTGRESQL = (
    "server_version_num",
    "server_version",
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "data_checksums",
    "max_connections",
)
_SQLITE = ("journal_mode", "auto_vacuum", "page_count", "page_size")
_SECURE = (
    "SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), "
    "inet_server_addr() IS NULL OR host(inet_server_addr()) IN ('127.0.0.1', '::1'), "
    "pg_is_in_recovery()"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """The settings that count, by their own names, and two clocks."""

    settings: Mapping[str, str]
    now: datetime
    """The clock of the database."""
    high_water: datetime | None
    """The latest moment on file."""


def durability(connection: sa.Connection) -> Durability:
    """Ask the database; changes nothing."""
    postgresql = connection.dialect.name == "postgresql"
    settings = _postgresql(connection) if postgresql else _sqlite(connection)
    return Durability(
        settings=settings,
        now=connection.execute(sa.select(db_now())).scalar_one(),
        high_water=connection.execute(HIGH_WATER).scalar(),
    )


def _sqlite(connection: sa.Connection) -> dict[str, str]:
    return {name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in _SQLITE}


def _postgresql(connection: sa.Connection) -> dict[str, str]:
    found = {name: str(connection.exec_driver_sql(f"SHOW {name}").scalar()) for name in _POSTGRESQL}
    encrypted, near, standby = connection.exec_driver_sql(_SECURE).one()
    found["tls"] = "on" if encrypted else "off"
    found["near"] = "on" if near else "off"
    found["standby"] = "on" if standby else "off"
    return found
