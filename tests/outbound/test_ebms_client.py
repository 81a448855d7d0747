"""Posting to real servers on loopback, good ones and bad ones."""

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from gateway.catalogue import Catalogue, Role
from gateway.directory import ClassificationTable, Directory, Gate, Party, Trust
from gateway.errors import (
    CertificateRejected,
    GatewayError,
    Misconfigured,
    OutcomeUnknown,
    PeerUnreachable,
)
from gateway.keys.test_pki import TestPki
from gateway.message import Oin, WireMessage
from gateway.outbound.ebms import EbmsClient, PostLimits
from gateway.outbound.tls import ReloadableContext, server_context
from gateway.ports import Endpoint
from gateway.security.certificates import TrustStore
from tests import pki
from tests.outbound.tls_files import pair, serving

MESSAGE = WireMessage(body=b"<soap/>", content_type="text/xml; charset=UTF-8")
LIMITS = PostLimits(answer_bytes=10_000)
"""A loaded machine needs the patience of an installation."""
QUICK = replace(LIMITS, silence=timedelta(seconds=0.5))


@dataclass
class Now:
    """A clock that can be set ahead."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return 0.0


class Shelf:
    """Snapshots: the current directory, and its trust."""

    def __init__(self, directory: Directory) -> None:
        self.put(directory)

    def put(self, directory: Directory) -> None:
        self._directory = directory
        self._trust = TrustStore(directory.trust)

    def current(self) -> Directory:
        return self._directory

    async def moved(self, epoch: int) -> bool:
        return self._directory.epoch != epoch

    def trust(self, directory: Directory) -> TrustStore:
        return self._trust


def directory(trust: Trust, *, epoch: int = 1, mandates: tuple[Oin, ...] = ()) -> Directory:
    hub = Party(
        oin=Oin(pki.KNOOPPUNT),
        name="Knooppunt",
        role=Role.KNOOPPUNT,
        local=False,
        mandates=mandates,
    )
    return Directory(
        epoch=epoch,
        fingerprint="",
        me=Oin(pki.POLITIE),
        parties={hub.oin: hub},
        agreements={},
        catalogue=Catalogue({}),
        services={},
        gate=Gate(table=ClassificationTable(version="1", messages=frozenset())),
        trust=trust,
    )


@dataclass
class Partner:
    """What the other end saw, and how it answers."""

    answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    callers: list[bytes] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    async def post(self, request: web.Request) -> web.StreamResponse:
        connection = request.transport.get_extra_info("ssl_object")
        self.requests.append(request)
        self.callers.append(connection.getpeercert(True))
        self.ports.append(request.transport.get_extra_info("peername")[1])
        self.bodies.append(await request.read())
        return await self.answer(request)


async def no_content(_request: web.Request) -> web.Response:
    return web.Response(status=204)


def answers(**arguments) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(**arguments)

    return answer


@dataclass
class Pair:
    """A client, and the partner that it calls."""

    client: EbmsClient
    endpoint: Endpoint
    partner: Partner
    shelf: Shelf
    clock: Now

    async def post(self, message: WireMessage = MESSAGE):
        return await self.client.post(self.endpoint, message)


@asynccontextmanager
async def calling(
    folder,
    answer=no_content,
    *,
    server_oin: str = pki.KNOOPPUNT,
    server_clients: Trust | None = None,
    mandates: tuple[Oin, ...] = (),
    limits: PostLimits = LIMITS,
):
    own = pair(folder, pki.live_leaf(pki.POLITIE), "client")
    theirs = pair(folder, pki.live_leaf(server_oin), "server")
    tls = ReloadableContext(server_context(theirs, clients=server_clients or pki.live().trust()))
    partner, clock = Partner(answer), Now()
    shelf = Shelf(directory(pki.live().trust(), mandates=mandates))
    client = EbmsClient(snapshots=shelf, clock=clock, identities=(own,), limits=limits)
    app = web.Application(client_max_size=10**8)
    app.router.add_post("/ebms", partner.post)
    async with serving(app, tls=tls) as url:
        endpoint = Endpoint(
            url=f"{url}/ebms", party=Oin(pki.KNOOPPUNT), client_certificate=own.der()
        )
        try:
            yield Pair(client, endpoint, partner, shelf, clock)
        finally:
            await client.close()


# --- what arrives and what comes back -------------------------------------------------


async def test_the_octets_arrive_as_they_are_over_mutual_tls(tmp_path):
    async with calling(tmp_path) as both:
        answer = await both.post(WireMessage(body=b"\x00\xff\r\n", content_type="a/b; c=d"))

    request = both.partner.requests[0]
    assert answer.status == 204
    assert answer.message is None
    assert both.partner.bodies == [b"\x00\xff\r\n"]
    assert both.partner.callers == [pki.live_leaf(pki.POLITIE).certificate]
    assert request.headers["SOAPAction"] == '"ebXML"'
    assert request.headers["Content-Type"] == "a/b; c=d"
    assert request.headers["Content-Length"] == "4"


async def test_a_large_body_is_sent_whole(tmp_path):
    body = b"0123456789abcdef" * 400_000
    async with calling(tmp_path) as both:
        await both.post(WireMessage(body=body, content_type="text/xml"))

    assert both.partner.bodies == [body]


async def test_an_answer_with_a_body_is_a_message(tmp_path):
    back = answers(status=200, body=b"<ack/>", headers={"Content-Type": "text/xml"})
    async with calling(tmp_path, back) as both:
        answer = await both.post()

    assert answer.message is not None
    assert answer.message.body == b"<ack/>"
    assert answer.message.content_type == "text/xml"


@pytest.mark.parametrize("status", [302, 308, 404, 500, 503])
async def test_redirects_and_failures_are_answers(tmp_path, status):
    back = answers(status=status, headers={"Location": "/elders"})
    async with calling(tmp_path, back) as both:
        answer = await both.post()

    assert answer.status == status
    assert len(both.partner.requests) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *[("7", 7), ("0", 0), ("999999999999", 3600), ("morgen", None), ("-1", None), ("", None)],
        *[(f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT", None), (f"1 Jan 2026 0:0:0 +{'9' * 20}", None)],
    ],
)
async def test_retry_after_is_read_and_capped(tmp_path, header, seconds):
    back = answers(status=503, headers={"Retry-After": header})
    async with calling(tmp_path, back) as both:
        answer = await both.post()

    expected = None if seconds is None else timedelta(seconds=seconds)
    assert expected == answer.retry_after


async def test_retry_after_may_be_a_moment(tmp_path):
    then = datetime.now(UTC) + timedelta(seconds=90)
    back = answers(status=503, headers={"Retry-After": format_datetime(then, usegmt=True)})
    async with calling(tmp_path, back) as both:
        answer = await both.post()

    assert timedelta(seconds=80) < answer.retry_after <= timedelta(seconds=90)


# --- failures -------------------------------------------------------------------------


async def failing(both: Pair, endpoint: Endpoint | None = None) -> GatewayError:
    with pytest.raises(GatewayError) as failed:
        await both.client.post(endpoint or both.endpoint, MESSAGE)
    return failed.value


async def test_a_closed_port_means_that_nothing_arrived(tmp_path):
    async with calling(tmp_path) as both:
        pass

    both.client = EbmsClient(
        snapshots=both.shelf, clock=both.clock, identities=tuple(both.client._identities.values())
    )
    error = await failing(both)
    await both.client.close()

    assert isinstance(error, PeerUnreachable)
    assert error.code == "peer.unreachable"


async def raw_server(behave) -> asyncio.Server:
    return await asyncio.start_server(behave, "127.0.0.1", 0)


async def test_a_handshake_that_never_ends_means_that_nothing_arrived(tmp_path):
    async def say_nothing(reader, writer):
        await reader.read()
        writer.close()

    quick = replace(LIMITS, connect=timedelta(seconds=0.5))
    async with calling(tmp_path, limits=quick) as both, await raw_server(say_nothing) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failing(both, replace(both.endpoint, url=f"https://127.0.0.1:{port}/ebms"))

    assert isinstance(error, PeerUnreachable)
    assert error.code == "peer.timeout"


async def test_a_server_that_speaks_no_tls_gets_nothing(tmp_path):
    heard = []

    async def plain(reader, writer):
        heard.append(await reader.read(100))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with calling(tmp_path) as both, await raw_server(plain) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failing(both, replace(both.endpoint, url=f"https://127.0.0.1:{port}/ebms"))

    assert isinstance(error, PeerUnreachable)
    assert b"POST" not in heard[0]


async def test_a_partner_that_refuses_our_certificate_has_taken_nothing_in(tmp_path):
    """The alert comes when we already wrote (TLS 1.3): it says that nothing was taken in."""
    strangers = TestPki(datetime.now(UTC), authority_bits=2048).trust()
    async with calling(tmp_path) as both:
        tls = server_context(pair(tmp_path, pki.live_leaf(pki.OM), "om"), clients=strangers)
        with socket.create_server(("127.0.0.1", 0)) as server:
            refusing = asyncio.create_task(asyncio.to_thread(refuse_one, server, tls))
            url = f"https://127.0.0.1:{server.getsockname()[1]}/ebms"
            mandated = directory(pki.live().trust(), epoch=2, mandates=(Oin(pki.OM),))
            both.shelf.put(mandated)
            error = await failing(both, replace(both.endpoint, url=url))
            await refusing

    assert isinstance(error, PeerUnreachable)
    assert error.code == "peer.tls"


def refuse_one(server: socket.socket, tls: ssl.SSLContext) -> None:
    """Fail one handshake, and read on: a reset would overtake the alert."""
    connection, _ = server.accept()
    raw = socket.socket(fileno=os.dup(connection.fileno()))
    with raw, connection:
        with pytest.raises(ssl.SSLError):
            tls.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True)
        while raw.recv(65_536):
            pass


async def test_a_partner_that_refuses_our_certificate_by_a_reset_leaves_it_unknown(tmp_path):
    strangers = TestPki(datetime.now(UTC), authority_bits=2048).trust()
    async with calling(tmp_path, server_clients=strangers) as both:
        error = await failing(both)

    assert isinstance(error, PeerUnreachable | OutcomeUnknown)
    assert both.partner.requests == []


async def test_a_connection_lost_behind_the_request_leaves_the_outcome_unknown(tmp_path):
    async def hang_up(request: web.Request) -> web.Response:
        request.transport.abort()
        return web.Response(status=204)

    async with calling(tmp_path, hang_up) as both:
        error = await failing(both)

    assert isinstance(error, OutcomeUnknown)
    assert error.code == "answer.lost"


async def test_silence_behind_the_request_leaves_the_outcome_unknown(tmp_path):
    async def think_long(_request: web.Request) -> web.Response:
        await asyncio.sleep(1)
        return web.Response(status=204)

    async with calling(tmp_path, think_long, limits=QUICK) as both:
        error = await failing(both)

    assert isinstance(error, OutcomeUnknown)
    assert error.code == "answer.timeout"


async def test_an_answer_in_drops_ends_with_the_total_time(tmp_path):
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(30):
            await asyncio.sleep(0.1)
            try:
                await response.write(b".")
            except ConnectionError:
                break
        return response

    async with calling(
        tmp_path, drip, limits=replace(LIMITS, total=timedelta(seconds=1.5))
    ) as both:
        error = await failing(both)

    assert isinstance(error, OutcomeUnknown)
    assert error.code == "answer.timeout"


async def test_an_answer_that_is_too_large_is_not_read_to_its_end(tmp_path):
    async with calling(tmp_path, answers(body=b"x" * 20_000)) as both:
        error = await failing(both)

    assert isinstance(error, OutcomeUnknown)
    assert error.code == "answer.size"


async def test_of_a_failure_only_the_status_counts(tmp_path):
    async with calling(tmp_path, answers(status=500, body=b"x" * 20_000)) as both:
        answer = await both.post()

    assert answer.status == 500
    assert answer.message is None


@pytest.mark.parametrize(
    ("url", "code"),
    [("http://127.0.0.1/ebms", "endpoint.scheme"), ("https://", "endpoint.url")],
)
async def test_only_https_is_spoken(tmp_path, url, code):
    async with calling(tmp_path) as both:
        error = await failing(both, replace(both.endpoint, url=url))

    assert isinstance(error, Misconfigured)
    assert error.code == code


async def test_a_client_certificate_without_key_is_our_own_mistake(tmp_path):
    async with calling(tmp_path) as both:
        error = await failing(both, replace(both.endpoint, client_certificate=b"andere"))

    assert isinstance(error, Misconfigured)
    assert error.code == "keys.missing"


async def test_a_renewed_certificate_counts_from_the_next_post_and_drops_none(tmp_path):
    """The agreement still names the old one: a partner knows us by chain and OIN."""
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_request):
        arrived.set()
        await go_on.wait()
        return web.Response(status=204)

    fresh = pki.live().issue(oin=pki.POLITIE, name="TEST Politie", usage="tls")
    async with calling(tmp_path, slow) as both:
        under_way = asyncio.create_task(both.post())
        await arrived.wait()
        both.client.renew((pair(tmp_path, fresh, "fresh"),))
        go_on.set()
        first = await under_way
        second = await both.post()

    assert (first.status, second.status) == (204, 204)
    assert both.partner.callers == [pki.live_leaf(pki.POLITIE).certificate, fresh.certificate]


async def test_a_certificate_of_another_organisation_does_not_stand_in(tmp_path):
    async with calling(tmp_path) as both:
        both.client.renew((pair(tmp_path, pki.live_leaf(pki.OM), "om"),))
        error = await failing(both)

    assert error.code == "keys.missing"
    assert both.partner.requests == []


async def test_without_a_named_certificate_the_only_one_is_used(tmp_path):
    async with calling(tmp_path) as both:
        await both.client.post(replace(both.endpoint, client_certificate=None), MESSAGE)

    assert both.partner.callers == [pki.live_leaf(pki.POLITIE).certificate]


# --- who is at the other end ----------------------------------------------------------


async def test_another_party_gets_not_one_octet(tmp_path):
    async with calling(tmp_path, server_oin=pki.OM) as both:
        error = await failing(both)

    assert isinstance(error, CertificateRejected)
    assert error.code == "peer.certificate"
    assert both.partner.requests == []


async def test_a_recorded_mandate_lets_another_act_for_the_party(tmp_path):
    async with calling(tmp_path, server_oin=pki.OM, mandates=(Oin(pki.OM),)) as both:
        answer = await both.post()

    assert answer.status == 204


async def test_a_server_of_an_unknown_issuer_gets_nothing(tmp_path):
    strangers = TestPki(datetime.now(UTC), authority_bits=2048).trust()
    async with calling(tmp_path) as both:
        both.shelf.put(directory(strangers, epoch=2))
        error = await failing(both)

    assert isinstance(error, CertificateRejected)
    assert error.code == "peer.certificate"


async def test_a_revocation_list_that_is_stale_is_neither_good_nor_revoked(tmp_path):
    async with calling(tmp_path) as both:
        both.shelf.put(directory(replace(pki.live().trust(), crls=()), epoch=2))
        error = await failing(both)

    assert error.code == "certificate.revocation_unknown"
    assert error.retry
    assert both.partner.requests == []


# --- connections that are kept --------------------------------------------------------


async def test_a_connection_is_kept_for_the_next_message(tmp_path):
    async with calling(tmp_path) as both:
        await both.post()
        await both.post()

    assert len(set(both.partner.ports)) == 1


async def test_a_moved_directory_means_a_new_connection(tmp_path):
    async with calling(tmp_path) as both:
        await both.post()
        both.shelf.put(directory(pki.live().trust(), epoch=2))
        await both.post()

    assert len(set(both.partner.ports)) == 2


async def test_a_kept_connection_does_not_outlive_the_certificate(tmp_path):
    async with calling(tmp_path) as both:
        await both.post()
        both.clock.ahead = timedelta(days=5 * 365)
        error = await failing(both)

    assert error.code == "certificate.expired"
    assert len(both.partner.requests) == 1


async def test_many_at_once_behind_a_move_of_the_directory_share_the_new_connections(tmp_path):
    async with calling(tmp_path, limits=PostLimits()) as both:
        for epoch in range(2, 5):
            both.shelf.put(directory(pki.live().trust(), epoch=epoch))
            found = await asyncio.gather(*(both.post() for _ in range(20)))

            assert {answer.status for answer in found} == {204}


async def test_a_message_under_way_survives_the_move_of_the_directory(tmp_path):
    arrived, go = asyncio.Event(), asyncio.Event()

    async def wait(_request: web.Request) -> web.Response:
        arrived.set()
        await go.wait()
        return web.Response(status=204)

    async with calling(tmp_path, wait, limits=PostLimits()) as both:
        first = asyncio.create_task(both.post())
        await arrived.wait()
        both.shelf.put(directory(pki.live().trust(), epoch=2))
        second = asyncio.create_task(both.post())
        await asyncio.sleep(0.1)
        go.set()

        assert (await first).status == 204
        assert (await second).status == 204
