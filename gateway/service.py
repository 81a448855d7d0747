"""One installation as a service: its listeners, its worker, its housekeeping.

SIGTERM and SIGINT stop it, the second one at once; SIGHUP reads agreements, parties, trust
and TLS files again. On one PostgreSQL any number of processes serve together, each all of
it or one role.
"""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import structlog

from gateway import heap, open_files
from gateway.app import App, build
from gateway.config import LimitSettings, ProcessRole
from gateway.consoles import desk_of, office_of, people_of, portal_of
from gateway.errors import Misconfigured
from gateway.housekeeping import keep_house
from gateway.installation import Installation
from gateway.rules.bucket import Pace
from gateway.stopping import HURRY, Stopping
from gateway.web.api.app import api_app
from gateway.web.api.limits import FairLimits
from gateway.web.api.office import ApiLimits
from gateway.web.api.openapi import contact_of
from gateway.web.console.app import console_app
from gateway.web.control import open_control
from gateway.web.health import health_app
from gateway.web.inbound.ebms import ebms_app
from gateway.web.inbound.lmtp import LmtpLimits, LmtpListener, Place, listen_lmtp
from gateway.web.inbound.lmtp_session import Patience
from gateway.web.intake import IntakeLimits
from gateway.web.listener import Listener, ListenerLimits, listen
from gateway.web.turns import Turns

log = structlog.get_logger("gateway.service")

ALL = frozenset(ProcessRole)
COLLECT = (50_000, 20, 50)
"""After how many new objects, and how many rounds, the garbage collector looks further."""


def run(
    installation: Installation,
    *,
    roles: frozenset[ProcessRole] = ALL,
    beheer_port: int | None = None,
) -> None:
    """Serve until told to stop; raises Misconfigured or Unavailable when it can not start.

    A stop takes at most the grace of the settings and five seconds.
    """
    heap.bound()
    open_files.allow_all()
    stopping = Stopping(timedelta(seconds=installation.settings.worker.grace_seconds))
    asyncio.run(_serve(installation, stopping, roles=roles, beheer_port=beheer_port))
    stopping.done()


async def _serve(
    installation: Installation,
    stopping: Stopping,
    *,
    roles: frozenset[ProcessRole],
    beheer_port: int | None,
) -> None:
    if roles != ALL and installation.settings.database.url is None:
        raise Misconfigured(
            "serve.only", "met SQLite doet één proces alles; --only is er voor PostgreSQL"
        )
    hangup = asyncio.Event()
    stopping.listen()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hangup.set)
    async with build(installation) as app, _control(app):
        app.store.listen()
        listeners = await _listen(app, roles, beheer_port)
        names = sorted(roles)
        _collect_less()
        log.info(
            "gateway.started",
            name=app.settings.naam,
            roles=names,
            epoch=_epoch(app),
            beheer=listeners[0].port,
        )
        await _run(app, roles, stopping.asked, hangup, listeners)
        log.info("gateway.stopped", name=app.settings.naam)


def _collect_less() -> None:
    """What stands at the start stays: it need not be looked at with every large document."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


@contextlib.asynccontextmanager
async def _control(app: App) -> AsyncIterator[None]:
    """Take the decisions of people in, where only this process may write."""
    if app.settings.database.url is not None:
        yield
        return
    folder = app.installation.path(app.settings.paths.database).parent
    control = await open_control(
        desk_of(app.store, app.gateway),
        folder,
        accounts=lambda: people_of(app.installation, app.store, app.clock, app.dice).accounts,
        deciding=app.gateway.deciding,
    )
    try:
        yield
    finally:
        await control.close()


async def _run(
    app: App,
    roles: frozenset[ProcessRole],
    stop: asyncio.Event,
    hangup: asyncio.Event,
    listeners: list[Listener | LmtpListener],
) -> None:
    async with asyncio.TaskGroup() as tasks:
        if ProcessRole.WORKER in roles:
            tasks.create_task(app.worker.run(stop))
            tasks.create_task(app.webhook_worker.run(stop))
        beside = [tasks.create_task(keep_house(app, hangup, leads=ProcessRole.SEALER in roles))]
        if ProcessRole.WEB in roles:
            beside.append(tasks.create_task(app.explaining.warm()))
        await stop.wait()
        log.info("gateway.stopping", name=app.settings.naam)
        for task in beside:
            task.cancel()
        app.store.wake()  # long polls end now
        await _close(app, listeners)


async def _close(app: App, listeners: list[Listener | LmtpListener]) -> None:
    """Close all listeners at once; whatever hangs is left behind after the grace."""
    seconds = app.settings.worker.grace_seconds + HURRY.total_seconds()
    closing = [asyncio.ensure_future(listener.close()) for listener in listeners]
    _, late = await asyncio.wait(closing, timeout=seconds)
    for task in late:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _epoch(app: App) -> int:
    return app.snapshots.current().epoch


async def _listen(
    app: App, roles: frozenset[ProcessRole], beheer_port: int | None
) -> list[Listener | LmtpListener]:
    """Open every listener; that of health, the first in the list, last: ready is said of all."""
    where = app.settings.listen
    opened: list[Listener | LmtpListener] = []
    if ProcessRole.WEB in roles:
        turns = Turns(done=heap.give_back)
        opened += await _listen_web(app, turns)
        opened += await _listen_mail(app, turns)
    beheer = health_app(
        ready=app.ready, metrics=app.metrics, reader=app.store.reader, clock=app.clock
    )
    port = where.beheer.port if beheer_port is None else beheer_port
    health = await listen(beheer, host=where.beheer.host, port=port, tls=None)
    return [health, *opened]


async def _listen_mail(app: App, turns: Turns) -> list[LmtpListener]:
    """Take mail in from the organisation's mail server, where that is set."""
    email = app.settings.email
    lmtp = email.lmtp if email is not None else None
    if lmtp is None:
        return []
    limits = LmtpLimits(
        connections=lmtp.connections,
        patience=Patience(mail=timedelta(seconds=lmtp.mail_seconds)),
        grace=timedelta(seconds=app.settings.worker.grace_seconds),
    )
    listener = LmtpListener(
        take=app.gateway.take_mail,
        mailbox=lambda: app.snapshots.current().mailbox,
        clock=app.clock,
        limits=limits,
        turns=turns,
    )
    path = app.installation.path(lmtp.socket) if lmtp.socket is not None else None
    place = Place(path=path, group=lmtp.groep, host=lmtp.host, port=lmtp.port or 0)
    await listen_lmtp(listener, place, shared=app.settings.database.url is not None)
    return [listener]


async def _listen_web(app: App, turns: Turns) -> list[Listener]:
    settings = app.settings
    where = settings.listen
    intake = IntakeLimits(
        requests=settings.limits.requests, memory_bytes=settings.limits.memory_bytes
    )
    bounds = ListenerLimits(
        grace=timedelta(seconds=settings.worker.grace_seconds),
        # Processes on one machine share the port; the kernel spreads the connections.
        shared=settings.database.url is not None,
    )
    ebms = ebms_app(
        app.gateway,
        clock=app.clock,
        answered=app.metrics,
        most=lambda: app.snapshots.current().limits.wire_bytes,
        path=where.ebms.path,
        limits=replace(
            intake,
            owner_requests=settings.limits.partner_requests,
            owner_bytes=settings.limits.partner_memory_bytes,
        ),
        turns=turns,
    )
    opened = [
        await listen(ebms, host=where.ebms.host, port=where.ebms.port, tls=app.tls, limits=bounds)
    ]
    if where.api is not None:
        api = api_app(
            app.gateway,
            clock=app.clock,
            answered=app.metrics,
            limits=ApiLimits(lease=timedelta(seconds=settings.worker.postvak_lease_seconds)),
            intake=replace(intake, owner_bytes=settings.limits.backend_memory_bytes),
            turns=turns,
            fair_limits=_fair(settings.limits),
            oauth=app.oauth,
            contact=contact_of(settings),
            uses=app.uses,
        )
        opened.append(
            await listen(
                api, host=where.api.host, port=where.api.port, tls=app.api_tls, limits=bounds
            )
        )
    if where.console is not None:
        console = console_app(office_of(app), answered=app.metrics)
        opened.append(
            await listen(
                console,
                host=where.console.host,
                port=where.console.port,
                tls=app.console_tls,
                limits=bounds,
            )
        )
    if where.portal is not None:
        portal = console_app(portal_of(app), answered=app.metrics)
        opened.append(
            await listen(
                portal,
                host=where.portal.host,
                port=where.portal.port,
                tls=app.portal_tls,
                limits=bounds,
            )
        )
    return opened


def _fair(limits: LimitSettings) -> FairLimits:
    failures = limits.signin_failures_per_minute
    return FairLimits(
        pace=Pace(per_minute=limits.backend_per_minute, burst=limits.backend_burst),
        requests=limits.backend_requests,
        polls=limits.backend_polls,
        failures=Pace(per_minute=failures, burst=failures),
    )
