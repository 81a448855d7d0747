"""Putting a checked certificate, key or list in its place, whole or not at all.

A file is written under another name, brought to the disk, and renamed. What it replaces stays
beside it. As root the files get the owner of their folder: the service must be able to read them.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import GatewayError
from gateway.keys.expiry import common_name
from gateway.keys.offered import Target
from gateway.keys.renewal import Checked, same_scope
from gateway.keys.renewal_texts import TEXTS
from gateway.security.certificates import load
from gateway.security.revocation import read_lists

KEPT = ".oud"
"""Behind the name and the moment of what was replaced. No reader of keys or trust takes it."""
PREVIOUS = ".vorig"
"""Behind the name of a list that was replaced: one is kept, they come daily."""
_DRAFT = ".new"
_OPEN, _PRIVATE = 0o644, 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where things stand in an installation."""

    keys: Path
    anchors: Path
    intermediates: Path
    crls: Path
    tls: tuple[Path, Path]
    """Certificate and key."""
    api: tuple[Path, Path] | None
    console: tuple[Path, Path] | None = None
    portal: tuple[Path, Path] | None = None


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    octets: bytes
    mode: int
    kept: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What came of it."""

    files: tuple[_File, ...]
    kept: tuple[Path, ...]
    """Copies of what was replaced."""

    @property
    def written(self) -> tuple[Path, ...]:
        return tuple(file.path for file in self.files)


def place(checked: Checked, places: Places, now: datetime) -> Placed:
    """Write; raise GatewayError `certs.not_written`, and then everything is as it was.

    A crash between key and certificate of a listener leaves two that do not fit: the running
    process goes on with the old ones, a start refuses (`tls.certificate`). The same import again
    mends it.
    """
    files = tuple(_files(checked, places, now))
    with _as_ours(files):
        for file in files:
            _draft(file)
        kept = tuple(file.kept for file in files if _keep(file) and file.kept is not None)
        done: list[_File] = []
        try:
            for file in files:
                _new(file.path).replace(file.path)
                done.append(file)
        except OSError:
            _undo(done)
            raise
        for folder in {file.path.parent for file in files}:
            _sync(folder)
    return Placed(files=files, kept=kept)


def put_back(placed: Placed) -> None:
    """Make it as it was before `place`; raise GatewayError `certs.not_written`."""
    with _as_ours(placed.files):
        _undo(list(placed.files))


# --- what goes where --------------------------------------------------------------------


def _files(checked: Checked, places: Places, now: datetime) -> Iterator[_File]:
    match checked.target:
        case Target.TLS:
            yield from _listener(checked, places.tls, now)
        case Target.API if places.api is not None:
            yield from _listener(checked, places.api, now)
        case Target.CONSOLE if places.console is not None:
            yield from _listener(checked, places.console, now)
        case Target.PORTAL if places.portal is not None:
            yield from _listener(checked, places.portal, now)
        case Target.SIGN | Target.ENCRYPT:
            yield from _waiting(checked, places.keys)
        case Target.ANCHOR | Target.INTERMEDIATE:
            root = checked.target is Target.ANCHOR
            yield _authority(checked, places.anchors if root else places.intermediates)
        case Target.CRL:
            yield _list(checked, places.crls)
        case _:
            raise GatewayError("certs.no_listener", TEXTS["no_listener"])


def _waiting(checked: Checked, folder: Path) -> Iterator[_File]:
    """Both keys stay: the old one is needed until the old agreement ends."""
    name = f"{checked.target}-{checked.sha256[:8]}"
    yield _File(folder / f"{name}.key", checked.offered.key or b"", _PRIVATE)
    yield _File(folder / f"{name}.pem", _pem(checked.chain), _OPEN)


def _listener(checked: Checked, pair: tuple[Path, Path], now: datetime) -> Iterator[_File]:
    certificate, key = pair
    chain, private = _pem(checked.chain), checked.offered.key or b""
    stamp = f"{now:%Y%m%dT%H%M%SZ}{KEPT}"
    if certificate == key:
        yield _File(key, chain + private, _PRIVATE, _beside(key, stamp))
        return
    yield _File(key, private, _PRIVATE, _beside(key, stamp))
    yield _File(certificate, chain, _OPEN, _beside(certificate, stamp))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")


def _authority(checked: Checked, folder: Path) -> _File:
    name = f"{_slug(checked.offered.leaf.subject)}-{checked.sha256[:8]}.pem"
    return _File(folder / name, _pem((checked.offered.der,)), _OPEN)


def _list(checked: Checked, folder: Path) -> _File:
    """A list takes the place of the one before it."""
    crl = x509.load_der_x509_crl(checked.offered.der)
    present = _file_of(crl, folder)
    path = present or folder / f"{_slug(crl.issuer)}-{checked.sha256[:8]}.crl"
    form = Encoding.PEM if path.suffix.lower() == ".pem" else Encoding.DER
    kept = path.with_name(path.name + PREVIOUS)
    return _File(path, crl.public_bytes(form), _OPEN, kept)


def _file_of(crl: x509.CertificateRevocationList, folder: Path) -> Path | None:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in {".crl", ".pem", ".der"} and path.is_file():
            with suppress(ValueError):
                found = read_lists(path.read_bytes())
                # A file with others in it stays: of two lists the newer one counts.
                if len(found) == 1 and same_scope(x509.load_der_x509_crl(found[0]), crl):
                    return path
    return None


def _slug(name: x509.Name) -> str:
    return re.sub(r"[^a-z0-9]+", "-", common_name(name).lower()).strip("-")[:48] or "naamloos"


def _pem(ders: tuple[bytes, ...]) -> bytes:
    return b"".join(load(der).public_bytes(Encoding.PEM) for der in ders)


# --- writing ----------------------------------------------------------------------------


@contextmanager
def _as_ours(files: tuple[_File, ...]) -> Iterator[None]:
    """Tell what the system refused by our own code, and leave no draft."""
    try:
        yield
    except OSError as error:
        where = str(error.filename or files[0].path)
        raise GatewayError("certs.not_written", TEXTS["not_written"], where=where) from error
    finally:
        for file in files:
            with suppress(OSError):
                _new(file.path).unlink(missing_ok=True)


def _new(path: Path) -> Path:
    return path.with_name(f".{path.name}{_DRAFT}")


def _draft(file: _File) -> None:
    path = _new(file.path)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, file.mode)
    with os.fdopen(handle, "wb") as output:
        output.write(file.octets)
        output.flush()
        os.fchmod(output.fileno(), file.mode)
        if os.geteuid() == 0:
            owner = file.path.parent.stat()
            os.fchown(output.fileno(), owner.st_uid, owner.st_gid)
        os.fsync(output.fileno())


def _keep(file: _File) -> bool:
    """Keep what stands there under its other name; False when there is nothing."""
    if file.kept is None or not file.path.exists():
        return False
    file.kept.unlink(missing_ok=True)
    os.link(file.path, file.kept)
    return True


def _undo(done: list[_File]) -> None:
    for file in done:
        if file.kept is not None and file.kept.exists():
            os.link(file.kept, _new(file.path))
            _new(file.path).replace(file.path)
        else:
            file.path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
