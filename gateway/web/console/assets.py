"""Stylesheet, script and icon, under names that change with their octets: kept for ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from aiohttp import web

from gateway.errors import Misconfigured

_FOLDER = Path(__file__).parent / "static"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
THEME = "theme.css"
MOST_THEME = 200_000
"""Octets."""


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    octets: bytes
    kind: str


class Assets:
    """All of them, read once."""

    def __init__(self, theme: Path | None = None) -> None:
        """Read them; raises Misconfigured `console.theme`."""
        found = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir())}
        if theme is not None:
            found[THEME] = _theme(theme)
        self._of: dict[str, Asset] = {}
        self._paths: dict[str, str] = {}
        for name, octets in found.items():
            stem, dot, suffix = name.rpartition(".")
            hashed = f"{stem}.{sha256(octets).hexdigest()[:16]}{dot}{suffix}"
            self._of[hashed] = Asset(hashed, octets, _KINDS[dot + suffix])
            self._paths[name] = f"/static/{hashed}"

    @property
    def paths(self) -> Mapping[str, str]:
        """Return name → address."""
        return self._paths

    def answer(self, name: str) -> web.Response:
        """Return one of them; raises 404."""
        found = self._of.get(name)
        if found is None:
            raise web.HTTPNotFound
        return web.Response(
            body=found.octets,
            headers={
                "Content-Type": f"{found.kind}; charset=utf-8",
                "Cache-Control": "public, max-age=31536000, immutable",
            },
        )


def _theme(path: Path) -> bytes:
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            "console.theme", "Het themabestand is niet te lezen.", where=str(path)
        ) from error
    if len(octets) > MOST_THEME:
        raise Misconfigured("console.theme", "Het themabestand is te groot.", where=str(path))
    return octets
