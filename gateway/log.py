"""Logging: events with facts, one line each, for machines or for a terminal.

Third-party loggers go through the same processors and are held at INFO or above: some print
plaintext at DEBUG. Keys that name secrets or content are dropped wherever they come from,
octets are never printed, and of an exception only its kind and place: its text may hold a
value of a message.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from enum import StrEnum
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from gateway import codes


class Style(StrEnum):
    """How lines look."""

    JSON = "json"
    TERMINAL = "terminal"


DROPPED = frozenset(
    {
        "authorization",
        "body",
        "envelope",
        "key",
        "octets",
        "passphrase",
        "password",
        "payload",
        "payloads",
        "private_key",
        "secret",
        "token",
    }
)
LONGEST = 500
"""Characters of one value."""

_HINTED = frozenset({"warning", "error", "critical"})
_OCTETS = (bytes, bytearray, memoryview)
_HELD = {
    "aiohttp.access": logging.WARNING,  # one line per request is ours
    "aiohttp": logging.INFO,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "signxml": logging.INFO,  # its DEBUG prints the canonicalised plaintext
    "sqlalchemy": logging.WARNING,  # its INFO prints statements with values
    "xmlschema": logging.WARNING,
}


def setup(*, style: str = Style.JSON, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logging to `stream` (standard error); calling it again replaces that.

    `level` is that of the gateway's own loggers; others never go below INFO.
    """
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=list(_common()),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_end(style)],
        )
    )
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("gateway").setLevel(level.upper())
    for name, least in _HELD.items():
        logging.getLogger(name).setLevel(least)
    logging.captureWarnings(capture=True)
    # Our own events need no detour along `logging`.
    structlog.configure(
        processors=[*_common(), *_end(style)],
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
        logger_factory=lambda name="": _Direct(name, handler),
        cache_logger_on_first_use=False,
    )


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, to be found again."""

    def line(self, text: str) -> None:
        """Write one line; a log that can not be written stops nothing."""
        with self.lock or nullcontext(), suppress(OSError, ValueError):
            self.stream.write(f"{text}\n")
            self.flush()


class _Direct:
    """A logger of ours: each method writes one rendered line."""

    __slots__ = ("debug", "error", "info", "name", "warning")

    def __init__(self, name: str, handler: _Handler) -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = handler.line


def _common() -> Iterable[Processor]:
    return (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="tijd"),
    )


def _end(style: str) -> Iterable[Processor]:
    if style == Style.TERMINAL:
        return (no_traces, no_secrets, with_hint, structlog.dev.ConsoleRenderer(colors=False))
    return (no_traces, no_secrets, with_hint, _json)


_encode = json.JSONEncoder(ensure_ascii=False, default=repr).encode


def _json(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    return _encode(event)


def no_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Drop what names a secret or content; show octets by their number only."""
    return {key: _shown(value) for key, value in event.items() if key.lower() not in DROPPED}


def with_hint(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Add to a warning or error what to do, where its code or name is in the registry."""
    if event.get("level") in _HINTED and "hint" not in event:
        for told in (event.get("code"), event.get("event")):
            code = codes.find(told) if isinstance(told, str) else None
            if code is not None:
                event["hint"] = code.remedy
                break
    return event


def no_traces(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Replace an exception by its kind and the line that raised it."""
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = _error(info)
    if error is not None:
        event["error"] = type(error).__name__
        event["place"] = place(error)
    return event


def _error(info: object) -> BaseException | None:
    if info is True:
        return sys.exc_info()[1]
    if isinstance(info, tuple):
        return info[1] if isinstance(info[1], BaseException) else None
    return info if isinstance(info, BaseException) else None


def place(error: BaseException) -> str:
    """Return file and line where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _shown(value: object) -> object:
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[:LONGEST] + "…"
    if isinstance(value, _OCTETS):
        return f"<{len(value)} octets>"
    return value
