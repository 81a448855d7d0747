"""Bad HTTP around a right message: refused on the hub's own port, and nothing changed."""

import re

import pytest
import pytest_asyncio

from tests.flow.bad_http import Port, port_of, right
from tests.flow.test_bad_input import Hub, hub_in
from tests.vectors.http import TABLE, in_chunks, swap

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory):
    made = await hub_in(tmp_path_factory.mktemp("bad-http"))
    yield made
    await made.town.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port(hub, tmp_path_factory):
    async with port_of(hub.gateway, tmp_path_factory.mktemp("tls")) as made:
        yield made


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d+)", answer, re.MULTILINE)]


@pytest.mark.parametrize("request_", TABLE, ids=lambda r: r.name)
async def test_bad_request_changes_nothing(hub: Hub, port: Port, request_):
    before, taken = hub.tables(), len(port.town.taken)
    port.counted.refusals.clear()

    answer = await port.answer(request_.change(right()))

    assert statuses(answer) == [request_.status]
    assert port.counted.refusals == ([request_.code] if request_.code else [])
    assert len(port.town.taken) == taken
    assert hub.tables() == before
    body = answer.partition(b"\r\n\r\n")[2]
    assert b"faultstring" in body or body == b""
    assert b"aiohttp" not in answer


GOOD = {
    "as_it_is": lambda octets: octets,
    "in_chunks": in_chunks,
    "of_http_1_0": swap(b"HTTP/1.1", b"HTTP/1.0"),
    "with_expect": swap(b"Host:", b"Expect: 100-continue\r\nHost:"),
}


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD.keys())
async def test_right_request_is_taken_in(hub: Hub, port: Port, change):
    answer = await port.answer(change(right()))

    assert re.findall(rb"HTTP/1\.[01] (\d+)", answer)[-1] == b"204"
    assert hub.query("select count(*) from messages where accepted") == [(1,)]
