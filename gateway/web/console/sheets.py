"""Tables as files for a spreadsheet."""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO

_FORMULA = re.compile(r"(^|[;\t\r\n])(?=\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])|^(?=[\t\r])")
"""Also behind a semicolon: a Dutch spreadsheet splits a line there, within quotes or not."""


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return RFC 4180; what a spreadsheet would take for a formula is made text."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow(_FORMULA.sub(r"\g<0>'", cell) for cell in row)
    return out.getvalue()
