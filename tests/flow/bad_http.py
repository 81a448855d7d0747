"""The hub on a real port, as a partner with a TLS certificate of its own reaches it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from gateway.message import Inbound, Peer
from gateway.ports import Answer
from gateway.web.inbound.ebms import Receives, ebms_app
from gateway.web.intake import IntakeLimits
from gateway.web.listener import ListenerLimits
from tests.flow.bad_input import Recipe, make
from tests.flow.town import NOW, POLITIE, leaf
from tests.outbound.tls_files import mutual, serving
from tests.vectors.http import MOST
from tests.web.doubles import Clock, Counted


@dataclass
class InTown:
    """Hands a request on in the time of the town, by the certificate that is known there."""

    gateway: Receives
    taken: list[Inbound] = field(default_factory=list)

    async def receive(self, inbound: Inbound) -> Answer:
        self.taken.append(inbound)
        peer = Peer(certificate=leaf(POLITIE, "tls").certificate, address="192.0.2.1")
        return await self.gateway.receive(replace(inbound, peer=peer, at=NOW))


@dataclass
class Port:
    """An open port of the hub."""

    number: int
    client: ssl.SSLContext
    counted: Counted
    town: InTown

    async def answer(self, octets: bytes) -> bytes:
        """Send these octets and return all that comes, until the other side hangs up."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.number, ssl=self.client, server_hostname="127.0.0.1"
        )
        writer.write(octets)
        await writer.drain()
        async with asyncio.timeout(20):
            found = await reader.read()
        writer.close()
        return found


@asynccontextmanager
async def port_of(gateway: Receives, folder: Path) -> AsyncIterator[Port]:
    tls, client = mutual(folder)
    town, counted = InTown(gateway), Counted()
    app = ebms_app(
        town,
        clock=Clock(),
        answered=counted,
        most=lambda: MOST,
        limits=IntakeLimits(silence=timedelta(seconds=1)),
    )
    bounds = ListenerLimits(
        idle=timedelta(seconds=1), lingering=timedelta(seconds=0.2), grace=timedelta(seconds=1)
    )
    async with serving(app, tls=tls, limits=bounds) as url:
        yield Port(int(url.rpartition(":")[2]), client, counted, town)


def right() -> bytes:
    """A request with a melding that nothing is wrong with; it is the last on its connection."""
    inbound = make(Recipe())
    return (
        "POST /ebms HTTP/1.1\r\n"
        "Host: hub.example\r\n"
        "Connection: close\r\n"
        'SOAPAction: "ebXML"\r\n'
        f"Content-Type: {inbound.content_type}\r\n"
        f"Content-Length: {len(inbound.body)}\r\n\r\n"
    ).encode() + inbound.body
