"""Signing in at the OpenID provider, coming back from it, and showing there again who one is."""

from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

from gateway.errors import Refused
from gateway.ports.accounts import Session
from gateway.ports.identity import Answer, Elsewhere
from gateway.web.console.door import ELSEWHERE, SIGN_IN, STEP_UP
from gateway.web.console.language import N_
from gateway.web.console.page import Access, Page, post
from gateway.web.console.pages.door import let_in, onward
from gateway.web.console.visit import Visit, safe_return

SECONDS = 600
"""As long as a sign-in that was begun."""
_ONCE_MORE = N_(
    "Deze aanmelding is niet afgemaakt. Begin opnieuw, met de knop op de aanmeldpagina."
)
_OTHERWISE = N_(
    "De inlogvoorziening gaf een bewijs dat hier niet telt. Geef de code door aan uw beheerder."
)
_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "oidc.state": _ONCE_MORE,
        "oidc.refused": _ONCE_MORE,
        "oidc.code": _ONCE_MORE,
        "oidc.nonce": _ONCE_MORE,
        "oidc.account": N_(
            "Er is hier geen account voor u. Vraag een beheerder om uw account te koppelen."
        ),
        "oidc.role": N_(
            "U hebt in de inlogvoorziening geen rol voor hier. Vraag hem aan wie daar rollen geeft."
        ),
        "oidc.roles": N_(
            "U hebt in de inlogvoorziening rollen die hier niet samengaan: bij officier en bij "
            "compliance hoort geen andere rol."
        ),
        "oidc.officer": N_("De inlogvoorziening zegt niet welke officier u bent."),
        "oidc.factor": N_(
            "De inlogvoorziening bewijst niet dat u een tweede bewijs gaf. Meld u daar aan met een "
            "tweede bewijs."
        ),
        "oidc.auth_time": N_(
            "De inlogvoorziening heeft u niet opnieuw gevraagd wie u bent. Meld u daar af en begin "
            "hier opnieuw."
        ),
        "oidc.person": N_("U hebt zich als iemand anders aangemeld. Begin opnieuw, als uzelf."),
        "oidc.rights": N_("Uw rechten zijn gewijzigd. Meld u opnieuw aan."),
    }
)
"""What a person can do about it."""


async def begin(visit: Visit) -> web.Response:
    """Send the browser to the provider."""
    return await _begin(visit, None)


async def again(visit: Visit) -> web.Response:
    """Send it there to show again who it is."""
    return await _begin(visit, visit.user)


async def _begin(visit: Visit, session: Session | None) -> web.Response:
    """Answer with a page that goes on by itself.

    A redirect would need the provider, and whomever it sends the browser on to, in
    `form-action`: what a form may be sent to stays the console alone.
    """
    begun = await _elsewhere(visit).begin(back=onward(visit), session=session)
    visit.cookie(ELSEWHERE, begun.secret, seconds=SECONDS)
    response = visit.show("door/onward.html", there=begun.url)
    response.headers["Refresh"] = f"0;url={begun.url}"
    return response


def _elsewhere(visit: Visit) -> Elsewhere:
    if visit.office.elsewhere is None:
        raise web.HTTPNotFound
    return visit.office.elsewhere


async def come_back(visit: Visit) -> web.Response:
    """Take what the provider answered, in the browser that was sent there."""
    elsewhere = _elsewhere(visit)
    visit.cookie(ELSEWHERE, "", seconds=0)
    visit.instead = STEP_UP if visit.session is not None else SIGN_IN
    try:
        arrived = await elsewhere.finish(
            visit.request.cookies.get(ELSEWHERE, ""),
            _answer(visit),
            visit.whence,
            session=visit.session,
        )
    except Refused as error:
        raise type(error)(error.code, _TOLD.get(error.code, _OTHERWISE)) from error
    to = safe_return(arrived.back)
    return visit.go(to) if arrived.welcome is None else let_in(visit, arrived.welcome, to)


async def keys(visit: Visit) -> web.Response:
    """Publish the key that the console proves itself with: the provider may look here."""
    return web.json_response(dict(_elsewhere(visit).published()))


def _answer(visit: Visit) -> Answer:
    return Answer(
        state=_one(visit, "state"),
        code=_one(visit, "code"),
        issuer=_one(visit, "iss"),
        error=_one(visit, "error"),
    )


def _one(visit: Visit, name: str) -> str:
    """Return a parameter; one that comes twice is as good as none (RFC 6749, 3.1)."""
    found = visit.request.query.getall(name, [])
    return found[0] if len(found) == 1 else ""


_ANYBODY = Access.ANYBODY
PAGES = (
    post(f"{SIGN_IN}/elders", begin, access=_ANYBODY),
    Page(path=f"{SIGN_IN}/terug", handler=come_back, access=_ANYBODY),
    Page(path=f"{SIGN_IN}/sleutels.json", handler=keys, access=_ANYBODY),
    post(f"{STEP_UP}/elders", again, access=Access.SIGNED_IN),
)
