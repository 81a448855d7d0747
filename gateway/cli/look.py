"""What the reading commands share: the database of an installation, read-only."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from gateway.app import SystemClock
from gateway.installation import load_installation
from gateway.store.view import View

T = TypeVar("T")


def look(config: Path, work: Callable[[View], Awaitable[T]]) -> T:
    """Run `work` on the database of the installation; raises Misconfigured."""
    installation = load_installation(config)

    async def run() -> T:
        with View(
            installation.database, SystemClock(), password_file=installation.password_file
        ) as view:
            return await work(view)

    return asyncio.run(run())
