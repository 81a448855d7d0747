"""Schema packs for tests: the project's own XSDs, changed a little."""

import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from gateway.message import Oin
from gateway.packs.shelf import Label, Shelf
from gateway.schemapack import Activation, SchemaPack

XSDS = Path(__file__).parent.parent / "schemas" / "1.0.9"
MESSAGES = ("vtMeldingDi01", "vtTerugkoppelingDi01", "Bv01Bericht", "Fo01Bericht")
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def own() -> dict[str, str]:
    """The XSDs of four messages, by name: xmlschema takes its time over each."""
    return {
        path.name: path.read_text()
        for path in sorted(XSDS.glob("*.xsd"))
        if path.stem in MESSAGES or not path.stem.endswith(("Di01", "Bericht"))
    }


def longer_phone() -> dict[str, str]:
    """Another edition: a telephone number may have 80 characters."""
    was = 'name="telefoonnummer" type="StUF:TekstTot20"'
    files = own()
    assert was in files["jz.xsd"]
    return {name: text.replace(was, was.replace("20", "80")) for name, text in files.items()}


def with_longer_phone(octets: bytes) -> bytes:
    """What only `longer_phone` takes."""
    assert b">0880000000<" in octets
    return octets.replace(b">0880000000<", b">" + b"0" * 30 + b"<")


def folder(path: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(path: Path, files: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def label(name: str, version: str = "1.0.9") -> Label:
    return Label(name=name, version=version, by="tester", at=AT)


def installed(shelf: Shelf, name: str, source: Path, version: str = "1.0.9") -> SchemaPack:
    shelf.add(source, label(name, version))
    return shelf.load(name)


def activation(
    pack: SchemaPack,
    message: str = "vtMeldingDi01",
    *,
    since: datetime = AT,
    until: datetime | None = None,
    partner: Oin | None = None,
    version: str = "",
) -> Activation:
    (entry,) = [m.entry for m in pack.messages if m.name == message]
    return Activation(
        message=message,
        version=version or pack.version,
        pack=pack.name,
        entry=entry,
        digest=pack.digest,
        partner=partner,
        since=since,
        until=until,
        by="tester",
        made_at=AT,
    )
