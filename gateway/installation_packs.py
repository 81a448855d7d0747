"""What the activated schema packs add to an installation, and must fit in it."""

from collections.abc import Mapping
from dataclasses import replace

from gateway.catalogue import Catalogue, MessageKind
from gateway.directory import Party
from gateway.errors import Misconfigured
from gateway.message import Oin
from gateway.schemapack import Activation, Activations, SchemaPack


def with_activated(
    catalogue: Catalogue, activations: Activations, packs: Mapping[str, SchemaPack]
) -> Catalogue:
    """Return the catalogue with the versions that only a pack has.

    A new version of a message goes between the same parties as the newest one that the
    catalogue has. Bv01 and Fo01, without which nothing can be answered, are of every version:
    where no pack has them, by the XSDs of the newest one that the catalogue has.

    Raises Misconfigured `pack.catalogue` for a message that it does not have, `pack.namespace`
    for one that has another namespace there.
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
    for version in {line.version for line in activations.lines}:
        for name in {kind.name for kind in catalogue.kinds.values() if kind.answer}:
            newest = catalogue.newest(name)
            if newest is not None:
                kinds.setdefault((name, version), replace(newest, version=version))
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
