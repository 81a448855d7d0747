"""The official XSDs of the StUF-koppelvlak Jeugdzorg as schema packs: installed, and judging."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

from gateway.errors import SchemaViolation
from gateway.installation import load_catalogue, share
from gateway.installation_packs import with_activated
from gateway.packs.shelf import Shelf
from gateway.schemapack import Activations, SchemaPack
from gateway.wire.schema import SchemaSet, compile_xsd
from gateway.wire.stuf import read_document
from tests import packs
from tests.flow.test_melding import hand_in, melding
from tests.flow.test_switching_schemas import (
    OTHER,
    activated,
    answer_to,
    came,
    handed_in,
    longer,
    two_services,
)
from tests.flow.town import HALT, HUB, POLITIE, VT, build

SETS = "stuf-jeugdzorg"
EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = ("vtMeldingDi01", "vtTerugkoppelingDi01", "Bv01Bericht", "Fo01Bericht")
HAS = {
    "1.0.9/vt": {"vtMeldingDi01", "vtTerugkoppelingDi01", "vtoDi01", "Bv01Bericht", "Fo01Bericht"},
    "1.0.9/vv": {"vcobDi01", "ucobDi01", "vciDi01", "uciDi01", "Bv01Bericht", "Fo01Bericht"},
    "1.0.9/gm": {"meldingGeneriekDi01", "uitkomstMeldingGeneriekDi01", "Fo01Bericht"},
    "1.0.7/vt": {"vtMeldingDi01", "vtTerugkoppelingDi01", "vtoDi01", "Bv01Bericht", "Fo01Bericht"},
}
VT_ENTRY = "jz0100_msg_vtberichten_resolved2025.xsd"
HOUR = timedelta(hours=1)


def contents(folder: Path) -> dict[str, bytes]:
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.xsd")}
    assert found
    return found


@pytest.fixture(scope="module")
def shelved(vectors, tmp_path_factory) -> dict[str, SchemaPack]:
    """1.0.9 and 1.0.7 as published, and `longer`: 1.0.9 with one limit changed."""
    folder = tmp_path_factory.mktemp("official")
    shelf = Shelf(folder / "packs")
    files = contents(vectors / SETS / "1.0.9" / "vt")
    amended = {name: _amended(octets) for name, octets in files.items()}
    sources = {
        "official": (vectors / SETS / "1.0.9" / "vt", "1.0.9"),
        "other": (vectors / SETS / "1.0.7" / "vt", "1.0.7"),
        "longer": (packs.folder(folder / "longer", amended), "1.0.9"),
    }
    return {n: packs.installed(shelf, n, source, v) for n, (source, v) in sources.items()}


def _amended(octets: bytes) -> bytes:
    """Let a telephone number be as long as an e-mail address."""
    root = etree.fromstring(octets)
    for element in root.iter("{*}element"):
        if (element.get("name"), element.get("type")) == ("telefoonnummer", "JZ:String20-e"):
            element.set("type", "JZ:String254-e")
    return etree.tostring(root)


@pytest.mark.parametrize("which", HAS)
def test_an_official_set_installs_from_a_folder_and_from_a_zip(vectors, tmp_path, which):
    source = vectors / SETS / which
    shelf = Shelf(tmp_path / "packs")
    archive = packs.zipped(tmp_path / "set.zip", contents(source))

    version = which.partition("/")[0]
    unpacked = packs.installed(shelf, "map", source, version)
    packed = packs.installed(shelf, "zip", archive, version)

    assert {m.name for m in unpacked.messages} >= HAS[which]
    assert (unpacked.files, unpacked.messages) == (packed.files, packed.messages)
    assert shelf.manifest("map").uitleg


def test_all_sets_of_a_version_are_one_pack_too(vectors, tmp_path):
    pack = packs.installed(Shelf(tmp_path / "packs"), "alles", vectors / SETS / "1.0.9")

    entries = [m.entry for m in pack.messages if m.name == "Bv01Bericht"]
    assert {e.partition("/")[0] for e in entries} == {"gm", "vt", "vv"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("which", ["official", "other", "longer"])
def test_a_pack_takes_the_examples_and_refuses_what_is_wrong(shelved, which, name):
    pack = shelved[which]
    line = packs.activation(pack, name)
    schemas = SchemaSet.load(
        share("schemas"),
        load_catalogue(share("config") / "catalogue.toml"),
        packs=shelved,
        activations=Activations((line,)),
    )
    octets = (EXAMPLES / "volledig" / f"{name}.xml").read_bytes()
    wrong = octets.replace(b"</StUF:zender>", b"<StUF:onbekend/></StUF:zender>", 1)

    assert wrong != octets
    assert schemas.validate(read_document(octets), version=pack.version, by=line) == ()
    assert schemas.validate(read_document(wrong), version=pack.version, by=line) != ()


def test_the_two_official_versions_differ_in_one_root_element(shelved):
    """For the messages of these sets 1.0.7 and 1.0.9 say the same; this is all that differs."""
    octets = b'<StUF-berichtenSet xmlns="http://www.egem.nl/StUF/StUF0301"/>'
    entry = {"official": VT_ENTRY, "other": VT_ENTRY.replace("2025", "")}
    takes = {
        name: compile_xsd(shelved[name].files, entry[name], shelved[name].folder).validate(
            etree.fromstring(octets)
        )
        for name in entry
    }

    assert takes == {"official": True, "other": False}
    assert components(shelved["other"]) ^ components(shelved["official"]) == {
        ("element", "StUF-berichtenSet")
    }


def components(pack: SchemaPack) -> set[tuple[str, str]]:
    """What is declared at the top of all XSDs of a pack."""
    return {
        (etree.QName(element).localname, element.get("name"))
        for octets in pack.files.values()
        for element in etree.fromstring(octets).iterchildren("{*}*")
        if element.get("name")
    }


async def test_the_old_pack_judges_until_the_moment_and_the_new_from_it(tmp_path, shelved):
    town = await build(tmp_path)
    moment = town.clock.at + HOUR
    await activated(
        town,
        shelved,
        packs.activation(shelved["official"]),
        packs.activation(shelved["longer"], since=moment),
    )
    await hand_in(town, melding("ref-1"))
    with pytest.raises(SchemaViolation) as caught:
        await hand_in(town, longer("ref-2"))
    town.clock.at = moment

    await hand_in(town, longer("ref-3"))
    await town.settle()

    assert caught.value.code == "schema.lang"
    assert await came(town) == {"ref-1", "ref-3"}
    await town.close()


async def test_another_pack_for_one_partner(tmp_path, shelved):
    town = await build(tmp_path, parties=(POLITIE, HALT, HUB, VT))
    line = packs.activation(shelved["longer"])
    await activated(town, shelved, line, at=(POLITIE, HALT, VT))
    official = packs.activation(shelved["official"])
    await activated(town, shelved, official, replace(line, partner=HALT), at=(HUB,))

    await handed_in(town, POLITIE, longer("ref-1"))
    await handed_in(town, HALT, longer("ref-2", HALT))
    await town.settle()

    assert await came(town) == {"ref-2"}
    assert await answer_to(town, POLITIE, "ref-1") == "Fo01Bericht"
    await town.close()


async def test_two_official_versions_side_by_side(tmp_path, shelved):
    town = await build(tmp_path, parties=(POLITIE, HALT, HUB, VT), directories=two_services)
    lines = Activations(
        tuple(packs.activation(shelved[p], n) for p in ("official", "other") for n in NAMES)
    )
    for oin in town.installations:
        catalogue = with_activated(town[oin].snapshots.current().catalogue, lines, shelved)
        await town[oin].change(packs=shelved, activations=lines, catalogue=catalogue)

    plain = longer("ref-halt", HALT).replace(b">" + b"0" * 30 + b"<", b">0880000000<")
    await handed_in(town, HALT, plain)
    await handed_in(town, POLITIE, melding("ref-politie"))
    await town.settle()

    assert await came(town) == {"ref-halt", "ref-politie"}
    versions = {
        r: (await town[HUB].message(r)).message.version for r in ("ref-halt", "ref-politie")
    }
    assert versions == {"ref-halt": OTHER, "ref-politie": "1.0.9"}
    await town.close()
