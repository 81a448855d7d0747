"""Key files and listeners for tests over real TLS on loopback."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from gateway.keys.test_pki import Leaf
from gateway.outbound.tls import KeyPair, ReloadableContext, client_context, server_context
from gateway.web.listener import ListenerLimits, listen
from tests import pki


def pair(folder: Path, leaf: Leaf, name: str) -> KeyPair:
    leaf.write(folder, name)
    return KeyPair(certificate=folder / f"{name}.pem", key=folder / f"{name}.key")


def mutual(folder: Path) -> tuple[ReloadableContext, ssl.SSLContext]:
    """Return the contexts of a hub that asks for certificates, and of the police that calls it."""
    own = pair(folder, pki.live_leaf(pki.KNOOPPUNT), "own")
    partner = pair(folder, pki.live_leaf(pki.POLITIE), "partner")
    trust = pki.live().trust()
    server = ReloadableContext(server_context(own, clients=trust))
    return server, client_context(partner, servers=trust, check=lambda _der: None)


@asynccontextmanager
async def serving(
    app: web.Application, *, tls=None, limits: ListenerLimits | None = None, port: int = 0
) -> AsyncIterator[str]:
    """Give the URL of a server that runs as long as the block."""
    listener = await listen(app, host="127.0.0.1", port=port, tls=tls, limits=limits)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.port}"
    finally:
        await listener.close()
