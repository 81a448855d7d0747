"""What `gateway toetsing plaats` does: check the word of the OM, and put it in place."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gateway.app import SystemClock
from gateway.cli.deciding import has_database
from gateway.cli.look import look
from gateway.directory import Confirmation
from gateway.errors import Malformed, Misconfigured
from gateway.installation import (
    Installation,
    gate_files,
    gate_frame,
    kept_table,
    program_table,
)
from gateway.installation_gate import digests, judge_confirmation, matters
from gateway.store.confirmations import Mark, check_newer
from gateway.store.view import View
from gateway.toetsing.bundle import Bundle, make_bundle
from gateway.whole_file import replace_file
from gateway.wire.confirmation import APPROVALS, TABLE, read_confirmation


def as_it_stands(installation: Installation, police: str = "") -> Bundle:
    """Return table and approvals of the installation; raises Misconfigured."""
    return _bundle(installation, gate_files(installation), police)


def to_propose(installation: Installation, police: str = "") -> Bundle:
    """Return the same, with the table of the program where the installation has none of its own."""
    files = gate_files(installation)
    if kept_table(installation) is not None:
        files[TABLE] = program_table()
    return _bundle(installation, files, police)


def meant(installation: Installation, octets: bytes) -> Bundle:
    """Return what a confirmation is about: what stands here, or the table of the program."""
    proposed = to_propose(installation)
    named = {}
    with suppress(Malformed):  # `judged` says what is wrong with it
        named = dict(read_confirmation(octets).bestanden)
    return proposed if named == digests(proposed.files) else as_it_stands(installation)


def _bundle(installation: Installation, where: Mapping[str, Path], police: str) -> Bundle:
    files = {name: path.read_bytes() for name, path in where.items()}
    owner = police or installation.settings.partij
    return make_bundle(owner, files, where=str(installation.folder))


def judged(installation: Installation, octets: bytes, bundle: Bundle) -> Confirmation:
    """Return the confirmation when it is good for these files, here and now.

    Raises Misconfigured `gate.confirmation.*`, also `.older` when a later one counted before;
    RevocationUnknown.
    """
    if not matters(installation.settings):
        raise Misconfigured("gate.confirmation.nowhere", "Deze installatie heeft geen OM-poort.")
    confirmation = judge_confirmation(
        octets,
        files=digests(bundle.files),
        version=bundle.version,
        frame=gate_frame(installation, SystemClock().now()),
    )
    if has_database(installation):
        check_newer(look(installation.folder, _newest), confirmation)
    return confirmation


async def _newest(view: View) -> Mark | None:
    return await view.newest_confirmation()


def place(installation: Installation, octets: bytes, bundle: Bundle) -> Path:
    """Write the confirmation, and before it the files of `bundle` that are not there yet.

    Returns where the confirmation stands now. Cut short halfway it can be done again: until then
    the gate does not load. Raises Misconfigured `toetsing.path` before anything is written.
    """
    paths, kept = installation.settings.paths, kept_table(installation)
    table, own = bundle.files[TABLE], _path(installation, paths.classification)
    if kept is not None and table in _read(kept, program_table()):
        own = kept
    targets = {TABLE: own, APPROVALS: _path(installation, paths.approvals)}
    files = bundle.files
    missing = [name for name in files if targets[name] is None]
    if APPROVALS not in files and paths.approvals is not None:
        missing.append("(voorstel) toestemmingen")
    if paths.confirmation is None or missing:
        raise Misconfigured(
            "toetsing.path",
            "Zet in gateway.toml onder [paths] eerst classification, approvals en confirmation, "
            "voor zover het voorstel ze heeft.",
            where=", ".join(missing) or "paths.confirmation",
        )
    for name, content in files.items():
        target = targets[name]
        if target is not None and content not in _read(target):
            replace_file(target, content)
    replace_file(installation.path(paths.confirmation), octets)
    return installation.path(paths.confirmation)


def _path(installation: Installation, given: Path | None) -> Path | None:
    return None if given is None else installation.path(given)


def _read(*paths: Path) -> list[bytes]:
    return [path.read_bytes() for path in paths if path.exists()]
