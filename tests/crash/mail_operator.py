"""The operator who has letters sent where the knooppunt does not answer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from gateway.app import build
from gateway.cli.deciding import ask_process
from gateway.consoles import desk_of
from gateway.errors import GatewayError
from gateway.installation import load_installation
from gateway.lifecycle import State
from gateway.ports import DeliveryChannel, DeliveryKind
from gateway.store.tables import deliveries
from gateway.web.control import KIND, NAME, Command, What

LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 3.0
"""How long an operator looks at what nobody knows before it is sent again."""
WHO, WHY = "o.operator", "het kan niet wachten"

Order = Callable[[str, What], Awaitable[object]]
"""Has something done about a message."""


class Operator:
    """Has sent by e-mail what the knooppunt can not take, and again what nobody knows of."""

    def __init__(self, connect: Callable[[], sa.Connection], config: Path, *, shared: bool) -> None:
        """Take a look at the database, and whether more than its process may write there."""
        self._connect = connect
        self._config = config
        self._shared = shared
        self._stack = AsyncExitStack()
        self._orders: Order | None = None
        self._seen: dict[str, float] = {}
        self.switches = False
        """Whether messages go over to e-mail now; letters that nobody knows of are always his."""

    async def run(self) -> None:
        """Go on until cancelled."""
        async with self._stack:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                for row in await asyncio.to_thread(self._look):
                    await self._decide(row)

    async def _decide(self, row: sa.Row) -> None:
        now = asyncio.get_running_loop().time()
        if row.channel == str(DeliveryChannel.EBMS2):
            if self.switches:
                await self._order(row.message, What.MAIL)
        elif now - self._seen.setdefault(row.id, now) > PATIENCE_SECONDS:
            await self._order(row.message, What.RESUME)

    def _look(self) -> list[sa.Row]:
        """Nothing is to be seen before there are tables, and while the server is down."""
        try:
            with self._connect() as db:
                return list(db.execute(_WAITING))
        except sa.exc.DBAPIError:
            return []

    async def _order(self, message: str, what: What) -> None:
        """The gateway may be dead, or have a reason not to."""
        if self._orders is None:
            self._orders = await self._beside() if self._shared else self._by_socket
        with suppress(aiohttp.ClientError, OSError, GatewayError, TimeoutError):
            await self._orders(message, what)

    async def _by_socket(self, message: str, what: What) -> object:
        socket = self._config.parent / "data" / NAME
        order = {"door": WHO, "reden": WHY}
        return await ask_process(socket, f"{KIND[what]}/{message}/{what}", order)

    async def _beside(self) -> Order:
        """As the command line does on PostgreSQL; opened once, since that takes a second."""
        here = await self._stack.enter_async_context(build(load_installation(self._config)))
        desk = desk_of(here.store, here.gateway)
        return lambda message, what: desk.perform(Command(what=what, id=message, who=WHO, why=WHY))


_LETTER = deliveries.c.channel == str(DeliveryChannel.MAIL)
_WAITING = sa.select(deliveries.c.id, deliveries.c.message, deliveries.c.channel).where(
    deliveries.c.kind == str(DeliveryKind.MESSAGE),
    sa.or_(
        sa.and_(_LETTER, deliveries.c.state == str(State.UNKNOWN)),
        sa.and_(
            ~_LETTER,
            deliveries.c.channel == str(DeliveryChannel.EBMS2),
            deliveries.c.state.in_([str(State.READY), str(State.SENT), str(State.UNKNOWN)]),
            deliveries.c.attempt > 0,
        ),
    ),
)
