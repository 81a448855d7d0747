"""What was found, as files that can be judged again."""

import traceback
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

from tests.fuzz.table import TABLE
from tests.fuzz.target import Broken, Target


class Findings:
    """A file for each place where something went wrong, with the first input that led there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[str] = set()

    def add(self, target: Target, octets: bytes, error: Exception) -> None:
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = str(error) if isinstance(error, Broken) else type(error).__name__
        key = f"{text}, {Path(where.filename).name}:{where.lineno}"
        if key in self._seen:
            return
        self._seen.add(key)
        told = "".join(traceback.format_exception(error))
        name = f"{target.name}-{sha256(key.encode()).hexdigest()[:8]}.txt"
        text = f"target: {target.name}\nwhat: {key}\n\n{b64encode(octets).decode()}\n\n{told}"
        (self._folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")


def read_finding(path: Path) -> tuple[Target, bytes]:
    """Return the target and the input of a finding."""
    head, octets, *_ = path.read_text(encoding="utf-8").split("\n\n")
    fields = dict(line.split(": ", 1) for line in head.split("\n"))
    return TABLE[fields["target"]], b64decode(octets)
