"""Errors as pages: what happened, whether anything was saved, what now. No value of a message."""

from http import HTTPStatus

from aiohttp import web

from gateway.codes import find
from gateway.errors import GatewayError, Limited, Refused, Untrusted
from gateway.ports.accounts import Language
from gateway.web.console.language import N_, catalogue
from gateway.web.console.visit import Visit
from gateway.web.errors import RETRY_AFTER, status_of

_PROVIDER = "oidc."
_CONSOLE = {
    "console.herkomst": HTTPStatus.FORBIDDEN,
    "console.rol": HTTPStatus.FORBIDDEN,
    "console.groot": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "console.gebruiker.onbekend": HTTPStatus.NOT_FOUND,
    "portal.unknown": HTTPStatus.NOT_FOUND,
    "systeem.weg": HTTPStatus.NOT_FOUND,
    "systeem.token.weg": HTTPStatus.NOT_FOUND,
    "oidc.account": HTTPStatus.FORBIDDEN,
    "oidc.role": HTTPStatus.FORBIDDEN,
    "oidc.roles": HTTPStatus.FORBIDDEN,
    "oidc.officer": HTTPStatus.FORBIDDEN,
    "toets.gewijzigd": HTTPStatus.CONFLICT,
    "alarm.unknown": HTTPStatus.NOT_FOUND,
    "toetsing.onvindbaar": HTTPStatus.NOT_FOUND,
    "quarantaine.onvindbaar": HTTPStatus.NOT_FOUND,
}
TITLES = {
    400: N_("Dit verzoek is niet te lezen"),
    401: N_("U bent niet aangemeld"),
    403: N_("Dit mag u niet"),
    404: N_("Deze pagina is er niet"),
    405: N_("Dit kan hier niet"),
    408: N_("Dit duurde te lang"),
    409: N_("Dit is intussen gewijzigd"),
    410: N_("Dit is er niet meer"),
    413: N_("Dit is te groot"),
    422: N_("Dit kan zo niet"),
    429: N_("Te veel verzoeken achter elkaar"),
    500: N_("Er ging hier iets mis"),
    503: N_("Dit kan nu niet"),
}
_WHAT_NOW = {
    403: N_("Denkt u dat dit wel mag? Vraag uw beheerder om de juiste rol."),
    404: N_("Controleer het adres, of ga naar het begin."),
    409: N_("Open de pagina opnieuw en kijk wat er is veranderd."),
    429: N_("Wacht even en probeer het dan opnieuw."),
    500: N_("Het is vastgelegd. Geef het nummer onderaan door als u belt."),
    503: N_("Probeer het over een halve minuut opnieuw."),
}
_NOTHING_SAVED = N_("Er is niets verzonden en niets besloten.")


def status_for(error: GatewayError) -> int:
    """Return the HTTP status of an error on a page."""
    if error.code in _CONSOLE:
        return _CONSOLE[error.code]
    if isinstance(error, Untrusted) and error.code.startswith(_PROVIDER):
        return HTTPStatus.UNAUTHORIZED  # nobody was signed in: no right is missing
    return status_of(error)


def said(visit: Visit, error: GatewayError) -> str:
    """Return what is wrong in the language of the visitor.

    Errors are told in Dutch; where English has no words for this one it is what its code means.
    """
    known = find(error.code)
    if visit.language is Language.NL or known is None or error.text in catalogue(Language.EN):
        return visit.say(error.text)
    return known.meaning


def tell(visit: Visit, error: GatewayError) -> web.Response:
    """Return the page for an error; only a refusal says in its own words what is wrong."""
    status = status_for(error)
    text = said(visit, error) if isinstance(error, Refused) else ""
    response = _page(visit, status, text=text, code=error.code)
    if error.retry:
        seconds = str(error.seconds) if isinstance(error, Limited) else RETRY_AFTER
        response.headers["Retry-After"] = seconds
    return response


def tell_status(visit: Visit, status: int) -> web.Response:
    """Return the page for what aiohttp refuses, and for what is our own failure."""
    return _page(visit, status, text="", code="")


def _page(visit: Visit, status: int, *, text: str, code: str) -> web.Response:
    return visit.show(
        "error.html",
        status=status,
        title=visit.say(TITLES.get(status, TITLES[500])),
        text=text,
        nothing=visit.say(_NOTHING_SAVED),
        now_what=visit.say(_WHAT_NOW[status]) if status in _WHAT_NOW else "",
        code=code,
    )
