"""What a client should not do, octet for octet, and the one answer that it gets.

Sent over a bare socket: a client library would mend much of it. Behind the API stands a party
with a message of its own, and another one with theirs.
"""

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import pytest

from gateway.ports import MessageView
from gateway.web.api import cursor
from tests.web.api_client import BERICHTEN, POSTVAK, api
from tests.web.doubles import POLITIE, TOKENS, VT, delivery, item, known, row

SECRET = "999990019"
"""Stands for what a client made up: no answer may repeat it."""


@dataclass(frozen=True, kw_only=True)
class Vector:
    """One request and its answer. `code` is "" where the server refuses before the API does."""

    name: str
    target: str
    status: int
    code: str
    method: str = "GET"
    headers: tuple[str, ...] = ()
    token: str | None = TOKENS["bvh"]
    body: bytes = b""


XML = "Content-Type: application/xml"
JSON = "Content-Type: application/json"
REFUSE = f"{POSTVAK}/d-1/weigering"
DEEP = b"[" * 4_000 + b"]" * 4_000

VECTORS = (
    # whose is it
    Vector(name="another-partys-message", target=f"{BERICHTEN}/m-2", status=404,
           code="bericht.onvindbaar"),
    Vector(name="no-ones-message", target=f"{BERICHTEN}/m-9", status=404,
           code="bericht.onvindbaar"),
    Vector(name="another-partys-postvak", target=f"{POSTVAK}/d-2/inhoud", status=404,
           code="postvak.unknown"),
    Vector(name="another-applicaties-postvak", target=f"{POSTVAK}?applicatie={SECRET}",
           status=400, code="request.query"),
    Vector(name="party-in-query", target=f"{BERICHTEN}?partij={VT}", status=400,
           code="request.query"),
    # who asks
    Vector(name="no-token", target=BERICHTEN, token=None, status=401, code="token.missing"),
    Vector(name="token-in-query", target=f"{BERICHTEN}?access_token={TOKENS['bvh']}", token=None,
           status=401, code="token.missing"),
    Vector(name="token-of-a-party-elsewhere", target=BERICHTEN, token=TOKENS["weg"], status=401,
           code="token.party"),
    Vector(name="two-tokens", target=BERICHTEN, headers=(f"Authorization: Bearer {SECRET}",),
           status=401, code="token.missing"),
    Vector(name="token-with-a-tail", target=BERICHTEN, token=f"{TOKENS['bvh']} {SECRET}",
           status=401, code="token.unknown"),
    # queries
    Vector(name="unknown-key", target=f"{BERICHTEN}?{SECRET}=1", status=400, code="request.query"),
    Vector(name="key-twice", target=f"{BERICHTEN}?limiet=1&limiet=2", status=400,
           code="request.query"),
    Vector(name="key-in-other-case", target=f"{BERICHTEN}?Limiet=1", status=400,
           code="request.query"),
    Vector(name="array-key", target=f"{BERICHTEN}?zaak[]=a", status=400, code="request.query"),
    Vector(name="empty-value", target=f"{BERICHTEN}?zaak=", status=400, code="request.query"),
    Vector(name="nul-in-filter", target=f"{BERICHTEN}?zaak=a%00b", status=400,
           code="request.query"),
    Vector(name="line-break-in-filter", target=f"{BERICHTEN}?zaak=a%0d%0aX-Y:1", status=400,
           code="request.query"),
    Vector(name="long-filter", target=f"{BERICHTEN}?zaak={'a' * 201}", status=400,
           code="request.query"),
    Vector(name="octets-that-are-no-utf8", target=f"{BERICHTEN}?zaak=%ff%fe", status=400,
           code="request.query"),
    Vector(name="huge-number", target=f"{BERICHTEN}?limiet={'9' * 4_000}", status=400,
           code="request.query"),
    Vector(name="negative-number", target=f"{POSTVAK}?wacht=-1", status=400, code="request.query"),
    Vector(name="bad-cursor", target=f"{BERICHTEN}?na={SECRET}", status=400,
           code="request.cursor"),
    Vector(name="cursor-with-a-tail", target=f"{BERICHTEN}?na={cursor.write(1)}%0a", status=400,
           code="request.query"),
    Vector(name="cursor-beyond-all", target=f"{BERICHTEN}?na={cursor.write(1 << 63)}", status=400,
           code="request.cursor"),
    Vector(name="moment-without-zone", target=f"{BERICHTEN}?sinds=2026-11-26T00:00:00", status=400,
           code="request.query"),
    Vector(name="query-where-none-is-read", target=f"{BERICHTEN}/m-1?id=m-2", status=400,
           code="request.query"),
    Vector(name="query-on-a-confirmation", method="POST", target=f"{POSTVAK}/d-1/bevestiging?x=1",
           status=400, code="request.query"),
    # paths
    Vector(name="dots-up", target=f"{BERICHTEN}/../postvak/d-2/inhoud", status=404,
           code="request.refused"),
    Vector(name="escaped-dots-up", target=f"{BERICHTEN}/%2e%2e%2fpostvak", status=404,
           code="request.refused"),
    Vector(name="escaped-slash", target=f"{POSTVAK}/d-1%2finhoud", status=404,
           code="request.refused"),
    Vector(name="nul-in-path", target=f"{BERICHTEN}/m-1%00", status=404, code="request.refused"),
    Vector(name="trailing-slash", target=f"{BERICHTEN}/", status=404, code="request.refused"),
    Vector(name="double-slash", target="/api/v1//berichten", status=404, code="request.refused"),
    Vector(name="long-id", target=f"{BERICHTEN}/{'a' * 65}", status=404, code="request.refused"),
    Vector(name="injection-in-id", target=f"{BERICHTEN}/{quote(chr(39) + ' OR 1=1')}", status=404,
           code="request.refused"),
    Vector(name="other-case", target="/API/v1/berichten", status=404, code="request.refused"),
    # methods
    Vector(name="delete", method="DELETE", target=f"{BERICHTEN}/m-1", status=405,
           code="request.refused"),
    Vector(name="override", method="POST", target=f"{BERICHTEN}/m-1", status=405,
           headers=("X-HTTP-Method-Override: GET", "Content-Length: 0"), code="request.refused"),
    Vector(name="trace", method="TRACE", target=BERICHTEN, status=405, code="request.refused"),
    # bodies
    Vector(name="json-as-document", method="POST", target=BERICHTEN, headers=(JSON,), body=b"{}",
           status=415, code="request.content_type"),
    Vector(name="document-without-type", method="POST", target=BERICHTEN, body=b"<a/>",
           status=415, code="request.content_type"),
    Vector(name="other-charset", method="POST", target=BERICHTEN, body=b"<a/>",
           headers=(f"{XML}; charset=utf-7",), status=415, code="request.content_type"),
    Vector(name="compressed", method="POST", target=BERICHTEN, body=b"<a/>",
           headers=(XML, "Content-Encoding: gzip"), status=415, code="request.content_encoding"),
    Vector(name="too-large-by-its-header", method="POST", target=BERICHTEN,
           headers=(XML, "Content-Length: 99999999999"), status=413, code="size.payload"),
    Vector(name="form", method="POST", target=REFUSE, body=b"code=1",
           headers=("Content-Type: application/x-www-form-urlencoded",), status=415,
           code="request.content_type"),
    Vector(name="deep-json", method="POST", target=REFUSE, headers=(JSON,), body=DEEP, status=422,
           code="weigering.vorm"),
    Vector(name="large-json", method="POST", target=REFUSE, headers=(JSON,),
           body=b'{"code":"' + b"1" * 20_000 + b'"}', status=413, code="size.request"),
    Vector(name="unknown-member", method="POST", target=REFUSE, headers=(JSON,),
           body=b'{"code":"1","omschrijving":"x","' + SECRET.encode() + b'":1}', status=422,
           code="weigering.vorm"),
    Vector(name="not-a-number", method="POST", target=REFUSE, headers=(JSON,), body=b"NaN",
           status=422, code="weigering.vorm"),
    Vector(name="two-documents", method="POST", target=REFUSE, headers=(JSON,), body=b"{}{}",
           status=422, code="weigering.vorm"),
    Vector(name="lone-surrogate", method="POST", target=REFUSE, headers=(JSON,),
           body=b'{"code":"\\ud800","omschrijving":"x"}', status=422, code="weigering.vorm"),
    Vector(name="trial-of-a-trial", method="POST", target=f"{BERICHTEN}?proef=1", headers=(XML,),
           body=b"<a/>", status=400, code="request.query"),
    # HTTP itself
    Vector(name="two-lengths", method="POST", target=BERICHTEN, status=400, code="",
           headers=(XML, "Content-Length: 4", "Content-Length: 5"), body=b"<a/>"),
    Vector(name="length-and-chunks", method="POST", target=BERICHTEN, status=400, code="",
           headers=(XML, "Content-Length: 4", "Transfer-Encoding: chunked"), body=b"0\r\n\r\n"),
    Vector(name="long-header", target=BERICHTEN, headers=(f"X-A: {'a' * 9_000}",), status=400,
           code=""),
)  # fmt: skip


def request(vector: Vector) -> bytes:
    lines = [f"{vector.method} {vector.target} HTTP/1.1", "Host: localhost", "Connection: close"]
    if vector.token is not None:
        lines.append(f"Authorization: Bearer {vector.token}")
    lines += vector.headers
    said = " ".join(vector.headers)
    if vector.body and "Content-Length" not in said:
        lines.append(f"Content-Length: {len(vector.body)}")
    return "\r\n".join([*lines, "", ""]).encode() + vector.body


async def send(url: str, octets: bytes) -> tuple[int, str, bytes]:
    """Return status, head and body."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(octets)
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode("latin-1"), body


def theirs(served) -> None:
    served.gateway.reader.views = {
        "m-1": MessageView(message=known("m-1"), deliveries=(delivery(),), trace=(row("x"),)),
        "m-2": MessageView(message=known("m-2", party=VT), deliveries=(), trace=()),
    }
    served.gateway.postvak.items = [(POLITIE, item("d-1")), (VT, item("d-2"))]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
async def test_misuse_is_refused_the_same_way_always_and_nothing_happens(vector):
    async with api() as served:
        theirs(served)
        status, head, body = await send(served.url, request(vector))

    assert status == vector.status
    assert SECRET.encode() not in body
    assert served.gateway.calls == []
    if vector.code:
        told = json.loads(body)
        assert told["code"] == vector.code
        assert told["status"] == vector.status
        assert told["herhalen"] is False
        assert "application/problem+json" in head
        assert "API-Version: 1." in head


async def test_the_same_requests_without_the_misuse_are_answered():
    async with api() as served:
        theirs(served)
        for target in (BERICHTEN, f"{BERICHTEN}/m-1", POSTVAK, f"{POSTVAK}/d-1/inhoud"):
            good = Vector(name="good", target=target, status=200, code="")
            status, _, _ = await send(served.url, request(good))
            assert status == 200
