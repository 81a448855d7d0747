"""The ebMS2 endpoint over real mutual TLS on loopback."""

import asyncio
import socket
import ssl
import tracemalloc
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import timedelta

import aiohttp
import pytest

from gateway.errors import Misconfigured
from gateway.message import WireMessage
from gateway.outbound.tls import (
    ReloadableContext,
    client_context,
    server_context,
)
from gateway.ports import Answer
from gateway.web.inbound.ebms import ebms_app
from gateway.web.intake import IntakeLimits
from gateway.web.listener import ListenerLimits, listen
from gateway.web.turns import Turns
from tests import pki
from tests.outbound.tls_files import mutual, pair, serving
from tests.web.doubles import Clock, Counted, Receiver

SOAP = {"SOAPAction": '"ebXML"', "Content-Type": "text/xml"}
MOST = 100_000
QUICK = IntakeLimits(silence=timedelta(seconds=0.3))


async def taken(_inbound) -> Answer:
    return Answer(status=204)


@dataclass
class Served:
    url: str
    client: ssl.SSLContext
    session: aiohttp.ClientSession
    receiver: Receiver
    counted: Counted
    tls: ReloadableContext

    def post(self, body=b"<soap/>", **headers):
        return self.session.post(f"{self.url}/ebms", data=body, headers={**SOAP, **headers})

    async def stream(self):
        port = int(self.url.rpartition(":")[2])
        return await asyncio.open_connection(
            "127.0.0.1", port, ssl=self.client, server_hostname="127.0.0.1"
        )


@asynccontextmanager
async def endpoint(
    folder, answer=taken, *, limits: IntakeLimits | None = None, turns: Turns | None = None
):
    tls, client = mutual(folder)
    receiver, counted = Receiver(answer), Counted()
    app = ebms_app(
        receiver,
        clock=Clock(),
        answered=counted,
        most=lambda: MOST,
        limits=limits or IntakeLimits(),
        turns=turns,
    )
    bounds = ListenerLimits(lingering=timedelta(seconds=0.3), grace=timedelta(seconds=2))
    async with (
        serving(app, tls=tls, limits=bounds) as url,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=client)) as session,
    ):
        yield Served(url, client, session, receiver, counted, tls)


def head(**headers: str) -> bytes:
    lines = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
    return (
        f'POST /ebms HTTP/1.1\r\nHost: x\r\nSOAPAction: "ebXML"\r\n'
        f"Content-Type: text/xml\r\n{lines}\r\n"
    ).encode()


async def answer_to(served: Served, octets: bytes) -> bytes:
    """Send these octets, no more, and read until the server hangs up."""
    reader, writer = await served.stream()
    writer.write(octets)
    await writer.drain()
    async with asyncio.timeout(5):
        found = await reader.read()
    writer.close()
    return found


# --- what goes through ----------------------------------------------------------------


async def test_the_pipeline_gets_octets_headers_and_the_peers_certificate(tmp_path):
    async with endpoint(tmp_path) as served, served.post(b"\x00\xff\r\n") as response:
        assert response.status == 204
        assert await response.read() == b""

    inbound = served.receiver.inbounds[0]
    assert inbound.body == b"\x00\xff\r\n"
    assert inbound.content_type == "text/xml"
    assert inbound.peer.certificate == pki.live_leaf(pki.POLITIE).certificate
    assert inbound.peer.address == "127.0.0.1"
    assert inbound.at.tzinfo is not None
    assert served.counted.answers == [("ebms", 204)]


async def test_a_chunked_body_arrives_whole(tmp_path):
    async def chunks():
        for _ in range(10):
            yield b"0123456789"

    async with endpoint(tmp_path) as served, served.post(chunks()) as response:
        assert response.status == 204
    assert served.receiver.inbounds[0].body == b"0123456789" * 10


async def test_an_answer_of_the_pipeline_is_sent_as_it_is(tmp_path):
    async def fault(_inbound) -> Answer:
        body = WireMessage(body=b"<fault/>", content_type="text/xml; charset=UTF-8")
        return Answer(status=500, message=body)

    async with endpoint(tmp_path, fault) as served, served.post() as response:
        assert response.status == 500
        assert response.headers["Content-Type"] == "text/xml; charset=UTF-8"
        assert await response.read() == b"<fault/>"


@pytest.mark.parametrize(("after", "header"), [(None, "30"), (timedelta(seconds=7), "7")])
async def test_503_says_when_to_come_back(tmp_path, after, header):
    async def busy(_inbound) -> Answer:
        return Answer(status=503, retry_after=after)

    async with endpoint(tmp_path, busy) as served, served.post() as response:
        assert response.status == 503
        assert response.headers["Retry-After"] == header


async def test_a_connection_is_kept_and_tells_nothing_about_the_server(tmp_path):
    async with endpoint(tmp_path) as served:
        for _ in range(2):
            async with served.post() as response:
                headers = response.headers

    assert "Server" not in headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


# --- the HTTP request itself ----------------------------------------------------------


@pytest.mark.parametrize("value", ['"ebXML"', "ebXML"])
async def test_soapaction_may_come_without_quotes(tmp_path, value):
    async with endpoint(tmp_path) as served, served.post(SOAPAction=value) as response:
        assert response.status == 204


@pytest.mark.parametrize("value", ["", '""', '"ebxml"', '"urn:other"'])
async def test_another_soapaction_is_refused(tmp_path, value):
    async with endpoint(tmp_path) as served, served.post(SOAPAction=value) as response:
        assert response.status == 400
        assert b"soap:Client" in await response.read()
    assert served.receiver.inbounds == []
    assert served.counted.refusals == ["header.soapaction"]


async def test_only_post_is_known(tmp_path):
    async with endpoint(tmp_path) as served, served.session.get(f"{served.url}/ebms") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "POST"
        assert b"Fault" in await response.read()


async def test_another_path_is_not_found(tmp_path):
    async with endpoint(tmp_path) as served, served.session.post(f"{served.url}/x") as response:
        assert response.status == 404


async def test_a_compressed_body_is_refused(tmp_path):
    gzip = {"Content-Encoding": "gzip"}
    async with endpoint(tmp_path) as served, served.post(b"x", **gzip) as response:
        assert response.status == 415
    assert served.receiver.inbounds == []


async def test_without_a_client_certificate_there_is_no_way_in():
    receiver = Receiver(taken)
    app = ebms_app(receiver, clock=Clock(), answered=Counted(), most=lambda: MOST)
    async with (
        serving(app) as url,
        aiohttp.ClientSession(headers=SOAP) as session,
        session.post(f"{url}/ebms", data=b"x") as response,
    ):
        assert response.status == 403
    assert receiver.inbounds == []


async def test_a_bug_is_a_fault_that_says_nothing(tmp_path):
    async def bug(_inbound) -> Answer:
        raise RuntimeError("BSN 999990019")

    async with endpoint(tmp_path, bug) as served, served.post() as response:
        body = await response.read()
        assert response.status == 500
    assert b"soap:Server" in body
    assert b"999990019" not in body


# --- limits ---------------------------------------------------------------------------


async def test_a_body_over_the_limit_is_refused_while_it_arrives(tmp_path):
    async with endpoint(tmp_path) as served:
        reader, writer = await served.stream()
        writer.write(head(Transfer_Encoding="chunked"))
        answer = asyncio.create_task(reader.read())
        sent = await send_until(answer, writer, 200 * MOST)
        found = await answer
        writer.close()

    assert found.startswith(b"HTTP/1.1 413")
    assert b"soap:Fault" in found
    assert sent < 200 * MOST
    assert served.receiver.inbounds == []
    assert served.counted.refusals == ["size.wire"]


async def test_one_octet_over_is_refused_though_the_end_never_comes(tmp_path):
    async with endpoint(tmp_path) as served:
        chunks = b"%x\r\n" % MOST + b"x" * MOST + b"\r\n1\r\nx\r\n"
        found = await answer_to(served, head(Transfer_Encoding="chunked") + chunks)

    assert found.startswith(b"HTTP/1.1 413")
    assert served.counted.refusals == ["size.wire"]


async def send_until(answer: asyncio.Task, writer: asyncio.StreamWriter, most: int) -> int:
    """Send chunks until the server hangs up; return how many octets went out."""
    chunk, sent = b"1000\r\n" + b"x" * 4096 + b"\r\n", 0
    while sent < most and not answer.done():
        try:
            writer.write(chunk)
            await writer.drain()
        except ConnectionError:
            break
        sent += 4096
        await asyncio.sleep(0.001)
    return sent


async def test_an_announced_length_over_the_limit_is_refused_before_reading(tmp_path):
    async with endpoint(tmp_path) as served:
        found = await answer_to(served, head(Content_Length=str(MOST + 1)))

    assert found.startswith(b"HTTP/1.1 413")
    assert b"Connection: close" in found
    assert served.receiver.inbounds == []


async def test_a_body_of_exactly_the_limit_is_taken_in(tmp_path):
    async with endpoint(tmp_path) as served, served.post(b"x" * MOST) as response:
        assert response.status == 204


async def test_a_client_that_asks_first_is_refused_before_it_sends(tmp_path):
    async with endpoint(tmp_path) as served:
        octets = head(Content_Length=str(MOST + 1), Expect="100-continue")
        found = await answer_to(served, octets)

    assert found.startswith(b"HTTP/1.1 413")


async def test_a_client_that_asks_first_may_go_on(tmp_path):
    async with endpoint(tmp_path) as served:
        reader, writer = await served.stream()
        writer.write(head(Content_Length="5", Expect="100-continue", Connection="close"))
        interim = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"<a/>\n")
        found = await reader.read()
        writer.close()

    assert interim.startswith(b"HTTP/1.1 100")
    assert found.startswith(b"HTTP/1.1 204")
    assert served.receiver.inbounds[0].body == b"<a/>\n"


async def test_a_sender_that_falls_silent_is_cut_off(tmp_path):
    async with endpoint(tmp_path, limits=QUICK) as served:
        found = await answer_to(served, head(Content_Length="1000") + b"begin")

    assert found.startswith(b"HTTP/1.1 408")
    assert served.receiver.inbounds == []


async def test_a_sender_that_dribbles_is_cut_off(tmp_path):
    limits = IntakeLimits(silence=timedelta(seconds=5), body=timedelta(seconds=0.4))
    async with endpoint(tmp_path, limits=limits) as served:
        reader, writer = await served.stream()
        writer.write(head(Transfer_Encoding="chunked"))
        answer = asyncio.create_task(reader.read())
        async with asyncio.timeout(5):
            while not answer.done():
                writer.write(b"1\r\nx\r\n")
                await asyncio.sleep(0.02)
        writer.close()

    assert answer.result().startswith(b"HTTP/1.1 408")


async def test_headers_that_do_not_end_are_cut_off(tmp_path):
    app = ebms_app(Receiver(taken), clock=Clock(), answered=Counted(), most=lambda: MOST)
    bounds = ListenerLimits(idle=timedelta(seconds=0.3))
    async with serving(app, limits=bounds) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"POST /ebms HTTP/1.1\r\nHost: x\r\n")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_a_sender_that_hangs_up_halfway_leaves_its_place_to_others(tmp_path):
    limits = IntakeLimits(requests=1)
    async with endpoint(tmp_path, limits=limits) as served:
        _, writer = await served.stream()
        writer.write(head(Content_Length="1000") + b"begin")
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.sleep(0.1)
        async with served.post() as response:
            assert response.status == 204
    assert len(served.receiver.inbounds) == 1


async def hold(served: Served, arrived: asyncio.Event) -> asyncio.Task:
    async def post() -> int:
        async with served.post(b"x" * 1000) as response:
            return response.status

    task = asyncio.create_task(post())
    await arrived.wait()
    return task


@pytest.mark.parametrize(
    "limits",
    [IntakeLimits(requests=1), IntakeLimits(memory_bytes=1500)],
    ids=["places", "memory"],
)
async def test_too_much_at_once_is_asked_to_come_back(tmp_path, limits):
    arrived, go = asyncio.Event(), asyncio.Event()

    async def wait(_inbound) -> Answer:
        arrived.set()
        await go.wait()
        return Answer(status=204)

    async with endpoint(tmp_path, wait, limits=limits) as served:
        first = await hold(served, arrived)
        async with served.post(b"x" * 1000) as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "30"
            assert b"soap:Server" in await response.read()
        go.set()
        assert await first == 204
        async with served.post(b"x" * 1000) as response:
            assert response.status == 204


# --- a fair share ---------------------------------------------------------------------


@asynccontextmanager
async def another(folder, served: Served):
    """A second partner, with a certificate of its own."""
    keys = pair(folder, pki.live_leaf(pki.VEILIG_THUIS), "another")
    tls = client_context(keys, servers=pki.live().trust(), check=lambda _der: None)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session:
        yield replace(served, session=session, client=tls)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (IntakeLimits(owner_requests=1), "limit.concurrent"),
        (IntakeLimits(owner_bytes=1500), "limit.memory"),
    ],
    ids=["places", "memory"],
)
async def test_who_has_its_share_in_hand_comes_back_and_the_other_does_not_wait(
    tmp_path, limits, code
):
    """503 and not 429: of a 4xx the retries end (DK-ebMS2, HTTP codes)."""
    arrived, go = asyncio.Event(), asyncio.Event()

    async def wait(_inbound) -> Answer:
        if not arrived.is_set():
            arrived.set()
            await go.wait()
        return Answer(status=204)

    async with endpoint(tmp_path, wait, limits=limits) as served, another(tmp_path, served) as vt:
        first = await hold(served, arrived)
        async with served.post(b"x" * 1000) as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "1"
            assert b"soap:Server" in await response.read()
        async with vt.post(b"x" * 1000) as response:
            assert response.status == 204
        go.set()
        assert await first == 204
        async with served.post(b"x" * 1000) as response:
            assert response.status == 204
        assert served.counted.refusals == [code]


async def test_large_messages_take_turns_and_a_small_one_waits_for_none(tmp_path):
    arrived, go, large = asyncio.Event(), asyncio.Event(), []

    async def wait(inbound) -> Answer:
        if len(inbound.body) >= 1000:
            large.append(inbound)
            arrived.set()
            await go.wait()
        return Answer(status=204)

    async with endpoint(tmp_path, wait, turns=Turns(large_bytes=1000)) as served:
        first = await hold(served, arrived)
        second = await hold(served, arrived)
        async with served.post(b"x" * 999) as response:
            assert response.status == 204
        assert len(large) == 1
        go.set()
        assert (await first, await second) == (204, 204)
        assert len(large) == 2


async def status(served: Served) -> int:
    async with served.post() as response:
        return response.status


async def test_bodies_that_stall_take_no_more_than_a_share(tmp_path):
    """A partner that begins messages and never ends them holds nobody up but itself."""
    limits = IntakeLimits(requests=4, owner_requests=3)
    async with endpoint(tmp_path, limits=limits) as served, another(tmp_path, served) as vt:
        stalled = [await served.stream() for _ in range(3)]
        for _, writer in stalled:
            writer.write(head(Content_Length="1000") + b"begin")
            await writer.drain()
        async with asyncio.timeout(10):
            while await status(served) != 503:
                continue  # the last of them is not read yet
        async with vt.post() as response:
            assert response.status == 204
        for _, writer in stalled:
            writer.close()


# --- the listener ---------------------------------------------------------------------


async def test_a_client_of_a_removed_ca_gets_no_new_connection(tmp_path):
    others = pki.TestPki(Clock().now(), authority_bits=2048).trust()
    async with endpoint(tmp_path) as served:
        async with served.post() as response:
            assert response.status == 204
        own = pair(tmp_path, pki.live_leaf(pki.KNOOPPUNT), "again")
        served.tls.swap(server_context(own, clients=others))
        async with served.post() as response:
            assert response.status == 204  # the connection that was there is kept
        fresh = aiohttp.TCPConnector(ssl=served.client)
        async with aiohttp.ClientSession(connector=fresh) as session:
            with pytest.raises(aiohttp.ClientError):
                await session.post(f"{served.url}/ebms", data=b"x", headers=SOAP)
    assert len(served.receiver.inbounds) == 2


async def test_a_handshake_that_does_not_go_on_is_cut_off(tmp_path):
    tls = server_context(pair(tmp_path, pki.live_leaf(pki.KNOOPPUNT), "own"))
    app = ebms_app(Receiver(taken), clock=Clock(), answered=Counted(), most=lambda: MOST)
    bounds = ListenerLimits(handshake=timedelta(seconds=0.3))
    async with serving(app, tls=ReloadableContext(tls), limits=bounds) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_connections_that_say_nothing_take_little_memory(tmp_path):
    """asyncio has 256 KiB ready for each, before its certificate is seen."""
    async with endpoint(tmp_path) as served, AsyncExitStack() as stack:
        port = int(served.url.rpartition(":")[2])
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        for _ in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
        async with served.post() as response:  # they were taken in before this one
            assert response.status == 204
        now, _ = tracemalloc.get_traced_memory()

    assert now < 20 * 100_000


async def test_who_comes_at_once_waits_and_is_not_turned_away():
    app = ebms_app(Receiver(taken), clock=Clock(), answered=Counted(), most=lambda: MOST)
    async with serving(app) as url:
        port = int(url.rpartition(":")[2])
        with ExitStack() as stack:
            for _ in range(500):  # nothing of ours runs meanwhile: the system keeps them for us
                stack.enter_context(closing(socket.create_connection(("127.0.0.1", port), 5)))


async def test_a_port_that_is_taken_stops_the_start():
    app = ebms_app(Receiver(taken), clock=Clock(), answered=Counted(), most=lambda: MOST)
    async with serving(app) as url:
        with pytest.raises(Misconfigured) as refused:
            await listen(app, host="127.0.0.1", port=int(url.rpartition(":")[2]), tls=None)
    assert refused.value.code == "listen.port"


async def test_a_stop_lets_a_request_end(tmp_path):
    arrived = asyncio.Event()

    async def slow(_inbound) -> Answer:
        arrived.set()
        await asyncio.sleep(0.3)
        return Answer(status=204)

    async with endpoint(tmp_path, slow) as served:
        reader, writer = await served.stream()
        writer.write(head(Content_Length="4") + b"<a/>")
        await arrived.wait()
        # The block ends while the request is under way.

    assert (await reader.read()).startswith(b"HTTP/1.1 204")
    writer.close()
