"""What it costs to judge a document, for each message and for growing sizes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from bench.grown import grown
from bench.measure import ROUNDS, Figure, compare
from bench.place import HUB, PARTIES, SERVICE, VERSION
from gateway.catalogue import Catalogue, MessageKind, Role
from gateway.directory import ClassificationTable, Directory, Gate, Party, Trust
from gateway.installation import load_catalogue, share
from gateway.message import Oin
from gateway.rules import business
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import read_document

EXAMPLES = share("schemas")
GROWN = "vtMeldingDi01"
SIZES = (50_000, 1_000_000, 35_000_000)
"""Octets of a melding with many betrokkenen."""
LARGE = 10_000_000
"""From here on three rounds are enough."""


def figures() -> Iterator[Figure]:
    catalogue = load_catalogue(share("config") / "catalogue.toml")
    judging = Judging(catalogue)
    for kind in sorted(catalogue.kinds.values(), key=lambda k: (k.version, k.name)):
        octets = example(kind).read_bytes()
        yield judging.figure(kind, octets, f"{kind.name} of {_size(octets)}")
    melding = catalogue.kinds[GROWN, VERSION]
    for size in SIZES:
        octets = grown(example(melding).read_bytes(), size)
        yield judging.figure(melding, octets, f"{GROWN} of {_size(octets)}")


def example(kind: MessageKind) -> Path:
    """Return the example of a message, beside its schema."""
    return (EXAMPLES / kind.schema).parent / "examples" / f"{kind.name}.xml"


class Judging:
    """Read, XSD and rules, as the pipeline does them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._schemas = SchemaSet.load(EXAMPLES, catalogue)
        self._directory = _directory(catalogue)

    def figure(self, kind: MessageKind, octets: bytes, what: str) -> Figure:
        """Compare judging with the least that reading can cost."""
        zender = read_document(octets).stuurgegevens.zender
        sender = Oin(zender.organisatie if zender else HUB.oin)
        at = datetime.now(UTC)

        def judge() -> None:
            document = read_document(octets)
            assert self._schemas.validate(document, version=kind.version) == ()
            business.check(document, kind=kind, directory=self._directory, sender=sender, at=at)

        return compare(
            f"judge {what}",
            judge,
            "plain parse by lxml",
            lambda: etree.fromstring(octets, etree.XMLParser(huge_tree=True)),
            rounds=3 if len(octets) > LARGE else ROUNDS,
        )


def _directory(catalogue: Catalogue) -> Directory:
    parties = {
        Oin(p.oin): Party(
            oin=Oin(p.oin),
            name=p.name,
            role=Role(p.role),
            local=False,
            applicaties=p.applicaties,
        )
        for p in (HUB, *PARTIES)
    }
    return Directory(
        epoch=0,
        fingerprint="",
        me=Oin(HUB.oin),
        parties=parties,
        agreements={},
        catalogue=catalogue,
        services={SERVICE: VERSION},
        gate=Gate(table=ClassificationTable(version="", messages=frozenset())),
        trust=Trust(anchors=()),
    )


def _size(octets: bytes) -> str:
    kilo = len(octets) / 1000
    return f"{kilo:.0f} KB" if kilo < 1000 else f"{kilo / 1000:.0f} MB"
