"""What is everybody's own: language, looks, limits, password, passkeys, sessions."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from aiohttp import web

from gateway.errors import PolicyViolation, Refused, Untrusted
from gateway.ports.accounts import Language, Theme
from gateway.web.console.door import LANGUAGE
from gateway.web.console.errors import said
from gateway.web.console.forms import Form
from gateway.web.console.language import N_
from gateway.web.console.page import Access, Page, post
from gateway.web.console.pages.door import MOST_ANSWER, json_body, qr, script_error
from gateway.web.console.visit import Visit, safe_return

LONGEST = 10
"""Times the setting that somebody may rest (WCAG 2.2.1)."""
_YEAR = 365 * 24 * 3600
DONE = {
    "voorkeuren": N_("Uw voorkeuren zijn bewaard."),
    "wachtwoord": N_("Uw wachtwoord is gewijzigd. Uw andere sessies zijn beëindigd."),
    "sessie": N_("De sessie is beëindigd."),
    "sleutel": N_("De toegangssleutel is verwijderd."),
    "app": N_("Uw nieuwe app telt. De oude app en uw andere sessies niet meer."),
    "nieuw": N_("De toegangssleutel is toegevoegd."),
}


async def settings(visit: Visit) -> web.Response:
    """Show all that is one's own."""
    return await _settings(visit)


async def _settings(visit: Visit, part: str = "") -> web.Response:
    account = visit.user.account
    accounts = visit.office.accounts
    idle = visit.office.limits.idle
    return visit.show(
        "own/settings.html",
        part=part,
        account=account,
        sessions=await accounts.sessions(account=account.id),
        passkeys=await accounts.passkeys(account.id),
        idles=[idle * n for n in (1, 2, 4, LONGEST)],
        done=visit.done(DONE),
    )


async def prefer(visit: Visit) -> web.Response:
    """Keep language, theme, rest and shortcuts."""
    form, now = visit.form, visit.user.account.preferences
    preferences = replace(
        now,
        language=Language.EN if form.text("taal") == Language.EN else Language.NL,
        theme=_theme(form),
        idle=_idle(visit, form),
        shortcuts=form.ticked("sneltoetsen"),
    )
    await visit.office.accounts.prefer(visit.user.account.id, preferences)
    return visit.go("/ik?klaar=voorkeuren")


def _theme(form: Form) -> Theme:
    text = form.text("thema")
    return Theme(text) if text in {*Theme} else Theme.SYSTEM


def _idle(visit: Visit, form: Form) -> timedelta | None:
    text = form.text("rust")
    minutes = int(text) if text.isdecimal() and len(text) < 5 else 0  # noqa: PLR2004 - digits
    least = visit.office.limits.idle
    wanted = timedelta(minutes=minutes)
    return min(wanted, LONGEST * least) if wanted > least else None


async def new_password(visit: Visit) -> web.Response:
    """Change the password; the old one is asked."""
    form = visit.form
    old, new = form.raw("oud"), form.raw("wachtwoord")
    if not old:
        form.wrong("oud", N_("Vul uw huidige wachtwoord in."))
    if not new:
        form.wrong("wachtwoord", N_("Kies een wachtwoord van 12 tot 128 tekens."))
    elif new != form.raw("herhaling"):
        form.wrong("herhaling", N_("De twee wachtwoorden zijn niet gelijk."))
    if not form.faulty:
        try:
            await visit.office.accounts.new_password(visit.user, old=old, new=new)
        except PolicyViolation as error:
            form.wrong("wachtwoord", said(visit, error))
        except Untrusted as error:
            form.wrong("oud", said(visit, error))
    if form.faulty:
        return await _settings(visit, "wachtwoord")
    return visit.go("/ik?klaar=wachtwoord")


async def end_session(visit: Visit) -> web.Response:
    """End one of one's own sessions; that of another is not found."""
    account = visit.user.account
    own = {one.id for one in await visit.office.accounts.sessions(account=account.id)}
    if visit.path("id") not in own:
        raise web.HTTPNotFound
    await visit.office.accounts.end_session(visit.path("id"), by=visit.login)
    return visit.go("/ik?klaar=sessie")


async def passkey_options(visit: Visit) -> web.Response:
    """Return what the browser asks of a new passkey."""
    return web.json_response(dict(await visit.office.accounts.passkey_options(visit.user)))


async def add_passkey(visit: Visit) -> web.Response:
    """Take a new passkey."""
    answer = await json_body(visit)
    name = visit.query("naam")[:64]
    if not name or not name.isprintable():
        return script_error(422, visit.say(N_("Geef de toegangssleutel een naam.")))
    try:
        await visit.office.accounts.add_passkey(visit.user, answer, name=name)
    except Refused:
        text = N_("De toegangssleutel is niet toegevoegd. Probeer het opnieuw.")
        return script_error(422, visit.say(text))
    return web.json_response({"naar": "/ik?klaar=nieuw"})


async def remove_passkey(visit: Visit) -> web.Response:
    """Take a passkey away."""
    await visit.office.accounts.remove_passkey(visit.user, visit.path("id"))
    return visit.go("/ik?klaar=sleutel")


async def new_codes(visit: Visit) -> web.Response:
    """Show new recovery codes, once."""
    codes = await visit.office.accounts.new_codes(visit.user)
    return visit.show("door/codes.html", codes=codes, onward="/ik")


async def new_app(visit: Visit) -> web.Response:
    """Show the picture for another app."""
    return await _new_app(visit)


async def _new_app(visit: Visit) -> web.Response:
    offered = await visit.office.accounts.offer_app(visit.user)
    return visit.show("own/app.html", offered=offered, picture=qr(offered.uri))


async def take_app(visit: Visit) -> web.Response:
    """Take a code of it."""
    if not visit.form.text("code"):
        visit.form.wrong("code", N_("Vul de code in die de app nu toont."))
        return await _new_app(visit)
    try:
        await visit.office.accounts.take_app(visit.user, visit.form.text("code"))
    except Untrusted as error:
        visit.form.wrong("code", said(visit, error))
        return await _new_app(visit)
    return visit.go("/ik?klaar=app")


async def extend(visit: Visit) -> web.Response:
    """Keep the session: that this was asked is enough."""
    if visit.request.headers.get("Accept", "") == "application/json":
        return web.json_response({"tot": visit.user.idle_until.isoformat()})
    return visit.go(safe_return(visit.form.text("terug")))


async def left(visit: Visit) -> web.Response:
    """Tell the script how long there is, without making it longer."""
    seconds = int((visit.user.idle_until - visit.now()).total_seconds())
    return web.json_response({"seconden": max(0, seconds)})


async def speak(visit: Visit) -> web.Response:
    """Switch the language, and go back."""
    text = visit.path("taal")
    if text not in {*Language}:
        raise web.HTTPNotFound
    visit.cookie(LANGUAGE, text, seconds=_YEAR)
    if visit.session is not None:
        account = visit.session.account
        await visit.office.accounts.prefer(
            account.id, replace(account.preferences, language=Language(text))
        )
    return visit.go(safe_return(visit.query("terug")))


def language_link(language: Language, back: str) -> str:
    """Return the address that switches the language."""
    return f"/taal/{language.value}?{urlencode({'terug': back})}"


_OWN = Access.SIGNED_IN
PAGES = (
    Page(path="/ik", handler=settings, access=_OWN),
    post("/ik/voorkeuren", prefer, access=_OWN),
    post("/ik/wachtwoord", new_password, access=_OWN, fresh=True),
    post("/ik/sessies/{id}/einde", end_session, access=_OWN),
    post("/ik/sleutels/vraag", passkey_options, access=_OWN, fresh=True, body=MOST_ANSWER),
    post("/ik/sleutels", add_passkey, access=_OWN, fresh=True, body=MOST_ANSWER),
    post("/ik/sleutels/{id}/weg", remove_passkey, access=_OWN, fresh=True),
    post("/ik/herstelcodes", new_codes, access=_OWN, fresh=True),
    Page(path="/ik/app", handler=new_app, access=_OWN, fresh=True),
    post("/ik/app", take_app, access=_OWN, fresh=True),
    post("/sessie", extend, access=_OWN),
    Page(path="/sessie", handler=left, access=_OWN, live=True),
    Page(path="/taal/{taal}", handler=speak, access=Access.ANYBODY),
)
