"""A client of the REST API on loopback, with doubles behind it."""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from aiohttp import web

from gateway.directory import Limits
from gateway.web.api.app import api_app
from gateway.web.listener import ListenerLimits
from gateway.web.turns import Turns
from tests.outbound.tls_files import serving
from tests.web.doubles import TOKENS, Clock, Counted, Gateway, directory

XML = {"Content-Type": "application/xml"}
LIMITS = Limits(payload_bytes=10_000)
BERICHTEN = "/api/v1/berichten"
POSTVAK = "/api/v1/postvak"


@dataclass
class Api:
    gateway: Gateway
    session: aiohttp.ClientSession
    counted: Counted
    app: web.Application
    url: str

    def get(self, path: str, **arguments):
        return self.session.get(path, **arguments)

    def post(self, path: str, **arguments):
        return self.session.post(path, **arguments)

    def hand_in(self, body: bytes = b"<a/>", **query: str):
        return self.session.post(BERICHTEN, data=body, params=query, headers=XML)


@asynccontextmanager
async def api(token: str | None = TOKENS["bvh"], *, turns: Turns | None = None, **facts):
    gateway = Gateway(directory=directory(limits=LIMITS), **facts)
    counted = Counted()
    app = api_app(gateway, clock=Clock(), answered=counted, turns=turns)
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    bounds = ListenerLimits(lingering=timedelta(seconds=0.2), grace=timedelta(seconds=2))
    async with (
        serving(app, limits=bounds) as url,
        aiohttp.ClientSession(url, headers=headers) as session,
    ):
        yield Api(gateway, session, counted, app, url)


async def refused(response: aiohttp.ClientResponse, status: int) -> dict:
    """Return the problem details of a refusal with this status."""
    assert response.status == status
    assert response.content_type == "application/problem+json"
    body = await response.json(content_type=None)
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body
