"""Files with a secret in them: read by their owner alone, or not at all."""

import os
import stat
from pathlib import Path

from gateway.errors import Misconfigured

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_private(path: Path, *, what: str = "Sleutelbestand", most: int = -1) -> bytes:
    """Return the content, `most` octets of it (-1 = all); `what` names the file, in Dutch.

    Raises Misconfigured `keys.missing` when it can not be read, `keys.permissions` when others
    may read it or write it.
    """
    try:
        with path.open("rb") as file:
            octets = file.read(most)
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise Misconfigured("keys.missing", f"{what} is niet te lezen.", where=str(path)) from error
    _check(mode, path)
    return octets


def check_private(path: Path) -> None:
    """Raise as `read_private`, without reading: for what another library reads."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise Misconfigured(
            "keys.missing", "Sleutelbestand is niet te lezen.", where=str(path)
        ) from error
    _check(mode, path)


def _check(mode: int, path: Path) -> None:
    if stat.S_IMODE(mode) & _OTHERS:
        raise Misconfigured(
            "keys.permissions",
            "Het bestand is leesbaar voor anderen; zet de rechten op 0600.",
            where=str(path),
        )
