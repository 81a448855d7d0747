"""Tables in Markdown."""

from collections.abc import Iterator, Sequence


def cell(text: str) -> str:
    """Return text that can stand in a cell: one line, no bar, no tag but a line break."""
    plain = " ".join(text.split()).replace("|", "\\|")
    return plain.replace("<", "&lt;").replace("&lt;br>", "<br>")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(cell(text) for text in row)} |"
