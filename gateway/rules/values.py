"""Numbers and dates that a schema can not judge."""

import re
from datetime import date, datetime
from operator import mul

_OIN = re.compile(r"[0-9]{20}")
_DIGITS = re.compile(r"[0-9]*")
_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_BSN = re.compile(r"[0-9]{9}")
_KNOWN_DIGITS = {"D": 6, "M": 4, "J": 0}
"""indOnvolledigeDatum: from which part on (dag, maand, jaar) a date is not known."""
_DATE_DIGITS = 8


def is_oin(text: str) -> bool:
    """Tell whether this is an OIN by its form: 20 digits (OIN-stelsel, chapter 6)."""
    return _OIN.fullmatch(text) is not None


def passes_elfproef(bsn: str) -> bool:
    """Tell whether nine digits are a possible BSN (Logisch ontwerp BSN, elfproef).

    The weights are 9 to 2, and -1 for the last digit; the sum is a multiple of eleven.
    """
    if not _BSN.fullmatch(bsn) or not int(bsn):
        return False
    total: int = sum(map(mul, _WEIGHTS, map(int, bsn)))
    return total % 11 == 0


def known_part(text: str, incomplete: str = "") -> str | None:
    """Return the digits of a yyyymmdd date that count; None when it does not exist.

    `incomplete` is the attribute indOnvolledigeDatum: the result is shorter then, and what
    stands behind it says nothing.
    """
    wanted = _KNOWN_DIGITS.get(incomplete, _DATE_DIGITS)
    if len(text) > _DATE_DIGITS or not _DIGITS.fullmatch(text):
        return None
    if wanted == _DATE_DIGITS and len(text) != _DATE_DIGITS:
        return None
    return text[:wanted] if len(text) >= wanted and _exists(text[:wanted]) else None


def _exists(digits: str) -> bool:
    year, month, day = digits[:4], digits[4:6] or "1", digits[6:8] or "1"
    try:
        date(int(year or "1"), int(month), int(day))
    except ValueError:
        return False
    return True


def years_between(birth: str, now: datetime) -> int | None:
    """Return the whole years from a yyyymmdd date to `now`; None when it has no day."""
    if len(birth) < _DATE_DIGITS:
        return None
    years = now.year - int(birth[:4])
    had_birthday = now.month * 100 + now.day >= int(birth[4:])
    return years if had_birthday else years - 1
