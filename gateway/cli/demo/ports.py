"""Ports that stay free while the process that listens on them is stopped and started."""

import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from errno import EADDRNOTAVAIL
from secrets import SystemRandom
from typing import Final

_RANGE: Final = range(20_000, 32_000)
"""Below those that the kernel gives to outgoing connections."""

_KEPT: Final = 512
_claims: Final[deque[int]] = deque()
"""What was given out last: sockets that hold the same number for UDP on an address that nobody
uses, for as long as this process lives. Who asks elsewhere on this machine sees them, though
nothing listens on the port yet."""

_ASIDE: Final = "127.0.0.2"


def free_ports(count: int, *, among: Sequence[int] = _RANGE) -> Iterator[int]:
    """Yield ports that are free, and that no process of this machine was given before.

    Raises OSError when there are not so many.
    """
    for port in SystemRandom().sample(among, len(among)):
        if count == 0:
            return
        if _is_free(port) and _claim(port):
            count -= 1
            yield port
    if count:
        raise OSError(EADDRNOTAVAIL, "no port is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


def _claim(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as claim, suppress(OSError):
        claim.bind((_ASIDE, port))
        _claims.append(claim.detach())
        if len(_claims) > _KEPT:
            os.close(_claims.popleft())
        return True
    return False
