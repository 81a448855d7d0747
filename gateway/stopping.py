"""How a process ends: in order at the first SIGTERM or SIGINT, at once at the second.

What hangs is left behind when the time is over. That loses nothing: what was acknowledged is
committed, and what was not is sent again.
"""

import asyncio
import os
import signal
import threading
from datetime import timedelta

import structlog

log = structlog.get_logger("gateway.stopping")

STOPS = (signal.SIGTERM, signal.SIGINT)
LATE = timedelta(seconds=5)
"""After the grace: for the last commits and the closing of the store."""
HURRY = timedelta(seconds=2)
"""The part of it that is for listeners which do not close."""
HUNG = 1
"""Exit status when something had to be left behind."""


class Stopping:
    """One per process. `asked` is set by the first signal."""

    def __init__(self, grace: timedelta) -> None:
        """Take how long requests and deliveries under way have."""
        self.asked = asyncio.Event()
        self.seconds = (grace + LATE).total_seconds()
        self._deadline: threading.Timer | None = None

    def listen(self) -> None:
        """Take the signals over, on the running loop."""
        loop = asyncio.get_running_loop()
        for number in STOPS:
            loop.add_signal_handler(number, self.ask)

    def ask(self) -> None:
        """Begin to stop. From now on a signal ends the process as it does any other."""
        loop = asyncio.get_running_loop()
        for number in STOPS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        self._deadline = threading.Timer(self.seconds, _leave)
        self._deadline.daemon = True
        self._deadline.start()
        self.asked.set()

    def done(self) -> None:
        """Everything was closed in time."""
        if self._deadline is not None:
            self._deadline.cancel()


def _leave() -> None:
    """End from a thread of its own: the loop or a thread of the store may be what hangs."""
    log.error("gateway.stop_late")
    os._exit(HUNG)
