"""The REST API of back-end systems: its operations and what stands around them."""

from aiohttp import web

from gateway.ports import Clock
from gateway.web.api import openapi
from gateway.web.api.auth import DOOR, Door, Oauth, fair, signed_in
from gateway.web.api.last_uses import LastUses
from gateway.web.api.limits import Failures, FairLimits, Shares
from gateway.web.api.office import OFFICE, ApiLimits, BackOffice, Office
from gateway.web.api.openapi import Contact
from gateway.web.api.operation import API_VERSION, add_routes
from gateway.web.api.operations import OPERATIONS
from gateway.web.errors import problem, problem_for
from gateway.web.intake import Intake, IntakeLimits
from gateway.web.middleware import Answered, errors, observe, safe_headers
from gateway.web.turns import Turns


def api_app(  # noqa: PLR0913 - what stands around the operations, each by name
    gateway: BackOffice,
    *,
    clock: Clock,
    answered: Answered,
    limits: ApiLimits | None = None,
    intake: IntakeLimits | None = None,
    turns: Turns | None = None,
    fair_limits: FairLimits | None = None,
    oauth: Oauth | None = None,
    contact: Contact = openapi.NOBODY,
    uses: LastUses | None = None,
) -> web.Application:
    """Return the API. Every refusal is problem details (RFC 9457) with a dotted code.

    Client certificates count only when it is served over TLS that asks for them. `turns` are those
    that it shares with other listeners; None = its own.
    """
    app = web.Application(
        middlewares=[
            observe("api", clock, answered),
            errors(problem, problem_for, answered),
            signed_in,
            fair,
        ]
    )
    office = Office(
        gateway=gateway,
        clock=clock,
        intake=Intake(intake or IntakeLimits()),
        turns=turns or Turns(),
        limits=limits or ApiLimits(),
    )
    app[OFFICE] = office
    app[DOOR] = door = _door(office, fair_limits or FairLimits(), oauth, uses)
    app[openapi.DOCUMENT] = openapi.octets(OPERATIONS, contact)
    app.on_response_prepare.append(safe_headers)
    app.on_response_prepare.append(_version)
    app.on_response_prepare.append(door.shares.tell)
    app.on_shutdown.append(_stop_waiting)
    add_routes(
        app,
        OPERATIONS,
        expecting=office.intake.expecting(lambda: gateway.snapshots.current().limits.payload_bytes),
    )
    return app


def _door(office: Office, limits: FairLimits, oauth: Oauth | None, uses: LastUses | None) -> Door:
    return Door(
        gateway=office.gateway,
        clock=office.clock,
        shares=Shares(limits, office.clock),
        failures=Failures(limits.failures, office.clock),
        oauth=oauth,
        uses=uses or LastUses(),
    )


async def _version(request: web.Request, response: web.StreamResponse) -> None:
    """Say which version answers, also in a refusal (API Design Rules, /core/version-header)."""
    del request
    response.headers["API-Version"] = API_VERSION


async def _stop_waiting(app: web.Application) -> None:
    app[OFFICE].closing.set()
