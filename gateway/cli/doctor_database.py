"""What `gateway doctor` says of the database and of the clock."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from gateway.app import SystemClock
from gateway.cli.doctor_files import NETWORK, VOLATILE, filesystem
from gateway.cli.doctor_findings import Area, Finding
from gateway.errors import GatewayError
from gateway.installation import Installation
from gateway.store.clock import STEP_BACK, stepped_back
from gateway.store.durability import Durability
from gateway.store.view import View

SKEW = timedelta(seconds=2)
"""How far the clocks of database and machine may differ."""
OLDEST_SERVER = 140_000
"""`server_version_num` of the oldest PostgreSQL that its makers still mend."""
TRIES = 11
PRETENDS_SECONDS = 20e-6
"""No disk brings 4 KB to safety faster; what does, only says so."""
SLOW_SECONDS = 0.05
_DATABASE, _CLOCK = Area("Database"), Area("Klok")
_LOSES = "Bij stroomuitval gaat verloren wat al is bevestigd: de zender stuurt het niet opnieuw."


def database(installation: Installation) -> Iterator[Finding]:
    """Yield whether what was committed stays, and whether the clocks agree."""
    before = SystemClock().now()
    try:
        found = asyncio.run(_ask(installation))
    except GatewayError as error:
        if error.code == "store.path":
            yield _DATABASE.good("nog geen database: die komt bij de eerste start")
        else:
            yield _DATABASE.error(error, "Kijk of de database draait en [database] klopt")
        found = None
    after = SystemClock().now()
    if isinstance(installation.database, Path):
        yield from _DATABASE.guarded(lambda: _file(installation.database, found))
    elif found is not None:
        yield from _server(found)
    yield from clock(found, before, after)


async def _ask(installation: Installation) -> Durability:
    with View(
        installation.database, SystemClock(), password_file=installation.password_file
    ) as view:
        return await view.durability()


# --- SQLite -----------------------------------------------------------------------------


def _file(path: str | Path, found: Durability | None) -> Iterator[Finding]:
    folder = Path(path).parent
    if found is not None:
        journal = found.settings["journal_mode"]
        if journal == "wal":
            yield _DATABASE.good("SQLite, journal_mode WAL; elke commit wacht op de schijf (FULL)")
        else:
            yield _DATABASE.warn(
                "database.journal",
                f"SQLite staat in journal_mode {journal}",
                "Lezen en schrijven wachten op elkaar, en back-ups naast het proces mislukken.",
                "Start de gateway: die zet WAL aan",
            )
    there = next(p for p in (folder, *folder.parents) if p.exists())
    kind = filesystem(there)
    if kind in NETWORK:
        yield _DATABASE.bad(
            "database.network",
            f"de database staat op een netwerkschijf ({kind})",
            "SQLite kan daar niet veilig vergrendelen: de database raakt beschadigd.",
            "Zet paths.database op een lokale schijf, of neem PostgreSQL (docs/postgresql.md)",
        )
    elif kind in VOLATILE:
        yield _DATABASE.bad(
            "database.volatile",
            f"de database staat in het geheugen ({kind})",
            "Na een herstart van de machine is alles weg.",
            "Zet paths.database op een schijf",
        )
    if os.access(there, os.W_OK) and kind not in VOLATILE:
        yield _fsync(there, kind)


def _fsync(folder: Path, kind: str) -> Finding:
    seconds = _measured(folder)
    text = f"fsync op {kind or 'deze schijf'}: {seconds * 1000:.2f} ms"
    if seconds < PRETENDS_SECONDS:
        return _DATABASE.warn(
            "database.fsync",
            text,
            f"Dat is sneller dan een schijf kan; misschien wordt niets bewaard. {_LOSES}",
            "Vraag de beheerder van opslag of virtualisatie of schrijfcaches tegen uitval kunnen",
        )
    if seconds > SLOW_SECONDS:
        return _DATABASE.warn(
            "database.slow",
            text,
            "Elke commit wacht hierop: er gaan weinig berichten per seconde door.",
            "Neem een snellere schijf (SSD)",
        )
    return _DATABASE.good(text)


def _measured(folder: Path) -> float:
    """Return the median of writing 4 KB and waiting for the disk; leaves nothing behind."""
    path = folder / f"fsync-{os.getpid()}"
    taken: list[float] = []
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        for _ in range(TRIES):
            os.write(handle, bytes(4096))
            begin = time.perf_counter()
            os.fsync(handle)
            taken.append(time.perf_counter() - begin)
    finally:
        os.close(handle)
        path.unlink(missing_ok=True)
    return median(taken)


# --- PostgreSQL -------------------------------------------------------------------------


def _server(found: Durability) -> Iterator[Finding]:
    settings = found.settings
    version = settings["server_version"].split()[0]
    if int(settings["server_version_num"]) < OLDEST_SERVER:
        yield _DATABASE.warn(
            "database.version",
            f"PostgreSQL {version} krijgt geen herstel meer",
            "Fouten in de beveiliging blijven staan.",
            "Plan een nieuwere PostgreSQL (14 of hoger)",
        )
    else:
        yield _DATABASE.good(f"PostgreSQL {version}")
    for name, code in (
        ("fsync", "database.fsync"),
        ("full_page_writes", "database.full_page_writes"),
    ):
        if settings[name] != "on":
            yield _DATABASE.bad(
                code,
                f"{name} staat uit op de server",
                _LOSES,
                f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();",
            )
    if settings["standby"] == "on":
        yield _DATABASE.bad(
            "database.standby",
            "deze server is een kopie (standby)",
            "Er kan niets worden opgeslagen.",
            "Laat [database] url naar de primaire server wijzen (target_session_attrs=read-write)",
        )
    if settings["tls"] != "on" and settings["near"] != "on":
        yield _DATABASE.warn(
            "database.tls",
            "de verbinding met de database is niet versleuteld",
            "Op het netwerk is te lezen wie wie wanneer wat stuurde.",
            "Zet sslmode=verify-full in [database] url (docs/postgresql.md)",
        )
    durable = settings["fsync"] == settings["full_page_writes"] == "on"
    if durable:
        yield _DATABASE.good("fsync en full_page_writes aan; de gateway zet synchronous_commit aan")
    if settings["data_checksums"] != "on":
        yield _DATABASE.warn(
            "database.checksums",
            "data_checksums staat uit op de server",
            "Een schijf die stil bits verliest, valt niet op.",
            "pg_checksums --enable, als de server stilstaat",
        )


# --- the clock --------------------------------------------------------------------------


def clock(found: Durability | None, before: datetime, after: datetime) -> Iterator[Finding]:
    """Yield whether time is what it was, what the database has, and what the network says."""
    synchronised = _synchronised()
    if synchronised is False:
        yield _CLOCK.warn(
            "clock.unsynchronised",
            "de klok van deze machine wordt niet gelijk gezet",
            "Een klok die afwijkt laat geldige berichten en certificaten weigeren.",
            "Zet tijdsynchronisatie aan: timedatectl set-ntp true, of chrony",
        )
    elif synchronised:
        yield _CLOCK.good("de klok van deze machine wordt gelijk gezet")
    else:
        yield _CLOCK.good("of de klok gelijk wordt gezet, is hier niet te zien")
    if found is None:
        return
    off = max(found.now - after, before - found.now, timedelta(0))
    if off > SKEW:
        yield _CLOCK.warn(
            "clock.skew",
            f"de klok van de database wijkt {off.total_seconds():.0f} seconden af",
            "Termijnen in de database en in berichten lopen dan uiteen.",
            "Zet op beide machines tijdsynchronisatie aan",
        )
    if found.high_water is not None and stepped_back(found.high_water, after):
        behind = (found.high_water - after).total_seconds()
        yield _CLOCK.bad(
            "clock.stepped_back",
            f"de klok loopt {behind:.0f} seconden achter op het laatste moment in de database",
            f"Meer dan {STEP_BACK.total_seconds():.0f} seconden terug: onder een doorlopende "
            "toestemming gaat niets uit.",
            "Zet de klok gelijk. Liep hij eerst voor: gateway alarmen af NR",
        )


def _synchronised() -> bool | None:
    """Return what systemd says; None where it can not be asked."""
    program = shutil.which("timedatectl")
    if program is None:
        return None
    command = (program, "show", "--property=NTPSynchronized", "--value")
    try:
        done = subprocess.run(  # noqa: S603 - a program of the system, no input of anybody
            command, capture_output=True, text=True, timeout=3, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip())
