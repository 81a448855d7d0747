"""One request of a browser: who it is, in which language, and the ways to answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from aiohttp import web
from markupsafe import Markup

from gateway.credentials import UserRole
from gateway.ports.accounts import Language, Session, Theme, Whence
from gateway.saying import Line
from gateway.web.console import times
from gateway.web.console.forms import Form
from gateway.web.console.language import N_, Say, say_in
from gateway.web.console.office import Office, Portal
from gateway.web.console.page import Page
from gateway.web.control import WHY

HTML = "text/html"
SAFE = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""
MOST_ADDRESS = 500
"""Characters of an address to come back to."""


@dataclass(slots=True, kw_only=True)
class Visit:
    """What a page gets to work with."""

    request: web.Request
    office: Office
    page: Page | None
    """None: there is no such page."""
    session: Session | None
    guest: str
    """Random text of a visitor who is not signed in, from his cookie."""
    language: Language
    correlation: str
    form: Form = field(default_factory=lambda: Form(fields={}))
    fresh_cookies: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    """Cookies to set: value and seconds; None = until the browser closes, 0 = away."""
    instead: str = ""
    """Where to go back to, in the place of an address that is worth nothing a second time."""

    @property
    def say(self) -> Say:
        return say_in(self.language)

    @property
    def user(self) -> Session:
        """Return the session; a page for nobody but users asks it."""
        if self.session is None:
            raise AssertionError
        return self.session

    @property
    def login(self) -> str:
        return self.user.account.login

    @property
    def roles(self) -> frozenset[UserRole]:
        return self.session.account.roles if self.session else frozenset()

    @property
    def portal(self) -> Portal:
        """Return what the pages of the portal work with; no other page asks it."""
        if self.office.portal is None:
            raise AssertionError
        return self.office.portal

    @property
    def proof(self) -> str:
        """Return what a form must carry to be ours."""
        of = f"sessie:{self.session.id}" if self.session else f"gast:{self.guest}"
        return self.office.marks.mark("csrf", of)

    @property
    def whence(self) -> Whence:
        return Whence(
            address=self.request.remote or "", agent=browser(self.request.headers.get("User-Agent"))
        )

    @property
    def back(self) -> str:
        """Return where to go on later: a form is not sent again, the page before it is shown."""
        if self.instead:
            return self.instead
        if self.request.method in SAFE:
            return self.request.path_qs
        referrer = self.request.headers.get("Referer", "")
        ours = referrer.removeprefix(self.office.origin)
        return ours if ours != referrer else "/"

    def done(self, texts: Mapping[str, str]) -> str:
        """Return what was done just before, as the address names it; empty = nothing."""
        text = texts.get(self.query("klaar"), "")
        return self.say(text) if text else ""

    def now(self) -> datetime:
        """Return the moment, which is also the one that the page names."""
        return self.office.now()

    def query(self, name: str) -> str:
        """Return a parameter of the address."""
        return self.request.query.get(name, "").strip()[:MOST_ADDRESS]

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return self.request.match_info[name]

    def reason(self) -> str:
        """Return the reason that was filled in, which is written down."""
        missing = N_("Geef in 3 tot 200 tekens een reden.")
        return self.form.line("reden", least=3, most=WHY, missing=missing)

    # --- answers ---

    def show(
        self, template: str, *, status: int = 200, form: Form | None = None, **values: Any
    ) -> web.Response:
        """Return a page; 422 where the form has errors."""
        shown = form if form is not None else self.form
        if shown.faulty and status == 200:  # noqa: PLR2004 - nothing else was asked
            status = 422
        html = self.office.renderer(template, {**self._around(), "form": shown, **values})
        return web.Response(text=html, status=status, content_type=HTML)

    def go(self, path: str) -> web.Response:
        """Send the browser on, by GET."""
        return web.Response(status=303, headers={"Location": path})

    def cookie(self, name: str, value: str, *, seconds: int | None = None) -> None:
        """Set a cookie with the answer."""
        self.fresh_cookies[name] = (value, seconds)

    # --- for templates ---

    def _around(self) -> Mapping[str, Any]:
        now = self.now()
        return {
            "visit": self,
            "say": self.say,
            "office": self.office,
            "session": self.session,
            "language": self.language,
            "theme": self.session.account.preferences.theme if self.session else Theme.SYSTEM,
            "now": now,
            "asset": self.office.assets.paths,
            "nav": self._navigation(),
            "here": quote(self.back, safe="/"),
            "table_time": self.table_time,
            "trace_time": self.trace_time,
            "sentence_time": self.sentence_time,
            "clock": times.clock,
            "term": lambda at: times.term(at, now, self.say),
            "span": lambda length: times.span(length, self.say),
            "said": self.said,
            "zone": times.zone(now),
            "correlation": self.correlation,
        }

    def _navigation(self) -> tuple[tuple[str, str, bool], ...]:
        """Return address, name, and whether it is where we are."""
        at = self.request.path
        return tuple(
            (one.path, one.nav, at == one.path or at.startswith(f"{one.path}/"))
            for one in self.office.pages
            if one.is_offered(self.office.directory)
            and self.session is not None
            and one.allows(self.roles)
        )

    def said(self, line: Line) -> Mapping[str, object]:
        """Return what the names in a sentence stand for, moments in Dutch time."""
        return {
            name: times.in_table(value, self.language) if isinstance(value, datetime) else value
            for name, value in line.values.items()
        }

    def table_time(self, at: datetime) -> Markup:
        """Return a moment for a table."""
        return times.element(at, times.in_table(at, self.language))

    def trace_time(self, at: datetime) -> Markup:
        """Return a moment to the millisecond."""
        return times.element(at, times.in_trace(at, self.language))

    def sentence_time(self, at: datetime) -> Markup:
        """Return a moment in words."""
        return times.element(at, times.in_sentence(at, self.language))


def download(octets: bytes, *, kind: str, name: str) -> web.Response:
    """Return a file that the browser keeps and does not open; `name` holds no personal data."""
    return web.Response(
        body=octets,
        headers={
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "sandbox",
        },
    )


def safe_return(path: str) -> str:
    """Return an address within the console to go back to; `/` for any other."""
    parts = urlsplit(path)
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    inside = plain and not parts.scheme and not parts.netloc and "\\" not in path
    return path if inside and len(path) <= MOST_ADDRESS else "/"


_BROWSERS = ("Edg", "Firefox", "Chrome", "Safari")
_SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux")


def browser(header: str | None) -> str:
    """Return browser and system in words: the header itself could be anything."""
    text = header or ""
    name = next((one for one in _BROWSERS if one in text), "")
    system = next((one for one in _SYSTEMS if one in text), "")
    words = [name.replace("Edg", "Edge"), system]
    return ", ".join(word for word in words if word)
