"""Large bodies are worked on one at a time, whichever way they came in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Turns:
    """Who may work on a large body now; one for all listeners of a process."""

    large_bytes: int = 5_000_000
    """From here on a body is large: to work on it takes some seven times its octets."""
    done: Callable[[], None] = lambda: None
    """Called after each, on a thread, before the next one begins."""
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def turn(self, octets: int) -> AsyncIterator[None]:
        """Wait until the large bodies before this one are done; a small one waits for nobody."""
        if octets < self.large_bytes:
            yield
            return
        async with self._one:
            try:
                yield
            finally:
                await asyncio.to_thread(self.done)
