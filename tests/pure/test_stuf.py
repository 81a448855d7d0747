import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import (
    DuplicateConflict,
    Finding,
    Malformed,
    NoRoute,
    PolicyViolation,
    SchemaViolation,
    Severity,
    StoreUnavailable,
)
from gateway.message import Address, Fault, Stuurgegevens
from gateway.wire import stuf
from gateway.wire.fout import AGAIN, TABLE, Fout, fout_for
from gateway.wire.stuf import bv01, fault_of, fo01, read_document
from gateway.wire.tijd import civil, read_tijdstip, tijdstip
from gateway.wire.toets import KINDS
from gateway.wire.xml import XmlLimits
from tests.parties import AT, EXAMPLES, POLITIE, VT, document, example

SCHEMAS = Path(__file__).parents[2] / "schemas" / "1.0.9"
ZENDER = Address(organisatie=VT, applicatie="VTregistratie")
ONTVANGER = Address(organisatie=POLITIE, applicatie="BVH")
FOUT = Fout(code="StUF055", plek="client", omschrijving="Fout", details="schema.x: /a")
ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
DOT_ATOM = re.compile(rf"{ATEXT}(\.{ATEXT})*")

addresses = st.builds(
    Address,
    organisatie=st.text(max_size=8),
    applicatie=st.text(max_size=8),
    administratie=st.text(max_size=4),
)


def valid(octets: bytes) -> bool:
    root = etree.fromstring(octets)
    schema = etree.XMLSchema(etree.parse(SCHEMAS / f"{etree.QName(root).localname}.xsd"))
    return schema.validate(root)


def refusal(octets: bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        read_document(octets)
    return caught.value


# --- reading --------------------------------------------------------------------------


def test_envelope_of_a_message_is_read():
    read = document()

    assert (read.name, read.namespace) == ("vtMeldingDi01", stuf.JZ)
    assert read.stuurgegevens == Stuurgegevens(
        berichtcode="Di01",
        zender=ONTVANGER,
        ontvanger=ZENDER,
        referentienummer="6f0b3c1e-52a9-4d57-9a1c-0d3f5b7e9a11",
        tijdstip_bericht=read.stuurgegevens.tijdstip_bericht,
        functie="vtMeldingDi01",
    )


DI01 = sorted(path.stem for path in EXAMPLES.glob("*Di01.xml"))


@pytest.mark.parametrize("name", DI01)
@pytest.mark.parametrize("folder", [".", "volledig"])
def test_envelope_of_every_message_is_read(name, folder):
    read = read_document((EXAMPLES / folder / f"{name}.xml").read_bytes())
    head = read.stuurgegevens

    assert (read.name, read.namespace) == (name, stuf.TOETS if name in KINDS else stuf.JZ)
    assert (head.berichtcode, head.functie) == ("Di01", name)
    assert head.zender is not None
    assert head.ontvanger is not None
    assert head.ontvanger.applicatie
    assert name in KINDS or bool(head.cross_refnummer) is (name in {"ucobDi01", "uciDi01"})


@pytest.mark.parametrize(("answer", "request_"), [("ucobDi01", "vcobDi01"), ("uciDi01", "vciDi01")])
def test_answer_goes_into_the_conversation_of_its_request(answer, request_):
    asked, answered = document(request_).stuurgegevens, document(answer).stuurgegevens

    assert answered.cross_refnummer == asked.referentienummer
    assert stuf.conversation_id(answered) == stuf.conversation_id(asked)
    assert stuf.message_id(answered.zender, answered.referentienummer) != (
        stuf.conversation_id(answered)
    )


def test_further_marks_of_a_receiver_are_no_part_of_its_address():
    octets = (EXAMPLES / "volledig" / "meldingGeneriekDi01.xml").read_bytes()

    read = read_document(octets)

    assert b"aanvullendeIdentificerendeGegevens" in octets
    assert read.stuurgegevens.ontvanger == Address(
        organisatie=VT, applicatie="VTregistratie", administratie="O", gebruiker="Voorbeeld"
    )


def test_hash_is_over_the_octets_as_they_came():
    octets = example()

    read = read_document(octets)

    assert read.octets is octets
    assert read.sha256 == sha256(octets).hexdigest()


def test_white_space_around_values_is_trimmed():
    read = document(organisatie=f"\n  {POLITIE} ", referentienummer=" r-1\t")

    assert read.stuurgegevens.zender is not None
    assert read.stuurgegevens.zender.organisatie == POLITIE
    assert read.stuurgegevens.referentienummer == "r-1"


@pytest.mark.parametrize("markup", ["<!-- x -->", "<?x y?>", "<x/>"])
def test_markup_inside_a_value_is_refused_for_others_read_another(markup):
    octets = example().replace(POLITIE.encode(), f"{POLITIE[:8]}{markup}{POLITIE[8:]}".encode(), 1)

    assert refusal(octets).code == "stuf.stuurgegevens"


@pytest.mark.parametrize(
    "name", ["berichtcode", "organisatie", "referentienummer", "tijdstipBericht"]
)
def test_missing_element_is_told_by_its_path(name):
    error = refusal(document(**{name: "x"}).octets.replace(b">x<", b"><"))

    assert error.code == "stuf.stuurgegevens"
    assert error.where.startswith("/vtMeldingDi01/stuurgegevens/")
    assert error.where.endswith(name)


def test_message_without_stuurgegevens_is_refused():
    error = refusal(example().replace(b"JZ:stuurgegevens", b"JZ:ander"))

    assert (error.code, error.where) == ("stuf.stuurgegevens", "/vtMeldingDi01/stuurgegevens")


def test_stuurgegevens_in_another_namespace_do_not_count():
    error = refusal(example().replace(b"StUF:zender>", b"JZ:zender>"))

    assert error.where == "/vtMeldingDi01/stuurgegevens/zender/organisatie"


def test_second_zender_is_refused():
    text = example().decode()
    zender = text[text.index("<StUF:zender>") : text.index("</StUF:zender>") + 14]

    error = refusal(text.replace(zender, zender + zender, 1).encode())

    assert (error.code, error.where) == (
        "stuf.stuurgegevens",
        "/vtMeldingDi01/stuurgegevens/zender",
    )


def test_root_of_another_namespace_is_refused():
    assert refusal(b'<a xmlns="urn:x"/>').code == "stuf.root"
    later = b'<a xmlns="http://www.stufstandaarden.nl/koppelvlak/jz0110"/>'
    assert refusal(later).code == "stuf.stuurgegevens"  # a pack may bring it
    assert refusal(b"<a/>").code == "stuf.root"


def test_answer_may_leave_its_parties_out():
    octets = re.sub(rb"<StUF:organisatie>.*?</StUF:organisatie>", b"", example("Bv01Bericht"))

    read = read_document(octets)

    assert (read.stuurgegevens.zender, read.stuurgegevens.ontvanger) == (None, None)
    assert read.stuurgegevens.cross_refnummer


def test_answer_in_the_namespace_of_messages_is_no_answer():
    octets = example("Bv01Bericht").replace(
        b'<StUF:Bv01Bericht xmlns:StUF="',
        b'<Bv01Bericht xmlns="%b" xmlns:StUF="' % stuf.JZ.encode(),
    )
    octets = octets.replace(b"</StUF:Bv01Bericht>", b"</Bv01Bericht>")
    octets = octets.replace(b"StUF:stuurgegevens", b"stuurgegevens")
    octets = re.sub(rb"<StUF:organisatie>.*?</StUF:organisatie>", b"", octets)

    assert refusal(octets).code == "stuf.stuurgegevens"


def test_limits_reach_the_parser():
    with pytest.raises(Malformed) as caught:
        read_document(example(), limits=XmlLimits(octets=100))

    assert caught.value.code == "xml.size"


@given(st.binary(max_size=200))
def test_garbage_is_malformed_and_nothing_else(octets):
    with pytest.raises(Malformed):
        read_document(octets)


# --- answers --------------------------------------------------------------------------


def test_bv01_is_valid_and_reads_back():
    octets = bv01(
        zender=ZENDER, ontvanger=ONTVANGER, referentienummer="r", cross_refnummer="c", at=AT
    )

    read = read_document(octets).stuurgegevens

    assert valid(octets)
    assert (read.zender, read.ontvanger) == (ZENDER, ONTVANGER)
    assert (read.berichtcode, read.referentienummer, read.cross_refnummer) == ("Bv01", "r", "c")
    assert read_tijdstip(read.tijdstip_bericht) == AT


@pytest.mark.parametrize(
    ("code", "said"),
    [("StUF055", "StUF055"), ("901", "901"), ("A b", ""), ("<i>", ""), ("é", "")],
)
def test_code_and_place_of_a_fo01_are_told_without_its_texts(code, said):
    octets = fo01(
        zender=ZENDER,
        ontvanger=ONTVANGER,
        referentienummer="r",
        cross_refnummer="c",
        at=AT,
        fout=Fout(code=code, plek="client", omschrijving="Jan Jansen", details="Jan Jansen"),
    )

    assert fault_of(read_document(octets)) == Fault(code=said, place="client")


@pytest.mark.parametrize(
    "octets",
    [
        b"<plek>elders</plek><code>1</code>",
        b"<plek>CLIENT</plek><code>1</code>",
        b"<code>1</code>",
    ],
)
def test_a_place_that_does_not_exist_is_told_as_none(octets):
    before = fo01(
        zender=ZENDER, ontvanger=ONTVANGER, referentienummer="r", cross_refnummer="c", at=AT,
        fout=Fout(code="1", plek="client", omschrijving="o"),
    )  # fmt: skip
    tree = etree.fromstring(before)
    tree.remove(tree.find("{*}body"))
    tree.append(etree.fromstring(b"<body>" + octets + b"</body>"))

    assert fault_of(read_document(etree.tostring(tree))) == Fault(code="1", place="")


def test_no_other_message_has_a_fault():
    assert fault_of(document("vtMeldingDi01")) is None


def test_fo01_is_valid_and_carries_the_fault():
    octets = fo01(
        zender=ZENDER,
        ontvanger=ONTVANGER,
        referentienummer="r",
        cross_refnummer="c",
        at=AT,
        fout=FOUT,
    )

    body = etree.fromstring(octets).find("{*}body")

    assert valid(octets)
    assert [e.text for e in body] == [FOUT.code, FOUT.plek, FOUT.omschrijving, FOUT.details]


printable = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(
    zender=st.builds(Address, organisatie=printable, applicatie=printable, administratie=printable),
    reference=printable,
    details=st.text(max_size=1000),
)
def test_fo01_is_valid_whatever_the_other_side_wrote(zender, reference, details):
    octets = fo01(
        zender=ZENDER,
        ontvanger=zender,
        referentienummer="r",
        cross_refnummer=reference,
        at=AT,
        fout=Fout(code="x", plek="server", omschrijving="o", details=details),
    )

    assert valid(octets)


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": ""},
        {"code": "x" * 8},
        {"plek": "elders"},
        {"omschrijving": ""},
        {"omschrijving": "x" * 201},
        {"details": "x" * 1001},
    ],
)
def test_fault_beyond_the_schema_is_refused(wrong):
    fields = {"code": "c", "plek": "client", "omschrijving": "o", "details": "d"}

    with pytest.raises(Malformed) as caught:
        Fout(**(fields | wrong))

    assert (caught.value.code, caught.value.where) == ("stuf.fout", next(iter(wrong)))


# --- the fault for an error -----------------------------------------------------------


def finding(n: int, *, text: str = "Het element ontbreekt.", remedy: str = "Vul in.") -> Finding:
    return Finding(
        code="schema.verplicht", rule="xsd.required", path=f"/a/b[{n}]", text=text, remedy=remedy
    )


def test_details_name_code_rule_path_text_and_what_to_do():
    fout = fout_for(SchemaViolation((finding(1), finding(2))))

    assert fout.code == "StUF055"
    assert fout.plek == "client"
    assert fout.details.splitlines() == [
        "schema.verplicht [xsd.required] /a/b[1]: Het element ontbreekt. Wat te doen: Vul in.",
        "schema.verplicht [xsd.required] /a/b[2]: Het element ontbreekt. Wat te doen: Vul in.",
        AGAIN,
    ]


def test_omschrijving_is_the_first_finding_with_its_element():
    one = fout_for(SchemaViolation((finding(1),)))
    more = fout_for(SchemaViolation((finding(1), finding(2), finding(3))))

    assert one.omschrijving == "b[1]: Het element ontbreekt."
    assert more.omschrijving == "b[1]: Het element ontbreekt. (en nog 2; zie details)"


def test_warning_among_the_findings_says_that_it_is_one():
    mild = replace(finding(2), severity=Severity.WARN)

    lines = fout_for(SchemaViolation((finding(1), mild))).details.splitlines()

    assert ["(waarschuwing)" in line for line in lines] == [False, True, False]


def test_findings_that_do_not_fit_are_counted():
    fout = fout_for(SchemaViolation(tuple(finding(n) for n in range(100))))

    kept = fout.details.count("Wat te doen")
    assert len(fout.details) <= 1000
    assert fout.details.endswith(f"(en nog {100 - kept})\n{AGAIN}")


@given(st.lists(st.text(max_size=700), min_size=1, max_size=8), st.text(max_size=1200))
def test_fault_never_passes_the_limits(texts, remedy):
    findings = tuple(finding(n, text=f"x{t}", remedy=remedy) for n, t in enumerate(texts))

    fout = fout_for(SchemaViolation(findings))

    assert len(fout.details) <= 1000
    assert 1 <= len(fout.omschrijving) <= 200
    assert fout.details.endswith(AGAIN)


@pytest.mark.parametrize(
    ("error", "code", "plek"),
    [
        (NoRoute("route.unknown", "x"), "StUF010", "client"),
        (PolicyViolation("bericht.actie", "x"), "StUF034", "client"),
        (PolicyViolation("iets.nieuws", "x"), "StUF052", "client"),
        (DuplicateConflict("duplicate.referentienummer", "x"), "StUF016", "client"),
        (Malformed("xml.doctype", "x"), "StUF055", "client"),
        (StoreUnavailable("store.full", "x"), "StUF058", "server"),
    ],
)
def test_error_has_the_code_of_its_row(error, code, plek):
    fout = fout_for(error)

    assert (fout.code, fout.plek) == (code, plek)


def test_rule_of_the_koppelvlak_is_its_own_code():
    broken = Finding(code="regel.bsn.elfproef", rule="JZ-003", path="/a", text="x")

    assert fout_for(SchemaViolation((broken,))).code == "JZ-003"


def test_operators_text_stays_here_and_the_row_says_what_to_do():
    fout = fout_for(NoRoute("route.unknown", "binnenste geheim", where="/a/b"))

    assert fout.details.splitlines() == [
        "route.unknown: /a/b",
        "Wat te doen: " + TABLE["route.unknown"].remedy,
        AGAIN,
    ]
    assert "geheim" not in fout.omschrijving


def test_trouble_of_ours_does_not_ask_for_a_better_message():
    fout = fout_for(StoreUnavailable("store.full", "x"))

    assert AGAIN not in fout.details
    assert "later opnieuw" in fout.details


def test_every_row_fits_a_fault_and_says_what_to_do():
    for code, row in TABLE.items():
        told_by_findings = code.startswith(("regel.", "bericht.onbekend"))
        assert 1 <= len(row.omschrijving) <= 200
        assert row.remedy.endswith(".") or told_by_findings, code


# --- ids ------------------------------------------------------------------------------


def test_message_id_has_the_form_of_the_binding():
    assert stuf.message_id(ONTVANGER, "ab-1") == f"ab-1@{POLITIE}.BVH.dkintern.nl"


def test_administratie_is_a_label_of_its_own():
    zender = Address(organisatie=POLITIE, applicatie="BVH", administratie="O")

    assert stuf.message_id(zender, "r") == f"r@{POLITIE}.BVH.O.dkintern.nl"


def test_unsafe_characters_are_percent_encoded():
    zender = Address(organisatie="a.b", applicatie="c d")

    assert stuf.message_id(zender, "<r@x>%") == "%3Cr%40x%3E%25@a%2Eb.c%20d.dkintern.nl"


@given(addresses, st.text(max_size=12))
def test_message_id_is_two_dot_atoms(address, reference):
    local, at, domain = stuf.message_id(address, reference).partition("@")

    assert at
    assert DOT_ATOM.fullmatch(local)
    assert DOT_ATOM.fullmatch(domain)


parts = st.text("a.%@", max_size=3)
close = st.builds(Address, organisatie=parts, applicatie=parts, administratie=parts)


@given(close, parts, close, parts)
def test_different_messages_have_different_ids(one, reference, other, reference2):
    same = (one, reference) == (other, reference2)

    assert (stuf.message_id(one, reference) == stuf.message_id(other, reference2)) is same


def test_answer_refers_to_the_id_of_the_message_it_answers():
    asked = stuf.message_id(ONTVANGER, "vraag-1")
    answer = Stuurgegevens(
        berichtcode="Bv01",
        zender=ZENDER,
        ontvanger=ONTVANGER,
        referentienummer="antwoord-1",
        tijdstip_bericht="20261118",
        cross_refnummer="vraag-1",
    )

    assert stuf.ref_message_id(POLITIE, "BVH", "vraag-1") == asked
    assert stuf.conversation_id(answer) == asked


def test_conversation_of_a_first_message_is_its_own_id():
    head = document().stuurgegevens

    assert stuf.conversation_id(head) == stuf.message_id(ONTVANGER, head.referentienummer)


# --- moments --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "20260101010000000"),
        (datetime(2026, 7, 1, 12, 0, 0, 5000, tzinfo=UTC), "20260701140000005"),
        (datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), "20260329015959000"),
        (datetime(2026, 3, 29, 1, tzinfo=UTC), "20260329030000000"),
        (datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC), "20261025025959000"),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), "20261025020000000"),
    ],
)
def test_moment_is_written_in_dutch_civil_time(utc, local):
    assert tijdstip(utc) == local


@given(
    st.datetimes(min_value=datetime(1997, 1, 1), max_value=datetime(2090, 1, 1)).map(  # noqa: DTZ001
        lambda d: d.replace(tzinfo=UTC, microsecond=d.microsecond // 1000 * 1000)
    )
)
def test_moment_reads_back_except_in_the_hour_that_comes_twice(moment):
    read = read_tijdstip(tijdstip(moment))

    assert read == moment or (moment - read == timedelta(hours=1) and civil(read) == civil(moment))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20261118", datetime(2026, 11, 17, 23, tzinfo=UTC)),
        ("2026111812", datetime(2026, 11, 18, 11, tzinfo=UTC)),
        ("20261118123015", datetime(2026, 11, 18, 11, 30, 15, tzinfo=UTC)),
        ("202611181230155", datetime(2026, 11, 18, 11, 30, 15, 500000, tzinfo=UTC)),
    ],
)
def test_short_moment_counts_from_its_start(text, moment):
    assert read_tijdstip(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "20260230",
        "20261301",
        "202611182",
        "20261118250000",
        "2026111x",
        "٢٠٢٦١١١٨",
        "00010101",
        "99991332",
        "20261118235960",
        "202611181200000000",
    ],
)
def test_moment_that_does_not_exist_is_malformed(text):
    with pytest.raises(Malformed) as caught:
        read_tijdstip(text)

    assert caught.value.code == "stuf.tijdstip"
