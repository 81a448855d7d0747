"""SMTP to one mail server, strictly: prove first, then speak, one command at a time.

Before TLS only EHLO and STARTTLS are said. The octets before and after the handshake are read
by two readers that share no buffer, so that nothing that came in plain text is ever taken for
the server's word. Nothing is pipelined, and a server that speaks out of turn is left.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from gateway.errors import (
    OutcomeUnknown,
    PeerUnreachable,
    PolicyViolation,
    TransportUnproved,
)
from gateway.outbound.smtp_replies import Replies, Reply
from gateway.outbound.tls import shown_chain, unjudged_context
from gateway.ports.mail import Letter
from gateway.security.dane import Match

PIECE = 65_536
"""Octets that are read or written at once: in one large piece asyncio would take in all of it."""
QUIT_SECONDS = 2.0
"""Politeness waits no longer."""

Judge = Callable[[tuple[bytes, ...]], Match]
"""Says by what the certificates (DER) that a server showed count; raises CertificateRejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long things may take, in seconds."""

    connect: float
    """TCP and TLS, each."""
    reply: float
    """One reply, whole."""
    data: float
    """To send the letter, and again to hear that it was taken."""


class Session:
    """A conversation with a server that was proved to be the right one."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        patience: Patience,
        judge: Judge,
    ) -> None:
        """Judge the server before anything is said; `open_session` makes one."""
        chain = shown_chain(writer.get_extra_info("ssl_object"))
        self.match = judge(chain)
        self.certificate = chain[0]
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._replies = Replies(lambda: reader.read(PIECE))
        self._offers: Mapping[str, str] = {}

    async def __aenter__(self) -> Self:
        """Stay connected for the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Say goodbye when all went well; otherwise cut the line, so that no more is taken."""
        if error is None:
            with suppress(PeerUnreachable):
                await self._say("QUIT", QUIT_SECONDS)
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()

    @property
    def notifies(self) -> bool:
        """Whether the server sends delivery notifications on request (RFC 3461)."""
        return "DSN" in self._offers

    @property
    def tls(self) -> str:
        """Return version and cipher."""
        found: ssl.SSLObject = self._writer.get_extra_info("ssl_object")
        cipher = found.cipher()
        return f"{found.version()} {cipher[0] if cipher else ''}"

    async def hello(self, name: str) -> None:
        """Introduce us; what a server offered before TLS counts for nothing."""
        self._offers = _offers(_wanted(await self._say(f"EHLO {name}"), "EHLO", 250))

    async def envelope(self, letter: Letter) -> None:
        """Say from whom to whom; where one recipient is refused, nobody gets the letter.

        Raises PolicyViolation `smtp.size`, `smtp.8bitmime`, `smtp.rejected` (5xx);
        PeerUnreachable `smtp.deferred` (4xx), `smtp.*`.
        """
        command = f"MAIL FROM:<{letter.sender}>{self._parameters(letter)}"
        _accepted(await self._say(command), "MAIL")
        for place, recipient in enumerate(letter.recipients, start=1):
            reply = await self._say(f"RCPT TO:<{recipient}>{self._wishes(letter, recipient)}")
            _accepted(reply, f"RCPT {place}")

    def _parameters(self, letter: Letter) -> str:
        limit = self._offers.get("SIZE", "")
        if limit.isdecimal() and 0 < int(limit[:18]) < len(letter.octets):
            raise PolicyViolation("smtp.size", f"the server takes {limit[:18]} octets at most")
        plain = letter.octets.isascii()
        if not plain and "8BITMIME" not in self._offers:
            raise PolicyViolation("smtp.8bitmime", "the server takes 7 bits only")
        given = [
            f"SIZE={len(letter.octets)}" if "SIZE" in self._offers else "",
            "" if plain else "BODY=8BITMIME",
            f"RET=HDRS ENVID={letter.reference}" if self.notifies else "",
        ]
        return "".join(f" {parameter}" for parameter in given if parameter)

    def _wishes(self, letter: Letter, recipient: str) -> str:
        if not self.notifies:
            return ""
        if not letter.sender:
            return " NOTIFY=NEVER"
        original = recipient.replace("+", "+2B").replace("=", "+3D")
        success = "SUCCESS," if letter.tells_success else ""
        return f" NOTIFY={success}FAILURE,DELAY ORCPT=rfc822;{original}"

    async def data(self, octets: bytes) -> str:
        """Send the letter and return the server's status for it.

        Raises PolicyViolation `smtp.rejected`, PeerUnreachable `smtp.deferred`, and for all that
        goes wrong before the last octet; OutcomeUnknown `smtp.unanswered` after it.
        """
        _wanted(await self._say("DATA"), "DATA", 354)
        await self._send(stuffed(octets), self._patience.data)
        reply = await self._end()
        _accepted(reply, "letter")
        return reply.status

    async def _end(self) -> Reply:
        """Say that this was all of it; from here on only the server knows what became of it."""
        try:
            await self._send(b".\r\n", self._patience.data)
            reply = await self._replies.next(self._patience.data)
        except PeerUnreachable as error:
            self._writer.transport.abort()
            raise OutcomeUnknown("smtp.unanswered", f"after the letter: {error.code}") from error
        if reply.code // 100 == 3:  # noqa: PLR2004 - "go on": no answer to a letter
            raise OutcomeUnknown("smtp.unanswered", f"after the letter: {reply.code}")
        return reply

    async def _say(self, command: str, seconds: float | None = None) -> Reply:
        await self._send(f"{command}\r\n".encode("ascii"), self._patience.reply)
        return await self._replies.next(seconds or self._patience.reply)

    async def _send(self, octets: bytes, seconds: float) -> None:
        if self._replies.surplus:
            raise PeerUnreachable("smtp.protocol", "the server speaks out of turn")
        try:
            async with asyncio.timeout(seconds):
                for start in range(0, len(octets), PIECE):
                    self._writer.write(octets[start : start + PIECE])
                    await self._writer.drain()
                    await asyncio.sleep(0)  # drain() alone never sees that the other end closed
                    if self._reader.at_eof():
                        raise ConnectionResetError
        except TimeoutError as error:
            raise PeerUnreachable("smtp.timeout", "the server does not read") from error
        except OSError as error:
            raise PeerUnreachable("smtp.lost", "the connection broke") from error


def stuffed(octets: bytes) -> bytes:
    """Double the dot that a line begins with (RFC 5321, 4.5.2)."""
    return (b"\r\n" + octets).replace(b"\r\n.", b"\r\n..")[2:]


def _offers(reply: Reply) -> Mapping[str, str]:
    """Return keyword → parameters, of the lines after the greeting."""
    found = (line.upper().partition(" ") for line in reply.lines[1:])
    return {keyword: parameters for keyword, _, parameters in found}


def _accepted(reply: Reply, step: str) -> None:
    """Return for 2xx; raise for the rest what it means once the server is proved."""
    match reply.code // 100:
        case 2:
            return
        case 5:
            raise PolicyViolation("smtp.rejected", f"{step}: {reply.status}")
        case _:
            raise PeerUnreachable("smtp.deferred", f"{step}: {reply.status}")


def _wanted(reply: Reply, step: str, code: int) -> Reply:
    """Return the reply with just that code; another success is no success here."""
    if reply.code != code:
        if reply.code // 100 != 2:  # noqa: PLR2004 - 2xx
            _accepted(reply, step)
        raise PeerUnreachable("smtp.deferred", f"{step}: {reply.status}")
    return reply


# --- before TLS -----------------------------------------------------------------------


async def open_session(
    address: str, *, port: int, host: str, name: str, judge: Judge, patience: Patience
) -> Session:
    """Connect, demand TLS, judge the certificate, introduce us; return the proved session.

    `host` is asked for in the handshake, `name` is ours. Raises what `judge` raises,
    TransportUnproved `smtp.starttls`, `smtp.tls`, PeerUnreachable `smtp.unreachable` and others.
    """
    line = await _connect(address, port, patience.connect)
    try:
        await _start_tls(line, name, patience.reply)
    except BaseException:
        line.close()
        raise
    reader, writer = await _handshake(line, host, patience.connect)
    try:
        session = Session(reader, writer, patience, judge)
        await session.hello(name)
    except BaseException:
        writer.transport.abort()
        raise
    return session


async def _connect(address: str, port: int, seconds: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    line = socket.socket(family, socket.SOCK_STREAM)
    line.setblocking(False)  # noqa: FBT003 - it takes no keyword
    try:
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(line, (address, port))
    except OSError as error:  # a timeout is one, too
        line.close()
        raise PeerUnreachable("smtp.unreachable", "no connection") from error
    except BaseException:
        line.close()
        raise
    return line


async def _start_tls(line: socket.socket, name: str, seconds: float) -> None:
    """Come to the point where only a handshake may follow.

    What is said here anybody on the way can have said: a refusal is never for good.
    """
    loop = asyncio.get_running_loop()
    replies = Replies(lambda: loop.sock_recv(line, PIECE))

    async def say(command: str) -> Reply:
        await loop.sock_sendall(line, f"{command}\r\n".encode("ascii"))
        return await replies.next(seconds)

    try:
        _first(await replies.next(seconds), "greeting", 220)
        offered = _offers(_first(await say(f"EHLO {name}"), "EHLO", 250))
        if "STARTTLS" not in offered:
            raise TransportUnproved("smtp.starttls", "the server does not offer STARTTLS")
        reply = await say("STARTTLS")
    except OSError as error:
        raise PeerUnreachable("smtp.lost", "the connection broke") from error
    if reply.code != 220:  # noqa: PLR2004 - ready
        raise TransportUnproved("smtp.starttls", f"STARTTLS: {reply.code}")
    if replies.surplus:
        raise TransportUnproved("smtp.starttls", "more came in plain text after STARTTLS")


def _first(reply: Reply, step: str, code: int) -> Reply:
    if reply.code != code:
        raise PeerUnreachable("smtp.deferred", f"{step}: {reply.code}, before TLS")
    return reply


async def _handshake(
    line: socket.socket, host: str, seconds: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_connection(
            sock=line,
            ssl=unjudged_context(),
            server_hostname=host,
            ssl_handshake_timeout=seconds,
        )
    except ssl.SSLError as error:
        reason = error.reason or "no TLS"
        raise TransportUnproved("smtp.tls", f"handshake: {reason}") from error
    except OSError as error:
        raise TransportUnproved("smtp.tls", "the connection broke in the handshake") from error
