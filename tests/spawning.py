"""Processes without the start of Python: a server imports everything once, and forks each.

`program("-m", "gateway", …)` is a command line as `[sys.executable, "-m", "gateway", …]` is one,
and whoever starts it sees what the program does: its output, its exit status, its death. What is
started is a stub (`tests/spawning_stub.py`) that lends the forked program its arguments,
environment, folder and files, and passes signals on. Two things differ: its pid is that of the
stub, and its parent is the server.
"""

import atexit
import os
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent
STUB = (sys.executable, "-I", "-S", str(HERE / "spawning_stub.py"))


def program(*arguments: str) -> tuple[str, ...]:
    """Return the command line that runs this with all modules of the gateway imported."""
    return *STUB, _server("gateway"), *arguments


def without_gateway(*arguments: str) -> tuple[str, ...]:
    """The same with what the gateway imports from others only.

    Each module of the gateway is then loaded by the program, from the first folder on its path.
    """
    return *STUB, _server("others"), *arguments


@cache
def _server(imports: str) -> str:
    """Start one for as long as this process runs; return the socket that it listens on."""
    folder = tempfile.TemporaryDirectory(prefix="spawning-")
    path = str(Path(folder.name) / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(path)
        listening.listen(64)
        number = listening.fileno()
        server = subprocess.Popen(
            [sys.executable, str(HERE / "spawning_server.py"), str(number), imports],
            cwd=folder.name,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            pass_fds=[number],
        )

    def end() -> None:
        server.stdin.close()
        server.wait()
        folder.cleanup()

    atexit.register(end)
    return path
