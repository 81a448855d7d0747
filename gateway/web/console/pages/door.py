"""Signing in and out, the first time, and showing the second factor again."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import segno
from aiohttp import web
from markupsafe import Markup

from gateway.errors import Limited, PolicyViolation, Refused, Untrusted
from gateway.ports.accounts import HalfWay, SecondFactor, Welcome
from gateway.web.console.door import GUEST, HALF, SESSION, SIGN_IN, STEP_UP
from gateway.web.console.errors import said
from gateway.web.console.forms import Form
from gateway.web.console.language import N_
from gateway.web.console.lists import link
from gateway.web.console.page import Access, Page, post
from gateway.web.console.visit import Visit, safe_return

HALF_SECONDS = 300
MOST_ANSWER = 16_000
"""Octets of what a passkey answers."""
_WRONG = N_("Deze gegevens kloppen niet. Controleer ze en probeer het opnieuw.")
_LOCKED = N_("Er is te vaak geprobeerd aan te melden. Wacht {minutes} min en probeer het opnieuw.")
_CODE = N_("Deze code klopt niet, of is al gebruikt. Neem de code die de app nu toont.")
_AGAIN = N_("Uw aanmelding duurde te lang. Begin opnieuw.")


async def ask(visit: Visit) -> web.Response:
    """Ask who it is; who is signed in goes on."""
    if visit.session is not None:
        return visit.go(safe_return(visit.query("terug")))
    return _asked(visit, _PASSWORD)


_PASSWORD, _TOTP = "door/password.html", "door/code.html"
_RECOVERY, _ONCE_MORE = "door/recovery.html", "door/again.html"


def _asked(visit: Visit, template: str) -> web.Response:
    """Return the page that asks; where to go on afterwards stays with it."""
    return visit.show(template, back=onward(visit), over=bool(visit.query("voorbij")))


def onward(visit: Visit) -> str:
    """Return where the visitor wanted to go, within the console."""
    return safe_return(visit.form.text("terug") or visit.query("terug"))


async def password(visit: Visit) -> web.Response:
    """Take login and password; the second factor is next."""
    form = visit.form
    login, secret = form.text("login"), form.raw("wachtwoord")
    if not login:
        form.wrong("login", N_("Vul uw gebruikersnaam in."))
    if not secret:
        form.wrong("wachtwoord", N_("Vul uw wachtwoord in."))
    if form.faulty:
        return _asked(visit, _PASSWORD)
    try:
        half = await visit.office.door.password(login, secret, visit.whence)
    except Limited as error:
        return _refused(visit, _PASSWORD, _locked(visit, error), "login")
    except Untrusted:
        return _refused(visit, _PASSWORD, _WRONG, "login")
    return _half_way(visit, half)


def _locked(visit: Visit, error: Limited) -> str:
    return visit.say(_LOCKED, minutes=-(-error.seconds // 60))


def _refused(visit: Visit, template: str, text: str, field: str = "code") -> web.Response:
    visit.form.wrong(field, text)
    return _asked(visit, template)


def _half_way(visit: Visit, half: HalfWay) -> web.Response:
    visit.cookie(HALF, half.token, seconds=HALF_SECONDS)
    step = "herstel" if half.ways == {SecondFactor.RECOVERY} else "code"
    back = onward(visit)
    return visit.go(link(f"{SIGN_IN}/{step}", {"terug": "" if back == "/" else back}))


async def code(visit: Visit) -> web.Response:
    """Ask the second factor."""
    return _of_half(visit, _TOTP)


def _of_half(visit: Visit, template: str) -> web.Response:
    """Ask it of who has shown his password; who has not begins there."""
    return _asked(visit, template) if HALF in visit.request.cookies else visit.go(SIGN_IN)


async def take_code(visit: Visit) -> web.Response:
    """Take six digits."""
    digits = visit.form.text("code")
    return await _second(
        visit, _TOTP, lambda half: visit.office.door.totp(half, digits, visit.whence)
    )


async def recovery(visit: Visit) -> web.Response:
    """Ask a recovery code, where the app or key is lost."""
    return _of_half(visit, _RECOVERY)


async def take_recovery(visit: Visit) -> web.Response:
    """Take a recovery code."""
    text = visit.form.text("code")
    return await _second(
        visit, _RECOVERY, lambda half: visit.office.door.recovery(half, text, visit.whence)
    )


async def _second(
    visit: Visit,
    template: str,
    show: Callable[[str], Awaitable[Welcome]],
) -> web.Response:
    half = visit.request.cookies.get(HALF, "")
    if not visit.form.text("code"):
        return _refused(visit, template, N_("Vul de code in."))
    try:
        welcome = await show(half)
    except Limited as error:
        return _refused(visit, template, _locked(visit, error))
    except Untrusted as error:
        if error.code == "console.half":
            visit.cookie(HALF, "", seconds=0)
            return visit.go(f"{SIGN_IN}?voorbij=ja")
        return _refused(visit, template, _CODE)
    return let_in(visit, welcome, onward(visit))


def let_in(visit: Visit, welcome: Welcome, to: str) -> web.Response:
    """Give the cookie of a session that is new: whatever was there before is worth nothing."""
    visit.cookie(SESSION, welcome.token)
    visit.cookie(HALF, "", seconds=0)
    visit.cookie(GUEST, "", seconds=0)
    return visit.go(to)


# --- passkeys -------------------------------------------------------------------------


async def passkey_options(visit: Visit) -> web.Response:
    """Return what the browser asks of a passkey."""
    half = visit.request.cookies.get(HALF)
    return web.json_response(dict(await visit.office.door.passkey_challenge(half)))


async def take_passkey(visit: Visit) -> web.Response:
    """Take what a passkey answered; the script goes where it is told."""
    answer = await json_body(visit)
    half = visit.request.cookies.get(HALF)
    try:
        welcome = await visit.office.door.passkey(half, answer, visit.whence)
    except Limited as error:
        return script_error(429, _locked(visit, error))
    except Refused:
        return script_error(422, visit.say(_WRONG))
    let_in(visit, welcome, "/")
    return web.json_response({"naar": safe_return(visit.query("terug"))})


async def json_body(visit: Visit) -> Mapping[str, Any]:
    """Return what the script sent; raises PolicyViolation `console.vorm`."""
    try:
        found = json.loads(await visit.request.text())
    except (ValueError, LookupError, RecursionError):  # also of a charset that is none, too deep
        found = None
    if not isinstance(found, dict):
        raise PolicyViolation("console.vorm", "Dit is geen antwoord van een toegangssleutel.")
    return found


def script_error(status: int, text: str) -> web.Response:
    """Return a refusal that the script shows."""
    return web.json_response({"tekst": text}, status=status)


# --- the first time -------------------------------------------------------------------


async def activation(visit: Visit) -> web.Response:
    """Ask the activation code."""
    return visit.show("door/activation.html")


async def take_activation(visit: Visit) -> web.Response:
    """Show what is still to do with this code."""
    text = visit.form.text("activatiecode")
    if not text:
        visit.form.wrong("activatiecode", N_("Vul de code in die u van uw beheerder kreeg."))
        return visit.show("door/activation.html")
    return await _to_do(visit, text)


async def _to_do(visit: Visit, text: str) -> web.Response:
    door = visit.office.door
    try:
        found = await door.activation(text, visit.whence)
        offered = await door.offer_totp(text) if found.needs_factor else None
    except Limited as error:
        visit.form.wrong("activatiecode", _locked(visit, error))
        return visit.show("door/activation.html")
    except Untrusted:
        visit.form.wrong(
            "activatiecode",
            N_("Deze code geldt niet (meer). Vraag uw beheerder om een nieuwe."),
        )
        return visit.show("door/activation.html")
    return visit.show(
        "door/first.html",
        found=found,
        text=text,
        offered=offered,
        picture=qr(offered.uri) if offered else None,
    )


async def activate(visit: Visit) -> web.Response:
    """Take the first password and a code of the app; show the recovery codes, once."""
    form = visit.form
    text = form.text("activatiecode")
    wanted = _new_password(form)
    if not form.text("code"):
        form.wrong("code", N_("Vul de code in die de app nu toont."))
    if form.faulty:
        return await _to_do(visit, text)
    try:
        welcome, codes = await visit.office.door.activate(
            text, password=wanted, totp=form.text("code"), whence=visit.whence
        )
    except Limited as error:
        form.wrong("code", _locked(visit, error))
    except PolicyViolation as error:
        form.wrong("wachtwoord", said(visit, error))
    except Untrusted as error:
        form.wrong("code", _CODE if error.code == "console.code" else _AGAIN)
    else:
        let_in(visit, welcome, "/")
        return visit.show("door/codes.html", codes=codes, onward="/")
    return await _to_do(visit, text)


def _new_password(form: Form) -> str | None:
    first, second = form.raw("wachtwoord"), form.raw("herhaling")
    if not first:
        form.wrong("wachtwoord", N_("Kies een wachtwoord van 12 tot 128 tekens."))
    elif first != second:
        form.wrong("herhaling", N_("De twee wachtwoorden zijn niet gelijk."))
    return first or None


def qr(uri: str) -> Markup:
    """Return a picture for an authenticator app, as SVG with attributes only."""
    made = segno.make(uri, error="m")
    size = made.symbol_size(border=2)[0]
    cells = [
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(made.matrix_iter(border=2))
        for x, dark in enumerate(row)
        if dark
    ]
    return Markup(
        '<svg class="bgw-qr" viewBox="0 0 {0} {0}" width="232" height="232" aria-hidden="true">'
        '<rect class="bgw-qr__light" width="{0}" height="{0}"/>'
        '<path class="bgw-qr__dark" d="{1}"/></svg>'
    ).format(size, "".join(cells))


# --- once more, and out ---------------------------------------------------------------


async def once_more(visit: Visit) -> web.Response:
    """Ask the second factor again, before something that counts."""
    return _asked(visit, _ONCE_MORE)


async def take_once_more(visit: Visit) -> web.Response:
    """Take the code, and go on where it was asked."""
    digits = visit.form.text("code")
    if not digits:
        return _refused(visit, _ONCE_MORE, N_("Vul de code in."))
    try:
        await visit.office.door.step_up(visit.user, digits)
    except Limited as error:
        return _refused(visit, _ONCE_MORE, _locked(visit, error))
    except Untrusted:
        return _refused(visit, _ONCE_MORE, _CODE)
    return visit.go(onward(visit))


async def again_options(visit: Visit) -> web.Response:
    """Return what the browser asks of a passkey of this user."""
    return web.json_response(dict(await visit.office.door.challenge(visit.user)))


async def take_again(visit: Visit) -> web.Response:
    """Take what the passkey answered, to go on."""
    answer = await json_body(visit)
    try:
        await visit.office.door.step_up_passkey(visit.user, answer)
    except Refused:
        return script_error(422, visit.say(_WRONG))
    return web.json_response({"naar": safe_return(visit.query("terug"))})


async def sign_out(visit: Visit) -> web.Response:
    """End the session; the browser forgets what it kept."""
    await visit.office.door.sign_out(visit.user)
    visit.cookie(SESSION, "", seconds=0)
    response = visit.go("/afgemeld")
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


async def signed_out(visit: Visit) -> web.Response:
    """Say that it is over here; at the provider he signs out himself."""
    elsewhere = visit.office.elsewhere
    back = f"{visit.office.origin}/afgemeld"
    there = await elsewhere.sign_out_url(back) if elsewhere is not None else ""
    return visit.show("door/out.html", there=there)


_ANYBODY, _OWN = Access.ANYBODY, Access.SIGNED_IN
PAGES = (
    Page(path=SIGN_IN, handler=ask, access=_ANYBODY),
    post(SIGN_IN, password, access=_ANYBODY),
    Page(path=f"{SIGN_IN}/code", handler=code, access=_ANYBODY),
    post(f"{SIGN_IN}/code", take_code, access=_ANYBODY),
    Page(path=f"{SIGN_IN}/herstel", handler=recovery, access=_ANYBODY),
    post(f"{SIGN_IN}/herstel", take_recovery, access=_ANYBODY),
    post(f"{SIGN_IN}/sleutel/vraag", passkey_options, access=_ANYBODY, body=MOST_ANSWER),
    post(f"{SIGN_IN}/sleutel", take_passkey, access=_ANYBODY, body=MOST_ANSWER),
    Page(path="/activeren", handler=activation, access=_ANYBODY),
    post("/activeren", take_activation, access=_ANYBODY),
    post("/activeren/klaar", activate, access=_ANYBODY),
    Page(path=STEP_UP, handler=once_more, access=_OWN),
    post(STEP_UP, take_once_more, access=_OWN),
    post(f"{STEP_UP}/sleutel/vraag", again_options, access=_OWN, body=MOST_ANSWER),
    post(f"{STEP_UP}/sleutel", take_again, access=_OWN, body=MOST_ANSWER),
    post("/afmelden", sign_out, access=_OWN),
    Page(path="/afgemeld", handler=signed_out, access=_ANYBODY),
)
