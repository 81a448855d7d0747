"""A message as the body of a mail: for a person, as text and as HTML.

The HTML has no script, style, image or link: nothing in it is fetched or run, and a mail program
that shows only text shows the same. What is in the message is a text in either.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from gateway.wire.shown import Document, Shown

_WHOLE = "Het bericht zelf staat in de bijlage."
_PARTLY = "Hier staat niet alles: het hele bericht staat in de bijlage."
_INDENT = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One body, written twice. Lines of the text end in CRLF."""

    text: str
    html: str


def body(document: Document | None, *, title: str, sentences: Sequence[str]) -> Body:
    """Return what a person reads: title, sentences, then the message, as far as it is readable."""
    whole = document is not None and document.whole
    last = _WHOLE if whole else _PARTLY
    parts = () if document is None else _in_order(document)
    lines = [title, "", *sentences, *([""] if sentences else []), *_lines(parts), "", last]
    paragraphs = "".join(f"<p>{escape(one)}</p>\n" for one in sentences)
    html = (
        '<!DOCTYPE html>\n<html lang="nl"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head>\n<body><h1>{escape(title)}</h1>\n"
        f"{paragraphs}{''.join(_list(parts))}<p>{last}</p>\n</body></html>\n"
    )
    return Body(text="\r\n".join(lines) + "\r\n", html=html)


def _in_order(document: Document) -> Sequence[Shown]:
    """Return what it says, then how it travels."""
    root, head = document.root, document.head
    if head is None or _value(root):
        return (root,)
    return (*(part for part in root.parts if part is not head), head)


def _lines(parts: Sequence[Shown], indent: str = "") -> Iterator[str]:
    for part in parts:
        first, *others = _value(part).splitlines() or [""]
        yield f"{indent}{part.label}: {first}" if first else f"{indent}{part.label}"
        yield from (f"{indent}{_INDENT}{line}" for line in others)
        yield from _lines(part.parts, indent + _INDENT)


def _list(parts: Sequence[Shown]) -> Iterator[str]:
    if not parts:
        return
    yield "<ul>\n"
    for part in parts:
        value = escape(_value(part)).replace("\n", "<br>")
        yield f"<li><b>{escape(part.label)}</b>{': ' if value else ''}{value}\n"
        yield from _list(part.parts)
        yield "</li>\n"
    yield "</ul>\n"


def _value(part: Shown) -> str:
    """Return the value, with what its attributes say of it."""
    notes = f"({'; '.join(part.notes)})" if part.notes else ""
    return " ".join(one for one in (part.value, notes) if one)
