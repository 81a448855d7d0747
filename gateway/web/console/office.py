"""What the pages work with."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from aiohttp import web

from gateway.config import ContactSettings
from gateway.directory import Directory
from gateway.importing.importer import Importer
from gateway.keys.expiry import InUse
from gateway.pipeline import Gateway
from gateway.pipeline.accounts.confirming import Confirming
from gateway.pipeline.systems import Systems
from gateway.ports import AuditEvent, Clock, Dice
from gateway.ports.accounts import Accounts, Drafts, SigningIn
from gateway.ports.identity import Elsewhere
from gateway.ports.overview import Overview
from gateway.ports.tallies import Tallies
from gateway.ports.worklist import Worklist
from gateway.toetsing.framework import Framework
from gateway.web.console.assets import Assets
from gateway.web.console.page import Page
from gateway.web.console.render import Renderer
from gateway.web.control import Desk
from gateway.web.forwarded import Network


class Note(Protocol):
    """Writes audit rows that change nothing else: that somebody looked."""

    async def __call__(self, *events: AuditEvent) -> None: ...


class Marks(Protocol):
    """HMAC-SHA256 under keys of the console, one per purpose."""

    def mark(self, purpose: str, text: str) -> str:
        """Return URL-safe text; the same for the same purpose and text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleLimits:
    """How long a visit may last, and what it may cost."""

    step_up: timedelta = timedelta(minutes=10)
    idle: timedelta = timedelta(minutes=15)
    body: timedelta = timedelta(seconds=30)
    """For one form to come in."""
    requests: int = 64
    """Under way at once; more are told to come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrances:
    """Which ways in the sign-in page offers."""

    own: bool = True
    """A password and second factor of one's own."""
    provider: str = ""
    """Name of the OpenID provider; empty = there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """What is for persons of partners only."""

    confirming: Confirming


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """One installation, as its pages see it."""

    name: str
    """Of the installation, on every page."""
    origin: str
    """As browsers know it: scheme, host and port."""
    help: str
    version: str
    gateway: Gateway
    contact: Callable[[], ContactSettings | None]
    overview: Overview
    tallies: Tallies
    desk: Desk
    """What people decide about messages, alarms, certificates, packs and webhooks."""
    worklist: Worklist
    """What an operator does about what was refused."""
    kept: timedelta
    """How long the content of an answered message stays."""
    note: Note
    importer: Importer
    """Puts certificates, lists and agreements in place."""
    framework: Framework
    """Where an officer confirms what the gate of the police goes by."""
    certificates: Callable[[], Awaitable[tuple[InUse, ...]]]
    """What is in use, what ends first in front."""
    systems: Systems
    """Makes and ends tokens of back-end systems."""
    door: SigningIn
    elsewhere: Elsewhere | None
    """None: nobody signs in at an OpenID provider."""
    entrances: Entrances
    accounts: Accounts
    drafts: Drafts
    marks: Marks
    clock: Clock
    dice: Dice
    assets: Assets
    renderer: Renderer
    pages: tuple[Page, ...]
    portal: Portal | None = None
    """None: these are the pages of the console."""
    limits: ConsoleLimits = field(default_factory=ConsoleLimits)
    proxies: Sequence[Network] = ()
    """Reverse proxies in front, that are believed about who calls."""

    @property
    def directory(self) -> Directory:
        return self.gateway.snapshots.current()

    def now(self) -> datetime:
        """Return the moment."""
        return self.clock.now()

    def party(self, oin: str) -> str:
        """Return the name of a party; its OIN where it is not known."""
        return self.directory.name(oin)


OFFICE: web.AppKey[Office] = web.AppKey("office", Office)
