"""Whose request it is, where a reverse proxy stands in front."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

Network = IPv4Network | IPv6Network
_HEADER = "X-Forwarded-For"


def forwarded(proxies: Sequence[Network]) -> Middleware:
    """Return the outermost middleware: `request.remote` is whom a proxy of ours speaks for.

    What others say of themselves in `X-Forwarded-For` counts for nothing: without proxies, or
    beside them, the address is that of the connection.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        said = request.headers.getall(_HEADER, ())
        if proxies and said:
            client = client_of(request.remote or "", ",".join(said), proxies)
            request = request.clone(remote=client)
        return await handler(request)

    return middleware


def client_of(peer: str, said: str, proxies: Sequence[Network]) -> str:
    """Return the nearest address that is no proxy of ours; each says who spoke to it, at the end.

    What can not be read ends it: then it is the proxy that said so.
    """
    nearest = peer
    for address in (peer, *reversed(said.split(","))):
        found = _address(address.strip())
        if found is None:
            break
        nearest = str(found)
        if not _is_one_of(found, proxies):
            break
    return nearest


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _is_one_of(address: IPv4Address | IPv6Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
