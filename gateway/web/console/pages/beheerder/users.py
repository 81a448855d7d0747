"""Users: who may what, added, changed, recovered and closed by another than oneself."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from gateway.credentials import UserRole
from gateway.directory import Party
from gateway.errors import NoRoute, PolicyViolation
from gateway.ports.accounts import EVERYBODY, Account, AccountState, AccountsWanted
from gateway.ports.overview import Trail
from gateway.web.console import lists, searches
from gateway.web.console.errors import said
from gateway.web.console.forms import Form
from gateway.web.console.language import N_
from gateway.web.console.lists import Listed
from gateway.web.console.page import Page, post
from gateway.web.console.pages.beheerder.partners import BEHEERDER
from gateway.web.console.pages.compliance.log import lines
from gateway.web.console.visit import Visit
from gateway.web.console.words import Tag

LOOKING = frozenset({UserRole.BEHEERDER, UserRole.COMPLIANCE})
_SEARCH = "gebruikers"
SHOWN = 10
"""Changes that stand with an account; the rest is a page of its own."""
_DONE = {
    "gewijzigd": N_("De rechten zijn gewijzigd. Open sessies zijn beëindigd."),
    "gekoppeld": N_(
        "Het account is gekoppeld. Alles waarmee iemand zich hier aanmeldde geldt niet meer."
    ),
    "ontgrendeld": N_("Mislukte aanmeldingen van eerder tellen niet meer."),
    "gesloten": N_("Het account is gesloten."),
    "sessie": N_("De sessie is beëindigd."),
}
_FIELD = {
    "console.gebruiker.login": "login",
    "console.gebruiker.bestaat": "login",
    "console.gebruiker.naam": "naam",
    "console.gebruiker.rollen": "rol",
    "console.gebruiker.officier": "officier",
    "console.gebruiker.partij": "partij",
    "console.gebruiker.ontvanger": "sub",
    "console.gebruiker.reden": "reden",
    "console.gebruiker.identiteit": "sub",
    "console.gebruiker.subject": "sub",
}


STATES: Mapping[AccountState, Tag] = {
    AccountState.ACTIVE: Tag(N_("actief"), "positive"),
    AccountState.WAITING: Tag(N_("wacht op activering"), "info"),
    AccountState.CLOSED: Tag(N_("gesloten"), "accent-1"),
}
HERE = "/gebruikers"


async def users(visit: Visit) -> web.Response:
    """List them by login."""
    role, state, zoek = visit.query("rol"), visit.query("status"), visit.query("zoek")
    naam = await searches.find(visit, _SEARCH, zoek)
    wanted = AccountsWanted(
        role=UserRole(role) if role in {*UserRole} else None,
        state=AccountState(state) if state in {*AccountState} else None,
        text=naam,
    )
    filters = {"rol": role, "status": state, "zoek": zoek if naam else ""}
    place = lists.place(visit.office.marks, "gebruikers", visit.query("na"))
    found = await visit.office.accounts.all(wanted, after=place or "", limit=lists.PAGE + 1)
    rows = found[: lists.PAGE]
    last = rows[-1].login if len(found) > lists.PAGE else None
    after = lists.onward(visit.office.marks, "gebruikers", HERE, filters, last)
    first = lists.link(HERE, filters) if place else ""
    return visit.show(
        "beheerder/users.html",
        listed=Listed(rows=rows, first=first, next=after),
        wanted=wanted,
        filtered=wanted != EVERYBODY,
        searching=filters["zoek"],
        roles=list(UserRole),
        states=STATES,
        may_act=bool(visit.roles & BEHEERDER),
    )


async def search(visit: Visit) -> web.Response:
    """Keep the name that is looked for, so that it does not stand in an address."""
    naam = visit.form.text("naam")
    if not naam:
        return visit.go(HERE)
    return visit.go(lists.link(HERE, {"zoek": await searches.keep(visit, _SEARCH, naam)}))


async def new(visit: Visit) -> web.Response:
    """Ask who it is."""
    return _new(visit)


def _new(visit: Visit) -> web.Response:
    return visit.show("beheerder/new_user.html", **_choices(visit, visit.form))


def _choices(visit: Visit, form: Form) -> dict[str, Any]:
    officers = [("", visit.say(N_("geen")))]
    officers += [(one.id, one.naam) for one in visit.office.directory.officers]
    parties = [("", visit.say(N_("geen")))]
    parties += [(one.oin, one.name) for one in _with_portal(visit)]
    return {
        "roles": list(UserRole),
        "chosen": frozenset(form.chosen("rol")),
        "officers": officers,
        "parties": parties,
    }


def _with_portal(visit: Visit) -> list[Party]:
    """Return the partners whose messages wait at the portal."""
    parties = visit.office.directory.parties.values()
    return [one for one in parties if one.mail is not None and one.mail.portal]


def _roles(form: Form) -> frozenset[UserRole]:
    return frozenset(UserRole(text) for text in form.chosen("rol") if text in {*UserRole})


async def add(visit: Visit) -> web.Response:
    """Add the account; its activation code is shown once."""
    form = visit.form
    _check_known(visit, form)
    if not form.faulty:
        try:
            account, code = await visit.office.accounts.add(
                login=form.text("login"),
                name=form.text("naam"),
                roles=_roles(form),
                officer=form.text("officier"),
                party=form.text("partij"),
                by=visit.login,
            )
        except PolicyViolation as error:
            form.wrong(_FIELD.get(error.code, "login"), said(visit, error))
        else:
            return _code(visit, account, code)
    return _new(visit)


def _check_known(visit: Visit, form: Form) -> None:
    parties = {one.oin for one in _with_portal(visit)}
    if form.text("partij") and form.text("partij") not in parties:
        form.wrong("partij", N_("Van deze partij wacht er niets op het portaal."))
    known = {one.id for one in visit.office.directory.officers}
    if form.text("officier") and form.text("officier") not in known:
        form.wrong("officier", N_("Deze officier is hier niet bekend."))


async def user(visit: Visit) -> web.Response:
    """Show one."""
    return await _user(visit)


async def _account(visit: Visit) -> Account:
    found = await visit.office.accounts.find(visit.path("id"))
    if found is None:
        raise NoRoute("console.gebruiker.onbekend", "Dit account is er niet.")
    return found


async def _user(visit: Visit, acting: str = "") -> web.Response:
    account = await _account(visit)
    own = account.id == visit.user.account.id
    return visit.show(
        "beheerder/user.html",
        account=account,
        tag=STATES[account.state],
        sessions=await visit.office.accounts.sessions(account=account.id),
        changes=lines(visit, (await _changes(visit, account)).rows),
        may_act=bool(visit.roles & BEHEERDER) and not own,
        own=own,
        acting=acting,
        done=visit.done(_DONE),
        **_choices(visit, visit.form),
    )


async def _changes(visit: Visit, account: Account) -> Trail:
    return await visit.office.overview.rights(account.login, below=None, limit=SHOWN)


def _to(visit: Visit, done: str) -> web.Response:
    return visit.go(f"/gebruikers/{quote(visit.path('id'), safe='')}?klaar={done}")


async def change(visit: Visit) -> web.Response:
    """Change name and rights."""
    form = visit.form
    _check_known(visit, form)
    if not form.faulty:
        try:
            await visit.office.accounts.change(
                visit.path("id"),
                name=form.text("naam"),
                roles=_roles(form),
                officer=form.text("officier"),
                party=form.text("partij"),
                by=visit.login,
            )
        except PolicyViolation as error:
            if error.code not in _FIELD:
                raise
            form.wrong(_FIELD[error.code], said(visit, error))
        else:
            return _to(visit, "gewijzigd")
    return await _user(visit, "wijzigen")


async def recover(visit: Visit) -> web.Response:
    """Take password, app, passkeys and sessions away; show a new activation code once."""
    why = visit.reason()
    if visit.form.faulty:
        return await _user(visit, "herstellen")
    code = await visit.office.accounts.recover(visit.path("id"), by=visit.login, why=why)
    return _code(visit, await _account(visit), code)


def _code(visit: Visit, account: Account, code: str) -> web.Response:
    """Show an activation code, which is typed in at the console or at the portal."""
    mail = visit.office.directory.mail
    portal = mail.portal if account.party and mail is not None else ""
    return visit.show(
        "beheerder/code.html",
        account=account,
        activation=code,
        address=f"{portal or visit.office.origin}/activeren",
    )


async def link(visit: Visit) -> web.Response:
    """Let a person of the OpenID provider in with this account, and by no other way."""
    try:
        await visit.office.accounts.link(
            visit.path("id"), subject=visit.form.text("sub"), by=visit.login
        )
    except PolicyViolation as error:
        if error.code not in _FIELD:
            raise
        visit.form.wrong(_FIELD[error.code], said(visit, error))
        return await _user(visit, "koppelen")
    return _to(visit, "gekoppeld")


async def unlock(visit: Visit) -> web.Response:
    """Let earlier failures not count."""
    await visit.office.accounts.unlock((await _account(visit)).id, by=visit.login)
    return _to(visit, "ontgrendeld")


async def close(visit: Visit) -> web.Response:
    """Close the account for good."""
    why = visit.reason()
    if visit.form.faulty:
        return await _user(visit, "sluiten")
    await visit.office.accounts.close(visit.path("id"), by=visit.login, why=why)
    return _to(visit, "gesloten")


async def end_session(visit: Visit) -> web.Response:
    """End a session of this account."""
    account = await _account(visit)
    there = {one.id for one in await visit.office.accounts.sessions(account=account.id)}
    if visit.path("sessie") not in there:
        raise web.HTTPNotFound
    await visit.office.accounts.end_session(visit.path("sessie"), by=visit.login)
    return _to(visit, "sessie")


_ONE = "/gebruikers/{id}"
PAGES = (
    Page(path=HERE, handler=users, roles=LOOKING, nav=N_("Gebruikers")),
    post(f"{HERE}/zoeken", search, roles=LOOKING),
    Page(path="/nieuwe-gebruiker", handler=new, roles=BEHEERDER, fresh=True),
    post("/nieuwe-gebruiker", add, roles=BEHEERDER, fresh=True),
    Page(path=_ONE, handler=user, roles=LOOKING),
    post(f"{_ONE}/wijzigen", change, roles=BEHEERDER, fresh=True),
    post(f"{_ONE}/herstellen", recover, roles=BEHEERDER, fresh=True),
    post(f"{_ONE}/koppelen", link, roles=BEHEERDER, fresh=True),
    post(f"{_ONE}/ontgrendelen", unlock, roles=BEHEERDER, fresh=True),
    post(f"{_ONE}/sluiten", close, roles=BEHEERDER, fresh=True),
    post(f"{_ONE}/sessies/{{sessie}}/einde", end_session, roles=BEHEERDER, fresh=True),
)
