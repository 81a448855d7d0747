"""Bodies within bounds, in and out: octets per body, octets in all, requests, time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
from aiohttp import web

from gateway.errors import Limited, Malformed, Refused, TooLarge, Unavailable
from gateway.web.middleware import PEER

_AGAIN_SECONDS = 1
"""After a body of which its sender has too many others under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """Bounds of one listener."""

    requests: int = 512
    """With a body, at once."""
    memory_bytes: int = 400_000_000
    """Octets of all bodies that are held at once."""
    owner_requests: int | None = None
    """With a body, at once, of one system or partner; None = its share is not limited."""
    owner_bytes: int | None = None
    """Octets of all bodies of one system or partner; None = its share is not limited."""
    silence: timedelta = timedelta(seconds=30)
    """Longest wait for the next octets of a body, or for a reader to take its next ones."""
    body: timedelta = timedelta(minutes=5)
    """Longest time for one whole body, in or out."""


@dataclass(slots=True)
class _Held:
    owner: str
    octets: int = 0


@dataclass(slots=True)
class Intake:
    """What one listener has in hand."""

    limits: IntakeLimits
    _requests: int = 0
    _octets: int = 0
    _of: Counter[str] = field(default_factory=Counter)
    """Octets per system or partner."""
    _requests_of: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def body(self, request: web.Request, *, most: int, code: str) -> AsyncIterator[bytes]:
        """Give the body; its octets count until the block ends.

        Raises TooLarge `code` as soon as more than `most` octets are announced or have come,
        Unavailable `busy.requests` or `busy.memory`, Limited `limit.concurrent` or
        `limit.memory`, Malformed `request.timeout`, `request.incomplete` or
        `request.content_encoding`.
        """
        self.refuse_early(request, most=most, code=code)
        with self._place(request.get(PEER, "")), self._holding(request) as held:
            yield await self._read(request, held, most=most, code=code)

    @contextmanager
    def _place(self, owner: str) -> Iterator[None]:
        most = self.limits.owner_requests
        if most is not None and self._requests_of[owner] >= most:
            raise _too_much("limit.concurrent")
        self._requests += 1
        self._requests_of[owner] += 1
        try:
            yield
        finally:
            self._requests -= 1
            self._requests_of[owner] -= 1
            if not self._requests_of[owner]:
                del self._requests_of[owner]

    @contextmanager
    def room(self, request: web.Request, octets: int) -> Iterator[None]:
        """Count as many octets for an answer, from before they are fetched until the block ends.

        Raises Unavailable `busy.memory`, Limited `limit.memory`.
        """
        with self._holding(request) as held:
            self._reserve(held, octets)
            yield

    @contextmanager
    def _holding(self, request: web.Request) -> Iterator[_Held]:
        held = _Held(request.get(PEER, ""))
        try:
            yield held
        finally:
            self._octets -= held.octets
            self._of[held.owner] -= held.octets
            if not self._of[held.owner]:
                del self._of[held.owner]

    def refuse_early(self, request: web.Request, *, most: int, code: str) -> None:
        """Raise what the request line and headers already tell."""
        if _is_coded(request):
            raise Malformed("request.content_encoding", "Content-Encoding wordt niet ondersteund.")
        if request.content_length is not None and request.content_length > most:
            raise _too_large(code)
        if self._requests >= self.limits.requests:
            raise Unavailable("busy.requests", "too many requests at once")

    def expecting(self, most: Callable[[], int]) -> Callable[[web.Request], Awaitable[None]]:
        """Return the answer to `Expect: 100-continue`: go on only when it may be taken in.

        Without the interim answer the handler refuses before the client sends the body.
        """

        async def expect(request: web.Request) -> None:
            with suppress(Refused, Unavailable):
                self.refuse_early(request, most=most(), code="")
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                # What was written is not yet the response.
                request.writer.output_size = 0

        return expect

    async def _read(self, request: web.Request, held: _Held, *, most: int, code: str) -> bytes:
        chunks: list[bytes] = []
        content = request.content
        try:
            while content.is_eof() and (chunk := content.read_nowait()):
                # It came whole before it was asked for: there is nothing to wait for.
                self._take(held, len(chunk), most=most, code=code)
                chunks.append(chunk)
            if chunks:
                return b"".join(chunks)
            async with asyncio.timeout(self.limits.body.total_seconds()):
                while chunk := await self._next(request):
                    self._take(held, len(chunk), most=most, code=code)
                    chunks.append(chunk)
        except TimeoutError as error:
            raise Malformed("request.timeout", "De inhoud kwam niet op tijd.") from error
        except (aiohttp.ClientError, web.RequestPayloadError, ConnectionError) as error:
            raise Malformed("request.incomplete", "De inhoud is niet compleet.") from error
        return b"".join(chunks)

    async def _next(self, request: web.Request) -> bytes:
        async with asyncio.timeout(self.limits.silence.total_seconds()):
            return await request.content.readany()

    def _take(self, held: _Held, octets: int, *, most: int, code: str) -> None:
        if held.octets + octets > most:
            raise _too_large(code)
        self._reserve(held, octets)

    def _reserve(self, held: _Held, octets: int) -> None:
        if self._octets + octets > self.limits.memory_bytes:
            raise Unavailable("busy.memory", "too many octets at once")
        most_of_owner = self.limits.owner_bytes
        if most_of_owner is not None and self._of[held.owner] + octets > most_of_owner:
            raise _too_much("limit.memory")
        held.octets += octets
        self._octets += octets
        self._of[held.owner] += octets


def _is_coded(request: web.Request) -> bool:
    """Tell whether the octets that come are another form of those that are meant."""
    return any(
        coding.lower() != plain
        for name, plain in (("Content-Encoding", "identity"), ("Transfer-Encoding", "chunked"))
        for coding in request.headers.getall(name, [])
    )


def _too_much(code: str) -> Limited:
    text = "Dit systeem stuurt of leest te veel tegelijk."
    return Limited(code, text, seconds=_AGAIN_SECONDS)


def _too_large(code: str) -> TooLarge:
    return TooLarge(code, "De inhoud is te groot.")
