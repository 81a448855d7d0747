"""What `gateway doctor` says of schema packs."""

from collections.abc import Iterator

from gateway.app import SystemClock
from gateway.directory import Directory
from gateway.errors import GatewayError
from gateway.installation import Installation, shelf_of

Line = tuple[str, str]
"""Mark and text."""


def packs(installation: Installation, directory: Directory) -> Iterator[Line]:
    """Yield every pack with what it judges, and every agreed message that nothing judges now."""
    now = SystemClock().now()
    shelf = shelf_of(installation)
    needed = directory.activations.needed(now)
    for name in shelf.names():
        try:
            pack = shelf.load(name)
        except GatewayError as error:
            yield "✗", f"schemapakket {name}: {error.code} {error.where}"
            continue
        judging = sorted({f"{a.message} {a.version}" for a in needed if a.pack == name})
        yield "✓", f"schemapakket {name} ({pack.version}): {', '.join(judging) or 'niet actief'}"
    for line in sorted((a for a in needed if a.since > now), key=lambda a: a.since):
        who = line.partner or "alle partners"
        what = f"{line.message} {line.version} ({who})"
        yield "✓", f"{what} gaat op {line.since:%Y-%m-%d %H:%M} UTC over op {line.pack}"
    yield from _gaps(directory)


def _gaps(directory: Directory) -> Iterator[Line]:
    now = SystemClock().now()
    judged = {line.subject[:2] for line in directory.activations.lines if line.counts(now)}
    for (name, version), kind in sorted(directory.catalogue.kinds.items()):
        used = version in directory.services.values()
        if used and not kind.schema and (name, version) not in judged:
            yield (
                "!",
                f"{name} {version}: nu geen schema, dus geweigerd; gateway schemas activate",
            )
