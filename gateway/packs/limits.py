"""Bounds on a schema pack, and what its files may be called."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.errors import Misconfigured

XSD = ".xsd"
_SEGMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._+-]*[A-Za-z0-9_+-])?")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackLimits:
    """What a pack may be. Sizes in octets, unpacked unless said."""

    archive_bytes: int = 20_000_000
    """The zip itself."""
    entries: int = 2_000
    """Files and folders, also those that are not taken over."""
    files: int = 300
    """XSDs."""
    file_bytes: int = 4_000_000
    total_bytes: int = 20_000_000
    ratio: int = 100
    """Unpacked to packed, per file of a zip; official XSDs come to 15."""
    depth: int = 8
    """Folders within folders."""
    path_chars: int = 200
    nodes: int = 200_000
    """Of one XSD."""


DEFAULT = PackLimits()


def check_path(path: str, limits: PackLimits) -> None:
    """Refuse a path that does not stay in the pack; raise Misconfigured `pack.path`, `pack.depth`.

    Holds for everything in the pack, whether it is taken over or not: a zip that tries to get
    out is not to be trusted with the rest.
    """
    steps = path.rstrip("/").split("/")
    if (
        not path.isprintable()
        or "\\" in path
        or _DRIVE.match(path)
        or any(step in {"", ".", ".."} for step in steps)
    ):
        raise Misconfigured(
            "pack.path",
            "Een pad in het pakket wijst naar buiten of is geen gewoon pad. Maak het pakket"
            " opnieuw, met alleen paden binnen de eigen map.",
            where=shown(path),
        )
    if len(steps) > limits.depth:
        raise Misconfigured(
            "pack.depth",
            f"Het pakket heeft meer dan {limits.depth} mappen in elkaar. Maak het platter.",
            where=shown(path),
        )


def is_xsd(path: str) -> bool:
    """Tell whether a file is taken over; the rest of a pack is left out."""
    name = path.rpartition("/")[2]
    return name.lower().endswith(XSD) and not name.startswith(".") and "__MACOSX/" not in path


def check_name(path: str, limits: PackLimits) -> None:
    """Refuse an XSD with an odd name; raise Misconfigured `pack.name`."""
    odd = [step for step in path.split("/") if not _SEGMENT.fullmatch(step)]
    if odd or len(path) > limits.path_chars:
        raise Misconfigured(
            "pack.name",
            "De naam van een XSD of map heeft andere tekens dan letters, cijfers, spatie en"
            f" . _ + -, of het pad is langer dan {limits.path_chars} tekens. Hernoem haar.",
            where=shown(path),
        )


def check_same(paths: Sequence[str]) -> None:
    """Refuse paths that are the same, also when only capitals differ; raise `pack.duplicate`.

    Folders count as they are implied: `a.xsd` beside `a.xsd/b.xsd`, and `X/a.xsd` beside
    `x/b.xsd`, can not stand on every disk.
    """
    named: set[str] = set()
    implied: dict[str, str] = {}
    for path in paths:
        whole = path.rstrip("/")
        if whole.casefold() in named:
            raise _same(path)
        named.add(whole.casefold())
        steps = whole.split("/")
        folders = ["/".join(steps[:n]) for n in range(1, len(steps))]
        if path.endswith("/"):
            folders.append(whole)
        for folder in folders:
            if implied.setdefault(folder.casefold(), folder) != folder:
                raise _same(path)
    for path in paths:
        if not path.endswith("/") and path.casefold() in implied:
            raise _same(path)


def _same(path: str) -> Misconfigured:
    return Misconfigured(
        "pack.duplicate",
        "Twee bestanden of mappen hebben dezelfde naam, of verschillen alleen in hoofdletters."
        " Laat er een over.",
        where=shown(path),
    )


def check_count(entries: int, files: int, limits: PackLimits) -> None:
    """Refuse a pack without XSDs or with too many; raise `pack.empty`, `pack.files`."""
    if entries > limits.entries or files > limits.files:
        raise Misconfigured(
            "pack.files",
            f"Het pakket heeft meer dan {limits.files} XSD's of {limits.entries} bestanden."
            " Neem alleen de XSD's van deze versie op.",
        )
    if not files:
        raise Misconfigured("pack.empty", "Er staat geen XSD in. Geef de map of zip met de XSD's.")


def too_large(path: str, limits: PackLimits) -> Misconfigured:
    """Return the refusal of a file, or of all together."""
    return Misconfigured(
        "pack.size",
        f"Een XSD mag {limits.file_bytes // 1_000_000} MB zijn en alle samen"
        f" {limits.total_bytes // 1_000_000} MB. Neem alleen op wat nodig is.",
        where=shown(path),
    )


def shown(path: str) -> str:
    """Return a stranger's path as it may be shown: short, without control characters."""
    plain = "".join(char if char.isprintable() else "?" for char in path)
    return plain if len(plain) <= 120 else plain[:119] + "…"  # noqa: PLR2004 - one line
