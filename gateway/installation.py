"""An installation on disk: read it into settings and a Directory, or write a new one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel

from gateway import config, gate_reading
from gateway.catalogue import Catalogue, Direction, MessageKind, Role
from gateway.config import NAME, Settings
from gateway.config_gate import ApprovalsFile, ClassificationFile
from gateway.directory import (
    Agreement,
    ClassificationTable,
    Directory,
    Gate,
    Limits,
    Party,
    RuleSetting,
    Trust,
)
from gateway.errors import Malformed, Misconfigured
from gateway.gate_reading import NOTHING
from gateway.installation_agreed import readable
from gateway.installation_backends import backend
from gateway.installation_check import check
from gateway.installation_exceptions import check_exceptions, exceptions_of
from gateway.installation_gate import Frame, confirmed, matters
from gateway.installation_mail import own_mail, own_mailbox, party_mail
from gateway.installation_packs import check_partners, with_activated
from gateway.installation_webhooks import webhooks
from gateway.message import Oin
from gateway.packs.activations import NAME as ACTIVATIONS
from gateway.packs.activations import check_packs, read_activations
from gateway.packs.shelf import Shelf
from gateway.rules.settings import check_settings
from gateway.schemapack import Activations, SchemaPack
from gateway.security.revocation import read_lists
from gateway.toml import parse_toml, read_toml
from gateway.wire.confirmation import APPROVALS, TABLE
from gateway.wire.ebms2.cpa import read_cpa

_PEM = b"-----BEGIN"

Model = TypeVar("Model", bound=BaseModel)


def share(name: str) -> Path:
    """Return a folder that ships with the package: `schemas` or `config`."""
    packaged = Path(__file__).parent / "_share" / name
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / name


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Settings with the folder that their paths are relative to."""

    folder: Path
    settings: Settings

    def path(self, relative: Path) -> Path:
        """Return the absolute path of a setting."""
        return (self.folder / relative).resolve()

    @property
    def database(self) -> str | Path:
        """Return the URL of the server, or the file where there is none."""
        return self.settings.database.url or self.path(self.settings.paths.database)

    @property
    def password_file(self) -> Path | None:
        """Return the file with the password of the server."""
        given = self.settings.database.password_file
        return None if given is None else self.path(given)


def load_settings(path: Path) -> Settings:
    """Read `gateway.toml`, or the one in a folder; raises Misconfigured `config.*`."""
    file = _file(path)
    if not file.exists():
        raise Misconfigured(
            "config.missing",
            f"Hier is geen {NAME}. Geef met --config de map waarin hij staat.",
            where=str(file),
        )
    return read_toml(file, Settings)


def load_installation(path: Path) -> Installation:
    """Read the settings and remember their folder; raises Misconfigured `config.*`."""
    return Installation(folder=_file(path).parent.resolve(), settings=load_settings(path))


def _file(path: Path) -> Path:
    return path / NAME if path.is_dir() else path


class Files:
    """Reads each file once and remembers a digest over all of them."""

    def __init__(self) -> None:
        self._digest = sha256()
        self._read: dict[Path, bytes] = {}

    def octets(self, path: Path) -> bytes:
        """Return the content, the same each time; raise Misconfigured `config.missing`."""
        if path in self._read:
            return self._read[path]
        try:
            octets = self._read[path] = path.read_bytes()
        except OSError as exc:
            raise Misconfigured(
                "config.missing", "Het bestand is niet te lezen.", where=str(path)
            ) from exc
        self.add(path.name.encode())
        self.add(octets)
        return octets

    def toml(self, path: Path, model: type[Model]) -> Model:
        """Return the content as its model; raise Misconfigured `config.*`."""
        return parse_toml(self.octets(path), model, where=str(path))

    def folder(self, path: Path, *suffixes: str) -> Iterator[tuple[Path, bytes]]:
        """Yield the files with these suffixes, by name; raise Misconfigured `config.missing`."""
        if not path.is_dir():
            raise Misconfigured("config.missing", "De map bestaat niet.", where=str(path))
        for file in sorted(path.iterdir()):
            if file.suffix.lower() in suffixes and file.is_file():
                yield file, self.octets(file)

    def add(self, octets: bytes) -> None:
        """Count octets in; their length keeps two files from passing for one."""
        self._digest.update(len(octets).to_bytes(8, "big") + octets)

    @property
    def fingerprint(self) -> str:
        return self._digest.hexdigest()


def load_directory(  # noqa: PLR0913 - what may be asked of it, all by name
    installation: Installation,
    *,
    epoch: int,
    at: datetime | None = None,
    activations: Activations | None = None,
    lapse_closes: bool = False,
    confirmation: bytes | None = None,
    tolerant: bool = False,
) -> Directory:
    """Read everything that was agreed into one frozen snapshot.

    `fingerprint` covers every file that was read. `at` is when the confirmation of the gate must
    be good (left out = now); `activations` are those to come, in place of the file's, and so is
    `confirmation`; with `lapse_closes` one that has ended or was revoked closes the gate, and when
    `tolerant` any that is not right. Raises Misconfigured: `config.*`, `agreement.invalid`,
    `trust.invalid`, `gate.*`, `pack.*`.
    """
    settings = installation.settings
    paths = settings.paths
    files = Files()
    files.add(settings.model_dump_json().encode())
    agreements = _agreements(files.folder(installation.path(paths.agreements), ".xml"))
    trust, client_trust = _trust(installation, files), _client_trust(installation, files)
    catalogue = load_catalogue(_or_shared(installation, paths.catalogue, "catalogue.toml"), files)
    called = tuple(webhooks(settings, installation.path, files.octets))

    def read(path: Path) -> bytes:
        return files.octets(installation.path(path))

    parties = {
        Oin(p.oin): replace(_party(p, settings), mail=party_mail(p.email, read))
        for p in settings.partijen
    }
    backends = tuple(backend(b, read) for b in settings.backends)
    frame = Frame(
        settings=settings,
        parties=parties,
        trust=trust,
        at=at or datetime.now(UTC),
        offered=confirmation,
        tolerant=tolerant,
    )
    gate = _gate(installation, files, frame, lapse_closes=lapse_closes)
    shelved = _shelved(installation, files, activations)
    catalogue = with_activated(catalogue, shelved.activations, shelved.packs)
    check(settings, parties, catalogue)
    check_exceptions(settings, frame.at)
    check_settings(parties.values())
    check_partners(shelved.activations, parties)
    return Directory(
        epoch=epoch,
        fingerprint=files.fingerprint,
        me=Oin(settings.partij),
        parties=parties,
        agreements=readable(agreements, Oin(settings.partij), parties),
        catalogue=catalogue,
        services=dict(settings.diensten),
        gate=gate,
        trust=trust,
        backends=backends,
        client_trust=client_trust,
        webhooks=called,
        calling=settings.webhooks,
        mail=own_mail(settings, read),
        mailbox=own_mailbox(settings, read),
        deciding=settings.toets,
        officers=settings.officieren,
        suspended=frozenset(Oin(p.oin) for p in settings.partijen if p.opgeschort),
        limits=_limits(settings.limits),
        packs=shelved.packs,
        activations=shelved.activations,
    )


def _limits(settings: config.LimitSettings) -> Limits:
    return Limits(
        wire_bytes=settings.wire_bytes,
        payload_bytes=settings.payload_bytes,
        parts=settings.parts,
        header_bytes=settings.header_bytes,
        clock_skew=timedelta(seconds=settings.clock_skew_seconds),
    )


def _or_shared(installation: Installation, path: Path | None, name: str) -> Path:
    return installation.path(path) if path is not None else share("config") / name


def _party(settings: config.PartySettings, whole: Settings) -> Party:
    return Party(
        oin=Oin(settings.oin),
        name=settings.naam,
        role=_role(settings.rol, f"partijen.{settings.oin}.rol"),
        local=settings.oin == whole.partij,
        applicaties=settings.applicaties,
        mandates=tuple(Oin(m) for m in settings.mandaten),
        rules=tuple(
            RuleSetting(rule=r.regel, severity=r.ernst, until=r.tot) for r in settings.regels
        ),
        canonical=settings.canonicalisatie,
        gate=settings.toets,
        exceptions=exceptions_of(settings),
    )


def _role(text: str, where: str) -> Role:
    try:
        return Role(text)
    except ValueError as exc:
        raise Misconfigured("config.invalid", "De rol is niet bekend.", where=where) from exc


# --- agreements and trust -------------------------------------------------------------


def _agreements(found: Iterable[tuple[Path, bytes]]) -> dict[str, Agreement]:
    agreements: dict[str, Agreement] = {}
    for path, octets in found:
        try:
            agreement = read_cpa(octets)
        except Malformed as exc:
            raise Misconfigured(
                "agreement.invalid", f"{exc.code}: {exc.text} {exc.where}", where=str(path)
            ) from exc
        if agreement.cpa_id in agreements:
            raise Misconfigured(
                "agreement.invalid", "Deze CPAId staat ook in een ander bestand.", where=str(path)
            )
        agreements[agreement.cpa_id] = agreement
    return agreements


def _trust(installation: Installation, files: Files) -> Trust:
    paths = installation.settings.paths
    return Trust(
        anchors=tuple(_certificates(files, installation.path(paths.anchors))),
        intermediates=tuple(_certificates(files, installation.path(paths.intermediates))),
        crls=tuple(_crls(files, installation.path(paths.crls))),
    )


def _client_trust(installation: Installation, files: Files) -> Trust | None:
    relative = installation.settings.paths.backend_trust
    if relative is None:
        return None
    folder = installation.path(relative)
    return Trust(
        anchors=tuple(_certificates(files, folder / "anchors")),
        intermediates=tuple(_certificates(files, folder / "intermediates")),
        crls=tuple(_crls(files, folder / "crls")),
    )


def _certificates(files: Files, folder: Path) -> Iterator[bytes]:
    for path, octets in files.folder(folder, ".pem", ".crt", ".cer", ".der"):
        try:
            found = (
                x509.load_pem_x509_certificates(octets)
                if _PEM in octets
                else [x509.load_der_x509_certificate(octets)]
            )
        except ValueError as exc:
            raise Misconfigured(
                "trust.invalid", "Het bestand is geen certificaat.", where=str(path)
            ) from exc
        yield from (certificate.public_bytes(Encoding.DER) for certificate in found)


def _crls(files: Files, folder: Path) -> Iterator[bytes]:
    for path, octets in files.folder(folder, ".crl", ".pem", ".der"):
        try:
            yield from read_lists(octets)
        except ValueError as exc:
            raise Misconfigured(
                "trust.invalid", "Het bestand is geen intrekkingslijst (CRL).", where=str(path)
            ) from exc


# --- schemas --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shelved:
    packs: dict[str, SchemaPack]
    activations: Activations


def shelf_of(installation: Installation) -> Shelf:
    """Return where the schema packs stand."""
    return Shelf(installation.path(installation.settings.paths.packs))


def _shelved(installation: Installation, files: Files, activations: Activations | None) -> _Shelved:
    """Read the packs that are activated, each as it was checked."""
    own = installation.settings.paths.schemas
    if own is not None:
        for path in sorted(installation.path(own).rglob("*.xsd")):
            files.octets(path)
    shelf = shelf_of(installation)
    file = shelf.folder / ACTIVATIONS
    written, octets = read_activations(file) if activations is None else (activations, b"")
    now = datetime.now(UTC)
    # What is over judges nothing any more: its pack may be gone, or damaged.
    lines = Activations(tuple(x for x in written.lines if x in written.needed(now)))
    packs = {name: shelf.load(name) for name in sorted({line.pack for line in lines.lines})}
    check_packs(lines, packs, where=str(file))
    for part in (octets, *(pack.digest.encode() for pack in packs.values())):
        files.add(part)
    return _Shelved(packs, lines)


# --- catalogue and gate ---------------------------------------------------------------


def load_catalogue(path: Path, files: Files | None = None) -> Catalogue:
    """Read a catalogue; raises Misconfigured `config.*`."""
    content = (files or Files()).toml(path, config.CatalogueFile)
    kinds = {(k.naam, k.versie): _kind(k) for k in content.berichten}
    if len(kinds) < len(content.berichten):
        raise Misconfigured("config.invalid", "Een bericht staat er twee keer.", where=str(path))
    return Catalogue(kinds)


def _kind(settings: config.KindSettings) -> MessageKind:
    where = f"berichten.{settings.naam}.richtingen"
    return MessageKind(
        name=settings.naam,
        version=settings.versie,
        namespace=settings.namespace,
        schema=settings.schema_ or "",
        directions=frozenset(
            Direction(_role(a, where), _role(b, where)) for a, b in settings.richtingen
        ),
        answer=settings.antwoord,
    )


def kept_table(installation: Installation) -> Path | None:
    """Return where the confirmed table of the program is kept: a later program has another.

    None where the installation has a table of its own, or no place for a confirmation.
    """
    paths = installation.settings.paths
    if paths.classification is not None or paths.confirmation is None:
        return None
    return installation.path(paths.confirmation).with_suffix(".classificatie.toml")


def program_table() -> Path:
    """Return the table that comes with the program."""
    return share("config") / "classification.toml"


def gate_files(installation: Installation) -> dict[str, Path]:
    """Return the files that the OM confirms, by their names in a confirmation."""
    paths, kept = installation.settings.paths, kept_table(installation)
    table = _or_shared(installation, paths.classification, "classification.toml")
    if kept is not None and kept.exists():
        table = kept
    if paths.approvals is None:
        return {TABLE: table}
    return {TABLE: table, APPROVALS: installation.path(paths.approvals)}


def gate_frame(installation: Installation, at: datetime) -> Frame:
    """Return against what a confirmation is judged here; raises Misconfigured."""
    settings = installation.settings
    return Frame(
        settings=settings,
        parties={Oin(p.oin): _party(p, settings) for p in settings.partijen},
        trust=_trust(installation, Files()),
        at=at,
    )


def _gate(installation: Installation, files: Files, frame: Frame, *, lapse_closes: bool) -> Gate:
    """Read table and approvals as one; they count as far as the OM confirmed these octets."""
    where = gate_files(installation)
    given = load_approvals(where[APPROVALS], files) if APPROVALS in where else NOTHING
    gate = Gate(
        table=load_table(where[TABLE], files),
        approvals=given.approvals,
        exceptions=given.exceptions,
    )
    if not matters(installation.settings):
        return gate
    octets, file = (frame.offered, "") if frame.offered else _confirmation(installation, files)
    found = confirmed(
        gate,
        octets,
        files={name: files.octets(path) for name, path in where.items()},
        frame=replace(frame, where=file),
        lapse_closes=lapse_closes,
    )
    files.add(found.fault.encode())
    return found


def gate_fault(installation: Installation, at: datetime) -> str:
    """Return why the gate would be closed if its files were read now; empty = it counts.

    Raises Misconfigured as `load_directory`, for what does not lapse.
    """
    if not matters(installation.settings):
        return ""
    frame = gate_frame(installation, at)
    return _gate(installation, Files(), frame, lapse_closes=True).fault


def _confirmation(installation: Installation, files: Files) -> tuple[bytes | None, str]:
    """Return its octets and its file; none when it is not set, or not there yet."""
    path = installation.settings.paths.confirmation
    file = None if path is None else installation.path(path)
    if file is None or not file.exists():
        return None, str(file or "")
    return files.octets(file), str(file)


def load_table(path: Path, files: Files | None = None) -> ClassificationTable:
    """Read a classification table; raises Misconfigured `config.*`, `gate.*`."""
    return gate_reading.table((files or Files()).toml(path, ClassificationFile))


def load_approvals(file: Path, files: Files | None = None) -> gate_reading.Given:
    """Read what the OM gave beforehand; raises Misconfigured `config.*`."""
    return gate_reading.given((files or Files()).toml(file, ApprovalsFile), where=str(file))
