"""`python -m bench.relay FOLDER`: what stands where the hub stands, and only moves octets.

It takes the same requests over the same kind of connections, answers 204, posts as many octets
to each neighbour as the hub would, and does nothing else: no XML, no cryptography but that of
TLS, no database. What it costs is what aiohttp, asyncio and ssl cost.
"""

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
from aiohttp import web

from bench.letters import Letters
from bench.neighbours import CONNECTIONS, listen, tls
from bench.place import HUB, POLITIE, VT, Place
from bench.processes import STARTED

ACKNOWLEDGMENT = b"x" * 4_000
"""As large as one of the hub."""


class Relay:
    """Both directions."""

    def __init__(self, place: Place, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._politie, self._vt = (Letters.of(place, oin).here for oin in (POLITIE.oin, VT.oin))
        self._tasks: set[asyncio.Task[None]] = set()

    async def receive(self, request: web.Request) -> web.Response:
        """Take a message or an Acknowledgment; only a message goes on."""
        octets = await request.read()
        if request.content_type == "multipart/related":
            self._start(self._politie, ACKNOWLEDGMENT)
            self._start(self._vt, octets)
        return web.Response(status=204)

    def _start(self, url: str, octets: bytes) -> None:
        task = asyncio.create_task(self._post(url, octets))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, url: str, octets: bytes) -> None:
        async with self._session.post(url, data=octets) as answer:
            await answer.read()


async def _main(place: Place) -> None:
    async with AsyncExitStack() as stack:
        context = tls(place, HUB.oin, server=False)
        connector = aiohttp.TCPConnector(limit_per_host=CONNECTIONS, ssl=context)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        relay = Relay(place, session)
        url = Letters.of(place, POLITIE.oin).hub
        await listen(url, relay.receive, tls(place, HUB.oin, server=True), stack)
        print(STARTED, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    asyncio.run(_main(Place(folder=parser.parse_args().folder)))
