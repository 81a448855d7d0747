"""What no browser sends: each is refused as what it is, by nobody's fault but the sender's."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.consoles import ORIGIN, console
from tests.flow.town import OM

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def om(tmp_path):
    async with console(tmp_path, OM) as made:
        yield made


async def raw(om, octets):
    """Send octets as they are; return status and page."""
    where = urlsplit(om.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(octets)
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def request(line, *headers, body=b""):
    head = [line, b"Host: console", b"Connection: close", *headers]
    return b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", body])


@pytest.mark.parametrize(
    "octets",
    [
        request(b"GET /aanmelden HTTP/1.1", b"Cookie: __Host-sessie=\xff"),
        request(b"GET /aanmelden HTTP/1.1", b"Cookie: __Host-gast=\xff"),
        request(b"POST /aanmelden HTTP/1.1", b"X-Blijk: \xff"),
        request(b"POST /aanmelden HTTP/1.1", b"Cookie: __Host-gast=\xff"),
        request(b"POST /ik/voorkeuren HTTP/1.1", b"Referer: %s/\xff" % ORIGIN.encode()),
        request(b"GET /aanmelden?terug=/\xff HTTP/1.1"),
        request(b"GET /ik?na=\xff HTTP/1.1"),
        request(b"GET /berichten/\xff HTTP/1.1"),
        request(b"GET /berichten?na=\xed\xb3\xbf HTTP/1.1"),
    ],
    ids=lambda octets: octets.partition(b"\r\nContent")[0].decode(errors="replace"),
)
async def test_octets_that_are_no_text_are_no_fault_of_ours(om, octets):
    status, _ = await raw(om, octets)

    assert status < 500


@pytest.mark.parametrize("charset", ["geen", "utf-7", "utf-16", "idna", "rot13", "hex"])
async def test_a_form_in_another_script_is_no_fault_of_ours(om, charset):
    kind = f"Content-Type: {FORM}; charset={charset}".encode()
    line = b"POST /aanmelden HTTP/1.1"

    status, _ = await raw(om, request(line, kind, body=b"login=a&wachtwoord=b"))

    assert status in {400, 403, 415, 422}


async def guest(om):
    """Return what a script of ours would send with its request."""
    async with om.browser() as browser:
        proof = (await browser.get("/aanmelden")).proof()
        (cookie,) = [c for c in browser.session.cookie_jar if c.key == "__Host-gast"]
        return f"X-Blijk: {proof}".encode(), f"Cookie: __Host-gast={cookie.value}".encode()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"application/json", b"[" * 15_000),
        (b"application/json", b'{"a":' * 2_500),
        (b"application/json; charset=geen", b"{}"),
        (b"application/json; charset=hex", b"{}"),
        (b"application/json", b"\xff\xfe"),
        (b"application/json", b'{"id": "\\ud800", "response": {"a": "\\udfff"}}'),
        (b"application/json", b'{"id": 1, "response": [], "rawId": null, "type": {}}'),
    ],
)
async def test_an_answer_of_no_passkey_is_no_fault_of_ours(om, kind, body):
    ours = await guest(om)
    line = b"POST /aanmelden/sleutel HTTP/1.1"

    status, _ = await raw(om, request(line, *ours, b"Content-Type: " + kind, body=body))

    assert status in {400, 413, 422}


async def test_an_answer_of_a_passkey_that_does_not_come_is_not_waited_for(om):
    ours = await guest(om)
    head = request(b"POST /aanmelden/sleutel HTTP/1.1", *ours, b"Content-Type: application/json")

    status, _ = await raw(om, head.replace(b"Content-Length: 0", b"Content-Length: 100"))

    assert status == 408
