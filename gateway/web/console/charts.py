"""Numbers as bars in a table: the table is its own alternative, and fits a narrow screen."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDEST = 200
"""Units of the widest bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row."""

    label: str
    number: int
    width: int
    """0 to `WIDEST`; something is never nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A table with a bar in each row."""

    rows: Sequence[Bar]
    highest: Bar | None
    """None: there is nothing to show."""


def bars(numbers: Sequence[tuple[str, int]]) -> Bars:
    """Return the rows, each bar by the largest number."""
    most = max((number for _, number in numbers), default=0)
    rows = [
        Bar(label=label, number=number, width=_width(number, most)) for label, number in numbers
    ]
    highest = max(rows, key=lambda row: row.number, default=None)
    return Bars(rows=rows, highest=highest if most else None)


def _width(number: int, most: int) -> int:
    return max(1, round(WIDEST * number / most)) if number and most else 0
