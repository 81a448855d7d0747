"""How many connections and files the process may have open."""

import resource
from contextlib import suppress


def allow_all() -> None:
    """Raise the soft limit to the hard one: a shell gives 1,024, which connections use up.

    Where that may not be changed (the sandbox of our systemd unit, which sets it itself) it stays.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
