"""The ebMS2 endpoint: everything about HTTP, nothing about the message.

What comes through is a body within its limit, from a peer with a certificate. The pipeline
does the rest and always has an answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from aiohttp import web

from gateway.errors import (
    CertificateRejected,
    GatewayError,
    Malformed,
    Refused,
    Unavailable,
)
from gateway.message import Inbound, Peer
from gateway.ports import Answer, Clock
from gateway.web.errors import RETRY_AFTER, fault
from gateway.web.intake import Intake, IntakeLimits
from gateway.web.middleware import PEER, Answered, errors, observe, safe_headers
from gateway.web.peer import certificate_of
from gateway.web.turns import Turns


class Receives(Protocol):
    """The pipeline, as far as this endpoint knows it."""

    async def receive(self, inbound: Inbound) -> Answer:
        """Answer one request; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class _Endpoint:
    gateway: Receives
    clock: Clock
    intake: Intake
    turns: Turns
    most: Callable[[], int]

    async def post(self, request: web.Request) -> web.Response:
        """Take in one message."""
        _soap_action(request)
        peer = _peer(request)
        request[PEER] = sha256(peer.certificate).hexdigest()[:16]
        async with self.intake.body(request, most=self.most(), code="size.wire") as body:
            inbound = Inbound(
                body=body,
                content_type=request.headers.get("Content-Type", ""),
                soap_action=request.headers["SOAPAction"],
                peer=peer,
                at=self.clock.now(),
            )
            async with self.turns.turn(len(body)):
                return _response(await self.gateway.receive(inbound))


def ebms_app(  # noqa: PLR0913 - wiring, by name
    gateway: Receives,
    *,
    clock: Clock,
    answered: Answered,
    most: Callable[[], int],
    path: str = "/ebms",
    limits: IntakeLimits | None = None,
    turns: Turns | None = None,
) -> web.Application:
    """Return the endpoint; `most` gives the largest body now, in octets.

    `turns` are those that it shares with other listeners; None = its own.

    It must be served over TLS that demands a client certificate. Answers: 200 or 204, 500
    with a SOAP Fault (SOAP 1.1, 6.2), 503 to try again; 400, 403, 405, 408, 413 and 415 for
    what is wrong with the HTTP request itself (DK-ebMS2, HTTP codes).
    """
    app = web.Application(
        middlewares=[observe("ebms", clock, answered), errors(fault, _fault_for, answered)]
    )
    app.on_response_prepare.append(safe_headers)
    intake = Intake(limits or IntakeLimits())
    endpoint = _Endpoint(gateway, clock, intake, turns or Turns(), most)
    app.router.add_post(path, endpoint.post, expect_handler=intake.expecting(most))
    return app


def _soap_action(request: web.Request) -> None:
    """SOAPAction MUST be "ebXML" (ebMS 2.0, B.2.2), once; some leave the quotes out."""
    if request.headers.getall("SOAPAction", []) not in (['"ebXML"'], ["ebXML"]):
        raise Malformed("header.soapaction", 'SOAPAction is not "ebXML"')


def _peer(request: web.Request) -> Peer:
    der = certificate_of(request)
    if not der:
        raise CertificateRejected("peer.missing", "no client certificate")
    return Peer(certificate=der, address=request.remote or "")


def _response(answer: Answer) -> web.Response:
    response = web.Response(status=answer.status)
    if answer.message is not None and answer.message.body:
        response.body = answer.message.body
        response.headers["Content-Type"] = answer.message.content_type
    if answer.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(answer.retry_after.total_seconds())))
    elif answer.status == 503:  # noqa: PLR2004 - HTTP Service Unavailable
        response.headers["Retry-After"] = RETRY_AFTER
    return response


def _fault_for(status: int) -> web.Response:
    error: GatewayError = (
        Refused("request.refused", "no such path or method")
        if status < 500  # noqa: PLR2004 - the HTTP class of our own failures
        else Unavailable("request.failed", "unexpected failure")
    )
    return fault(error, status=status)
