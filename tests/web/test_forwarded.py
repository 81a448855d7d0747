"""Who calls, where a reverse proxy stands in front of console or portal."""

from ipaddress import ip_network

import pytest
from aiohttp import web

from gateway.web.forwarded import client_of, forwarded

PROXIES = (ip_network("127.0.0.1"), ip_network("10.1.0.0/16"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9,198.51.100.7,10.1.2.3", "198.51.100.7"),
        ("::ffff:127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("fd00::1", "[2001:db8::7]", "2001:db8::7"),
        ("127.0.0.1", "203.0.113.9, unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, 10.1.2.3:5000", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("", "203.0.113.9", ""),
    ],
)
def test_the_nearest_that_is_no_proxy_of_ours_calls(peer, said, client):
    assert client_of(peer, said, PROXIES) == client


async def who(aiohttp_client, proxies, *said):
    async def tell(request):
        return web.Response(
            text=f"{request.remote} {request.match_info['x']} {await request.text()}"
        )

    app = web.Application(middlewares=[forwarded(proxies)])
    app.router.add_post("/{x}", tell)
    client = await aiohttp_client(app)
    answer = await client.post("/a", data="b", headers=[("X-Forwarded-For", one) for one in said])
    return await answer.text()


async def test_nobody_is_believed_about_himself(aiohttp_client):
    assert await who(aiohttp_client, (), "198.51.100.7") == "127.0.0.1 a b"
    assert await who(aiohttp_client, PROXIES[1:], "198.51.100.7") == "127.0.0.1 a b"


async def test_a_proxy_of_ours_is_believed(aiohttp_client):
    assert await who(aiohttp_client, PROXIES) == "127.0.0.1 a b"
    assert await who(aiohttp_client, PROXIES, "203.0.113.9", "198.51.100.7") == "198.51.100.7 a b"
