"""What comes in over LMTP, taken apart: command lines, and mails up to their last dot."""

import asyncio

PIECE = 65_536
LONGEST_LINE = 2_048
"""Octets of a command: twice what SMTP needs (RFC 5321, 4.5.3.1.4), for its extensions."""
_END = b"\r\n.\r\n"


class Lost(Exception):
    """The other end closed, or says what is no LMTP."""


class Lines:
    """Reads one connection, within bounds; what is pipelined waits in its buffer."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        """Start with nothing."""
        self._reader = reader
        self._buffer = bytearray()

    async def line(self) -> str:
        """Return the next command, without CRLF; a bare LF does not end one. Raises Lost."""
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > LONGEST_LINE:
                raise Lost
            await self._more()
        if end > LONGEST_LINE:
            raise Lost
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line.decode("utf-8", "replace")

    async def mail(self, most: int) -> bytes | None:
        """Return all up to the line with a dot alone, doubled dots made one; None = too large.

        What is too large is read to its end and thrown away, so that it can be answered. Raises
        Lost.
        """
        body, seen, large = bytearray(b"\r\n"), 0, False
        while True:
            body += self._buffer
            self._buffer.clear()
            end = body.find(_END, seen)
            if end >= 0:
                break
            # The end of what came may be the beginning of the end.
            seen = max(0, len(body) - len(_END) + 1)
            if len(body) > most + len(_END):
                large = True
                del body[:seen]
                seen = 0
            await self._more()
        self._buffer += body[end + len(_END) :]
        if large or end > most:
            return None
        return bytes(body[: end + 2]).replace(b"\r\n.", b"\r\n")[2:]

    async def _more(self) -> None:
        piece = await self._reader.read(PIECE)
        if not piece:
            raise Lost
        self._buffer += piece
