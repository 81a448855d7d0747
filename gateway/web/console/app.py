"""The console as an application: its pages, and what stands around them."""

from aiohttp import web

from gateway.web.console.door import PAGE, check_busy, check_text, entrance, page_headers
from gateway.web.console.office import OFFICE, Office
from gateway.web.console.page import Page
from gateway.web.console.pages import around, door, elsewhere, own
from gateway.web.console.pages.beheerder import PAGES as BEHEERDER
from gateway.web.console.pages.compliance import PAGES as COMPLIANCE
from gateway.web.console.pages.officier import PAGES as OFFICIER
from gateway.web.console.pages.operator import PAGES as OPERATOR
from gateway.web.forwarded import forwarded
from gateway.web.middleware import Answered, observe

PAGES: tuple[Page, ...] = (
    *door.PAGES,
    *elsewhere.PAGES,
    *own.PAGES,
    *around.PAGES,
    *OFFICIER,
    *OPERATOR,
    *BEHEERDER,
    *COMPLIANCE,
)


def console_app(office: Office, *, answered: Answered) -> web.Application:
    """Return console or portal, by its pages; serve it over TLS only: cookies go no other way."""
    app = web.Application(
        middlewares=[
            forwarded(office.proxies),
            observe("console" if office.portal is None else "portal", office.clock, answered),
            check_text,
            check_busy(office),
            entrance(answered),
        ]
    )
    app[OFFICE] = office
    app[PAGE] = {(page.method.value, page.path): page for page in office.pages}
    for page in office.pages:
        app.router.add_route(page.method.value, page.path, _by_entrance)
    app.router.add_get("/static/{name}", _asset)
    app.on_response_prepare.append(page_headers)
    return app


async def _by_entrance(request: web.Request) -> web.StreamResponse:
    """Stand in the routes; the entrance calls the page's own handler."""
    raise AssertionError(request.path)


async def _asset(request: web.Request) -> web.StreamResponse:
    return request.app[OFFICE].assets.answer(request.match_info["name"])
