"""What `gateway certs list` shows."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table

from gateway.app import SystemClock
from gateway.cli.screen import screen
from gateway.errors import Misconfigured
from gateway.installation import Installation, load_directory, load_installation
from gateway.inventory import survey
from gateway.keys.expiry import SHORT, InUse
from gateway.keys.keystore import FileKeyring
from gateway.security.certificates import TrustStore

DAY_SECONDS = 86_400


def list_in_use(config: Path, *, as_json: bool) -> int:
    """Print it; return 1 when something that messages depend on can not be used, else 0."""
    installation = load_installation(config)
    now = SystemClock().now()
    items = look_over(installation, now)
    if as_json:
        print(json.dumps([_shape(item, now) for item in items], indent=2, ensure_ascii=False))
    else:
        screen().print(_table(items, now))
    return int(any(item.code and item.needed for item in items))


def look_over(installation: Installation, now: datetime) -> tuple[InUse, ...]:
    """Return every certificate and list in use; raises Misconfigured."""
    directory = load_directory(installation, epoch=0)
    trust = TrustStore(directory.trust)
    return survey(installation, directory, trust, holds=_holds(installation), now=now)


def _holds(installation: Installation) -> Callable[[bytes], bool]:
    """Return what knows the private keys; when they can not be read it raises why."""
    try:
        return FileKeyring(installation.path(installation.settings.paths.keys)).holds
    except Misconfigured as error:
        return partial(_fail, error)


def _fail(error: Misconfigured, _certificate: bytes) -> bool:
    raise error


def days(item: InUse, now: datetime) -> int | None:
    """Return whole days that are left; negative when it ended, None when it says nothing."""
    left = item.left(now)
    return None if left is None else int(left.total_seconds() // DAY_SECONDS)


def _table(items: tuple[InUse, ...], now: datetime) -> Table:
    table = Table()
    table.add_column("dagen", justify="right", no_wrap=True)
    table.add_column("gebruik", no_wrap=True)
    for column in ("naam", "OIN"):
        table.add_column(column, overflow="fold")
    table.add_column("SHA-256", no_wrap=True)
    for column in ("waar", "oordeel"):
        table.add_column(column, overflow="fold")
    for item in items:
        left = days(item, now)
        table.add_row(
            "-" if left is None else str(left),
            item.use,
            item.name or "-",
            item.oin or "-",
            item.sha256[:SHORT] or "-",
            item.where,
            _verdict(item),
        )
    return table


def _verdict(item: InUse) -> str:
    if item.code:
        return item.code if item.needed else f"{item.code} (alleen genoemd)"
    return "goed" if item.needed else "alleen genoemd"


def _shape(item: InUse, now: datetime) -> dict[str, Any]:
    return {
        "gebruik": item.use,
        "naam": item.name,
        "oin": item.oin,
        "sha256": item.sha256,
        "tot": None if item.until is None else item.until.isoformat(),
        "dagen": days(item, now),
        "waar": item.where,
        "eigen": item.ours,
        "nodig": item.needed,
        "code": item.code,
    }
