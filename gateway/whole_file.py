"""A file is replaced as a whole: whoever reads meanwhile sees the old one or the new one."""

import os
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, octets: bytes) -> None:
    """Write the file, mode 0644; it is there after a power cut as well.

    Root gives it to the owner of its folder. Raises OSError; then the old file stands.
    """
    draft = path.with_name(f".{path.name}.nieuw")
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with os.fdopen(handle, "wb") as output:
            output.write(octets)
            output.flush()
            if os.geteuid() == 0:
                owner = path.parent.stat()
                os.fchown(output.fileno(), owner.st_uid, owner.st_gid)
            os.fchmod(output.fileno(), 0o644)
            os.fsync(output.fileno())
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
