"""Query parameters, read strictly: a typo never means "default"."""

from aiohttp import web

from gateway.errors import Malformed

_WORDS = {"true": True, "false": False}


def only(request: web.Request, *names: str) -> None:
    """Raise Malformed `request.query` for a parameter that is unknown or given twice."""
    for name in request.query:
        if name not in names or len(request.query.getall(name)) > 1:
            # The name is the client's own text: it is not repeated.
            raise _wrong("Een parameter is onbekend of staat er dubbel.", ",".join(names))


def boolean(request: web.Request, name: str) -> bool | None:
    """Return true or false, None when it was not given."""
    text = request.query.get(name)
    if text is None:
        return None
    if text not in _WORDS:
        raise _wrong("Geef true of false.", name)
    return _WORDS[text]


def choice(request: web.Request, name: str, among: frozenset[str]) -> str | None:
    """Return one of `among`, None when it was not given."""
    text = request.query.get(name)
    if text is not None and text not in among:
        raise _wrong(f"Geef een van: {', '.join(sorted(among, key=int))}.", name)
    return text


def whole(request: web.Request, name: str, *, default: int, least: int, most: int) -> int:
    """Return a whole number within bounds."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        raise _wrong(f"Geef een geheel getal van {least} tot en met {most}.", name)
    if not least <= int(text) <= most:
        raise _wrong(f"Geef een geheel getal van {least} tot en met {most}.", name)
    return int(text)


def _wrong(text: str, name: str) -> Malformed:
    return Malformed("request.query", text, where=name)
