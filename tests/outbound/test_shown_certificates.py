"""What a listener shows: a certificate, nothing yet, or there is none."""

import asyncio
import socket
import ssl
from contextlib import closing
from hashlib import sha256

import pytest

from gateway.config import TlsListener
from gateway.errors import GatewayError
from gateway.importing import live
from gateway.importing.live import BUSY, shown_by, wait_until_shown
from tests import pki
from tests.outbound.tls_files import pair

LEAF = pki.live_leaf(pki.POLITIE)
SHOWN = sha256(LEAF.certificate).hexdigest()


def listener(port: int) -> TlsListener:
    return TlsListener.model_validate(
        {"host": "127.0.0.1", "port": port, "certificate": "a", "key": "b"}
    )


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(live, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(live, "HANDSHAKE_SECONDS", 0.3)


def bound() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


def test_where_nobody_listens_nothing_is_shown():
    with closing(bound()) as taken:
        assert shown_by(listener(taken.getsockname()[1])) is None


def test_who_takes_connections_and_says_nothing_is_busy_and_not_absent(quick):
    with closing(bound()) as silent:
        silent.listen()
        here = listener(silent.getsockname()[1])
        assert shown_by(here) == BUSY
        with pytest.raises(GatewayError) as caught:
            wait_until_shown(here, SHOWN, shared=False)

    assert caught.value.code == "certs.busy"


@pytest.mark.parametrize("wanted", [True, False])
async def test_who_was_busy_is_asked_again(quick, tmp_path, wanted):
    mine = pair(tmp_path, LEAF, "mine")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(mine.certificate, mine.key)
    taken = 0

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        taken += 1
        if taken <= 2:
            writer.transport.abort()
            return
        with closing(writer):
            await writer.start_tls(tls)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        here = listener(server.sockets[0].getsockname()[1])
        digest = SHOWN if wanted else "0" * 64
        shown = await asyncio.to_thread(wait_until_shown, here, digest, shared=False)

    assert shown is wanted
    assert taken >= 3
