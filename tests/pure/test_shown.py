"""A message as a person sees it: all of it, with its passages marked."""

import pytest

from gateway.installation import share
from gateway.wire.shown import LONGEST, MOST, label, show
from gateway.wire.stuf import read_document
from gateway.wire.xml import path_of
from tests.flow.test_gate import melding

EXAMPLES = sorted(
    path
    for path in share("schemas").glob("*/examples/*.xml")
    if path.stem != "toetsingskaderBevestiging"  # a file, and no message
)


def every(part):
    yield part
    for one in part.parts:
        yield from every(one)


def values(octets):
    return [one.value for one in every(show(octets).root) if one.value]


def test_every_text_of_the_message_is_there():
    found = " ".join(values(melding(aanhouding="ja, ter plaatse")))

    for text in ("ja, ter plaatse", "Proefpersoon", "Verzonnenstad", "mondeling", "BVH"):
        assert text in found


@pytest.mark.parametrize("words", [b"<!-- de verdachte -->", b"<?notitie de verdachte?>"])
@pytest.mark.parametrize("place", ["before", "after", "within"])
def test_what_no_system_reads_is_shown_too(words, place):
    octets = melding()
    at = {
        "before": octets.index(b"<JZ:vtMelding"),
        "after": len(octets),
        "within": octets.index(b"<JZ:object"),
    }[place]

    assert "de verdachte" in values(octets[:at] + words + octets[at:])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_paths_are_those_that_the_table_tells(path):
    octets = path.read_bytes()
    root = read_document(octets).tree

    shown = [one.path for one in every(show(octets).root) if one.path]

    assert shown == [path_of(e) for e in root.iter() if isinstance(e.tag, str)]


def test_what_a_page_can_not_hold_is_said():
    many = b"<JZ:relevanteRegistratie>x</JZ:relevanteRegistratie>" * (MOST + 1)
    wide = melding().replace(b"<JZ:bestaandeHulp", many + b"<JZ:bestaandeHulp", 1)
    long = melding(aanhouding="x" * (LONGEST + 1))

    assert show(melding()).whole
    for octets in (wide, long):
        shown = show(octets)
        assert not shown.whole
        assert len(list(every(shown.root))) <= MOST + 1
        assert max(len(one.value) for one in every(shown.root)) <= LONGEST + 2


def test_dates_and_codes_are_in_words():
    found = values(melding())

    assert "17 nov 2026" in found
    assert "vrouw (V)" in found


def test_a_reason_marks_its_element_and_one_without_a_place_is_told_apart():
    path = "/vtMeldingDi01/object/betreft/gerelateerde/aanhouding"

    shown = show(melding(aanhouding="ja"), [path, "/vtMeldingDi01/nergens"])

    (marked,) = [one for one in every(shown.root) if one.marks]
    assert (marked.path, marked.marks, marked.value) == (path, (1,), "ja")
    assert shown.elsewhere == [2]


@pytest.mark.parametrize("octets", [b"", b"geen xml", b"<!DOCTYPE a><a/>"])
def test_what_is_no_message_is_not_shown_as_one(octets):
    assert show(octets) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("datumIncident", "Datum incident"),
        ("inp.bsn", "BSN"),
        ("indicatieSASHIngevuld", "SASH ingevuld"),
        ("heeftBetrokken", "Heeft betrokken"),
        ("eMail", "E-mail"),
        ("isGeinformeerdAan", "Is geïnformeerd aan"),
    ],
)
def test_an_element_is_called_by_words(name, words):
    assert label(name) == words
