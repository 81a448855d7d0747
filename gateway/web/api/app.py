"""The REST API of back-end systems: routes and what stands around them."""

from aiohttp import web

from gateway.pipeline.webhooks import Calling
from gateway.ports import Clock
from gateway.web.api import berichten, postvak, webhooks
from gateway.web.api.auth import signed_in
from gateway.web.api.office import OFFICE, ApiLimits, BackOffice, Office
from gateway.web.api.shapes import ROOT
from gateway.web.errors import problem, problem_response, title
from gateway.web.intake import Intake, IntakeLimits
from gateway.web.middleware import Answered, errors, observe, safe_headers

_ID = "{id:[0-9A-Za-z-]{1,64}}"


def api_app(
    gateway: BackOffice,
    *,
    clock: Clock,
    answered: Answered,
    limits: ApiLimits | None = None,
    intake: IntakeLimits | None = None,
    calling: Calling,
) -> web.Application:
    """Return the API. Every refusal is problem details (RFC 9457) with a dotted code."""
    app = web.Application(
        middlewares=[
            observe("api", clock, answered),
            errors(problem, _problem_for, answered),
            signed_in,
        ]
    )
    office = Office(
        gateway=gateway,
        clock=clock,
        intake=Intake(intake or IntakeLimits()),
        limits=limits or ApiLimits(),
        webhooks=calling,
    )
    app[OFFICE] = office
    app.on_response_prepare.append(safe_headers)
    app.on_shutdown.append(_stop_waiting)
    _routes(app, office)
    return app


def _routes(app: web.Application, office: Office) -> None:
    def most() -> int:
        return office.gateway.snapshots.current().limits.payload_bytes

    add = app.router.add_route
    add("GET", f"{ROOT}/berichten", berichten.overview)
    add(
        "POST", f"{ROOT}/berichten", berichten.hand_in, expect_handler=office.intake.expecting(most)
    )
    add("GET", f"{ROOT}/berichten/{_ID}", berichten.show)
    add("GET", f"{ROOT}/postvak", postvak.look)
    add("GET", f"{ROOT}/postvak/{_ID}/inhoud", postvak.content)
    add("POST", f"{ROOT}/postvak/{_ID}/bevestiging", postvak.confirm)
    add("POST", f"{ROOT}/postvak/{_ID}/weigering", postvak.refuse)
    add("GET", f"{ROOT}/webhooks", webhooks.overview)
    add("POST", f"{ROOT}/webhooks/{_ID}/proef", webhooks.test)
    add("POST", f"{ROOT}/webhooks/{_ID}/inschakelen", webhooks.enable)


async def _stop_waiting(app: web.Application) -> None:
    app[OFFICE].closing.set()


def _problem_for(status: int) -> web.Response:
    own = status >= 500  # noqa: PLR2004 - the HTTP class of our own failures
    return problem_response(
        status,
        {
            "title": title(status),
            "status": status,
            "detail": "Er ging hier iets mis." if own else title(status) + ".",
            "code": "request.failed" if own else "request.refused",
            "herhalen": False,
        },
    )
