"""Back-end systems: how they sign in and until when; their tokens are made and ended here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode

from aiohttp import web

from gateway.credentials import PLAIN_SCOPES, Scope
from gateway.directory import Backend
from gateway.errors import PolicyViolation
from gateway.pipeline.systems import DAYS, TokenView, by_token
from gateway.web.console.language import N_
from gateway.web.console.page import Page, post
from gateway.web.console.pages.beheerder.partners import BEHEERDER
from gateway.web.console.visit import Visit
from gateway.web.console.words import Tag

HERE = "/systemen"
NEW, END = f"{HERE}/nieuw-token", f"{HERE}/token-beeindigen"
SOON = timedelta(days=30)
LASTS = 365
"""Days that are offered first."""
_DONE = {"beeindigd": N_("Het token is beëindigd. Wie het nog gebruikt, komt er niet meer in.")}
_WRONG = {
    "systeem.token.manier": (
        "recht",
        N_("Dit systeem meldt zich niet met een token aan. Zet dat eerst in gateway.toml."),
    ),
    "systeem.token.scope": ("recht", N_("Kies ten minste één recht.")),
    "systeem.token.dagen": ("dagen", N_("Kies hoe lang het token geldt.")),
    "systeem.token.veel": (
        "recht",
        N_("Dit systeem heeft al genoeg tokens van de console. Beëindig er eerst een."),
    ),
}
_OVER = Tag(N_("beëindigd"), "accent-1")
_EXPIRED = Tag(N_("verlopen"), "negative")
_ENDLESS = Tag(N_("zonder einde"), "warning")
_ENDS = Tag(N_("verloopt"), "warning")
_GOOD = Tag(N_("geldig"), "positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system with what it signs in with."""

    backend: Backend
    tokens: tuple[TokenView, ...]
    takes_tokens: bool


def _tag(view: TokenView, now: datetime) -> Tag:
    if view.end is not None:
        return _OVER
    if view.valid_until is None:
        return _ENDLESS
    if view.valid_until <= now:
        return _EXPIRED
    return _ENDS if view.valid_until - now < SOON else _GOOD


async def systems(visit: Visit) -> web.Response:
    """Show them, each with its tokens, certificates and keys."""
    tokens = await visit.office.systems.tokens()
    return visit.show(
        "beheerder/systems.html",
        systems=[
            System(backend=one, tokens=tokens[one.name], takes_tokens=by_token(one))
            for one in visit.office.directory.backends
        ],
        uses=await visit.office.systems.uses(),
        tag_of=lambda view: _tag(view, visit.now()),
        place=_place,
        done=visit.done(_DONE),
    )


def _place(path: str, system: str, token: str = "") -> str:
    """Return the address of a page about a token; the digest is no secret."""
    return f"{path}?{urlencode({'systeem': system} | ({'token': token} if token else {}))}"


async def new(visit: Visit) -> web.Response:
    """Ask what a new token may do; of one that it replaces, the same is chosen."""
    return await _new(visit, visit.query("systeem"), visit.query("token"))


async def _new(visit: Visit, name: str, digest: str) -> web.Response:
    office = visit.office
    old = await office.systems.token(name, digest) if digest else None
    chosen = visit.form.chosen("recht") or (sorted(old.scopes) if old is not None else ())
    return visit.show(
        "beheerder/new_token.html",
        system=office.systems.system(name),
        old=old,
        chosen=frozenset(chosen),
        scopes=PLAIN_SCOPES,
        days=[(str(one), visit.say(N_("{n} dagen"), n=one)) for one in DAYS],
        lasts=str(LASTS),
    )


async def make(visit: Visit) -> web.Response:
    """Make it; the token itself is shown on this page and nowhere else."""
    form = visit.form
    name, digest, days = form.text("systeem"), form.text("token"), form.text("dagen")
    try:
        made = await visit.office.systems.make(
            name,
            scopes=frozenset(Scope(one) for one in form.chosen("recht") if one in {*Scope}),
            days=int(days) if days.isdecimal() else 0,
            replaces=digest,
            by=visit.login,
        )
    except PolicyViolation as error:
        form.wrong(*_WRONG[error.code])
        return await _new(visit, name, digest)
    return visit.show(
        "beheerder/made_token.html",
        system=visit.office.systems.system(name),
        token=made,
        digest=sha256(made.encode()).hexdigest(),
        replaces=digest,
        place=_place,
    )


async def ask_end(visit: Visit) -> web.Response:
    """Show what ends, and ask why."""
    return await _end(visit, visit.query("systeem"), visit.query("token"))


async def _end(visit: Visit, name: str, digest: str) -> web.Response:
    office = visit.office
    return visit.show(
        "beheerder/end_token.html",
        system=office.systems.system(name),
        token=await office.systems.token(name, digest),
        used_at=(await office.systems.uses()).get(digest),
    )


async def end(visit: Visit) -> web.Response:
    """End it for good."""
    name, digest = visit.form.text("systeem"), visit.form.text("token")
    reason = visit.reason()
    if visit.form.faulty:
        return await _end(visit, name, digest)
    await visit.office.systems.end(name, digest, by=visit.login, why=reason)
    return visit.go(f"{HERE}?klaar=beeindigd")


PAGES = (
    Page(path=HERE, handler=systems, roles=BEHEERDER, nav=N_("Systemen")),
    Page(path=NEW, handler=new, roles=BEHEERDER, fresh=True),
    post(NEW, make, roles=BEHEERDER, fresh=True),
    Page(path=END, handler=ask_end, roles=BEHEERDER, fresh=True),
    post(END, end, roles=BEHEERDER, fresh=True),
)
