"""The partner of the simulator is up again after an outage, also when its port was taken."""

import asyncio
import socket
from datetime import timedelta

import aiohttp
import pytest

from gateway.cli.simulator import station as stations
from gateway.cli.simulator.script import Storing
from gateway.cli.simulator.station import Down, Reply, Station
from gateway.outbound.tls import KeyPair, server_context
from tests import pki
from tests.outbound.tls_files import pair


@pytest.fixture
async def station(tmp_path, monkeypatch):
    monkeypatch.setattr(stations, "AGAIN_SECONDS", 0.05)
    files = pair(tmp_path, pki.live_leaf(pki.POLITIE), "own")
    back, told = asyncio.Event(), asyncio.Queue()
    answers = [Down(how=Storing.DICHT, seconds=0.3), Reply(status=204)]

    async def take(_body, _content_type, _peer):
        return answers.pop(0)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Station(
        host="127.0.0.1",
        port=port,
        path="/ebms",
        tls=server_context(KeyPair(certificate=files.certificate, key=files.key), clients=None),
        take=take,
        back=back.set,
        trouble=told.put_nowait,
    )
    await made.open()
    yield made, back, told
    await made.close()


async def post(station) -> int:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
        session.post(f"https://127.0.0.1:{station.port}/ebms", data=b"x", ssl=False) as response,
    ):
        return response.status


async def test_a_port_that_was_taken_meanwhile_is_tried_again_and_told(station):
    made, back, told = station
    with pytest.raises(aiohttp.ClientError):
        await post(made)

    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for _ in range(100):
            try:
                thief.bind(("127.0.0.1", made.port))
                break
            except OSError:
                await asyncio.sleep(0.01)
        thief.listen()
        async with asyncio.timeout(5):
            assert "listen.port" in await told.get()
        assert not back.is_set()

    async with asyncio.timeout(5):
        await back.wait()
    assert await post(made) == 204


async def test_a_station_closes_in_the_middle_of_an_outage(station):
    made, back, _ = station
    with pytest.raises(aiohttp.ClientError):
        await post(made)

    async with asyncio.timeout(5):
        await made.close()
    await asyncio.sleep(timedelta(seconds=0.5).total_seconds())

    assert not back.is_set()
