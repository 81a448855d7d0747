"""A new agreement (CPA) that is offered: whether it would work, what it replaces, what follows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from gateway.cpa_rules import Remark, Weight
from gateway.directory import Agreement, Directory
from gateway.errors import CertificateRejected, GatewayError, PolicyViolation, RevocationUnknown
from gateway.importing.agreement_changes import Change, Kind, changes, heads
from gateway.importing.agreement_texts import CPA_TEXTS
from gateway.importing.comparing import Fact
from gateway.importing.texts import TEXTS
from gateway.installation import Installation, load_directory
from gateway.keys.expiry import common_name, named
from gateway.keys.keystore import FileKeyring
from gateway.message import Oin, PartyRef
from gateway.saying import Line
from gateway.security.certificates import TrustStore, acts_for, load
from gateway.security.cpa_lint import all_remarks, of_terms
from gateway.wire.ebms2.cpa import read_cpa

IN_FORCE = frozenset({"agreed", "signed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementProposal:
    """An agreement that may be put in place, with all that a person must know before."""

    agreement: Agreement
    octets: bytes
    present: Agreement | None
    """The one that counts now between these parties, or of the same CPAId."""
    partner: Oin
    file: Path
    """Where it goes: over the one of the same CPAId, or a new file."""
    facts: tuple[Fact, ...]
    changes: tuple[Change, ...]
    remarks: tuple[Line, ...]
    warnings: tuple[Remark, ...]
    """What is legal but unwise."""
    follows: tuple[Line, ...]
    closed: tuple[Path, ...]
    """Folders that this process may not write to."""

    @property
    def sha256(self) -> str:
        return sha256(self.octets).hexdigest()

    @property
    def mark(self) -> str:
        """Return a digest of what is seen: what is confirmed must be the same."""
        seen = f"{self.sha256}|{self.present!r}|{self.file}"
        return sha256(seen.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What an agreement is judged by."""

    installation: Installation
    directory: Directory
    holds: Callable[[bytes], bool]
    """Whether the private key of a certificate is here."""
    now: datetime
    may_write: Callable[[Path], bool] = lambda _: True


def looking_at(
    installation: Installation, now: datetime, *, may_write: Callable[[Path], bool]
) -> Looking:
    """Return what the files of an installation say; raises Misconfigured."""
    keys = installation.path(installation.settings.paths.keys)
    return Looking(
        installation=installation,
        directory=load_directory(installation, epoch=0, tolerant=True),
        holds=lambda der: FileKeyring(keys).holds(der),
        now=now,
        may_write=may_write,
    )


def turned_down(code: str, where: str = "") -> PolicyViolation:
    """Return the refusal `cpas.CODE`."""
    return PolicyViolation(f"cpas.{code}", CPA_TEXTS[code], where=where)


def propose_agreement(looking: Looking, octets: bytes) -> AgreementProposal:
    """Read, judge and compare; writes nothing.

    Raises Malformed `cpa.*` and `xml.*`, PolicyViolation, CertificateRejected and
    RevocationUnknown `cpas.*`.
    """
    directory, now = looking.directory, looking.now
    agreement = read_cpa(octets)
    partner = _partner(directory, agreement)
    if agreement.status not in IN_FORCE:
        raise turned_down("status", agreement.status)
    if agreement.end <= now:
        raise turned_down("ended", f"{agreement.end:%Y-%m-%d}")
    if not any(one.service in directory.services for one in agreement.bindings):
        raise turned_down("service")
    found = of_terms(agreement, at=now, parties=directory.parties)
    stopping = {one.rule.id for one in found if one.rule.weight is Weight.STOPS}
    if stopping:
        raise turned_down("rules", ", ".join(sorted(stopping)))
    file = _file(looking, agreement, octets)
    _certificates(looking, agreement)
    present = _present(directory, agreement, now)
    changed = changes(agreement, present)
    return AgreementProposal(
        agreement=agreement,
        octets=octets,
        present=present,
        partner=partner,
        file=file,
        facts=heads(agreement, present),
        changes=changed,
        remarks=tuple(_remarks(directory, agreement, present, changed)),
        warnings=all_remarks(agreement, at=now, parties=directory.parties),
        follows=tuple(follows(agreement, present, changed, now)),
        closed=() if looking.may_write(file.parent) else (file.parent,),
    )


def _partner(directory: Directory, agreement: Agreement) -> Oin:
    ids = [Oin(party.id) for party in agreement.parties]
    if directory.me not in ids:
        raise turned_down("stranger", ", ".join(ids))
    partner = next(id_ for id_ in ids if id_ != directory.me)
    if directory.party(partner) is None:
        raise turned_down("party_unknown", partner)
    return partner


# --- where it goes ----------------------------------------------------------------------


def _file(looking: Looking, agreement: Agreement, octets: bytes) -> Path:
    """Return the file of the same CPAId; else one named by a digest of the id alone."""
    folder = looking.installation.path(looking.installation.settings.paths.agreements)
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != ".xml" or not path.is_file():
            continue
        present = path.read_bytes()
        if read_cpa(present).cpa_id == agreement.cpa_id:
            if present == octets:
                raise turned_down("same")
            return path
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in agreement.cpa_id.lower())
    name = f"{plain.strip('-')[:64]}-{sha256(agreement.cpa_id.encode()).hexdigest()[:8]}.xml"
    return folder / name


def _present(directory: Directory, agreement: Agreement, now: datetime) -> Agreement | None:
    """Return the one of the same id; else what counts now between the two, or did last."""
    if agreement.cpa_id in directory.agreements:
        return directory.agreements[agreement.cpa_id]
    a, b = (party.id for party in agreement.parties)
    counting = directory.between(a, b, at=now)
    if counting:
        return counting[0]
    others = [one for one in directory.agreements.values() if _same(one, agreement)]
    return max(others, key=lambda one: one.end, default=None)


def _same(one: Agreement, other: Agreement) -> bool:
    def ids(parties: tuple[PartyRef, PartyRef]) -> set[str]:
        return {party.id for party in parties}

    return ids(one.parties) == ids(other.parties)


# --- whether it would work --------------------------------------------------------------


def _certificates(looking: Looking, agreement: Agreement) -> None:
    """Judge what messages need: chain, period, revocation, whose it is; of ours the key."""
    directory = looking.directory
    trust, at = TrustStore(directory.trust), max(looking.now, agreement.start)
    for _, usage, der, owner, needed in dict.fromkeys(named(agreement)):
        if not needed:
            continue
        where = common_name(load(der).subject)
        try:
            identity = trust.judge(der, usage, at, known_at=looking.now)
        except RevocationUnknown as error:
            raise RevocationUnknown(
                "cpas.revocation_unknown", CPA_TEXTS["revocation_unknown"], where=where
            ) from error
        except CertificateRejected as error:
            where = f"{where}: {error.code}"
            raise CertificateRejected(
                "cpas.certificate", CPA_TEXTS["certificate"], where=where
            ) from error
        party = directory.party(owner)
        if party is None or not acts_for(identity, party):
            raise turned_down("certificate_party", where)
        if owner == directory.me and not _held(looking, der):
            raise turned_down("key", where)


def _held(looking: Looking, der: bytes) -> bool:
    try:
        return looking.holds(der)
    except GatewayError:
        return False


# --- what a person must know ------------------------------------------------------------


def _remarks(
    directory: Directory,
    agreement: Agreement,
    present: Agreement | None,
    changed: tuple[Change, ...],
) -> Iterator[Line]:
    for service in sorted({b.service for b in agreement.bindings} - set(directory.services)):
        yield Line(TEXTS["no_version"], {"service": service})
    if present is not None:
        yield from between(agreement, present, changed)


def between(
    agreement: Agreement, present: Agreement, changed: tuple[Change, ...]
) -> Iterator[Line]:
    """Yield what a person must know who puts an agreement in the place of another."""
    if present.cpa_id == agreement.cpa_id:
        yield Line(TEXTS["same_id"], {"cpa": agreement.cpa_id})
        if any(change.kind is Kind.REMOVED for change in changed):
            yield Line(TEXTS["gone"])
    elif _order(present) > _order(agreement):
        yield Line(TEXTS["not_newer"], {"cpa": present.cpa_id})


def _order(agreement: Agreement) -> tuple[datetime, str]:
    """Return by what the newest of two is told, as `Directory.between` does."""
    return agreement.start, agreement.cpa_id


def follows(
    agreement: Agreement, present: Agreement | None, changed: tuple[Change, ...], now: datetime
) -> Iterator[Line]:
    """Yield what happens once it is in place."""
    if agreement.start > now:
        yield Line(TEXTS["starts"], {"at": agreement.start})
    else:
        yield Line(TEXTS["at_once"])
    if present is None:
        yield Line(TEXTS["first"])
    elif present.cpa_id != agreement.cpa_id:
        yield Line(TEXTS["old_stays"], {"cpa": present.cpa_id, "at": present.end})
        if any(change.kind is Kind.REMOVED for change in changed) and present.end > now:
            yield Line(TEXTS["old_actions"], {"cpa": present.cpa_id, "at": present.end})
