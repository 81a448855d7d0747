"""Large bodies take turns, and what one took is given back before the next."""

import asyncio

from gateway.web.turns import Turns


async def test_what_a_large_body_took_is_given_back_before_the_next_begins():
    seen = []
    turns = Turns(large_bytes=10, done=lambda: seen.append("given back"))

    async def work(name, octets):
        async with turns.turn(octets):
            seen.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(work("one", 10), work("two", 11))
    await work("small", 9)

    assert seen == ["one", "given back", "two", "given back", "small"]
