"""The listener of a partner that can be down in three ways."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import web

from gateway.cli.simulator.script import Storing
from gateway.directory import Limits
from gateway.errors import Misconfigured
from gateway.message import Peer, WireMessage
from gateway.web.listener import Listener, ListenerLimits, listen

AGAIN_SECONDS = 1.0
"""Between two attempts to open the port again."""
_AT_ONCE = ListenerLimits(grace=timedelta(0), lingering=timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """The message is not taken in: from now on the partner is down."""

    how: Storing
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back over HTTP."""

    status: int = 204
    message: WireMessage | None = None


Take = Callable[[bytes, str, Peer], Awaitable[Reply | Down]]


@dataclass(slots=True, kw_only=True)
class Station:
    """One address. `take` gets every body that comes while the partner is up."""

    host: str
    port: int
    path: str
    tls: ssl.SSLContext
    take: Take
    back: Callable[[], None]
    """Called when the partner is up again."""
    trouble: Callable[[str], None] = lambda _text: None
    """Hears, in Dutch, why the partner can not be up again yet."""
    _listener: Listener | None = field(default=None)
    _outage: "asyncio.Task[None] | None" = field(default=None)
    _how: Storing = field(default=Storing.GEEN)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the end of an outage, and when the station closes in the middle of one."""

    async def open(self) -> None:
        """Open the port; raises Misconfigured `listen.port`."""
        app = web.Application(client_max_size=Limits().wire_bytes)
        app.router.add_post(self.path, self._post)
        self._listener = await listen(
            app, host=self.host, port=self.port, tls=self.tls, limits=_AT_ONCE
        )

    async def close(self) -> None:
        """Close the port, also in the middle of an outage."""
        self._over.set()
        if self._outage is not None:
            self._outage.cancel()
            await asyncio.gather(self._outage, return_exceptions=True)
        await self._shut()

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self._how is Storing.GEEN:
            done = await self.take(body, request.headers.get("Content-Type", ""), _peer(request))
            if isinstance(done, Reply):
                return _response(done)
            self._go_down(done)
        return await self._while_down(request)

    def _go_down(self, down: Down) -> None:
        if self._how is not Storing.GEEN:
            return
        self._how = down.how
        self._over.clear()
        self._outage = asyncio.create_task(self._be_down(down))

    async def _while_down(self, request: web.Request) -> web.Response:
        if self._how is Storing.BEZET:
            return web.Response(status=503, headers={"Retry-After": "1"})
        if self._how is Storing.HANGT:
            await self._over.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=503)

    async def _be_down(self, down: Down) -> None:
        if down.how is Storing.DICHT:
            await self._shut()
        await asyncio.sleep(down.seconds)
        self._how = Storing.GEEN
        self._over.set()
        while self._listener is None:
            try:
                await self.open()
            except Misconfigured as error:  # somebody took the port meanwhile
                self.trouble(str(error))
                await asyncio.sleep(AGAIN_SECONDS)
        self.back()

    async def _shut(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.close()


def _peer(request: web.Request) -> Peer:
    connection = request.transport.get_extra_info("ssl_object") if request.transport else None
    der = connection.getpeercert(binary_form=True) if connection is not None else None
    return Peer(certificate=der or b"", address=request.remote or "")


def _response(reply: Reply) -> web.Response:
    if reply.message is None:
        return web.Response(status=reply.status)
    return web.Response(
        status=reply.status,
        body=reply.message.body,
        headers={"Content-Type": reply.message.content_type},
    )
