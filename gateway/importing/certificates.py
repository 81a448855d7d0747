"""A certificate, authority or list that is offered: what it replaces, and what follows from it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from gateway.config import TlsListener
from gateway.directory import Directory
from gateway.errors import CertificateRejected
from gateway.importing.comparing import Fact, compare
from gateway.importing.consequences import Naming, follows, namings, remarks, to_do
from gateway.importing.keys_here import key_of
from gateway.importing.replaced import present
from gateway.installation import Installation
from gateway.inventory import pair_of
from gateway.keys.expiry import common_name
from gateway.keys.offered import Offered, Target, guess
from gateway.keys.placing import Places
from gateway.keys.renewal import Checked, Judge
from gateway.keys.renewal_texts import refuse
from gateway.message import Oin
from gateway.saying import Line
from gateway.security.certificates import load, oin_of, thumbprint

_OWN = frozenset(
    {Target.TLS, Target.API, Target.CONSOLE, Target.PORTAL, Target.SIGN, Target.ENCRYPT}
)
"""With a private key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What may be put in place, with all that a person must know before."""

    checked: Checked
    present: bytes | None
    """DER of what does the same work now; of more the one that stays longest."""
    whose: str
    """Name of the party that it is of; empty for an authority or a list."""
    facts: tuple[Fact, ...]
    chain: tuple[str, ...]
    """Names: the leaf, and the authorities that are sent along."""
    remarks: tuple[Line, ...]
    """To look at before going on."""
    follows: tuple[Line, ...]
    """What happens when it is put in place."""
    later: tuple[Line, ...]
    """What a person has yet to do then."""
    namings: tuple[Naming, ...]
    closed: tuple[Path, ...]
    """Folders that this process may not write to."""

    @property
    def target(self) -> Target:
        return self.checked.target

    @property
    def placeable(self) -> bool:
        """A partner's certificate is only judged: it stands in its agreement."""
        return self.target is not Target.PARTNER

    @property
    def mark(self) -> str:
        """Return a digest of what is seen: what is confirmed must be the same."""
        seen = "|".join((self.target, self.checked.sha256, thumbprint(self.present or b"")))
        return sha256(seen.encode()).hexdigest()


def propose(
    installation: Installation,
    directory: Directory,
    judge: Judge,
    offered: Offered,
    target: Target | None,
    *,
    may_write: Callable[[Path], bool] = lambda _: True,
) -> Proposal:
    """Judge and compare; `target` None = what it says itself. Writes nothing.

    Raises GatewayError `certs.*`.
    """
    target = target or _meant(offered, directory)
    if target in _OWN and offered.key is None:
        offered = replace(offered, key=key_of(installation, offered.leaf))
    checked = judge.check(offered, target)
    owner = _owner(directory, checked)
    known = tuple(present(installation, directory, checked, owner))
    if checked.sha256 in {thumbprint(der) for der in known}:
        raise refuse("same", offered.where)
    old = known[0] if known else None
    return Proposal(
        checked=checked,
        present=old,
        whose=directory.parties[owner].name if owner else "",
        facts=compare(offered.der, old, is_list=target is Target.CRL),
        chain=tuple(common_name(load(der).subject) for der in checked.chain),
        remarks=(*checked.warnings, *remarks(installation, directory, checked, old)),
        follows=tuple(follows(checked, old)),
        later=tuple(to_do(directory, checked, kept=old is not None)),
        namings=tuple(namings(directory, checked, owner, judge.now)),
        closed=_closed(places_of(installation), checked.target, may_write),
    )


def _meant(offered: Offered, directory: Directory) -> Target:
    """Return what the file says it is for; of another party that is known: a partner's."""
    target = guess(offered)
    if target not in _OWN:
        return target
    party = directory.party(_oin(offered.der))
    mine = directory.parties[directory.me]
    if party is None or party.local or party.oin in mine.mandates:
        return target
    return Target.PARTNER


def _oin(der: bytes) -> Oin:
    try:
        return oin_of(der)
    except CertificateRejected:
        return Oin("")


def _owner(directory: Directory, checked: Checked) -> Oin:
    """Return whose it is; empty for an authority or a list."""
    if checked.target is Target.PARTNER:
        return _oin(checked.offered.der)
    return directory.me if checked.target in _OWN else Oin("")


# --- where it goes ----------------------------------------------------------------------


def places_of(installation: Installation) -> Places:
    """Return where things stand."""
    paths, listen = installation.settings.paths, installation.settings.listen
    return Places(
        keys=installation.path(paths.keys),
        anchors=installation.path(paths.anchors),
        intermediates=installation.path(paths.intermediates),
        crls=installation.path(paths.crls),
        tls=_files_of(installation, listen.ebms),
        api=None if listen.api is None else _files_of(installation, listen.api),
        console=None if listen.console is None else _files_of(installation, listen.console),
        portal=None if listen.portal is None else _files_of(installation, listen.portal),
    )


def _files_of(installation: Installation, listener: TlsListener) -> tuple[Path, Path]:
    pair = pair_of(installation, listener)
    return pair.certificate, pair.key


def _closed(places: Places, target: Target, may_write: Callable[[Path], bool]) -> tuple[Path, ...]:
    pairs = {
        Target.TLS: places.tls,
        Target.API: places.api,
        Target.CONSOLE: places.console,
        Target.PORTAL: places.portal,
    }
    folders: dict[Target, Path] = {
        Target.SIGN: places.keys,
        Target.ENCRYPT: places.keys,
        Target.ANCHOR: places.anchors,
        Target.INTERMEDIATE: places.intermediates,
        Target.CRL: places.crls,
    }
    wanted = {path.parent for path in pairs.get(target) or ()} | (
        {folders[target]} if target in folders else set()
    )
    return tuple(sorted(path for path in wanted if not may_write(path)))
