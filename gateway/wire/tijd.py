"""Moments as StUF writes them: digits, Dutch civil time, no zone.

The offset follows the rule of Directive 2000/84/EC (last Sunday of March to last Sunday of
October, both at 01:00 UTC), so that no time zone files are needed.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from gateway.errors import Malformed

_WINTER = timedelta(hours=1)
_SUMMER = timedelta(hours=2)
_LENGTHS = frozenset({8, 10, 12, 14, 15, 16, 17})
_EMPTY = "00000101000000000"
_FIELDS = ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))
"""Year to second."""


def civil(at: datetime) -> datetime:
    """Return Dutch civil time, naive, for the aware moment `at`."""
    return at.astimezone(UTC).replace(tzinfo=None) + _offset(at.astimezone(UTC))


def tijdstip(at: datetime) -> str:
    """Return `tijdstipBericht`: 17 digits, yyyymmddhhmmssmmm."""
    local = civil(at)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"


def read_tijdstip(text: str) -> datetime:
    """Return the moment (UTC) of a `tijdstipBericht` of 8 to 17 digits.

    What was left out counts as zero; in the hour that comes twice it is the first one.
    Raises Malformed `stuf.tijdstip`.
    """
    try:
        local = _local(text)
        moment = (local - _SUMMER).replace(tzinfo=UTC)
        if _offset(moment) == _SUMMER:
            return moment
        return (local - _WINTER).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Malformed("stuf.tijdstip", "Het tijdstip bestaat niet.") from None


def _local(text: str) -> datetime:
    if len(text) not in _LENGTHS or not (text.isascii() and text.isdigit()):
        raise ValueError
    full = text + _EMPTY[len(text) :]
    year, month, day, hour, minute, second = (int(full[i:j]) for i, j in _FIELDS)
    milliseconds = timedelta(milliseconds=int(full[14:17]))
    return datetime(year, month, day, hour, minute, second) + milliseconds  # noqa: DTZ001 - civil time has no zone


def _offset(utc: datetime) -> timedelta:
    start, end = _summer(utc.year)
    return _SUMMER if start <= utc < end else _WINTER


@lru_cache(maxsize=64)
def _summer(year: int) -> tuple[datetime, datetime]:
    """Return when summer time starts and ends."""
    return _last_sunday(year, 3), _last_sunday(year, 10)


def _last_sunday(year: int, month: int) -> datetime:
    """Return 01:00 UTC on the last Sunday of a month with 31 days."""
    last = date(year, month, 31)
    day = 31 - (last.weekday() + 1) % 7
    return datetime(year, month, day, 1, tzinfo=UTC)
