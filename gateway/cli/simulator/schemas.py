"""Which schema packs the partner judges by: those of the installation, seen from the other side."""

from dataclasses import replace

from gateway.installation import Installation, shelf_of
from gateway.message import Oin
from gateway.packs.activations import NAME, read_activations
from gateway.schemapack import Activations


def as_partner(installation: Installation) -> Activations:
    """Return the activations that go for the partner and who it talks to.

    A line for the partner alone is one of all that it exchanges; lines for others do not concern
    it. Raises Misconfigured `config.*`, `pack.overlap`, `pack.moment`.
    """
    written, _ = read_activations(shelf_of(installation).folder / NAME)
    settings = installation.settings
    others = [Oin(one.oin) for one in settings.partijen if one.oin != settings.partij]
    lines = []
    for line in written.lines:
        if line.partner == settings.partij:
            lines += [replace(line, partner=other) for other in others]
        elif line.partner is None or line.partner in others:
            lines.append(line)
    return Activations(tuple(lines))
