"""The other ends of the hub, in a process of their own: politie sends, Veilig Thuis receives.

It does what it reads on standard input, one order a line, and answers each with a line:
`seal N` makes N messages beforehand, `post N` posts them over a few kept connections and
waits until the hub has acknowledged each of them and has taken the Acknowledgment of each
copy that it delivered; the answer is how many seconds that took. `pace N RATE` does the same at
so many a second; the answer is, in JSON, after how many seconds each was answered. End of input is
the end.
"""

import argparse
import asyncio
import json
import ssl
import sys
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
from aiohttp import web

from bench.letters import Letters, melding
from bench.place import POLITIE, VT, Place
from gateway.installation_new import NewParty
from gateway.message import WireMessage

Body = bytes | AsyncIterable[bytes]

CONNECTIONS = 8
PATIENCE_SECONDS = 60.0
"""When nothing is acknowledged for this long, the hub has stalled."""
LARGEST = 100_000_000
"""Octets of a body that comes from the hub."""
AGAIN_SECONDS = 1.0
"""Until who was told to come back does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a party posts."""

    connections: int = CONNECTIONS
    seconds: float = PATIENCE_SECONDS
    """For one answer."""
    comes_back: bool = False
    """When the hub has no room now (503), or cuts it off while it posts; else that is the end."""


@dataclass(slots=True)
class Party:
    """One party: its desk, its listener, its connections to the hub."""

    letters: Letters
    session: aiohttp.ClientSession
    manner: Manner
    sent_back: int = 0
    """How often it was told to come back."""

    @classmethod
    async def open(
        cls, place: Place, oin: str, stack: AsyncExitStack, receive, manner: Manner
    ) -> "Party":
        """Listen at the URL of the agreement; connections open when something is posted."""
        letters = Letters.of(place, oin)
        context = tls(place, oin, server=False)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=manner.connections, ssl=context),
            timeout=aiohttp.ClientTimeout(total=manner.seconds),
        )
        await stack.enter_async_context(session)
        await listen(letters.here, receive, tls(place, oin, server=True), stack)
        return cls(letters, session, manner)

    async def post(self, message: WireMessage) -> None:
        """Post until it is taken with an empty 204; anything else is the end."""
        while (answer := await self.answer(message.body, message)) != (204, b""):
            status, octets = answer
            if status != 503 or not self.manner.comes_back:
                raise SystemExit(f"the hub answered {status}: {octets[:300]!r}")
            self.sent_back += 1
            await asyncio.sleep(AGAIN_SECONDS)

    async def answer(self, body: Body, message: WireMessage) -> tuple[int, bytes]:
        """Post this body under the headers of the message; return status and octets."""
        headers = {"Content-Type": message.content_type, "SOAPAction": message.soap_action}
        try:
            async with self.session.post(self.letters.hub, data=body, headers=headers) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            if self.manner.comes_back and isinstance(error, aiohttp.ClientConnectionError):
                return 503, b""
            raise SystemExit(f"the hub did not answer: {type(error).__name__}") from None


async def listen(url: str, receive, context: ssl.SSLContext, stack: AsyncExitStack) -> None:
    """Take requests at the URL until the stack closes."""
    app = web.Application(client_max_size=LARGEST)
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
    """Who sends and who receives, and how far the messages are."""

    sender: Party = field(init=False)
    receiver: Party = field(init=False)
    acknowledged: int = 0
    confirmed: int = 0
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        place: Place,
        *,
        sender: NewParty = POLITIE,
        receiver: NewParty = VT,
        manner: Manner = Manner(),
    ) -> "AsyncIterator[Neighbours]":
        """Let both listen until the block ends."""
        async with AsyncExitStack() as stack:
            both = cls()
            both.sender = await Party.open(place, sender.oin, stack, both._acknowledged, manner)
            both.receiver = await Party.open(place, receiver.oin, stack, both._delivered, manner)
            async with both.tasks:
                yield both

    async def send(self, messages: Sequence[WireMessage]) -> None:
        """Post them over all connections; return when each came back acknowledged, both ways."""
        acknowledged = self.acknowledged + len(messages)
        confirmed = self.confirmed + len(messages)
        batch = iter(messages)
        async with asyncio.TaskGroup() as senders:
            for _ in range(self.sender.manner.connections):
                senders.create_task(self._send(batch))
        await self._until(acknowledged, confirmed)

    async def pace(self, messages: Sequence[WireMessage], *, rate: float) -> list[float]:
        """Post so many a second, however long the answers take; return when `send` does.

        Gives for each how many seconds after it was due it was answered.
        """
        acknowledged = self.acknowledged + len(messages)
        confirmed = self.confirmed + len(messages)
        start = perf_counter()
        async with asyncio.TaskGroup() as senders:
            tasks = [
                senders.create_task(self._at(start + n / rate, message))
                for n, message in enumerate(messages)
            ]
        await self._until(acknowledged, confirmed)
        return [task.result() for task in tasks]

    async def _at(self, due: float, message: WireMessage) -> float:
        await asyncio.sleep(due - perf_counter())
        await self.sender.post(message)
        return perf_counter() - due

    async def _until(self, acknowledged: int, confirmed: int) -> None:
        while self.acknowledged < acknowledged or self.confirmed < confirmed:
            self.moved.clear()
            try:
                await asyncio.wait_for(self.moved.wait(), PATIENCE_SECONDS)
            except TimeoutError:
                text = f"nothing was acknowledged for {PATIENCE_SECONDS:.0f} s"
                raise SystemExit(text) from None

    async def _send(self, batch: Iterator[WireMessage]) -> None:
        for message in batch:
            await self.sender.post(message)

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
        await self.receiver.post(self.receiver.letters.acknowledgment(octets))
        self.confirmed += 1
        self.moved.set()


class Orders:
    """What is read from standard input, done."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours
        self._stock: deque[WireMessage] = deque()

    async def work(self) -> None:
        """Take orders until the input ends."""
        print("ready", flush=True)
        while order := (await asyncio.to_thread(sys.stdin.readline)).split():
            print(await self._do(order[0], int(order[1]), *order[2:]), flush=True)

    async def _do(self, order: str, count: int, *more: str) -> str:
        if order == "seal":
            self._seal(count)
            return "sealed"
        batch = [self._stock.popleft() for _ in range(count)]
        if order == "pace":
            return json.dumps(await self._neighbours.pace(batch, rate=float(more[0])))
        started = perf_counter()
        await self._neighbours.send(batch)
        return f"{perf_counter() - started:.4f}"

    def _seal(self, count: int) -> None:
        sealed = self._neighbours.sender.letters.sealed
        self._stock.extend(sealed(melding(str(uuid4()))) for _ in range(count))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    asyncio.run(_main(Place(folder=parser.parse_args().folder)))


async def _main(place: Place) -> None:
    async with Neighbours.open(place) as both:
        await Orders(both).work()


if __name__ == "__main__":
    main()
