"""Thinking again by the directory of now, when it changed while we thought."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.errors import StaleSnapshot
from gateway.ports import Snapshots

T = TypeVar("T")

RETHINK = 3
"""Times that the directory may change under one message."""


async def rethinking(snapshots: Snapshots, think: Callable[[], Awaitable[T]]) -> T:
    """Return what `think` does by a directory that is still current when it commits.

    Another process may have moved the epoch a moment before this one has the new files:
    they are waited for. Raises StaleSnapshot when they do not come, or change again and again.
    """
    for _ in range(RETHINK - 1):
        epoch = snapshots.current().epoch
        try:
            return await think()
        except StaleSnapshot:
            if not await snapshots.moved(epoch):
                raise
    return await think()
