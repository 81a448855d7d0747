"""What comes in as a schema pack: checked before it is there, and watched afterwards."""

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Misconfigured
from gateway.packs.limits import PackLimits
from gateway.packs.reading import read_pack
from gateway.packs.shelf import Shelf
from tests import packs

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
MESSAGE = f'<xs:schema {XS}><xs:element name="aDi01" type="xs:string"/></xs:schema>'
SMALL = PackLimits(file_bytes=200_000, total_bytes=300_000, files=20, entries=40, depth=4)


def schema(content: str) -> str:
    return MESSAGE.replace("<xs:element", content + "<xs:element")


def importing(location: str) -> str:
    return schema(f'<xs:import namespace="urn:o" schemaLocation="{location}"/>')


def zip_of(*entries: tuple[str, str | bytes], **given: int) -> bytes:
    """A zip with these entries; the same name may come twice."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", given.get("method", zipfile.ZIP_DEFLATED)) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.compress_type = archive.compression
            info.external_attr = given.get("mode", stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return target.getvalue()


def flagged(octets: bytes, flag: int) -> bytes:
    """Set a flag in the local header and in the central directory."""
    found = bytearray(octets)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = found.index(mark) + at
        found[start] |= flag
    return bytes(found)


def renamed(octets: bytes, old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    return octets.replace(old, new)


def declared_smaller(octets: bytes) -> bytes:
    """The directory says that the entry unpacks to ten octets."""
    found = bytearray(octets)
    start = found.index(b"PK\x01\x02") + 24
    found[start : start + 4] = struct.pack("<I", 10)
    return bytes(found)


A = ("a.xsd", MESSAGE)
MANY = [(f"{n}.xsd", MESSAGE) for n in range(21)]
NOISE = os.urandom(190_000).hex().encode()[:190_000]
ZIPS: dict[str, tuple[bytes, str]] = {
    "an absolute path": (zip_of(A, ("/etc/b.xsd", MESSAGE)), "pack.path"),
    "a path upwards": (zip_of(A, ("../b.xsd", MESSAGE)), "pack.path"),
    "a path upwards of another file": (zip_of(A, ("x/../../LEESMIJ", "")), "pack.path"),
    "a backslash": (zip_of(A, ("..\\b.xsd", MESSAGE)), "pack.path"),
    "a drive": (zip_of(A, ("C:b.xsd", MESSAGE)), "pack.path"),
    "a dot as folder": (zip_of(A, ("./b.xsd", MESSAGE)), "pack.path"),
    "a control character": (zip_of(A, ("b\x1b[2J.xsd", MESSAGE)), "pack.path"),
    "a nul": (renamed(zip_of(("a.xsdQ.xsd", MESSAGE)), b"Q", b"\0"), "pack.path"),
    "an odd name": (zip_of(A, ("é.xsd", MESSAGE)), "pack.name"),
    "a trailing dot in a folder": (zip_of(A, ("map./b.xsd", MESSAGE)), "pack.name"),
    "a very long name": (zip_of(A, ("b" * 250 + ".xsd", MESSAGE)), "pack.name"),
    "a link": (zip_of(("a.xsd", "/etc/passwd"), mode=stat.S_IFLNK | 0o777), "pack.link"),
    "a device": (zip_of(A, mode=stat.S_IFCHR | 0o666), "pack.link"),
    "a password": (flagged(zip_of(A), 0x1), "pack.encrypted"),
    "the same name twice": (renamed(zip_of(A, ("Q.xsd", "")), b"Q", b"a"), "pack.duplicate"),
    "names that differ in capitals": (zip_of(A, ("A.XSD", MESSAGE)), "pack.duplicate"),
    "a file and a folder of one name": (zip_of(A, ("a.xsd/", "")), "pack.duplicate"),
    "a file and what stands in it": (zip_of(A, ("a.xsd/b.xsd", MESSAGE)), "pack.duplicate"),
    "what stands in a file": (zip_of(("a.xsd/b.xsd", MESSAGE), A), "pack.duplicate"),
    "the same in capitals": (zip_of(A, ("A.XSD/b.xsd", MESSAGE)), "pack.duplicate"),
    "folders that differ in capitals": (
        zip_of(("X/a.xsd", MESSAGE), ("x/b.xsd", MESSAGE)), "pack.duplicate"
    ),
    "too many schemas": (zip_of(*MANY), "pack.files"),
    "too many other files": (zip_of(A, *((f"{n}.txt", "") for n in range(41))), "pack.files"),
    "too large a file": (zip_of(("a.xsd", NOISE + NOISE)), "pack.size"),
    "too much together": (zip_of(("a.xsd", NOISE), ("b.xsd", NOISE)), "pack.size"),
    "a bomb": (zip_of(("a.xsd", b" " * 199_000)), "pack.ratio"),
    "a size that is a lie": (declared_smaller(zip_of(A)), "pack.zip"),
    "a wrong checksum": (renamed(zip_of(A, method=0), b"aDi01", b"bDi01"), "pack.zip"),
    "folders without end": (zip_of(("a/b/c/d/e/a.xsd", MESSAGE)), "pack.depth"),
    "another compression": (zip_of(A, method=zipfile.ZIP_LZMA), "pack.zip"),
    "half a zip": (zip_of(A)[:-30], "pack.zip"),
    "no zip at all": (b"<xs:schema/>", "pack.zip"),
    "nothing": (b"", "pack.zip"),
    "an empty zip": (zip_of(), "pack.empty"),
    "a zip in a zip": (zip_of(("a.zip", zip_of(A))), "pack.empty"),
}  # fmt: skip

BILLION = "".join(
    f'<xs:group name="g{n}"><xs:sequence><xs:group ref="g{n - 1}"/><xs:group ref="g{n - 1}"/>'
    "</xs:sequence></xs:group>"
    for n in range(1, 32)
)
DEEP = "<xs:annotation><xs:appinfo>" + "<a>" * 99 + "</a>" * 99 + "</xs:appinfo></xs:annotation>"
CONTENTS: dict[str, tuple[str | bytes, str]] = {
    "a DTD": ('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x">' + MESSAGE, "pack.doctype"),
    "an entity": (
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + schema("&e;"),
        "pack.doctype",
    ),
    "an import over http": (importing("http://127.0.0.1:9/a.xsd"), "pack.reference"),
    "an import of a file URL": (importing("file:///etc/passwd"), "pack.reference"),
    "an absolute import": (importing("/etc/passwd"), "pack.reference"),
    "an import from above": (importing("../a.xsd"), "pack.reference"),
    "an import from above, disguised": (importing("%2e%2e/a.xsd"), "pack.reference"),
    "an import of what is not there": (importing("weg.xsd"), "pack.reference"),
    "an import in other capitals": (importing("B.xsd"), "pack.reference"),
    "an include over http": (
        schema('<xs:include schemaLocation="http://127.0.0.1:9/"/>'),
        "pack.reference",
    ),
    "a hint": (
        MESSAGE.replace(
            "<xs:schema ",
            '<xs:schema xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            ' xsi:schemaLocation="urn:o http://127.0.0.1:9/a.xsd" ',
        ),
        "pack.reference",
    ),
    "no schema": ("<a/>", "pack.root"),
    "no XML": ("<a", "pack.xml"),
    "another encoding": (MESSAGE.encode("utf-16"), "pack.xml"),
    "nesting without end": (schema(DEEP), "pack.xml"),
    "no message": (MESSAGE.replace("aDi01", "iets"), "pack.messages"),
    "a type that is not there": (MESSAGE.replace("xs:string", "xs:strong"), "pack.compile"),
    "groups that double thirty times": (
        schema(
            '<xs:group name="g0"><xs:sequence><xs:element name="a"/></xs:sequence></xs:group>'
            + BILLION
        ).replace(
            '<xs:element name="aDi01" type="xs:string"/>',
            '<xs:element name="aDi01"><xs:complexType><xs:group ref="g31"/></xs:complexType>'
            "</xs:element>",
        ),
        "pack.slow",
    ),
}


def left(shelf: Shelf) -> list[str]:
    return [path.name for path in shelf.folder.iterdir() if path.name != ".lock"]


def refused(shelf: Shelf, source: Path, **given: object) -> Misconfigured:
    """The refusal; nothing of the pack is left behind."""
    with pytest.raises(Misconfigured) as caught:
        shelf.add(source, packs.label("pakket"), **given)

    assert shelf.names() == ()
    assert not shelf.folder.exists() or left(shelf) == []
    assert caught.value.code.startswith("pack.")
    assert caught.value.text.endswith(".")
    assert caught.value.where.isprintable()
    return caught.value


@pytest.mark.parametrize("case", ZIPS)
def test_a_zip_that_is_not_to_be_trusted_is_refused(tmp_path, case):
    octets, code = ZIPS[case]
    source = tmp_path / "pakket.zip"
    source.write_bytes(octets)

    assert refused(Shelf(tmp_path / "packs"), source, limits=SMALL).code == code
    assert sorted(p.name for p in tmp_path.iterdir()) in (["pakket.zip"], ["packs", "pakket.zip"])


def test_a_zip_that_is_too_large_is_not_opened(tmp_path):
    source = tmp_path / "pakket.zip"
    source.write_bytes(b"a" * 2_000)

    found = refused(Shelf(tmp_path / "packs"), source, limits=PackLimits(archive_bytes=1_999))

    assert found.code == "pack.size"


@pytest.mark.parametrize("case", CONTENTS)
def test_an_xsd_that_is_not_to_be_trusted_is_refused(tmp_path, case):
    content, code = CONTENTS[case]
    source = packs.folder(tmp_path / "bron", {"a.xsd": content, "b.xsd": f"<xs:schema {XS}/>"})

    assert refused(Shelf(tmp_path / "packs"), source, seconds=6).code == code


def linked(folder: Path) -> None:
    (folder / "b.xsd").symlink_to("/etc/passwd")


def linked_folder(folder: Path) -> None:
    (folder / "map").symlink_to("/etc")


def piped(folder: Path) -> None:
    os.mkfifo(folder / "b.xsd")


def deepened(folder: Path) -> None:
    (folder / "/".join("abcdefghij")).mkdir(parents=True)


FOLDERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a link": (linked, "pack.link"),
    "a link to a folder": (linked_folder, "pack.link"),
    "a pipe": (piped, "pack.link"),
    "folders without end": (deepened, "pack.depth"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_folder_that_is_not_to_be_trusted_is_refused(tmp_path, case):
    change, code = FOLDERS[case]
    source = packs.folder(tmp_path / "bron", {"a.xsd": MESSAGE})
    change(source)

    assert refused(Shelf(tmp_path / "packs"), source).code == code


def test_a_path_without_a_pack_is_refused(tmp_path):
    assert refused(Shelf(tmp_path / "packs"), tmp_path / "weg").code == "pack.missing"


def read_or_refused(source: Path) -> set[bytes]:
    try:
        return set(read_pack(source, SMALL).files.values())
    except Misconfigured:
        return set()


GOOD = zip_of(A, ("b/c.xsd", MESSAGE), ("LEESMIJ.txt", "tekst"))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(1, 255)), max_size=4))
def test_a_damaged_zip_is_read_or_refused_and_nothing_else(tmp_path_factory, damage):
    octets = bytearray(GOOD)
    for at, change in damage:
        octets[at] ^= change
    source = tmp_path_factory.getbasetemp() / "beschadigd.zip"
    source.write_bytes(octets)

    assert read_or_refused(source) <= {MESSAGE.encode()}


# --- what is installed ------------------------------------------------------------------


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Shelf:
    """A shelf with the project's own XSDs as pack `eigen`; the tests leave it as it is."""
    folder = tmp_path_factory.mktemp("shelf")
    shelf = Shelf(folder / "packs")
    packs.installed(shelf, "eigen", packs.folder(folder / "bron", packs.own()))
    return shelf


def entries(found: Iterable) -> dict[str, str]:
    return {message.name: message.entry for message in found}


def test_a_pack_tells_which_messages_it_has(shelf):
    found = shelf.load("eigen")

    assert entries(found.messages)["vtMeldingDi01"] == "vtMeldingDi01.xsd"
    assert entries(found.messages)["Bv01Bericht"] == "Bv01Bericht.xsd"
    assert found.version == "1.0.9"
    assert shelf.manifest("eigen").uitleg


def test_a_folder_and_a_zip_of_it_are_the_same_pack(tmp_path, shelf):
    other = Shelf(tmp_path / "packs")

    pack = packs.installed(other, "eigen", packs.zipped(tmp_path / "a.zip", packs.own()))

    assert pack.digest == shelf.load("eigen").digest


def test_what_is_no_schema_is_left_out(tmp_path):
    files = {"a.xsd": MESSAGE, "LEESMIJ.txt": "tekst", "__MACOSX/._a.xsd": b"\0", ".git/x.xsd": "x"}
    shelf = Shelf(tmp_path / "packs")
    source = packs.zipped(tmp_path / "a.zip", {k: v for k, v in files.items() if k[0] != "."})

    added = shelf.add(source, packs.label("klein"))

    assert added.left_out == 2
    assert list(shelf.load("klein").files) == ["a.xsd"]


def test_an_included_message_is_judged_by_what_includes_it(tmp_path):
    """An XSD without namespace takes that of the one that includes it."""
    files = {
        "deel.xsd": MESSAGE,
        "heel.xsd": f'<xs:schema {XS} targetNamespace="urn:h">'
        '<xs:include schemaLocation="deel.xsd"/></xs:schema>',
    }

    pack = packs.installed(Shelf(tmp_path / "packs"), "h", packs.folder(tmp_path / "b", files))

    (message,) = pack.messages
    assert (message.namespace, message.entry) == ("urn:h", "heel.xsd")


def test_a_name_that_is_taken_is_refused(tmp_path, shelf):
    source = packs.folder(tmp_path / "bron", {"a.xsd": MESSAGE})

    with pytest.raises(Misconfigured) as caught:
        shelf.add(source, packs.label("eigen"))

    assert caught.value.code == "pack.exists"
    assert shelf.names() == ("eigen",)


@pytest.mark.parametrize("name", ["..", "../eigen", "/etc", "weg", "EIGEN", "eigen/xsd", ""])
def test_a_name_that_is_no_pack_is_not_looked_for_elsewhere(shelf, name):
    with pytest.raises(Misconfigured) as caught:
        shelf.load(name)

    assert caught.value.code == "pack.unknown"


@pytest.mark.parametrize(
    ("name", "version"),
    [("../x", "1.0.9"), ("Naam", "1.0.9"), ("x", ""), ("activations.toml", "1.0.9")],
)
def test_a_pack_can_not_be_called_anything(tmp_path, shelf, name, version):
    source = packs.folder(tmp_path / "bron", {"a.xsd": MESSAGE})

    with pytest.raises(Misconfigured) as caught:
        shelf.add(source, packs.label(name, version))

    assert caught.value.code == "pack.label"
    assert shelf.names() == ("eigen",)


def test_what_a_killed_command_left_is_swept_by_the_next(tmp_path):
    shelf = Shelf(tmp_path / "packs")
    half = shelf.folder / ".nieuw-abc" / "xsd"
    half.mkdir(parents=True)
    (half / "a.xsd").write_text("half")
    (shelf.folder / ".activations.toml.nieuw").write_text("half")
    others = shelf.folder / ".git"
    others.mkdir()

    packs.installed(shelf, "klein", packs.folder(tmp_path / "bron", {"a.xsd": MESSAGE}))

    assert others.exists()
    others.rmdir()
    assert left(shelf) == ["klein"]


CIRCLE = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x">
  <xs:include schemaLocation="{}"/>
  <xs:element name="eenDi01" type="ontbreekt"/>
</xs:schema>"""


def test_messages_within_a_circle_of_includes_are_compiled_as_well(tmp_path, shelf):
    files = {
        "a.xsd": MESSAGE,
        "c1.xsd": CIRCLE.format("c2.xsd"),
        "c2.xsd": CIRCLE.format("c1.xsd").replace("eenDi01", "tweeDi01"),
    }

    with pytest.raises(Misconfigured) as caught:
        packs.installed(shelf, "kring", packs.folder(tmp_path / "kring", files))

    assert caught.value.code.startswith("pack.")


def changed(folder: Path) -> None:
    file = folder / "xsd" / "jz.xsd"
    file.write_text(file.read_text().replace("TekstTot20", "TekstTot40"))


def gone(folder: Path) -> None:
    (folder / "xsd" / "jz.xsd").unlink()


def more(folder: Path) -> None:
    (folder / "xsd" / "extra.xsd").write_text(MESSAGE)


def swapped(folder: Path) -> None:
    file = folder / "xsd" / "jz.xsd"
    file.rename(folder / "elders.xsd")
    file.symlink_to(folder / "elders.xsd")


def rewritten(folder: Path) -> None:
    (folder / "pack.json").write_text("{}")


def moved(folder: Path) -> None:
    file = folder / "pack.json"
    file.write_text(file.read_text().replace('"eigen"', '"ander"'))


@pytest.mark.parametrize("change", [changed, gone, more, swapped, rewritten, moved])
def test_a_change_in_an_installed_pack_is_noticed(tmp_path, change):
    shelf = Shelf(tmp_path / "packs")
    packs.installed(shelf, "eigen", packs.folder(tmp_path / "bron", packs.own()))
    change(shelf.folder / "eigen")

    with pytest.raises(Misconfigured) as caught:
        shelf.load("eigen")

    assert caught.value.code == "pack.changed"


def test_what_was_discarded_is_gone_whole(tmp_path):
    shelf = Shelf(tmp_path / "packs")
    packs.installed(shelf, "klein", packs.folder(tmp_path / "bron", {"a.xsd": MESSAGE}))

    shelf.discard("klein")

    assert left(shelf) == []
    with pytest.raises(Misconfigured) as caught:
        shelf.load("klein")
    assert caught.value.code == "pack.unknown"
