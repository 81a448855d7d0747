"""Calling a back-end: one POST to an address that was judged, and to no other.

The name is looked up here, every address that it stands for is judged, and the connection
goes to those addresses only: a name server that answers something else a moment later
changes nothing. Nothing is followed, no proxy is asked, and of the answer only the status
is kept. Each call has a connection of its own, so that no address outlives its judgement.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.config import WebhooksSettings
from gateway.directory import Directory
from gateway.errors import PeerUnreachable
from gateway.installation_webhooks import allowed
from gateway.outbound.outcome import Explained, explained
from gateway.outbound.retry_after import retry_after
from gateway.outbound.tls import KeyPair, outward_context
from gateway.ports import Call, Clock, Reply
from gateway.security.destination import Address, Allowed, Destination, read_url

ANSWER_BYTES = 4_096
"""Of an answer's body as many octets are read and thrown away, then the connection goes."""
ANSWER_SECONDS = 1.0
"""For as long: who keeps his answer open has answered all the same."""
MOST_ADDRESSES = 16
"""A name that stands for more is refused."""

Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]
"""Return the addresses of a name, as text; raises OSError."""


_RESOLVERS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="webhook-dns")
"""Of their own: a name server that is dead keeps no look-up for a partner waiting."""


async def look_up(host: str, port: int) -> tuple[str, ...]:
    """Ask the system's resolver."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, ask)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class _Kit:
    """What follows from one version of the settings."""

    settings: WebhooksSettings
    allowed: Allowed
    tls: ssl.SSLContext


class WebhookClient:
    """The port `Caller`."""

    def __init__(
        self,
        *,
        current: Callable[[], Directory],
        clock: Clock,
        path: Callable[[Path], Path],
        resolve: Resolve = look_up,
    ) -> None:
        """Take what says where files are; settings come from the directory that is current."""
        self._current = current
        self._clock = clock
        self._path = path
        self._resolve = resolve
        self._made: _Kit | None = None

    def renew(self) -> None:
        """Read the TLS files now; raises Misconfigured, and keeps those that it had.

        Does nothing where there are no webhooks.
        """
        directory = self._current()
        if directory.webhooks:
            self._made = self._make(directory.calling)

    async def post(self, call: Call) -> Reply:
        """Post once; see the port."""
        kit = self._kit()
        to = read_url(call.url)
        seconds = kit.settings.total_seconds
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._addresses(to, kit)
                return await self._exchange(to, addresses, call, kit)
        except TimeoutError as error:
            raise PeerUnreachable("webhook.timeout", "no answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise _failure(error) from error
        except ValueError as error:  # aiohttp: an answer that is no HTTP
            raise PeerUnreachable("webhook.lost", "the answer is no HTTP") from error

    def _kit(self) -> _Kit:
        settings = self._current().calling
        if self._made is None or self._made.settings is not settings:
            self._made = self._make(settings)
        return self._made

    def _make(self, settings: WebhooksSettings) -> _Kit:
        pair = None
        if settings.certificate is not None and settings.key is not None:
            certificate, key = self._path(settings.certificate), self._path(settings.key)
            pair = KeyPair(certificate=certificate, key=key)
        ca = None if settings.ca is None else self._path(settings.ca)
        return _Kit(settings, allowed(settings), outward_context(pair, ca=ca))

    async def _addresses(self, to: Destination, kit: _Kit) -> tuple[Address, ...]:
        """Return where the host is; raise PolicyViolation when one of it may not be called."""
        texts = (to.host,) if to.literal is not None else await self._look_up(to, kit)
        addresses = tuple(ip_address(text) for text in texts)
        if not 0 < len(addresses) <= MOST_ADDRESSES:
            raise PeerUnreachable("webhook.dns", "the name has no addresses, or too many")
        for address in addresses:
            kit.allowed.judge(to, address)
        return addresses

    async def _look_up(self, to: Destination, kit: _Kit) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(kit.settings.connect_seconds):
                return await self._resolve(to.host, to.port)
        except OSError as error:  # a timeout is one, too
            raise PeerUnreachable("webhook.dns", "the name can not be looked up") from error

    async def _exchange(
        self, to: Destination, addresses: tuple[Address, ...], call: Call, kit: _Kit
    ) -> Reply:
        async with (
            aiohttp.ClientSession(
                connector=_connector(to, addresses, kit),
                timeout=aiohttp.ClientTimeout(connect=kit.settings.connect_seconds),
                headers={"User-Agent": "berichtengateway", "Accept-Encoding": "identity"},
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            ) as session,
            session.post(
                yarl.URL(to.url, encoded=True),
                data=call.body,
                headers=call.headers,
                allow_redirects=False,
            ) as response,
        ):
            wait = retry_after(response.headers.get("Retry-After", ""), self._clock.now())
            await _throw_away(response)
            return Reply(status=response.status, retry_after=wait)


async def _throw_away(response: aiohttp.ClientResponse) -> None:
    """Read a short answer to its end; whatever is wrong with it changes nothing."""
    left = ANSWER_BYTES
    with suppress(aiohttp.ClientError, OSError):  # a timeout is an OSError, too
        async with asyncio.timeout(ANSWER_SECONDS):
            while left > 0 and (chunk := await response.content.read(left)):
                left -= len(chunk)
    response.close()


def _connector(to: Destination, addresses: tuple[Address, ...], kit: _Kit) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(
        ssl=kit.tls,
        resolver=_Pinned(to, addresses),
        socket_factory=_only(frozenset(addresses)),
        use_dns_cache=False,
        force_close=True,
        limit=1,
    )


class _Pinned(AbstractResolver):
    """Knows one host: the one that was judged."""

    def __init__(self, to: Destination, addresses: tuple[Address, ...]) -> None:
        self._to = to
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del family
        if (host, port) != (self._to.host, self._to.port):
            raise OSError("another host than the one that was judged")
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=_family(address),
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """There is nothing to close."""


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET6 if address.version == 6 else socket.AF_INET  # noqa: PLR2004


def _only(judged: frozenset[Address]) -> Callable[[Any], socket.socket]:
    """Return what makes sockets, to these addresses only: the last look before connecting."""

    def make(info: Any) -> socket.socket:
        family, kind, proto, _, target = info
        if ip_address(target[0]) not in judged:
            raise OSError("an address that was not judged")
        return socket.socket(family, kind, proto)

    return make


_CODES: Explained = (
    (ssl.SSLCertVerificationError, "webhook.certificate", "the certificate is not trusted"),
    (ssl.SSLError, "webhook.tls", "no TLS connection"),
    (TimeoutError, "webhook.timeout", "no answer in time"),
    (aiohttp.ClientConnectorError, "webhook.unreachable", "no connection"),
)


def _failure(error: BaseException) -> PeerUnreachable:
    return explained(error, _CODES, otherwise=("webhook.lost", "no answer"))
