"""Replies of a mail server (RFC 5321, 4.2): one to each command, bounded in size and in time.

The text of a reply is not kept: it may name a person. What is told of it are its code and its
enhanced status (RFC 3463).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.errors import PeerUnreachable

LONGEST_REPLY = 16_384
"""Octets of all lines of one reply."""
_LINE = re.compile(r"([2-5][0-9]{2})([ -]?)([\t -~\x80-\xff]*)")
_STATUS = re.compile(r"([245])\.[0-9]{1,3}\.[0-9]{1,3}(?= |$)")

Receive = Callable[[], Awaitable[bytes]]
"""Return what came in, at most a few thousand octets; nothing = the other end closed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """All lines of a reply."""

    code: int
    lines: tuple[str, ...]
    """Texts, without codes."""

    @property
    def status(self) -> str:
        """Return `250 2.0.0`; only the code where the server gave no such status."""
        found = _STATUS.match(self.lines[0])
        told = found is not None and found[1] == str(self.code)[0]
        return f"{self.code} {found[0]}" if found and told else str(self.code)


class Replies:
    """Takes replies out of what comes in, and notices what nobody asked for."""

    def __init__(self, receive: Receive) -> None:
        """Start with an empty buffer: nothing that came over another channel is in it."""
        self._receive = receive
        self._buffer = bytearray()

    @property
    def surplus(self) -> bool:
        """Whether more came than the reply that was read last."""
        return bool(self._buffer)

    async def next(self, seconds: float) -> Reply:
        """Return the next reply.

        Raises PeerUnreachable `smtp.timeout` when not all of it came in time, `smtp.lost`,
        `smtp.protocol` for what is no reply or too long.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._read()
        except TimeoutError as error:
            raise PeerUnreachable("smtp.timeout", "the server did not answer in time") from error
        except OSError as error:
            raise _lost() from error

    async def _read(self) -> Reply:
        lines: list[str] = []
        left, first = LONGEST_REPLY, 0
        while True:
            line = await self._line(left)
            left -= len(line)
            found = _LINE.fullmatch(line.decode("latin-1"))
            if found is None or (first and int(found[1]) != first):
                raise _no_reply()
            first = int(found[1])
            lines.append(found[3])
            if found[2] != "-":
                return Reply(first, tuple(lines))

    async def _line(self, left: int) -> bytes:
        """Return a line without its CRLF; a bare LF does not end one."""
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > left:
                raise _no_reply()
            piece = await self._receive()
            if not piece:
                raise _lost()
            self._buffer += piece
        if end > left:
            raise _no_reply()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line


def _lost() -> PeerUnreachable:
    return PeerUnreachable("smtp.lost", "the connection broke")


def _no_reply() -> PeerUnreachable:
    return PeerUnreachable("smtp.protocol", "what the server said is no reply of SMTP")
