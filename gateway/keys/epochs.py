"""Epoch keys: they wrap the keys of payloads and stand in files outside the database.

Destroying one destroys what every older copy of the database still holds under it: a
restored backup does not bring a payload back. The folder must not be in the same backup.

The life of a key is the name of its file, so that it goes on after any crash:

(1) `.epoch`: wraps for a day (LIFETIME), then only opens,
(2) `.closing`: wraps nothing any more; the time of the file is the moment of closing,
(3) `.gone`: overwritten; the audit row is still to be written,
(4) no file.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.errors import GatewayError, Misconfigured, StoreUnavailable
from gateway.ports import Dice

LIFETIME = timedelta(days=1)
"""A key wraps for at most this long (domain 9.5)."""
GRACE = timedelta(hours=1)
"""After its lifetime: how long a payload that was being stored may still come under it."""
OCTETS = 32
_OPEN, _CLOSING, _GONE, _DRAFT = ".epoch", ".closing", ".gone", ".new"
_PROBE = "write-probe-"
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochKey:
    """What is known of a key without reading it."""

    id: str
    made_at: datetime
    closed_at: datetime | None
    """None = it may still wrap, or has to be closed."""

    def rests(self, now: datetime, age: timedelta) -> bool:
        """Tell whether it is older than `age`; a key of the future is one of a wrong clock."""
        return abs(now - self.made_at) >= max(age, LIFETIME + GRACE)


class EpochKeys:
    """A folder with one file per key, 0600; the name begins with the moment it was made."""

    def __init__(self, folder: Path, *, dice: Dice) -> None:
        """Make the folder (0700) when it is missing; raise Misconfigured `keys.permissions`."""
        self._folder = folder
        self._dice = dice
        self._last: _Read | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_mode(folder, "the folder of the epoch keys is open to others")
        for path in _files(folder, _OPEN, _CLOSING):
            _check_mode(path, "an epoch key is open to others")

    def current(self, now: datetime) -> tuple[str, bytes]:
        """Return id and octets of the key to wrap with; a new one at least daily.

        Two processes may make one at the same moment: both are good. Raises StoreUnavailable
        `epoch_key.not_made` when its file can not be written.
        """
        last = self._last
        if last is None or not last.wraps(now) or not last.stands():
            last = self._last = self._newest(now) or self._make(now)
        return last.id, last.octets

    def _newest(self, now: datetime) -> "_Read | None":
        # A clock that was wrong for a while may have left a key of the future: not that one.
        for path in reversed(_files(self._folder, _OPEN)):
            if abs(now - _made_at(path.stem)) < LIFETIME:
                with suppress(GatewayError, FileNotFoundError):
                    return _read(path)
        return None

    def key(self, id_: str) -> bytes:
        """Return the octets; raise GatewayError `epoch_key.destroyed` when they are gone.

        Raises Misconfigured `epoch_key.damaged` when the file is not what was written: it may
        be put back. The file is looked at each time: a key that another process destroyed is
        gone here too.
        """
        last = self._last
        if last is not None and last.id == id_ and last.stands():
            return last.octets
        for _ in range(2):  # it may be closed between two looks
            for suffix in (_OPEN, _CLOSING):
                with suppress(FileNotFoundError):
                    return _read(self._path(id_, suffix)).octets
        raise GatewayError("epoch_key.destroyed", "epoch key was destroyed")

    def is_open(self, id_: str) -> bool:
        """Tell whether the key may wrap: ask after the commit of what it wrapped.

        The other half is `close`, which comes before the look whether the key wraps anything:
        one of the two always sees the other.
        """
        last = self._last
        if last is not None and last.id == id_ and last.stands():
            return True
        return self._path(id_, _OPEN).exists()

    def all(self) -> tuple[EpochKey, ...]:
        """Return every key that is not destroyed, oldest first."""
        return look(self._folder)

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all keys, oldest first."""
        return tuple(key.id for key in self.all())

    def close(self, id_: str, now: datetime) -> None:
        """From now on it wraps nothing; nothing happens when it was closed before."""
        path = self._path(id_, _CLOSING)
        with suppress(FileNotFoundError):
            os.utime(self._path(id_, _OPEN), (now.timestamp(), now.timestamp()))
            self._path(id_, _OPEN).rename(path)
            self._sync_folder()

    def destroy(self, id_: str) -> bool:
        """Overwrite the key; False when it was gone already. `forget` ends it."""
        for suffix in (_OPEN, _CLOSING):
            with suppress(FileNotFoundError):
                path = self._path(id_, suffix)
                _overwrite(path)
                path.rename(self._path(id_, _GONE))
                self._sync_folder()
                return True
        return False

    def gone(self) -> tuple[str, ...]:
        """Return the keys that were overwritten and not yet written down as such."""
        return tuple(path.stem for path in _files(self._folder, _GONE))

    def forget(self, id_: str) -> None:
        """Remove what is left of a key, after the audit row was committed."""
        self._path(id_, _GONE).unlink(missing_ok=True)
        self._sync_folder()

    def clear_drafts(self, now: datetime) -> None:
        """Remove keys that a crash left half made; those of a process at work are left alone."""
        for path in _files(self._folder, _DRAFT):
            if abs(now - _made_at(path.stem)) > GRACE:
                path.unlink(missing_ok=True)

    def _make(self, now: datetime) -> "_Read":
        """Write under another name first, so that no half key is ever seen."""
        stamp = now.astimezone(UTC).strftime(_STAMP)
        id_ = f"{stamp}-{self._dice.octets(6).hex()}"
        try:
            draft = self._path(id_, _DRAFT)
            _write(draft, self._dice.octets(OCTETS))
            draft.rename(self._path(id_, _OPEN))
            self._sync_folder()
        except OSError as error:
            with suppress(OSError):
                self._path(id_, _DRAFT).unlink(missing_ok=True)
            raise StoreUnavailable(
                "epoch_key.not_made", "the folder of the epoch keys can not be written"
            ) from error
        return _read(self._path(id_, _OPEN))

    def _path(self, id_: str, suffix: str) -> Path:
        if not id_ or not all(c.isalnum() or c == "-" for c in id_):
            raise GatewayError("epoch_key.destroyed", "no epoch key has such an id")
        return self._folder / f"{id_}{suffix}"

    def _sync_folder(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def look(folder: Path) -> tuple[EpochKey, ...]:
    """Return the keys in a folder, oldest first; changes nothing, and reads no key."""
    return tuple(_known(folder))


def is_writable(folder: Path) -> bool:
    """Tell whether a new key could be made: writes a few octets and takes them away."""
    probe = folder / f"{_PROBE}{os.getpid()}"
    try:
        with suppress(FileNotFoundError):
            probe.unlink()
        _write(probe, bytes(OCTETS))
        probe.unlink()
    except OSError:
        return False
    return True


def _known(folder: Path) -> Iterator[EpochKey]:
    for path in _files(folder, _OPEN, _CLOSING):
        with suppress(FileNotFoundError):  # another process goes on with it
            closed = None
            if path.suffix == _CLOSING:
                closed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            yield EpochKey(id=path.stem, made_at=_made_at(path.stem), closed_at=closed)


def _files(folder: Path, *suffixes: str) -> list[Path]:
    """Return the files, by the name before the suffix, which begins with a moment."""
    return sorted(_found(folder, frozenset(suffixes)), key=lambda path: path.stem)


def _found(folder: Path, suffixes: frozenset[str]) -> Iterator[Path]:
    return (path for path in folder.glob("*") if path.suffix in suffixes)


@dataclass(frozen=True, slots=True)
class _Read:
    """A key in memory: the one that wraps now, so that not every payload reads the folder."""

    id: str
    octets: bytes
    path: Path
    made_at: datetime
    stamp: tuple[int, int, int]

    def wraps(self, now: datetime) -> bool:
        return abs(now - self.made_at) < LIFETIME

    def stands(self) -> bool:
        """Tell whether its file is there, under the same name, as it was read."""
        try:
            return _stamp(self.path.stat()) == self.stamp
        except OSError:
            return False


def _stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> _Read:
    """Raise FileNotFoundError, or Misconfigured `epoch_key.damaged`."""
    try:
        stamp = _stamp(path.stat())
        octets = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Misconfigured("epoch_key.damaged", "epoch key can not be read") from error
    if len(octets) != OCTETS or not any(octets):
        raise Misconfigured("epoch_key.damaged", "epoch key is not what was written")
    return _Read(path.stem, octets, path, _made_at(path.stem), stamp)


def _write(path: Path, octets: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, octets)
        os.fsync(handle)
    finally:
        os.close(handle)


def _overwrite(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, bytes(OCTETS))
        os.fsync(handle)
    finally:
        os.close(handle)


def _made_at(id_: str) -> datetime:
    """Return when the key was made; a name that does not say so counts as long ago."""
    try:
        return datetime.strptime(id_.partition("-")[0], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _check_mode(path: Path, text: str) -> None:
    if path.stat().st_mode & 0o077:
        raise Misconfigured("keys.permissions", text, where=path.name)
