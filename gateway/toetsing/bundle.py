"""What the police puts before the OM: classification table and approvals, as they will stand."""

import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.config import OinText, PartyId
from gateway.config_gate import ApprovalsFile, ClassificationFile
from gateway.errors import Misconfigured
from gateway.installation import load_approvals, load_table
from gateway.toml import Sha256Text, parse_toml
from gateway.wire.confirmation import APPROVALS, TABLE

MANIFEST = "manifest.json"
FILES: Mapping[str, str] = {TABLE: "classificatie.toml", APPROVALS: "toestemmingen.toml"}
"""Names in a confirmation → names in a bundle."""
MOST_OCTETS = 5_000_000
_SUFFIX = ".zip"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError,
    OverflowError,
)  # fmt: skip
"""What zipfile raises for an archive that is broken, encrypted, or of a kind it does not know."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    naam: str
    sha256: Sha256Text


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    vorm: int = Field(ge=1, le=1)
    politie: PartyId | OinText
    tabelversie: str
    bestanden: tuple[_File, ...]


class Unusable(Misconfigured):
    """More than one file is wrong; code and text are those of the first."""

    def __init__(self, faults: tuple[Misconfigured, ...]) -> None:
        """Take what is wrong with each; `where` names the file."""
        super().__init__(faults[0].code, faults[0].text, where=faults[0].where)
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Read and found to mean something; nobody has confirmed it."""

    police: str
    files: Mapping[str, bytes]
    table: ClassificationFile
    approvals: ApprovalsFile

    @property
    def version(self) -> str:
        return self.table.versie


def make_bundle(police: str, files: Mapping[str, bytes], *, where: str = "") -> Bundle:
    """Read the files (octets by name in a confirmation); raises Misconfigured `config.*`, `gate.*`.

    The same tests as at the start of the gateway, on both files: Unusable when both are wrong.
    """
    if TABLE not in files or not set(files) <= set(FILES):
        raise _wrong(where)
    faults = tuple(_faults(files))
    if faults:
        raise faults[0] if len(faults) == 1 else Unusable(faults)
    return Bundle(
        police=police,
        files=dict(files),
        table=parse_toml(files[TABLE], ClassificationFile, where=FILES[TABLE]),
        approvals=parse_toml(files.get(APPROVALS, b""), ApprovalsFile, where=FILES[APPROVALS]),
    )


def _faults(files: Mapping[str, bytes]) -> Iterator[Misconfigured]:
    with tempfile.TemporaryDirectory() as folder:
        for name, load in ((TABLE, load_table), (APPROVALS, load_approvals)):
            if name in files:
                path = Path(folder) / FILES[name]
                path.write_bytes(files[name])
                try:
                    load(path)
                except Misconfigured as error:
                    yield _in(FILES[name], error, path)


def _in(file: str, error: Misconfigured, path: Path) -> Misconfigured:
    """Return it with the name that the file has in the proposal, not that of our copy."""
    place = error.where.replace(str(path), "").strip(": ")
    return Misconfigured(error.code, error.text, where=f"{file}: {place}" if place else file)


def write_bundle(target: Path, bundle: Bundle) -> None:
    """Write a folder, or a zip when the name ends so; raises Misconfigured `toetsing.exists`."""
    manifest = {
        "vorm": 1,
        "politie": bundle.police,
        "tabelversie": bundle.version,
        "bestanden": [
            {"naam": name, "sha256": sha256(octets).hexdigest()}
            for name, octets in sorted(bundle.files.items())
        ],
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    contents = {MANIFEST: text.encode(), **{FILES[n]: o for n, o in bundle.files.items()}}
    try:
        if target.suffix == _SUFFIX:
            with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
                for name, octets in contents.items():
                    archive.writestr(name, octets)
            return
        target.mkdir()
    except FileExistsError as exc:
        raise Misconfigured(
            "toetsing.exists", "Dit bestaat al en wordt niet overschreven.", where=str(target)
        ) from exc
    for name, octets in contents.items():
        (target / name).write_bytes(octets)


def read_bundle(path: Path) -> Bundle:
    """Read a folder or a zip; the manifest must name the files as they are.

    Raises Misconfigured `toetsing.bundle`, and as `make_bundle`.
    """
    where = str(path)
    if path.is_dir():
        return _read(lambda name: _limited((path / name).read_bytes(), where), where)
    try:
        return unzip(path.read_bytes(), where=where)
    except OSError as exc:
        raise _wrong(where) from exc


def unzip(octets: bytes, *, where: str = "") -> Bundle:
    """Read a zip: it holds the files of its manifest and no other, each once; raises as above."""
    contents = _unzipped(octets, where)
    bundle = _read(contents.__getitem__, where)
    if contents.keys() != {MANIFEST, *(FILES[name] for name in bundle.files)}:
        raise _wrong(where)
    return bundle


def _read(octets: Callable[[str], bytes], where: str) -> Bundle:
    try:
        manifest = _Manifest.model_validate_json(octets(MANIFEST))
        files = {f.naam: octets(FILES[f.naam]) for f in manifest.bestanden}
    except (OSError, KeyError, ValidationError) as exc:
        raise _wrong(where) from exc
    if any(sha256(files[f.naam]).hexdigest() != f.sha256 for f in manifest.bestanden):
        raise _wrong(where)
    bundle = make_bundle(manifest.politie, files, where=where)
    if bundle.version != manifest.tabelversie:
        raise _wrong(where)
    return bundle


def _unzipped(octets: bytes, where: str) -> Mapping[str, bytes]:
    """Return all files of a zip by name; nothing is taken out that has no place in a proposal."""
    try:
        with zipfile.ZipFile(BytesIO(octets)) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            unknown = entries.keys() - {MANIFEST, *FILES.values()}
            if unknown or len(entries) != len(archive.infolist()):
                raise _wrong(where)
            return {name: _taken_out(archive, entry, where) for name, entry in entries.items()}
    except _UNREADABLE as exc:
        raise _wrong(where) from exc


def _taken_out(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> bytes:
    """Read by what comes out, not by what the archive says of it."""
    if entry.compress_type not in _METHODS:
        raise _wrong(where)
    with archive.open(entry) as file:
        return _limited(file.read(MOST_OCTETS + 1), where)


def _limited(octets: bytes, where: str) -> bytes:
    if len(octets) > MOST_OCTETS:
        raise _wrong(where)
    return octets


def _wrong(where: str) -> Misconfigured:
    return Misconfigured(
        "toetsing.bundle",
        "Dit is geen voorstel van gateway toetsing, of het is daarna veranderd.",
        where=where,
    )
