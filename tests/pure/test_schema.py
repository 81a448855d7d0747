"""libxml2's verdict, told without a value; and what xmlschema adds."""

import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.sax.saxutils import escape as escape_text

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.catalogue import Catalogue, MessageKind
from gateway.errors import Finding, GatewayError, Misconfigured, Severity
from gateway.installation import load_catalogue, share
from gateway.wire.explain import MAX_OCTETS, explain
from gateway.wire.schema import MAX_FINDINGS, SchemaSet
from gateway.wire.stuf import Document
from tests.bare import bare

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "tests" / "examples"
SCHEMAS = ROOT / "schemas"
JZ = "http://www.stufstandaarden.nl/koppelvlak/jz0100"
STUF = "http://www.egem.nl/StUF/StUF0301"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
MESSAGES = {
    "vtMeldingDi01": JZ,
    "vtTerugkoppelingDi01": JZ,
    "Bv01Bericht": STUF,
    "Fo01Bericht": STUF,
}
MELDING = (EXAMPLES / "vtMeldingDi01.xml").read_text()
PHONE = "<JZ:telefoonnummer>0880000000</JZ:telefoonnummer>"
DATE = "<JZ:datumIncident>20261117</JZ:datumIncident>"

REACTED = (
    "<JZ:indicatieGereageerd>Nee</JZ:indicatieGereageerd>\n"
    "      <JZ:datumGeinformeerd>20261117</JZ:datumGeinformeerd>"
)
ADDRESS = "/betreft/gerelateerde/heeftBetrokken[1]/gerelateerde/formeelVerblijfadresBinnenland"


def catalogue(folder: str = "1.0.9") -> Catalogue:
    return Catalogue(
        {
            (name, "1.0.9"): MessageKind(
                name=name,
                version="1.0.9",
                namespace=namespace,
                schema=f"{folder}/{name}.xsd",
                directions=frozenset(),
            )
            for name, namespace in MESSAGES.items()
        }
    )


SET = SchemaSet.load(SCHEMAS, catalogue())
WHOLE = load_catalogue(share("config") / "catalogue.toml")
WHOLE_SET = SchemaSet.load(SCHEMAS, WHOLE)


def escape(text: str) -> str:
    return escape_text(text, {'"': "&quot;"})


def document(text: str | bytes) -> Document:
    return bare(text.encode() if isinstance(text, str) else text)


def judge(text: str | bytes, version: str = "1.0.9") -> tuple[Finding, ...]:
    return SET.validate(document(text), version=version)


def changed(before: str, after: str) -> str:
    assert before in MELDING
    return MELDING.replace(before, after)


def codes(text: str) -> list[tuple[str, str]]:
    return [(f.code, f.path.removeprefix("/vtMeldingDi01/object")) for f in judge(text)]


CASES = {
    "a missing element": (DATE, "", "schema.element", "/locatieIncident"),
    "a missing last element": (
        REACTED,
        "",
        "schema.verplicht",
        "/isGeinformeerdAan",
    ),
    "a repeated element": (DATE, DATE * 2, "schema.element", "/datumIncident[2]"),
    "an unknown element": (DATE, DATE + "<x/>", "schema.element", "/x"),
    "an element without its namespace": (
        DATE,
        "<datumIncident>20261117</datumIncident>",
        "schema.element",
        "/datumIncident",
    ),
    "a date in words": (
        ">20261117</JZ:datumI",
        ">17 nov</JZ:datumI",
        "schema.waarde",
        "/datumIncident",
    ),
    "a long date": (
        ">20261117</JZ:datumI",
        ">202611171</JZ:datumI",
        "schema.cijfers",
        "/datumIncident",
    ),
    "a fraction": (
        ">20261117</JZ:datumI",
        ">2026.1</JZ:datumI",
        "schema.decimalen",
        "/datumIncident",
    ),
    "an overlong text": (
        ">0880000000<",
        f">{'0' * 21}<",
        "schema.lang",
        "/contactgegevensVerdiepingOpInfo/telefoonnummer",
    ),
    "a value off the list": (
        ">jeugdige<",
        ">buurman<",
        "schema.keuzelijst",
        "/betreft/gerelateerde/heeftBetrokken[1]/jeugzorgrol",
    ),
    "a value off the pattern": (
        ">9999ZZ<",
        ">9999zz<",
        "schema.patroon",
        f"{ADDRESS}/aoa.postcode",
    ),
    "a number too big": (
        ">12<",
        ">100000<",
        "schema.maximum",
        f"{ADDRESS}/aoa.huisnummer",
    ),
    "a wrong length": (
        ">000099999999<",
        ">99999999<",
        "schema.lengte",
        "/isIngediendDoor/gerelateerde/vestiging/vestigingsNummer",
    ),
    "a missing attribute": (
        ' StUF:entiteittype="VTMZOS"',
        "",
        "schema.attribuut.verplicht",
        "/betreft",
    ),
    "a wrong entity": ('"VTMZOS"', '"VTMNPS"', "schema.vast", "/betreft/@entiteittype"),
    "an unknown attribute": ('"VTMZOS"', '"VTMZOS" x="1"', "schema.attribuut", "/betreft/@x"),
    "an attribute off the list": (
        'Datum="V"',
        'Datum="W"',
        "schema.keuzelijst",
        "/betreft/gerelateerde/heeftBetrokken[1]/gerelateerde/geboortedatum/@indOnvolledigeDatum",
    ),
    "loose text": (
        "<JZ:contactgegevensVerdiepingOpInfo>",
        "<JZ:contactgegevensVerdiepingOpInfo>los",
        "schema.tekst",
        "/contactgegevensVerdiepingOpInfo",
    ),
    "elements in a value": (
        "<JZ:locatieIncident>",
        "<JZ:locatieIncident><b/>",
        "schema.onderdelen",
        "/locatieIncident",
    ),
    "nil with content": (
        "<JZ:locatieIncident>",
        f'<JZ:locatieIncident {XSI} xsi:nil="true">',
        "schema.nil",
        "/locatieIncident",
    ),
    "nil where it may not be": (
        "<JZ:indicatieSASHIngevuld>Nee",
        f'<JZ:indicatieSASHIngevuld {XSI} xsi:nil="true">',
        "schema.nil",
        "/indicatieSASHIngevuld",
    ),
    "a type of its own": (
        "<JZ:locatieIncident>",
        f'<JZ:locatieIncident {XSI} xsi:type="StUF:TekstTot200">',
        "schema.type",
        "/locatieIncident/@type",
    ),
}


@pytest.mark.parametrize("folder", [".", "volledig"])
@pytest.mark.parametrize(("name", "version"), WHOLE.kinds)
def test_example_is_valid(name, version, folder):
    octets = (EXAMPLES / folder / f"{name}.xml").read_bytes()

    assert WHOLE_SET.validate(document(octets), version=version) == ()


def test_example_with_an_arrest_is_valid():
    assert judge((EXAMPLES / "vtMeldingDi01-aanhouding.xml").read_bytes()) == ()


def test_every_example_of_a_message_is_read_through_a_link():
    linked = {link.resolve() for link in EXAMPLES.glob("*.xml")}
    confirmation = SCHEMAS / "toets-1" / "examples" / "toetsingskaderBevestiging.xml"  # a file
    for path in set(SCHEMAS.glob("*/examples/*.xml")) - {confirmation}:
        same = {other.read_bytes() for other in linked if other.name == path.name}
        assert path.resolve() in linked or path.read_bytes() in same


@pytest.mark.parametrize(("name", "version"), WHOLE.kinds)
def test_file_name_of_an_entry_is_its_message(name, version):
    entry = WHOLE_SET.entry(name, version)

    assert entry == SCHEMAS / version / f"{name}.xsd"
    assert [e.get("name") for e in etree.parse(entry).getroot().iterchildren("{*}element")] == [
        name
    ]


def test_files_that_two_versions_share_are_the_same():
    """All but the envelopes, which name the messages of their version."""
    older, newer = SCHEMAS / "1.0.6", SCHEMAS / "1.0.9"
    shared = {path.name for path in older.glob("*.xsd")} & {p.name for p in newer.glob("*.xsd")}
    for name in shared - {"stuf-koppen.xsd"}:
        assert (older / name).read_text() == (newer / name).read_text().replace(
            'version="1.0.9"', 'version="1.0.6"'
        )

    assert {"stuf.xsd", "Bv01Bericht.xsd", "zkn-organisaties.xsd"} <= shared


def test_one_namespace_comes_from_one_file_in_all_that_an_entry_brings_in():
    """libxml2 reads the first file of a namespace and passes over the next without a word."""
    for name, version in WHOLE.kinds:
        imported: dict[str, set[str]] = {}
        todo, done = [f"{name}.xsd"], set()
        while todo:
            path = todo.pop()
            done.add(path)
            root = etree.parse(SCHEMAS / version / path).getroot()
            for one in root.iter("{*}import"):
                imported.setdefault(one.get("namespace"), set()).add(one.get("schemaLocation"))
            refers = {e.get("schemaLocation") for e in root.iter("{*}import", "{*}include")}
            todo += refers - done

        assert {len(files) for files in imported.values()} <= {1}, (name, imported)


@pytest.mark.parametrize("case", CASES)
def test_defect_is_named_once_with_its_place(case):
    before, after, code, path = CASES[case]

    found = judge(changed(before, after))

    assert codes(changed(before, after)) == [(code, path)]
    assert found[0].rule.startswith("xsd.")
    assert found[0].severity is Severity.REFUSE
    assert found[0].text
    assert found[0].remedy


def test_too_short_a_value_in_the_envelope_is_found():
    found = judge(changed(">BVH<", ">B<"))

    assert [(f.code, f.path) for f in found] == [
        ("schema.kort", "/vtMeldingDi01/stuurgegevens/zender/applicatie")
    ]


def test_no_finding_shows_a_value():
    secret = "GeheimeWaarde"
    for match in re.finditer(r">([^<>\s][^<>]*)<", MELDING):
        text = MELDING[: match.start(1)] + secret * 50 + MELDING[match.end(1) :]
        for finding in judge(text):
            assert secret not in repr(finding)


def test_no_explanation_shows_a_value():
    secret = "GeheimeWaarde"
    entry = SET.entry("vtMeldingDi01", "1.0.9")
    for match in re.finditer(r'>([^<>\s][^<>]*)<|entiteittype="(\w+)"', MELDING):
        start, end = match.span(match.lastindex)
        text = MELDING[:start] + secret * 50 + MELDING[end:]
        for finding in explain(text.encode(), entry):
            assert secret not in repr(finding)


def test_place_is_found_below_a_default_namespace():
    text = re.sub(r"(</?)JZ:", r"\1", MELDING).replace("xmlns:JZ=", "xmlns=")

    found = judge(text.replace(">jeugdige<", ">buurman<").replace(">ouder met gezag<", "><"))

    assert [f.path for f in found] == [
        f"/vtMeldingDi01/object/betreft/gerelateerde/heeftBetrokken[{n}]/jeugzorgrol"
        for n in (1, 2)
    ]


def test_overlong_element_name_leads_to_its_parent_or_itself():
    name = "n" * 300

    found = judge(changed(DATE, DATE + f"<JZ:{name}/>"))

    assert found[0].path.startswith("/vtMeldingDi01/object")


def test_message_that_the_version_does_not_have_is_one_finding():
    found = judge(MELDING, "9.9.9")

    assert [(f.code, f.path) for f in found] == [("schema.onbekend", "/vtMeldingDi01")]
    assert SET.entry("vtMeldingDi01", "9.9.9") is None


def test_root_of_another_namespace_is_refused():
    text = (EXAMPLES / "Bv01Bericht.xml").read_text()
    text = re.sub(r"(</?)StUF:Bv01Bericht", r"\1JZ:Bv01Bericht", text)
    text = text.replace("<JZ:Bv01Bericht", f'<JZ:Bv01Bericht xmlns:JZ="{JZ}"')

    assert [f.code for f in judge(text)] == ["schema.wortel"]


def test_empty_fixed_value_counts_as_the_fixed_value_and_another_does_not():
    text = (EXAMPLES / "Bv01Bericht.xml").read_text()

    assert judge(text.replace(">Bv01<", "><")) == ()
    assert [f.code for f in judge(text.replace(">Bv01<", ">Bv02<"))] == ["schema.vast"]


def test_findings_end_at_twenty():
    assert len(judge(changed(PHONE, PHONE.replace("088", "0" * 20) * 100))) == MAX_FINDINGS


def test_large_document_with_countless_errors_is_judged_within_seconds():
    wrong = PHONE.replace("088", "0" * 20)
    began = time.monotonic()

    found = judge(changed(PHONE, PHONE * 50_000 + wrong * 100_000))

    assert time.monotonic() - began < 10
    assert len(found) == MAX_FINDINGS
    assert {f.code for f in found} == {"schema.lang"}
    assert found[0].path.endswith("/telefoonnummer[50001]")


def test_large_document_with_few_errors_is_judged_whole():
    text = changed("T. Voorbeeld", "V" * 300_000).replace(">000099999999<", ">9<")

    assert codes(text) == [
        ("schema.lengte", "/isIngediendDoor/gerelateerde/vestiging/vestigingsNummer")
    ]
    assert codes(text.replace(">9<", ">000099999999<")) == []


def test_threads_may_share_a_set():
    good, bad = MELDING, changed(">jeugdige<", ">buurman<")
    texts = [good, bad] * 40

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: len(judge(text)), texts))

    assert found == [0, 1] * 40


NAMES = st.sampled_from(
    ["a", "object", "stuurgegevens", "extraElementen", "é", "x" * 120, "é" * 60, "xé" * 60]
)
SPACES = st.sampled_from([JZ, STUF, "urn:&apos;", "urn:x:a/b", "relative/b(1)"])
PREFIXES = st.sampled_from(["", "JZ", "StUF", "q"])
TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20).map(escape)
EXTRAS = st.sampled_from(["", "<!-- c -->", "<?p i?>", "<![CDATA[ x ]]>"])


@st.composite
def elements(draw: st.DrawFn, depth: int = 2, name: str = "") -> str:
    prefix, name = draw(PREFIXES), name or draw(NAMES)
    tag = f"{prefix}:{name}" if prefix else name
    space = f' xmlns{":" if prefix else ""}{prefix}="{draw(SPACES)}"'
    keys = draw(st.lists(NAMES, max_size=2, unique=True))
    attributes = "".join(f' {key}="{draw(TEXTS)}"' for key in keys)
    count = draw(st.integers(0, 3)) if depth else 0
    content = draw(TEXTS) + draw(EXTRAS) + "".join(draw(elements(depth - 1)) for _ in range(count))
    return f"<{tag}{space}{attributes}>{content}</{tag}>"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(MESSAGES)).flatmap(lambda name: elements(name=name)))
def test_any_well_formed_document_gets_findings_and_no_exception(text):
    found = judge(text)

    assert found
    assert all(f.path.startswith("/") for f in found)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([m.end() for m in re.finditer(r">", MELDING)][1:-1]), elements(depth=1))
def test_anything_put_anywhere_is_judged_and_explained(spot, text):
    octets = (MELDING[:spot] + text + MELDING[spot:]).encode()

    found = judge(octets)
    told = explain(octets, SET.entry("vtMeldingDi01", "1.0.9"))

    assert found
    assert all(isinstance(f, Finding) for f in told)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([m.end() for m in re.finditer(r">", MELDING)][1:-1]),
    st.one_of(elements(depth=1), TEXTS, EXTRAS),
)
def test_a_large_document_is_judged_as_a_small_one_is(spot, text):
    """It is streamed first, and one that is sound then is not judged again."""
    octets = (MELDING[:spot] + text + MELDING[spot:]).encode()

    small, large = judge(octets), judge(octets + b"\n" * 300_000)

    assert large == small


def test_a_large_document_that_is_sound_is_sound():
    assert judge(MELDING.encode() + b"\n" * 300_000) == ()


@pytest.mark.parametrize(
    ("right", "wrong", "namespace"),
    [
        ("BG:geslachtsnaam", "JZ:geslachtsnaam", "http://www.egem.nl/StUF/sector/bg/0310"),
        ("ZKN:naam", "JZ:naam", "http://www.egem.nl/StUF/sector/zkn/0310"),
    ],
)
def test_a_right_name_in_a_wrong_namespace_is_told_as_that(right, wrong, namespace):
    octets = MELDING.replace(f"<{right}>", f"<{wrong}>").replace(f"</{right}>", f"</{wrong}>")

    told = explain(octets.encode(), SET.entry("vtMeldingDi01", "1.0.9"))[0]

    assert told.code == "schema.naamruimte"
    assert told.path.split("/")[-1] == right.partition(":")[2]
    assert namespace in told.remedy


@pytest.mark.parametrize(
    ("case", "code", "path", "remedy"),
    [
        ("a missing element", "schema.verplicht", "/datumIncident", "datumIncident"),
        (
            "a missing last element",
            "schema.verplicht",
            "/isGeinformeerdAan/indicatieGereageerd",
            "indicatieGereageerd",
        ),
        ("a repeated element", "schema.element", "/datumIncident[2]", "locatieIncident"),
        ("an unknown element", "schema.element", "/x", "locatieIncident"),
        ("an overlong text", "schema.lang", None, "20 tekens"),
        ("a value off the list", "schema.keuzelijst", None, "ouder met gezag"),
        ("a value off the pattern", "schema.patroon", None, "[A-Z]{0,2}"),
        ("a number too big", "schema.maximum", None, "99999"),
        ("a missing attribute", "schema.attribuut.verplicht", None, "entiteittype"),
        ("a wrong entity", "schema.vast", "/betreft/@entiteittype", "VTMZOS"),
        ("an unknown attribute", "schema.attribuut", "/betreft/@x", ""),
        ("an attribute off the list", "schema.keuzelijst", None, "V; D; M; J"),
    ],
)
def test_explanation_names_what_the_schema_allows(case, code, path, remedy):
    before, after, _, where = CASES[case]
    octets = changed(before, after).encode()

    (told,) = explain(octets, SET.entry("vtMeldingDi01", "1.0.9"))

    assert told.code == code
    assert told.path == "/vtMeldingDi01/object" + (path or where)
    assert remedy in told.remedy


def test_explanation_of_a_valid_an_unreadable_or_a_huge_document_is_empty():
    entry = SET.entry("vtMeldingDi01", "1.0.9")

    assert explain(MELDING.encode(), entry) == ()
    assert explain(b"<a", entry) == ()
    assert explain(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', entry) == ()
    assert explain(b" " * (MAX_OCTETS + 1), entry) == ()


def test_explanation_ends_at_its_maximum():
    octets = changed(PHONE, PHONE.replace("088", "0" * 20) * 50).encode()

    assert len(explain(octets, SET.entry("vtMeldingDi01", "1.0.9"), max_errors=3)) == 3


def test_hints_in_a_document_are_not_followed(tmp_path):
    loose = tmp_path / "loose.xsd"
    loose.write_text(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{JZ}">'
        '<xs:element name="extra"/></xs:schema>'
    )
    hint = f'{XSI} xsi:schemaLocation="{JZ} {loose.as_uri()}"'
    octets = changed("<JZ:object ", f"<JZ:object {hint} ").replace(DATE, DATE + "<JZ:extra/>")

    assert codes(octets) == [("schema.element", "/extra")]
    assert [f.code for f in explain(octets.encode(), SET.entry("vtMeldingDi01", "1.0.9"))] == [
        "schema.element"
    ]


@pytest.mark.parametrize("place", ["met spatie", "met%20procent", "é"])
def test_folder_may_have_any_name(tmp_path, place):
    shutil.copytree(SCHEMAS / "1.0.9", tmp_path / place)

    schemas = SchemaSet.load(tmp_path, catalogue(place))

    assert schemas.validate(document(MELDING), version="1.0.9") == ()


@pytest.mark.parametrize(
    "location", ["../outside.xsd", "file:///etc/passwd", "http://127.0.0.1:9/a.xsd", "gone.xsd"]
)
def test_schema_that_points_elsewhere_stops_the_start(tmp_path, location):
    (tmp_path / "outside.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o"/>'
    )
    pack = tmp_path / "pack"
    shutil.copytree(SCHEMAS / "1.0.9", pack / "1.0.9")
    entry = pack / "1.0.9" / "vtMeldingDi01.xsd"
    wanted = '<xs:include schemaLocation="jz.xsd"/>'
    location = location.replace("..", "../..")
    extra = f'<xs:import namespace="urn:o" schemaLocation="{location}"/>'
    entry.write_text(entry.read_text().replace(wanted, wanted + extra))

    with pytest.raises(Misconfigured) as caught:
        SchemaSet.load(pack, catalogue())

    assert caught.value.code == "schema.pack"
    assert caught.value.where.endswith("vtMeldingDi01.xsd")


def test_missing_or_broken_schema_stops_the_start(tmp_path):
    with pytest.raises(GatewayError) as caught:
        SchemaSet.load(tmp_path, catalogue())

    assert caught.value.code == "schema.pack"

    shutil.copytree(SCHEMAS / "1.0.9", tmp_path / "1.0.9")
    (tmp_path / "1.0.9" / "jz.xsd").write_text("<nonsense/>")
    with pytest.raises(Misconfigured) as caught:
        SchemaSet.load(tmp_path, catalogue())

    assert caught.value.code == "schema.pack"


def test_every_schema_refers_to_its_own_folder_only():
    for path in SCHEMAS.rglob("*.xsd"):
        for element in etree.parse(path).iter("{*}import", "{*}include", "{*}redefine"):
            assert (path.parent / element.get("schemaLocation")).is_file()
            assert "/" not in element.get("schemaLocation")
