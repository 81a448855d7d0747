"""Lists by keyset: cursors that nobody can make up, and links to what comes before and after."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from gateway.errors import PolicyViolation
from gateway.web.console.office import Marks

T = TypeVar("T")
PAGE = 50
"""Rows on a page."""
_MARK = 22
"""Characters of a mark on a cursor: 132 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[T]):
    """One page of a list."""

    rows: Sequence[T]
    first: str = ""
    """Link to the beginning; empty where this is it."""
    next: str = ""
    """Link to what comes after; empty at the end."""


def cursor(marks: Marks, of: str, place: str) -> str:
    """Return an opaque text for a place in the list `of`."""
    return f"{place}.{marks.mark(f'cursor:{of}', place)[:_MARK]}"


def place(marks: Marks, of: str, text: str) -> str | None:
    """Return the place; None for an empty text. Raises PolicyViolation `console.cursor`."""
    if not text:
        return None
    found, _, _mark = text.rpartition(".")
    if not hmac.compare_digest(cursor(marks, of, found).encode(), text.encode()):
        raise PolicyViolation("console.cursor", "Deze plaats in de lijst bestaat niet.")
    return found


def onward(marks: Marks, of: str, path: str, filters: Mapping[str, str], last: object) -> str:
    """Return the address of what comes behind a place; None as the place = there is nothing."""
    return "" if last is None else link(path, filters, na=cursor(marks, of, str(last)))


def link(path: str, filters: Mapping[str, str], **more: str) -> str:
    """Return an address with the filters that are filled in."""
    query = {k: v for k, v in {**filters, **more}.items() if v}
    return f"{path}?{urlencode(query)}" if query else path
