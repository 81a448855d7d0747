"""Kills or stops its own process at a boundary. It is put around the code from outside."""

import importlib
import inspect
import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from tests.crash.boundaries import BOUNDARIES, Boundary

_running = threading.local()
"""`units`: what this thread is committing now."""


class Fuse:
    """Counts passes through one boundary, and gives its own process a signal at the last."""

    def __init__(self):
        self._lock = threading.Lock()
        self._name, self._left, self._signal = "", 0, signal.SIGKILL

    def arm(self, name: str, nth: int, number: int = signal.SIGKILL) -> None:
        with self._lock:
            self._name, self._left, self._signal = name, nth, number

    def burn(self, boundary: Boundary, args: tuple[Any, ...]) -> None:
        if boundary.name != self._name:
            return
        if boundary.which and boundary.which not in words(args):
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._signal)


def install(fuse: Fuse) -> None:
    """Put the fuse before and after every place of the table."""
    _wrap("gateway.store.commit:Committer._together", _notes_units)
    for place in dict.fromkeys(b.place for b in BOUNDARIES):
        here = [b for b in BOUNDARIES if b.place == place]
        _wrap(place, lambda call, here=here: _fused(call, fuse, here))


def find(place: str) -> tuple[Any, str, Callable[..., Any]]:
    """Return owner, name and function of a place; raise when the code has no such thing."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner = importlib.import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    call = inspect.getattr_static(owner, name)
    if not inspect.isfunction(call):
        raise TypeError(place)
    return owner, name, call


def words(args: tuple[Any, ...]) -> set[str]:
    """Say what a call is about.

    A unit of the running batch: `Admit`, and with its claim `Settle bericht`; a claim:
    `bericht` or `signaal`; an HTTP request: its method and the last part of its path.
    """
    return {word for arg in (*args, *_units()) for word in _words(arg)}


def _words(arg: Any) -> Iterator[str]:
    name = type(arg).__name__
    yield name
    claim = getattr(arg, "claim", None)
    if name == "Claim":
        yield str(arg.kind)
    elif hasattr(claim, "kind"):
        yield f"{name} {claim.kind}"
    elif name == "Request":
        yield f"{arg.method} {arg.path.rpartition('/')[2]}"


def _units() -> tuple[Any, ...]:
    return getattr(_running, "units", ())


def _notes_units(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def together(self: Any, units: Any) -> Any:
        _running.units = tuple(units)
        try:
            return call(self, units)
        finally:
            _running.units = ()

    return together


def _fused(call: Callable[..., Any], fuse: Fuse, here: list[Boundary]) -> Callable[..., Any]:
    before = [b for b in here if b.side == "before"]
    after = [b for b in here if b.side == "after"]

    def burn(boundaries: list[Boundary], args: tuple[Any, ...]) -> None:
        for boundary in boundaries:
            fuse.burn(boundary, args)

    @wraps(call)
    def direct(*args: Any, **kwargs: Any) -> Any:
        burn(before, args)
        result = call(*args, **kwargs)
        burn(after, args)
        return result

    @wraps(call)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        burn(before, args)
        result = await call(*args, **kwargs)
        burn(after, args)
        return result

    return awaited if inspect.iscoroutinefunction(call) else direct


def _wrap(place: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    owner, name, call = find(place)
    setattr(owner, name, around(call))
