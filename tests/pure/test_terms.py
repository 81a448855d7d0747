from datetime import UTC, datetime, timedelta

import pytest

from gateway.rules.terms import antwoordtermijn

START = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["vcobDi01", "vciDi01"])
@pytest.mark.parametrize(
    ("acuut", "id_", "hours", "assumed"),
    [(True, "C1", 24, False), (False, "C2", 72, False), (None, "C2", 72, True)],
)
def test_request_for_information_has_its_term(kind, acuut, id_, hours, assumed):
    term = antwoordtermijn(kind, acuut=acuut)

    assert term is not None
    assert (term.id, term.assumed) == (id_, assumed)
    assert term.deadline(START) == START + timedelta(hours=hours)


@pytest.mark.parametrize("acuut", [True, False, None])
def test_report_is_answered_within_five_days(acuut):
    term = antwoordtermijn("vtMeldingDi01", acuut=acuut)

    assert term is not None
    assert (term.id, term.paragraph) == ("C3", "3.3.3")
    assert "vtTerugkoppelingDi01" in term.answers
    assert term.deadline(START) == START + timedelta(days=5)


def test_criminal_investigation_stops_the_term_of_a_report():
    assert antwoordtermijn("vtMeldingDi01", onderzoek=True) is None
    assert antwoordtermijn("vtMeldingDi01", onderzoek=False) is not None


@pytest.mark.parametrize("kind", ["vtTerugkoppelingDi01", "Bv01Bericht", "Fo01Bericht", "iets"])
def test_message_without_a_term_has_none(kind):
    assert antwoordtermijn(kind, acuut=True) is None
