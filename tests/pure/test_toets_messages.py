"""The messages of the OM gate: what is made is what is read, whatever stands in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.directory import Limits
from gateway.errors import Malformed
from gateway.installation import load_catalogue, share
from gateway.message import Address, Oin
from gateway.security.enveloped import verify_document
from gateway.wire import toets, toets_make, toets_read
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import TOETS, case_of, read_document
from gateway.wire.toets import (
    BESLUIT,
    INTREKKING,
    VERZOEK,
    VOORWAARDEN,
    Besluit,
    Doel,
    Intrekking,
    Officier,
    Reden,
    Stuur,
    Uitkomst,
    Verzoek,
    Voorwaarde,
    Voorwaarden,
    limit_for,
)
from gateway.wire.xml import XmlLimits
from tests.parties import AT, EXAMPLES, OM, POLITIE, VT

EXAMPLE = share("schemas") / "toets-1" / "examples"
SCHEMAS = SchemaSet.load(share("schemas"), load_catalogue(share("config") / "catalogue.toml"))
STUUR = Stuur(
    zender=Address(organisatie=POLITIE, applicatie="Berichtengateway"),
    ontvanger=Address(organisatie=OM, applicatie="Berichtengateway"),
    referentienummer="ref-1",
    at=AT,
)
READERS = {
    VERZOEK: (toets_read.read_verzoek, toets_make.make_verzoek),
    BESLUIT: (toets_read.read_besluit, toets_make.make_besluit),
    INTREKKING: (toets_read.read_intrekking, toets_make.make_intrekking),
    VOORWAARDEN: (toets_read.read_voorwaarden, toets_make.make_voorwaarden),
}
SIGNED = [BESLUIT, INTREKKING]


def example(name: str, folder: str = ".") -> bytes:
    return (EXAMPLES / folder / f"{name}.xml").read_bytes()


def valid(name: str, octets: bytes) -> bool:
    """Whether the schema takes it, with a signature where it asks for one."""
    root = etree.fromstring(octets)
    if name == BESLUIT:
        root.append(etree.fromstring(example(name)).find("{*}Signature"))
    document = read_document(etree.tostring(root), limits=XmlLimits())
    return SCHEMAS.validate(document, version="toets-1") == ()


# --- what is made is read -------------------------------------------------------------

CHARACTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")


def texts(most: int, least: int = 1):
    """Texts that XML can hold, without white space around them: that is no part of a value."""
    made = st.text(CHARACTERS | st.sampled_from("\t\n\r<&>\"'"), min_size=least, max_size=most)
    return made.map(str.strip).filter(lambda text: least <= len(text))


def some(strategy):
    return st.just("") | strategy


OINS = st.from_regex(r"[0-9]{20}(_(O|T|A|OTA))?", fullmatch=True).map(Oin)
HASHES = st.from_regex("[0-9a-f]{64}", fullmatch=True)
NAMES = st.from_regex("[A-Za-z][A-Za-z0-9]{0,63}", fullmatch=True)
ZONES = st.sampled_from([UTC, *(timezone(timedelta(hours=n)) for n in (-14, 1, 2))])
MOMENTS = st.builds(
    lambda seconds, zone: datetime.fromtimestamp(seconds / 1_000_000, tz=zone),
    st.integers(0, 10**16),
    ZONES,
)
OFFICERS = st.builds(
    Officier,
    identificatie=texts(64),
    naam=texts(128),
    functie=texts(128),
    mandaat=texts(128),
    parket=texts(128),
)
CONDITIONS = st.lists(
    st.builds(Voorwaarde, code=texts(64), tekst=texts(200), aanvaarding=st.booleans()), max_size=3
).map(tuple)
REASONS = st.builds(
    Reden,
    regel=texts(64),
    pad=some(texts(200)),
    tekst=texts(200),
    toestemming=st.sampled_from(["individueel", "doorlopend"]),
    categorie=some(texts(64)),
    wpg_artikel=some(texts(64)),
)
MADE = {
    VERZOEK: st.builds(
        Verzoek,
        identificatie=texts(80),
        soort=NAMES,
        versie=st.from_regex("[A-Za-z0-9][A-Za-z0-9.-]{0,31}", fullmatch=True),
        referentienummer=texts(40),
        ontvanger=OINS,
        sha256=HASHES,
        inhoud=st.binary(min_size=1, max_size=300),
        tabelversie=some(texts(64)),
        termijn=MOMENTS,
        systeem=texts(128),
        ontvanger_applicatie=some(texts(128)),
        gebruiker=some(texts(128)),
        zaak=some(texts(256)),
        redenen=st.lists(REASONS, max_size=3).map(tuple),
        acuut=st.none() | st.booleans(),
        deel_van=some(texts(40)),
        vervangt=some(texts(40)),
    ),
    BESLUIT: st.builds(
        Besluit,
        identificatie=texts(80),
        verzoek=texts(80),
        sha256=HASHES,
        ontvangers=st.lists(OINS, min_size=1, max_size=3).map(tuple),
        uitkomst=st.sampled_from(Uitkomst),
        grond=texts(200),
        officier=OFFICERS,
        tabelversie=some(texts(64)),
        genomen_op=MOMENTS,
        geldig_tot=MOMENTS,
        te_melden=some(texts(200)),
        voorwaarden=CONDITIONS,
        tweede=st.none() | OFFICERS,
        bekend=st.booleans(),
    ),
    INTREKKING: st.builds(
        Intrekking,
        identificatie=texts(80),
        doel=st.sampled_from(Doel),
        betreft=texts(80),
        grond=texts(200),
        genomen_op=MOMENTS,
        officier=st.none() | OFFICERS,
    ),
    VOORWAARDEN: st.builds(
        Voorwaarden,
        identificatie=texts(80),
        soort=NAMES,
        referentienummer=texts(40),
        sha256=HASHES,
        voorwaarden=CONDITIONS,
        geheimhouding=texts(200),
    ),
}


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60)
@given(data=st.data())
def test_what_is_made_is_what_is_read_and_keeps_the_schema(name, data):
    read, make = READERS[name]
    value = data.draw(MADE[name])

    octets = make(value, STUUR)

    document = read_document(octets)
    assert read(document) == value
    assert document.stuurgegevens.functie == document.name == name
    assert valid(name, octets)


@pytest.mark.parametrize("folder", [".", "volledig"])
@pytest.mark.parametrize("name", READERS)
def test_what_is_read_from_an_example_is_made_again(name, folder):
    read, make = READERS[name]
    value = read(read_document(example(name, folder)))

    assert read(read_document(make(value, STUUR))) == value


@pytest.mark.parametrize("folder", [".", "volledig"])
@pytest.mark.parametrize("name", SIGNED)
def test_signature_in_an_example_is_right(name, folder):
    assert verify_document(example(name, folder)).certificate


def test_confirmation_is_signed_and_keeps_its_schema():
    octets = (EXAMPLE / "toetsingskaderBevestiging.xml").read_bytes()
    xsd = etree.XMLSchema(
        etree.parse(share("schemas") / "toets-1" / "toetsingskaderBevestiging.xsd")
    )

    assert verify_document(octets).certificate
    assert xsd.validate(etree.fromstring(octets))


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("politie", "1234"),
        ("bestand/sha256", "A" * 64),
        ("officier/mandaat", ""),
        ("tabelversie", ""),
        ("genomenOp", "2026-11-26T09:00:00"),
        ("geldigTot", "2026-11-26T24:00:00Z"),
        ("geldigTot", "2026-11-26"),
        ("identificatie", "x" * 81),
    ],
)
def test_confirmation_with_a_wrong_value_breaks_its_schema(place, text):
    root = etree.parse(EXAMPLE / "toetsingskaderBevestiging.xml").getroot()
    root.find("/".join(f"{{*}}{step}" for step in place.split("/"))).text = text
    xsd = etree.XMLSchema(
        etree.parse(share("schemas") / "toets-1" / "toetsingskaderBevestiging.xsd")
    )

    assert not xsd.validate(root)


def test_confirmation_without_signature_breaks_its_schema():
    root = etree.parse(EXAMPLE / "toetsingskaderBevestiging.xml").getroot()
    root.remove(root.find("{*}Signature"))
    xsd = etree.XMLSchema(
        etree.parse(share("schemas") / "toets-1" / "toetsingskaderBevestiging.xsd")
    )

    assert not xsd.validate(root)


# --- what can not be made as given ----------------------------------------------------


def verzoek(**changes) -> Verzoek:
    return replace(toets_read.read_verzoek(read_document(example(VERZOEK))), **changes)


def test_request_of_more_and_longer_reasons_than_the_schema_has_is_still_valid():
    long = Reden(
        regel="r" * 100,
        pad="/" + "p" * 5_000,
        tekst="é&" * 900,
        toestemming="individueel",
        categorie="c" * 100,
        wpg_artikel="8" * 100,
    )
    asked = verzoek(redenen=(long,) * 1_000, systeem="s" * 300, gebruiker="g" * 300)

    octets = toets_make.make_verzoek(asked, STUUR)

    assert valid(VERZOEK, octets)
    assert len(toets_read.read_verzoek(read_document(octets)).redenen) == toets.MOST_REASONS
    assert len(octets) < limit_for(VERZOEK, Limits(payload_bytes=len(asked.inhoud)))


def test_text_that_xml_can_not_hold_is_a_question_mark():
    octets = toets_make.make_verzoek(verzoek(systeem="a\x00b\ud800"), STUUR)

    assert toets_read.read_verzoek(read_document(octets)).systeem == "a?b?"


def test_text_that_looks_like_the_place_of_the_payload_is_text():
    asked = verzoek(zaak="<bgt:inhoud/>", deel_van="&lt;bgt:inhoud/>")

    assert toets_read.read_verzoek(read_document(toets_make.make_verzoek(asked, STUUR))) == asked


def test_moments_go_out_in_utc():
    at = datetime(2026, 11, 18, 13, 0, tzinfo=timezone(timedelta(hours=2)))
    octets = toets_make.make_verzoek(verzoek(termijn=at), STUUR)

    assert b"<bgt:termijn>2026-11-18T11:00:00Z<" in octets


# --- what is not right ----------------------------------------------------------------


def edited(name: str, path: str, text: str | None) -> bytes:
    root = etree.fromstring(example(name))
    element = root.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    if text is None:
        element.getparent().remove(element)
    else:
        element.text = text
    return etree.tostring(root)


@pytest.mark.parametrize(
    ("name", "path", "text", "code"),
    [
        (VERZOEK, "verzoek", None, "toets.form"),
        (VERZOEK, "verzoek/identificatie", "", "toets.form"),
        (VERZOEK, "verzoek/identificatie", "x" * 2_001, "toets.form"),
        (VERZOEK, "verzoek/ontvanger", None, "toets.form"),
        (VERZOEK, "verzoek/acuut", "ja", "toets.form"),
        (VERZOEK, "verzoek/termijn", "2026-11-21", "toets.form"),
        (VERZOEK, "verzoek/termijn", "2026-11-21T09:00:00", "toets.form"),
        (VERZOEK, "verzoek/termijn", "0001-01-01T00:00:00+14:00", "toets.form"),
        (VERZOEK, "verzoek/termijn", "9999-12-31T23:59:59-14:00", "toets.form"),
        (VERZOEK, "verzoek/inhoud", "", "toets.inhoud"),
        (VERZOEK, "verzoek/inhoud", "AAA", "toets.inhoud"),
        (VERZOEK, "verzoek/inhoud", "AA=A", "toets.inhoud"),
        (VERZOEK, "verzoek/inhoud", "QUJ*D", "toets.inhoud"),
        (VERZOEK, "verzoek/inhoud", "QUJDé", "toets.inhoud"),
        (BESLUIT, "besluit/uitkomst", "Vrijgeven", "toets.form"),
        (BESLUIT, "besluit/officier/mandaat", None, "toets.form"),
        (BESLUIT, "besluit/geldigTot", "morgen", "toets.form"),
        (INTREKKING, "intrekking/besluit", None, "toets.form"),
        (INTREKKING, "intrekking/officier/naam", None, "toets.form"),
        (VOORWAARDEN, "voorwaarden/voorwaarde/aanvaarding", "misschien", "toets.form"),
        (VOORWAARDEN, "voorwaarden/geheimhouding", None, "toets.form"),
    ],
)
def test_what_is_missing_or_unreadable_is_refused_by_its_place(name, path, text, code):
    with pytest.raises(Malformed) as caught:
        READERS[name][0](read_document(edited(name, path, text)))

    assert caught.value.code == code
    assert caught.value.where.startswith(f"/{name}")


@pytest.mark.parametrize("name", READERS)
def test_one_message_is_not_read_as_another(name):
    other = next(one for one in READERS if one != name)

    with pytest.raises(Malformed):
        READERS[name][0](read_document(example(other)))


def test_more_of_one_thing_than_any_schema_allows_is_refused():
    root = etree.fromstring(example(VERZOEK))
    reason = root.find("{*}verzoek/{*}reden")
    for _ in range(500):
        reason.addnext(etree.fromstring(etree.tostring(reason, with_tail=False)))

    with pytest.raises(Malformed) as caught:
        toets_read.read_verzoek(read_document(etree.tostring(root)))

    assert caught.value.code == "toets.form"


def test_element_that_stands_there_twice_is_refused():
    root = etree.fromstring(example(BESLUIT))
    outcome = root.find("{*}besluit/{*}uitkomst")
    outcome.addnext(etree.fromstring(etree.tostring(outcome, with_tail=False)))

    with pytest.raises(Malformed):
        toets_read.read_besluit(read_document(etree.tostring(root)))


def test_base64_may_be_broken_over_lines_and_by_a_comment():
    octets = example(VERZOEK)
    before = toets_read.read_verzoek(read_document(octets)).inhoud
    broken = octets.replace(b"<bgt:inhoud>PD94", b"<bgt:inhoud>\n PD<!-- -->9\r\n4", 1)

    assert broken != octets
    assert toets_read.read_verzoek(read_document(broken)).inhoud == before


JUNK = st.text(max_size=40) | st.sampled_from(["true", "", " ", "2026-02-30T00:00:00Z", "QUJD"])


@settings(max_examples=200)
@given(st.sampled_from(sorted(READERS)), st.sampled_from([".", "volledig"]), st.data())
def test_whatever_stands_in_a_message_is_read_or_refused(name, folder, data):
    root = etree.fromstring(example(name, folder))
    body = list(root[1].iter("*"))
    for _ in range(data.draw(st.integers(1, 4))):
        element = data.draw(st.sampled_from(body))
        what = data.draw(st.integers(0, 2))
        if what == 0 and not len(element):
            element.text = data.draw(JUNK.filter(_holds))
        elif what == 1 and element.getparent() is not None:
            element.getparent().remove(element)
        else:
            etree.SubElement(element, f"{{{TOETS}}}{data.draw(st.sampled_from(['code', 'pad']))}")

    assert read_or_refused(name, etree.tostring(root)) in {"", "toets.form", "toets.inhoud"}


def read_or_refused(name: str, octets: bytes) -> str:
    try:
        READERS[name][0](read_document(octets))
    except Malformed as error:
        return error.code
    return ""


def _holds(text: str) -> bool:
    try:
        etree.Element("x").text = text
    except ValueError:
        return False
    return True


# --- the case, and how large ----------------------------------------------------------


def test_case_of_a_request_is_that_of_the_message_it_is_about():
    assert case_of(read_document(example(VERZOEK))) == "PL0000-2026000002"
    assert case_of(read_document(example(BESLUIT))) == ""
    assert case_of(read_document(edited(VERZOEK, "verzoek/zaak", "z" * 257))) == ""


def test_request_that_carries_the_largest_payload_is_read_and_the_next_octet_is_not():
    limits = Limits()
    payload = bytes(limits.payload_bytes)
    asked = verzoek(inhoud=payload, sha256=sha256(payload).hexdigest())
    octets = toets_make.make_verzoek(asked, STUUR)
    most = limit_for(VERZOEK, limits)

    assert limits.payload_bytes * 4 / 3 < len(octets) < most
    document = read_document(octets, limits=XmlLimits(octets=most))
    assert toets_read.read_verzoek(document).inhoud == payload
    with pytest.raises(Malformed) as caught:
        read_document(octets, limits=XmlLimits(octets=limits.payload_bytes))
    assert caught.value.code == "xml.size"


def test_only_a_request_may_be_larger_than_a_payload():
    limits = Limits(payload_bytes=1_000)

    assert {limit_for(name, limits) for name in ("", "vtMeldingDi01", BESLUIT, INTREKKING)} == {
        1_000
    }
    assert limit_for(VERZOEK, limits) == 1_336 + 2_000_000


def test_receiver_is_named_by_his_oin():
    assert verzoek().ontvanger == VT
