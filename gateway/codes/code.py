"""What one dotted code means, for whoever meets it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import GatewayError


class Told(StrEnum):
    """Who meets a code, and where."""

    API = "back-end"
    """Problem details of the REST interface."""
    EBMS = "partner"
    """SOAP Fault or MessageError; only a bland class of it, never the code itself."""
    FO01 = "sender"
    """A Fo01, after the message was acknowledged."""
    OPERATOR = "operator"
    """Log, audit, trace of a message, alarm, command line."""
    CONSOLE = "user"
    """A page of the console."""
    START = "start"
    """The program does not start, or keeps the old configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One line of the registry."""

    code: str
    """`*` as the last part stands for any."""
    error: type[GatewayError] | None
    """The class that carries it; None for an alarm or a reason in a trace."""
    told: tuple[Told, ...]
    meaning: str
    remedy: str

    @property
    def retry(self) -> bool:
        """Whether the same may succeed later, without a change by anybody."""
        return self.error is not None and self.error.retry


def family(
    error: type[GatewayError] | None,
    told: tuple[Told, ...],
    rows: Mapping[str, tuple[str, str]],
) -> tuple[Code, ...]:
    """Return the lines of codes that have class and listeners in common."""
    return tuple(
        Code(code=code, error=error, told=told, meaning=meaning, remedy=remedy)
        for code, (meaning, remedy) in rows.items()
    )
