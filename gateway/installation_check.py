"""What must fit together in an installation, beyond what each setting says alone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.catalogue import Catalogue, MessageKind, Role
from gateway.config import BackendSettings, InstallationRole, Settings
from gateway.directory import Party
from gateway.errors import Misconfigured
from gateway.message import Oin
from gateway.schemapack import Activation, Activations, SchemaPack


@dataclass(frozen=True, slots=True)
class _Fault:
    where: str
    text: str


def check(settings: Settings, parties: Mapping[Oin, Party], catalogue: Catalogue) -> None:
    """Raise Misconfigured `config.invalid`, at the first thing that does not fit."""
    for fault in _faults(settings, parties, catalogue):
        raise Misconfigured("config.invalid", fault.text, where=fault.where)


def _faults(
    settings: Settings, parties: Mapping[Oin, Party], catalogue: Catalogue
) -> Iterator[_Fault]:
    for oin in _twice(p.oin for p in settings.partijen):
        yield _Fault(f"partijen.{oin}", "Deze partij staat er twee keer.")
    yield from _own(settings, parties)
    for backend in settings.backends:
        yield from _backend(backend, parties)
    if _twice(b.naam for b in settings.backends):
        yield _Fault("backends.naam", "Twee backends hebben dezelfde naam.")
    if _twice(b.token_sha256 for b in settings.backends):
        yield _Fault("backends.token_sha256", "Twee backends hebben hetzelfde token.")
    known = {version for _, version in catalogue.kinds}
    for service, version in settings.diensten.items():
        if version not in known:
            yield _Fault(f"diensten.{service}", "De catalogus kent deze versie niet.")


def _own(settings: Settings, parties: Mapping[Oin, Party]) -> Iterator[_Fault]:
    """The role of the party decides how is routed: it must be that of the installation."""
    own = parties.get(Oin(settings.partij))
    if own is None:
        yield _Fault("partij", "De eigen partij staat niet bij de partijen.")
        return
    hub = settings.rol is InstallationRole.KNOOPPUNT
    if hub is not (own.role is Role.KNOOPPUNT):
        yield _Fault("rol", "De rol past niet bij die van de eigen partij.")


def _backend(settings: BackendSettings, parties: Mapping[Oin, Party]) -> Iterator[_Fault]:
    party = parties.get(Oin(settings.partij))
    place = f"backends.{settings.naam}"
    if party is None or not party.local:
        yield _Fault(f"{place}.partij", "Dit is geen partij van deze installatie.")
    elif not set(settings.applicaties) <= set(party.applicaties):
        yield _Fault(f"{place}.applicaties", "De partij heeft niet al deze applicaties.")


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


# --- schema packs ---------------------------------------------------------------------


def with_activated(
    catalogue: Catalogue, activations: Activations, packs: Mapping[str, SchemaPack]
) -> Catalogue:
    """Return the catalogue with the versions that only a pack has.

    A new version of a message goes between the same parties as the newest one that the
    catalogue has. Raises Misconfigured `pack.catalogue` for a message that it does not have,
    `pack.namespace` for one that has another namespace there.
    """
    kinds = dict(catalogue.kinds)
    for line in activations.lines:
        kind = _activated(catalogue, line, packs[line.pack])
        if kinds.setdefault((kind.name, kind.version), kind).namespace != kind.namespace:
            raise Misconfigured(
                "pack.namespace",
                f"{line.message} {line.version} heeft in dit pakket een andere naamruimte dan in de"
                " catalogus. Pas de regel in de catalogus aan, of kies een ander pakket.",
                where=line.pack,
            )
    return Catalogue(kinds)


def _activated(catalogue: Catalogue, line: Activation, pack: SchemaPack) -> MessageKind:
    newest = catalogue.newest(line.message)
    declared = pack.find(line.message, line.entry)
    if newest is None or declared is None:
        raise Misconfigured(
            "pack.catalogue",
            f"De catalogus kent {line.message} niet. Zet het bericht in paths.catalogue, met"
            " wie het aan wie mag sturen.",
            where=line.pack,
        )
    return replace(newest, version=line.version, namespace=declared.namespace, schema="")


def check_partners(activations: Activations, parties: Mapping[Oin, Party]) -> None:
    """Raise Misconfigured `pack.partner` when a line names a party that is not known here."""
    for line in activations.lines:
        if line.partner is not None and line.partner not in parties:
            raise Misconfigured(
                "pack.partner",
                "Een activering noemt een partner die niet onder [[partijen]] staat.",
                where=f"partijen.{line.partner}",
            )
