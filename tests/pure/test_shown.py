"""A message as a person sees it: all of it, with its passages marked."""

import pytest

from gateway.rules.classification import Reason
from gateway.web.console.shown import label, show
from tests.flow.test_gate import melding


def every(part):
    yield part
    for one in part.parts:
        yield from every(one)


def values(octets, reasons=()):
    return [one.value for one in every(show(octets, reasons).root) if one.value]


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


def test_dates_and_codes_are_in_words():
    found = values(melding())

    assert "17 nov 2026" in found
    assert "vrouw (V)" in found


def test_a_reason_marks_its_element_and_one_without_a_place_is_told_apart():
    path = "/vtMeldingDi01/object/betreft/gerelateerde/aanhouding"
    reasons = [
        Reason(rule="OM-001", path=path, text="Een aanhouding."),
        Reason(rule="X", path="/vtMeldingDi01/nergens", text="Iets anders."),
    ]

    shown = show(melding(aanhouding="ja"), reasons)

    (marked,) = [one for one in every(shown.root) if one.marks]
    assert (marked.path, marked.marks, marked.value) == (path, (1,), "ja")
    assert shown.elsewhere == [2]


@pytest.mark.parametrize("octets", [b"", b"geen xml", b"<!DOCTYPE a><a/>"])
def test_what_is_no_message_is_not_shown_as_one(octets):
    assert show(octets, ()) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("datumIncident", "Datum incident"),
        ("inp.bsn", "BSN"),
        ("indicatieSASHIngevuld", "SASH ingevuld"),
        ("heeftBetrokken", "Heeft betrokken"),
        ("eMail", "E-mail"),
    ],
)
def test_an_element_is_called_by_words(name, words):
    assert label(name) == words
