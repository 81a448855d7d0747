"""The other ends of the hub, in a process of their own: politie sends, Veilig Thuis receives.

It does what it reads on standard input, one order a line, and answers each with a line:
`seal N` makes N messages beforehand, `post N` posts them over a few kept connections and
waits until the hub has acknowledged each of them and has taken the Acknowledgment of each
copy that it delivered; the answer is how many seconds that took. End of input is the end.
"""

import argparse
import asyncio
import ssl
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
from aiohttp import web

from bench.letters import Letters, melding
from bench.place import POLITIE, VT, Place
from gateway.message import WireMessage

CONNECTIONS = 8
PATIENCE_SECONDS = 60.0
"""When nothing is acknowledged for this long, the hub has stalled."""


@dataclass(slots=True)
class Party:
    """One party: its desk, its listener, its connections to the hub."""

    place: Place
    letters: Letters
    session: aiohttp.ClientSession

    @classmethod
    async def open(cls, place: Place, oin: str, stack: AsyncExitStack, receive) -> "Party":
        """Listen at the URL of the agreement; connections open when something is posted."""
        letters = Letters.of(place, oin)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=tls(place, oin, server=False))
        patience = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=connector, timeout=patience)
        )
        await listen(letters.here, receive, tls(place, oin, server=True), stack)
        return cls(place, letters, session)

    async def post(self, message: WireMessage) -> None:
        """Post; anything but an empty 204 is the end."""
        headers = {"Content-Type": message.content_type, "SOAPAction": message.soap_action}
        request = self.session.post(self.letters.hub, data=message.body, headers=headers)
        try:
            async with request as answer:
                octets = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SystemExit(f"the hub did not answer: {type(error).__name__}") from None
        if answer.status != 204 or octets:
            raise SystemExit(f"the hub answered {answer.status}: {octets[:300]!r}")


async def listen(url: str, receive, context: ssl.SSLContext, stack: AsyncExitStack) -> None:
    """Take requests at the URL until the stack closes."""
    app = web.Application()
    app.router.add_post("/ebms", receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", urlsplit(url).port, ssl_context=context).start()


def tls(place: Place, oin: str, *, server: bool) -> ssl.SSLContext:
    """Return a context that demands a certificate of the other side."""
    kind = ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT
    context = ssl.SSLContext(kind)
    context.load_verify_locations(place.anchors)
    context.load_verify_locations(place.intermediates)
    context.load_cert_chain(place.keys(oin) / "tls.pem", place.keys(oin) / "tls.key")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@dataclass(slots=True)
class Neighbours:
    """Both parties, and how far the messages are."""

    politie: Party = field(init=False)
    vt: Party = field(init=False)
    stock: deque[WireMessage] = field(default_factory=deque)
    acknowledged: int = 0
    confirmed: int = 0
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)

    async def work(self, place: Place) -> None:
        """Take orders until the input ends."""
        async with AsyncExitStack() as stack:
            self.politie = await Party.open(place, POLITIE.oin, stack, self._acknowledged)
            self.vt = await Party.open(place, VT.oin, stack, self._delivered)
            async with self.tasks:
                print("ready", flush=True)
                while order := (await asyncio.to_thread(sys.stdin.readline)).split():
                    print(await self._do(order[0], int(order[1])), flush=True)

    async def _do(self, order: str, count: int) -> str:
        if order == "seal":
            self._seal(count)
            return "sealed"
        started = perf_counter()
        await self._post(count)
        return f"{perf_counter() - started:.4f}"

    def _seal(self, count: int) -> None:
        sealed = self.politie.letters.sealed
        self.stock.extend(sealed(melding(str(uuid4()))) for _ in range(count))

    async def _post(self, count: int) -> None:
        acknowledged, confirmed = self.acknowledged + count, self.confirmed + count
        batch = iter([self.stock.popleft() for _ in range(count)])
        async with asyncio.TaskGroup() as senders:
            for _ in range(CONNECTIONS):
                senders.create_task(self._send(batch))
        while self.acknowledged < acknowledged or self.confirmed < confirmed:
            self.moved.clear()
            try:
                await asyncio.wait_for(self.moved.wait(), PATIENCE_SECONDS)
            except TimeoutError:
                text = f"nothing was acknowledged for {PATIENCE_SECONDS:.0f} s"
                raise SystemExit(text) from None

    async def _send(self, batch: Iterator[WireMessage]) -> None:
        for message in batch:
            await self.politie.post(message)

    async def _acknowledged(self, request: web.Request) -> web.Response:
        await request.read()
        self.acknowledged += 1
        self.moved.set()
        return web.Response(status=204)

    async def _delivered(self, request: web.Request) -> web.Response:
        octets = await request.read()
        self.tasks.create_task(self._confirm(octets))
        return web.Response(status=204)

    async def _confirm(self, octets: bytes) -> None:
        await self.vt.post(self.vt.letters.acknowledgment(octets))
        self.confirmed += 1
        self.moved.set()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    asyncio.run(_main(Place(folder=parser.parse_args().folder)))


async def _main(place: Place) -> None:
    await Neighbours().work(place)


if __name__ == "__main__":
    main()
