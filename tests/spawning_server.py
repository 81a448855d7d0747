"""Imports once and forks often: the other end of `tests/spawning_stub.py`.

Arguments: the number of a listening socket, and what to import: `gateway`, all of it, or `others`,
only what it imports from others. Imported and nothing else: no event loop, thread or connection
stands here, so a fork takes none along. Ends, with all that it forked, when its standard input
ends.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

NEVER = (".__main__", ".migrations")
"""They do something when they are imported."""
FOR_TESTS = ("pytest", "_pytest.config", "hypothesis", "aiohttp.test_utils")


@dataclass(frozen=True)
class Asked:
    """A program to become."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str


class Server:
    """Forks, passes signals on and buries."""

    def __init__(self, listening: socket.socket):
        self._listening = listening
        self._stubs: dict[int, socket.socket] = {}
        self._ready = selectors.DefaultSelector()
        self._bell, self._ring = os.pipe()

    def run(self) -> Asked | None:
        """Serve until standard input ends; in a child, return what it has to be."""
        os.set_blocking(self._ring, False)
        signal.set_wakeup_fd(self._ring)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # is for the children
        for file in (0, self._bell, self._listening):
            self._ready.register(file, selectors.EVENT_READ)
        while True:
            for key, _ in self._ready.select():
                if key.fileobj == 0:
                    self._kill_all()
                    return None
                if key.fileobj == self._bell:
                    os.read(self._bell, 4096)
                    self._bury()
                elif key.fileobj is self._listening:
                    asked = self._take(self._listening.accept()[0])
                    if asked:
                        return asked
                else:
                    self._pass_on(key.fileobj, key.data)

    def _take(self, stub: socket.socket) -> Asked | None:
        _, files, _, _ = socket.recv_fds(stub, 16, 4)
        if len(files) < 4:  # killed before it asked
            stub.close()
            return None
        assert threading.active_count() == 1
        pid = os.fork()
        if pid == 0:
            self._forget()
            stub.close()
            return become(files)
        for file in files:
            os.close(file)
        self._stubs[pid] = stub
        self._ready.register(stub, selectors.EVENT_READ, pid)
        return None

    def _pass_on(self, stub: socket.socket, pid: int) -> None:
        if pid not in self._stubs:  # was buried a moment ago
            return
        try:
            number = stub.recv(16)
        except ConnectionError:
            number = b""
        if not number:  # the stub was killed, and cannot say so
            self._ready.unregister(stub)
        os.kill(pid, int(number or signal.SIGKILL))

    def _bury(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                stub = self._stubs.pop(pid)
                with suppress(OSError):
                    stub.send(b"%d" % os.waitstatus_to_exitcode(status))
                with suppress(KeyError):
                    self._ready.unregister(stub)
                stub.close()

    def _kill_all(self) -> None:
        for pid in self._stubs:
            os.kill(pid, signal.SIGKILL)

    def _forget(self) -> None:
        """Nothing of the server is left in a child."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        self._ready.close()
        for stub in self._stubs.values():
            stub.close()
        self._listening.close()
        os.close(self._bell)
        os.close(self._ring)


def become(files: list[int]) -> Asked:
    """Take the files, environment and folder of the stub; return what it asked."""
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
        os.close(file)
    with open(files[3], encoding="utf-8", errors="surrogateescape") as file:
        file.seek(0)
        asked = Asked(**json.load(file))
    os.environ.clear()
    os.environ.update(asked.environment)
    os.chdir(asked.folder)
    time.tzset()
    return asked


def streams(*, unbuffered: bool) -> None:
    """Make the three of Python again, as it does at its start."""
    errors = {"stdin": "strict", "stdout": "strict", "stderr": "backslashreplace"}
    for number, (name, how) in enumerate(errors.items()):
        binary = open(number, "rb" if number == 0 else "wb", closefd=False)
        by_line = number == 2 or binary.isatty()
        stream = type(sys.__stdout__)(
            binary, "utf-8", how, line_buffering=by_line, write_through=unbuffered and number > 0
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def run(asked: Asked) -> None:
    """Be `python [-u] -m MODULE …` or `python [-u] FILE …`."""
    first, *rest = asked.arguments
    streams(unbuffered=first == "-u")
    if first == "-u":
        first, *rest = rest
    own = (p for p in asked.environment.get("PYTHONPATH", "").split(os.pathsep) if p)
    sys.path[:] = [*own, *(p for p in sys.path if p not in SERVERS_OWN)]
    importlib.invalidate_caches()
    if first == "-m":
        sys.argv[:] = rest
        sys.path.insert(0, os.getcwd())
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = [first, *rest]
        sys.path.insert(0, os.path.dirname(os.path.abspath(first)))
        runpy.run_path(first, run_name="__main__")


def modules_of_gateway() -> Iterator[str]:
    import gateway

    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if not any(word in module.name for word in NEVER):
            yield module.name


def import_all() -> None:
    for name in (*FOR_TESTS, *modules_of_gateway()):
        importlib.import_module(name)


def import_others() -> None:
    """A child finds out which they are: nothing of the gateway is ever loaded here."""
    read, write = os.pipe()
    if os.fork() == 0:
        os.close(read)
        import_all()
        with open(write, "w", encoding="utf-8") as found:
            found.write("\n".join(name for name in sys.modules if not of_gateway(name)))
        os._exit(0)
    os.close(write)
    with open(read, encoding="utf-8") as found:
        names = found.read().splitlines()
    os.wait()
    for name in names:
        with suppress(ImportError):  # of modules that others made, without a file
            importlib.import_module(name)
    assert not any(map(of_gateway, sys.modules))


def of_gateway(name: str) -> bool:
    return name.partition(".")[0] in ("gateway", "tests")


SERVERS_OWN = [sys.path[0], os.environ["PYTHONPATH"]]


def main() -> None:
    listening = socket.socket(fileno=int(sys.argv[1]))
    {"gateway": import_all, "others": import_others}[sys.argv[2]]()
    gc.collect()
    gc.freeze()
    asked = Server(listening).run()
    if asked:
        run(asked)


if __name__ == "__main__":
    main()
