"""One installation as a service: its listeners, its worker, its housekeeping.

SIGTERM and SIGINT stop it; SIGHUP reads agreements, parties, trust and TLS files again.
"""

import asyncio
import contextlib
import signal
from datetime import timedelta

import structlog

from gateway.alarming import Alarming, bounds
from gateway.app import App, build
from gateway.errors import GatewayError
from gateway.installation import Installation
from gateway.security.certificates import Usage
from gateway.web.api.app import api_app
from gateway.web.api.office import ApiLimits
from gateway.web.control import Desk, open_control
from gateway.web.health import health_app
from gateway.web.inbound.ebms import ebms_app
from gateway.web.intake import IntakeLimits
from gateway.web.listener import Listener, listen

log = structlog.get_logger("gateway.service")

HOUSEKEEPING = timedelta(minutes=1)
DAY_SECONDS = 86_400


async def serve(installation: Installation) -> None:
    """Serve until told to stop; raises Misconfigured when it can not start."""
    stop, hangup = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    async with build(installation) as app:
        listeners = await _listen(app)
        control = await open_control(
            Desk(decisions=app.store.decisions, alarms=app.store.alarms),
            app.installation.path(app.settings.paths.database).parent,
        )
        log.info("gateway.started", name=app.settings.naam, epoch=app.snapshots.current().epoch)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(app.worker.run(stop))
            keeping = tasks.create_task(_keep_house(app, hangup))
            tasks.create_task(app.explaining.warm(app.snapshots.current()))
            await stop.wait()
            await control.close()
            for listener in listeners:
                await listener.close()
            keeping.cancel()
        log.info("gateway.stopped", name=app.settings.naam)


async def _listen(app: App) -> list[Listener]:
    settings = app.settings
    intake = IntakeLimits(
        requests=settings.limits.requests, memory_bytes=settings.limits.memory_bytes
    )
    ebms = ebms_app(
        app.gateway,
        clock=app.clock,
        answered=app.metrics,
        most=lambda: app.snapshots.current().limits.wire_bytes,
        path=settings.listen.ebms.path,
        limits=intake,
    )
    beheer = health_app(
        ready=app.ready, metrics=app.metrics, reader=app.store.reader, clock=app.clock
    )
    where = settings.listen
    opened = [
        await listen(ebms, host=where.ebms.host, port=where.ebms.port, tls=app.tls),
        await listen(beheer, host=where.beheer.host, port=where.beheer.port, tls=None),
    ]
    if where.api is not None:
        api = api_app(
            app.gateway,
            clock=app.clock,
            answered=app.metrics,
            limits=ApiLimits(lease=timedelta(seconds=settings.worker.postvak_lease_seconds)),
            intake=intake,
        )
        opened.append(await listen(api, host=where.api.host, port=where.api.port, tls=app.api_tls))
    return opened


# --- housekeeping ---------------------------------------------------------------------


async def _keep_house(app: App, hangup: asyncio.Event) -> None:
    """Reload on SIGHUP or when a revocation list changed; sweep orphans; watch certificates."""
    lists = _stamp(app.installation)
    alarming = Alarming(
        gateway=app.gateway,
        alarms=app.store.alarms,
        reader=app.store.reader,
        bounds=bounds(app.settings.alarms),
    )
    while True:
        try:
            await _sweep(app)
            await alarming.round()
            _watch_certificates(app)
        except Exception as error:  # noqa: BLE001 - housekeeping never stops the traffic
            log.error("housekeeping.failed", kind=type(error).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hangup.wait(), HOUSEKEEPING.total_seconds())
        seen = _stamp(app.installation)
        if hangup.is_set() or seen != lists:
            hangup.clear()
            lists = seen
            await app.reload()


async def _sweep(app: App) -> None:
    age = timedelta(minutes=app.settings.retention.orphan_minutes)
    try:
        await app.store.payloads.sweep_orphans(older_than=age)
    except GatewayError as error:
        log.warning("housekeeping.failed", code=error.code)


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
    """Return name, time and size of every revocation list; empty when the folder is gone."""
    folder = installation.path(installation.settings.paths.crls)
    try:
        return tuple(
            (f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in sorted(folder.iterdir())
        )
    except OSError as error:
        log.error("crl.unreadable", reason=error.strerror)
        return ()
