"""By e-mail in the demo: the operator who gives the ground, and the letters that go."""

import asyncio
from pathlib import Path

from gateway.cli.deciding import decide
from gateway.cli.demo.post_office import PostOffice, Taken
from gateway.cli.demo.show import Show
from gateway.errors import GatewayError
from gateway.web.control import What

GROUND = "Het kind is nu in gevaar en het knooppunt is onbereikbaar (demo)"
OPERATOR = "o.operator"
WITHIN = 60


async def switch(show: Show, config: Path, message: str) -> None:
    """Give the ground, as soon as the agreed route is seen to fail; raises TimeoutError."""
    async with asyncio.timeout(WITHIN):
        while True:
            if await _given(show, config, message):
                return
            await asyncio.sleep(0.5)


async def _given(show: Show, config: Path, message: str) -> bool:
    try:
        done = await asyncio.to_thread(
            decide, config, What.MAIL, message, reden=GROUND, door=OPERATOR
        )
    except GatewayError as error:
        if error.code != "mail.niet_nodig":
            raise
        return False
    show.good(f"{OPERATOR} geeft de grond ({done['oorzaak']}): {GROUND}")
    return True


async def next_letter(post: PostOffice, place: str) -> Taken:
    """Wait for the next letter to a place; raises TimeoutError."""
    async with asyncio.timeout(WITHIN):
        while True:
            letter = await post.taken.get()
            if letter.place == place:
                return letter
