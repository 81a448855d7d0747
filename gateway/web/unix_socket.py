"""A Unix socket in the file system, with rights from its first moment."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def bind(path: Path, *, mode: int = 0o600, group: int | None = None) -> socket.socket:
    """Take the place of a socket that a crash left; raises OSError.

    `group` is a gid. A folder with the setgid bit gives it by itself; otherwise the process must
    be allowed to. Until it has the socket, nobody but our own user can connect.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        os.fchmod(listener.fileno(), 0o600)
        path.unlink(missing_ok=True)
        with short(path) as name:
            listener.bind(name)
        if group not in (None, path.lstat().st_gid):
            os.chown(path, -1, group, follow_symlinks=False)
        if mode != 0o600:  # noqa: PLR2004 - the mode it has
            path.chmod(mode)
    except OSError:
        with suppress(OSError):
            listener.close()
        raise
    return listener


def is_served(path: Path) -> bool:
    """Tell whether a living process takes connections there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            with short(path) as name:
                probe.connect(name)
        except OSError:
            return False
    return True


@contextmanager
def short(path: Path) -> Iterator[str]:
    """Name a socket by its folder's descriptor: the kernel takes 107 octets at most."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
