"""Epoch keys: they wrap the keys of payloads and stand in files outside the database.

Destroying one destroys what every older copy of the database still holds under it: a
restored backup does not bring a payload back. The folder must not be in the same backup.
"""

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.errors import GatewayError, Misconfigured
from gateway.ports import Dice

LIFETIME = timedelta(days=1)
"""A key wraps for at most this long (domain 9.5)."""
OCTETS = 32
_SUFFIX = ".epoch"
_STAMP = "%Y%m%dT%H%M%SZ"


class EpochKeys:
    """A folder with one file per key, 0600; the name begins with the moment it was made."""

    def __init__(self, folder: Path, *, dice: Dice) -> None:
        """Make the folder (0700) when it is missing; raise Misconfigured `keys.permissions`."""
        self._folder = folder
        self._dice = dice
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_mode(folder, "the folder of the epoch keys is open to others")
        for id_ in self.ids():
            _check_mode(self._path(id_), "an epoch key is open to others")

    def current(self, now: datetime) -> tuple[str, bytes]:
        """Return id and octets of the key to wrap with; a new one at least daily."""
        # A clock that was wrong for a while may have left a key of the future: not that one.
        for id_ in reversed(self.ids()):
            if abs(now - _made_at(id_)) < LIFETIME:
                with suppress(GatewayError):
                    return id_, self.key(id_)
        return self._make(now)

    def key(self, id_: str) -> bytes:
        """Return the octets; raise GatewayError `epoch_key.destroyed` when they are gone.

        Read from the file each time: a key that another process destroyed is gone here too.
        """
        try:
            octets = self._path(id_).read_bytes()
        except FileNotFoundError as error:
            raise GatewayError("epoch_key.destroyed", "epoch key was destroyed") from error
        if len(octets) != OCTETS:
            raise GatewayError("epoch_key.damaged", "epoch key has not the right length")
        return octets

    def destroy(self, id_: str) -> bool:
        """Overwrite and remove the key; False when it was gone already."""
        path = self._path(id_)
        try:
            handle = os.open(path, os.O_WRONLY)
        except FileNotFoundError:
            return False
        try:
            os.write(handle, bytes(OCTETS))
            os.fsync(handle)
        finally:
            os.close(handle)
        path.unlink()
        self._sync_folder()
        return True

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all keys, oldest first."""
        return tuple(sorted(path.stem for path in self._folder.glob(f"*{_SUFFIX}")))

    def _make(self, now: datetime) -> tuple[str, bytes]:
        """Write under another name first, so that no half key is ever seen."""
        stamp = now.astimezone(UTC).strftime(_STAMP)
        id_ = f"{stamp}-{self._dice.octets(6).hex()}"
        octets = self._dice.octets(OCTETS)
        draft = self._folder / f"{id_}.new"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, octets)
            os.fsync(handle)
        finally:
            os.close(handle)
        draft.rename(self._path(id_))
        self._sync_folder()
        return id_, octets

    def _path(self, id_: str) -> Path:
        if not id_ or not all(c.isalnum() or c == "-" for c in id_):
            raise GatewayError("epoch_key.destroyed", "no epoch key has such an id")
        return self._folder / f"{id_}{_SUFFIX}"

    def _sync_folder(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
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
