"""The console of an installation, put together: its key, its people, its office."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.metadata import version

from gateway.app import App, SystemClock, SystemDice
from gateway.config import PeopleListener
from gateway.errors import Misconfigured
from gateway.identity import provider_of
from gateway.importing.importer import Importer
from gateway.installation import Installation
from gateway.inventory import survey
from gateway.keys.console_key import ConsoleKey, load_console_key
from gateway.keys.expiry import InUse
from gateway.pipeline.accounts import People, Rules, open_people
from gateway.pipeline.accounts.confirming import Confirming
from gateway.pipeline.accounts.people import Ground
from gateway.pipeline.systems import Systems
from gateway.rules.retention import Terms
from gateway.store.store import Store
from gateway.toetsing.framework import Framework
from gateway.web.console.app import PAGES
from gateway.web.console.assets import Assets
from gateway.web.console.office import ConsoleLimits, Entrances, Office, Portal
from gateway.web.console.page import Page
from gateway.web.console.pages.portal import PAGES as PORTAL
from gateway.web.console.render import Renderer
from gateway.web.control import Desk, Sending


def desk_of(store: Store, sending: Sending | None = None) -> Desk:
    """Return what carries out the decisions of people; with `sending` also what goes again."""
    return Desk(
        decisions=store.decisions,
        pauses=store.pauses,
        alarms=store.alarms,
        renewals=store.renewals,
        shelving=store.shelving,
        webhooks=store.webhooks,
        confirmations=store.confirmations,
        sending=sending,
    )


def console_key(installation: Installation) -> ConsoleKey:
    """Return the key, made where there was none; raises Misconfigured."""
    return load_console_key(installation.path(installation.settings.console.key), make=True)


def ground_of(
    installation: Installation, store: Store, clock: SystemClock, dice: SystemDice
) -> Ground:
    """Return what accounts work with; raises Misconfigured."""
    console = installation.settings.console
    oidc = console.oidc
    return Ground(
        people=store.people,
        key=console_key(installation),
        clock=clock,
        dice=dice,
        rules=Rules(
            origin=console.url or "https://localhost",
            issuer=installation.settings.naam,
            idle=timedelta(minutes=console.idle_minutes),
            session=timedelta(hours=console.session_hours),
            provider=oidc.issuer if oidc is not None else "",
            own=oidc is None or oidc.lokaal,
        ),
    )


def people_of(
    installation: Installation, store: Store, clock: SystemClock, dice: SystemDice
) -> People:
    """Return accounts, door and drafts, without a provider; raises Misconfigured."""
    return open_people(ground_of(installation, store, clock, dice))


def _everybody(app: App) -> People:
    """Return the same with the way in from elsewhere: nobody waits for it on a command line."""
    oidc = app.settings.console.oidc
    provider = provider_of(app.installation, oidc, app.clock) if oidc is not None else None
    return open_people(
        ground_of(app.installation, app.store, app.clock, app.dice), provider=provider
    )


async def _certificates(app: App) -> tuple[InUse, ...]:
    """Look over the files, on a thread."""
    directory = app.snapshots.current()
    return await asyncio.to_thread(
        survey,
        app.installation,
        directory,
        app.snapshots.trust(directory),
        holds=app.keyring.holds,
        now=app.clock.now(),
    )


def office_of(app: App) -> Office:
    """Return the office; raises Misconfigured `console.url`, `console.theme`, `keys.*`."""
    console = app.settings.console
    if console.url is None:
        raise Misconfigured(
            "console.url", "[listen.console] vraagt om [console] url.", where="gateway.toml"
        )
    entrances = Entrances(
        own=console.oidc is None or console.oidc.lokaal,
        provider=console.oidc.naam if console.oidc is not None else "",
    )
    return _office(
        app,
        _everybody(app),
        _Face(console.url, console.hulp, entrances, PAGES, app.settings.listen.console),
    )


def portal_of(app: App) -> Office:
    """Return the office of persons of partners; raises Misconfigured `console.theme`, `keys.*`."""
    settings = app.settings.portaal
    ground = ground_of(app.installation, app.store, app.clock, app.dice)
    origin = settings.url or ""
    rules = replace(ground.rules, origin=origin, provider="", own=True, portal=True)
    people = open_people(replace(ground, rules=rules))
    face = _Face(origin, settings.hulp, Entrances(), PORTAL, app.settings.listen.portal)
    portal = Portal(confirming=Confirming(people.door, app.store.links))
    return replace(_office(app, people, face), portal=portal)


@dataclass(frozen=True, slots=True)
class _Face:
    """What differs between console and portal."""

    origin: str
    help: str
    entrances: Entrances
    pages: tuple[Page, ...]
    listener: PeopleListener | None


def _office(app: App, people: People, face: _Face) -> Office:
    settings = app.settings
    console = settings.console
    theme = app.installation.path(console.theme) if console.theme is not None else None
    return Office(
        name=settings.naam,
        origin=face.origin,
        help=face.help,
        version=version("berichtengateway"),
        gateway=app.gateway,
        contact=lambda: app.settings.contact,
        overview=app.store.overview,
        tallies=app.store.tallies,
        desk=desk_of(app.store, app.gateway),
        worklist=app.store.worklist,
        kept=Terms.of(settings.retention, settings.rol).answered,
        note=app.store.inbox.note,
        importer=Importer(folder=app.installation.folder, clock=app.clock),
        framework=Framework(folder=app.installation.folder, clock=app.clock, dice=app.dice),
        certificates=lambda: _certificates(app),
        systems=Systems(
            tokens=app.store.tokens,
            seals=console_key(app.installation),
            clock=app.clock,
            dice=app.dice,
            current=app.snapshots.current,
        ),
        door=people.door,
        elsewhere=people.elsewhere,
        entrances=face.entrances,
        accounts=people.accounts,
        drafts=people.drafts,
        marks=console_key(app.installation),
        clock=app.clock,
        dice=app.dice,
        assets=Assets(theme),
        renderer=Renderer(),
        pages=face.pages,
        limits=ConsoleLimits(
            step_up=timedelta(minutes=console.step_up_minutes),
            idle=timedelta(minutes=console.idle_minutes),
        ),
        proxies=face.listener.proxies if face.listener is not None else (),
    )
