"""The mail server of both parties in the demo: SMTP behind STARTTLS, nothing more."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

HOST = "mx.post.example"
MOST = 30_000_000
"""Octets of a letter."""

Take = Callable[[str, str, bytes], Awaitable[None]]
"""Takes sender, recipient and octets of a letter."""


@dataclass(slots=True, kw_only=True)
class MailServer:
    """Takes letters at 127.0.0.1, and gives them to `take` before it says that it has them."""

    port: int
    tls: ssl.SSLContext
    take: Take
    _server: asyncio.Server | None = field(default=None)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=MOST)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            await _Talk(reader, writer, self.tls, self.take).run()
        writer.transport.abort()


class _Talk:
    """One conversation."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        tls: ssl.SSLContext,
        take: Take,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._tls = tls
        self._take = take
        self._safe = False
        self._sender = self._recipient = ""

    async def run(self) -> None:
        await self._say(f"220 {HOST} ESMTP")
        while line := (await self._reader.readline()).decode("ascii").strip():
            word = line.split(" ")[0].upper()
            if word == "QUIT":
                await self._say("221 2.0.0 bye")
                return
            await self._step(word, line)

    async def _step(self, word: str, line: str) -> None:
        match word:
            case "EHLO":
                offer = f"SIZE {MOST}" if self._safe else "STARTTLS"
                await self._say(f"250-{HOST}", "250-8BITMIME", f"250 {offer}")
            case "STARTTLS":
                await self._say("220 2.0.0 go")
                await self._writer.start_tls(self._tls)
                self._safe = True
            case "MAIL" if self._safe:
                self._sender = _address(line)
                await self._say("250 2.1.0 fine")
            case "RCPT" if self._safe:
                self._recipient = _address(line)
                await self._say("250 2.1.5 fine")
            case "DATA" if self._safe:
                await self._say("354 go")
                octets = await self._reader.readuntil(b"\r\n.\r\n")
                letter = octets[:-3].replace(b"\r\n..", b"\r\n.")
                await self._take(self._sender, self._recipient, letter)
                await self._say("250 2.0.0 taken")
            case _:
                await self._say("530 5.7.0 STARTTLS first")

    async def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode("ascii"))
        await self._writer.drain()


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]
