"""A mail server on loopback that does what a test tells it to, and remembers what it heard."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from pathlib import Path

from tests.outbound.mail_certificates import Held

OFFERS = ("PIPELINING", "SIZE 1000000", "8BITMIME", "DSN", "ENHANCEDSTATUSCODES")

CLOSE = "close"
"""Instead of a reply: the connection ends."""
SILENCE = "silence"
"""Instead of a reply: nothing, for as long as the other end waits."""


class MailServer:
    """One server; `replies` overrides what it says to the first word of a command.

    Further steps are `greeting`, `HELLO` (EHLO inside TLS) and `letter` (after the last dot).
    A reply may be several lines; it is sent as it is.
    """

    def __init__(self, held: Held, folder: Path) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(held.write(folder))
        self.offers = list(OFFERS)
        self.starttls = True
        self.after_starttls = b""
        """Is sent in plain text behind the reply to STARTTLS, in the same piece."""
        self.replies: dict[str, str] = {}
        self.heard: list[str] = []
        """Commands; those inside TLS begin with `tls `."""
        self.letters: list[bytes] = []
        self.server_names: list[str | None] = []
        self.context.sni_callback = lambda _tls, name, _context: self.server_names.append(name)
        self.reads_letters = True
        self.handshakes = True
        self._tasks: set[asyncio.Task] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())
        try:
            await self._talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _talk(self, reader, writer) -> None:
        if not await self._say(reader, writer, "greeting", "220 mx ESMTP"):
            return
        tls = ""
        while line := (await reader.readline()).decode("ascii").rstrip("\r\n"):
            self.heard.append(tls + line)
            word = line.split(" ")[0].split(":")[0].upper()
            match word:
                case "EHLO":
                    going = await self._hello(reader, writer, tls)
                case "STARTTLS" if not tls:
                    going = await self._say(reader, writer, word, "220 go", self.after_starttls)
                    if not self.handshakes:
                        await reader.read()  # until the other end has had enough
                    if going and self.replies.get(word, "220").startswith("220"):
                        await writer.start_tls(self.context)
                        tls = "tls "
                case "DATA":
                    going = await self._say(reader, writer, word, "354 go")
                    if going and self.replies.get(word, "354").startswith("354"):
                        going = await self._letter(reader, writer)
                case "QUIT":
                    await self._say(reader, writer, word, "221 bye")
                    return
                case _:
                    going = await self._say(reader, writer, word, "250 2.1.0 fine")
            if not going:
                return

    async def _hello(self, reader, writer, tls: str) -> bool:
        offers = [*self.offers, *(["STARTTLS"] if self.starttls and not tls else [])]
        lines = ["mx.example", *offers]
        text = "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}"
        return await self._say(reader, writer, "HELLO" if tls else "EHLO", text)

    async def _letter(self, reader, writer) -> bool:
        if not self.reads_letters:
            return False
        octets = await reader.readuntil(b"\r\n.\r\n")
        self.letters.append(octets[:-3])
        return await self._say(reader, writer, "letter", "250 2.0.0 queued")

    async def _say(self, reader, writer, step: str, text: str, behind: bytes = b"") -> bool:
        text = self.replies.get(step, text)
        if text == CLOSE:
            return False
        if text == SILENCE:
            await reader.read()
            return False
        writer.write(text.encode("latin-1") + b"\r\n" + behind)
        await writer.drain()
        return True

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def mail_servers(folder: Path, *held: Held):
    """Give the servers, on 127.0.0.11, .12, … and one port."""
    servers = [MailServer(one, folder) for one in held]
    listeners, port = [], 0
    for n, server in enumerate(servers, start=11):
        listener = await asyncio.start_server(server.serve, f"127.0.0.{n}", port)
        port = listener.sockets[0].getsockname()[1]
        listeners.append(listener)
    try:
        yield servers, port
    finally:
        for listener in listeners:
            listener.close()
        for server in servers:
            await server.stop()
        for listener in listeners:
            await listener.wait_closed()
