"""What a process does beside the traffic: reload, watch, and, one process at a time, tidy up."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from gateway.alarming import Alarming, Disk, bounds
from gateway.app import App
from gateway.directory import Directory
from gateway.errors import GatewayError
from gateway.installation import Installation, gate_fault
from gateway.inventory import certificate_figures, expiring, list_figures, survey
from gateway.keys.epochs import is_writable
from gateway.keys.expiry import InUse
from gateway.lapsing import exception_figures, exceptions_expiring
from gateway.ports import Alarm
from gateway.store.watch import GATE_CLOSED, UNWRITABLE

log = structlog.get_logger("gateway.housekeeping")

EVERY = timedelta(minutes=1)
DUTY = "housekeeping"
TERM = 3 * EVERY
"""How long the duty stays with a process that is not heard of any more."""
LEAVE = timedelta(seconds=2)
"""How long a stop waits for the duty to be given up."""
DAY_SECONDS = 86_400
MEGABYTE = 1_000_000
ENDED = "gate.confirmation.ended"


async def keep_house(app: App, hangup: asyncio.Event, *, leads: bool) -> None:
    """Reload on SIGHUP, on a changed revocation list, or when another process did.

    With `leads` it also tidies up whenever the duty is with this process.
    """
    try:
        await _keep(app, hangup, leads=leads)
    finally:
        if leads:
            await _leave(app)


async def _leave(app: App) -> None:
    """Let another process take the duty at once. A store that is away keeps it for its term."""
    try:
        async with asyncio.timeout(LEAVE.total_seconds()):
            await app.store.leave_duty(DUTY)
    except (GatewayError, TimeoutError) as error:
        log.warning("housekeeping.not_left", code=_code(error))


async def _keep(app: App, hangup: asyncio.Event, *, leads: bool) -> None:
    lists = _stamp(app.installation)
    outside = Outside(app)
    alarming = Alarming(
        gateway=app.gateway,
        alarms=app.store.alarms,
        reader=app.store.reader,
        bounds=bounds(app.settings.alarms),
        outside=outside.alarms,
    )
    while True:
        try:
            await app.store.keep_ended.run()
            outside.look()
            await _once(app, alarming, leads=leads)
            await app.uses.write_down(app.store.tokens)
        except Exception as error:  # noqa: BLE001 - housekeeping never stops the traffic
            log.error("housekeeping.failed", code=_code(error))
        reread = await _woken(app, hangup)
        seen = _stamp(app.installation)
        if reread or seen != lists or await gate_moved(app):
            lists = seen
            await app.reload()


async def gate_moved(app: App) -> bool:
    """Tell whether time alone closed the gate or opened it: a list grew stale, a word ended.

    What is wrong with its files moves nothing: a process keeps what it had.
    """
    installation, now = app.installation, app.clock.now()
    try:
        fault = await asyncio.to_thread(gate_fault, installation, now)
    except GatewayError:
        return False
    return fault != app.snapshots.current().gate.fault


def _disk(installation: Installation) -> Disk | None:
    database = installation.database
    if not isinstance(database, Path):
        return None
    least = installation.settings.alarms.disk_free_mb * MEGABYTE
    return Disk(folder=database.parent, least_bytes=least)


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, GatewayError) else type(error).__name__


async def _once(app: App, alarming: Alarming, *, leads: bool) -> None:
    if leads and await app.store.take_duty(DUTY, term=TERM):
        try:
            await alarming.round()
            await app.store.keep_ended.look()
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
    """Destroy what is due, and count; say what was done, and what could not be."""
    kept = await app.housekeeping.run_once(app.clock.now())
    if kept.destroyed or kept.rekeyed.destroyed:
        log.info("housekeeping.destroyed", messages=kept.destroyed, keys=kept.rekeyed.destroyed)
    if kept.forgotten:
        log.info("housekeeping.forgotten", rows=kept.forgotten)
    for code in kept.failed:
        log.error("housekeeping.failed", code=code)
        app.metrics.refused(code)
    await app.gateway.ask_om()
    await app.gateway.watch_holds()
    switched = await app.gateway.switch_standing()
    if switched:
        log.warning("mail.switched", messages=switched)
    dropped = await app.gateway.calling.drop_old()
    if dropped:
        log.warning("webhooks.dropped", events=dropped)
    if kept.backlog is not None:
        app.metrics.retention(
            due=kept.backlog.due,
            overdue=kept.backlog.overdue,
            oldest_key_days=kept.backlog.oldest_key.total_seconds() / DAY_SECONDS,
        )
    await app.store.tallies.fold()


class Outside:
    """What is seen outside the store: certificates, lists, the disk, the folder of the keys."""

    def __init__(self, app: App) -> None:
        """Nothing was seen or told yet."""
        self._app = app
        self._items: tuple[InUse, ...] = ()
        self._told: frozenset[tuple[str, str, str]] = frozenset()

    def look(self) -> None:
        """Show how long certificates and lists are still good; log once what can not be used."""
        app, now = self._app, self._app.clock.now()
        directory = app.snapshots.current()
        self._items = items = survey(
            app.installation,
            directory,
            app.snapshots.trust(directory),
            holds=app.keyring.holds,
            now=now,
        )
        app.metrics.certificates(certificate_figures(items, now))
        app.metrics.revocation_lists(list_figures(items, now))
        app.metrics.exceptions(exception_figures(directory, now))
        app.metrics.gate(_is_open(directory, now))
        bad = frozenset((i.use, i.where, i.code) for i in items if i.code and i.needed)
        for use, where, code in sorted(bad - self._told):
            log.error("certificate.unusable", use=use, where=where, code=code)
        self._told = bad

    def alarms(self) -> Iterator[Alarm]:
        """Yield the alarms that are due now."""
        settings, now = self._app.settings, self._app.clock.now()
        disk = _disk(self._app.installation)
        yield from disk.low() if disk is not None else ()
        yield from expiring(self._items, settings.alarms, now)
        directory = self._app.snapshots.current()
        yield from exceptions_expiring(directory, settings.alarms, now)
        if not _is_open(directory, now):
            reason = directory.gate.fault or ENDED
            yield Alarm(code=GATE_CLOSED, subject="", reason=reason)
        if not is_writable(self._app.installation.path(settings.paths.epoch_keys)):
            yield Alarm(code=UNWRITABLE, subject="")


def _is_open(directory: Directory, now: datetime) -> bool:
    """Tell whether the gate lets anything by; where none stands it is open."""
    gate = directory.gate
    return not gate.fault and (gate.confirmation is None or gate.at(now) is gate)


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
