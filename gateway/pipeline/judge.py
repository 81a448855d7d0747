"""What the document says, whether it is right, and which message of the koppelvlak it is."""

from dataclasses import dataclass
from datetime import datetime

from gateway.catalogue import MessageKind
from gateway.directory import Directory
from gateway.errors import Finding, SchemaViolation, Severity
from gateway.message import Oin
from gateway.pipeline.house import House
from gateway.rules import business
from gateway.wire import stuf
from gateway.wire.stuf import Document
from gateway.wire.xml import XmlLimits

EXPLAINED_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Valid:
    """A document that keeps its schema and the business rules."""

    document: Document
    kind: MessageKind
    warnings: tuple[Finding, ...]


async def read(house: House, octets: bytes, directory: Directory) -> Document:
    """Parse the document and its stuurgegevens, a large one off the loop; raise Malformed."""
    limits = XmlLimits(octets=directory.limits.payload_bytes)
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


async def validate(
    house: House,
    directory: Directory,
    document: Document,
    kind: MessageKind,
    *,
    sender: Oin,
    at: datetime,
) -> Valid:
    """Check schema, then rules; raise SchemaViolation with every finding that refuses."""
    size = len(document.octets)
    found = await house.think(size, lambda: house.schemas.validate(document, version=kind.version))
    if found:
        raise SchemaViolation(await _explained(house, document, kind, found))
    findings = await house.think(
        size,
        lambda: business.check(document, kind=kind, directory=directory, sender=sender, at=at),
    )
    refusing = tuple(f for f in findings if f.severity is Severity.REFUSE)
    if refusing:
        raise SchemaViolation(refusing)
    return Valid(document=document, kind=kind, warnings=findings)


async def _explained(
    house: House, document: Document, kind: MessageKind, found: tuple[Finding, ...]
) -> tuple[Finding, ...]:
    """Lxml decided; a longer explanation replaces its findings where there is one."""
    if len(document.octets) > EXPLAINED_BYTES:
        return found
    better = await house.explain(document.octets, name=kind.name, version=kind.version)
    return better or found
