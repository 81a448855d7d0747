"""docs/conformance.md: the requirements of the profiles, met how and tested where."""

from gateway.conformance import REQUIREMENTS
from gateway.docs_pages.markdown import table

PATH = "conformance.md"

_INTRODUCTION = """\
# Digikoppeling, row by row

What `gateway doctor --conformance` prints (`--json`: for other programs). Rows 1 to 34 are those of
DK-ebMS2 as [domain.md](domain.md) numbers them, the others those of DK-SEC. *voldaan*: met by the
program. *per CPA*: the program does what the agreement says, and `gateway cpa lint` looks at the
agreement ([cpa.md](cpa.md)). *niet*: optional or discouraged, and left out on purpose.

This page is made from `gateway/conformance.py` by `gateway docs`; a test keeps it so, and checks
that every test named here exists.
"""


def page() -> str:
    """Return docs/conformance.md."""
    heads = ("Nr", "Onderwerp", "Stand", "Hoe", "Getest in tests/")
    rows = [
        (row.id, row.topic, row.standing, row.how, "<br>".join(f"`{one}`" for one in row.tests))
        for row in REQUIREMENTS
    ]
    return "\n".join([_INTRODUCTION, *table(heads, rows)]) + "\n"
