"""Places in the list of messages, as clients keep them: opaque, and good for as long as they like.

The check is there for typos and for what was never a cursor; who makes one up sees only what he
may see anyhow.
"""

import re
from zlib import crc32

from gateway.errors import Finding, SchemaViolation

CODE = "request.cursor"
_FORM = re.compile("([0-9a-f]{1,16})\\.([0-9a-f]{8})")


def write(position: int) -> str:
    """Return the cursor for a position."""
    return f"{position:x}.{_check(position)}"


def read(cursor: str, name: str) -> int:
    """Return the position; raise SchemaViolation `request.cursor`, with `name` of the parameter."""
    found = _FORM.fullmatch(cursor)
    if found is None or found[2] != _check(position := int(found[1], 16)) or position >= 1 << 63:
        raise SchemaViolation(
            (
                Finding(
                    code=CODE,
                    rule="query",
                    path=f"?{name}",
                    text="Dit is geen cursor van deze lijst.",
                    remedy="Gebruik de cursor of de link uit een vorig antwoord, ongewijzigd.",
                ),
            )
        )
    return position


def _check(position: int) -> str:
    return f"{crc32(b'berichten:%d' % position):08x}"
