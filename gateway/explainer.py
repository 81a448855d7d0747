"""The explainer as a process of its own: asked with a time limit, killed when it is late.

It is an extra. Whatever goes wrong here, the answer is "nothing to add" and what libxml2 found
stands; the process is started again at the next question.
"""

import asyncio
import json
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.errors import Finding, Severity

MAX_OCTETS = 1_000_000
_ROOT = Path(__file__).resolve().parents[1]
_ANSWER_OCTETS = 1_000_000


class Explainer:
    """Asks a child process what a schema expected. One question at a time.

    `seconds` bounds the wait for a turn and then the question; `start_seconds` bounds the
    start of the process, where there is none. The child has no network, no stderr, nothing of
    our environment, and at most 1 GiB of memory.
    """

    def __init__(self, *, seconds: float = 2.0, start_seconds: float = 10.0) -> None:
        """Start nothing yet: the first question does."""
        self._seconds = seconds
        self._start_seconds = start_seconds
        self._turn = asyncio.Lock()
        self._child: Process | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def warm(self, schemas: Iterable[Path]) -> None:
        """Start the process and have it compile these schemas, so that no question waits.

        A schema may take `start_seconds`; one that takes longer is left for later.
        """
        for schema in schemas:
            await self._within(self._start_seconds, _request(schema, b"", 0))

    async def explain(
        self, octets: bytes, schema: Path, *, max_errors: int = 5
    ) -> tuple[Finding, ...]:
        """Return findings that say what the schema allows; empty when there is nothing to add.

        Empty too for documents of more than 1 MB, when time is up and when the process dies.
        """
        if not octets or len(octets) > MAX_OCTETS:
            return ()
        return await self._within(self._seconds, _request(schema, octets, max_errors))

    async def close(self) -> None:
        """Kill the process, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
        if child.stdin is not None:
            child.stdin.close()

    async def _within(self, seconds: float, request: bytes) -> tuple[Finding, ...]:
        try:
            async with asyncio.timeout(seconds):
                await self._turn.acquire()
        except TimeoutError:
            return ()
        try:
            return await self._ask(seconds, request)
        finally:
            self._turn.release()

    async def _ask(self, seconds: float, request: bytes) -> tuple[Finding, ...]:
        answered = False
        try:
            child = self._child or await self._start()
            async with asyncio.timeout(seconds):
                findings = await _exchange(child, request)
            answered = True
        except (TimeoutError, OSError, EOFError, ValueError, KeyError, TypeError):
            return ()
        finally:
            # Also when the caller gives up: an answer that nobody read would be the next one's.
            if not answered:
                await self.close()
        return findings

    async def _start(self) -> Process:
        self._child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-s", "-P", "-m", "gateway.wire.explain"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
        )
        async with asyncio.timeout(self._start_seconds):
            await _answer(self._child)
        return self._child


def _request(schema: Path, octets: bytes, max_errors: int) -> bytes:
    head = json.dumps({"schema": str(schema.resolve()), "max_errors": max_errors}).encode()
    return _frame(head) + _frame(octets)


def _frame(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


async def _exchange(child: Process, request: bytes) -> tuple[Finding, ...]:
    if child.stdin is None:
        raise BrokenPipeError
    child.stdin.write(request)
    await child.stdin.drain()
    return await _answer(child)


async def _answer(child: Process) -> tuple[Finding, ...]:
    if child.stdout is None:
        raise BrokenPipeError
    (length,) = struct.unpack(">I", await child.stdout.readexactly(4))
    if length > _ANSWER_OCTETS:
        raise ValueError
    found = json.loads(await child.stdout.readexactly(length))
    return tuple(Finding(**{**each, "severity": Severity(each["severity"])}) for each in found)
