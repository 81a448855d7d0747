"""What the OM took back or proposed, a receiver accepted, and went under a decision: no rows.

A row that is edited revives nothing, makes up nothing, and lets nothing go twice. A mark is an
empty file; its name is a digest of what it is about. It stands beside the epoch keys:
without that folder no payload can be read, so nothing is sent where the marks are lost. Marks are
never taken away, and are still there after a restore of an older database.
"""

import os
from hashlib import sha256
from pathlib import Path
from threading import Lock

from gateway.errors import StoreUnavailable
from gateway.ports import Ends

_ENDED, _ACCEPTED, _USED, _SENT, _PROPOSED = ".ended", ".accepted", ".used", ".sent", ".proposed"


class EndedMarks:
    """The marks of one installation; its processes share the folder. Safe for threads."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the epoch keys, which `EpochKeys` makes."""
        self._folder = folder
        self._owed: set[Path] = set()
        self._lock = Lock()

    def end(self, what: Ends, id_: str) -> None:
        """Mark it; twice is once.

        In a folder that can not be written it counts for this process, and `settle` writes it
        later: a withdrawal does not wait for a disk.
        """
        self._mark(self._path(f"{what}:{id_}", _ENDED))

    def is_ended(self, what: Ends, id_: str) -> bool:
        """Tell whether it was marked; raises StoreUnavailable where that can not be read."""
        return self._stands(self._path(f"{what}:{id_}", _ENDED))

    def accept(self, besluit: str) -> None:
        """Mark that the receiver accepted the conditions of a decision; as `end`."""
        self._mark(self._path(besluit, _ACCEPTED))

    def is_accepted(self, besluit: str) -> bool:
        """Tell whether it was marked; raises StoreUnavailable where that can not be read."""
        return self._stands(self._path(besluit, _ACCEPTED))

    def propose(self, words: str) -> None:
        """Mark that exactly this was put to a second officer; as `end`."""
        self._mark(self._path(words, _PROPOSED))

    def is_proposed(self, words: str) -> bool:
        """Tell whether it was marked; raises StoreUnavailable where that can not be read."""
        return self._stands(self._path(words, _PROPOSED))

    def use(self, use: str, envelope: str) -> bool:
        """Mark that what has this digest is sent under a decision; False when other octets were.

        Raises StoreUnavailable where that can not be read or written: nothing is sent then.
        """
        used, sent = self._path(use, _USED), self._path(f"{use}:{envelope}", _SENT)
        try:
            first = _make(used)
            if first:  # whoever stops here has let nothing go, and asks the OM again
                _make(sent)
            _sync(self._folder)
        except OSError as error:
            raise StoreUnavailable("store.disk", "what is sent can not be marked") from error
        return first or self._stands(sent)

    def _mark(self, path: Path) -> None:
        with self._lock:
            if not _write(path):
                self._owed.add(path)

    def _stands(self, path: Path) -> bool:
        with self._lock:
            if path in self._owed:
                return True
        try:
            path.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StoreUnavailable(
                "store.disk", "the marks of the OM's decisions can not be read"
            ) from error
        return True

    def settle(self) -> int:
        """Write what could not be written before; return how many still can not."""
        with self._lock:
            self._owed -= {path for path in self._owed if _write(path)}
            return len(self._owed)

    def _path(self, about: str, suffix: str) -> Path:
        # A digest fits whatever the OM calls its decisions.
        return self._folder / f"{sha256(about.encode()).hexdigest()}{suffix}"


def _write(path: Path) -> bool:
    try:
        _make(path)
        _sync(path.parent)  # also of one that is there: its maker may have stopped before this
    except OSError:
        return False
    return True


def _make(path: Path) -> bool:
    """Make an empty file; False when it was there."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    return True


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
