"""LMTP behind the organisation's mail server: a Unix socket, or TCP of this machine alone."""

import asyncio
import grp
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from gateway.directory import OwnMailbox
from gateway.errors import Misconfigured
from gateway.ports import Clock
from gateway.ports.incoming import Arrived
from gateway.web import unix_socket
from gateway.web.inbound.lmtp_lines import Lines
from gateway.web.inbound.lmtp_session import Conversation, Patience, Take
from gateway.web.turns import Turns

WHO_MAY = 0o660
"""Our user and the group of the socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LmtpLimits:
    """Bounds of the listener."""

    connections: int = 4
    """At once; more are told to come back."""
    patience: Patience = field(default_factory=Patience)
    grace: timedelta = timedelta(seconds=10)
    """How long a stop waits for the mails under way."""


@dataclass(slots=True, kw_only=True)
class LmtpListener:
    """An open socket, and the conversations on it."""

    take: Take
    mailbox: Callable[[], OwnMailbox | None]
    clock: Clock
    limits: LmtpLimits
    turns: Turns = field(default_factory=Turns)
    """Those that it shares with other listeners."""
    path: Path | None = None
    """Of a Unix socket."""
    port: int = 0
    _server: asyncio.Server | None = None
    _talks: dict[asyncio.Task[None], Conversation] = field(default_factory=dict)

    async def start(self, listener: socket.socket) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(self._connected, sock=listener)

    async def close(self) -> None:
        """Take no new connection, let mails under way be answered within the grace, then close."""
        if self._server is not None:
            self._server.close()
        busy = [task for task, talk in self._talks.items() if talk.busy]
        self._cut(set(self._talks) - {*busy})
        if busy:
            await asyncio.wait(busy, timeout=self.limits.grace.total_seconds())
        self._cut(set(self._talks))
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _cut(self, talks: set[asyncio.Task[None]]) -> None:
        for task in talks:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode("ascii"))
            await writer.drain()

        task = asyncio.current_task()
        try:
            if task is None or len(self._talks) >= self.limits.connections:
                await say("421 4.3.2 too many connections")
                return
            self._talks[task] = talk = Conversation(
                lines=Lines(reader),
                say=say,
                take=self._in_turn,
                mailbox=self.mailbox,
                now=self.clock.now,
                patience=self.limits.patience,
            )
            await talk.run()
        except OSError:
            return  # it went away while it was told something
        finally:
            if task is not None:
                self._talks.pop(task, None)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _in_turn(self, mail: Arrived) -> None:
        async with self.turns.turn(len(mail.octets)):
            await self.take(mail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to listen: on a Unix socket, or on TCP where `path` is None."""

    path: Path | None = None
    group: str = ""
    """That may connect to the socket; empty = only our own user."""
    host: str = "127.0.0.1"
    port: int = 0
    """0 picks a free one."""


async def listen_lmtp(listener: LmtpListener, place: Place, *, shared: bool = False) -> None:
    """Open it; on TCP it may be `shared` with other processes of the same user.

    Raises Misconfigured `lmtp.socket` when that can not be opened, when another process listens
    there, and for a group that the process can not give it to.
    """
    where = str(place.path) if place.path is not None else f"{place.host}:{place.port}"
    try:
        if place.path is None:
            opened = _tcp(place.host, place.port, shared=shared)
            listener.port = opened.getsockname()[1]
        else:
            opened = _unix(place.path, place.group)
            listener.path = place.path
    except (OSError, KeyError) as error:
        raise Misconfigured(
            "lmtp.socket", "De LMTP-socket kan niet worden geopend.", where=where
        ) from error
    await listener.start(opened)


def _unix(path: Path, group: str) -> socket.socket:
    if unix_socket.is_served(path):
        raise Misconfigured("lmtp.socket", "Een ander proces luistert daar al.", where=str(path))
    gid = grp.getgrnam(group).gr_gid if group else None
    return unix_socket.bind(path, mode=WHO_MAY if group else 0o600, group=gid)


def _tcp(host: str, port: int, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
