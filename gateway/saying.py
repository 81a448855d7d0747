"""A sentence for people that is put together later, in the language of who reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

Value = str | int | datetime
MOMENT = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True, slots=True)
class Line:
    """Dutch with `{names}`, and what they stand for."""

    text: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return it in Dutch, moments in UTC."""
        return self.text.format(**{name: plain(value) for name, value in self.values.items()})


def plain(value: Value) -> str:
    """Return a value as a terminal shows it."""
    return f"{value.astimezone(UTC):{MOMENT}}" if isinstance(value, datetime) else str(value)
