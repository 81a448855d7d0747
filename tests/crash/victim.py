"""Makes victims: a process that has imported everything and forks one per start.

Each victim runs the real `gateway serve` on its own sockets and its own connections
to the database. Commands come on standard input, one JSON object a line:

    {"start": folder, "log": file, "die": [boundary, nth] or null, "options": {}}
                                                                     -> {"started": pid}
    {"arm": pid, "die": [boundary, nth, signal]}
    {"kill": pid, "signal": number}

and {"stopped": pid} is told when one stands still,
{"ended": pid, "status": code} when one has ended.
"""

import gc
import json
import os
import selectors
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from gateway.cli.serving import serve
from gateway.explainer import Explainer
from tests.crash.hooks import Fuse, install


class Nursery:
    """Forks, arms, signals and buries."""

    def __init__(self, fuse: Fuse):
        self._fuse = fuse
        self._wires: dict[int, int] = {}

    def run(self) -> None:
        """Obey until standard input ends; then nothing is left running."""
        with selectors.DefaultSelector() as ready:
            bell, ring = os.pipe()
            os.set_blocking(ring, False)
            signal.set_wakeup_fd(ring)
            signal.signal(signal.SIGCHLD, lambda *_: None)
            ready.register(0, selectors.EVENT_READ)
            ready.register(bell, selectors.EVENT_READ)
            rest = b""
            while True:
                for key, _ in ready.select():
                    octets = os.read(key.fd, 65_536)
                    if key.fd == bell:
                        self._bury()
                        continue
                    if not octets:
                        self._kill_all()
                        return
                    *lines, rest = (rest + octets).split(b"\n")
                    for line in lines:
                        self._obey(json.loads(line))

    def _obey(self, command: dict) -> None:
        match command:
            case {"start": folder, "log": output, "die": die, "options": options}:
                self._start(Path(folder), Path(output), die, options)
            case {"arm": pid, "die": die} if pid in self._wires:
                os.write(self._wires[pid], json.dumps(die).encode() + b"\n")
            case {"kill": pid, "signal": number} if pid in self._wires:
                os.kill(pid, number)

    def _start(self, folder: Path, output: Path, die: list | None, options: dict) -> None:
        ears, wire = os.pipe()
        pid = os.fork()
        if pid == 0:
            for other in (wire, *self._wires.values()):
                os.close(other)

            def work() -> None:
                _redirect(output)
                serve(folder, **options)

            _become(work, ears, die, self._fuse)
        os.close(ears)
        self._wires[pid] = wire
        _tell({"started": pid})

    def _bury(self) -> None:
        for pid in tuple(self._wires):
            found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if found and os.WIFSTOPPED(status):
                _tell({"stopped": pid})
            elif found:
                os.close(self._wires.pop(pid))
                _tell({"ended": pid, "status": os.waitstatus_to_exitcode(status)})

    def _kill_all(self) -> None:
        for pid in self._wires:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _tell(what: dict) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def _become(work: Callable[[], None], ears: int, die: list | None, fuse: Fuse) -> None:
    """Be `gateway serve`, in the forked process; never returns."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if die is not None:
            fuse.arm(*die)
        threading.Thread(target=_listen, args=(ears, fuse), daemon=True).start()
        work()
        status = 0
    except BaseException as error:  # noqa: BLE001 - nothing of the parent may run on
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def _redirect(output: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for old, new in ((nothing, 0), (handle, 1), (handle, 2)):
        os.dup2(old, new)


def _listen(ears: int, fuse: Fuse) -> None:
    """Take commands; die with the parent."""
    with os.fdopen(ears) as lines:
        for line in lines:
            fuse.arm(*json.loads(line))
    os.kill(os.getpid(), signal.SIGKILL)


async def _leave_cold(_self: Explainer, _schemas: object) -> None:
    """The child that explains refusals costs seconds at each start; nothing is refused here."""


if __name__ == "__main__":
    import gateway.service  # noqa: F401 - `serve` imports it late; here it must be before the fork

    Explainer.warm = _leave_cold
    fuse = Fuse()
    install(fuse)
    gc.collect()
    gc.freeze()  # a child that collects would copy all of it
    Nursery(fuse).run()
