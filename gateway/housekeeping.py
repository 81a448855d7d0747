"""What a process does beside the traffic: reload, watch, and, one process at a time, tidy up."""

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import structlog

from gateway.alarming import Alarming, Disk, bounds
from gateway.app import App
from gateway.errors import GatewayError
from gateway.installation import Installation
from gateway.security.certificates import Usage

log = structlog.get_logger("gateway.housekeeping")

EVERY = timedelta(minutes=1)
DUTY = "housekeeping"
TERM = 3 * EVERY
"""How long the duty stays with a process that is not heard of any more."""
DAY_SECONDS = 86_400
MEGABYTE = 1_000_000


async def keep_house(app: App, hangup: asyncio.Event, *, leads: bool) -> None:
    """Reload on SIGHUP, on a changed revocation list, or when another process did.

    With `leads` it also tidies up whenever the duty is with this process.
    """
    lists = _stamp(app.installation)
    alarming = Alarming(
        gateway=app.gateway,
        alarms=app.store.alarms,
        reader=app.store.reader,
        bounds=bounds(app.settings.alarms),
        disk=_disk(app.installation),
    )
    while True:
        try:
            await _once(app, alarming, leads=leads)
        except Exception as error:  # noqa: BLE001 - housekeeping never stops the traffic
            code = error.code if isinstance(error, GatewayError) else type(error).__name__
            log.error("housekeeping.failed", code=code)
        reread = await _woken(app, hangup)
        seen = _stamp(app.installation)
        if reread or seen != lists:
            lists = seen
            await app.reload()


def _disk(installation: Installation) -> Disk | None:
    database = installation.database
    if not isinstance(database, Path):
        return None
    least = installation.settings.alarms.disk_free_mb * MEGABYTE
    return Disk(folder=database.parent, least_bytes=least)


async def _once(app: App, alarming: Alarming, *, leads: bool) -> None:
    _watch_certificates(app)
    if leads and await app.store.take_duty(DUTY, term=TERM):
        try:
            await alarming.round()
        finally:
            await _tidy(app)


async def _woken(app: App, hangup: asyncio.Event) -> bool:
    """Wait a minute at most; True when the directory is to be read again now."""
    waits = [
        asyncio.ensure_future(hangup.wait()),
        asyncio.ensure_future(app.store.epoch_bell.wait(EVERY.total_seconds())),
    ]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await wait
    # Only now, with nothing awaited in between: a SIGHUP of this moment is not lost.
    rung = hangup.is_set() or (not waits[1].cancelled() and bool(waits[1].result()))
    hangup.clear()
    return rung


async def _tidy(app: App) -> None:
    """Destroy what is due; say what was done, and what could not be."""
    kept = await app.housekeeping.run_once(app.clock.now())
    if kept.destroyed or kept.rekeyed.destroyed:
        log.info("housekeeping.destroyed", messages=kept.destroyed, keys=kept.rekeyed.destroyed)
    for code in kept.failed:
        log.error("housekeeping.failed", code=code)
        app.metrics.refused(code)
    if kept.backlog is not None:
        app.metrics.retention(
            due=kept.backlog.due,
            overdue=kept.backlog.overdue,
            oldest_key_days=kept.backlog.oldest_key.total_seconds() / DAY_SECONDS,
        )


def _watch_certificates(app: App) -> None:
    """Show how long the own signing certificates are still good."""
    directory = app.snapshots.current()
    trust = app.snapshots.trust(directory)
    now = app.clock.now()
    days: dict[str, float] = {}
    for agreement in directory.agreements.values():
        signing = agreement.signals[directory.me].signing
        if signing is None:
            continue
        try:
            identity = trust.judge(signing.certificate, Usage.SIGN, now)
            left = (identity.not_after - now).total_seconds() / DAY_SECONDS
        except GatewayError as error:
            log.error("certificate.unusable", agreement=agreement.cpa_id, code=error.code)
            left = 0.0
        days[agreement.cpa_id] = left
    app.metrics.certificates(days)


def _stamp(installation: Installation) -> tuple[tuple[str, int, int], ...]:
    """Return name, time and size of every revocation list; empty when a folder is gone."""
    paths = installation.settings.paths
    folders = [installation.path(paths.crls)]
    if paths.backend_trust is not None:
        folders.append(installation.path(paths.backend_trust) / "crls")
    try:
        return tuple(
            (f.name, f.stat().st_mtime_ns, f.stat().st_size)
            for folder in folders
            for f in sorted(folder.iterdir())
        )
    except OSError as error:
        log.error("crl.unreadable", reason=error.strerror)
        return ()
