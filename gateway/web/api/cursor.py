"""Places in a list, as clients keep them: opaque, and good for as long as they like.

The check is there for typos and for what was never a cursor of such a list; who makes one up sees
only what he may see anyhow.
"""

import re
from zlib import crc32

from gateway.errors import Finding, SchemaViolation

CODE = "request.cursor"
_NUMBERS = re.compile("[0-9a-f]{1,16}(?:-[0-9a-f]{1,16})*")


def write(*numbers: int) -> str:
    """Return the cursor for a place: one number, or more where a list goes by more."""
    return f"{'-'.join(f'{n:x}' for n in numbers)}.{_check(numbers)}"


def read(cursor: str, name: str) -> int:
    """Return the place of one number; raises as `read_all`."""
    return read_all(cursor, name, count=1)[0]


def read_all(cursor: str, name: str, *, count: int) -> tuple[int, ...]:
    """Return the numbers of the place.

    Raises SchemaViolation `request.cursor`, with `name` of the parameter.
    """
    text, _, check = cursor.partition(".")
    if _NUMBERS.fullmatch(text):
        numbers = tuple(int(n, 16) for n in text.split("-"))
        if len(numbers) == count and check == _check(numbers) and max(numbers) < 1 << 63:
            return numbers
    raise refusal(name, "Dit is geen cursor van deze lijst.")


def refusal(name: str, text: str) -> SchemaViolation:
    """Return what to raise for a cursor that can not be used here."""
    found = Finding(
        code=CODE,
        rule="query",
        path=f"?{name}",
        text=text,
        remedy="Gebruik de cursor of de link uit een vorig antwoord, ongewijzigd.",
    )
    return SchemaViolation((found,))


def _check(numbers: tuple[int, ...]) -> str:
    return f"{crc32(b'berichten:' + b':'.join(b'%d' % n for n in numbers)):08x}"
