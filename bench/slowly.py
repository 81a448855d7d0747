"""`python -m bench.slowly FOLDER`: connections to the hub that hardly go on, in their own process.

Most never end their TLS handshake; some end it late, and then send a body that never ends. Whoever
is cut off comes back at once. It does what it reads, one order a line, and answers each with what
became of them so far, in JSON: `open N` opens that many, and answers when each was connected;
`count 0`; `close 0`.
"""

import argparse
import asyncio
import json
import ssl
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.letters import Letters
from bench.neighbours import tls
from bench.place import HALT, RVDK, Place
from gateway import open_files

PAUSE_SECONDS = 1.0
"""Between two pieces of whatever is sent."""
PIECES = 3
"""That each half of a handshake that is ended is sent in: it takes some seven seconds."""
LATE_ONE_IN = 10
"""The others never end their handshake."""
ADDRESSES = 250
"""They come from that many addresses."""
CUT_OFF, LET_IN = "cut off", "late, let in"
"""What is to become of them; what else they count is a refusal."""
HEAD = (
    b'POST /ebms HTTP/1.1\r\nHost: localhost\r\nSOAPAction: "ebXML"\r\n'
    b"Content-Type: text/xml\r\nContent-Length: 1000\r\n\r\n"
)


class Ended(Exception):
    """The hub hung up."""


@dataclass(slots=True)
class Wire:
    """One TLS connection, octet by octet."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    tls: ssl.SSLObject
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO

    @classmethod
    async def connect(cls, url: str, context: ssl.SSLContext, address: str) -> "Wire":
        where = urlsplit(url)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", where.port, local_addr=(address, 0)
        )
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        return cls(reader, writer, tls, incoming, outgoing)

    async def handshake(self, pieces: int) -> None:
        """Go on to its end, each half in so many pieces; raise Ended when the hub hangs up."""
        while not self._is_done():
            await self._crawl(self.outgoing.read(), pieces)
            await self._hear()
        await self._crawl(self.outgoing.read(), pieces)

    async def hello(self) -> None:
        """Send the first half, an octet at a time, until the hub hangs up."""
        self._is_done()
        octets = self.outgoing.read()
        await self._crawl(octets, len(octets))

    async def body(self) -> None:
        """Ask, and send an octet of the body now and then, until the hub answers or hangs up."""
        self.tls.write(HEAD)
        await self._crawl(self.outgoing.read(), 1)
        while True:
            self.tls.write(b"x")
            await self._crawl(self.outgoing.read(), 1)

    async def _crawl(self, octets: bytes, pieces: int) -> None:
        size = max(1, -(-len(octets) // pieces))
        for at in range(0, len(octets), size):
            self.writer.write(octets[at : at + size])
            await asyncio.sleep(PAUSE_SECONDS)
            if self.reader.at_eof() or self.writer.is_closing():
                raise Ended

    async def _hear(self) -> None:
        if not (octets := await self.reader.read(65_536)):
            raise Ended
        self.incoming.write(octets)

    def _is_done(self) -> bool:
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True


@dataclass(slots=True)
class Crowd:
    """All of them, and what became of them."""

    place: Place
    counted: Counter[str] = field(default_factory=Counter)
    connected: int = 0
    """Now."""
    wanted: int = 0
    all_there: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self, number: int) -> None:
        """Open them; return when all are connected."""
        partners = [
            (Letters.of(self.place, p.oin), tls(self.place, p.oin, server=False))
            for p in (HALT, RVDK)
        ]
        self.wanted = number
        for n in range(number):
            letters, context = partners[n // LATE_ONE_IN % len(partners)]
            self._tasks.add(asyncio.create_task(self._one(n, letters.hub, context)))
        self.all_there.clear()
        await self.all_there.wait()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _one(self, n: int, url: str, context: ssl.SSLContext) -> None:
        address = f"127.0.1.{1 + n % ADDRESSES}"
        while True:
            try:
                wire = await Wire.connect(url, context, address)
            except OSError as error:
                self.counted[f"no connection: {type(error).__name__}"] += 1
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            self.connected += 1
            if self.connected == self.wanted:
                self.all_there.set()
            try:
                await self._crawl(wire, n)
            finally:
                self.connected -= 1
                wire.writer.close()

    async def _crawl(self, wire: Wire, n: int) -> None:
        if n % LATE_ONE_IN:
            with suppress(Ended, OSError):
                await wire.hello()
            self.counted[CUT_OFF] += 1
            return
        try:
            await wire.handshake(PIECES)
        except (Ended, OSError, ssl.SSLError):
            self.counted["late, refused"] += 1
            return
        self.counted[LET_IN] += 1
        with suppress(Ended, OSError):
            await wire.body()


async def _main(place: Place) -> None:
    crowd = Crowd(place)
    print("ready", flush=True)
    while order := (await asyncio.to_thread(sys.stdin.readline)).split():
        match order:
            case ["open", number]:
                await crowd.open(int(number))
            case ["close", _]:
                await crowd.close()
        print(json.dumps(crowd.counted), flush=True)
    await crowd.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    open_files.allow_all()
    asyncio.run(_main(Place(folder=parser.parse_args().folder)))


if __name__ == "__main__":
    main()
