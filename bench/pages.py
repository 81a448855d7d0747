"""Every page of the console, asked over HTTPS on a database as it is after months.

`python -m bench console [--messages N]`: percentiles of each page, as a signed-in user of a role
that may see it. The pages come from the registry of the console; one that has no address here
ends the measurement.
"""

import asyncio
import re
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPMethod
from pathlib import Path
from time import perf_counter
from urllib.parse import urlencode

import aiohttp
from lxml import html
from rich.console import Console
from rich.table import Table

from bench.processes import BenchFailed
from bench.volume import CASE, KINDS, Volume, fill, message_id, reference, request_id
from gateway.app import SystemClock, SystemDice, open_store
from gateway.cli.demo.people import Users, add_users, new_users
from gateway.cli.demo.postgres import Postgres
from gateway.cli.demo.sites import HUB, OFFICERS, POLITIE, VEILIG_THUIS, Site, make_sites
from gateway.consoles import console_key
from gateway.credentials import UserRole
from gateway.installation import load_installation
from gateway.moments import to_micros
from gateway.ports import Direction, Standing
from gateway.web.console.app import PAGES
from gateway.web.console.lists import cursor
from gateway.web.console.page import Access, Page
from gateway.web.console.pages.compliance.log import KINDS as LOG_KINDS

MESSAGES = 1_000_000
FEWEST = 10_000
"""Fewer than this look like nothing."""
ROUNDS = 40
WANTED = 200
"""Milliseconds of the 95th percentile, at most."""
LOGINS: Mapping[UserRole, str] = {
    UserRole.OFFICIER: OFFICERS[0].id,
    UserRole.OPERATOR: "operator",
    UserRole.BEHEERDER: "beheerder",
    UserRole.COMPLIANCE: "compliance",
}


def run(console: Console, *, messages: int) -> None:
    """Fill a server, ask every page, print the table; leave nothing behind."""
    asyncio.run(_run(console, messages))


async def _run(console: Console, messages: int) -> None:
    postgres = await asyncio.to_thread(Postgres.make, settings=("max_wal_size = '4GB'",))
    try:
        with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
            await _measure(console, postgres, Path(folder), messages)
    finally:
        postgres.remove()


async def _measure(console: Console, postgres: Postgres, folder: Path, messages: int) -> None:
    site, anchors = _site(postgres, folder)
    users = new_users()
    await add_users(site, users)
    volume = Volume(
        messages=messages,
        sender=POLITIE.oin,
        receiver=VEILIG_THUIS.oin,
        hub=HUB.oin,
        officer=OFFICERS[0].id,
        until=datetime.now(UTC) - timedelta(minutes=5),
    )
    begin = perf_counter()
    rows = await asyncio.to_thread(fill, str(site.database_url), volume)
    console.print(f"{messages} messages, {rows} audit rows: filled in {_since(begin):.0f} s")
    begin = perf_counter()
    folded = await _fold(site)
    console.print(f"daily totals of {folded} audit rows: {folded / _since(begin):.0f} rows/s")
    process = site.served()
    await process.start()
    try:
        await process.ready()
        await _ask_all(console, site, users, volume, anchors)
    finally:
        await process.stop()


def _since(begin: float) -> float:
    return perf_counter() - begin


def _site(postgres: Postgres, folder: Path) -> tuple[Site, Path]:
    """Return the installation of the OM: the only one where every role has its pages."""
    sites = make_sites(folder, database=postgres.create)
    return sites.by_place["om"], sites.anchors


async def _fold(site: Site) -> int:
    store = open_store(load_installation(site.config), SystemClock(), SystemDice())
    try:
        folded = 0
        while some := await store.tallies.fold():
            folded += some
        return folded
    finally:
        await store.close()


# --- which addresses ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """An address of a page, and what is asked there in words."""

    path: str
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the pages stand, on this database."""

    site: Site
    volume: Volume

    def of(self, page: Page) -> Iterator[Asked]:
        """Yield the addresses of a page; raises BenchFailed for one that has none."""
        path = re.sub(r"\{(\w+)\}", lambda found: self._part(page, found[1]), page.path)
        yield Asked(path)
        yield from self._more().get(page.path, ())

    def _part(self, page: Page, name: str) -> str:
        middle = self.volume.messages // 2
        asked = self.volume.asked
        found = {
            ("/berichten", "id"): message_id(middle),
            ("/log", "id"): message_id(middle),
            ("/verzoeken", "id"): request_id(asked[0 if "besluit}" in page.path else -1]),
            ("/verzoeken", "besluit"): f"V-{asked[0]}",
            ("/partners", "oin"): HUB.oin,
            ("/verzending", "oin"): HUB.oin,
            ("/gebruikers", "id"): "user-7",
            ("/zaken", "id"): "x",
            ("/toetsingskader", "id"): "0" * 64,
            ("/taal", "taal"): "nl",
        }.get((f"/{page.path.split('/')[1]}", name))
        if found is None:
            raise BenchFailed(f"bench/pages.py has no address for {{{name}}} of {page.path}")
        return found

    def _more(self) -> Mapping[str, list[Asked]]:
        year = {"periode": "eigen", "van": f"{self.volume.until - timedelta(days=364):%Y-%m-%d}"}
        year |= {"tot": f"{self.volume.until:%Y-%m-%d}"}
        return {
            "/berichten": list(self._messages()),
            "/verstrekkingen": list(self._log()),
            "/cijfers": [_asked("/cijfers", "a year", **year)],
            "/cijfers/csv": [_asked("/cijfers/csv", "a year", **year)],
            "/rechten": [_asked("/rechten", "one user", gebruiker="user-7")],
            "/geweigerd": list(self._refused()),
            "/besloten": [self._far("/besloten", "verzoeken", 2_000)],
            "/gebruikers": [self._far("/gebruikers", "gebruikers", "gebruiker0300")],
        }

    def _far(self, path: str, of: str, place: object, **filters: str) -> Asked:
        key = console_key(load_installation(self.site.config))
        what = ", ".join((*filters.values(), "far page"))
        return _asked(path, what, **filters, na=cursor(key, of, str(place)))

    def _messages(self) -> Iterator[Asked]:
        path, far = "/berichten", self.volume.messages // 10
        for standing in Standing:
            yield _asked(path, f"status {standing}", status=str(standing))
            yield self._far(path, "berichten", far, status=str(standing))
        for kind in (KINDS[0], "niets"):
            yield _asked(path, f"soort {kind}", soort=kind)
        for direction in Direction:
            yield _asked(path, f"richting {direction}", richting=str(direction))
        for text in (reference(far), "ref-none"):
            yield _asked(path, f"kenmerk {text}", kenmerk=text)
        since = f"{self.volume.until - timedelta(days=100):%Y-%m-%d}"
        yield _asked(path, "since, with a status", sinds=since, status=str(Standing.DEAD))
        yield _asked(path, "kind and status", soort=KINDS[1], status=str(Standing.UNKNOWN))
        yield self._far(path, "berichten", far)

    def _refused(self) -> Iterator[Asked]:
        path, middle = "/geweigerd", self.volume.messages // 2
        place = f"{to_micros(self.volume.at(middle))}-{middle}"
        yield self._far(path, "geweigerd", place)
        yield _asked(path, "all", wat="alles")
        yield self._far(path, "geweigerd", place, wat="alles")

    def _log(self) -> Iterator[Asked]:
        path, far = "/verstrekkingen", self.volume.messages
        for kind in LOG_KINDS:
            yield _asked(path, kind, wat=kind)
            yield self._far(path, "log", far, wat=kind)
        for name in ("partij", "wie", "code"):
            yield _asked(path, f"{name} no hit", **{name: "niets"})
        old = f"{self.volume.until - timedelta(days=150):%Y-%m-%d}"
        yield _asked(path, "long ago", van=old, tot=old)
        yield self._far(path, "log", far)


def _asked(path: str, what: str, **query: str) -> Asked:
    return Asked(f"{path}?{urlencode(query)}", what)


# --- asking ---------------------------------------------------------------------------


@dataclass(slots=True)
class Visitor:
    """A user in a browser without script."""

    session: aiohttp.ClientSession
    origin: str
    proof: str = ""

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and address that it ended at, as far as it leads."""
        async with self.session.get(path, allow_redirects=False) as answer:
            text = await answer.read()
            if answer.status == 200 and answer.content_type == "text/html":
                (self.proof,) = html.fromstring(text).xpath("//meta[@name='blijk']/@content")
            return answer.status, answer.headers.get("Location", "")

    async def post(self, path: str, **fields: str) -> str:
        """Return where it leads."""
        data = {"_blijk": self.proof, **fields}
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        async with self.session.post(
            path, data=data, headers=headers, allow_redirects=False
        ) as answer:
            if answer.status != 303:
                raise BenchFailed(f"{path}: HTTP {answer.status}")
            return answer.headers["Location"]


@asynccontextmanager
async def _visitor(site: Site, anchors: Path, users: Users, login: str) -> AsyncIterator[Visitor]:
    origin = f"https://localhost:{site.ports[3]}"
    trust = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=anchors))
    async with aiohttp.ClientSession(origin, connector=trust) as session:
        visitor = Visitor(session, origin)
        await visitor.get("/aanmelden")
        path = await visitor.post("/aanmelden", login=login, wachtwoord=users.password, terug="/ik")
        await visitor.get(path)
        await visitor.post("/aanmelden/code", code=users.code, terug="/ik")
        yield visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one address took, in milliseconds."""

    role: str
    page: str
    what: str
    status: int
    took: tuple[float, ...]

    def percentile(self, part: int) -> float:
        """Return the value below which that part of all lies."""
        return self.took[min(len(self.took) - 1, len(self.took) * part // 100)]


def _role_of(page: Page) -> UserRole:
    return min(page.roles, default=UserRole.BEHEERDER)


async def _ask_all(
    console: Console, site: Site, users: Users, volume: Volume, anchors: Path
) -> None:
    lines: list[Line] = []
    addresses = Addresses(site=site, volume=volume)
    shown = [p for p in PAGES if p.method is HTTPMethod.GET and p.path != "/afgemeld"]
    for role, login in LOGINS.items():
        async with _visitor(site, anchors, users, login) as visitor:
            for page in (p for p in shown if _role_of(p) is role):
                asked = [*addresses.of(page), *await _searched(visitor, page)]
                lines.extend([await _time(visitor, role, page, one) for one in asked])
    _show(console, lines)


async def _searched(visitor: Visitor, page: Page) -> list[Asked]:
    """Return addresses that a form leads to."""
    form = {"/berichten": "/berichten/zoeken", "/zaken/{id}": "/zaken"}.get(page.path)
    if form is None or page.access is not Access.ROLE:
        return []
    await visitor.get(page.path if "{" not in page.path else form)
    return [
        Asked(await visitor.post(form, zaak=zaak), f"case {zaak}") for zaak in (CASE, "PL-none")
    ]


async def _time(visitor: Visitor, role: UserRole, page: Page, asked: Asked) -> Line:
    took = []
    status, _ = await visitor.get(asked.path)
    for _ in range(ROUNDS):
        begin = perf_counter()
        status, _ = await visitor.get(asked.path)
        took.append(_since(begin) * 1_000)
    return Line(
        role=str(role), page=page.path, what=asked.what, status=status, took=tuple(sorted(took))
    )


def _show(console: Console, lines: list[Line]) -> None:
    table = Table("role", "page", "asked", "HTTP", "p50", "p95", "max")
    for line in sorted(lines, key=lambda one: -one.percentile(95)):
        numbers = (f"{n:.0f}" for n in (line.percentile(50), line.percentile(95), line.took[-1]))
        table.add_row(line.role, line.page, line.what, str(line.status), *numbers)
    console.print(table)
    slow = sum(line.percentile(95) >= WANTED for line in lines)
    console.print(f"{len(lines)} addresses in ms; p95 of {WANTED} ms or more: {slow}")
