"""What `gateway doctor` says of keys, rights, disks and the folder of the epoch keys."""

import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from gateway.cli.doctor_findings import Area, Finding
from gateway.installation import Installation
from gateway.keys.epochs import is_writable

MEGABYTE = 1_000_000
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse.glusterfs", "ceph", "9p"})
VOLATILE = frozenset({"tmpfs", "ramfs"})
_PRIVATE = b"PRIVATE KEY-----"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_KEYS, _DISK, _EPOCHS = Area("Sleutels en rechten"), Area("Schijf"), Area("Epoch-sleutels")
_READABLE = "Wie het bestand kan lezen, kan zich voordoen als deze organisatie of meelezen."


def rights(installation: Installation) -> Iterator[Finding]:
    """Yield who can read what only the gateway may."""
    return _KEYS.guarded(lambda: _rights(installation))


def _rights(installation: Installation) -> Iterator[Finding]:
    paths = installation.settings.paths
    folder = installation.path(paths.keys)
    if not folder.is_dir():
        yield _KEYS.bad(
            "keys.folder",
            f"de map {paths.keys} ontbreekt",
            "Zonder sleutels kan niets worden ondertekend of gelezen.",
            f"Maak haar met: install -d -m 700 {folder}",
        )
        return
    secret = [path for path in sorted(folder.iterdir()) if _is_secret(path)]
    listen = installation.settings.listen
    listeners = (listen.ebms.key, *(() if listen.api is None else (listen.api.key,)))
    secret += [p for p in map(installation.path, listeners) if p.is_file() and p not in secret]
    bad = [*_open(secret), *other_owner(folder, secret), *_loose_folders(installation)]
    yield from bad
    if not bad:
        yield _KEYS.good(f"{len(secret)} sleutelbestanden, alleen leesbaar voor de eigenaar")


def _is_secret(path: Path) -> bool:
    """Tell whether a file holds a private key; one that can not be read counts as one."""
    if not path.is_file():
        return False
    try:
        return _PRIVATE in path.read_bytes()
    except OSError:
        return True


def _open(paths: list[Path]) -> Iterator[Finding]:
    for path in paths:
        if path.stat().st_mode & _OTHERS:
            yield _KEYS.bad(
                "keys.permissions",
                f"{path.name} is leesbaar voor anderen",
                _READABLE,
                f"chmod 600 {path}; was de sleutel te zien, vraag dan een nieuw certificaat aan",
            )


def other_owner(folder: Path, paths: list[Path]) -> Iterator[Finding]:
    """Yield the keys of another user than the one of their folder."""
    owner = folder.stat().st_uid
    for path in paths:
        if path.stat().st_uid != owner:
            yield _KEYS.bad(
                "keys.owner",
                f"{path.name} is van {_user(path.stat().st_uid)}, de map van {_user(owner)}",
                "De gateway draait als de eigenaar van de map en kan de sleutel dan niet lezen.",
                f"chown {_user(owner)} {path}",
            )


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _loose_folders(installation: Installation) -> Iterator[Finding]:
    paths, database = installation.settings.paths, installation.database
    checked = [installation.path(paths.keys), installation.path(paths.epoch_keys)]
    if isinstance(database, Path):
        checked += [database.parent, database]
    if installation.password_file is not None:
        checked.append(installation.password_file)
    for path in checked:
        if path.exists() and path.stat().st_mode & _OTHERS:
            mode = "700" if path.is_dir() else "600"
            yield _KEYS.warn(
                "files.permissions",
                f"{path.name} is open voor anderen op deze machine",
                "Hier staan sleutels, wachtwoorden of gegevens over berichten.",
                f"chmod {mode} {path}",
            )


# --- epoch keys -------------------------------------------------------------------------


def epoch_folder(installation: Installation) -> Iterator[Finding]:
    """Yield whether a new key can be made, and whether the folder is the right one."""
    return _EPOCHS.guarded(lambda: _epoch_folder(installation))


def _epoch_folder(installation: Installation) -> Iterator[Finding]:
    given = installation.settings.paths.epoch_keys
    folder = installation.path(given)
    if not folder.exists():
        yield _EPOCHS.good(f"{given} wordt bij de eerste start gemaakt")
        return
    kind = filesystem(folder)
    if not is_writable(folder):
        yield _EPOCHS.bad(
            "epoch_keys.unwritable",
            f"in {given} kan niet worden geschreven",
            "Zodra de sleutel van de dag nodig is, komt geen bericht meer in.",
            f"Geef {folder} aan de gebruiker van de gateway, mode 0700; kijk of de schijf vol is",
        )
    elif kind in VOLATILE:
        yield _EPOCHS.bad(
            "epoch_keys.volatile",
            f"{given} staat in het geheugen ({kind})",
            "Na een herstart van de machine is geen opgeslagen inhoud meer te lezen.",
            "Zet paths.epoch_keys op een schijf",
        )
    else:
        yield _EPOCHS.good(f"{given} is te beschrijven ({kind})")
    if installation.settings.database.url is not None and kind not in NETWORK:
        yield _EPOCHS.warn(
            "epoch_keys.local",
            f"{given} staat op een schijf van deze machine",
            "Draait de installatie op meer machines, dan moet elke machine dezelfde map zien: "
            "anders kan de ene niet lezen wat de andere opsloeg.",
            "Bij één machine: niets. Bij meer: een gedeelde map, zie docs/operations.md",
        )


def filesystem(path: Path) -> str:
    """Return the type of the filesystem that a path is on; empty when it is not known."""
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    for line in lines:
        head, _, tail = line.partition(" - ")
        if head.split()[2] == wanted:
            return tail.split()[0]
    return ""


# --- disks ------------------------------------------------------------------------------


def disks(installation: Installation) -> Iterator[Finding]:
    """Yield how much room there is where something is written."""
    return _DISK.guarded(lambda: _disks(installation))


def _disks(installation: Installation) -> Iterator[Finding]:
    database = installation.database
    least = installation.settings.alarms.disk_free_mb
    folders = {"epoch-sleutels": installation.path(installation.settings.paths.epoch_keys)}
    if isinstance(database, Path):
        folders = {"database": database.parent, **folders}
    seen: set[int] = set()
    for name, folder in folders.items():
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if there.stat().st_dev not in seen:
            seen.add(there.stat().st_dev)
            yield _room(name, there, least)


def _room(name: str, folder: Path, least: int) -> Finding:
    free = shutil.disk_usage(folder).free // MEGABYTE
    nodes = os.statvfs(folder)
    text = f"{name}: {free} MB vrij"
    why = "Op een volle schijf komt geen bericht meer in."
    if free < least or (nodes.f_files and not nodes.f_favail):
        return _DISK.bad("disk.low", text, why, "Maak ruimte, of vergroot de schijf")
    if free < 5 * least:
        return _DISK.warn("disk.low", text, why, f"Plan ruimte in; het alarm gaat bij {least} MB")
    return _DISK.good(text)
