"""What an operation of the REST API is: one record, for its route and for the OpenAPI document.

A handler gets its query parameters read and checked; it can not look at others.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPMethod
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel

from gateway.credentials import Scope
from gateway.web.api import query
from gateway.web.api.models import Probleem
from gateway.web.api.query import Query

ROOT = "/api/v1"
"""Stands before the path of every operation."""
API_VERSION = "1.0.0"
"""Semantic version of the interface, in the header API-Version of every answer. Its first
number is that of `ROOT`."""
ID = "[0-9A-Za-z-]{1,64}"
"""What `{id}` in a path matches; anything else is a path that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What the operation reads. `model` is that of JSON; None is a document of the koppelvlak."""

    description: str
    model: type[BaseModel] | None = None
    form: bool = False
    """The fields of the model come as an HTML form does, not as JSON."""

    @property
    def content_type(self) -> str:
        """Return the only media type that is taken."""
        if self.form:
            return "application/x-www-form-urlencoded"
        return "application/xml" if self.model is None else "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that is no problem. Without `model` it is `content_type`, or nothing at all."""

    description: str
    model: type[BaseModel] | None = None
    other: type[BaseModel] | None = None
    """A second model, where a parameter asks for another answer."""
    content_type: str = "application/json"
    schema: Mapping[str, Any] | None = None
    """Of what is not JSON of ours."""
    headers: Mapping[str, str] | None = None
    """Name → description, beside API-Version."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One operation. All texts are Dutch: integrators read them."""

    id: str
    """operationId, lowerCamelCase."""
    method: HTTPMethod
    path: str
    """Below `ROOT`; kebab-case, with `{id}` as its only variable."""
    handler: Callable[[web.Request, Any], Awaitable[web.StreamResponse]]
    """Takes the request and an instance of `query`."""
    tag: str
    summary: str
    description: str
    scope: Scope | None
    """None: nobody has to sign in."""
    answers: Mapping[int, Answer]
    query: type[Query] = Query
    body: Body | None = None
    problems: frozenset[int] = frozenset()
    """Statuses of refusals, beside those that follow from the rest of the record."""
    refusal: type[BaseModel] = Probleem
    waits: bool = False
    """Whether the parameter `wacht` keeps the request until there is news."""

    @property
    def refusals(self) -> tuple[int, ...]:
        """Return every status that is answered with problem details."""
        found = {400, 500, 503, *self.problems}
        if self.scope is not None:
            found |= {401, 403, 429}
        if "{id}" in self.path:
            found |= {404}
        if self.body is not None:
            found |= {408, 413, 415, 422}
        return tuple(sorted(found))


ROUTES: web.AppKey[dict[web.AbstractRoute, Operation]] = web.AppKey("routes", dict)


def add_routes(
    app: web.Application,
    operations: tuple[Operation, ...],
    *,
    expecting: Callable[[web.Request], Awaitable[None]],
) -> None:
    """Add the routes. `expecting` answers `Expect: 100-continue` where a document is read."""
    app[ROUTES] = {}
    for operation in operations:
        path = ROOT + operation.path.replace("{id}", f"{{id:{ID}}}")
        document = operation.body is not None and operation.body.model is None
        route = app.router.add_route(
            operation.method,
            path,
            _bind(operation),
            expect_handler=expecting if document else _go_on,
        )
        app[ROUTES][route] = operation


async def _go_on(request: web.Request) -> None:
    """Answer `Expect: 100-continue`; any other is not for us (RFC 9110, 10.1.1)."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # what was written is not yet the response


def operation_of(request: web.Request) -> Operation | None:
    """Return the operation that is asked for; None where there is no such path or method."""
    return request.app[ROUTES].get(request.match_info.route)


def _bind(operation: Operation) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await operation.handler(request, query.read(request, operation.query))

    return handle
