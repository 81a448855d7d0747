"""The TXT record of NTA 7516."""

from datetime import date

import pytest

from gateway.errors import TransportUnproved
from gateway.wire.nta7516 import nta7516

GOOD = "v=NTA7516-1;startdate=2026-01;enddate=2027-12;provider=voorbeeld;ntamx=10 mx1.nta.example"
TODAY = date(2026, 11, 28)


def test_record_names_its_servers_with_their_preference():
    text = f"{GOOD};ntamx=5 MX0.nta.example."

    record = nta7516(["v=spf1 -all", text], TODAY)

    assert record.hosts == ((10, "mx1.nta.example"), (5, "mx0.nta.example"))
    assert record.text == text


def test_record_without_servers_leaves_it_to_the_mx():
    assert nta7516([GOOD.rpartition(";")[0]], TODAY).hosts == ()


def test_spaces_and_capitals_change_nothing():
    text = "V=nta7516-1 ; StartDate = 2026-01 ; EndDate=2027-12 ; provider=x y"

    assert nta7516([text], TODAY).hosts == ()


@pytest.mark.parametrize(
    ("day", "good"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2027, 12, 31), True),
        (date(2028, 1, 1), False),
    ],
)
def test_record_holds_from_the_first_day_to_the_last(day, good):
    if good:
        assert nta7516([GOOD], day).text == GOOD
    else:
        with pytest.raises(TransportUnproved) as caught:
            nta7516([GOOD], day)
        assert caught.value.code == "nta7516.period"


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ([], "nta7516.none"),
        (["v=spf1 -all", "NTA7516-1"], "nta7516.none"),
        (["v=NTA7516-2;startdate=2026-01;enddate=2027-12"], "nta7516.none"),
        ([GOOD, GOOD], "nta7516.malformed"),
        (["v=NTA7516-1;startdate=2026-01"], "nta7516.malformed"),
        (["v=NTA7516-1;startdate=2026-13;enddate=2027-12"], "nta7516.malformed"),
        (["v=NTA7516-1;startdate=2026-01;enddate=2027-12;enddate=2030-12"], "nta7516.malformed"),
        ([f"{GOOD};ntamx=mx2.nta.example"], "nta7516.malformed"),
        ([f"{GOOD};ntamx=10 mx two"], "nta7516.malformed"),
        ([f"{GOOD};x={'y' * 1_000}"], "nta7516.malformed"),
        ([f"{GOOD};x=\x1b[2J"], "nta7516.malformed"),
    ],
)
def test_record_that_is_missing_or_says_two_things_is_refused(texts, code):
    with pytest.raises(TransportUnproved) as caught:
        nta7516(texts, TODAY)

    assert caught.value.code == code
