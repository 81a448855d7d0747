"""The composition root: the only clock, the only dice, all wiring."""

import asyncio
import contextlib
import os
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TypeVar
from uuid import uuid4

import structlog

from gateway.config import Settings, TlsListener
from gateway.directory import Directory, Subscriber
from gateway.errors import GatewayError
from gateway.explainer import Explainer
from gateway.installation import (
    Installation,
    load_installation,
)
from gateway.installation_webhooks import subscribers
from gateway.inventory import pair_of
from gateway.keys.access import UsedAssertions, load_token_keys
from gateway.keys.dkim_keys import dkim_keys
from gateway.keys.ended import EndedMarks
from gateway.keys.epochs import EpochKeys
from gateway.keys.keystore import FileKeyring, ReloadableKeyring
from gateway.metrics import Metrics
from gateway.outbound.ebms import EbmsClient
from gateway.outbound.mail import MailClient
from gateway.outbound.tls import KeyPair, ReloadableContext, server_context
from gateway.outbound.webhook import WebhookClient
from gateway.pipeline import Gateway, House
from gateway.pipeline.housekeeping import Housekeeping
from gateway.security.certificates import Usage
from gateway.security.jwt import Issuer
from gateway.snapshots import Explaining, FileSnapshots
from gateway.store.store import Store
from gateway.web.api.auth import Oauth
from gateway.web.api.last_uses import LastUses
from gateway.webhook_worker import WebhookWorker
from gateway.worker import Pace, Worker

T = TypeVar("T")

log = structlog.get_logger("gateway.app")

REREAD_SECONDS = 20.0
"""Between two readings of a directory that another process says is another one."""
STORE_SECONDS = 2.0
"""How long the database has to answer whoever asks whether we are ready."""
THREAD_BYTES = 128_000
"""From this size on, pure work goes to a thread: below it, the hop costs more."""


class SystemClock:
    """The clock of the machine, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()


class SystemDice:
    """Chance from the operating system."""

    def uuid(self) -> str:
        return str(uuid4())

    def unit(self) -> float:
        return secrets.randbits(53) / (1 << 53)

    def octets(self, n: int) -> bytes:
        return secrets.token_bytes(n)


async def think(size: int, work: Callable[[], T]) -> T:
    """Run pure work here, or on a thread when the input is large."""
    if size < THREAD_BYTES:
        return work()
    return await asyncio.to_thread(work)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One running installation, without its listeners."""

    installation: Installation
    store: Store
    snapshots: FileSnapshots
    gateway: Gateway
    worker: Worker
    housekeeping: Housekeeping
    metrics: Metrics
    clock: SystemClock
    tls: ReloadableContext
    """Of the ebMS2 listener: demands a client certificate."""
    api_tls: ReloadableContext | None
    """Of the REST listener; None where there is none."""
    console_tls: ReloadableContext | None
    """Of the console; None where there is none."""
    portal_tls: ReloadableContext | None
    """Of the portal; None where there is none."""
    dice: SystemDice
    explaining: Explaining
    oauth: Oauth | None
    """Access tokens for back-ends; None where they are not given."""
    uses: LastUses
    """When back-ends came in, and by what."""
    keyring: ReloadableKeyring
    network: EbmsClient
    webhook_worker: WebhookWorker
    webhook_client: WebhookClient

    @property
    def settings(self) -> Settings:
        return self.installation.settings

    async def ready(self) -> tuple[str, ...]:
        """Return why no message can be exchanged now, in Dutch; empty when one can."""
        directory = self.snapshots.current()
        reasons = await self._store_reasons(directory)
        try:
            identity = _identity(self.installation).der()
            trust = self.snapshots.trust(directory)
            trust.judge(identity, Usage.TLS_SERVER, self.clock.now())
        except GatewayError as error:
            reasons.append(f"Het eigen TLS-certificaat is niet bruikbaar ({error.code}).")
        if not directory.agreements:
            reasons.append("Er is geen overeenkomst (CPA).")
        return tuple(reasons)

    async def _store_reasons(self, directory: Directory) -> list[str]:
        outage = self.store.condition.outage()
        if outage is not None:
            return [f"Er kan niets worden vastgelegd ({outage.code})."]
        try:
            async with asyncio.timeout(STORE_SECONDS):
                epoch = await self.store.epoch()
        except TimeoutError:
            return ["De opslag antwoordt niet (store.slow)."]
        except GatewayError as error:
            return [f"De opslag antwoordt niet ({error.code})."]
        if epoch != directory.epoch:
            return ["Een ander proces werkt met een andere configuratie."]
        return []

    async def reload(self) -> None:
        """Read directory, keys and certificates again; keep the old ones when they are wrong.

        Connections and requests go on: what is new counts from the next one.
        """
        try:
            again = await asyncio.to_thread(load_installation, self.installation.folder)
            issuer = await asyncio.to_thread(load_issuer, again)
            keys = _keyring(self.installation)
            identity = _identity(self.installation)
            changed = await self.snapshots.reload(self.store)
            directory = self.snapshots.current()
            api = _api_context(self.installation, directory)
            console = _people_context(self.installation, self.settings.listen.console)
            portal = _people_context(self.installation, self.settings.listen.portal)
            fresh = server_context(identity, clients=directory.trust)
            self.store.subscribe(_subscribers(directory))
            self.webhook_client.renew()
            self.network.renew((identity,))
        except GatewayError as error:
            log.error("directory.not_reloaded", code=error.code, where=error.where, text=error.text)
            return
        self.keyring.swap(keys)
        self.tls.swap(fresh)
        _swap(self.api_tls, api)
        _swap(self.console_tls, console)
        _swap(self.portal_tls, portal)
        if self.oauth is not None and issuer is not None:
            self.oauth.issuer = issuer
        log.info("directory.reloaded", changed=changed, epoch=self.snapshots.current().epoch)
        later = changed_since_start(self.settings, again.settings)
        if later:
            log.warning("settings.at_start", settings=later, hint=RESTART)
        await self.explaining.renew()


def _keyring(installation: Installation) -> FileKeyring:
    return FileKeyring(installation.path(installation.settings.paths.keys))


def _identity(installation: Installation) -> KeyPair:
    return pair_of(installation, installation.settings.listen.ebms)


def _api_context(installation: Installation, directory: Directory) -> ssl.SSLContext | None:
    """Return the context of the REST listener; it asks for a certificate if any is of use."""
    api = installation.settings.listen.api
    if api is None:
        return None
    asks = any(backend.credentials.wants_certificate for backend in directory.backends)
    return server_context(
        pair_of(installation, api),
        clients=directory.backend_trust if asks else None,
        demanded=False,
    )


def _people_context(
    installation: Installation, listener: TlsListener | None
) -> ssl.SSLContext | None:
    """Return the context of console or portal; people show no certificate."""
    return server_context(pair_of(installation, listener)) if listener is not None else None


def _swap(shown: ReloadableContext | None, fresh: ssl.SSLContext | None) -> None:
    if shown is not None and fresh is not None:
        shown.swap(fresh)


def _reloadable(context: ssl.SSLContext | None) -> ReloadableContext | None:
    return ReloadableContext(context) if context is not None else None


def load_issuer(installation: Installation) -> Issuer | None:
    """Read what signs access tokens; None when [oauth] is off. Raises Misconfigured."""
    oauth = installation.settings.oauth
    if not oauth.keys or oauth.issuer is None:
        return None
    return Issuer(
        url=oauth.issuer,
        keys=load_token_keys(installation.path(path) for path in oauth.keys),
        life=timedelta(seconds=oauth.token_seconds),
    )


_AT_START = (
    "naam", "rol", "listen", "paths.database", "paths.epoch_keys", "paths.keys", "database", "log",
    "worker", "limits.requests", "limits.memory_bytes", "limits.partner_requests",
    "limits.partner_memory_bytes", "limits.backend_per_minute",
    "limits.backend_burst", "limits.backend_requests", "limits.backend_polls",
    "limits.backend_memory_bytes", "limits.signin_failures_per_minute", "oauth.used", "retention",
    "alarms", "contact", "console", "email", "portaal",
)  # fmt: skip
RESTART = "read at the start: restart the process, or put it back"


def changed_since_start(was: Settings, now: Settings) -> list[str]:
    """Return what differs in gateway.toml and does not count before the next start."""
    changed = [name for name in _AT_START if _setting(was, name) != _setting(now, name)]
    if bool(was.oauth.keys) is not bool(now.oauth.keys):
        changed.append("oauth.keys")
    return changed


def _setting(settings: Settings, name: str) -> object:
    found: object = settings
    for step in name.split("."):
        found = getattr(found, step)
    return found


def _oauth(installation: Installation, dice: SystemDice) -> Oauth | None:
    issuer = load_issuer(installation)
    if issuer is None:
        return None
    used = UsedAssertions(installation.path(installation.settings.oauth.used))
    return Oauth(issuer=issuer, used=used, dice=dice)


@contextlib.asynccontextmanager
async def build(installation: Installation) -> AsyncIterator[App]:
    """Open everything of an installation and close it again; raises Misconfigured."""
    async with contextlib.AsyncExitStack() as stack:
        clock, dice = SystemClock(), SystemDice()
        settings = installation.settings
        store = open_store(installation, clock, dice)
        stack.push_async_callback(store.close)
        snapshots = await FileSnapshots.load(installation, store, clock)
        directory = snapshots.current()
        explainer = await stack.enter_async_context(Explainer())
        explaining = Explaining(snapshots, explainer)
        network = EbmsClient(
            snapshots=snapshots, clock=clock, identities=(_identity(installation),)
        )
        stack.push_async_callback(network.close)
        store.subscribe(_subscribers(directory))
        client = WebhookClient(current=snapshots.current, clock=clock, path=installation.path)
        client.renew()
        metrics = Metrics()
        metrics.store_down(store.condition.seconds)
        api_tls = _api_context(installation, directory)
        console_tls = _people_context(installation, settings.listen.console)
        portal_tls = _people_context(installation, settings.listen.portal)
        oauth = _oauth(installation, dice)
        keyring = ReloadableKeyring(_keyring(installation))
        gateway = Gateway(
            House(
                clock=clock,
                dice=dice,
                snapshots=snapshots,
                keyring=keyring,
                network=network,
                explain=explaining,
                count=metrics,
                think=think,
                inbox=store.inbox,
                payloads=store.payloads,
                queue=store.queue,
                signals=store.signals,
                postvak=store.postvak,
                reader=store.reader,
                alarms=store.alarms,
                undeliverable=store.undeliverable,
                switches=store.switches,
                quarantine=store.quarantine,
                receipts=store.receipts,
                enquiries=store.enquiries,
                pickup=store.pickup,
                post=_post(installation, clock, dice),
                holds=store.holds,
                desk=store.desk,
                webhooks=store.webhooks,
                caller=client,
                worker=worker_name(settings),
            )
        )
        stack.push_async_callback(gateway.close)
        yield App(
            installation=installation,
            store=store,
            snapshots=snapshots,
            gateway=gateway,
            worker=_worker(settings, gateway, store, clock, metrics),
            housekeeping=_housekeeping(settings, snapshots, store, clock),
            metrics=metrics,
            clock=clock,
            tls=ReloadableContext(server_context(_identity(installation), clients=directory.trust)),
            explaining=explaining,
            api_tls=_reloadable(api_tls),
            console_tls=_reloadable(console_tls),
            portal_tls=_reloadable(portal_tls),
            dice=dice,
            oauth=oauth,
            uses=LastUses(),
            keyring=keyring,
            network=network,
            webhook_worker=WebhookWorker(
                calling=gateway.calling,
                bell=store.webhook_bell,
                on_trouble=_trouble(metrics, store),
            ),
            webhook_client=client,
        )


def _post(installation: Installation, clock: SystemClock, dice: SystemDice) -> MailClient | None:
    """Raise Misconfigured `email.resolver`, `email.dkim_key`, `keys.*`."""
    settings = installation.settings.email
    if settings is None:
        return None
    dkim = dkim_keys(settings, installation.path)
    return MailClient(settings, clock=clock, dice=dice, dkim=dkim)


def _subscribers(directory: Directory) -> tuple[Subscriber, ...]:
    if directory.calling.unsafe_http_loopback:
        log.warning("webhooks.unsafe_http_loopback")
    return tuple(webhook.subscriber for webhook in directory.webhooks)


def _worker(
    settings: Settings, gateway: Gateway, store: Store, clock: SystemClock, metrics: Metrics
) -> Worker:
    return Worker(
        name=worker_name(settings),
        gateway=gateway,
        queue=store.queue,
        bell=store.bell,
        clock=clock,
        pace=_pace(settings),
        on_trouble=_trouble(metrics, store),
    )


def _housekeeping(
    settings: Settings, snapshots: FileSnapshots, store: Store, clock: SystemClock
) -> Housekeeping:
    return Housekeeping(
        retention=store.retention,
        payloads=store.payloads,
        snapshots=snapshots,
        clock=clock,
        settings=settings.retention,
        role=settings.rol,
    )


def open_store(installation: Installation, clock: SystemClock, dice: SystemDice) -> Store:
    """Open the store for writing; raises as `Store.open` does."""
    settings = installation.settings
    database = installation.database
    if isinstance(database, Path):
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    epoch_keys = installation.path(settings.paths.epoch_keys)
    store = Store.open(
        database,
        epochs=EpochKeys(epoch_keys, dice=dice),
        ended=EndedMarks(epoch_keys),
        clock=clock,
        dice=dice,
        writer_id=settings.naam,
        password_file=installation.password_file,
        writers=settings.database.writers,
        lease=timedelta(seconds=settings.worker.lease_seconds),
    )
    store.subscribe(subscribers(settings))
    return store


def _trouble(metrics: Metrics, store: Store) -> Callable[[str], None]:
    """Count it; a directory that moved is read again, but not with every round."""
    rung_at = -REREAD_SECONDS

    def heard(code: str) -> None:
        nonlocal rung_at
        metrics.refused(code)
        if code == "epoch.moved" and monotonic() - rung_at >= REREAD_SECONDS:
            rung_at = monotonic()
            store.epoch_bell.ring()

    return heard


def worker_name(settings: Settings) -> str:
    """Return the name of this process in claims and audit rows."""
    return f"{settings.naam}@{socket.gethostname()}:{os.getpid()}"


def _pace(settings: Settings) -> Pace:
    worker = settings.worker
    return Pace(
        concurrency=worker.concurrency,
        # Each look is also the moment of a heartbeat: a lease must hold several.
        longest_wait=timedelta(seconds=min(worker.longest_wait_seconds, worker.lease_seconds / 4)),
        trouble_wait=timedelta(seconds=worker.trouble_wait_seconds),
        grace=timedelta(seconds=worker.grace_seconds),
    )
