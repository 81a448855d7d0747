"""Ports that stay free while the process that listens on them is stopped and started."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from secrets import SystemRandom

_RANGE = range(20_000, 32_000)
"""Below those that the kernel gives to outgoing connections."""


def free_ports(count: int) -> Iterator[int]:
    """Yield ports that were free together a moment ago."""
    with ExitStack() as stack:
        for port in SystemRandom().sample(_RANGE, len(_RANGE)):
            if count == 0:
                return
            probe = stack.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                count -= 1
                yield port
