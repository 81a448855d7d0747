"""Compiling the XSDs of strangers, in a program of its own that may be killed.

`python -m gateway.packs.trial FOLDER` reads two JSON lists of paths, compiles the first with
libxml2 and then the second with xmlschema, and prints one JSON line per result. It has no
network, starts nothing, and is bound in memory and time: a small XSD can ask for more than
there is.
"""

import json
import resource
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xmlschema

from gateway.errors import Misconfigured
from gateway.packs.limits import shown
from gateway.wire.explain import fence
from gateway.wire.schema import SchemaFault, compile_xsd

SECONDS = 60.0
"""For all XSDs of a pack together; the official ones take 2 to 6."""
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Trial:
    """Every XSD compiles."""

    explains: bool
    """Whether xmlschema can read them too."""


def try_out(
    folder: Path, tops: Iterable[str], entries: Iterable[str], *, seconds: float = SECONDS
) -> Trial:
    """Compile XSDs of a folder in another process; xmlschema only reads the entries.

    Raises Misconfigured `pack.compile` for one that does not, `pack.slow` when time or memory
    was not enough for libxml2.
    """
    wanted, explained = list(tops), sorted(set(entries))
    results = _results(folder, [wanted, explained], seconds)
    for path in wanted:
        fault = results.get(("libxml2", path), "slow")
        if fault == "slow":
            raise Misconfigured(
                "pack.slow",
                f"Een XSD is niet binnen {seconds:.0f} seconden en 1 GB te compileren. Zoek een"
                " zeer hoge maxOccurs, of herhalingen in elkaar.",
                where=shown(path),
            )
        if fault:
            raise Misconfigured(
                "pack.compile",
                f"Een XSD is niet te compileren ({fault}). Verbeter haar of vraag de uitgever.",
                where=shown(path),
            )
    return Trial(explains=all(results.get(("xmlschema", path)) == "" for path in explained))


def _results(folder: Path, asked: list[list[str]], seconds: float) -> dict[tuple[str, str], str]:
    """Return the fault by judge and path; what is absent was not reached."""
    command = (sys.executable, "-s", "-P", "-m", "gateway.packs.trial", str(folder))
    environment = {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    try:
        done = subprocess.run(  # noqa: S603 - our own program; the paths go over stdin
            command,
            input=json.dumps(asked).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=seconds,
            check=False,
        )
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    found = {}
    for line in output.splitlines():
        with suppress(ValueError):  # the last line of a killed process
            judge, path, fault = json.loads(line)
            found[judge, path] = fault
    return found


# --- the program ----------------------------------------------------------------------


def _tried(
    folder: Path, tops: Iterable[str], entries: Iterable[str]
) -> Iterator[tuple[str, str, str]]:
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.xsd")}
    for path in tops:
        fault = ""
        try:
            compile_xsd(files, path, folder)
        except SchemaFault as error:
            fault = error.told
        yield "libxml2", path, fault
    for path in entries:
        yield "xmlschema", path, "" if _explains(folder / path) else "unreadable"


def _explains(path: Path) -> bool:
    arguments: dict[str, Any] = {"allow": "sandbox", "defuse": "always", "use_fallback": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            xmlschema.XMLSchema10(str(path), **arguments)
    except Exception:  # noqa: BLE001 - whatever it can not read, libxml2 decides
        return False
    return True


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS) + 1, int(SECONDS) + 1))
    fence()
    for result in _tried(Path(sys.argv[1]), *json.load(sys.stdin)):
        print(json.dumps(result), flush=True)  # noqa: T201 - its protocol
