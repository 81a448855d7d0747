"""A schema pack as it comes in, a folder or a zip, read into memory within bounds.

Nothing is unpacked on disk: what is read here is checked, and only then written.
"""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gateway.errors import Misconfigured
from gateway.packs.limits import (
    DEFAULT,
    PackLimits,
    check_count,
    check_name,
    check_path,
    check_same,
    is_xsd,
    shown,
    too_large,
)

_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError,
    OverflowError,
)  # fmt: skip
"""What `zipfile` raises over a zip that is not what it should be."""
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """The XSDs of a pack, and how many other files were left out."""

    files: Mapping[str, bytes]
    left_out: int


def read_pack(path: Path, limits: PackLimits = DEFAULT) -> Raw:
    """Read the XSDs of a folder or zip.

    Raises Misconfigured: `pack.missing`, `pack.zip`, `pack.path`, `pack.name`, `pack.link`,
    `pack.duplicate`, `pack.files`, `pack.empty`, `pack.size`, `pack.ratio`, `pack.depth`,
    `pack.encrypted`, `pack.unreadable`.
    """
    if path.is_dir():
        return _folder(path, limits)
    if path.is_file():
        return _zip(path, limits)
    raise Misconfigured(
        "pack.missing", "Hier is geen map of zip. Controleer het pad.", where=str(path)
    )


@dataclass(slots=True)
class _Budget:
    """Octets that may still be read."""

    limits: PackLimits
    left: int

    def take(self, source: IO[bytes], path: str, most: int) -> bytes:
        """Read at most so many octets, whatever was said about the size."""
        octets = bytearray()
        while chunk := source.read(_CHUNK):
            octets += chunk
            if len(octets) > min(self.left, self.limits.file_bytes):
                raise too_large(path, self.limits)
            if len(octets) > most:
                raise _bomb(path, self.limits)
        self.left -= len(octets)
        return bytes(octets)


def _bomb(path: str, limits: PackLimits) -> Misconfigured:
    return Misconfigured(
        "pack.ratio",
        f"Een bestand wordt bij het uitpakken meer dan {limits.ratio} keer zo groot. Dat doet geen"
        " gewone XSD: vertrouw de zip niet, en geef anders de uitgepakte map.",
        where=shown(path),
    )


def _collected(paths: list[str], read: Callable[[str, _Budget], bytes], limits: PackLimits) -> Raw:
    """Check all paths before anything is read."""
    for path in paths:
        check_path(path, limits)
    wanted = [path for path in paths if is_xsd(path)]
    check_same(paths)
    check_count(len(paths), len(wanted), limits)
    for path in wanted:
        check_name(path, limits)
    budget = _Budget(limits, limits.total_bytes)
    files = {path: read(path, budget) for path in sorted(wanted)}
    return Raw(files=files, left_out=sum(not p.endswith("/") for p in paths) - len(files))


# --- a folder -------------------------------------------------------------------------


def _folder(root: Path, limits: PackLimits) -> Raw:
    paths = []
    for path in _walk(root, "", limits):
        paths.append(path)
        if len(paths) > limits.entries:
            check_count(len(paths), 0, limits)

    def read(path: str, budget: _Budget) -> bytes:
        try:
            descriptor = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise _unreadable(path) from error
        with open(descriptor, "rb") as source:  # noqa: PTH123 - a descriptor
            return budget.take(source, path, limits.file_bytes)

    return _collected(paths, read, limits)


def _walk(folder: Path, prefix: str, limits: PackLimits) -> Iterator[str]:
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(prefix or str(folder)) from error
    for entry in found:
        path = prefix + entry.name
        if entry.is_symlink() or not (entry.is_dir() or entry.is_file()):
            raise _link(path)
        if entry.is_dir():
            check_path(path, limits)  # also bounds this recursion
            yield f"{path}/"
            yield from _walk(folder / entry.name, f"{path}/", limits)
        else:
            yield path


def _link(path: str) -> Misconfigured:
    return Misconfigured(
        "pack.link",
        "Het pakket heeft een verwijzing (symlink) of een bijzonder bestand. Zet er het bestand"
        " zelf neer.",
        where=shown(path),
    )


def _unreadable(path: str) -> Misconfigured:
    return Misconfigured(
        "pack.unreadable", "Dit is niet te lezen. Controleer de rechten.", where=shown(path)
    )


# --- a zip ----------------------------------------------------------------------------


def _zip(file: Path, limits: PackLimits) -> Raw:
    if file.stat().st_size > limits.archive_bytes:
        raise too_large(file.name, limits)
    try:
        with zipfile.ZipFile(file) as archive:
            return _archive(archive, limits)
    except _BROKEN as error:
        raise Misconfigured(
            "pack.zip",
            "Dit is geen hele, gewone zip. Maak hem opnieuw of geef de uitgepakte map.",
            where=str(file),
        ) from error


def _archive(archive: zipfile.ZipFile, limits: PackLimits) -> Raw:
    entries = archive.infolist()
    check_count(len(entries), 1, limits)
    for entry in entries:
        _plain(entry)
    # As it stands in the file: `filename` was cut at a NUL and had its backslashes turned.
    by_path = {entry.orig_filename: entry for entry in entries}

    def read(path: str, budget: _Budget) -> bytes:
        entry = by_path[path]
        with archive.open(entry) as source:
            return budget.take(source, path, max(entry.compress_size, 1) * limits.ratio)

    return _collected([entry.orig_filename for entry in entries], read, limits)


def _plain(entry: zipfile.ZipInfo) -> None:
    """Refuse what is not a file or folder, or can not be read without a password."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise _link(entry.orig_filename)
    if entry.flag_bits & _ENCRYPTED:
        raise Misconfigured(
            "pack.encrypted",
            "De zip is versleuteld. Geef haar zonder wachtwoord, of de uitgepakte map.",
            where=shown(entry.orig_filename),
        )
    if entry.compress_type not in _METHODS:
        raise Misconfigured(
            "pack.zip",
            "Een bestand is anders ingepakt dan met deflate. Maak een gewone zip.",
            where=shown(entry.orig_filename),
        )
