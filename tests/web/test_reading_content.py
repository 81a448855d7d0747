"""Contents that are handed out take room as those that are handed in, and not for ever."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import pytest

from gateway.web.api.app import api_app
from gateway.web.intake import IntakeLimits
from gateway.web.listener import ListenerLimits
from tests.outbound.tls_files import serving
from tests.web.doubles import POLITIE, TOKENS, VT, Clock, Counted, Gateway, directory, item

SIZE = 24_000_000
"""More than the buffers of two sockets."""
LONG = timedelta(seconds=30)


@dataclass
class Api:
    url: str
    gateway: Gateway

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def status(self, name: str, delivery: str = "d-1") -> tuple[int, str]:
        async with (
            aiohttp.ClientSession(self.url, headers=_bearer(name)) as session,
            session.get(f"/api/v1/postvak/{delivery}/inhoud") as response,
        ):
            if response.status == 200:
                assert len(await response.read()) == SIZE
                return 200, ""
            return response.status, (await response.json(content_type=None))["code"]

    @asynccontextmanager
    async def reader(self, name: str = "bvh"):
        """A request of which the answer is read only as far as the block does."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1024)
        lines = (
            "GET /api/v1/postvak/d-1/inhoud HTTP/1.1",
            "Host: x",
            f"Authorization: {_bearer(name)['Authorization']}",
        )
        writer.write("\r\n".join([*lines, "", ""]).encode())
        assert b" 200 " in await reader.readline()
        try:
            yield reader
        finally:
            writer.transport.abort()


def _bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[name]}"}


@asynccontextmanager
async def served(**limits):
    gateway = Gateway(directory=directory())
    content = b"x" * SIZE
    gateway.payloads.octets = content
    gateway.postvak.items = [
        (POLITIE, item(content=content)),
        (VT, item("d-2", applicatie="VTregistratie", content=content)),
    ]
    given = IntakeLimits(**{"silence": LONG, "body": LONG} | limits)
    app = api_app(gateway, clock=Clock(), answered=Counted(), intake=given)
    bounds = ListenerLimits(grace=timedelta(seconds=1))
    async with serving(app, limits=bounds) as url:
        yield Api(url, gateway)


async def rest_of(reader: asyncio.StreamReader) -> int:
    got = 0
    with suppress(ConnectionResetError):
        while chunk := await reader.read(1_000_000):
            got += len(chunk)
    return got


async def test_what_one_system_reads_is_counted_and_does_not_hinder_another():
    async with served(owner_bytes=SIZE + 1_000, memory_bytes=2 * SIZE + 1_000) as api:
        async with api.reader():
            assert await api.status("bvh") == (429, "limit.memory")
            assert await api.status("vt", "d-2") == (200, "")
        for _ in range(100):  # until the server has noticed that the reader is gone
            if (now := await api.status("bvh")) == (200, ""):
                break
            await asyncio.sleep(0.05)
        assert now == (200, "")


async def test_what_all_read_is_counted():
    async with served(memory_bytes=2 * SIZE - 1) as api, api.reader():
        assert await api.status("vt", "d-2") == (503, "busy.memory")


async def test_nothing_is_fetched_for_which_there_is_no_room():
    async with served(owner_bytes=1_000) as api:
        api.gateway.payloads.error = AssertionError("it was fetched")
        assert await api.status("bvh") == (429, "limit.memory")


@pytest.mark.parametrize("bound", ["silence", "body"])
async def test_a_reader_that_stalls_is_cut_off_and_gives_its_room_back(bound):
    limits = {bound: timedelta(seconds=0.3)}
    async with served(owner_bytes=SIZE, **limits) as api, api.reader() as reader:
        await asyncio.sleep(1)
        if bound == "silence":
            assert await api.status("bvh") == (200, "")
        assert await rest_of(reader) < SIZE


async def test_a_slow_reader_gets_all_of_it():
    async with served(silence=timedelta(seconds=0.5)) as api, api.reader() as reader:
        got = 0
        for _ in range(10):
            await asyncio.sleep(0.1)
            got += len(await reader.readexactly(1_500_000))
        while got < SIZE and (chunk := await reader.read(1_000_000)):
            got += len(chunk)
    assert got >= SIZE  # and the headers
