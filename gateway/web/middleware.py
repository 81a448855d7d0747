"""What every listener does around its handlers: one log line, safe headers, no leaks."""

from collections.abc import Callable
from typing import Protocol

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.errors import GatewayError
from gateway.log import place
from gateway.ports import Clock

log = structlog.get_logger("gateway.web")

Tell = Callable[[GatewayError], web.Response]
"""Turns an error into the answer of this listener."""
TellStatus = Callable[[int], web.Response]
"""Answers what aiohttp itself refuses: no such path, no such method."""

PEER: web.RequestKey[str] = web.RequestKey("peer", str)
"""Who asks, for the log line: a name or a thumbprint, never a token."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Answered(Protocol):
    """Counts answers, for `/metrics`."""

    def answered(self, listener: str, status: int, seconds: float) -> None: ...
    def refused(self, code: str) -> None: ...


async def safe_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add what a browser or cache must know, and do not tell what serves."""
    del request
    response.headers.update(_HEADERS)
    response.headers.pop("Server", None)


def observe(listener: str, clock: Clock, answered: Answered) -> Middleware:
    """Return the outermost middleware: one log line and one count per request."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = clock.monotonic()
        response = await handler(request)
        took = clock.monotonic() - started
        answered.answered(listener, response.status, took)
        log.info(
            "http.answered",
            listener=listener,
            method=request.method,
            route=_route(request),
            status=response.status,
            ms=round(took * 1000, 1),
            peer=request.get(PEER, ""),
            address=request.remote,
        )
        return response

    return middleware


def errors(tell: Tell, tell_status: TellStatus, answered: Answered) -> Middleware:
    """Return the middleware that lets no exception out: every error is an answer."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except GatewayError as error:
            answered.refused(error.code)
            log.info("http.refused", code=error.code, peer=request.get(PEER, ""))
            response = tell(error)
        except web.HTTPException as error:
            response = tell_status(error.status)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
        except ConnectionError:
            raise  # nobody is left to answer
        except Exception as error:  # noqa: BLE001 - the last stop; only kind and place are told
            caught(error)
            response = tell_status(500)
        hang_up_on_rest(request, response)
        return response

    return middleware


def caught(error: Exception) -> None:
    """Log what nobody expected: its kind and place, never its text."""
    log.error("http.failed", error=type(error).__name__, place=place(error))


def hang_up_on_rest(request: web.Request, response: web.Response) -> None:
    """A body that was not read to its end is not read for the sake of keep-alive."""
    if request.can_read_body and not request.content.is_eof():
        response.force_close()


def _route(request: web.Request) -> str:
    """Return the pattern, never the path: that holds what the client made up."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "-"
