"""One process at a time changes the files of an installation: console, command line, any of them.

The folder of gateway.toml is locked itself, so that no file is left behind, and a process that is
killed leaves no lock. It is asked for again and again: a thread that waits for it in the kernel can
not be called off, and would take it after its caller is gone.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from gateway.errors import Unavailable

PATIENCE_SECONDS = 20.0
"""A writer that takes longer hangs, or waits for a database that is away."""
PAUSE_SECONDS = 0.05


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Hold the turn in the block; raise Unavailable `import.bezig` when it does not come."""
    with _opened(folder) as handle:
        until = time.monotonic() + PATIENCE_SECONDS
        while not _taken(handle, until):
            time.sleep(PAUSE_SECONDS)
        yield


@asynccontextmanager
async def turn_of(folder: Path) -> AsyncIterator[None]:
    """Hold the turn in the block, as `turn`, without keeping the loop."""
    with _opened(folder) as handle:
        until = time.monotonic() + PATIENCE_SECONDS
        while not _taken(handle, until):  # noqa: ASYNC110 - nobody tells when a lock is free
            await asyncio.sleep(PAUSE_SECONDS)
        yield


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Closing gives the turn back."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def _taken(handle: int, until: float) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        if time.monotonic() >= until:
            raise Unavailable(
                "import.bezig",
                "Een ander proces wijzigt deze bestanden. Er is niets geschreven. Probeer het "
                "zo opnieuw.",
            ) from error
        return False
    return True
