"""What the document says, whether it is right, and which message of the koppelvlak it is."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.catalogue import MessageKind
from gateway.directory import Directory
from gateway.errors import Finding, SchemaViolation, Severity
from gateway.message import Oin
from gateway.pipeline.house import House
from gateway.rules import business
from gateway.wire import stuf
from gateway.wire.stuf import Document
from gateway.wire.toets import limit_for
from gateway.wire.xml import XmlLimits

EXPLAINED_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Valid:
    """A document that keeps its schema and the business rules."""

    document: Document
    kind: MessageKind
    warnings: tuple[Finding, ...]


async def read(house: House, octets: bytes, directory: Directory, *, action: str = "") -> Document:
    """Parse the document and its stuurgegevens, a large one off the loop; raise Malformed.

    `action` is the eb:Action that it came under: how large it may be depends on that.
    """
    limits = XmlLimits(octets=limit_for(action, directory.limits))
    return await house.think(len(octets), lambda: stuf.read_document(octets, limits=limits))


def kind_of(document: Document, version: str, directory: Directory) -> MessageKind:
    """Return the message of the catalogue; raise SchemaViolation when it is none of them."""
    kind = directory.catalogue.find(document.name, version)
    if kind is None or kind.namespace != document.namespace:
        raise SchemaViolation(
            (
                Finding(
                    code="bericht.onbekend",
                    rule="catalogus",
                    path=f"/{document.name}",
                    text=f"Dit bericht staat niet in de catalogus van versie {version}.",
                    remedy="Gebruik een bericht en versie die met deze partij zijn afgesproken.",
                ),
            )
        )
    return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Whose message it is, and with whom it is exchanged."""

    sender: Oin
    """Who says it: the zender."""
    partner: Oin
    """The other party of the agreement, or the local receiver: it may have schemas of its own."""


def has_schema(directory: Directory, kind: MessageKind, *, partner: Oin, at: datetime) -> bool:
    """Tell whether anything judges the message: a new version may wait for its schema pack."""
    chosen = directory.activations.choose(kind.name, kind.version, partner=partner, at=at)
    return bool(kind.schema) or chosen is not None


async def validate(
    house: House,
    directory: Directory,
    document: Document,
    kind: MessageKind,
    *,
    parties: Parties,
    at: datetime,
) -> Valid:
    """Check schema, then rules; raise SchemaViolation with every finding that refuses.

    Raises StaleSnapshot when the directory is not the one of now.
    """
    await keep_schema(house, directory, document, kind, partner=parties.partner, at=at)
    warnings = await keep_rules(house, directory, document, kind, sender=parties.sender, at=at)
    return Valid(document=document, kind=kind, warnings=warnings)


async def keep_schema(
    house: House,
    directory: Directory,
    document: Document,
    kind: MessageKind,
    *,
    partner: Oin,
    at: datetime,
) -> None:
    """Raise SchemaViolation with every finding; the moment decides which pack judges.

    Raises StaleSnapshot when the directory is not the one of now.
    """
    schemas = house.snapshots.schemas(directory)
    by = directory.activations.choose(kind.name, kind.version, partner=partner, at=at)
    found = await house.think(
        len(document.octets), lambda: schemas.validate(document, version=kind.version, by=by)
    )
    if found:
        entry = schemas.entry(kind.name, kind.version, by)
        raise SchemaViolation(await _explained(house, document, entry, found))


async def keep_rules(
    house: House,
    directory: Directory,
    document: Document,
    kind: MessageKind,
    *,
    sender: Oin,
    at: datetime,
) -> tuple[Finding, ...]:
    """Return the warnings; raise SchemaViolation with every finding, warnings last.

    The document keeps its schema: the rules count on that.
    """
    findings = await house.think(
        len(document.octets),
        lambda: business.check(document, kind=kind, directory=directory, sender=sender, at=at),
    )
    ordered = tuple(sorted(findings, key=lambda one: one.severity is Severity.WARN))
    if ordered and ordered[0].severity is Severity.REFUSE:
        raise SchemaViolation(ordered)
    return ordered


async def _explained(
    house: House, document: Document, entry: Path | None, found: tuple[Finding, ...]
) -> tuple[Finding, ...]:
    """Lxml decided; a longer explanation replaces its findings where there is one."""
    if entry is None or len(document.octets) > EXPLAINED_BYTES:
        return found
    better = await house.explain(document.octets, entry)
    return better or found
