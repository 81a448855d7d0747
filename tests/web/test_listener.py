"""What a listener keeps of connections that ended."""

import asyncio
import gc
import socket
import ssl
from asyncio.sslproto import SSLProtocol

import pytest
from aiohttp import web

from gateway.web.listener import ListenerLimits, listen
from tests import pki
from tests.outbound.tls_files import pair

ROUND, ROUNDS = 10, 12


@pytest.fixture
def lazy():
    """Let the collector come by itself as good as never, as in a process that serves."""
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(10_000_000)
    yield
    gc.set_threshold(*before)


async def end_in_handshake(port: int) -> None:
    """Begin some handshakes, and end them when the listener has taken them in."""
    begun = [socket.create_connection(("127.0.0.1", port)) for _ in range(ROUND)]
    for one in begun:
        one.sendall(b"\x16\x03\x01")
    await asyncio.sleep(0.05)
    for one in begun:
        one.close()
    await asyncio.sleep(0.02)


def kept() -> int:
    return sum(isinstance(one, SSLProtocol) for one in gc.get_objects())


async def test_handshakes_that_were_ended_do_not_stay(lazy, tmp_path):
    mine = pair(tmp_path, pki.live_leaf(pki.POLITIE), "mine")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(mine.certificate, mine.key)
    opened = await listen(
        web.Application(), host="127.0.0.1", port=0, tls=tls, limits=ListenerLimits(sweep=2 * ROUND)
    )
    before = most = kept()
    for _ in range(ROUNDS):
        await end_in_handshake(opened.port)
        most = max(most, kept())
    await opened.close()

    assert most - before <= 4 * ROUND
