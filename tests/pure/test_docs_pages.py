"""docs/berichten and docs/foutcodes.md are what schema, rules and registry say."""

import difflib
import re
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from gateway.cli.documentation import built_in
from gateway.codes import CODES
from gateway.docs_pages import pages
from gateway.docs_pages.markdown import cell
from gateway.docs_pages.structure import Part, read
from gateway.rules.business import RULES, rules_of
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import read_document

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(([^)#]+)\)")
SOURCES = built_in()
KINDS = sorted(SOURCES.catalogue.kinds.values(), key=lambda kind: (kind.name, kind.version))


@cache
def made() -> dict[str, str]:
    return pages(SOURCES)


def page_of(kind) -> str:
    newest = SOURCES.catalogue.versions(kind.name)[-1] == kind.version
    return made()[f"berichten/{kind.name}{'' if newest else f'-{kind.version}'}.md"]


def test_pages_are_what_the_program_says():
    told = []
    for name, text in made().items():
        written = (DOCS / name).read_text(encoding="utf-8") if (DOCS / name).exists() else ""
        lines = (written.splitlines(), text.splitlines())
        told += list(difflib.unified_diff(*lines, name, "made", n=0))[:6]

    assert not told, "write them again with\n.venv/bin/gateway docs docs\n" + "\n".join(told)


def test_no_page_of_a_message_that_is_no_more():
    there = {f"berichten/{path.name}" for path in (DOCS / "berichten").iterdir()}

    assert there <= set(made())


@pytest.mark.parametrize("name", ["foutcodes.md", "berichten/README.md", "berichten/vtoDi01.md"])
def test_links_lead_somewhere(name):
    links = LINK.findall(made()[name])

    assert links
    assert not [link for link in links if not ((DOCS / name).parent / link).resolve().exists()]


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: f"{k.name}-{k.version}")
def test_page_names_every_element_of_the_example_and_every_rule(kind):
    folder = (SOURCES.schemas / kind.schema).parent / "examples"
    (first, *_others) = sorted(folder.glob(f"{kind.name}*.xml")) or [None]
    text = page_of(kind)

    assert all(f"| {rule.id} | `{rule.code}` |" in text for rule in rules_of(kind.name))
    assert "none in this pack" in text if first is None else first.name in text
    for path in paths_of(first) if first else ():
        assert f"| `{path}` |" in text


def paths_of(example: Path) -> set[str]:
    root = read_document(example.read_bytes()).tree

    def below(element, path):
        for child in element.iterchildren("*"):
            # The examples have the prefixes of the pages; what has none is in no namespace.
            name = etree.QName(child)
            prefix = f"{child.prefix}:" if name.namespace else ""
            place = f"{path}/{prefix}{name.localname}".lstrip("/")
            yield place
            yield from below(child, place)

    return set(below(root, ""))


def test_every_linked_example_is_valid():
    schemas = SchemaSet.load(SOURCES.schemas, SOURCES.catalogue)
    linked = set()
    for kind in KINDS:
        for link in LINK.findall(page_of(kind)):
            if link.endswith(".xml"):
                document = read_document((DOCS / "berichten" / link).resolve().read_bytes())
                linked.add(kind.name)
                assert schemas.validate(document, version=kind.version) == ()

    assert linked == {kind.name for kind in KINDS}


def test_page_of_codes_has_every_code_and_rule():
    text = made()["foutcodes.md"]

    assert all(f"| `{code}` |" in text for code in CODES)
    assert all(f"| {rule.id} | `{rule.code}` |" in text for rule in RULES)
    assert "| `regel.richting` | refuse, fixed | StUF052 |" in text
    assert re.search(r"\| `store\.full` \|.*\| 503 \|.*\| yes \|", text)


def test_tables_have_as_many_cells_as_heads():
    for name, text in made().items():
        width = 0
        for line in text.splitlines():
            bars = line.replace("\\|", "").count("|") if line.startswith("|") else 0
            assert not (bars and width) or bars == width, f"{name}: {line}"
            width = bars


# --- reading an XSD -------------------------------------------------------------------

XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x"
  targetNamespace="urn:x" elementFormDefault="qualified">
 <xs:annotation><xs:documentation>A  proof.</xs:documentation></xs:annotation>
 <xs:simpleType name="short"><xs:restriction base="xs:string">
  <xs:minLength value="2"/><xs:maxLength value="5"/></xs:restriction></xs:simpleType>
 <xs:simpleType name="shorter"><xs:restriction base="short">
  <xs:maxLength value="4"/><xs:pattern value="a|b*"/></xs:restriction></xs:simpleType>
 <xs:complexType name="marked"><xs:simpleContent><xs:extension base="shorter">
  <xs:attribute name="soort" fixed="X" use="required"/><xs:attribute name="exact"/>
  <xs:attribute name="naam"/></xs:extension></xs:simpleContent></xs:complexType>
 <xs:complexType name="tree"><xs:sequence>
  <xs:element name="tree" type="tree" minOccurs="0"/></xs:sequence></xs:complexType>
 <xs:element name="proof"><xs:complexType><xs:sequence>
  <xs:element name="one" type="marked" nillable="true"><xs:annotation>
   <xs:documentation>What it is.</xs:documentation></xs:annotation></xs:element>
  <xs:sequence minOccurs="0" maxOccurs="unbounded"><xs:element name="two" type="xs:integer"
   maxOccurs="2"/></xs:sequence>
  <xs:choice><xs:element name="three" type="xs:boolean"/><xs:element name="four"><xs:simpleType>
   <xs:restriction base="xs:string"><xs:enumeration value="J"/><xs:enumeration value="N"/>
   </xs:restriction></xs:simpleType></xs:element></xs:choice>
  <xs:element name="tree" type="tree"/>
 </xs:sequence></xs:complexType></xs:element></xs:schema>"""


@pytest.fixture(scope="module")
def proof(tmp_path_factory):
    path = tmp_path_factory.mktemp("xsd") / "proof.xsd"
    path.write_text(XSD)
    return read(path, "proof")


def part(proof, path: str) -> Part:
    return next(one for one in proof.parts if one.path == path)


def test_schema_is_read_with_limits_attributes_and_meaning(proof):
    one = part(proof, "one")

    assert proof.meaning == "A proof."
    assert (one.cardinality, one.nillable, one.meaning) == ("1", True, "What it is.")
    assert one.value == "text, 2 to 4 characters, `a|b*`"
    assert one.attributes == ("@soort = X", "@naam?")


def test_number_counts_the_groups_around_an_element(proof):
    assert part(proof, "two").cardinality == "0..n"
    assert not part(proof, "two").choice


def test_members_of_a_choice_exclude_each_other(proof):
    three, four = part(proof, "three"), part(proof, "four")

    assert [(p.cardinality, p.choice) for p in (three, four)] == [("0..1", True)] * 2
    assert four.allowed == ("J", "N")


def test_type_that_holds_itself_ends(proof):
    assert 3 < len([p for p in proof.parts if p.path.endswith("tree")]) < 100


def test_cell_holds_neither_bar_nor_tag_nor_line_break():
    assert cell("a|b\n<script>x<br>y") == "a\\|b &lt;script>x<br>y"
