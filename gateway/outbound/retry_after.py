"""The header Retry-After (RFC 9110, 10.2.3)."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime


def retry_after(text: str, now: datetime) -> timedelta | None:
    """Return the wait that is asked for, not negative; None for what is neither form."""
    wait = _seconds(text) if text.isascii() and text.isdigit() else _until(text, now)
    return None if wait is None else max(wait, timedelta(0))


def _seconds(text: str) -> timedelta:
    """A number of more than nine digits is only "very long"."""
    return timedelta(seconds=int(text[:9]))


def _until(text: str, now: datetime) -> timedelta | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment - now if moment.tzinfo is not None else None
