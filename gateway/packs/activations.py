"""`activations.toml`: which pack judges which message, from when on; and who decided that."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from gateway.config import ActivationSettings, ActivationsFile
from gateway.errors import Misconfigured
from gateway.message import Oin
from gateway.schemapack import Activation, Activations, SchemaPack
from gateway.toml import parse_toml
from gateway.whole_file import replace_file

NAME = "activations.toml"
_HEAD = """\
# Which schema pack judges which message: for every partner, or for the one that is named.
# Of several lines about the same, the one that began last counts; without one the built-in
# XSDs do. Written by `gateway schemas activate`, `deactivate` and `remove`.
"""


def read_activations(file: Path) -> tuple[Activations, bytes]:
    """Return the lines with the octets that say so; none when there is no file.

    Raises Misconfigured `config.*`, or `pack.overlap` when two lines about the same begin at once.
    """
    try:
        octets = file.read_bytes()
    except FileNotFoundError:
        return Activations(), b""
    except OSError as error:
        raise Misconfigured(
            "config.missing", "Het bestand is niet te lezen.", where=str(file)
        ) from error
    content = parse_toml(octets, ActivationsFile, where=str(file))
    found = Activations(tuple(_activation(line) for line in content.activeringen))
    check_moments(found, where=str(file))
    return found, octets


def check_moments(activations: Activations, *, where: str) -> None:
    """Raise Misconfigured `pack.overlap`, or `pack.moment` for a line that is never in force."""
    seen = set()
    for line in activations.lines:
        if line.until is not None and line.until <= line.since:
            raise Misconfigured(
                "pack.moment", "Een activering eindigt voor zij begint.", where=where
            )
        if (line.subject, line.since) in seen:
            raise Misconfigured(
                "pack.overlap",
                f"Voor {line.message} {line.version} begint er op dat moment al een activering."
                " Kies een ander moment, of haal die eerst weg met deactivate.",
                where=where,
            )
        seen.add((line.subject, line.since))


def check_packs(activations: Activations, packs: Mapping[str, SchemaPack], *, where: str) -> None:
    """Raise Misconfigured `pack.changed`, `pack.message`: the pack is not what a line says."""
    for line in activations.lines:
        pack = packs[line.pack]
        if pack.digest != line.digest:
            raise Misconfigured(
                "pack.changed",
                "Onder deze naam staat een ander pakket dan werd geactiveerd. Zet het oude terug,"
                " of activeer dit opnieuw.",
                where=f"{where}: {line.pack}",
            )
        if pack.find(line.message, line.entry) is None:
            raise Misconfigured(
                "pack.message",
                f"Het pakket {line.pack} heeft {line.message} niet in deze XSD.",
                where=f"{where}: {line.entry}",
            )


def write_activations(file: Path, activations: Activations) -> None:
    """Replace the file; whoever reads meanwhile sees the old or the new one, whole."""
    replace_file(file, to_toml(activations).encode())


def to_toml(activations: Activations) -> str:
    """Return the file, oldest beginning first."""
    lines = [_HEAD]
    for activation in sorted(activations.lines, key=_order):
        lines += ["[[activeringen]]", *_lines(activation), ""]
    return "\n".join(lines)


def _order(line: Activation) -> tuple[datetime, str, str, str]:
    return line.since, line.message, line.version, line.partner or ""


def _lines(line: Activation) -> Iterator[str]:
    texts = {
        "bericht": line.message,
        "versie": line.version,
        "partner": line.partner,
        "pakket": line.pack,
        "ingang": line.entry,
        "sha256": line.digest,
    }
    for key, text in texts.items():
        if text is not None:
            yield f"{key} = {json.dumps(text, ensure_ascii=False)}"
    for key, moment in {"vanaf": line.since, "tot": line.until}.items():
        if moment is not None:
            yield f"{key} = {moment.isoformat()}"
    yield f"door = {json.dumps(line.by, ensure_ascii=False)}"
    yield f"op = {line.made_at.isoformat()}"


def _activation(settings: ActivationSettings) -> Activation:
    return Activation(
        message=settings.bericht,
        version=settings.versie,
        pack=settings.pakket,
        entry=settings.ingang,
        digest=settings.sha256,
        partner=None if settings.partner is None else Oin(settings.partner),
        since=settings.vanaf.astimezone(UTC),
        until=None if settings.tot is None else settings.tot.astimezone(UTC),
        by=settings.door,
        made_at=settings.op.astimezone(UTC),
    )
