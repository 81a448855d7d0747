"""The management listener: alive, ready, and figures. It shows no message and no party."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.errors import GatewayError
from gateway.metrics import Metrics
from gateway.ports import Clock, Reader
from gateway.web.errors import problem, problem_for
from gateway.web.middleware import errors, observe, safe_headers

Ready = Callable[[], Awaitable[tuple[str, ...]]]
"""Why the installation can not exchange messages now, in Dutch; empty when it can."""


@dataclass(frozen=True, slots=True)
class _Health:
    ready_when: Ready
    metrics: Metrics
    reader: Reader

    async def live(self, _request: web.Request) -> web.Response:
        """The loop turns."""
        return web.json_response({"status": "levend"})

    async def ready(self, _request: web.Request) -> web.Response:
        """503 with the reasons when it is not."""
        reasons = await self.ready_when()
        status = "niet gereed" if reasons else "gereed"
        facts = {"status": status, "redenen": list(reasons)}
        return web.json_response(facts, status=503 if reasons else 200)

    async def figures(self, _request: web.Request) -> web.Response:
        """Prometheus text; the counters stay readable when the store is not."""
        try:
            self.metrics.figures(await self.reader.figures())
        except GatewayError:
            self.metrics.figures(None)
        body, content_type = self.metrics.exposition()
        return web.Response(body=body, headers={"Content-Type": content_type})


def health_app(*, ready: Ready, metrics: Metrics, reader: Reader, clock: Clock) -> web.Application:
    """Return the management endpoints; serve them on a loopback or management network."""
    app = web.Application(
        middlewares=[observe("beheer", clock, metrics), errors(problem, problem_for, metrics)]
    )
    app.on_response_prepare.append(safe_headers)
    health = _Health(ready, metrics, reader)
    app.router.add_get("/health/live", health.live)
    app.router.add_get("/health/ready", health.ready)
    app.router.add_get("/metrics", health.figures)
    return app
