"""What `gateway toetsing plaats` does: check the word of the OM, and put it in place."""

from collections.abc import Mapping
from pathlib import Path

from gateway.app import SystemClock
from gateway.cli.deciding import has_database
from gateway.cli.look import look
from gateway.cli.toetsing_bundle import Bundle, make_bundle
from gateway.directory import Confirmation
from gateway.errors import Misconfigured
from gateway.installation import Installation, gate_files, gate_frame
from gateway.installation_gate import digests, judge_confirmation, matters
from gateway.store.confirmations import Mark, check_newer
from gateway.store.view import View
from gateway.whole_file import replace_file
from gateway.wire.confirmation import APPROVALS, TABLE


def as_it_stands(installation: Installation, police: str = "") -> Bundle:
    """Return table and approvals of the installation; raises Misconfigured."""
    files = {name: path.read_bytes() for name, path in gate_files(installation).items()}
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


def place(installation: Installation, octets: bytes, bundle: Bundle | None) -> Path:
    """Write the confirmation, and before it the files of `bundle` where that is given.

    Returns where the confirmation stands now. Cut short halfway it can be done again: until then
    the gate does not load. Raises Misconfigured `toetsing.path` before anything is written.
    """
    paths = installation.settings.paths
    targets = {TABLE: paths.classification, APPROVALS: paths.approvals}
    files: Mapping[str, bytes] = {} if bundle is None else bundle.files
    missing = [name for name in files if targets[name] is None]
    if bundle is not None and APPROVALS not in files and paths.approvals is not None:
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
        if target is not None:
            replace_file(installation.path(target), content)
    replace_file(installation.path(paths.confirmation), octets)
    return installation.path(paths.confirmation)
