"""Calling real receivers on loopback: good ones, bad ones, and places nobody may be sent to."""

import asyncio
import socket
import time
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest
from aiohttp import web

from gateway.errors import GatewayError, Misconfigured
from gateway.outbound.webhook import ANSWER_BYTES, _only, _Pinned, look_up
from gateway.ports import Call
from gateway.security.destination import read_url
from tests import pki
from tests.outbound.hooks import (
    HOST,
    Names,
    Snapshots,
    client,
    directory,
    leaf,
    receiving,
    status,
    webhook,
)

METADATA = "169.254.169.254"


def call(url: str) -> Call:
    return Call(url=url, headers={"webhook-id": "msg_1"}, body=b'{"type":"webhook.proef"}')


async def code_of(caller, url: str) -> str:
    with pytest.raises(GatewayError) as failed:
        await caller.post(call(url))
    return failed.value.code


async def test_a_call_carries_body_and_headers_and_brings_the_status(tmp_path):
    async with receiving(tmp_path) as receiver:
        reply = await client(tmp_path, directory()).post(call(receiver.url()))

        request = receiver.seen[0]
        assert (reply.status, reply.retry_after) == (204, None)
        assert receiver.bodies == [b'{"type":"webhook.proef"}']
        assert (request.method, request.path) == ("POST", "/in")
        assert request.headers["Host"] == f"{HOST}:{receiver.port}"
        assert request.headers["webhook-id"] == "msg_1"


async def test_a_redirect_to_the_metadata_service_is_an_answer_and_is_not_followed(tmp_path):
    redirect = status(307, Location=f"http://{METADATA}/latest/meta-data/")
    names = Names()
    async with receiving(tmp_path, answers=[redirect]) as receiver:
        reply = await client(tmp_path, directory(), names).post(call(receiver.url()))

        assert reply.status == 307
        assert len(receiver.seen) == 1
        assert names.asked == [(HOST, receiver.port)]


@pytest.mark.parametrize(
    "address",
    [METADATA, "10.0.0.1", "0.0.0.0", "::1", "::ffff:169.254.169.254", "::ffff:10.0.0.1",
     "fe80::1", "fd00:ec2::254", "64:ff9b::7f00:1"],
)  # fmt: skip
async def test_a_name_that_points_inside_is_not_called(tmp_path, address):
    caller = client(tmp_path, directory(toegestaan=[f"{HOST}:443"]), Names([(address,)]))

    assert await code_of(caller, f"https://{HOST}/in") == "webhook.address"


async def test_one_bad_address_among_good_ones_is_enough_to_refuse(tmp_path):
    async with receiving(tmp_path) as receiver:
        caller = client(tmp_path, directory(), Names([("127.0.0.1", METADATA)]))

        assert await code_of(caller, receiver.url()) == "webhook.address"
        assert receiver.seen == []


async def test_a_name_server_that_changes_its_mind_is_judged_at_each_call(tmp_path):
    """DNS rebinding: each call looks up once, and connects to what it judged."""
    names = Names([("127.0.0.1",), (METADATA,), ("127.0.0.1",)])
    async with receiving(tmp_path) as receiver:
        caller = client(tmp_path, directory(), names)

        assert (await caller.post(call(receiver.url()))).status == 204
        assert await code_of(caller, receiver.url()) == "webhook.address"
        assert (await caller.post(call(receiver.url()))).status == 204
        assert len(names.asked) == 3


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"http://{HOST}/", "webhook.scheme"),
        ("https://127.1/", "webhook.host"),
        ("https://0x7f000001/", "webhook.host"),
        (f"https://{HOST}@{METADATA}/", "webhook.userinfo"),
        (f"https://{METADATA}/", "webhook.address"),
        ("https://[::ffff:a9fe:a9fe]/", "webhook.address"),
        ("https://10.9.9.9/", "webhook.not_allowed"),
        ("file:///etc/passwd", "webhook.scheme"),
    ],
)
async def test_a_url_that_may_not_be_called_is_not_even_looked_up(tmp_path, url, code):
    names = Names()

    assert await code_of(client(tmp_path, directory(), names), url) == code
    assert names.asked == [] or url.startswith("http://")


async def test_with_an_empty_list_nothing_is_called(tmp_path):
    async with receiving(tmp_path) as receiver:
        caller = client(tmp_path, directory(toegestaan=[]))

        assert await code_of(caller, receiver.url()) == "webhook.not_allowed"
        assert receiver.seen == []


async def test_proxies_of_the_environment_are_not_asked(tmp_path, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with receiving(tmp_path) as receiver:
        reply = await client(tmp_path, directory()).post(call(receiver.url()))

    assert reply.status == 204


async def test_a_certificate_of_another_host_or_another_ca_is_refused(tmp_path):
    stranger = pki.live().issue(oin=pki.POLITIE, name="TEST", hosts=[HOST], unknown_issuer=True)
    for own in (leaf("elders.example"), stranger):
        async with receiving(tmp_path, own=own) as receiver:
            caller = client(tmp_path, directory())

            assert await code_of(caller, receiver.url()) == "webhook.certificate"
            assert receiver.seen == []


async def test_without_a_file_of_its_own_the_cas_of_the_system_count(tmp_path):
    async with receiving(tmp_path) as receiver:
        caller = client(tmp_path, directory(ca=None))

        assert await code_of(caller, receiver.url()) == "webhook.certificate"


async def test_a_client_certificate_is_shown_where_one_is_set(tmp_path):
    leaf().write(tmp_path, "client")
    settings = {"certificate": "client.pem", "key": "client.key"}
    caller = client(tmp_path, directory(**settings))
    async with receiving(tmp_path) as receiver:
        assert (await caller.post(call(receiver.url()))).status == 204

    (tmp_path / "client.key").chmod(0o644)
    with pytest.raises(Misconfigured) as refused:
        caller.renew()

    assert refused.value.code == "keys.permissions"


async def test_plain_http_is_for_loopback_and_only_when_it_is_called_unsafe(tmp_path):
    async with receiving(tmp_path, tls=False) as receiver:
        url = receiver.url("localhost", "http")
        unsafe = client(tmp_path, directory(unsafe_http_loopback=True))

        assert await code_of(client(tmp_path, directory()), url) == "webhook.scheme"
        assert (await unsafe.post(call(url))).status == 204
        inside = client(
            tmp_path,
            directory(unsafe_http_loopback=True, toegestaan=["10.0.0.0/8"]),
            Names([("10.0.0.1",)]),
        )
        assert await code_of(inside, f"http://{HOST}/") == "webhook.scheme"


OPEN = {
    "announced and not sent": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    "a stream": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    "without a length": b"HTTP/1.1 200 OK\r\n\r\nok",
}


@pytest.mark.parametrize("octets", OPEN.values(), ids=list(OPEN))
async def test_who_keeps_his_answer_open_has_answered(tmp_path, octets):
    ended = asyncio.Event()

    async def answer(reader, writer):
        await reader.read(10)
        writer.write(octets)
        await writer.drain()
        await ended.wait()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    unsafe = client(tmp_path, directory(unsafe_http_loopback=True))

    reply = await unsafe.post(call(f"http://localhost:{port}/"))

    ended.set()
    server.close()
    assert reply.status == 200


async def test_a_slow_receiver_is_left_after_its_time(tmp_path):
    hanging = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await hanging.wait()
        return web.Response()

    async with receiving(tmp_path, answers=[slow]) as receiver:
        caller = client(tmp_path, directory(total_seconds=0.3))
        began = time.monotonic()

        assert await code_of(caller, receiver.url()) == "webhook.timeout"
        assert time.monotonic() - began < 5
        hanging.set()


async def test_a_name_server_that_hangs_or_fails_is_left_too(tmp_path):
    async def hangs(host, port):
        await asyncio.sleep(60)

    async def fails(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "no such host")

    for resolve in (hangs, fails, Names([()]), Names([tuple(f"127.0.1.{n}" for n in range(17))])):
        caller = client(tmp_path, directory(connect_seconds=0.2), resolve)

        assert await code_of(caller, f"https://{HOST}/") == "webhook.dns"


async def test_an_endless_answer_is_read_no_further_than_four_kilobytes(tmp_path):
    written = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        while written < 500_000_000:
            await response.write(b"x" * 65_536)
            written += 65_536
        return response

    async with receiving(tmp_path, answers=[endless]) as receiver:
        reply = await client(tmp_path, directory()).post(call(receiver.url()))

    assert reply.status == 200
    assert ANSWER_BYTES < written < 100_000_000


async def test_a_compressed_answer_is_not_unpacked(tmp_path):
    packed = status(200, **{"Content-Encoding": "gzip"})
    async with receiving(tmp_path, answers=[packed]) as receiver:
        assert (await client(tmp_path, directory()).post(call(receiver.url()))).status == 200


async def test_retry_after_is_read_in_both_forms(tmp_path):
    answers = [
        status(503, **{"Retry-After": "120"}),
        status(429, **{"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}),
        status(503, **{"Retry-After": "soon"}),
    ]
    async with receiving(tmp_path, answers=answers) as receiver:
        caller = client(tmp_path, directory())
        found = [await caller.post(call(receiver.url())) for _ in range(3)]

    waits = [reply.retry_after and reply.retry_after.total_seconds() for reply in found]
    assert (waits[0], waits[2]) == (120, None)
    assert not waits[1]


async def test_a_closed_port_a_reset_and_rubbish_each_have_a_code(tmp_path):
    caller = client(tmp_path, directory(unsafe_http_loopback=True))
    async with raw(b"") as port:
        assert await code_of(caller, f"http://{HOST}:{port}/") == "webhook.lost"
    assert await code_of(caller, f"https://{HOST}:{port}/") == "webhook.unreachable"
    async with raw(b"SMTP ready\r\n\r\n") as port:
        assert await code_of(caller, f"http://{HOST}:{port}/") == "webhook.lost"
    async with raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n") as port:
        assert await code_of(caller, f"http://{HOST}:{port}/") == "webhook.lost"
    async with raw(b"no TLS at all, but long enough to be read as a record") as port:
        assert await code_of(caller, f"https://{HOST}:{port}/") == "webhook.tls"


@asynccontextmanager
async def raw(octets: bytes):
    """Says this to whoever connects, and hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(octets)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_settings_of_a_reload_count_from_the_next_call_on(tmp_path):
    async with receiving(tmp_path) as receiver:
        snapshots = Snapshots(directory())
        caller = client(tmp_path, snapshots)
        assert (await caller.post(call(receiver.url()))).status == 204
        snapshots.directory = directory(toegestaan=[])

        assert await code_of(caller, receiver.url()) == "webhook.not_allowed"


async def test_a_ca_file_that_is_not_there_stops_the_start_where_there_are_webhooks(tmp_path):
    caller = client(tmp_path, directory(webhook(), ca="weg.pem"))

    with pytest.raises(Misconfigured) as refused:
        caller.renew()

    assert refused.value.code == "tls.anchors"


async def test_the_system_looks_names_up():
    assert set(await look_up("localhost", 443)) <= {"127.0.0.1", "::1"}
    assert read_url("https://localhost/").literal is None


async def test_no_socket_is_made_to_an_address_that_was_not_judged():
    """Whatever the HTTP library does with a name: the last look is at the address itself."""
    judged, other = (ip_address(text) for text in ("127.0.0.1", "127.0.0.2"))
    make = _only(frozenset({judged}))
    info = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, ""

    make((*info, (str(judged), 443))).close()
    with pytest.raises(OSError, match="not judged"):
        make((*info, (str(other), 443)))
    pinned = _Pinned(read_url(f"https://{HOST}/"), (judged,))
    assert [found["host"] for found in await pinned.resolve(HOST, 443)] == [str(judged)]
    for host, port in (("elders.example", 443), (HOST, 22)):
        with pytest.raises(OSError, match="another host"):
            await pinned.resolve(host, port)
