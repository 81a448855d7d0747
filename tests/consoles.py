"""The console of one installation of the town, and a browser that works without script."""

from base64 import b32decode
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import aiohttp
from argon2 import PasswordHasher
from lxml import html

from gateway.cli.demo.ports import free_ports
from gateway.config import ContactSettings
from gateway.consoles import desk_of
from gateway.credentials import UserRole
from gateway.directory import InForce
from gateway.importing.importer import Importer
from gateway.keys.console_key import ConsoleKey
from gateway.message import Oin
from gateway.pipeline import Weigering
from gateway.pipeline.accounts import People, Rules, open_people
from gateway.pipeline.accounts.confirming import Confirming
from gateway.pipeline.accounts.passwords import Passwords
from gateway.pipeline.accounts.people import Ground
from gateway.pipeline.systems import Systems
from gateway.ports.accounts import Whence
from gateway.security import totp
from gateway.toetsing.framework import Framework
from gateway.web.console.app import PAGES, console_app
from gateway.web.console.assets import Assets
from gateway.web.console.office import ConsoleLimits, Entrances, Office, Portal
from gateway.web.console.pages.portal import PAGES as PORTAL
from gateway.web.console.render import Renderer
from gateway.web.listener import ListenerLimits
from tests.flow import town as towns
from tests.flow.town import APPLICATIE, HUB, OM, POLITIE, VT, Town
from tests.outbound.tls_files import serving
from tests.web.doubles import Counted

ORIGIN = "https://console.example"
PASSWORD = "een zin die niemand raadt"
RENDERER = Renderer()
CONTACT = ContactSettings(name="beheer", email="beheer@gateway.example", url="https://x.example")


def ground_of(store, clock, dice) -> Ground:
    return Ground(
        people=store.people,
        key=ConsoleKey(b"k" * 32),
        clock=clock,
        dice=dice,
        rules=Rules(origin=ORIGIN, issuer="test"),
    )


def people_of(ground: Ground, provider=None) -> People:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return open_people(ground, Passwords(hasher), provider)


async def refused_by_vt(town: Town, words: Weigering) -> None:
    """Let the system of Veilig Thuis refuse the one message that it finds."""
    (item,) = await town[VT].store.postvak.take(
        gate=InForce(),
        party=VT,
        applicaties=(APPLICATIE[VT],),
        consumer="test",
        limit=1,
        lease=timedelta(minutes=1),
    )
    await town[VT].gateway.refuse(item.delivery, town[VT].backend, words)
    await town.settle()


@dataclass
class Answered:
    """What a browser shows."""

    status: int
    headers: dict
    text: str
    path: str

    @property
    def tree(self):
        return html.fromstring(self.text)

    @property
    def words(self) -> str:
        return " ".join(self.tree.text_content().split())

    @property
    def title(self) -> str:
        return self.tree.findtext(".//title").strip()

    def links(self) -> list[str]:
        return [a.get("href") for a in self.tree.iter("a")]

    def proof(self) -> str:
        return self.tree.xpath("//meta[@name='blijk']/@content")[0]


@dataclass
class User:
    login: str
    secret: bytes
    codes: tuple[str, ...]
    id: str


@dataclass
class Browser:
    console: "Console"
    session: aiohttp.ClientSession
    last: Answered | None = None

    async def get(self, path: str, **given) -> Answered:
        return await self._call("GET", path, **given)

    async def post(self, path: str, fields: dict | None = None, *, proof=None, **given):
        """Send a form; a field with a list has each of its values."""
        if proof is None:
            proof = self.last.proof() if self.last is not None else ""
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", **given.pop("headers", {})}
        data = aiohttp.FormData({"_blijk": proof})
        for name, value in (fields or {}).items():
            for one in value if isinstance(value, list) else (value,):
                data.add_field(name, one)
        return await self._call("POST", path, data=data, headers=headers, **given)

    async def _call(self, method, path, *, follow=True, **given) -> Answered:
        async with self.session.request(method, path, allow_redirects=follow, **given) as answer:
            text = (await answer.read()).decode()
            found = Answered(answer.status, dict(answer.headers), text, answer.url.path_qs)
        if answer.content_type == "text/html" and text:
            self.last = found
        return found

    async def sign_in(self, user: User, *, to: str = "/ik") -> Answered:
        await self.get(f"/aanmelden?terug={to}")
        fields = {"login": user.login, "wachtwoord": PASSWORD, "terug": to}
        found = await self.post("/aanmelden", fields)
        assert found.path.startswith("/aanmelden/code"), found.words
        return await self.post("/aanmelden/code", {"code": self.console.code(user), "terug": to})


@dataclass
class Console:
    town: Town
    oin: Oin
    people: People
    office: Office
    url: str
    counted: Counted
    users: dict[str, User] = field(default_factory=dict)

    def code(self, user: User) -> str:
        """A code that was not used: half a minute later."""
        self.town.clock.forward(seconds=totp.STEP_SECONDS)
        return totp.code(user.secret, totp.step_of(self.town.clock.now()))

    async def user(self, login: str, *roles: UserRole, officer: str = "", party: str = "") -> User:
        account, code = await self.people.accounts.add(
            login=login,
            name=login.title(),
            roles=frozenset(roles),
            officer=officer,
            party=party,
            by="test",
        )
        whence = Whence(address="192.0.2.9")
        offered = await self.people.door.offer_totp(code)
        secret = secret_of(offered.secret)
        step = totp.step_of(self.town.clock.now())
        welcome, codes = await self.people.door.activate(
            code, password=PASSWORD, totp=totp.code(secret, step), whence=whence
        )
        await self.people.door.sign_out(welcome.session)
        self.users[login] = User(login, secret, tuple(codes), account.id)
        return self.users[login]

    @asynccontextmanager
    async def browser(self):
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[self.url])
        async with aiohttp.ClientSession(self.url, cookie_jar=jar) as session:
            yield Browser(self, session)


async def _none():
    return ()


def secret_of(shown: str) -> bytes:
    """Return the secret of an app that was shown in groups."""
    return b32decode(shown.replace(" ", ""))


@asynccontextmanager
async def console(
    folder, oin: Oin = OM, *, town=None, tls=None, files=None, elsewhere=None, portal=False
):
    """Serve the console or portal of an installation; with `tls` as a browser of today wants it.

    `files` is the folder of an installation on disk, for what is imported; `elsewhere` makes the
    provider that lets people in, of the console's origin and clock.
    """
    own = town is None
    port = next(free_ports(1)) if tls else 0
    origin = f"https://localhost:{port}" if tls else ORIGIN
    town = town or await towns.build(folder, parties=(POLITIE, HUB, VT, OM))
    installation = town[oin]
    ground = ground_of(installation.store, town.clock, town.dice)
    there = elsewhere(origin, town.clock) if elsewhere else None
    rules = replace(ground.rules, origin=origin, portal=portal)
    if there is not None:
        rules = replace(rules, provider=there[1].client.issuer)
    people = people_of(replace(ground, rules=rules), there)
    counted = Counted()
    office = Office(
        name="test",
        origin=origin,
        help="beheer: 030 123 45 67",
        version="1",
        gateway=installation.gateway,
        contact=lambda: CONTACT,
        overview=installation.store.overview,
        tallies=installation.store.tallies,
        desk=desk_of(installation.store, installation.gateway),
        worklist=installation.store.worklist,
        kept=timedelta(hours=24),
        note=installation.store.inbox.note,
        importer=Importer(folder=files or folder / "nergens", clock=town.clock),
        framework=Framework(folder=files or folder / "nergens", clock=town.clock, dice=town.dice),
        certificates=_none,
        systems=Systems(
            tokens=installation.store.tokens,
            seals=ConsoleKey(b"k" * 32),
            clock=town.clock,
            dice=town.dice,
            current=installation.gateway.snapshots.current,
        ),
        door=people.door,
        elsewhere=people.elsewhere,
        entrances=Entrances(provider="de proef" if there is not None else ""),
        accounts=people.accounts,
        drafts=people.drafts,
        marks=ConsoleKey(b"k" * 32),
        clock=town.clock,
        dice=town.dice,
        assets=Assets(),
        renderer=RENDERER,
        pages=PORTAL if portal else PAGES,
        portal=Portal(confirming=Confirming(people.door, installation.store.links))
        if portal
        else None,
        limits=ConsoleLimits(body=timedelta(seconds=2)),
    )
    app = console_app(office, answered=counted)
    bounds = ListenerLimits(lingering=timedelta(seconds=0.2), grace=timedelta(seconds=2))
    async with serving(app, limits=bounds, tls=tls, port=port) as url:
        yield Console(town, oin, people, office, origin if tls else url, counted)
    if own:
        await town.close()
