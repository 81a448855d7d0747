"""What a page is: its address, who may see it, and who makes it. The routes are made from these."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPMethod
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.credentials import UserRole
from gateway.directory import Directory

if TYPE_CHECKING:
    from gateway.web.console.visit import Visit

Handler = Callable[["Visit"], Awaitable[web.StreamResponse]]
MOST_BODY = 64_000
"""Octets of a form."""


class Access(StrEnum):
    """Who may come."""

    ANYBODY = "iedereen"
    """Also who is not signed in: the door, and help."""
    SIGNED_IN = "aangemeld"
    """Every user, for what is his own."""
    ROLE = "rol"
    """Users with one of the roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One address with one method."""

    path: str
    handler: Handler
    method: HTTPMethod = HTTPMethod.GET
    roles: frozenset[UserRole] = frozenset()
    """Empty: by `access`."""
    access: Access = Access.ROLE
    fresh: bool = False
    """Only with a second factor that was shown a while ago at most."""
    nav: str = ""
    """Its name in the navigation; empty = it does not stand there."""
    needs: Callable[[Directory], bool] | None = None
    """Where this does not hold the navigation leaves the page out: it has nothing to show."""
    body: int = MOST_BODY
    """Octets that it takes at most."""
    live: bool = False
    """Asked by a script: it does not keep a session alive."""

    def allows(self, roles: frozenset[UserRole]) -> bool:
        """Tell whether a signed-in user with these roles may come. Without roles: nobody."""
        return self.access is not Access.ROLE or bool(self.roles & roles)

    def is_offered(self, directory: Directory) -> bool:
        """Tell whether the navigation has it."""
        return bool(self.nav) and (self.needs is None or self.needs(directory))


def post(
    path: str,
    handler: Handler,
    *,
    roles: frozenset[UserRole] = frozenset(),
    access: Access = Access.ROLE,
    fresh: bool = False,
    body: int = MOST_BODY,
) -> Page:
    """Return a page that changes something."""
    return Page(
        path=path,
        handler=handler,
        method=HTTPMethod.POST,
        roles=roles,
        access=access,
        fresh=fresh,
        body=body,
    )
