"""Which scope each operation needs. An operation that stands nowhere here does not start."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from aiohttp import web

from gateway.credentials import Scope
from gateway.web.api.shapes import ROOT

Operation = tuple[str, str]
"""Method and path, as aiohttp writes it: `/api/v1/berichten/{id}`."""

NEEDED: Mapping[Operation, Scope] = MappingProxyType(
    {
        ("POST", f"{ROOT}/berichten"): Scope.AANLEVEREN,
        ("GET", f"{ROOT}/berichten"): Scope.LEZEN,
        ("GET", f"{ROOT}/berichten/{{id}}"): Scope.LEZEN,
        ("GET", f"{ROOT}/postvak"): Scope.POSTVAK_LEZEN,
        ("GET", f"{ROOT}/postvak/{{id}}/inhoud"): Scope.POSTVAK_LEZEN,
        ("POST", f"{ROOT}/postvak/{{id}}/bevestiging"): Scope.POSTVAK_AFHANDELEN,
        ("POST", f"{ROOT}/postvak/{{id}}/weigering"): Scope.POSTVAK_AFHANDELEN,
    }
)
OPEN: frozenset[Operation] = frozenset({("POST", f"{ROOT}/token")})
"""Operations without sign-in."""
POSTVAK: Operation = ("GET", f"{ROOT}/postvak")


def operation(request: web.Request) -> Operation | None:
    """Return what is asked for; None when there is no such thing."""
    resource = request.match_info.route.resource
    if request.match_info.http_exception is not None or resource is None:
        return None
    return request.method, resource.canonical


def is_poll(request: web.Request) -> bool:
    """Tell whether the request may wait for news."""
    return operation(request) == POSTVAK and request.query.get("wacht", "0") != "0"


def check_complete(routes: Iterable[web.AbstractRoute]) -> None:
    """Raise KeyError for an operation of which nobody said who may do it."""
    for route in routes:
        if route.resource is None:
            raise KeyError(route)
        asked = route.method, route.resource.canonical
        if asked not in OPEN:
            NEEDED[asked]
