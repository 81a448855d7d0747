"""No system keeps another one waiting, and nobody guesses for long."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from gateway.errors import Limited
from gateway.rules.bucket import Pace
from gateway.web.api.limits import MOST_ADDRESSES, Failures, FairLimits
from gateway.web.intake import IntakeLimits
from tests.web.doubles import POLITIE, TOKENS, VT, backend
from tests.web.systems import BERICHTEN, POSTVAK, bearer, world

BVH, OTHER = bearer(), bearer(TOKENS["vt"])
XML = {"Content-Type": "application/xml"}
ONE_PER_SECOND = Pace(per_minute=60, burst=3)


@dataclass
class Stands:
    """A clock that is moved by hand."""

    seconds: float = 1_000.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self.seconds


def two(folder, **named):
    return world(folder, backend("bvh", POLITIE, "BVH"), backend("vt", VT, "R"), **named)


async def codes(here, times: int, path: str = BERICHTEN, **arguments) -> list[tuple[int, str]]:
    asked = [await here.ask(path, **arguments) for _ in range(times)]
    return [(status, body.get("code", "")) for status, body in asked]


# --- how often ------------------------------------------------------------------------


async def test_who_asks_too_often_waits_and_the_other_does_not(tmp_path):
    clock = Stands()
    async with two(tmp_path, fair=FairLimits(pace=ONE_PER_SECOND), clock=clock) as here:
        assert await codes(here, 4, headers=BVH) == [(200, "")] * 3 + [(429, "limit.rate")]
        assert await codes(here, 3, headers=OTHER) == [(200, "")] * 3

        clock.seconds += 1
        assert await codes(here, 2, headers=BVH) == [(200, ""), (429, "limit.rate")]


async def test_the_answer_says_how_much_is_left_and_when_to_come_back(tmp_path):
    async with two(tmp_path, fair=FairLimits(pace=ONE_PER_SECOND), clock=Stands()) as here:
        _, first = await here.ask(headers=BVH)
        for _ in range(3):
            status, last = await here.ask(headers=BVH)

    assert first["headers"]["RateLimit-Policy"] == '"systeem";q=60;w=60'
    assert first["headers"]["RateLimit"] == '"systeem";r=2;t=1'
    assert (status, last["code"], last["herhalen"]) == (429, "limit.rate", True)
    assert last["headers"]["RateLimit"] == '"systeem";r=0;t=3'
    assert last["headers"]["Retry-After"] == "1"
    assert last["headers"].getall("Content-Type") == ["application/problem+json; charset=utf-8"]


async def test_a_stranger_has_no_share_and_learns_nothing_of_it(tmp_path):
    async with two(tmp_path) as here:
        status, body = await here.ask(headers=bearer("ander"))

    assert status == 401
    assert "RateLimit" not in body["headers"]


# --- how many at once -----------------------------------------------------------------


@asynccontextmanager
async def stalled(here, headers, *, octets: int, times: int):
    """Hand-ins of which the body does not end until the block does."""
    go_on = asyncio.Event()
    started = asyncio.Semaphore(0)

    async def body():
        yield b"x" * octets
        started.release()
        await go_on.wait()

    async def hand_in() -> int:
        session = here.system()
        async with session.post(BERICHTEN, data=body(), headers=headers | XML) as response:
            return response.status

    tasks = [asyncio.create_task(hand_in()) for _ in range(times)]
    for _ in range(times):
        await started.acquire()
    await asyncio.sleep(0.05)  # until the server has read what was sent
    try:
        yield tasks
    finally:
        go_on.set()
        await asyncio.gather(*tasks)


async def test_who_has_too_many_open_waits_and_the_other_does_not(tmp_path):
    async with two(tmp_path, fair=FairLimits(requests=2)) as here:
        async with stalled(here, BVH, octets=10, times=2) as tasks:
            assert await codes(here, 1, headers=BVH) == [(429, "limit.concurrent")]
            assert await codes(here, 1, headers=OTHER) == [(200, "")]
        assert [task.result() for task in tasks] == [202, 202]
        assert await codes(here, 1, headers=BVH) == [(200, "")]


async def test_who_fills_its_memory_waits_and_the_other_does_not(tmp_path):
    async def hand_in(here, headers) -> tuple[int, str]:
        arguments = {"method": "POST", "data": b"x" * 2_000, "headers": headers | XML}
        return (await codes(here, 1, **arguments))[0]

    intake = IntakeLimits(owner_bytes=5_000)
    async with two(tmp_path, intake=intake) as here:
        async with stalled(here, BVH, octets=4_000, times=1):
            assert await hand_in(here, BVH) == (429, "limit.memory")
            assert await hand_in(here, OTHER) == (202, "")
        assert await hand_in(here, BVH) == (202, "")


async def test_who_waits_for_news_too_often_can_still_do_the_rest(tmp_path):
    async with two(tmp_path, fair=FairLimits(polls=1)) as here:
        waiting = asyncio.create_task(here.ask(f"{POSTVAK}?wacht=30", headers=BVH))
        await here.gateway.postvak.waited_for.wait()

        poll = await codes(here, 1, f"{POSTVAK}?wacht=30", headers=BVH)
        look = await codes(here, 1, f"{POSTVAK}?wacht=0", headers=BVH)
        rest = await codes(here, 1, headers=BVH)
        other = asyncio.create_task(here.ask(f"{POSTVAK}?wacht=1", headers=OTHER))
        assert (poll, look, rest) == ([(429, "limit.concurrent")], [(200, "")], [(200, "")])
        assert (await other)[0] == 200
        waiting.cancel()


async def test_a_system_that_floods_does_not_starve_the_other(tmp_path):
    refused_often, seen = asyncio.Event(), []
    flooding = True

    async def flood(here) -> None:
        session = here.system(**BVH)
        while flooding:
            async with session.get(BERICHTEN) as response:
                await response.read()
                seen.append(response.status)
            if seen.count(429) >= 50:
                refused_often.set()

    fair = FairLimits(pace=Pace(per_minute=60, burst=10))
    async with two(tmp_path, fair=fair) as here:
        floods = [asyncio.create_task(flood(here)) for _ in range(12)]
        await refused_often.wait()
        loop = asyncio.get_running_loop()
        session, took = here.system(**OTHER), []
        for _ in range(10):
            started = loop.time()
            async with session.get(BERICHTEN) as response:
                assert response.status == 200
            took.append(loop.time() - started)
        flooding = False
        await asyncio.gather(*floods)

    assert seen.count(200) <= 10 + 60 * 60 / 60  # the burst, and what flowed in meanwhile
    assert sorted(took)[len(took) // 2] < 1.0


# --- who guesses ----------------------------------------------------------------------


async def test_who_guesses_is_slowed_down_even_when_the_guess_is_right(tmp_path):
    clock = Stands()
    async with two(tmp_path, fair=FairLimits(failures=ONE_PER_SECOND), clock=clock) as here:
        assert await codes(here, 1, headers=OTHER) == [(200, "")]
        wrong = await codes(here, 4, headers=bearer("gok"))
        assert wrong == [(401, "token.unknown")] * 3 + [(429, "limit.signin")]

        right = await codes(here, 1, headers=BVH)
        was_here_before = await codes(here, 1, headers=OTHER)
        assert right == [(429, "limit.signin")]
        assert was_here_before == [(200, "")]

        clock.seconds += 1
        assert await codes(here, 1, headers=BVH) == [(200, "")]


def test_only_so_many_addresses_are_remembered():
    failures = Failures(ONE_PER_SECOND, Stands())
    for n in range(3 * MOST_ADDRESSES):
        address = f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
        failures.failed(address)
        failures.passed(address, "bvh")

    assert len(failures) == 2 * MOST_ADDRESSES


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        (None, "", True),
    ],
)
def test_an_ipv6_site_counts_as_one(first, second, same):
    failures = Failures(Pace(per_minute=60, burst=1), Stands())
    failures.failed(first)

    if same:
        with pytest.raises(Limited, match=r"limit\.signin"):
            failures.failed(second)
    else:
        failures.failed(second)
