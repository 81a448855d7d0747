"""What stands before every page: who it is, whether he may, and whether the form was ours."""

import asyncio
import hmac
from http import HTTPMethod, HTTPStatus
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler as Next
from aiohttp.typedefs import Middleware

from gateway.errors import GatewayError, Malformed, PolicyViolation, TooLarge, Unavailable
from gateway.ports.accounts import Language, Session
from gateway.web.console.errors import tell, tell_status
from gateway.web.console.forms import Form, read_form
from gateway.web.console.office import OFFICE, Office
from gateway.web.console.page import Access, Page
from gateway.web.console.visit import SAFE, Visit
from gateway.web.middleware import PEER, Answered, caught, hang_up_on_rest

SESSION = "__Host-sessie"
HALF = "__Host-half"
ELSEWHERE = "__Host-elders"
"""Of a browser that went to the OpenID provider: without it nobody comes back."""
GUEST = "__Host-gast"
LANGUAGE = "__Host-taal"
HEADER = "X-Blijk"
"""The proof, where a script asks."""
SIGN_IN = "/aanmelden"
STEP_UP = "/nogmaals"

PAGE: web.AppKey[dict[tuple[str, str], Page]] = web.AppKey("page", dict)
_GUEST_OCTETS = 18


def entrance(answered: Answered) -> Middleware:
    """Return the middleware: it makes the visit, and tells every error as a page."""

    @web.middleware
    async def middleware(request: web.Request, handler: Next) -> web.StreamResponse:
        office = request.app[OFFICE]
        visit = _stranger(request, office)
        try:
            response = await _within(office, visit, handler)
        except GatewayError as error:
            answered.refused(error.code)
            response = tell(visit, error)
        except web.HTTPException as error:
            response = tell_status(visit, error.status)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
        except ConnectionError:
            raise  # nobody is left to answer
        except Exception as error:  # noqa: BLE001 - the last stop; only kind and place are told
            caught(error)
            response = tell_status(visit, HTTPStatus.INTERNAL_SERVER_ERROR)
        _bake(visit, response)
        if isinstance(response, web.Response):
            hang_up_on_rest(request, response)
        return response

    return middleware


def _stranger(request: web.Request, office: Office) -> Visit:
    """Return the visit as it begins: nobody, in the language of his cookie."""
    spoken = request.cookies.get(LANGUAGE, "")
    return Visit(
        request=request,
        office=office,
        page=None,
        session=None,
        guest=request.cookies.get(GUEST, ""),
        language=Language.EN if spoken == Language.EN else Language.NL,
        correlation=office.dice.uuid()[:8],
    )


async def _within(office: Office, visit: Visit, handler: Next) -> web.StreamResponse:
    page = _page(visit.request)
    if page is None:
        return await handler(visit.request)  # an asset, or no such page
    visit.page = page
    await _recognise(office, visit, page)
    if visit.request.method not in SAFE:
        visit.request = visit.request.clone(client_max_size=page.body)
        await _take_form(office, visit)
    refused = _stopped(office, visit, page)
    return refused if refused is not None else await page.handler(visit)


def _page(request: web.Request) -> Page | None:
    resource = request.match_info.route.resource
    if resource is None:
        return None
    method = "GET" if request.method == HTTPMethod.HEAD else request.method
    return request.app[PAGE].get((method, resource.canonical))


async def _recognise(office: Office, visit: Visit, page: Page) -> None:
    token = visit.request.cookies.get(SESSION, "")
    if token:
        ask = office.door.peek if page.live else office.door.session
        visit.session = await ask(token)
        if visit.session is None:
            visit.cookie(SESSION, "", seconds=0)
    if visit.session is not None:
        visit.language = visit.session.account.preferences.language
        visit.request[PEER] = visit.login
    elif not visit.guest:
        visit.guest = office.dice.octets(_GUEST_OCTETS).hex()
        visit.cookie(GUEST, visit.guest)


async def _take_form(office: Office, visit: Visit) -> None:
    """Read the form; raise PolicyViolation `console.herkomst` when it was not ours.

    Raises TooLarge `console.groot`, Malformed `request.timeout` or `request.incomplete`.
    """
    request = visit.request
    _check_origin(office, request)
    header = request.headers.get(HEADER, "")
    try:
        async with asyncio.timeout(office.limits.body.total_seconds()):
            form, proof = await read_form(request) if not header else await _of_script(request)
    except TimeoutError as error:
        raise Malformed("request.timeout", "De inhoud kwam niet op tijd.") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge("console.groot", "Dit formulier of bestand is te groot.") from error
    except (ValueError, LookupError, web.RequestPayloadError, AssertionError) as error:
        raise Malformed("request.incomplete", "De inhoud is niet compleet.") from error
    if not hmac.compare_digest(proof.encode(), visit.proof.encode()):
        if visit.session is None and visit.page is not None and _for_users(visit.page):
            return  # his session is over: he is sent to the door, and nothing is done
        raise _not_ours()
    visit.form = form


async def _of_script(request: web.Request) -> tuple[Form, str]:
    """Take in whatever a script sent, within the time of a form; its page reads it."""
    await request.read()
    return Form(fields={}), request.headers[HEADER]


def _check_origin(office: Office, request: web.Request) -> None:
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    if (origin is not None and origin != office.origin) or (
        site is not None and site not in {"same-origin", "none"}
    ):
        raise _not_ours()


def _not_ours() -> PolicyViolation:
    return PolicyViolation(
        "console.herkomst",
        "Dit formulier komt niet van deze pagina, of is te oud. Open de pagina opnieuw.",
    )


def _for_users(page: Page) -> bool:
    return page.access is not Access.ANYBODY


def _stopped(office: Office, visit: Visit, page: Page) -> web.StreamResponse | None:
    """Return the answer to who may not go on; None = he may."""
    if not _for_users(page):
        return None
    if visit.session is None:
        if page.live:
            raise web.HTTPUnauthorized
        return visit.go(f"{SIGN_IN}?terug={quote(visit.back, safe='')}")
    if not page.allows(visit.roles):
        raise PolicyViolation("console.rol", "Deze pagina hoort bij een andere rol.")
    if page.fresh and not is_fresh(office, visit.session):
        return visit.go(f"{STEP_UP}?terug={quote(visit.back, safe='')}")
    return None


def is_fresh(office: Office, session: Session) -> bool:
    """Tell whether the second factor was shown a while ago at most."""
    return office.now() - session.proven_at < office.limits.step_up


@web.middleware
async def check_text(request: web.Request, handler: Next) -> web.StreamResponse:
    """Refuse octets that are no text, which no browser sends: no page can be made around them."""
    try:
        "".join((request.path_qs, *request.headers.values())).encode()
    except UnicodeEncodeError:
        return web.Response(status=HTTPStatus.BAD_REQUEST, text="Dit verzoek is niet te lezen.")
    return await handler(request)


def check_busy(office: Office) -> Middleware:
    """Return the middleware that lets so many requests in at once, and no more."""
    under_way = 0

    @web.middleware
    async def middleware(request: web.Request, handler: Next) -> web.StreamResponse:
        nonlocal under_way
        if under_way >= office.limits.requests:
            visit = _stranger(request, office)
            return tell(visit, Unavailable("busy.requests", "too many requests at once"))
        under_way += 1
        try:
            return await handler(request)
        finally:
            under_way -= 1

    return middleware


# --- what every answer carries --------------------------------------------------------


def _bake(visit: Visit, response: web.StreamResponse) -> None:
    for name, (value, seconds) in visit.fresh_cookies.items():
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=True,
            httponly=True,
            samesite="Lax",
        )


_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), "
    "publickey-credentials-get=(self), publickey-credentials-create=(self)",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def page_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add what a browser must know; what an asset or a download says itself stands."""
    del request
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.pop("Server", None)
