"""Opening a port: bounds on connections that belong to no request yet."""

import asyncio
import gc
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count

from aiohttp import web

from gateway.errors import Misconfigured

SSLProtocol.max_size = 32_768
"""Octets that asyncio has ready for each connection, two TLS records.

Its own 256 KiB are taken before anybody is known: half a GB for 2,000 connections.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerLimits:
    """Bounds on one connection."""

    handshake: timedelta = timedelta(seconds=10)
    """For TLS."""
    idle: timedelta = timedelta(seconds=75)
    """Between requests, and for the headers of one."""
    lingering: timedelta = timedelta(seconds=1)
    """How long the rest of a refused body is still thrown away, so that the answer is read."""
    header_bytes: int = 8_190
    """Request line, and each header."""
    grace: timedelta = timedelta(seconds=10)
    """How long a stop waits for requests under way."""
    backlog: int = 4_096
    """Connections that wait to be taken in; the system may allow fewer (`net.core.somaxconn`)."""
    sweep: int = 500
    """After so many connections what is left of ended ones is collected. asyncio leaves those that
    end in their handshake in a circle, with some 130 KB of OpenSSL each, and the collector
    counts objects, not octets: it would come by after a million connections."""
    shared: bool = False
    """Whether other processes on this machine open the same port."""


@dataclass(slots=True, kw_only=True)
class Listener:
    """An open port."""

    host: str
    port: int
    """The real one, also where 0 was asked for."""
    _runner: web.AppRunner = field(repr=False)

    async def close(self) -> None:
        """Take no new connection, let requests end within the grace, then close."""
        await self._runner.cleanup()


async def listen(
    app: web.Application,
    *,
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    limits: ListenerLimits | None = None,
) -> Listener:
    """Serve `app`; raise Misconfigured `listen.port` when the port can not be opened."""
    bounds = limits or ListenerLimits()
    grace = bounds.grace.total_seconds()
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=grace)
    await runner.setup()
    site = _Site(runner, host, port, tls=tls, bounds=bounds)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise Misconfigured(
            "listen.port", "De poort kan niet worden geopend.", where=f"{host}:{port}"
        ) from error
    return Listener(host=host, port=site.port, _runner=runner)


class _Site(web.BaseSite):
    """A TCP site that does not wait for ever, or a minute, for the end of a handshake."""

    def __init__(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None,
        bounds: ListenerLimits,
    ) -> None:
        """Take the address; `start` opens it."""
        super().__init__(runner, ssl_context=tls)
        self._host = host
        self._bounds = bounds
        self.port = port

    @property
    def name(self) -> str:
        """Return the address, for messages of aiohttp."""
        return f"{self._host}:{self.port}"

    async def start(self) -> None:
        """Open the port and learn its number."""
        await super().start()
        handshake = self._bounds.handshake.total_seconds()
        self._server = server = await asyncio.get_running_loop().create_server(
            self._connections(),
            self._host,
            self.port,
            ssl=self._ssl_context,
            ssl_handshake_timeout=handshake if self._ssl_context else None,
            reuse_port=self._bounds.shared or None,
            backlog=self._bounds.backlog,
        )
        self.port = server.sockets[0].getsockname()[1]

    def _connections(self) -> "Callable[[], _Connection]":
        """Return what makes the protocol of each connection."""
        if self._runner.server is None:
            raise AssertionError
        bounds = self._bounds
        loop = asyncio.get_running_loop()
        make = partial(
            _Connection,
            self._runner.server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # turns it off
            keepalive_timeout=bounds.idle.total_seconds(),
            lingering_time=bounds.lingering.total_seconds(),
            max_line_size=bounds.header_bytes,
            max_field_size=bounds.header_bytes,
            auto_decompress=False,
        )
        made = count(1)

        def connection() -> _Connection:
            if next(made) % bounds.sweep == 0:
                loop.call_soon(gc.collect)
            return make()

        return connection


class _Connection(web.RequestHandler):
    """Tells nobody what came: aiohttp quotes what it can not read, which may be of a payload."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes
    ) -> web.StreamResponse:
        """Answer what is no HTTP request by its status alone, and hang up."""
        response = super().handle_error(request, status, exc)
        response.headers["Server"] = ""
        return response
