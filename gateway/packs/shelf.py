"""The installed packs: a folder each, below `paths.packs`.

    NAAM/pack.json     what it is, with the SHA-256 of every file
    NAAM/xsd/…         its XSDs
    activations.toml   which pack judges what, from when on

A pack is written beside the others under another name and then renamed: it is there whole or
not at all. What changes something here holds `lock`.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version as installed_version
from pathlib import Path
from tempfile import mkdtemp

from gateway.errors import Misconfigured
from gateway.packs import manifest as m
from gateway.packs.activations import NAME as ACTIVATIONS
from gateway.packs.inspection import inspect
from gateway.packs.limits import DEFAULT, PackLimits, shown
from gateway.packs.reading import read_pack
from gateway.packs.trial import SECONDS, try_out
from gateway.schemapack import SchemaPack

XSDS = "xsd"
_LOCK = ".lock"
_NEW, _GONE = ".nieuw-", ".weg-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a pack is called, and who brings it when."""

    name: str
    version: str
    """Of the koppelvlak."""
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A pack as it was installed."""

    manifest: m.Manifest
    left_out: int
    """Files that are no XSD."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The packs of an installation; the folder need not exist."""

    folder: Path

    def names(self) -> tuple[str, ...]:
        """Return what is installed, by name."""
        try:
            found = sorted(entry.name for entry in self.folder.iterdir() if entry.is_dir())
        except FileNotFoundError:
            return ()
        return tuple(name for name in found if not name.startswith("."))

    def manifest(self, name: str) -> m.Manifest:
        """Return what is written down of a pack.

        Raises Misconfigured `pack.unknown` or `pack.changed`.
        """
        file = self.folder / name / m.NAME
        if re.fullmatch(m.NAME_PATTERN, name) is None:
            raise _unknown(name)
        try:
            octets = file.read_bytes()
        except OSError as error:
            raise _unknown(name) from error
        return m.read_manifest(octets, where=str(file))

    def find(self, name: str) -> None:
        """Raise Misconfigured `pack.unknown` when there is no such pack; it may be damaged."""
        if re.fullmatch(m.NAME_PATTERN, name) is None or not (self.folder / name).is_dir():
            raise _unknown(name)

    def load(self, name: str) -> SchemaPack:
        """Return a pack whose files are those that were checked.

        Raises Misconfigured `pack.unknown`, or `pack.changed` when a file is another one, is
        gone, or was added.
        """
        described = self.manifest(name)
        folder = self.folder.resolve() / name / XSDS
        files = {file.pad: _checked(folder, file) for file in described.bestanden}
        there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
        for path in sorted(there - files.keys()):
            raise _changed(folder / path)
        if described.naam != name:
            raise _changed(self.folder / name)
        return SchemaPack(
            name=name,
            version=described.versie,
            folder=folder,
            files=files,
            messages=described.messages(),
            digest=described.digest,
        )

    def add(
        self,
        source: Path,
        label: Label,
        *,
        limits: PackLimits = DEFAULT,
        seconds: float = SECONDS,
    ) -> Added:
        """Check a folder or zip and install it.

        Raises Misconfigured `pack.*` with what to do; nothing is installed then.
        """
        check_name(label.name)
        check_version(label.version)
        raw = read_pack(source, limits)
        found = inspect(raw.files, limits)
        if not found.messages:
            raise Misconfigured(
                "pack.messages",
                "Geen XSD beschrijft een StUF-bericht (…Di01, Bv01Bericht, …). Neem de XSD's van de"
                " berichten zelf op.",
                where=str(source),
            )
        with self._staging() as staging:
            self._free(label.name)
            _write(staging / XSDS, raw.files)
            entries = {message.entry for message in found.messages}
            tops = sorted({*found.tops, *entries})  # an entry may stand within a circle
            trial = try_out(staging / XSDS, tops, entries, seconds=seconds)
            described = m.Manifest(
                naam=label.name,
                versie=label.version,
                toegevoegd_op=label.at,
                door=label.by,
                programma=installed_version("berichtengateway"),
                uitleg=trial.explains,
                bestanden=tuple(_file(p, octets) for p, octets in raw.files.items()),
                berichten=tuple(
                    m.Bericht(naam=b.name, namespace=b.namespace, ingang=b.entry)
                    for b in found.messages
                ),
            )
            _write(staging, {m.NAME: described.model_dump_json(indent=1).encode() + b"\n"})
            self._install(staging, label.name)
        return Added(manifest=described, left_out=raw.left_out)

    def discard(self, name: str) -> None:
        """Take a pack away; the caller holds the lock and made sure that nothing needs it."""
        gone = Path(mkdtemp(prefix=_GONE, dir=self.folder))
        (self.folder / name).rename(gone / name)
        _synced(self.folder)
        shutil.rmtree(gone)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other commands from changing anything here meanwhile."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._sweep()
            yield
        finally:
            os.close(descriptor)

    def _sweep(self) -> None:
        """Take away what a command left that was killed; the lock says that none is at work."""
        for pattern in (f"{_NEW}*", f"{_GONE}*"):
            for left in self.folder.glob(pattern):
                shutil.rmtree(left, ignore_errors=True)
        (self.folder / f".{ACTIVATIONS}.nieuw").unlink(missing_ok=True)

    def _free(self, name: str) -> None:
        if (self.folder / name).exists():
            raise Misconfigured(
                "pack.exists",
                "Er is al een pakket met deze naam. Kies een andere met --naam, of verwijder het.",
                where=name,
            )

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        with self.lock():
            staging = Path(mkdtemp(prefix=_NEW, dir=self.folder))
            try:
                yield staging
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def _install(self, staging: Path, name: str) -> None:
        staging.chmod(0o755)
        try:
            staging.rename(self.folder / name)
        except OSError as error:
            raise Misconfigured(
                "pack.write", "Het pakket kan hier niet worden neergezet.", where=str(self.folder)
            ) from error
        _synced(self.folder)


def check_name(name: str) -> str:
    """Return the name when a pack may be called that; raise Misconfigured `pack.label`."""
    if name == ACTIVATIONS:
        raise Misconfigured("pack.label", "Zo heet het bestand met de activeringen zelf.")
    return _checked_label(m.NAME_PATTERN, name, "Een naam heeft kleine letters, cijfers en . _ -.")


def check_version(version: str) -> str:
    """Return the version when it can be one; raise Misconfigured `pack.label`."""
    return _checked_label(m.VERSION_PATTERN, version, "Geef --versie, bijvoorbeeld 1.0.9.")


def _checked_label(pattern: str, text: str, remedy: str) -> str:
    if re.fullmatch(pattern, text) is None:
        raise Misconfigured("pack.label", f"Zo kan een pakket of versie niet heten. {remedy}")
    return text


# --- files ----------------------------------------------------------------------------


def _file(path: str, octets: bytes) -> m.PackFile:
    return m.PackFile(pad=path, octets=len(octets), sha256=sha256(octets).hexdigest())


def _checked(folder: Path, file: m.PackFile) -> bytes:
    path = folder / file.pad
    try:
        octets = path.read_bytes() if path.resolve().is_relative_to(folder) else b""
    except OSError as error:
        raise _changed(path) from error
    if _file(file.pad, octets) != file:
        raise _changed(path)
    return octets


def _unknown(name: str) -> Misconfigured:
    return Misconfigured(
        "pack.unknown",
        "Dit pakket is niet geïnstalleerd. Zie gateway schemas list.",
        where=shown(name),
    )


def _changed(path: Path) -> Misconfigured:
    return Misconfigured(
        "pack.changed",
        "Een bestand van een geïnstalleerd pakket is niet meer zoals het werd gecontroleerd. Zet"
        " het terug, of voeg het pakket onder een andere naam opnieuw toe en activeer dat.",
        where=str(path),
    )


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files and have them on the disk."""
    for name, octets in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with path.open("xb") as output:
            output.write(octets)
            output.flush()
            os.fsync(output.fileno())
        path.chmod(0o644)
    for path in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        path.chmod(0o755)
        _synced(path)


def _synced(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some file systems can not
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
