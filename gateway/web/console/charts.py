"""Numbers as bars in a table: the table is its own alternative, and fits a narrow screen."""

from collections.abc import Iterable, Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One row: a number, and the part of it that something holds for."""

    label: str
    whole: int
    part: int
    width: int
    """Of the whole; 0 to `WIDEST`."""
    part_width: int

    @property
    def percent(self) -> str:
        """Return the part, rounded; what is something is never said to be nothing."""
        if not self.whole:
            return "–"
        percent = round(100 * self.part / self.whole)
        return f"{percent} %" if percent or not self.part else "< 1 %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """A table with a bar in each row, of which a part has another colour."""

    rows: Sequence[Share]


def shares(numbers: Iterable[tuple[str, int, int]]) -> Shares:
    """Return the rows: label, whole and part of each, each bar by the largest whole."""
    given = list(numbers)
    most = max((whole for _, whole, _ in given), default=0)
    return Shares(
        rows=[
            Share(
                label=label,
                whole=whole,
                part=part,
                width=_width(whole, most),
                part_width=_width(part, most),
            )
            for label, whole, part in given
        ]
    )


def _width(number: int, most: int) -> int:
    return max(1, round(WIDEST * number / most)) if number and most else 0
